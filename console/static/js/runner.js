// A run: leaving asks "Save or Abort?", a draft is sent before the page goes, the record is a drawer on narrower screens.
"use strict";
(() => {
  const run = () => document.getElementById("run");
  const form = () => document.getElementById("step-form");
  let leaving = false;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const box = run();
    if (!link || !box?.dataset.leave || leaving || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.closest("dialog, #run")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname === location.pathname) return;
    event.preventDefault();
    window.htmx.ajax("GET", `${box.dataset.leave}?to=${encodeURIComponent(url.pathname + url.search)}`, { target: "#dialog", swap: "innerHTML" });
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-leaves]")) leaving = true; }, true);

  // What was typed within the last moments goes out with the page.
  window.addEventListener("pagehide", () => {
    const box = form();
    if (!box?.dataset.draft || !box.hasAttribute("data-touched") || leaving) return;
    navigator.sendBeacon(box.dataset.draft, new FormData(box));
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.requestConfig?.path === form()?.dataset.draft) form().removeAttribute("data-touched");
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const drawer = document.querySelector(".context.open");
      if (drawer && !document.querySelector("dialog[open]")) { drawer.classList.remove("open"); document.querySelector("[data-toggle]")?.focus(); }
    }
  });
})();
