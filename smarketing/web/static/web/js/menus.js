// Menus are <details>: they work without script; this closes them when attention moves on.
import { all } from "web/dom";

document.addEventListener("click", (event) => {
  for (const menu of all("details.menu[open]")) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") {
    return;
  }
  const menu = event.target.closest?.("details.menu[open]") ?? all("details.menu[open]").at(-1);
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
