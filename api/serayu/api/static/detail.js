// The panel of one station: every datastream with age and flag, the hydrograph, the limits and who stands for them.

import { element, en, english, number, t, wib } from "./page.js";
import { badge, mainStream, remarkLines } from "./levels.js";
import { bulletinBlock } from "./bulletins.js";
import { details, reading } from "./lists.js";

const SPANS = [6, 24, 72, 168];

export class Detail {
  constructor(box, close) {
    this.box = box;
    this.close = close;
    this.id = null;
    this.property = null;
    this.hours = 24;
    this.chart = element("div", { class: "chart" });
    this.drawn = "";
    this.ahead = element("div", { class: "forecast" });
    this.told = "";
  }

  show(station, bulletin = null) {
    this.bulletin = bulletin;
    if (this.id !== station.id) {
      this.id = station.id;
      const main = mainStream(station);
      this.property = main ? main.property : null;
      this.drawn = "";
    }
    this.box.hidden = false;
    this.box.replaceChildren(...this.parts(station).filter(Boolean));
    this.drawChart(station);
    this.tellForecast(station);
  }

  hide() {
    this.id = null;
    this.box.hidden = true;
  }

  parts(station) {
    return [
      element("button", { class: "close", type: "button", "aria-label": t("page.close"), onclick: this.close }, "×"),
      element("h2", {}, station.name),
      element("p", {}, badge(station), " ", element("small", {}, place(station))),
      ...remarkLines(station),
      bulletinBlock(this.bulletin),
      element("table", {}, ...station.datastreams.map((stream) => streamRow(stream))),
      this.tabs(station),
      this.chart,
      this.ahead,
      limits(station),
      station.invented ? element("p", { class: "invented" }, element("small", {}, t("page.invented"), english(en("page.invented")))) : null,
    ];
  }

  tabs(station) {
    const button = (label, pressed, onclick) =>
      element("button", { type: "button", "aria-pressed": String(pressed), onclick }, label);
    const again = (change) => () => { change(); this.show(station, this.bulletin); };
    const properties = station.datastreams.map((stream) =>
      button(stream.name, stream.property === this.property, again(() => { this.property = stream.property; })));
    const spans = SPANS.map((hours) =>
      button(hours < 72 ? t("page.hours", { n: hours }) : t("page.days", { n: hours / 24 }), hours === this.hours, again(() => { this.hours = hours; })));
    return element("div", { class: "tabs" }, ...(properties.length > 1 ? properties : []), ...spans);
  }

  // What may be shown of the forecast, or why nothing may; the server says it in words.
  async tellForecast(station) {
    const stage = station.datastreams.find((one) => one.property === "stage");
    const wanted = `${station.id} ${stage && stage.time}`;
    if (wanted === this.told) return;
    if (!this.told.startsWith(`${station.id} `)) this.ahead.replaceChildren();
    this.told = wanted;
    if (!stage || !station.thresholds) return;
    const answer = await fetch(`/api/v1/stations/${station.id}/forecast`).catch(() => null);
    if (!answer || !answer.ok) {
      this.told = "";
      return;
    }
    const found = await answer.json();
    if (wanted !== this.told) return;
    this.ahead.replaceChildren(
      element("h3", {}, found.title, english(found.title_en)),
      ...found.lines.map((line, place) => element("p", {}, line, english(found.lines_en[place]))),
    );
  }

  async drawChart(station) {
    const stream = station.datastreams.find((one) => one.property === this.property);
    if (!stream) return;
    const wanted = `${station.id} ${this.property} ${this.hours} ${stream.time}`;
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    const query = new URLSearchParams({ property: this.property, hours: this.hours });
    const answer = await fetch(`/api/v1/stations/${station.id}/hydrograph.svg?${query}`).catch(() => null);
    if (!answer || !answer.ok) {
      this.drawn = "";
      return;
    }
    const parsed = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
    if (wanted === this.drawn) this.chart.replaceChildren(document.importNode(parsed.documentElement, true));
  }
}

function place(station) {
  return [station.river, station.datum].filter(Boolean).join(" · ");
}

function streamRow(stream) {
  const when = stream.time === null ? "" : wib(stream.time);
  return element(
    "tr", {},
    element("th", { scope: "row" }, stream.name, english(stream.name_en), element("br"),
      element("small", {}, [details(stream), when].filter(Boolean).join(" · "))),
    element("td", {}, reading(stream)),
  );
}

function limits(station) {
  const limit = station.thresholds;
  if (!limit) return null;
  const values = { waspada: number(limit.waspada_m, 2), siaga: number(limit.siaga_m, 2), awas: number(limit.awas_m, 2) };
  return element(
    "p", {}, t("page.thresholds", values), element("br"),
    element("small", {}, t("page.approved", { by: limit.approved_by, source: limit.source })),
    ...(limit.invented ? [element("br"), element("small", { class: "invented" }, t("page.invented_limits"), english(en("page.invented_limits")))] : []),
  );
}
