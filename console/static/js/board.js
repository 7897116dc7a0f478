// Cards of a board: dragged into another column (SortableJS), or moved by Alt with the arrows. Both send the form that their menu sends.
"use strict";
(() => {
  const lists = () => [...document.querySelectorAll("[data-cards]")];

  function move(card, from, to) {
    const form = document.getElementById("move");
    if (!form || from === to) return;
    form.elements.key.value = card.dataset.card;
    form.elements.old.value = from.dataset.value;
    form.elements.to.value = to.dataset.value;
    form.requestSubmit();
  }

  function arm() {
    const touch = window.matchMedia("(pointer: coarse)").matches;
    for (const list of lists()) {
      if (list.dataset.armed !== undefined) continue;
      list.dataset.armed = "";
      Sortable.create(list, {
        group: "cards", sort: false, animation: 120, ghostClass: "dragged", draggable: ".board-card", filter: ".card-menu", preventOnFilter: false,
        delay: touch ? 250 : 0, delayOnTouchOnly: true, touchStartThreshold: 6,
        onStart: () => document.getElementById("board").setAttribute("data-dragging", ""),
        onEnd: (event) => { document.getElementById("board").removeAttribute("data-dragging"); move(event.item, event.from, event.to); },
      });
    }
  }

  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const card = document.activeElement?.closest?.("[data-card]");
    if (!card) return;
    event.preventDefault();
    const every = lists(), here = card.closest("[data-cards]");
    const next = every[every.indexOf(here) + (event.key === "ArrowLeft" ? -1 : 1)];
    if (next) move(card, here, next);
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    arm();
    // not at each answer on the page: somebody may have gone on
    if (event.detail.target?.id === "board") document.querySelector(".board-card.moved .title")?.focus();
  });
  arm();
})();
