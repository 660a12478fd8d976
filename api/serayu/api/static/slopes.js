// Slopes above roads: outline, a mark with the level's letter, and on a tap why.

import { en, element, english, given, t, wib } from "./page.js";

const LETTERS = { unknown: "?", normal: "N", pantau: "P", waspada: "W", siaga: "S", awas: "A" };
const RANKS = ["unknown", "normal", "pantau", "waspada", "siaga", "awas"];
const EVERY_MS = 60000;

export class Slopes {
  constructor(map, read) {
    this.read = read;
    this.group = L.layerGroup().addTo(map);
    if (!given.slopes) return;
    this.draw();
    setInterval(() => this.draw(), EVERY_MS);
  }

  async draw() {
    const asked = ["/api/v1/landslide.geojson", "/api/v1/landslide"].map((path) => this.read(path));
    const [slopes, found] = await Promise.all(asked).catch(() => [null, null]);
    if (!slopes) return; // not assessed yet
    const roads = new Map(found.ruas.map((road) => [road.ruas, road]));
    this.group.clearLayers();
    for (const feature of slopes.features) this.add(feature, roads.get(feature.properties.ruas));
  }

  add(feature, road) {
    const unit = feature.properties;
    const level = shown(unit, road);
    const words = popup(unit, road);
    const area = L.geoJSON(feature, { style: { className: `slope ${level}-slope` }, pointToLayer: (_, place) => L.circleMarker(place, { radius: 4 }) });
    const label = `${unit.name} – ${t(`landslide.level.${level}`)}`;
    const mark = element("span", { class: `slope-mark ${style(level)}`, role: "img", "aria-label": label }, LETTERS[level]);
    const icon = L.divIcon({ html: mark, className: "", iconSize: [0, 0] });
    const pin = L.marker(area.getBounds().getCenter(), { icon, title: label, keyboard: true });
    for (const layer of [area, pin]) layer.bindPopup(words).addTo(this.group);
  }
}

// A warning that is held shows at the slope behind it, even where the newest assessment is lower.
function shown(unit, road) {
  const warned = road && road.warning && road.unit === unit.id ? road.warning.siaga : "unknown";
  return RANKS[Math.max(RANKS.indexOf(unit.level), RANKS.indexOf(warned))];
}

function style(level) {
  return level === "pantau" ? "normal" : level;
}

function popup(unit, road) {
  const lines = [
    element("p", {}, unit.explanation.id, english(unit.explanation.en)),
  ];
  if (road && road.warning) {
    const fields = { level: t(`landslide.level.${road.warning.siaga}`), time: wib(road.warning.expires) };
    const fieldsEn = { ...fields, level: en(`landslide.level.${road.warning.siaga}`) };
    lines.unshift(element("p", {}, element("strong", {}, t("landslide.map.warning", fields)), english(en("landslide.map.warning", fieldsEn))));
  }
  return element("div", { class: "slope-words" }, ...lines);
}
