// A proposal that is on its way: the page asks until it has come. What to do with one (proposal.js) is fetched only then, or when somebody wants to do the step by hand.
"use strict";
(() => {
  // ms between two questions whether it has come
  const PACE = 700;
  // ms after the deadline at which the page stops asking
  const LATE = 4000;

  const strip = () => document.getElementById("proposal");
  const form = () => document.getElementById("step-form");
  const tools = () => Promise.all([form().dataset.script, form().dataset.sheet].map(window.handrail.fetched));
  const putting = () => tools().then(() => window.handrail.fetched(form().dataset.arrives));
  let timer = 0;

  function wait() {
    clearTimeout(timer);
    const above = strip();
    if (!above?.dataset.poll) return;
    const end = Date.parse(above.dataset.until) + LATE;
    timer = setTimeout(() => ask(above.dataset.poll, end), PACE);
  }

  async function ask(address, end) {
    let answer = null;
    try {
      answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "proposal" }, credentials: "same-origin" });
      const text = answer.status === 200 ? await answer.text() : "";
      const made = text.includes("data-when");
      if (made || window.handrail.proposals) await putting();
      if (strip()?.dataset.poll !== address) return;
      if (text) { (window.handrail.arrive ?? nothing)(text); wait(); return; }
    } catch { /* away for a moment: asked again */ }
    if (strip()?.dataset.poll === address && Date.now() < end + 60_000 && (!answer || answer.status === 204)) timer = setTimeout(() => ask(address, end), PACE);
  }

  // Nothing is proposed: only what stands above the form says so.
  function nothing(text) {
    const come = document.createElement("template");
    come.innerHTML = text;
    const above = come.content.querySelector("#proposal");
    if (!above) { delete strip().dataset.poll; return; }
    strip().replaceWith(above);
    window.htmx.process(strip());
    window.handrail.announce(come.content.querySelector("[data-arrived]")?.dataset.announce);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-ai-do]");
    if (!button || !form() || window.handrail.proposals) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tools().then(() => button.click(), () => form().requestSubmit(button));
  }, true);

  // nothing typed is overwritten by what comes
  document.addEventListener("input", (event) => { event.target.closest?.("[data-ai]")?.setAttribute("data-ai-typed", ""); });

  // it is there, and is only looked at a second time
  if (form()?.dataset.script && strip()?.dataset.status !== "pending") tools();
  wait();
  document.addEventListener("htmx:afterSettle", (event) => { if (["run", "proposal"].includes(event.detail.elt.id)) wait(); });
})();
