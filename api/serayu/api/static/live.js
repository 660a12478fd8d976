// The live connection, and the banner that says since when there is none.

import { element, en, given, t, wib, wibDate } from "./page.js";

const QUIET_MS = 35000; // three heartbeats and a little
const STILL_MS = 10000; // a replay whose clock has not moved for so long has stopped

export class Live {
  constructor({ state, lost, onHello, onReset, onLatest, onAlert }) {
    Object.assign(this, { state, lost, onHello, onReset, onLatest, onAlert });
    this.heard = Date.now();
    this.dataTime = null;
    this.open();
    setInterval(() => this.watch(), 1000);
  }

  open() {
    this.source = new EventSource("/api/v1/stream");
    const on = (name, act) => this.source.addEventListener(name, (event) => {
      this.heard = Date.now();
      this.opened = true;
      act(JSON.parse(event.data));
      this.watch();
    });
    on("hello", (data) => this.onHello(data));
    on("latest", (data) => this.onLatest(data));
    on("alert", (data) => this.onAlert(data));
    on("reset", () => this.onReset());
    on("heartbeat", (data) => this.onHello(data));
    this.source.addEventListener("error", () => {
      this.opened = false;
      // A server that answers with an error ends the source for good; try again with a new one.
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 5000);
      this.watch();
    });
  }

  // The time of the newest reading, and whether everything has fallen silent.
  seen(time, silent) {
    if (time !== this.dataTime) this.movedAt = Date.now();
    this.dataTime = time;
    this.silent = silent;
    this.watch();
  }

  watch() {
    const quiet = Date.now() - this.heard > QUIET_MS;
    const down = quiet || !this.opened;
    const grace = down && Date.now() - this.heard < 4000; // a restart of the server is no news
    const alarm = (down && !grace) || this.silent;
    this.state.classList.toggle("live", !down && !this.silent);
    this.state.classList.toggle("down", alarm);
    const time = wib(this.dataTime || this.heard);
    const still = given.replay && this.dataTime && Date.now() - this.movedAt > STILL_MS;
    if (given.replay && this.dataTime) {
      document.getElementById("replay-time").textContent = `· ${t("page.replay.time", { time: wibDate(this.dataTime) })}`;
    }
    if (still) this.state.classList.remove("live");
    if (!alarm) {
      const key = still ? "page.replay.stopped" : given.replay ? "page.replay.live" : "page.live";
      if (!down) this.state.textContent = this.dataTime ? t(key, { time }) : t("page.live_empty");
      this.lost.hidden = true;
      return;
    }
    const key = down && !grace ? "page.lost.since" : "page.lost.silent";
    this.state.textContent = t(down && !grace ? "page.lost.quiet" : "page.lost.no_data");
    if (this.shown !== key + time || this.lost.hidden) {
      this.shown = key + time;
      this.lost.replaceChildren(t(key, { time }), element("br"), element("span", { lang: "en" }, en(key, { time })));
      this.lost.hidden = false;
    }
  }
}
