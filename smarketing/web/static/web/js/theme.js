// Light or dark: follows the system until the person chooses; the choice is remembered.
import { on, setCookie } from "web/dom";

const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

export function present() {
  return root.dataset.theme ?? (system.matches ? "dark" : "light");
}

on("click", '[data-action="theme"]', () => {
  const chosen = present() === "dark" ? "light" : "dark";
  root.dataset.theme = chosen;
  setCookie("theme", chosen);
  document.dispatchEvent(new CustomEvent("theme", { detail: chosen }));
});

on("click", '[data-action="back"]', () => history.back());
