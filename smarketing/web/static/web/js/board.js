// A board: cards are dragged by pointer or moved by keyboard (M). The server decides and answers with
// a toast and, out of band, the counts of the columns. A refused card goes back.
//
// [data-board] > [data-column="key"][data-column-label] > [data-card][data-move-url]
import htmx from "htmx";
import { all, one } from "web/dom";
import { open } from "web/dialogs";
import { word } from "web/words";

const ready = new WeakSet();

async function mount() {
  const columns = all("[data-board] [data-column]").filter((column) => !ready.has(column));
  if (!columns.length) {
    return;
  }
  columns.forEach((column) => ready.add(column));
  const { Sortable } = await import("sortable");
  for (const column of columns) {
    new Sortable(column, {
      group: "board",
      draggable: "[data-card]",
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140,
      ghostClass: "board-ghost",
      delay: 150,
      delayOnTouchOnly: true,
      onEnd: ({ item, from, to, oldDraggableIndex }) => {
        if (from !== to) {
          send(item, from, to, oldDraggableIndex);
        }
      },
    });
  }
}

async function send(card, from, to, index) {
  const values = { to: to.dataset.column };
  if (card.dataset.version) {
    values.version = card.dataset.version;
  }
  const putBack = (event) => {
    const { ctx } = event.detail;
    if (ctx.request.action === card.dataset.moveUrl && !(ctx.response?.status < 400)) {
      from.insertBefore(card, all("[data-card]", from)[index] ?? null);
    }
  };
  document.addEventListener("htmx:finally:request", putBack);
  try {
    await htmx.ajax("POST", card.dataset.moveUrl, { source: card, target: card, swap: "none", values });
  } finally {
    document.removeEventListener("htmx:finally:request", putBack);
  }
}

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("[data-card]");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (card && isPlain && event.key.toLowerCase() === "m" && document.body.dataset.shortcuts !== "off") {
    event.preventDefault();
    choose(card);
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-move]");
  if (button) {
    choose(button.closest("[data-card]"));
  }
});

// A small dialog that lists the other columns.
function choose(card) {
  const from = card.closest("[data-column]");
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  const list = document.createElement("div");
  list.className = "dialog-body move-list";
  const title = document.createElement("h2");
  title.textContent = word("move_title", { card: card.getAttribute("aria-label") ?? "" });
  dialog.setAttribute("aria-label", title.textContent);
  list.append(title);
  for (const column of all("[data-board] [data-column]")) {
    if (column !== from) {
      list.append(choice(column, card, from, dialog));
    }
  }
  dialog.append(list);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  open(dialog);
  one("button", dialog)?.focus();
}

function choice(column, card, from, dialog) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "menu-item";
  button.textContent = column.dataset.columnLabel;
  button.addEventListener("click", () => {
    const index = all("[data-card]", from).indexOf(card);
    dialog.close();
    column.prepend(card);
    card.focus();
    send(card, from, column, index);
  });
  return button;
}

document.addEventListener("htmx:after:swap", mount);
mount();
