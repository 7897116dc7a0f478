// Ctrl K: go to a page, run what the page offers, or search a collection. The entries are links and buttons that are there anyway.
"use strict";
(() => {
  let entries = [];
  let at = 0;

  const words = (element) => element.dataset.keyName || element.getAttribute("aria-label") || element.textContent.trim().replace(/\s+/g, " ");

  function gather() {
    const seen = new Set();
    return [...document.querySelectorAll(".rail a, [data-command], .shelf a")]
      .map((element) => ({ label: words(element), element, key: element.dataset.key || "" }))
      .filter((entry) => entry.label && !seen.has(entry.label) && seen.add(entry.label));
  }

  function open() {
    if (document.querySelector("dialog[open]")) return;
    const dialog = document.createElement("dialog");
    dialog.className = "palette";
    dialog.setAttribute("aria-label", "Search or run");
    const input = document.createElement("input");
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", "palette-list");
    input.setAttribute("aria-label", "Search customers, pages and commands");
    input.setAttribute("data-navigation", "");
    input.placeholder = "Search or run";
    const list = document.createElement("ul");
    list.id = "palette-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Results");
    dialog.append(input, list);
    document.body.append(dialog);
    entries = gather();
    at = 0;
    dialog.addEventListener("close", () => dialog.remove());
    input.addEventListener("input", () => { at = 0; draw(input, list); });
    dialog.addEventListener("keydown", (event) => walk(event, input, list, dialog));
    list.addEventListener("click", (event) => { const row = event.target.closest("li"); if (row) { at = Number(row.dataset.at); go(input, dialog); } });
    dialog.showModal();
    draw(input, list);
  }

  function matching(input) {
    const sought = input.value.trim();
    const found = entries.filter((entry) => entry.label.toLowerCase().includes(sought.toLowerCase()));
    if (sought) found.push({ label: `Search records for “${sought}”`, href: `/c?q=${encodeURIComponent(sought)}`, key: "" });
    return found;
  }

  function draw(input, list) {
    const found = matching(input);
    at = Math.max(0, Math.min(at, found.length - 1));
    list.replaceChildren(...found.map((entry, index) => {
      const row = document.createElement("li");
      row.setAttribute("role", "option");
      row.id = `palette-${index}`;
      row.dataset.at = String(index);
      row.setAttribute("aria-selected", String(index === at));
      const label = document.createElement("span");
      label.textContent = entry.label;
      row.append(label);
      if (entry.key) {
        const mark = document.createElement("kbd");
        mark.textContent = entry.key.replace("ctrl+", "Ctrl ").toUpperCase();
        row.append(mark);
      }
      return row;
    }));
    if (found.length) input.setAttribute("aria-activedescendant", `palette-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function walk(event, input, list, dialog) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); at += step; draw(input, list); }
    if (event.key === "Enter") { event.preventDefault(); go(input, dialog); }
  }

  function go(input, dialog) {
    const entry = matching(input)[at];
    dialog.close();
    if (!entry) return;
    if (entry.href) location.assign(entry.href);
    else entry.element.click();
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); open(); }
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-palette]")) open(); });
})();
