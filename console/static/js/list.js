// A list by keyboard: Space shows the row beside the list, X chooses it; after a search that was sent with Enter the first row has the focus.
"use strict";
(() => {

  const row = () => document.activeElement?.closest?.("[data-rows] > *");
  const pane = () => document.getElementById("preview");

  function show(key, push = true) {
    const to = new URL(location.href);
    if (key === null) to.searchParams.delete("preview");
    else to.searchParams.set("preview", key);
    // Back and Forward ask for the page of that address
    const whole = { htmx: true };
    history.replaceState(whole, "", location.href);
    if (push) history.pushState(whole, "", to);
    else history.replaceState(whole, "", to);
    const results = document.getElementById("results");
    results?.classList.toggle("with-preview", key !== null);
    if (key === null) { const shown = pane(); shown.hidden = true; shown.replaceChildren(); return; }
    window.htmx.ajax("GET", to.pathname + to.search, { source: "#preview", target: "#preview", swap: "outerHTML" });
  }

  // A list with a reading pane begins with its first row, where there is room for both
  window.addEventListener("load", () => {
    const first = document.querySelector("#results[data-reads] [data-record]");
    if (first && pane()?.hidden && window.matchMedia("(min-width: 1181px)").matches) show(first.dataset.record, false);
  });

  function closes(event) {
    const at = document.activeElement, shown = pane();
    if (event.key !== "Escape" || event.defaultPrevented || !shown || shown.hidden) return false;
    return !at.matches("input, textarea, select") && (at === document.body || shown.contains(at) || at === row()) && !document.querySelector("dialog[open], :popover-open");
  }

  document.addEventListener("keydown", (event) => {
    if (closes(event)) {
      const key = new URL(location.href).searchParams.get("preview");
      show(null);
      const shown = document.querySelector(`[data-record="${CSS.escape(key ?? "")}"]`);
      if (shown) { shown.tabIndex = -1; shown.focus(); }
      return;
    }
    const here = row();
    if (!here || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.activeElement !== here) return;
    if (event.key === "x" || event.key === "X") {
      const box = here.querySelector("input[type=checkbox]");
      if (!box) return;
      event.preventDefault();
      box.click();
    }
    if (event.key === " " && here.dataset.record !== undefined && pane()) {
      event.preventDefault();
      const open = new URL(location.href).searchParams.get("preview") === here.dataset.record;
      show(open ? null : here.dataset.record);
    }
  });

  // The reading pane follows the row that has the focus.
  document.addEventListener("focusin", (event) => {
    const shown = pane(), key = event.target.dataset.record;
    if (shown && !shown.hidden && key !== undefined && key !== new URL(location.href).searchParams.get("preview")) show(key, false);
  });

  // From the headings on to the rows, of which all that is tabbed to stands on the left: what was scrolled away for a heading comes back.
  document.addEventListener("focusin", (event) => {
    if (event.relatedTarget?.closest("thead") && event.target.closest("tbody th")) event.target.closest(".scroll-x")?.scrollTo({ left: 0 });
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close-preview]")) return;
    event.preventDefault();
    show(null);
  });

  // With Shift a heading sorts after the present order, by mouse and by Enter.
  document.addEventListener("click", (event) => {
    const head = event.shiftKey && event.target.closest("a[data-then]");
    if (!head) return;
    event.preventDefault();
    const there = new URL(head.href);
    there.searchParams.set("sort", head.dataset.then);
    location.assign(there);
  });

  // After Enter in the box the first row has the focus: when that answer has come, not one to the letters before it.
  document.addEventListener("htmx:afterSettle", (event) => {
    const asked = event.detail.requestConfig;
    if (asked?.triggeringEvent?.type !== "submit" || !asked.elt.matches("[data-finds]") || event.detail.target?.id !== "list") return;
    const first = document.querySelector("[data-rows] > *");
    if (!first) return;
    first.tabIndex = -1;
    first.focus();
  });
})();
