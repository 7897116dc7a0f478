// The builder of workspaces: dragging with SortableJS, moving by keys, saving as one types. The server keeps the draft.
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
  // By its first button, which saves: sent without one, htmx would count the button that has the focus, as Add a condition.
  const save = (form) => form?.querySelector("[type=submit]").click();
  // A name that is still being looked for, and no key yet.
  const sought = (box) => box === document.activeElement && box.dataset.pick && JSON.parse(box.parentElement.querySelector("[data-picked]").value || "[]")[0] !== box.value;
  // A row of conditions, or a stage, that says nothing yet: saving waits for it.
  const lacking = (form) => [...form.querySelectorAll(".stage [name$='.label']")].some((name) => !name.value.trim()) || [...form.querySelectorAll(".condition-row")].some((row) => !row.querySelector("[name$='.field']").value ||
    [...row.querySelectorAll("[name$='.value']:not([type=hidden], [type=checkbox])")].some((value) => !value.value.trim() || sought(value)) ||
    (row.querySelector("[type=checkbox], [name$='.more']") && !row.querySelector(":checked:not(option)")));
  function arm(form, id) {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      if (!form.isConnected) return;
      if (window.handrailCompletions.open() || lacking(form)) { arm(form, id); return; }
      back = id;
      save(form);
    }, 1500);
  }
  window.addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("[data-unsaved]")].some((line) => !line.hidden)) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    clearTimeout(timer);
    timer = 0;
    event.target.querySelectorAll?.("[data-unsaved]").forEach((line) => { line.hidden = true; });
  });

  // A click on another part, or on one to add, while something is being saved or is still to be: that is saved first, then the click counts.
  let running = 0;
  let next = "";
  const saves = ({ requestConfig, target }) => requestConfig?.verb === "post" && target?.id === "builder";
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (saves(event.detail)) running += 1;
    if (!event.detail.elt.matches("#builder a[hx-get]") || !(running || timer)) return;
    event.preventDefault();
    next = event.detail.requestConfig.path;
    if (!running) save(document.querySelector(".settings-pane form[data-autosave]"));
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!saves(detail)) return;
    running -= 1;
    if (!detail.successful) next = "";
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-back]");
    if (button) back = button.dataset.back;
  });
  // Drawn anew with what is typed, which is not saved by that.
  function drawnAnew({ elt, parameters } = {}) {
    const form = document.getElementById("component");
    if (!form || !(elt?.matches?.("[data-again]") || parameters?.do && elt?.id === "component")) return;
    form.querySelector("[data-unsaved]").hidden = false;
    if (form.matches("[data-autosave]") && (parameters?.do || elt.closest(".condition-row"))) arm(form, parameters?.do ? back : elt.id);
  }

  // what is tabbed to lies in view already for the browser, though the preview is before it
  document.addEventListener("focusin", (event) => {
    if (event.target.closest(".plan") && !event.target.closest(".shown-part")) event.target.scrollIntoView({ block: "nearest" });
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id?.startsWith("shown-")) return;
    sortable();
    drawnAnew(event.detail.requestConfig);
    if (next && !running) {
      const path = next;
      next = back = "";
      window.htmx.ajax("GET", path, { target: "#builder", swap: "outerHTML" });
      return;
    }
    if (event.detail.target?.id === "builder") window.handrail.announce(builder()?.dataset.announce);
    const added = event.detail.requestConfig?.elt?.matches?.(".palette a");
    const target = added ? document.querySelector(".settings-pane form :is(select, input:not([type=hidden]), textarea)") : back && document.getElementById(back);
    if (target) {
      target.focus();
      if (target.setSelectionRange && target.value !== undefined && target.type !== "number") target.setSelectionRange(target.value.length, target.value.length);
    }
    back = "";
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", sortable); else sortable();
})();
