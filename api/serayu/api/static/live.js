// The live connection, and the banner that says since when there is none.

import { element, en, t, wib } from "./page.js";

const QUIET_MS = 35000; // three heartbeats and a little

export class Live {
  constructor({ state, lost, onHello, onLatest, onAlert }) {
    Object.assign(this, { state, lost, onHello, onLatest, onAlert });
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
    on("heartbeat", (data) => this.onHello(data));
    this.source.addEventListener("error", () => {
      this.opened = false;
      // A server that answers with an error ends the source for good; try again with a new one.
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 5000);
      this.watch();
    });
  }

  seen(time) {
    this.dataTime = time;
    this.watch();
  }

  watch() {
    const quiet = Date.now() - this.heard > QUIET_MS;
    const down = quiet || !this.opened;
    const grace = Date.now() - this.heard < 4000; // a reload of the server is no news
    this.state.classList.toggle("live", !down);
    this.state.classList.toggle("down", down && !grace);
    if (!down) {
      this.state.textContent = t("page.live", { time: this.dataTime ? wib(this.dataTime) : "–" });
      this.lost.hidden = true;
    } else if (!grace) {
      const time = wib(this.dataTime || this.heard);
      this.state.textContent = t("page.lost.quiet");
      if (this.shown !== time || this.lost.hidden) {
        this.shown = time;
        this.lost.replaceChildren(t("page.lost.since", { time }), element("br"), element("span", { lang: "en" }, en("page.lost.since", { time })));
        this.lost.hidden = false;
      }
    }
  }
}
