// What drone surveys found on the roads: marks with letters, road segments with their condition, words and picture on a tap.

import { element, en, english, given, number, t, wibDate } from "./page.js";

const PAGE = 500, AT_MOST = 2000; // features; a phone draws no more
const GOOD = 70, POOR = 40; // PCI: from "satisfactory" up, and below "poor" (ASTM D6433's rating scale)
const SIZES = [["length", "length_m", "m", 2], ["width", "width_mm", "mm", 1], ["area", "area_m2", "m²", 2]];

export class Findings {
  constructor(map, read) {
    this.map = map;
    this.read = read;
    this.group = L.layerGroup().addTo(map);
    if (given.findings) this.draw().catch((error) => console.warn(error));
  }

  async draw() {
    const [segments, findings] = [await this.pages("segments"), await this.pages("findings")];
    const { surveys } = await this.read("/api/v1/surveys");
    const taken = new Map(surveys.map((one) => [one.id, one.last || one.first]));
    for (const feature of latest(segments.features, taken)) this.segment(feature, taken.get(feature.properties.survey));
    for (const feature of findings.features) this.finding(feature);
    if (findings.cut) cut("review.layer_cut", { shown: findings.features.length, total: findings.total });
    if (segments.cut) cut("review.layer_cut_segments");
  }

  async pages(what) {
    const found = { features: [], total: 0, cut: false };
    let cursor = "";
    do {
      const page = await this.read(`/api/v1/${what}?limit=${PAGE}${cursor && `&cursor=${cursor}`}`);
      found.features.push(...page.features);
      found.total = page.total;
      cursor = page.next;
    } while (cursor && found.features.length < AT_MOST);
    found.cut = Boolean(cursor);
    return found;
  }

  segment(feature, time) {
    const line = L.geoJSON(feature, { style: { className: `road-segment ${grade(feature.properties.pci)}` } });
    line.bindPopup(segmentWords(feature.properties, time)).addTo(this.group);
  }

  finding(feature) {
    const kind = feature.properties.class;
    const area = L.geoJSON(feature, { style: { className: `finding-area ${kind}` }, pointToLayer: (_, place) => L.circleMarker(place, { radius: 3 }) });
    const label = `${t(`review.class.${kind}`)} – ${place(feature.properties, t, "id-ID")}`;
    const mark = element("span", { class: `finding-mark finding-pin ${kind}`, role: "img", "aria-label": label }, given.letters[kind]);
    const icon = L.divIcon({ html: mark, className: "", iconSize: [0, 0] });
    const pin = L.marker(area.getBounds().getCenter(), { icon, title: label, keyboard: true });
    for (const layer of [area, pin]) layer.bindPopup(() => words(feature)).addTo(this.group);
  }
}

function cut(key, fields = {}) {
  const place = document.getElementById("findings-cut");
  place.append(element("p", {}, ...both(key, fields)));
  place.hidden = false;
}

// Of each stretch what the latest survey says that could judge it; of surveys without a time, the last published.
function latest(features, taken) {
  const found = new Map();
  const judged = (one) => one.properties.pci || one.properties.sdi ? 1 : 0;
  const at = (one) => Date.parse(taken.get(one.properties.survey)) || 0;
  for (const feature of features) {
    const key = JSON.stringify([feature.properties.ruas, feature.properties.km_from]);
    const before = found.get(key);
    const later = before && (judged(feature) - judged(before) || at(feature) - at(before));
    if (!before || later > 0) found.set(key, feature);
  }
  return found.values();
}

function grade(pci) {
  if (!pci) return "unknown";
  if (pci[0] >= GOOD) return "good";
  return pci[1] < POOR ? "poor" : "fair";
}

function place(p, say, lang) {
  if (p.ruas === null) return say("review.no_road");
  const km = p.km.toLocaleString(lang, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  return say("review.on_road", { ruas: p.ruas, km, side: say(`review.side.${p.side ?? "none"}`) });
}

function both(key, fields = {}) {
  return [t(key, fields), english(en(key, fields))];
}

// Built when it is opened, so that no picture is fetched before.
function words(feature) {
  const p = feature.properties;
  const lines = [element("p", {}, element("strong", {}, t(`review.class.${p.class}`)), english(en(`review.class.${p.class}`)))];
  const off = p.errors.position_m === null ? "" : ` ${t("review.position", { error: number(p.errors.position_m, 1) })}`;
  lines.push(element("p", {}, place(p, t, "id-ID") + off, english(place(p, en, "en"))));
  for (const [key, name, unit, decimals] of SIZES) {
    if (p[name] === null) continue;
    const error = p.errors[name] === null ? "" : ` ± ${number(p.errors[name], decimals)}`;
    lines.push(element("p", {}, `${t(`review.${key}`)} ${number(p[name], decimals)}${error} ${unit}`));
  }
  lines.push(element("p", {}, `${t("review.severity")}: ${t(`review.severity.${p.severity}`)}`, english(`${en("review.severity")}: ${en(`review.severity.${p.severity}`)}`)));
  lines.push(element("p", {}, `${t("review.time")} ${p.time ? wibDate(p.time) : t("review.time_unknown")} · ${p.photo}`));
  lines.push(element("p", {}, checked(p, feature.review, t, "id-ID"), english(checked(p, feature.review, en, "en"))));
  if (feature.picture) lines.push(element("img", { src: feature.picture, alt: t(`review.class.${p.class}`) }));
  return element("div", { class: "finding-words" }, ...lines);
}

// Who says that it is there: a program and how sure it is, or a person; and what the last reviewer said.
function checked(p, review, say, lang) {
  const sure = p.score === null ? "" : `${say("review.score")} ${p.score.toLocaleString(lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 })}; `;
  if (!review) return sure + say(p.score === null ? "review.unchecked_person" : "review.unchecked");
  const to = review.judgement === "ubah" ? ` → ${say(`review.class.${review.class}`)}` : "";
  return sure + say("review.checked", { by: review.by, said: say(`review.said.${review.judgement}`) + to });
}

function segmentWords(p, time) {
  const lines = [element("p", {}, element("strong", {}, t("review.segment", { ruas: p.ruas, sta: p.sta || number(p.km_from, 1) })))];
  const said = [["review.segment_pci", p.pci, 0], ["review.segment_sdi", p.sdi, 0]].filter(([, bounds]) => bounds);
  for (const [key, bounds, decimals] of said) lines.push(element("p", {}, t(key, { low: number(bounds[0], decimals), high: number(bounds[1], decimals) })));
  if (!said.length) lines.push(element("p", {}, ...both("review.segment_unknown")));
  lines.push(element("p", {}, ...both("review.segment_surveyed", { share: number(p.surveyed * 100, 0), n: p.findings })));
  lines.push(element("p", {}, `${t("review.time")} ${time ? wibDate(time) : t("review.time_unknown")}`));
  return element("div", { class: "finding-words" }, ...lines);
}
