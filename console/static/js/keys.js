// Keys: an element with data-key ("s", "g r", "ctrl+enter") is pressed by its key; ? lists those of the page. Single keys are
// off while typing and can be turned off altogether.
"use strict";
(() => {
  // ms between the two keys of a sequence
  const WAIT = 900;
  let first = "";
  let timer = 0;

  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea, [contenteditable]");
  const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };
  const scope = () => document.querySelector("dialog[open]") || document;
  const visible = (element) => element.checkVisibility();
  // where two have the same key, that of the form in which one is comes first
  const find = (key, form) => {
    const all = [...scope().querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter(visible);
    return all.find((each) => form && each.form === form) || all[0];
  };

  function name(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key.toLowerCase();
    return (event.ctrlKey || event.metaKey ? "ctrl+" : "") + (event.altKey ? "alt+" : "") + key;
  }

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = name(event);
    if (!key.startsWith("ctrl+") && (typing(event.target) || off() || event.altKey)) return;
    // Space presses what has the focus
    if (key === " " && event.target.closest?.("button, summary, input")) return;
    if (key === "?" && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      window.handrail.fetched(document.body.dataset.keyList).then(() => window.handrail.listKeys(visible), () => {});
      return;
    }
    if (key === "t" && !first) { document.querySelector("[data-theme-switch]")?.click(); return; }
    // every form is sent alike
    const sends = key === "ctrl+enter" && event.target.form?.querySelector("button.primary:not([type=button])");
    const target = find(first ? `${first} ${key}` : key, event.target.form) || sends;
    if (target) {
      event.preventDefault();
      first = "";
      press(target);
      return;
    }
    if (rows(key, event)) return;
    first = document.querySelector(`[data-key^="${CSS.escape(key)} "]`) ? key : "";
    clearTimeout(timer);
    timer = setTimeout(() => { first = ""; }, WAIT);
  });

  function press(target) {
    if (target.matches("input:not([type=submit]), select, textarea")) { target.focus(); target.select?.(); } else { if (target.matches("summary")) target.focus(); target.click(); }
  }

  // J and K walk the rows of a list, Enter opens, . opens the menu of the row.
  function rows(key, event) {
    const all = [...document.querySelectorAll("[data-rows] > :not(h2)")].filter(visible);
    if (!all.length || !["j", "k", "enter", "."].includes(key)) return false;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    if (key === "enter" || key === ".") {
      if (at < 0 || document.activeElement !== all[at]) return false;
      event.preventDefault();
      (all[at].querySelector(key === "." ? "[data-menu]" : "a") || (key === "enter" && all[at].querySelector("button")) || null)?.click();
      return true;
    }
    const next = all[Math.max(0, Math.min(all.length - 1, at + (key === "j" ? 1 : -1)))];
    // which Enter unfolds
    if (next.matches("details")) next.querySelector("summary").focus();
    else { next.tabIndex = -1; next.focus(); }
    event.preventDefault();
    return true;
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-keys-switch]");
    if (!toggle) return;
    localStorage.setItem("keys", off() ? "on" : "off");
    toggle.setAttribute("aria-pressed", String(!off()));
  });
  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-keys-switch]")?.setAttribute("aria-pressed", String(!off()));
  });
})();
