// How long somebody was waited for: who acknowledged an alert after how long, and which steps were told meanwhile.

import { element, en, english, t, wib } from "./page.js";

const clock = (time) => wib(time).split(" ").slice(1).join(" ");

export function span(seconds, say = t) {
  if (seconds < 60) return say("page.wait.seconds", { n: Math.max(0, Math.round(seconds)) });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return say("page.wait.minutes", { n: minutes });
  return say("page.wait.hours", { n: Math.floor(minutes / 60), m: minutes % 60 });
}

// Nothing for an alert that asks for no acknowledgement and has none.
export function waitLine(alert) {
  const said = parts(alert, t);
  return said.length ? element("p", { class: "wait" }, element("small", {}, said.join("; "), english(parts(alert, en).join("; ")))) : null;
}

function parts(alert, say) {
  const wait = alert.escalation;
  const steps = wait ? wait.steps.map((one) => say("page.wait.step", { n: one.step, time: clock(one.told) })) : [];
  if (!wait) return seen(alert, say);
  if (wait.acknowledged) return [...seen(alert, say), ...steps];
  // A level that rose after the acknowledgement is to be acknowledged anew.
  if (wait.ended) return [...(alert.acknowledged ? seen(alert, say) : [say("page.wait.ended")]), ...steps];
  const next = wait.next_step_due ? [say("page.wait.next", { time: clock(wait.next_step_due) })] : [];
  return [say("page.wait.open", { time: clock(wait.asked) }), ...steps, ...next];
}

function seen(alert, say) {
  if (!alert.acknowledged) return [];
  const fields = { by: alert.acknowledged.by, time: wib(alert.acknowledged.at) };
  if (alert.acknowledged.after_s === null) return [say("page.alerts.acknowledged", fields)];
  return [say("page.wait.acknowledged", { ...fields, span: span(alert.acknowledged.after_s, say) })];
}

// Whether somebody is asked to say that the alert was seen.
export function unseen(alert) {
  const wait = alert.escalation;
  return !alert.acknowledged || (wait !== null && !wait.acknowledged && !wait.ended);
}
