// What somebody has opened stays as they see it while the list around it is kept live by morphing.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.matches?.("details[data-keeps-open]")) {
      target.toggleAttribute("hx-morph-skip", target.open);
    }
  },
  true,
);
