// Modals open and close by attributes: data-opens="id", data-closes, data-loads (htmx fills it).
import { on, one } from "web/dom";

export function open(dialog) {
  if (!dialog.open) {
    dialog.showModal();
  }
}

on("click", "[data-opens]", (event, button) => {
  const dialog = document.getElementById(button.dataset.opens);
  button.closest("details")?.removeAttribute("open");
  open(dialog);
});

on("click", "[data-closes]", (event, button) => button.closest("dialog").close());

// A click beside the dialog falls on its backdrop, which is the dialog element itself.
document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement && outside(event, event.target)) {
    event.target.close();
  }
});

// A form inside that was accepted closes its dialog; one with errors stays.
document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const dialog = ctx.sourceElement.closest?.("dialog");
  if (dialog && ctx.sourceElement.matches("form[data-closes-dialog]") && ctx.response.status < 400) {
    dialog.close();
  }
});

// A fragment that arrives with an open request shows itself.
document.addEventListener("htmx:after:swap", () => {
  const waiting = one("dialog[data-open-now]");
  if (waiting) {
    waiting.removeAttribute("data-open-now");
    open(waiting);
  }
});

function outside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return (
    event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom
  );
}
