// The map page: stations coloured and lettered by Siaga, drawn again as news comes in.

import { element, given, t } from "./page.js";
import { badge, look } from "./levels.js";
import { drawAlerts, drawStations } from "./lists.js";
import { Detail } from "./detail.js";
import { Live } from "./live.js";

const NEAR_ZOOM = 13; // from here on every station shows its name
const find = (id) => document.getElementById(id);

const state = { stations: new Map(), alerts: [], version: null, pins: new Map(), fitted: false };

const map = L.map("map", { zoomControl: true, attributionControl: true });
map.attributionControl.setPrefix("");
map.setView([-7.45, 109.17], 10);
if (given.tiles) L.tileLayer(given.tiles, { maxZoom: 19 }).addTo(map);
map.on("zoomend", () => find("map").classList.toggle("near", map.getZoom() >= NEAR_ZOOM));

const detail = new Detail(find("detail"), () => { detail.hide(); drawPins(); });

function choose(id) {
  const station = state.stations.get(id);
  if (!station) return;
  detail.show(station);
  drawPins();
  map.panInside([station.lat, station.lon], { padding: [60, 60] });
  if (window.innerWidth <= 820) find("detail").scrollIntoView({ behavior: "smooth" });
}

function pin(station) {
  const seen = look(station);
  const classes = ["pin", station.kind];
  if (seen.rank >= 1) classes.push("up");
  if (seen.old) classes.push("old");
  if (station.id === detail.id) classes.push("chosen");
  const said = badge(station);
  const label = [station.name, said ? said.textContent : t(`page.kind.${station.kind}`)].join(" – ");
  return element(
    "div", { class: classes.join(" "), role: "img", "aria-label": label },
    element("b", { class: seen.style }, element("span", {}, seen.letter)),
    element("em", {}, seen.rank >= 1 ? label : station.name),
  );
}

function drawPins() {
  for (const station of state.stations.values()) {
    const icon = L.divIcon({ html: pin(station), className: "", iconSize: [0, 0] });
    const offset = Math.round(look(station).rank * 1000);
    const marker = state.pins.get(station.id);
    if (marker) {
      marker.setIcon(icon).setZIndexOffset(offset);
    } else {
      const made = L.marker([station.lat, station.lon], { icon, zIndexOffset: offset, title: station.name, keyboard: true });
      made.on("click", () => choose(station.id)).addTo(map);
      state.pins.set(station.id, made);
    }
  }
  if (!state.fitted && state.stations.size) {
    state.fitted = true;
    map.fitBounds([...state.stations.values()].map((s) => [s.lat, s.lon]), { padding: [40, 40], maxZoom: 13 });
  }
}

function draw() {
  drawPins();
  drawStations(find("stations"), state.stations.values(), choose);
  drawAlerts(find("alerts"), state.alerts, choose, acknowledge);
  const chosen = state.stations.get(detail.id);
  if (chosen) detail.show(chosen);
}

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function reload() {
  try {
    const [stations, alerts] = await Promise.all([read("/api/v1/stations"), read("/api/v1/alerts?limit=20")]);
    state.stations = new Map(stations.stations.map((station) => [station.id, station]));
    state.version = stations.version;
    state.alerts = alerts.alerts;
    live.seen(stations.time);
    draw();
  } catch (error) {
    console.warn(error); // the banner says that there is no connection; the next hello reads again
  }
}

let alertsDue = null;
function alertsLater() {
  clearTimeout(alertsDue);
  alertsDue = setTimeout(async () => {
    state.alerts = (await read("/api/v1/alerts?limit=20").catch(() => ({ alerts: state.alerts }))).alerts;
    draw();
  }, 150);
}

async function acknowledge(id) {
  const headers = {
    "Content-Type": "application/json",
    "Idempotency-Key": crypto.randomUUID ? crypto.randomUUID() : `${id}-${Date.now()}`,
    "X-CSRF-Token": given.csrf,
  };
  await fetch(`/api/v1/alerts/${id}/acknowledge`, { method: "POST", headers, body: "{}" }).catch(() => null);
  alertsLater();
}

const live = new Live({
  state: find("state"),
  lost: find("lost"),
  onHello: (data) => { if (data.version !== state.version) reload(); },
  onLatest: (data) => {
    for (const station of data.stations) state.stations.set(station.id, station);
    state.version = data.version;
    live.seen(data.time);
    draw();
  },
  onAlert: alertsLater,
});

// Ages grow between readings too.
setInterval(() => {
  for (const station of state.stations.values()) {
    for (const stream of station.datastreams) if (stream.age_s !== null && !given.replay) stream.age_s += 15;
  }
  if (state.stations.size) draw();
}, 15000);

const LAYER_STYLES = [
  [/sungai|river/, { color: "#4a90c2", weight: 2 }],
  [/jalan|road|ruas/, { color: "#9a8f80", weight: 1.5 }],
  [/./, { color: "#6b7c8a", weight: 1, fill: false, dashArray: "4 4" }],
];

async function outlines() {
  for (const name of given.layers) {
    const outline = await read(`/api/v1/layers/${name}.geojson`).catch(() => null);
    if (!outline) continue;
    const style = LAYER_STYLES.find(([pattern]) => pattern.test(name))[1];
    L.geoJSON(outline, { style, interactive: false, pointToLayer: () => null }).addTo(map);
  }
}

reload();
outlines();
