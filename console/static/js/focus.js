// The focus is not lost: where what had it is gone after an answer, or could not be pressed meanwhile, its like gets it, else what came in its place.
"use strict";
(() => {
  const nowhere = () => document.activeElement === null || document.activeElement === document.body;
  const shown = (element) => element.isConnected && element.checkVisibility() && !element.disabled;
  const CAN = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const BEGINS = "[data-focus], .edit, h1, h2, h3, legend, form :is(input:not([type=hidden]), select, textarea)";
  // ms after an answer: what was switched off can be pressed again; what it brought is surely in its place
  const FREED = 60;
  const SETTLED = 500;
  // how an element is known again, the surest first
  const KNOWN = [
    (element) => element.id,
    (element) => element.name && `${element.name} ${element.type === "radio" || element.tagName === "BUTTON" ? element.value : ""} ${element.form?.getAttribute("action") ?? ""}`,
    (element) => element.getAttribute("hx-get") ?? element.getAttribute("hx-post") ?? element.getAttribute("href"),
    (element) => element.type === "submit" && element.form?.querySelectorAll("[type=submit]").length === 1 && element.form.getAttribute("action"), // "Switch off" says "Switch on" by then
    (element) => element.getAttribute("aria-label") ?? element.textContent.trim(),
  ];
  const asked = new WeakMap();

  function like(gone, within) {
    const all = [...within.querySelectorAll(gone.tagName)].filter(shown);
    for (const known of KNOWN) {
      const told = known(gone);
      const found = told && all.filter((each) => known(each) === told);
      if (found?.length === 1) return found[0];
    }
    return null;
  }

  function give(element) {
    if (!element) return;
    if (!element.matches(CAN)) element.tabIndex = -1;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  // `part` is what the answer put in place; nothing is done for a page under a dialog
  function keep(had, part, again) {
    const open = document.querySelector("dialog[open], :popover-open");
    const place = part && shown(part) && part !== document.body ? part : null;
    if (!had || !nowhere() || (open && !open.contains(place ?? had))) return;
    if (shown(had)) { if (again) give(had); return; }
    give(like(had, open ?? document) ?? place?.querySelector(BEGINS) ?? place?.querySelector(CAN) ?? place ?? open ?? document.getElementById("main"));
  }

  // before what is asked for is on its way: then a button may be switched off, and loses the focus by that
  let pressed = null;
  document.addEventListener("htmx:configRequest", (event) => { asked.set(event.detail.elt, nowhere() ? null : document.activeElement); if (!nowhere()) pressed = document.activeElement; });
  for (const end of ["htmx:afterSettle", "htmx:afterRequest"]) {
    document.addEventListener(end, (event) => {
      const by = event.detail.requestConfig?.elt;
      const had = by && asked.get(by);
      if (!had) return;
      const part = event.detail.elt === by ? event.detail.target : event.detail.elt;
      // after what else looks for a place for it
      const pause = end === "htmx:afterSettle" ? 0 : had.isConnected ? FREED : SETTLED;
      setTimeout(() => keep(had, part, by.hasAttribute("hx-disabled-elt")), pause);
    });
  }

  // A dialog gives the focus back to what opened it; where that is another element by now, to its like.
  let opener = null;
  document.addEventListener("focusout", (event) => { if (event.relatedTarget?.closest("dialog") && !event.target.closest("dialog")) opener = event.target; });
  document.addEventListener("close", (event) => { if (event.target.matches("dialog")) setTimeout(() => keep(opener?.closest("[popover]")?.opener ?? opener, null, true)); }, true);

  // A page that comes again because of a key (a form that was sent, a heading that sorts) gives the focus back to what was pressed. Nothing readable is kept.
  const KEPT = "focus";
  const code = (text) => text && [...text].reduce((sum, each) => (sum * 31 + each.codePointAt(0)) | 0, 7);
  let keyed = false;
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => { keyed = kind === "keydown"; }, true);
  window.addEventListener("pagehide", () => {
    const at = nowhere() ? pressed : document.activeElement; // what was pressed may be switched off until the answer
    const had = (at?.closest("dialog") && opener) || at; // a dialog is not there any more
    const kept = keyed && had?.closest("main, dialog, .top") ? [location.pathname, had.tagName, ...KNOWN.map((known) => code(known(had)))] : null;
    try { sessionStorage.setItem(KEPT, JSON.stringify(kept)); } catch { /* nowhere to keep it */ }
  });
  document.addEventListener("DOMContentLoaded", () => {
    let kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(KEPT)); sessionStorage.removeItem(KEPT); } catch { /* the same */ }
    if (!kept || kept[0] !== location.pathname || location.hash || !nowhere() || document.querySelector("[autofocus], [aria-invalid=true], dialog[open], main [data-focus]")) return;
    const all = [...document.querySelectorAll(`:is(main, .top) ${kept[1]}`)].filter(shown);
    for (const [number, known] of KNOWN.entries()) {
      const found = kept[number + 2] ? all.filter((each) => code(known(each)) === kept[number + 2]) : [];
      if (found.length === 1) return give(found[0]);
    }
  });
})();
