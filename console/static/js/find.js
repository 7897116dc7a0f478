// Ctrl K and the box at the top open the search. It is fetched when it is first wanted; what is typed meanwhile is not lost.
"use strict";
(() => {
  // text while the search is on its way
  let typed = null;
  // Enter was pressed after it
  let entered = null;

  async function open(box) {
    if (typed !== null || document.querySelector("dialog[open]")) return;
    if (!window.handrail.search) {
      typed = "";
      entered = null;
      try { await Promise.all([box.dataset.sheet, box.dataset.script].map(window.handrail.fetched)); } catch { location.assign(box.href); return; }
    }
    const text = typed ?? "", pressed = entered;
    typed = entered = null;
    window.handrail.search(text, pressed);
  }

  document.addEventListener("keydown", (event) => {
    const modified = event.ctrlKey || event.metaKey;
    if (modified && event.key.toLowerCase() === "k") {
      const box = document.querySelector("[data-palette]");
      if (box) { event.preventDefault(); open(box); }
    } else if (typed !== null && event.key === "Enter") {
      entered = { apart: modified };
      event.preventDefault();
      // neither the field nor the page takes it
      event.stopImmediatePropagation();
    } else if (typed !== null && !modified && !event.altKey) {
      entered = null;
      if (event.key === "Backspace") typed = typed.slice(0, -1);
      else if (event.key.length === 1) typed += event.key;
      else return;
      event.preventDefault();
      // no key of the page
      event.stopImmediatePropagation();
    }
  }, true);
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-palette]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(opener);
  });
})();
