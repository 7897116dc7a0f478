// A box that narrows a long list of a page to the entries with what is typed. Nothing of it is sent, and no form takes it for a change.
"use strict";
(() => {
  const box = (event) => event.target.closest?.("[data-finds-in]");

  document.addEventListener("input", (event) => {
    const typed = box(event);
    if (!typed) return;
    event.stopPropagation();
    const part = typed.value.trim().toLowerCase();
    const entries = [...typed.closest(typed.dataset.within).querySelectorAll(typed.dataset.findsIn)];
    for (const entry of entries) entry.hidden = !(entry.dataset.name ?? entry.textContent).toLowerCase().includes(part);
    typed.closest(".bar, fieldset").querySelector("[role=status]").textContent = part ? `${entries.filter((entry) => !entry.hidden).length} of ${entries.length}` : "";
  }, true);
  document.addEventListener("change", (event) => { if (box(event)) event.stopPropagation(); }, true);
  document.addEventListener("keydown", (event) => { if (box(event) && event.key === "Enter") event.preventDefault(); }, true);
})();
