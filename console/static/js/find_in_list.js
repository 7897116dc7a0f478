// A box that narrows a long list of a page to the entries with what is typed; with data-page so many at a time. Nothing of it is sent, and no form takes it for a change.
"use strict";
(() => {
  const box = (event) => event.target.closest?.("[data-finds-in]");

  function narrow(typed, from = 0) {
    const part = typed.value.trim().toLowerCase(), size = Number(typed.dataset.page) || Infinity, around = typed.closest(".bar, fieldset");
    const entries = [...typed.closest(typed.dataset.within).querySelectorAll(typed.dataset.findsIn)];
    const fitting = entries.filter((entry) => (entry.dataset.name ?? entry.textContent).toLowerCase().includes(part));
    const first = from < fitting.length ? Math.max(0, from) : 0, shown = new Set(fitting.slice(first, first + size));
    for (const entry of entries) entry.hidden = !shown.has(entry);
    const paged = fitting.length > size;
    around.querySelector("[role=status]").textContent = paged ? `${first + 1}–${first + shown.size} of ${fitting.length}` : part ? `${fitting.length} of ${entries.length}` : "";
    typed.dataset.from = first;
    for (const turn of around.querySelectorAll("[data-turn]")) turn.disabled = Number(turn.dataset.turn) < 0 ? !first : first + size >= fitting.length;
  }
  const begin = () => document.querySelectorAll("[data-finds-in][data-page]:not([data-from])").forEach((typed) => {
    const entries = [...typed.closest(typed.dataset.within).querySelectorAll(typed.dataset.findsIn)];
    const chosen = entries.findIndex((entry) => entry.querySelector(":checked")), size = Number(typed.dataset.page);
    narrow(typed, Math.floor(Math.max(0, chosen) / size) * size);
  });
  begin();
  document.addEventListener("htmx:afterSettle", begin);

  document.addEventListener("input", (event) => {
    const typed = box(event);
    if (!typed) return;
    event.stopPropagation();
    narrow(typed);
  }, true);
  document.addEventListener("click", (event) => {
    const turn = event.target.closest("[data-turn]"), typed = turn?.closest(".bar").querySelector("[data-finds-in]");
    if (typed) narrow(typed, Number(typed.dataset.from) + Number(turn.dataset.turn) * Number(typed.dataset.page));
  });
  document.addEventListener("change", (event) => { if (box(event)) event.stopPropagation(); }, true);
  document.addEventListener("keydown", (event) => { if (box(event) && event.key === "Enter") event.preventDefault(); }, true);
})();
