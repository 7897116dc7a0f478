// What stands where in a collection: dragged (SortableJS), or moved by Alt with the arrows; what is not saved is said, and not lost by leaving.
"use strict";
(() => {
  const form = () => document.getElementById("collection");
  const place = (element) => [...element.parentElement.children].indexOf(element) + 1;

  function changed() {
    const line = document.querySelector("[data-unsaved]");
    if (line) line.hidden = false;
    form()?.setAttribute("data-touched", "");
  }
  // By the heading as it stands in its box, where it has one.
  const named = (element) => element.querySelector(".arrange-head input[name^='label.']")?.value || element.dataset.name;
  function moved(element) {
    const list = element.parentElement;
    const group = element.closest("[data-group]");
    for (const each of document.querySelectorAll("[data-group]")) {
      const count = each.querySelector(".arrange-head .num");
      if (count) count.textContent = each.querySelector("[data-arrange]").children.length;
    }
    const where = group && group !== element ? ` in ${named(group)}` : "";
    document.getElementById("moved").textContent = `${named(element)} is number ${place(element)} of ${list.children.length}${where}`;
    changed();
    form().dispatchEvent(new Event("reordered"));
  }

  // A step up or down: within what the list shows, and past its end into the list of the next group.
  function step(row, up) {
    const next_to = (each) => up ? each.previousElementSibling : each.nextElementSibling;
    let beside = next_to(row);
    while (beside?.hidden) beside = next_to(beside);
    if (beside) return up ? beside.before(row) : beside.after(row), true;
    const list = row.parentElement;
    const lists = [...document.querySelectorAll(`[data-arrange="${list.dataset.arrange}"]`)];
    const next = lists[lists.indexOf(list) + (up ? -1 : 1)];
    if (!next) return false;
    if (up) next.append(row); else next.prepend(row);
    return true;
  }
  function stepGroup(group, up) {
    const beside = up ? group.previousElementSibling : group.nextElementSibling;
    if (!beside || beside.classList.contains("rest")) return false;
    if (up) beside.before(group); else beside.after(group);
    return true;
  }

  document.addEventListener("keydown", (event) => {
    const grip = event.target.closest?.("[data-grip], [data-grip-group]");
    if (!grip || !event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const up = event.key === "ArrowUp";
    const element = grip.closest(grip.hasAttribute("data-grip") ? "li" : "[data-group]");
    if (!(grip.hasAttribute("data-grip") ? step(element, up) : stepGroup(element, up))) return;
    grip.focus();
    moved(element);
  });

  const shared = { animation: 120, ghostClass: "dragged", onEnd: (event) => moved(event.item) };
  document.querySelectorAll("[data-arrange]").forEach((list) =>
    Sortable.create(list, { ...shared, group: list.dataset.arrange, handle: "[data-grip]" }));
  document.querySelectorAll("[data-groups]").forEach((groups) =>
    Sortable.create(groups, { ...shared, handle: "[data-grip-group]", draggable: "[data-group]:not(.rest)", filter: ".rest", preventOnFilter: false }));

  document.addEventListener("input", (event) => { if (event.target.closest("#collection") && event.target.id !== "as") changed(); });
  // every form that saves, also one of a single field, which form.js marks
  const SAVES = "form.form[method=post]";
  document.addEventListener("submit", (event) => { if (event.target.matches(SAVES)) event.target.removeAttribute("data-touched"); });
  window.addEventListener("beforeunload", (event) => { if (document.querySelector(`${SAVES}[data-touched]`)) event.preventDefault(); });
})();
