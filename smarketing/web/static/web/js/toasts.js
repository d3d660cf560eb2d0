// Short messages. One with Undo stays ten seconds; hovering or focus keeps it.
import { all, on, one } from "web/dom";

const WITH_UNDO = 10000;
const PLAIN = 5000;
const timers = new WeakMap();

export function showToast(text, tone = "info") {
  const toast = document.createElement("div");
  toast.className = `toast toast-${tone}`;
  toast.dataset.toast = "";
  const words = document.createElement("span");
  words.className = "toast-text";
  words.textContent = text;
  toast.append(words);
  one("#toasts").append(toast);
}

function start(toast) {
  const stay = toast.querySelector("[data-undo]") ? WITH_UNDO : PLAIN;
  timers.set(
    toast,
    setTimeout(() => toast.remove(), stay),
  );
}

function hold(toast) {
  clearTimeout(timers.get(toast));
}

on("mouseover", "[data-toast]", (event, toast) => hold(toast));
on("focusin", "[data-toast]", (event, toast) => hold(toast));
on("mouseout", "[data-toast]", (event, toast) => start(toast));
on("click", "[data-toast-close]", (event, button) => button.closest("[data-toast]").remove());

document.addEventListener("htmx:after:request", (event) => {
  const toast = event.detail.ctx.sourceElement.closest?.("[data-toast]");
  toast?.remove();
});

new MutationObserver((changes) => {
  for (const change of changes) {
    for (const node of change.addedNodes) {
      if (node.matches?.("[data-toast]")) {
        start(node);
      }
    }
  }
}).observe(one("#toasts"), { childList: true });

all("[data-toast]").forEach(start);
