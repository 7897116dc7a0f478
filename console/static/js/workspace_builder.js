// The builder of workspaces: dragging with SortableJS, moving by keys, saving as one types, names that complete. The server keeps the draft.
"use strict";
(() => {
  const builder = () => document.getElementById("builder");

  function send(values) {
    const form = document.getElementById("mover");
    Object.entries(values).forEach(([name, value]) => { form.elements[name].value = value; });
    form.requestSubmit();
  }

  function sortable() {
    document.querySelectorAll(".cards[data-place]").forEach((list) => {
      if (list.sorted || !window.Sortable) return;
      list.sorted = window.Sortable.create(list, {
        group: "parts", handle: "[data-grip]", draggable: ".node", animation: 0, fallbackOnBody: true, swapThreshold: 0.6,
        onEnd: (event) => {
          if (event.to === event.from && event.newIndex === event.oldIndex) return;
          send({ do: "move", part: event.item.dataset.part, place: event.to.dataset.place, number: event.newIndex });
        },
      });
    });
  }

  // Alt with the arrows on a card: up and down move it, left and right change its width. The focus stays on it.
  const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "narrower", ArrowRight: "wider" };
  let back = "";
  document.addEventListener("keydown", (event) => {
    const node = event.target.closest?.("[data-node]");
    if (!node || !event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    back = node.id;
    send({ do: KEYS[event.key], part: node.dataset.node, place: "", number: "" });
  });

  // Saved a moment after the last key; what is not saved yet is said.
  let timer = 0;
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.(".settings-pane form[data-autosave]");
    const line = event.target.closest?.("form")?.querySelector("[data-unsaved]");
    if (line) line.hidden = false;
    if (!form || event.target.matches("[data-again]")) return;
    arm(form, event.target.id);
  });
  function arm(form, id) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!form.isConnected) return;
      if (shown()) { arm(form, id); return; }
      back = id;
      form.requestSubmit();
    }, 1500);
  }
  window.addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("[data-unsaved]")].some((line) => !line.hidden)) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    clearTimeout(timer);
    event.target.querySelectorAll?.("[data-unsaved]").forEach((line) => { line.hidden = true; });
  });

  document.addEventListener("htmx:afterSettle", () => {
    sortable();
    const said = builder()?.dataset.announce;
    if (said) document.getElementById("status").textContent = said;
    const target = back && document.getElementById(back);
    if (target) {
      target.focus();
      if (target.setSelectionRange && target.value !== undefined && target.type !== "number") target.setSelectionRange(target.value.length, target.value.length);
    }
    back = "";
  });

  // Names that complete: a list opens under the box while a name is typed.
  const box = () => document.getElementById("completions");
  const shown = () => box() && !box().hidden;
  let at = null;

  function close() {
    if (box()) box().hidden = true;
    at?.removeAttribute("aria-activedescendant");
    at = null;
  }

  function open(target) {
    const word = (target.value.slice(0, target.selectionStart).match(/[\w.$]+$/) || [""])[0];
    const names = [...document.querySelectorAll("#names option")].map((each) => each.value);
    const found = word.length < 2 ? [] : names.filter((name) => name.toLowerCase().includes(word.toLowerCase()) && name !== word).slice(0, 30);
    if (!found.length) { close(); return; }
    at = target;
    const list = box();
    list.replaceChildren(...found.map((name, number) => {
      const item = document.createElement("li");
      item.textContent = name;
      item.id = `completion-${number}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(number === 0));
      return item;
    }));
    const place = target.getBoundingClientRect();
    list.style.left = `${Math.min(place.left, innerWidth - 260)}px`;
    list.style.top = `${Math.min(place.bottom + 2, innerHeight - 230)}px`;
    list.hidden = false;
    target.setAttribute("aria-controls", "completions");
    target.setAttribute("aria-activedescendant", "completion-0");
  }

  function take(item) {
    const target = at;
    const start = target.value.slice(0, target.selectionStart).replace(/[\w.$]+$/, "");
    const rest = target.value.slice(target.selectionStart);
    target.value = start + item.textContent + rest;
    target.setSelectionRange(start.length + item.textContent.length, start.length + item.textContent.length);
    close();
    target.focus();
    target.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-complete]")) open(event.target); });
  document.addEventListener("keydown", (event) => {
    if (!shown() || event.target !== at) return;
    const items = [...box().children];
    const here = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); return; }
    if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(items[here]); return; }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const next = (here + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
    items[here].setAttribute("aria-selected", "false");
    items[next].setAttribute("aria-selected", "true");
    items[next].scrollIntoView({ block: "nearest" });
    at.setAttribute("aria-activedescendant", items[next].id);
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const item = event.target.closest?.("#completions li");
    if (item) { event.preventDefault(); take(item); } else if (shown()) close();
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", sortable); else sortable();
})();
