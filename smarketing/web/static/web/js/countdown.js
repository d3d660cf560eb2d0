// Keeps deadlines and "3 h ago" true: every 15 seconds, and at once when the page is seen again.
import { all } from "web/dom";
import { span, word } from "web/words";

const EVERY = 15000;
const MINUTE = 60000;
const WEEK = 7 * 24 * 60 * MINUTE;
const TONES = ["tag-ok", "tag-warn", "tag-bad"];

function tick() {
  const now = Date.now();
  for (const element of all("[data-due]")) {
    showDue(element, now);
  }
  for (const element of all("[data-ago]")) {
    showAgo(element, now);
  }
}

function showDue(element, now) {
  const due = Date.parse(element.dateTime);
  const isLate = due <= now;
  const isNear = element.dataset.warn && Date.parse(element.dataset.warn) <= now;
  const left = isLate ? now - due : openTime(element, now, due);
  const { by } = element.dataset;
  element.textContent = word(isLate ? "breached" : by ? "left" : "due", { span: span(left), by });
  element.classList.remove(...TONES);
  element.classList.add(isLate ? "tag-bad" : isNear ? "tag-warn" : "tag-ok");
}

// With windows of business time only the time inside them counts.
function openTime(element, now, due) {
  if (!element.dataset.windows) {
    return due - now;
  }
  let total = 0;
  for (const [start, end] of JSON.parse(element.dataset.windows)) {
    total += Math.max(0, Math.min(Date.parse(end), due) - Math.max(Date.parse(start), now));
  }
  return total;
}

function showAgo(element, now) {
  const gap = now - Date.parse(element.dateTime);
  if (Math.abs(gap) >= WEEK) {
    return;
  }
  if (Math.abs(gap) < MINUTE) {
    element.textContent = word("now");
    return;
  }
  element.textContent = word(gap > 0 ? "ago" : "in", { span: span(gap) });
}

setInterval(() => document.hidden || tick(), EVERY);
document.addEventListener("visibilitychange", () => document.hidden || tick());
document.addEventListener("htmx:after:swap", tick);
