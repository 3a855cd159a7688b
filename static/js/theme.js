// Light, dark or the system's choice: set before the first paint, kept in localStorage, shared by all tabs.
(() => {
  "use strict";
  const KEY = "tenantry-theme";
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");

  function choice() {
    try {
      const kept = localStorage.getItem(KEY);
      return kept === "light" || kept === "dark" ? kept : "system";
    } catch {
      return "system"; // Storage may be forbidden; the system's choice needs none.
    }
  }

  function apply() {
    const chosen = choice();
    root.dataset.bsTheme = chosen === "system" ? (systemDark.matches ? "dark" : "light") : chosen;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
    }
  }

  root.classList.add("js");
  apply();
  document.addEventListener("DOMContentLoaded", apply);
  systemDark.addEventListener("change", apply);
  addEventListener("storage", apply);
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-theme-choice]");
    if (!button) return;
    try {
      localStorage.setItem(KEY, button.dataset.themeChoice);
    } catch {
      root.dataset.bsTheme = button.dataset.themeChoice;
      return;
    }
    apply();
  });
})();
