// A column is drawn wider or narrower by the edge of its heading, and kept so for this person. Under Columns their order is dragged, or changed by arrow keys.
"use strict";
(() => {
  let drawn = null;
  const headings = () => [...document.querySelectorAll("[data-widths] [data-column]")];

  function begin(edge, from) {
    const table = edge.closest("table"), heads = headings(), widths = heads.map((head) => head.offsetWidth);
    heads.forEach((head, at) => { head.style.width = `${widths[at]}px`; });
    table.querySelectorAll("col").forEach((col) => col.removeAttribute("width"));
    table.classList.add("sized");
    edge.classList.add("drawn");
    const head = edge.closest("th");
    drawn = { edge, head, from, width: head.offsetWidth };
  }
  function keep() {
    const head = document.querySelector("[data-widths]");
    const sent = new URLSearchParams({ csrf_token: head.dataset.token, only_widths: "1" });
    headings().forEach((one) => sent.set(`w.${one.dataset.column}`, Math.round(one.offsetWidth)));
    fetch(head.dataset.widths, { method: "POST", body: sent, credentials: "same-origin" });
  }

  const edges = () => headings().forEach((head) => {
    if (!head.querySelector(".resize")) head.append(Object.assign(document.createElement("i"), { className: "resize", ariaHidden: "true" }));
  });
  document.addEventListener("DOMContentLoaded", edges);
  document.addEventListener("htmx:afterSettle", edges);

  document.addEventListener("pointerdown", (event) => {
    const edge = event.target.closest(".resize");
    if (!edge) return;
    event.preventDefault();
    edge.setPointerCapture(event.pointerId);
    begin(edge, event.clientX);
  });
  document.addEventListener("pointermove", (event) => {
    if (drawn) drawn.head.style.width = `${Math.max(60, Math.min(900, drawn.width + event.clientX - drawn.from))}px`;
  });
  document.addEventListener("pointerup", () => {
    if (!drawn) return;
    drawn.edge.classList.remove("drawn");
    drawn = null;
    keep();
  });

  let dragged = null;
  const column = (event) => event.target.closest?.(".pick-column");
  document.addEventListener("dragstart", (event) => { dragged = column(event); });
  document.addEventListener("dragend", () => { dragged = null; });
  document.addEventListener("dragover", (event) => {
    const over = dragged && column(event);
    if (!over) return;
    event.preventDefault();
    const down = over.compareDocumentPosition(dragged) & Node.DOCUMENT_POSITION_PRECEDING;
    if (over !== dragged) over[down ? "after" : "before"](dragged);
  });
  document.addEventListener("keydown", (event) => {
    const by = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    const grip = event.target.closest?.("[data-order]"), row = grip && column(event), other = by && row?.[by];
    if (!grip || !by) return;
    event.preventDefault();
    other?.[event.key === "ArrowUp" ? "before" : "after"](row);
    grip.focus();
  });
})();
