// The menu of a row: a link that htmx fetches into the one popover of the page. Arrows walk it, Escape gives focus back.
"use strict";
(() => {
  let opener = null;
  const menu = () => document.getElementById("menu");
  const place = () => {
    const box = menu(), at = opener.getBoundingClientRect();
    box.style.top = `${Math.max(8, Math.min(at.bottom + 4, innerHeight - box.offsetHeight - 8))}px`;
    box.style.left = `${Math.max(8, Math.min(at.right - box.offsetWidth, innerWidth - box.offsetWidth - 8))}px`;
  };

  const named = () => document.querySelectorAll("[data-menu]:not([aria-haspopup])").forEach((link) => link.setAttribute("aria-haspopup", "true"));
  document.addEventListener("DOMContentLoaded", named);
  document.addEventListener("htmx:afterSettle", named);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-menu]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener = menu().opener = link;
    window.htmx.ajax("GET", link.href, { target: "#menu", swap: "innerHTML" });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== menu() || !opener) return;
    menu().showPopover();
    place();
    menu().querySelector("a, button")?.focus();
  });
  addEventListener("resize", () => { if (opener && menu()?.matches(":popover-open")) place(); });
  document.addEventListener("keydown", (event) => {
    const box = menu();
    if (!box?.matches(":popover-open")) return;
    const items = [...box.querySelectorAll("a, button")];
    const at = items.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); items[(at + step + items.length) % items.length]?.focus(); }
    if (event.key === "Escape" || event.key === "Tab") { box.hidePopover(); opener?.focus(); }
  });
})();
