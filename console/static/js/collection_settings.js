// The fields of a collection: dragged, or moved by Alt with the arrows; what is not saved is said, and not lost by leaving.
"use strict";
(() => {
  const list = () => document.querySelector("[data-reorder]");
  const form = () => document.getElementById("collection");
  let dragged = null;

  function changed() {
    const line = document.querySelector("[data-unsaved]");
    if (line) line.hidden = false;
    form()?.setAttribute("data-touched", "");
  }
  function moved(row) {
    const rows = [...list().children];
    document.getElementById("moved").textContent = `${row.dataset.name} is number ${rows.indexOf(row) + 1} of ${rows.length}`;
    changed();
    form().dispatchEvent(new Event("reordered"));
  }

  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest?.("[data-grip]");
    if (!grip || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const row = grip.closest("li");
    const other = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (event.key === "ArrowUp") other.before(row); else other.after(row);
    grip.focus();
    moved(row);
  });

  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest?.("[data-grip]")?.closest("li");
    if (row) row.draggable = true;
  });
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-reorder] > li");
    dragged?.classList.add("dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = event.target.closest?.("[data-reorder] > li");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const middle = over.getBoundingClientRect().top + over.offsetHeight / 2;
    if (event.clientY < middle) over.before(dragged); else over.after(dragged);
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    dragged.draggable = false;
    moved(dragged);
    dragged = null;
  });
  document.addEventListener("input", (event) => { if (event.target.closest("#collection")) changed(); });
  document.addEventListener("submit", (event) => { if (event.target.id === "collection") event.target.removeAttribute("data-touched"); });
  window.addEventListener("beforeunload", (event) => { if (form()?.hasAttribute("data-touched")) event.preventDefault(); });
})();
