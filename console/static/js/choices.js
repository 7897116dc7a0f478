// Choices by number: 1 to 9 answer the first open choice of a step's form, or the one that has the focus; Enter goes on to the next open field.
"use strict";
(() => {
  const form = () => document.getElementById("step-form");
  const shown = (element) => element.checkVisibility();
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, [contenteditable]");
  const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
  const boxes = (field) => [...field.querySelectorAll("input[type=radio], input[type=checkbox]:not(.switch)")];
  const select = (field) => field.querySelector("select.input");

  const fields = () => [...(form()?.querySelectorAll(".field") || [])].filter((field) => shown(field) && !field.closest("dialog"));
  const asked = (field) => field.hasAttribute("data-required");
  function open(field) {
    if (!asked(field)) return false;
    const own = boxes(field);
    if (own.length) return !own.some((box) => box.checked);
    const input = field.querySelector(".input");
    return Boolean(input) && !input.value.trim();
  }
  const focusable = (field) => boxes(field)[0] || field.querySelector(".input");

  // The field that a number answers: the one with the focus, else the first open choice, else the first choice that is asked for.
  function present() {
    const choices = fields().filter((field) => boxes(field).length > 1 || select(field));
    const here = document.activeElement?.closest?.(".field");
    return choices.find((field) => field === here) || choices.find(open) || choices.find(asked);
  }

  function answer(field, number) {
    const list = select(field);
    if (list) {
      const options = [...list.options].filter((option) => option.value);
      if (!options[number - 1]) return false;
      list.value = options[number - 1].value;
      list.dispatchEvent(new Event("input", { bubbles: true }));
      list.dispatchEvent(new Event("change", { bubbles: true }));
      list.focus();
      return true;
    }
    const box = boxes(field)[number - 1];
    if (!box) return false;
    box.focus();
    box.click();
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || off()) return;
    if (document.querySelector("dialog[open]") || !form()) return;
    if (/^[1-9]$/.test(event.key) && !typing(event.target)) {
      const field = present();
      if (field && answer(field, Number(event.key))) event.preventDefault();
      return;
    }
    const field = event.target.closest?.("#step-form .field");
    if (event.key !== "Enter" || !field || !event.target.matches("input[type=radio], input[type=checkbox], select")) return;
    event.preventDefault();
    const all = fields();
    const next = all.slice(all.indexOf(field) + 1).find(open) || all.find(open);
    (next ? focusable(next) : document.getElementById("done"))?.focus();
  });
})();
