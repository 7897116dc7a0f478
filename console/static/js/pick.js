// Boxes for references (data-pick): records open in a list under the box while a name is typed. The arrows choose, Enter takes, Escape closes.
// The text of the box is the name; its key stands in the hidden input beside it, which the server reads while the name is still that one.
"use strict";
(() => {
  const WAIT = 150; // ms after the last letter
  let box = null; // the box that the list belongs to
  let list = null;
  let asked = null;
  let timer = 0;

  const options = () => [...list.querySelectorAll("[data-key]")];
  const chosen = () => list?.querySelector("[data-key][aria-selected=true]");

  function close() {
    clearTimeout(timer);
    asked?.abort();
    list?.remove();
    list = null;
    box?.removeAttribute("aria-activedescendant");
    box?.setAttribute("aria-expanded", "false");
  }

  async function ask(target) {
    const text = target.value.trim();
    if (text.length < 2) { close(); return; }
    asked?.abort();
    const mine = asked = new AbortController();
    const token = document.getElementById("session-end")?.dataset.token ?? "";
    const body = new URLSearchParams({ q: text, collection: target.dataset.pick, csrf_token: token });
    try {
      const response = await fetch("/pick", { method: "POST", body, headers: { "HX-Request": "true" }, signal: mine.signal });
      if (response.ok && document.activeElement === target) draw(target, await response.text());
    } catch { /* typed on, or no connection: a key can still be typed */ }
  }

  function draw(target, html) {
    close();
    box = target;
    list = document.createElement("ul");
    list.id = "picks-offered";
    list.className = "picks-offered";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Records");
    list.append(...new DOMParser().parseFromString(html, "text/html").body.querySelectorAll("[role=option]"));
    box.after(list);
    box.setAttribute("aria-expanded", "true");
    box.setAttribute("aria-controls", list.id);
    point(options()[0]);
  }

  function point(row) {
    if (!row) return;
    options().forEach((each) => each.setAttribute("aria-selected", String(each === row)));
    box.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  function take(row) {
    const target = box;
    target.value = row.dataset.title;
    target.parentElement.querySelector("[data-picked]").value = JSON.stringify([row.dataset.title, row.dataset.key]);
    close();
    target.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "picked" }));
    target.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-pick]") || event.detail === "picked") return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT, event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (!list || event.target !== box) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Escape" && !(event.key === "Enter" && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = options();
    if (step) point(rows[(rows.indexOf(chosen()) + step + rows.length) % rows.length]);
    else if (event.key === "Enter" && chosen()) take(chosen());
    else close();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest?.(".picks-offered [data-key]");
    if (row) { event.preventDefault(); take(row); }
  });
  document.addEventListener("focusout", (event) => { if (event.target === box) close(); });
})();
