// Rows that are chosen in a list, or in a part of a page (data-ticks): the box in the head is the whole page, and the bar above says how many.
"use strict";
(() => {
  const parts = () => document.querySelectorAll("[data-ticks]");
  const partOf = (box) => box.closest("[data-ticks]") ?? document;
  const rows = (part) => [...part.querySelectorAll(":is(tbody, .ws-rows) .tick")];

  const count = (part) => {
    const ticked = rows(part).filter((box) => box.checked).length;
    const whole = part.querySelector(".bulk [name=all]")?.checked;
    for (const told of part.querySelectorAll("[data-ticked]")) told.textContent = whole ? "All" : String(ticked);
    const all = part.querySelector("[data-tick-all]");
    if (all) { all.checked = ticked > 0 && ticked === rows(part).length; all.indeterminate = ticked > 0 && !all.checked; }
  };
  const countAll = () => (parts().length ? parts() : [document]).forEach(count);
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-tick-all]")) for (const box of rows(partOf(event.target))) box.checked = event.target.checked;
    if (event.target.matches?.(".tick, .bulk [name=all]")) count(partOf(event.target));
  });
  // Enter in a box would press the first button of the bar
  document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches?.(".tick, .bulk [name=all]")) event.preventDefault(); });
  document.addEventListener("htmx:afterSettle", countAll);
  window.addEventListener("pageshow", countAll);
})();
