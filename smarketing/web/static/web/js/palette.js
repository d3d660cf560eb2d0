// Ctrl-K: one field, one list of hits, arrows and Enter.
import htmx from "htmx";
import { all, on, one } from "web/dom";
import { open } from "web/dialogs";

const palette = one("#palette");

if (palette) {
  const field = one("input", palette);
  const hits = one("#palette-hits");

  const show = () => {
    open(palette);
    field.select();
    htmx.trigger(field, "palette:open");
  };

  const mark = (hit) => {
    for (const other of all("[role=option]", hits)) {
      other.setAttribute("aria-selected", String(other === hit));
    }
    if (hit) {
      field.setAttribute("aria-activedescendant", hit.id);
      hit.scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  };

  const move = (by) => {
    const options = all("[role=option]", hits);
    const at = options.findIndex((o) => o.getAttribute("aria-selected") === "true");
    mark(options[(at + by + options.length) % options.length]);
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette.open ? palette.close() : show();
    }
  });

  on("click", '[data-action="palette"]', show);

  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      one('[aria-selected="true"]', hits)?.click();
    } else if (event.key === "Escape") {
      palette.close();
    }
  });

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.detail.ctx.sourceElement === field) {
      mark(one("[role=option]", hits));
    }
  });
}
