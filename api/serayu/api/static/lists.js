// The lists beside the map: alerts and stations.

import { age, element, en, english, given, number, t, wib, withUnit } from "./page.js";
import { badge, look, mainStream, rank, remarks } from "./levels.js";

export function reading(stream) {
  if (stream.value !== null) {
    const value = stream.total_1h === null ? withUnit(stream.value, stream) : withUnit(stream.total_1h, stream);
    return element("b", {}, value);
  }
  return element("span", { class: "reason" }, t(`page.reason.${stream.reason}`));
}

export function trend(stream) {
  if (stream.trend_per_h === null) return null;
  const size = number(Math.abs(stream.trend_per_h), stream.decimals);
  if (Number(Math.abs(stream.trend_per_h).toFixed(stream.decimals)) === 0) return t("page.trend.steady");
  return t(stream.trend_per_h > 0 ? "page.trend.rising" : "page.trend.falling", { size });
}

export function details(stream) {
  const parts = [];
  if (stream.total_1h !== null && stream.value !== null) parts.push(t("page.total_1h"));
  if (stream.total_24h !== null && stream.value !== null) {
    parts.push(t("page.total_24h", { total: withUnit(stream.total_24h, stream) }));
  }
  if (trend(stream)) parts.push(trend(stream));
  if (stream.flag === 3) parts.push(t("page.unverified"));
  if (stream.value === null && stream.last_value !== null && stream.reason === "stale") {
    parts.push(`${t("page.last_value")} ${withUnit(stream.last_value, stream)}`);
  }
  if (stream.age_s !== null) parts.push(age(stream.age_s));
  return parts.join(" · ");
}

export function drawStations(list, stations, choose) {
  const ordered = [...stations].sort((a, b) => look(b).rank - look(a).rank || a.name.localeCompare(b.name, "id"));
  list.replaceChildren(...ordered.map((station) => stationRow(station, choose)));
}

function stationRow(station, choose) {
  const stream = mainStream(station);
  const under = [t(`page.kind.${station.kind}`)];
  if (stream) under.push(details(stream));
  under.push(...remarks(station).map(([text]) => text));
  return element(
    "li", {},
    element("button", { class: "link", type: "button", onclick: () => choose(station.id) }, station.name),
    element("span", { class: "value" }, badge(station), " ", stream ? reading(stream) : null),
    element("span", { class: "under" }, under.filter(Boolean).join(" · ")),
  );
}

export function drawAlerts(list, alerts, choose, acknowledge) {
  if (!alerts.length) {
    list.replaceChildren(element("li", {}, t("page.alerts.none"), english(en("page.alerts.none"))));
    return;
  }
  const weight = (alert) => (alert.status === "active" ? rank(alert.level) : -1);
  const ordered = [...alerts].sort((a, b) => weight(b) - weight(a)); // stable: the last opened first within a level
  list.replaceChildren(...ordered.map((alert) => alertRow(alert, choose, acknowledge)));
}

function alertRow(alert, choose, acknowledge) {
  const active = alert.status === "active";
  const shown = active ? alert.level : alert.highest;
  const label = active ? alert.label : alert.highest_label;
  const reason = `page.alerts.reason.${alert.reason}`;
  const fields = { level: number(alert.level_m, 2), time: wib(alert.updated) };
  const lines = [
    element(
      "p", {}, element("span", { class: `badge ${shown}` }, label), " ",
      element("button", { class: "link", type: "button", onclick: () => choose(alert.station) }, alert.station_name),
    ),
    element("p", {}, t(reason, fields), english(en(reason, fields))),
    element("p", {}, element("small", {}, period(alert, active))),
  ];
  if (active && !alert.verified) {
    lines.push(element("p", { class: "reason" }, t("page.unverified"), english(en("page.unverified"))));
  }
  lines.push(acknowledged(alert, active, acknowledge));
  return element("li", { class: active ? `${shown}-edge` : "ended" }, ...lines);
}

function period(alert, active) {
  const since = t("page.alerts.since", { time: wib(alert.opened) });
  return active ? since : `${since} – ${t("page.alerts.ended", { time: wib(alert.ended) })}`;
}

function acknowledged(alert, active, acknowledge) {
  if (alert.acknowledged) {
    const fields = { by: alert.acknowledged.by, time: wib(alert.acknowledged.at) };
    return element("p", {}, element("small", {}, t("page.alerts.acknowledged", fields)));
  }
  if (!given.officer || !active) return null;
  const label = [t("page.alerts.acknowledge"), english(en("page.alerts.acknowledge"))];
  return element("button", { type: "button", onclick: () => acknowledge(alert.id) }, ...label);
}
