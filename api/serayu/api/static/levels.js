// How a level looks: a letter, a name and a colour, never a colour alone.

import { element, english, t, en } from "./page.js";

const LETTERS = { normal: "N", waspada: "W", siaga: "S", awas: "A" };
const RANKS = { normal: 0, waspada: 1, siaga: 2, awas: 3 };

const NAMES = { normal: "Normal", waspada: "Waspada", siaga: "Siaga", awas: "Awas" };

export function named(level) {
  return NAMES[level];
}

export function rank(level) {
  return RANKS[level];
}

export function look(station) {
  const level = station.level;
  if (!level) {
    const silent = station.datastreams.every((stream) => stream.reason !== null);
    return { style: silent ? "unknown" : "plain", letter: silent ? "?" : "", rank: silent ? 0.5 : 0, old: silent };
  }
  if (!level.siaga) return { style: "unknown", letter: "?", rank: 0.5, old: true };
  return { style: level.siaga, letter: LETTERS[level.siaga], rank: RANKS[level.siaga], old: !level.current };
}

export function badge(station) {
  const level = station.level;
  if (!level) return null;
  if (!level.siaga) {
    return element("span", { class: "badge unknown" }, t("page.level.unknown"));
  }
  return element("span", { class: `badge ${level.siaga}` }, level.label);
}

// What must be said beside the badge, as [Indonesian, English] pairs.
export function remarks(station) {
  const level = station.level;
  const said = (station.sensor_faults || []).map((fault) => [fault.label, fault.label_en]); // of the sensor, not the river
  if (!level) return said;
  const pair = (key, fields) => said.push([t(key, fields), en(key, fields)]);
  if (level.siaga && level.verified === false) pair("page.unverified");
  if (level.siaga && !level.current) pair("page.level.held");
  if (level.exceeds && RANKS[level.exceeds] > RANKS[level.siaga]) pair("page.level.exceeds", { level: NAMES[level.exceeds] });
  return said;
}

export function remarkLines(station) {
  return remarks(station).map(([id, english_]) => element("p", { class: "reason" }, id, english(english_)));
}

export function mainStream(station) {
  const wanted = { river: ["stage"], rain: ["rain"], junction: ["speed", "occupancy"], field: ["soil-moisture"] };
  const known = (wanted[station.kind] || []).map((slug) => station.datastreams.find((s) => s.property === slug));
  return known.find((stream) => stream) || station.datastreams[0] || null;
}
