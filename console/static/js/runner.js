// A run: leaving asks "Save or Abort?", a draft is sent before the page goes, the record is a drawer on narrower screens.
"use strict";
(() => {
  const run = () => document.getElementById("run");
  const form = () => document.getElementById("step-form");
  let leaving = false;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const box = run();
    if (!link || !box?.dataset.leave || leaving || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.closest("dialog, #run")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || url.pathname === location.pathname) return;
    event.preventDefault();
    keep().finally(() => window.htmx.ajax("GET", `${box.dataset.leave}?to=${encodeURIComponent(url.pathname + url.search)}`, { target: "#dialog", swap: "innerHTML" }));
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-leaves]")) leaving = true; }, true);

  // The draft of this moment, so that Save in the dialog has it all.
  function keep() {
    const box = form();
    if (!box?.dataset.draft || !box.hasAttribute("data-touched")) return Promise.resolve();
    return fetch(box.dataset.draft, { method: "POST", body: new FormData(box), headers: { "HX-Request": "true" } });
  }

  // Before the run goes to somebody else, what was typed so far goes with it.
  document.addEventListener("click", (event) => { if (event.target.closest("[data-keeps]")) keep(); });

  // What was typed within the last moments goes out with the page.
  window.addEventListener("pagehide", () => {
    const box = form();
    if (!box?.dataset.draft || !box.hasAttribute("data-touched") || leaving) return;
    navigator.sendBeacon(box.dataset.draft, new FormData(box));
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    // one that was refused is kept nowhere yet
    if (event.detail.xhr.status < 300 && event.detail.requestConfig?.path === form()?.dataset.draft) form().removeAttribute("data-touched");
  });

  // What is handed in goes before what is kept: a draft that came behind it would be told that the run has moved on.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const box = form(), draft = box?.querySelector(`[hx-post="${box.dataset.draft}"]`);
    if (!draft) return;
    if (event.detail.elt === draft && box.classList.contains("htmx-request")) event.preventDefault();
    else if (event.detail.elt === box) window.htmx.trigger(draft, "htmx:abort");
  });

  // Steps and items scroll by themselves to the present one, with what comes after it in view; the page stays, since it may show a field that is wrong.
  const AROUND = 112;
  function reveal() {
    for (const pane of document.querySelectorAll(".steps-scroll, .items-scroll, .items-strip")) {
      const here = pane.querySelector("[aria-current]")?.getBoundingClientRect(), seen = pane.getBoundingClientRect();
      if (!here) continue;
      pane.scrollLeft += (here.left + here.right - seen.left - seen.right) / 2;
      pane.scrollTop += Math.min(here.top - seen.top, Math.max(0, here.bottom + AROUND - seen.bottom));
    }
  }
  document.addEventListener("DOMContentLoaded", reveal);
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.elt.id === "run") reveal(); });

  // Turning to another item of a list: what was typed for this one goes out first, and the line of the present one is in view.
  document.addEventListener("htmx:confirm", (event) => {
    if (!event.target.matches("[data-item]") || !form()?.hasAttribute("data-touched")) return;
    event.preventDefault();
    keep().finally(() => event.detail.issueRequest(true));
  });

  // What is still open is said at the foot; Done never greys out.
  function count() {
    const foot = document.querySelector("[data-count-open]");
    const box = form();
    if (!foot || !box) return;
    const asked = [...box.querySelectorAll("[data-required]")].filter((field) => !field.closest("[hidden]"));
    const open = asked.filter((field) => {
      const files = field.querySelector("[data-files]");
      if (files) return !files.querySelector("[data-remove]");
      const boxes = [...field.querySelectorAll("input[type=checkbox], input[type=radio]")];
      return boxes.length ? !boxes.some((one) => one.checked) : !field.querySelector(".input")?.value.trim();
    });
    const wrong = new Set([...box.querySelectorAll("[aria-invalid=true]")].filter((one) => !one.closest("[hidden]")).map((one) => one.closest(".field"))).size;
    const proposed = [...box.querySelectorAll("[data-ai]")].filter((field) => field.querySelector("[data-when]") && ["fill", "accepted", "edited"].includes(field.dataset.aiState));
    const needs = `${open.length} ${open.length === 1 ? "needs" : "need"} your input`;
    if (proposed.length) {
      const looked = proposed.filter((field) => field.dataset.aiState !== "fill").length;
      foot.textContent = `${looked} of ${proposed.length} reviewed${open.length ? `, ${needs}` : ""}`;
    } else foot.textContent = !asked.length ? "" : open.length === 1 ? `Still open: ${open[0].querySelector(".label")?.firstChild.textContent.trim() ?? "1 field"}` : open.length ? `${open.length} of ${asked.length} still need your input` : wrong ? `${wrong} ${wrong === 1 ? "field is" : "fields are"} not right yet` : document.querySelector("#notice [role=alert]") ? "" : "Nothing is open";
  }
  // A decision shows the fields of the option that is chosen; what stands in the others is kept, and sent, and left out by the rules.
  function choose() {
    const box = form();
    if (!box) return;
    const choice = box.querySelector("input[name=outcome]:checked"), chosen = choice?.value;
    const done = document.getElementById("done")?.firstChild;
    if (done && ["Done", done.parentNode.dataset.names].includes(done.textContent.trim())) { // a button without a word of its own names the choice
      done.parentNode.dataset.names = choice ? choice.closest("label").querySelector("b").textContent : "Done";
      done.textContent = `${done.parentNode.dataset.names} `;
    }
    for (const row of box.querySelectorAll("li[data-needed]")) {
      const own = row.dataset.options?.split(" ");
      row.hidden = Boolean(own) && (chosen ? !own.includes(chosen) : !filled(row));
      if (!row.dataset.needed) continue;
      const needed = row.dataset.needed.split(" ").includes(chosen);
      const field = row.querySelector(".field");
      if (field.querySelector(".required")) continue;
      field.toggleAttribute("data-required", needed);
      const input = row.querySelector(".input");
      if (needed) input?.setAttribute("aria-required", "true"); else input?.removeAttribute("aria-required");
    }
  }
  const filled = (row) => [...row.querySelectorAll("input:not([type=hidden]), select, textarea")]
    .some((one) => (one.type === "checkbox" || one.type === "radio" ? one.checked : one.value.trim()));

  const settle = () => { choose(); count(); };
  document.addEventListener("input", settle);
  document.addEventListener("DOMContentLoaded", settle);
  document.addEventListener("htmx:afterSettle", settle);
  document.addEventListener("handrail:proposal", settle);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const drawer = document.querySelector(".context.open");
      if (drawer && !document.querySelector("dialog[open]")) { drawer.classList.remove("open"); document.querySelector("[data-toggle]")?.focus(); }
    }
  });
})();
