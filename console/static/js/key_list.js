// The keys of the page, as ? lists them: fetched when somebody asks for them.
"use strict";
(() => {
  function made(tag, className, ...inside) {
    const element = Object.assign(document.createElement(tag), { className });
    element.append(...inside);
    return element;
  }

  const SIGNS = { " ": "Space", arrowleft: "←", arrowright: "→" };
  window.handrail.listKeys = (visible) => {
    const shown = new Map();
    document.querySelectorAll("[data-key]").forEach((element) => {
      if (visible(element)) shown.set(element.dataset.key, element.dataset.keyName || element.getAttribute("aria-label") || element.querySelector(":scope > .words")?.textContent || element.firstChild?.textContent.trim() || element.textContent.trim());
    });
    shown.set("t", "Switch theme").set("ctrl+k", "Search or run");
    if (document.querySelector("[data-rows]")) shown.set("j", "Next row").set("k", "Previous row").set("enter", "Open the row");
    if (document.querySelector("#editor [data-outline]")) shown.set("1 – 6", "Add a step of this family behind").set("c", "Connect the step").set("space", "Select the step, or not").set("shift+↓", "Select the next, too").set("ctrl+a", "Select all steps").set("delete", "Remove what is selected");
    if (document.getElementById("step-form")) shown.set("1 – 9", "Answer the open choice").set("enter", "Next open field, from a choice");
    if (document.querySelector("[data-rows] > [data-record]")) shown.set("space", "Show the row beside the list, or close it");
    if (document.querySelector("[data-rows] input[type=checkbox]")) shown.set("x", "Select the row").set("b", "What to do with the selected");
    if (document.querySelector("[data-rows] [data-menu]")) shown.set(".", "Menu of the row");
    const rows = [...shown].sort().map(([key, words]) => made("div", "", made("dt", "", made("kbd", "", (SIGNS[key] || key.replace("ctrl+", "Ctrl ")).toUpperCase())), made("dd", "", words)));
    const close = Object.assign(made("button", "btn", "Close"), { type: "button" });
    const dialog = made("dialog", "keys", made("div", "dialog", made("h2", "", "Keys on this page"), made("dl", "kv", ...rows), made("footer", "", close)));
    close.addEventListener("click", () => dialog.close());
    dialog.setAttribute("aria-label", "Keys on this page");
    document.body.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  };
})();
