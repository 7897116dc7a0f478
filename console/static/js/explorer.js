// The Explorer by keyboard, and where it stands after a choice.
"use strict";
(() => {
  const links = (column) => [...column.querySelectorAll(":scope > ul a")];
  const columns = () => [...document.querySelectorAll("[data-explorer] .way")];
  let follow = false;

  document.addEventListener("keydown", (event) => {
    const link = event.target.closest?.("[data-explorer] .way li a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const every = columns(), at = every.indexOf(link.closest(".way")), own = links(every[at]), place = own.indexOf(link);
    const next = {
      ArrowDown: () => own[place + 1],
      ArrowUp: () => own[place - 1],
      ArrowLeft: () => every[at - 1]?.querySelector("a[aria-current]"),
      ArrowRight: () => (link.hasAttribute("aria-current") && every[at + 1] ? links(every[at + 1])[0] : link.click()),
    }[event.key];
    if (!next) return;
    event.preventDefault();
    follow = event.key === "ArrowRight";
    next()?.focus();
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.detail.elt.closest?.("[data-explorer] .way li a");
    if (!link) return;
    links(link.closest(".way")).forEach((each) => each.toggleAttribute("aria-current", false));
    link.setAttribute("aria-current", "true");
  });

  const last = () => columns().at(-1)?.scrollIntoView({ block: "nearest", inline: "end" });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.target?.id.startsWith("way-")) return;
    last();
    if (follow) event.detail.target.querySelector(".way li a")?.focus();
    follow = false;
  });
  document.addEventListener("DOMContentLoaded", last);
})();
