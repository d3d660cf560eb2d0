// Forms that stand in the page for a moment: Esc brings back what was there. Fields that suggest.
import { on, one } from "web/dom";

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form[data-inline]");
  if (event.key === "Escape" && form) {
    event.stopPropagation();
    form.querySelector("[data-cancel]").click();
  }
});

// One list of suggestions serves every field that asks for it; it loads what is typed.
document.addEventListener("input", (event) => {
  const list = one(`datalist#${event.target.getAttribute?.("list") ?? "none"}`);
  if (list && event.target.matches("[data-suggest]")) {
    list.dispatchEvent(new CustomEvent("suggest"));
  }
});

// A row of an editor that is taken out; what is left is saved.
on("click", "[data-removes-line]", (event, button) => {
  const line = button.closest("[data-line]");
  const next = line.nextElementSibling ?? line.previousElementSibling;
  line.remove();
  next?.querySelector("input:not([type=hidden]), select")?.focus();
});
