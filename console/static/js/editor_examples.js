// What rules and texts of a step come to on an example: a run of the workflow or a record, chosen above the settings. Nothing is asked for until one is chosen.
"use strict";
(() => {
  const WAIT = 400;
  const root = () => document.getElementById("editor");
  const bar = () => document.querySelector("[data-example-bar]");
  const select = () => document.getElementById("example");
  const places = () => [...document.querySelectorAll("#panel [data-result]")];
  const boxOf = (place) => document.getElementById(place.id.replace(/-result$/, ""));
  const kept = () => `example ${root().dataset.workflow} ${root().dataset.person}`;
  const address = () => `${root().dataset.url}/example`;
  // the examples of this workflow, asked for when the list is opened first
  let offered = null;
  let chosen = "";
  let timer = 0;
  let asked = 0;

  const remember = (value) => { chosen = value; try { sessionStorage.setItem(kept(), JSON.stringify([value, select().selectedOptions[0]?.textContent])); } catch { /* not kept */ } };

  async function offer() {
    if (offered) return;
    offered = [];
    try {
      const answer = await fetch(address(), { redirect: "manual" });
      if (!answer.ok) throw new Error("not answered");
      offered = (await answer.json()).examples;
    } catch { offered = null; return; }
    fill();
  }

  function fill() {
    const box = select();
    if (!box || !offered) return;
    const known = new Set([...box.options].map((option) => option.value));
    box.append(...offered.filter((each) => !known.has(each.id)).map((each) => new Option(each.label, each.id)));
    box.value = chosen;
  }

  function say(place, words, wrong) {
    place.textContent = words;
    place.hidden = !words;
    place.classList.toggle("wrong", Boolean(wrong));
  }

  async function results(texts) {
    const body = new URLSearchParams({ csrf_token: root().dataset.token, example: chosen, texts: JSON.stringify(texts) });
    try {
      const answer = await fetch(address(), { method: "POST", body, headers: { Accept: "application/json" }, redirect: "manual" });
      if (answer.ok) return (await answer.json()).results;
      if (answer.status === 404) return texts.map(({ id }) => ({ id, words: "This example is not there any more. Choose another one.", wrong: true }));
    } catch { /* not connected */ }
    return null;
  }

  // What the names of a list hold on the example.
  window.handrailSamples = async (items) => {
    const named = items.filter((item) => !/[(.]$/.test(item.dataset.name));
    if (!chosen) return;
    const found = (await results(named.map((item, number) => ({ id: String(number), text: item.dataset.name, kind: "expression" })))) ?? [];
    for (const { id, words, wrong } of found) if (!wrong) named[id].append(Object.assign(document.createElement("small"), { textContent: ` ${words.slice(0, 40)}` }));
  };

  async function ask() {
    clearTimeout(timer);
    const mine = ++asked;
    const here = places().map((place) => [place, boxOf(place)]).filter(([, box]) => box);
    const texts = here.map(([place, box]) => ({ id: place.id, text: box.dataset.kind === "value" ? window.handrailEditor.value(box) : box.value, kind: place.dataset.result })).filter((each) => each.text.trim());
    const shown = new Set(texts.map((each) => each.id));
    for (const [place] of here) if (!chosen || !shown.has(place.id)) say(place, "");
    if (!chosen || !texts.length) return;
    let told = await results(texts);
    // nothing rather than what was right before
    told ||= texts.map(({ id }) => ({ id, words: "" }));
    if (mine !== asked) return;
    for (const { id, words, wrong } of told) { const place = document.getElementById(id); if (place) say(place, words, wrong); }
  }

  function later() { clearTimeout(timer); timer = setTimeout(ask, WAIT); }

  function stand() {
    if (!bar()) return;
    bar().hidden = !places().length;
    if (bar().hidden) return;
    if (chosen && ![...select().options].some((option) => option.value === chosen)) fill();
    ask();
  }

  document.addEventListener("change", (event) => { if (event.target === select()) { remember(select().value); ask(); } });
  for (const kind of ["focusin", "pointerdown"]) document.addEventListener(kind, (event) => { if (event.target === select()) offer(); });
  document.addEventListener("input", (event) => { if (chosen && event.target.closest?.("#panel [data-path], #panel [data-condition]")) later(); });
  document.addEventListener("editor:drawn", stand);
  document.addEventListener("DOMContentLoaded", () => {
    if (!root()) return;
    try {
      const [value, label] = JSON.parse(sessionStorage.getItem(kept()) || '["", ""]');
      if (value) { chosen = value; offered = [{ id: value, label }]; fill(); offered = null; }
    } catch { /* not ours */ }
    stand();
  });
})();
