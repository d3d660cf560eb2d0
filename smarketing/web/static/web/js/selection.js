// Rows that are selected, and the bar that acts on them.
import { all, on, one } from "web/dom";
import { word } from "web/words";

const PICK = "input[data-pick]";

export function refresh() {
  const boxes = all(PICK);
  const chosen = boxes.filter((box) => box.checked);
  const bar = one("[data-bulk]");
  if (bar) {
    bar.hidden = chosen.length === 0;
    one("[data-bulk-count]", bar).textContent = word("selected", { n: chosen.length });
    if (!bar.hidden) {
      one("#bulk-choices", bar)?.dispatchEvent(new CustomEvent("bulk:open"));
    }
  }
  const everything = one("[data-select-page]");
  if (everything) {
    everything.checked = chosen.length > 0 && chosen.length === boxes.length;
    everything.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

on("change", PICK, refresh);

on("change", "[data-select-page]", (event, box) => {
  for (const pick of all(PICK)) {
    pick.checked = box.checked;
  }
  refresh();
});

on("click", "[data-bulk-clear]", () => {
  for (const pick of all(PICK)) {
    pick.checked = false;
  }
  refresh();
});

document.addEventListener("htmx:after:swap", refresh);
refresh();
