// The map page: stations coloured and lettered by Siaga, drawn again as news comes in.

import { element, given, t } from "./page.js";
import { badge, look } from "./levels.js";
import { readBulletins } from "./bulletins.js";
import { placeLabels } from "./labels.js";
import { drawAlerts, drawStations } from "./lists.js";
import { Detail } from "./detail.js";
import { Live } from "./live.js";
import { Slopes } from "./slopes.js";
import { Findings } from "./findings.js";
import { spread } from "./spread.js";

const NEAR_ZOOM = 13; // from here on every station shows its name
const find = (id) => document.getElementById(id);

const state = { stations: new Map(), alerts: [], bulletins: new Map(), version: null, pins: new Map(), fitted: false, spread: {} };

const map = L.map("map", { zoomSnap: 0.25, zoomDelta: 1, wheelPxPerZoomLevel: 90 });
L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
map.attributionControl.setPrefix("");
map.setView([-7.45, 109.17], 10);
if (given.tiles) L.tileLayer(given.tiles, { maxZoom: 19 }).addTo(map);
map.on("zoomend", () => {
  find("map").classList.toggle("near", map.getZoom() >= NEAR_ZOOM);
  if (state.fitted) drawPins();
});

const detail = new Detail(find("detail"), () => { detail.hide(); drawPins(); });

function wide() {
  return window.innerWidth > 820;
}

function choose(id) {
  const station = state.stations.get(id);
  if (!station) return;
  detail.show(station, state.bulletins.get(station.level && station.level.alert));
  drawPins();
  map.panInside([station.lat, station.lon], { padding: [60, 60] });
  if (!wide()) find("detail").scrollIntoView({ behavior: "smooth" });
}

function pin(station) {
  const seen = look(station);
  const classes = ["pin", station.kind];
  if (seen.rank >= 1) classes.push("up");
  if (seen.old) classes.push("old");
  if (station.id === detail.id) classes.push("chosen");
  const said = badge(station);
  const label = [station.name, said ? said.textContent : t(`page.kind.${station.kind}`)].join(" – ");
  const made = element(
    "div", { class: classes.join(" "), role: "img", "aria-label": label },
    element("b", { class: seen.style }, element("span", {}, seen.letter)),
    element("em", {}, station.name, seen.rank >= 1 ? element("strong", { class: seen.style }, said.textContent) : null),
  );
  const [x, y] = offset(station.id);
  if (x || y) made.style.translate = `${x}px ${y}px`;
  return made;
}

// Found anew for each zoom and set of stations, not for each reading.
function offset(id) {
  const known = `${map.getZoom()} ${state.stations.size}`;
  if (state.spread.known !== known) {
    const places = [...state.stations.values()].map((s) => ({ id: s.id, ...pixels(map.project([s.lat, s.lon])) }));
    state.spread = { known, moved: spread(places) };
  }
  return state.spread.moved.get(id) || [0, 0];
}

function pixels(point) {
  return { x: point.x, y: point.y };
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
    flowLines();
    map.fitBounds([...state.stations.values()].map((s) => [s.lat, s.lon]), { paddingTopLeft: [50, 50], paddingBottomRight: wide() ? [60, 30 + document.querySelector(".legend").offsetHeight] : [30, 30], maxZoom: 13, animate: false });
  }
  const raised = [...state.stations.values()].map((s) => [look(s).rank, state.pins.get(s.id).getElement()]).filter(([rank, pin_]) => rank >= 1 && pin_);
  raised.sort((a, b) => b[0] - a[0]);
  placeLabels(raised.map(([, pin_]) => pin_.querySelector(".pin")), find("map"));
}

function draw() {
  drawPins();
  drawStations(find("stations"), state.stations.values(), choose);
  const boxes = { active: find("alerts"), over: find("ended"), count: find("ended-count"), ended: find("ended-alerts") };
  drawAlerts(boxes, state.alerts, state.stations, state.bulletins, choose, acknowledge);
  const chosen = state.stations.get(detail.id);
  if (chosen) detail.show(chosen, state.bulletins.get(chosen.level && chosen.level.alert));
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
    state.bulletins = await readBulletins(read);
    live.seen(stations.newest, silent());
    draw();
  } catch (error) {
    console.warn(error); // the banner says that there is no connection; the next hello reads again
  }
}

function silent() {
  const streams = [...state.stations.values()].flatMap((station) => station.datastreams);
  const heard = streams.filter((stream) => stream.reason !== "no_data");
  return heard.length > 0 && heard.every((stream) => stream.stale);
}

// One question for all the news of a moment, however fast they come.
let alertsDue = null;
function alertsLater(pause = 150) {
  if (alertsDue !== null) return;
  alertsDue = setTimeout(async () => {
    alertsDue = null;
    state.alerts = (await read("/api/v1/alerts?limit=20").catch(() => ({ alerts: state.alerts }))).alerts;
    state.bulletins = await readBulletins(read).catch(() => state.bulletins);
    draw();
  }, pause);
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
  onReset: reload,
  onLatest: (data) => {
    for (const station of data.stations) state.stations.set(station.id, station);
    state.version = data.version;
    live.seen(data.newest, silent());
    draw();
    // A reading may be a new peak of an alert.
    const told = new Set(data.stations.map((station) => station.id));
    if (state.alerts.some((alert) => alert.status === "active" && told.has(alert.station))) alertsLater(2000);
  },
  onAlert: () => alertsLater(),
});

// Ages grow between readings too.
setInterval(() => {
  for (const station of state.stations.values()) {
    for (const stream of station.datastreams) if (stream.age_s !== null && !given.replay) stream.age_s += 15;
  }
  if (state.stations.size) draw();
}, 15000);

const LAYER_STYLES = {
  kabupaten: { className: "outline kabupaten" },
  kecamatan: { className: "outline kecamatan" },
  waterways: { className: "outline waterway" },
  roads: { className: "outline road" },
};

async function outlines() {
  for (const name of given.layers) {
    const outline = await read(`/api/v1/layers/${name}.geojson`).catch(() => null);
    if (!outline) continue;
    L.geoJSON(outline, {
      style: { ...LAYER_STYLES[name], interactive: false },
      interactive: false,
      pointToLayer: (feature, place) => L.marker(place, {
        interactive: false,
        keyboard: false,
        icon: L.divIcon({ html: element("span", { class: "settlement" }, feature.properties.name), className: "", iconSize: [0, 0] }),
      }),
    }).addTo(map);
  }
  for (const source of given.sources) map.attributionControl.addAttribution(element("span", {}, source).outerHTML);
}

// Which post's water reaches which: straight lines, no river courses, for a region without outlines too.
function flowLines() {
  for (const station of state.stations.values()) {
    for (const below of station.downstream.map((id) => state.stations.get(id)).filter(Boolean)) {
      const ends = [[station.lat, station.lon], [below.lat, below.lon]];
      L.polyline(ends, { className: "flow", interactive: false }).addTo(map);
    }
  }
}

reload();
outlines().then(() => { new Findings(map, read); new Slopes(map, read); });
