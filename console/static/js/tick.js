// Rows that are chosen in a list: the box in the head is the whole page, and the bar above says how many.
"use strict";
(() => {
  const rows = () => [...document.querySelectorAll("tbody .tick")];

  const count = () => {
    const ticked = rows().filter((box) => box.checked).length;
    const whole = document.querySelector(".bulk [name=all]")?.checked;
    for (const told of document.querySelectorAll("[data-ticked]")) told.textContent = whole ? "All" : String(ticked);
    const all = document.querySelector("[data-tick-all]");
    if (all) { all.checked = ticked > 0 && ticked === rows().length; all.indeterminate = ticked > 0 && !all.checked; }
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-tick-all]")) for (const box of rows()) box.checked = event.target.checked;
    if (event.target.matches?.(".tick, .bulk [name=all]")) count();
  });
  document.addEventListener("htmx:afterSettle", count);
  window.addEventListener("pageshow", count);
})();
