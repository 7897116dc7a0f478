// The search over a page: find records, runs, pages and actions as one types, or run what the page offers. The server draws what was found; here its
// links become the options of a list that the box walks. The text is sent in the body of a request, so that no address holds it. Fetched by find.js.
"use strict";
(() => {
  // ms after the last letter
  const WAIT = 120;
  // ms until what stands there is shown as old
  const DIM = 150;
  let dialog = null;
  let input = null;
  let answer = null;
  let group = "";
  let at = 0;
  let timer = 0;
  let asked = null;
  // the text whose answer stands there
  let shown = null;
  // Enter was pressed before the answer to what was typed is there
  let waiting = null;

  const make = (tag, values = {}, ...inside) => {
    const element = document.createElement(tag);
    Object.entries(values).forEach(([name, value]) => element.setAttribute(name, value));
    element.append(...inside);
    return element;
  };
  const key = (...words) => make("span", {}, ...words);
  const words = (element) => element.dataset.keyName || element.getAttribute("aria-label") || (element.querySelector(":scope > .words") ?? element).textContent.trim().replace(/\s+/g, " ");
  const options = () => [...answer.querySelectorAll("[role=option]")];

  function open(typed = "", entered = null) {
    if (document.querySelector("dialog[open]")) return;
    dialog = make("dialog", { class: "palette found", "aria-label": "Search or run" });
    input = make("input", { role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", "aria-label": "Search records, runs, pages and actions", autocomplete: "off", spellcheck: "false", "data-navigation": "", placeholder: "Search or run" });
    const found = make("span", { class: "muted num", id: "palette-found" });
    const glass = document.querySelector(".find .i")?.cloneNode(true) ?? "";
    answer = make("div", { class: "answer" });
    const foot = make("footer", {}, key(make("kbd", {}, "↑"), " ", make("kbd", {}, "↓"), " walk"), key(make("kbd", {}, "Enter"), " open"), key(make("kbd", {}, "Ctrl Enter"), " new tab"), key(make("kbd", {}, "Tab"), " next group"));
    dialog.append(make("div", { class: "asked" }, glass, input, found, make("kbd", {}, "Esc")), answer, foot);
    document.body.append(dialog);
    group = "";
    shown = null;
    waiting = entered;
    dialog.addEventListener("close", () => { asked?.abort(); dialog.remove(); });
    dialog.addEventListener("keydown", walk);
    dialog.addEventListener("click", press);
    input.addEventListener("input", () => { group = ""; waiting = null; later(); });
    dialog.showModal();
    input.value = typed;
    ask();
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  }

  async function ask() {
    asked?.abort();
    const mine = asked = new AbortController();
    const token = document.getElementById("session-end")?.dataset.token ?? "";
    const dim = setTimeout(() => answer.classList.add("late"), DIM);
    const text = input.value.trim();
    try {
      const response = await fetch("/search", { method: "POST", body: new URLSearchParams({ q: text, in: group, csrf_token: token }), headers: { "HX-Request": "true", "HX-Target": "found" }, signal: mine.signal });
      if (!response.ok) throw new Error(String(response.status));
      draw(await response.text(), text);
    } catch (error) {
      if (error.name !== "AbortError") draw("", text, "The search did not answer. Type again in a moment.");
    } finally {
      clearTimeout(dim);
      if (mine === asked) answer.classList.remove("late");
    }
  }

  // Links that the server drew become options: a list that the box walks holds nothing that takes the focus itself.
  function draw(html, text, trouble = "") {
    const drawn = new DOMParser().parseFromString(html, "text/html").body;
    const list = drawn.querySelector(".hit-list") ?? make("div", { class: "hit-list" });
    if (!list.isConnected) drawn.append(list);
    if (trouble) list.append(make("p", { class: "nothing", role: "alert" }, trouble));
    const here = commands(text);
    if (here && !group) {
      if (!trouble) list.querySelector(".nothing")?.remove();
      list.append(here);
    }
    list.id = "palette-list";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Results");
    list.querySelectorAll(".hits").forEach((part) => part.setAttribute("role", "group"));
    list.querySelectorAll("ul").forEach((part) => { part.setAttribute("role", "presentation"); part.removeAttribute("data-rows"); });
    list.querySelectorAll("li").forEach((row, number) => {
      row.setAttribute("role", "option");
      row.id = `palette-${number}`;
      const link = row.querySelector("a");
      if (!link) return;
      row.dataset.href = link.getAttribute("href");
      if (link.dataset.in) row.dataset.in = link.dataset.in;
      link.replaceWith(make("span", { class: "hit" }, ...link.childNodes));
    });
    answer.replaceChildren(...drawn.childNodes);
    document.getElementById("palette-found").textContent = text ? drawn.querySelector("[data-found]")?.dataset.found ?? answer.querySelector("[data-found]")?.dataset.found ?? "" : "";
    at = 0;
    shown = text;
    choose();
    if (waiting && !trouble) go(options()[0], waiting.apart);
    waiting = null;
  }

  // What the page itself offers; without a text, where its links lead too.
  function commands(text) {
    const seen = new Set();
    const sought = text.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = text ? "[data-command]" : ".rail a:not([aria-hidden]), [data-command]";
    const rows = [...document.querySelectorAll(wanted)].filter((element) => {
      const label = words(element);
      return label && !dialog.contains(element) && sought.every((word) => label.toLowerCase().includes(word)) && !seen.has(label) && seen.add(label);
    });
    if (!rows.length) return null;
    const list = make("ul");
    rows.forEach((element) => {
      const row = make("li", {}, make("span", { class: "hit" }, make("b", {}, words(element))));
      row.run = element;
      if (element.dataset.key) row.append(make("kbd", {}, element.dataset.key.replace("ctrl+", "Ctrl ").toUpperCase()));
      list.append(row);
    });
    const label = text ? "On this page" : "Go to";
    return make("section", { class: "hits", "aria-label": label }, make("p", {}, make("b", {}, label)), list);
  }

  function choose() {
    const rows = options();
    at = Math.max(0, Math.min(at, rows.length - 1));
    rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === at)));
    if (!rows.length) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", rows[at].id);
    rows[at].scrollIntoView({ block: "nearest" });
  }

  function walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) { event.preventDefault(); at += step; choose(); }
    if (event.key === "Enter" && event.target === input) {
      event.preventDefault();
      const apart = event.ctrlKey || event.metaKey;
      if (shown === input.value.trim()) return go(options()[at], apart);
      waiting = { apart };
      clearTimeout(timer);
      ask();
    }
    if (event.key === "Tab" && event.target === input) turn(event);
  }

  // Tab goes to the next group; where there is none, it goes on as everywhere.
  function turn(event) {
    const tabs = [...answer.querySelectorAll(".chip-tab")];
    if (tabs.length < 2) return;
    event.preventDefault();
    const now = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
    group = tabs[(now + (event.shiftKey ? tabs.length - 1 : 1)) % tabs.length].dataset.in;
    ask();
  }

  function press(event) {
    if (event.target === dialog) return dialog.close();
    const tab = event.target.closest(".chip-tab");
    if (tab) { event.preventDefault(); group = tab.dataset.in; input.focus(); return ask(); }
    const row = event.target.closest("[role=option]");
    if (row) go(row, event.ctrlKey || event.metaKey);
  }

  function go(row, apart) {
    if (!row) return;
    if (row.dataset.in) { group = row.dataset.in; return ask(); }
    if (apart && row.dataset.href) return window.open(row.dataset.href, "_blank", "noopener");
    dialog.close();
    if (row.run) return row.run.click();
    // a link like every other: a run asks whether to save before it is left
    const way = make("a", { href: row.dataset.href, hidden: "" });
    document.body.append(way);
    way.click();
    way.remove();
  }

  window.handrail.search = open;
})();
