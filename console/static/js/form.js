// Forms: what a change replaces is shown beside it, a select with data-submit sends its form, a double click sends once.
"use strict";
(() => {
  const current = (field) => {
    const ticked = [...field.querySelectorAll("input[type=checkbox], input[type=radio]")];
    if (ticked.length) return ticked.filter((box) => box.checked).map((box) => box.value).join("\n");
    const input = field.querySelector("input:not([type=hidden]), select, textarea");
    return input ? input.value.trim() : "";
  };
  const label = (field) => {
    const chosen = field.querySelector("select")?.selectedOptions?.[0];
    const ticked = [...field.querySelectorAll("input[type=checkbox]:checked, input[type=radio]:checked")].map((box) => box.closest("label")?.textContent.trim() || box.value);
    if (!current(field)) return "empty";
    const day = field.querySelector("input[type=date], input[type=datetime-local]");
    if (day) {
      const clock = day.type === "date" ? {} : { hour: "2-digit", minute: "2-digit" };
      return new Date(`${day.value}${day.type === "date" ? "T00:00" : ""}`).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", ...clock });
    }
    return chosen ? chosen.textContent.trim() : ticked.length ? ticked.join(", ") : current(field);
  };

  // Before and after: the line is there for readers of the page without script too, here it follows the typing.
  function compare(field) {
    const changed = current(field) !== field.dataset.before;
    field.classList.toggle("changed", changed);
    const line = field.querySelector(".swap");
    if (!line) return;
    line.hidden = !changed;
    line.querySelector("ins").textContent = label(field) || "empty";
  }

  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-before]");
    if (field) compare(field);
    event.target.closest("form")?.setAttribute("data-touched", "");
  });
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-before]");
    if (field) compare(field);
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  // what is written chooses the answer that is made of it, until somebody has chosen one
  document.addEventListener("input", ({ target }) => {
    if (target.type === "radio") target.form?.setAttribute("data-chosen", "");
    if (target.dataset?.chooses && !target.form.hasAttribute("data-chosen")) document.getElementById(target.dataset.chooses).checked = true;
  });
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-before]").forEach(compare));
  document.addEventListener("htmx:afterSettle", (event) => event.detail.elt.querySelectorAll?.("[data-before]").forEach(compare));

  // A link that stands for the button in its row: without script it opens what the button goes on with.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-sends]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const form = link.closest("li, tr")?.querySelector("form");
    if (!form) return;
    event.preventDefault();
    form.requestSubmit();
  });

  // A saved run goes on by itself where its record was opened from To Continue; Back then leads to the record, which stays.
  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector("form[data-sends-itself]");
    if (!form) return;
    const told = new URLSearchParams(location.search);
    told.delete(form.dataset.sendsItself);
    history.replaceState(history.state, "", location.pathname + (told.size ? `?${told}` : "") + location.hash);
    form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get" || form.dataset.sent === undefined) { form.dataset.sent = ""; setTimeout(() => { delete form.dataset.sent; }, 1500); return; }
    // the second of two quick clicks
    event.preventDefault();
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => { delete form.dataset.sent; }));
})();
