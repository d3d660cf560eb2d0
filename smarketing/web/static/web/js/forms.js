// A form that changes something is sent once, however often it is clicked.
import { on } from "web/dom";

const GUARD = 4000;

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) {
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, GUARD);
});

// Buttons of htmx forms rest until the answer is there.
document.addEventListener("htmx:before:request", (event) => toggle(event, true));
document.addEventListener("htmx:finally:request", (event) => toggle(event, false));

function toggle(event, isBusy) {
  const form = event.detail.ctx.sourceElement;
  if (!form.matches?.("form[hx-post], button[hx-post]")) {
    return;
  }
  const buttons = form.matches("button") ? [form] : [...form.elements].filter((e) => e.type === "submit");
  for (const button of buttons) {
    button.disabled = isBusy;
  }
}

// After a fragment with errors has arrived, the first wrong field is where to go on.
document.addEventListener("htmx:after:swap", (event) => {
  const status = event.detail.ctx?.response?.status;
  if (status === 422) {
    document.querySelector('[aria-invalid="true"]')?.focus();
  }
});

// A select or checkbox marked so sends its form at once.
on("change", "[data-submits]", (event, field) => field.form.requestSubmit());
