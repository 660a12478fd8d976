// The bulletin of an alert: who answers for it, until when it holds, whom it reaches, and its words in three registers.

import { element, en, english, number, t, wib } from "./page.js";

const LANGUAGES = ["id", "en", "jv-banyumas"];
const opened = new Set(); // stays open when the list is drawn again

// Bulletins in force, by the alert that they are about.
export async function readBulletins(read) {
  const found = await read("/api/v1/bulletins?active=true&limit=100");
  return new Map(found.bulletins.map((bulletin) => [bulletin.alert, bulletin]));
}

export function bulletinBlock(bulletin) {
  if (!bulletin) return null;
  const title = element("summary", {}, t("page.bulletin.title"), english(en("page.bulletin.title")));
  const block = element(
    "details", { class: "bulletin" }, title,
    ...LANGUAGES.map((lang) => register(bulletin.texts[lang], lang)),
    element("p", { class: "forms" }, element("a", { href: `/peringatan#b-${bulletin.id}` }, "/peringatan")),
  );
  block.open = opened.has(bulletin.id);
  block.addEventListener("toggle", () => {
    if (block.open) opened.add(bulletin.id);
    else opened.delete(bulletin.id);
  });
  return element("div", {}, element("p", { class: "origin" }, ...origin(bulletin)), element("p", {}, ...reach(bulletin)), block);
}

function origin(bulletin) {
  const key = bulletin.origin === "signed" ? "page.bulletin.signed" : "page.bulletin.monitoring";
  const fields = { authority: bulletin.authority };
  return [t(key, fields), english(en(key, fields))];
}

// Numbers that nobody counted are left out; without any it says so.
function reach(bulletin) {
  const impact = bulletin.impact;
  const counts = [
    ["page.bulletin.people", impact.people, 0], ["page.bulletin.buildings", impact.buildings, 0],
    ["page.bulletin.areas", impact.areas.length || null, 0], ["page.bulletin.roads", impact.road_km, 1],
  ].filter(([, value]) => value !== null);
  const say = (talk) => counts.map(([key, value, decimals]) => talk(key, { n: talk === en ? englishNumber(value, decimals) : number(value, decimals) }));
  const until = { time: wib(bulletin.expires) };
  const unknown = counts.length === 0 && bulletin.level !== "normal";
  const parts = (talk) => [...(unknown ? [talk("page.bulletin.impact_unknown")] : say(talk)), talk("page.bulletin.expires", until)];
  return [element("b", {}, parts(t).join(" · ")), english(parts(en).join(" · "))];
}

// "1.234 people" would be read as one and a quarter.
function englishNumber(value, decimals) {
  return value.toLocaleString("en-GB", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function register(said, lang) {
  const draft = said.draft ? element("p", { class: "draft", lang: "id" }, t("page.bulletin.draft")) : null;
  return element(
    "div", { lang: said.draft ? "jv" : lang }, draft,
    element("p", {}, element("b", {}, said.headline)),
    element("p", {}, element("b", {}, said.instruction)),
    element("p", {}, said.description),
  );
}
