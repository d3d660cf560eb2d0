// Single keys. They rest while somebody types or a dialog is open, and can be turned off.
import { all, isTyping, one } from "web/dom";
import { open } from "web/dialogs";

const WAIT = 900;
let chord = "";

const actions = {
  "/": () => search(),
  "?": () => open(one("#shortcuts")),
  j: () => step(1),
  k: () => step(-1),
  x: () => active()?.querySelector("input[data-pick]")?.click(),
  Enter: () => active()?.querySelector("a[href]")?.click(),
  a: () => press("accept"),
  r: () => press("return"),
  e: () => press("edit"),
  c: () => press("create"),
  p: () => press("call"),
  m: () => press("mail"),
  v: () => press("meeting"),
  n: () => press("note"),
  t: () => press("task"),
  w: () => press("write"),
  s: () => press("snooze"),
};

// First keys of two: G goes to a place, L logs what was just done.
const chords = { g: go, l: log };
const attempts = { r: "reached", n: "no-answer", v: "left-message", m: "mail", t: "meeting" };

document.addEventListener("keydown", (event) => {
  if (document.body.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  if (isTyping(event.target) || one("dialog[open]")) {
    return;
  }
  if (chord) {
    const second = chords[chord];
    chord = "";
    second(event);
    return;
  }
  if (event.key in chords) {
    chord = event.key;
    setTimeout(() => (chord = ""), WAIT);
    return;
  }
  if (event.key === "Enter" && event.target !== document.body) {
    return;
  }
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

function go(event) {
  const link = one(`[data-go="${CSS.escape(event.key)}"]`);
  if (link) {
    event.preventDefault();
    location.href = link.href;
  }
}

// The search of this list, or of everything where there is no list.
function search() {
  const field = one("#list-search");
  if (field) {
    field.select();
  } else {
    one('[data-action="palette"]').click();
  }
}

function log(event) {
  if (event.key in attempts) {
    event.preventDefault();
    press(`log-${attempts[event.key]}`);
  }
}

// The row the keys act on: a table row or a card of the queue.
function active() {
  return one(".is-active[data-row]");
}

function step(by) {
  const rows = all("[data-row]");
  if (!rows.length) {
    return;
  }
  const from = rows.indexOf(active());
  const to = Math.max(0, Math.min(rows.length - 1, from < 0 ? 0 : from + by));
  rows[from]?.classList.remove("is-active");
  rows[to].classList.add("is-active");
  rows[to].scrollIntoView({ block: "nearest" });
  rows[to].querySelector("a[href]")?.focus({ preventScroll: true });
}

// data-key="accept" on a button of the active row, else on the page.
function press(name) {
  const selector = `[data-key="${name}"]`;
  (active()?.querySelector(selector) ?? one(`.main ${selector}`))?.click();
}

// A swap may replace the active row: it stays active, or where it is gone the row in its place.
let kept = null;

document.addEventListener("htmx:before:swap", () => {
  const row = active();
  kept = row && { id: row.id, at: all("[data-row]").indexOf(row) };
});

document.addEventListener("htmx:after:swap", () => {
  if (!kept || active()) {
    return;
  }
  const rows = all("[data-row]");
  const row = (kept.id && document.getElementById(kept.id)) || rows[Math.min(kept.at, rows.length - 1)];
  row?.classList.add("is-active");
});
