// Find in a draft: the outline shows the steps whose title, texts or rules hold the words. Ctrl F goes there, Enter opens the first, Escape shows all again.
"use strict";
(() => {
  const root = () => document.getElementById("editor");
  const box = () => document.getElementById("find-step");
  const lines = () => [...document.querySelectorAll("[data-outline] [data-step]")];
  const texts = (value) => (typeof value === "string" ? [value] : value && typeof value === "object" ? Object.values(value).flatMap(texts) : []);
  let held = { revision: "", words: new Map() };

  // What each step says, of the draft as it is saved: asked for once for each revision.
  async function words() {
    const { revision, url } = root().dataset;
    if (held.revision === revision) return held.words;
    const answer = await fetch(`${url}?view=text`, { headers: { "HX-Request": "true" }, redirect: "manual" });
    const text = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("text")?.value;
    held = { revision, words: new Map(JSON.parse(text ?? '{"steps":[]}').steps.map(({ next, ...step }) => [step.id, texts(step).join("\n").toLowerCase()])) };
    return held.words;
  }

  async function find() {
    const wanted = box().value.trim().toLowerCase();
    let said = new Map();
    try { if (wanted) said = await words(); } catch { /* not connected: the titles are searched alone */ }
    if (box().value.trim().toLowerCase() !== wanted) return;
    for (const line of lines()) line.hidden = !`${line.textContent.toLowerCase()}\n${said.get(line.dataset.step) ?? ""}`.includes(wanted);
    const found = lines().filter((line) => !line.hidden).length;
    window.handrailDraft.announce(wanted ? `${found} ${found === 1 ? "step" : "steps"} found` : "");
  }

  document.addEventListener("input", (event) => { if (event.target === box()) find(); });
  document.addEventListener("editor:drawn", () => { if (box()?.value) find(); });
  document.addEventListener("keydown", (event) => {
    const inside = event.target === box();
    // pressed twice it is the browser's own
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f" && box() && !box().hidden && !inside && root().dataset.view !== "text") { event.preventDefault(); box().focus(); box().select(); }
    if (!inside) return;
    if (event.key === "Enter") { event.preventDefault(); lines().find((line) => !line.hidden)?.querySelector("[data-select]").click(); }
    if (event.key === "Escape") { event.preventDefault(); box().value = ""; find(); }
    if (event.key === "ArrowDown") { event.preventDefault(); lines().find((line) => !line.hidden)?.querySelector("[data-select]").focus(); }
  });
})();
