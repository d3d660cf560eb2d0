// A button with data-copies="id" puts that field's text on the clipboard and says so.
import { on } from "web/dom";

on("click", "[data-copies]", async (event, button) => {
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return; // without permission the text is selected, ready for the keyboard
  }
  const words = button.querySelector("[data-copied]");
  words.textContent = words.dataset.copied;
});

on("focusin", "input[data-selects]", (event, field) => field.select());
