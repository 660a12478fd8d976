// What the page was given, its texts, and how numbers, times and elements are made.

export const given = JSON.parse(document.getElementById("page-data").textContent);

export function t(key, fields = {}) {
  return fill(given.texts[key].id, fields);
}

export function en(key, fields = {}) {
  return fill(given.texts[key].en, fields);
}

function fill(text, fields) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in fields ? String(fields[name]) : whole));
}

// element("p", {class: "x"}, "text", node): text is always text, never HTML.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function english(text) {
  return element("small", { lang: "en" }, " " + text);
}

export function number(value, decimals) {
  return value.toLocaleString("id-ID", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

const CLOCK = new Intl.DateTimeFormat("id-ID", {
  timeZone: "Asia/Jakarta", day: "2-digit", month: "2-digit", hour: "2-digit", minute: "2-digit", hour12: false,
});

export function wib(time) {
  const part = Object.fromEntries(CLOCK.formatToParts(new Date(time)).map((p) => [p.type, p.value]));
  return `${part.day}-${part.month} ${part.hour}.${part.minute} WIB`;
}

// With the year: for a replay, whose date is not today's.
export function wibDate(time) {
  const day = new Intl.DateTimeFormat("id-ID", { timeZone: "Asia/Jakarta", day: "numeric", month: "long", year: "numeric" });
  return `${day.format(new Date(time))}, ${wib(time).split(" ").slice(1).join(" ")}`;
}

export function age(seconds, say = t) {
  if (seconds < 60) return say("page.age.now");
  if (seconds < 3600) return say("page.age.minute", { n: Math.floor(seconds / 60) });
  if (seconds < 86400) return say("page.age.hour", { n: Math.floor(seconds / 3600) });
  return say("page.age.day", { n: Math.floor(seconds / 86400) });
}

const UNITS = { "/100": "%", "m3/s": "m³/s", Cel: "°C", "%RH": "%", count: "", pH: "" };

export function withUnit(value, stream) {
  const unit = stream.unit in UNITS ? UNITS[stream.unit] : stream.unit;
  return `${number(value, stream.decimals)} ${unit}`.trim();
}
