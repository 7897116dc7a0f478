// What htmx puts into the one dialog of the page is shown; what it changes elsewhere closes it, but not what data-stays asks for within.
// Escape and data-close give focus back.
"use strict";
(() => {
  const dialog = () => document.getElementById("dialog");
  const leaves = (box, element) => element && box.contains(element) && !element.closest("[data-stays]");
  const title = (box) => { // where the browser would take a list that scrolls, what is asked comes first
    const words = document.activeElement?.matches("[tabindex='0']") && box.contains(document.activeElement) ? box.querySelector("#dialog-title") : null;
    if (words) words.tabIndex = -1;
    return words;
  };

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = dialog();
    if (!box) return;
    if (event.detail.target === box) {
      if (!box.open) box.showModal();
      (box.querySelector("[aria-invalid=true]") || box.querySelector("[autofocus]") || box.querySelector("input:not([type=hidden]), select, textarea") || title(box))?.focus();
    } else if (box.open && leaves(box, event.detail.requestConfig?.elt)) box.close();
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    const box = dialog();
    if (box?.open && leaves(box, event.detail.elt) && event.detail.target !== box && event.detail.xhr.status < 400) box.close();
  });
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    if (close && dialog()?.open && dialog().contains(close)) { event.preventDefault(); dialog().close(); }
    if (event.target === dialog() && dialog()?.open) dialog().close();
  });

  // A link that is called a button is pressed by Space as well, as every button is.
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && !event.repeat && !event.defaultPrevented && event.target.matches?.("a[role=button]")) { event.preventDefault(); event.target.click(); }
  });

  // A sheet under a button (filter, columns) closes by Escape, also where the focus went on before the sheet was there, and by a click elsewhere.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    const open = event.target.closest?.("details.pop[open]") ?? document.querySelector("details.pop[open]");
    if (open) { event.preventDefault(); open.open = false; open.querySelector("summary").focus(); }
  });
  // It closes also where the focus goes on behind it, so that it does not cover what has it then.
  document.addEventListener("focusin", (event) => {
    if (event.target.closest("dialog, [popover]")) return;
    // one whose content is still on its way stays, and one in which words were pressed: those give the focus to what surrounds them
    const left = (open) => !open.contains(event.target) && !event.target.contains(open) && open.querySelector("a[href], button, input:not([type=hidden]), select, textarea");
    document.querySelectorAll("details.pop[open]").forEach((open) => { if (left(open)) open.open = false; });
  });
  // A value that is changed in its place: Escape leaves it as it was.
  document.addEventListener("keydown", (event) => {
    const form = event.key === "Escape" && !event.defaultPrevented && event.target.closest?.(".edit-form");
    if (form && !form.querySelector("[role=alert]") && !document.querySelector("dialog[open], :popover-open")) form.querySelector("a[hx-get]")?.click();
  });
  document.addEventListener("click", (event) => {
    // a command: the sheet has done its work
    const chosen = event.target.closest(".sheet.items :is(a, button)");
    document.querySelectorAll("details.pop[open]").forEach((open) => { if (chosen || !open.contains(event.target)) open.open = false; });
  });
})();
