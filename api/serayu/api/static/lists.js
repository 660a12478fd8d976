// The lists beside the map: alerts and stations.

import { age, element, en, english, given, number, t, wib, withUnit } from "./page.js";
import { bulletinBlock } from "./bulletins.js";
import { badge, look, mainStream, named, rank, remarks } from "./levels.js";
import { unseen, waitLine } from "./waits.js";

const WHOLE_FROM = 0.9; // as in the api: below, a total is not one of the whole span

export function reading(stream) {
  if (stream.value !== null) {
    const value = stream.total_1h === null ? withUnit(stream.value, stream) : withUnit(stream.total_1h, stream);
    return element("b", {}, value);
  }
  return element("span", { class: "reason" }, t(`page.reason.${stream.reason}`));
}

export function trend(stream) {
  if (stream.trend_per_h === null) return null;
  const size = withUnit(Math.abs(stream.trend_per_h), stream);
  if (Number(Math.abs(stream.trend_per_h).toFixed(stream.decimals)) === 0) return t("page.trend.steady");
  return t(stream.trend_per_h > 0 ? "page.trend.rising" : "page.trend.falling", { size });
}

export function details(stream) {
  const parts = [];
  if (stream.total_1h !== null && stream.value !== null) parts.push(hour(stream));
  if (stream.total_24h !== null && stream.value !== null) {
    parts.push(day(stream));
  }
  if (trend(stream)) parts.push(trend(stream));
  if (stream.flag === 3) parts.push(t("page.unverified"));
  if (stream.simulated && stream.last_value !== null) parts.push(t("page.simulated"));
  if (stream.value === null && stream.last_value !== null && stream.reason === "stale") {
    parts.push(`${t("page.last_value")} ${withUnit(stream.last_value, stream)}`);
  }
  if (stream.age_s !== null) parts.push(age(stream.age_s));
  return parts.join(" · ");
}

function hour(stream) {
  if (stream.total_1h_coverage >= WHOLE_FROM) return t("page.total_1h");
  return t("page.total_1h_since", { time: wib(stream.total_1h_since) });
}

function day(stream) {
  const total = withUnit(stream.total_24h, stream);
  if (stream.total_24h_coverage >= WHOLE_FROM) return t("page.total_24h", { total });
  return t("page.total_24h_since", { total, time: wib(stream.total_24h_since) });
}

export function drawStations(list, stations, choose) {
  const ordered = [...stations].sort((a, b) => look(b).rank - look(a).rank || a.name.localeCompare(b.name, "id"));
  list.replaceChildren(...ordered.map((station) => stationRow(station, choose)));
}

function stationRow(station, choose) {
  const stream = mainStream(station);
  const under = [t(`page.kind.${station.kind}`)];
  if (stream) under.push(details(stream));
  under.push(...remarks(station).map(([text]) => text).filter((text) => !(stream && stream.flag === 3 && text === t("page.unverified"))));
  if (station.invented) under.push(t("page.invented_mark"));
  return element(
    "li", {},
    element("button", { class: "link", type: "button", onclick: () => choose(station.id) }, station.name),
    element("span", { class: "value" }, badge(station), " ", stream ? reading(stream) : null),
    element("span", { class: "under" }, under.filter(Boolean).join(" · ")),
  );
}

// Active alerts open, ended ones folded away: one must never be taken for the other.
export function drawAlerts(boxes, alerts, stations, bulletins, choose, acknowledge) {
  const active = alerts.filter((alert) => alert.status === "active").sort((a, b) => rank(b.level) - rank(a.level));
  const over = alerts.filter((alert) => alert.status !== "active");
  const none = () => element("li", { class: "none" }, t("page.alerts.none_active"), english(en("page.alerts.none_active")));
  boxes.active.replaceChildren(
    ...(active.length ? active.map((alert) => activeRow(alert, stations.get(alert.station), bulletins.get(alert.id), choose, acknowledge)) : [none()]),
  );
  boxes.over.hidden = over.length === 0;
  boxes.count.textContent = String(over.length);
  boxes.ended.replaceChildren(...over.map((alert) => endedRow(alert, choose)));
}

function head(alert, style, label, choose) {
  return element(
    "p", {}, element("span", { class: `badge ${style}` }, label), " ",
    element("button", { class: "link", type: "button", onclick: () => choose(alert.station) }, alert.station_name),
  );
}

function both(key, fields = {}) {
  return [t(key, fields), english(en(key, fields))];
}

function activeRow(alert, station, bulletin, choose, acknowledge) {
  const stage = station ? station.datastreams.find((stream) => stream.property === "stage") : null;
  const lines = [
    head(alert, alert.level, alert.label, choose),
    stage ? element("p", { class: "now" }, ...(stage.value === null ? [] : [...both("page.alerts.now"), ": "]), reading(stage), " ", details(stage)) : null,
    element("p", {}, ...why(alert)),
    below(alert, station) ? element("p", {}, ...both("page.alerts.below", { level: named(alert.level) })) : null,
    element("p", {}, element("small", {}, [t("page.alerts.since", { time: wib(alert.opened) }), peakSoFar(alert, stage)].filter(Boolean).join(" · "))),
    alert.verified ? null : element("p", { class: "reason" }, ...both("page.unverified")),
    bulletinBlock(bulletin),
    ...acknowledged(alert, true, acknowledge),
  ];
  return element("li", { class: `${alert.level}-edge` }, ...lines.filter(Boolean));
}

// What led to the level in force: a fall to it is told as a fall, not as a limit exceeded.
function why(alert) {
  const moves = alert.changes.filter((change) => change.from !== change.to);
  const last = moves[moves.length - 1];
  if (last && last.kind === "lower") return both("page.alerts.lowered", { level: named(last.from), time: wib(last.at) });
  if (last && last.kind === "retract") return both("page.alerts.retracted", { level: named(last.from) });
  if (last && last.kind === "lapse") return both("page.alerts.lapsed", { level: named(last.from), time: wib(last.at) });
  const reached = alert.changes.filter((change) => change.to === alert.level && change.reason === alert.reason);
  const time = wib(reached.length ? reached[reached.length - 1].at : alert.opened);
  return both(`page.alerts.reason.${alert.reason}`, { level: named(alert.level), time });
}

// A level is held for a while after the water has fallen below its limit.
function below(alert, station) {
  const exceeds = station && station.level ? station.level.exceeds : null;
  return alert.reason === "threshold" && exceeds !== null && rank(exceeds) < rank(alert.level);
}

// The reading on the screen may be newer than the list of alerts.
function peakSoFar(alert, stage) {
  const now = stage && stage.value !== null ? { level_m: stage.value, time: stage.time, flag_name: stage.flag_name } : null;
  const peak = now && (!alert.peak || now.level_m > alert.peak.level_m) ? now : alert.peak;
  return peak ? [t("page.alerts.peak_so_far", { level: number(peak.level_m, 2), time: wib(peak.time) }), doubt(peak)].filter(Boolean).join(" ") : null;
}

// A peak that quality control doubts may be a jump of the sensor.
function doubt(peak, said = t) {
  return peak.flag_name === "suspect" ? said("page.peak_doubtful") : null;
}

function endedRow(alert, choose) {
  const parts = [];
  if (alert.highest === "normal") {
    const opened = alert.changes[0];
    parts.push(both("page.alerts.retracted", { level: named(opened.to) }));
  } else {
    if (alert.peak) {
      const [id, english_] = [t, en].map((said) => [said("page.alerts.peak", { level: number(alert.peak.level_m, 2), time: wib(alert.peak.time) }), doubt(alert.peak, said)].filter(Boolean).join(" "));
      parts.push([id, english(english_)]);
    }
    if (alert.outcome !== "lapsed" && rank(alert.highest_by_threshold) < rank(alert.highest)) parts.push(both("page.alerts.not_exceeded", { level: named(alert.highest) }));
  }
  const ended = alert.outcome === "lapsed" ? "page.alerts.lapsed_at" : "page.alerts.ended_at"; // not known is not normal
  parts.push(both(ended, { time: wib(alert.ended), level: number(alert.level_m, 2) }));
  return element(
    "li", { class: "ended" },
    head(alert, "past", alert.highest_label, choose),
    ...parts.map((part) => element("p", {}, ...part)),
    element("p", {}, element("small", {}, t("page.alerts.since", { time: wib(alert.opened) }))),
    ...acknowledged(alert, false, null),
  );
}

function acknowledged(alert, active, acknowledge) {
  const button = given.officer && active && unseen(alert)
    ? element("button", { type: "button", onclick: () => acknowledge(alert.id) }, t("page.alerts.acknowledge"), english(en("page.alerts.acknowledge")))
    : null;
  return [waitLine(alert), button].filter(Boolean);
}
