// Several steps at once in the workflow editor: chosen in the outline or on the canvas, then copied, pasted, duplicated, moved, framed as a group or removed.
// Each of these is one list of changes, so that one undo takes it back. With one step alone editor.js does what is to be done.
"use strict";
(() => {
  const draft = window.handrailDraft;
  const root = () => document.getElementById("editor");
  const order = () => JSON.parse(root().dataset.order);
  const lines = () => [...document.querySelectorAll("[data-outline] [data-step]")];
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]), select, textarea, dialog");
  const idOf = (target) => target.closest?.("[data-outline] [data-step]")?.dataset.step ?? target.closest?.("[data-canvas] [data-cell-id]")?.dataset.cellId;
  const picked = new Set();
  const inOrder = () => order().filter((id) => picked.has(id));
  const many = () => inOrder().length > 1;
  // where a range begins
  let last = "";
  // the document as it is saved: what is copied has to be at hand at once
  let held = { revision: "", document: null };

  let reading = null;

  function read() {
    if (held.revision === root().dataset.revision) return Promise.resolve(held.document);
    reading ||= ask().finally(() => { reading = null; });
    return reading;
  }
  async function ask() {
    const { revision, url } = root().dataset;
    const answer = await fetch(`${url}?view=text`, { headers: { "HX-Request": "true" }, redirect: "manual" });
    const text = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("text")?.value;
    if (text) held = { revision, document: JSON.parse(text) };
    return held.document;
  }

  // ------------------------------------------------------------------------------------------------------------ choosing
  function show() {
    const there = new Set(order());
    for (const id of picked) if (!there.has(id)) picked.delete(id);
    const count = picked.size;
    for (const line of lines()) {
      const on = count > 0 && picked.has(line.dataset.step);
      line.toggleAttribute("data-picked", on);
      const link = line.querySelector("[data-select]");
      if (on) link.setAttribute("aria-description", "selected"); else link.removeAttribute("aria-description");
    }
    document.querySelectorAll("[data-canvas] .x6-node").forEach((node) => node.classList.toggle("picked", picked.has(node.dataset.cellId)));
    const bar = document.querySelector("[data-picked-bar]");
    if (!bar) return;
    bar.hidden = count < 2;
    bar.querySelector("[data-picked-count]").textContent = `${count} steps selected`;
  }
  function choose(ids, { add = false } = {}) {
    if (!add) picked.clear();
    ids.forEach((id) => picked.add(id));
    tell();
  }
  function tell() {
    show();
    draft.announce(picked.size ? `${picked.size} ${picked.size === 1 ? "step" : "steps"} selected` : "Nothing selected");
    if (picked.size) read().catch(() => {});
  }
  function toggle(id) {
    if (picked.has(id)) picked.delete(id); else picked.add(id);
    last = id;
    tell();
  }
  function range(to) {
    const all = order();
    const [from, until] = [all.indexOf(last || to), all.indexOf(to)].sort((one, two) => one - two);
    choose(all.slice(Math.max(0, from), until + 1));
  }
  const clear = () => { if (picked.size) { picked.clear(); tell(); } };

  document.addEventListener("click", (event) => {
    const id = idOf(event.target);
    if (!id || !event.target.closest("[data-outline]")) return;
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); event.stopImmediatePropagation(); toggle(id); } else if (event.shiftKey) { event.preventDefault(); event.stopImmediatePropagation(); range(id); } else { last = id; if (picked.size) { picked.clear(); show(); } }
  }, true);

  document.addEventListener("keydown", (event) => {
    if (!root() || event.defaultPrevented || typing(event.target)) return;
    const id = idOf(event.target);
    const key = event.key.toLowerCase();
    const control = event.ctrlKey || event.metaKey;
    const stop = () => { event.preventDefault(); event.stopImmediatePropagation(); };
    if (control && key === "a" && (id || event.target.closest?.("[data-outline]"))) { stop(); choose(order()); return; }
    if (key === "escape" && picked.size && !event.target.closest?.("#panel")) { stop(); clear(); return; }
    if (control && key === "d" && (many() || order().includes(id))) { stop(); duplicate(many() ? inOrder() : [id]); return; }
    if (!id || !order().includes(id)) return;
    if (key === " ") { stop(); toggle(id); return; }
    if (key === "delete" && many()) { stop(); remove(); return; }
    if (event.shiftKey && !control && event.target.closest("[data-outline]") && (key === "arrowdown" || key === "arrowup")) {
      stop();
      const seen = lines().filter((line) => line.offsetParent);
      const next = seen[seen.findIndex((line) => line.dataset.step === id) + (key === "arrowdown" ? 1 : -1)];
      if (!next) return;
      if (!picked.has(id)) { picked.clear(); last = id; }
      range(next.dataset.step);
      next.querySelector("[data-select]").focus();
      return;
    }
    if (event.altKey && many() && picked.has(id) && event.target.closest("[data-outline]") && (key === "arrowdown" || key === "arrowup")) { stop(); move(key === "arrowdown" ? 1 : -1, id); return; }
    const family = /^[1-6]$/.test(key) && !control && !event.altKey ? Number(key) : 0;
    if (family) { stop(); window.handrailEditor.addingBehind(id, family); }
    if (key === "c" && !control && !event.altKey) { stop(); window.handrailEditor.connecting(id); }
  }, true);

  // On the canvas: with Ctrl or Shift a step is added to what is chosen; Shift and dragging where nothing is chooses what lies in the frame.
  document.addEventListener("mousedown", (event) => {
    const canvas = event.target.closest?.("#editor [data-canvas]");
    if (!canvas || event.button !== 0) return;
    const id = idOf(event.target);
    if (order().includes(id)) {
      if (event.ctrlKey || event.metaKey || event.shiftKey) { event.preventDefault(); event.stopImmediatePropagation(); toggle(id); } else if (!picked.has(id)) clear();
      return;
    }
    if (event.shiftKey) { event.preventDefault(); event.stopImmediatePropagation(); frame(canvas, event); } else if (!id) clear();
  }, true);

  function frame(canvas, begun) {
    const around = canvas.getBoundingClientRect();
    const box = Object.assign(document.createElement("div"), { className: "pick-frame" });
    canvas.append(box);
    const corners = (event) => [Math.min(begun.clientX, event.clientX), Math.min(begun.clientY, event.clientY), Math.max(begun.clientX, event.clientX), Math.max(begun.clientY, event.clientY)];
    const draw = (event) => {
      const [left, top, right, bottom] = corners(event);
      Object.assign(box.style, { left: `${left - around.left}px`, top: `${top - around.top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    };
    const end = (event) => {
      removeEventListener("mousemove", draw);
      removeEventListener("mouseup", end, true);
      box.remove();
      const [left, top, right, bottom] = corners(event);
      const inside = (node) => { const at = node.getBoundingClientRect(); return at.left < right && at.right > left && at.top < bottom && at.bottom > top; };
      choose([...canvas.querySelectorAll(".x6-node")].filter((node) => order().includes(node.dataset.cellId) && inside(node)).map((node) => node.dataset.cellId));
    };
    addEventListener("mousemove", draw);
    addEventListener("mouseup", end, true);
  }

  // -------------------------------------------------------------------------------------------------------------- doing
  async function send(changes, words) {
    draft.add(changes);
    if (!(await draft.flush())) return false;
    draft.announce(`${words}. Ctrl Z takes it back.`);
    return true;
  }

  async function remove() {
    const gone = inOrder();
    const all = order();
    const next = all.find((id, place) => !picked.has(id) && place > all.indexOf(gone[0])) || all.find((id) => !picked.has(id)) || "";
    picked.clear();
    if (!(await send(gone.map((step) => ({ op: "remove_step", step })), `${gone.length} steps removed`))) return;
    await window.handrailEditor.select(next);
    document.querySelector(next ? `[data-outline] [data-select="${CSS.escape(next)}"]` : "[data-add-step]")?.focus();
  }

  async function move(by, from) {
    const all = order();
    const steps = by < 0 ? inOrder() : inOrder().reverse();
    const edge = all.indexOf(steps[0]) + by;
    if (edge < 0 || edge >= all.length) return;
    await send(steps.map((step) => ({ op: "move", step, place: all.indexOf(step) + by })), "Moved");
    document.querySelector(`[data-outline] [data-select="${CSS.escape(from)}"]`)?.focus();
  }

  function chosenSteps(ids = inOrder()) {
    const byId = new Map((held.document?.steps || []).map((step) => [step.id, step]));
    return ids.map((id) => byId.get(id)).filter(Boolean);
  }

  document.addEventListener("copy", (event) => {
    if (!root() || !many() || typing(event.target) || String(getSelection())) return;
    const steps = chosenSteps();
    if (steps.length < 2) return;
    event.clipboardData.setData("text/plain", JSON.stringify({ steps }, null, 2));
    event.preventDefault();
    event.stopImmediatePropagation();
    draft.announce(`${steps.length} steps copied`);
  }, true);
  document.addEventListener("paste", (event) => {
    if (!root() || typing(event.target)) return;
    let found = null;
    try { found = JSON.parse(event.clipboardData.getData("text/plain")); } catch { return; }
    const steps = Array.isArray(found) ? found : found?.steps;
    if (!Array.isArray(steps)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    paste(steps.filter((step) => typeof step?.type === "string"));
  }, true);

  const copyButton = async () => {
    await read();
    const steps = chosenSteps();
    try { await navigator.clipboard.writeText(JSON.stringify({ steps }, null, 2)); draft.announce(`${steps.length} steps copied`); } catch { draft.announce("This browser copies with Ctrl C alone."); }
  };
  const duplicate = async (ids = inOrder()) => { await read(); await paste(chosenSteps(ids), { behind: ids.at(-1) }); };

  // Steps that come from elsewhere: ids that are taken are changed, and what names them among these steps follows. They stand behind the chosen step, which
  // leads to the first of them; whatever led nowhere among them leads on to where it led.
  async function paste(given, { behind = root().dataset.chosen || inOrder().at(-1) } = {}) {
    const document_ = await read();
    const there = document_.steps;
    const steps = given.filter((step) => step.type !== "start" || !there.some((each) => each.type === "start"));
    if (!steps.length) { draft.announce("There is no step to put in."); return; }
    const taken = new Set(there.map((step) => step.id));
    const named = new Map();
    for (const step of steps) {
      const base = (typeof step.id === "string" && /^[a-z][a-z0-9_]*$/.test(step.id) ? step.id : step.type).slice(0, 56);
      let id = base;
      for (let number = 2; taken.has(id); number += 1) id = `${base}_${number}`;
      taken.add(id);
      named.set(step.id ?? step, id);
    }
    const follow = (text) => text.replace(/\b(steps\.|step:)([a-z][a-z0-9_]*)/g, (whole, head, id) => head + (named.get(id) ?? id));
    const within = (value, key) => {
      if (typeof value === "string") return key === "start" && named.has(value) ? named.get(value) : follow(value);
      if (Array.isArray(value)) return value.map((each) => within(each, ""));
      return value && typeof value === "object" ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, within(each, name)])) : value;
    };
    const anchor = there.find((step) => step.id === behind && step.type !== "end");
    const onward = anchor?.next?.default;
    const place = behind ? order().indexOf(behind) + 1 : order().length;
    const entered = new Set(steps.flatMap((step) => Object.values(step.next || {})));
    const changes = steps.map((step, number) => {
      const { id, next, at, ...rest } = step;
      const kept = Object.fromEntries(Object.entries(next || {}).filter(([, to]) => named.has(to)).map(([outcome, to]) => [outcome, named.get(to)]));
      if (onward && !kept.default && step.type !== "end" && (Object.keys(kept).length < Object.keys(next || {}).length || !Object.keys(kept).length)) kept.default = onward;
      return { op: "add_step", step: { ...within(rest, ""), id: named.get(id ?? step), next: kept }, place: place + number };
    });
    const first = steps.find((step) => !entered.has(step.id)) || steps[0];
    if (anchor) changes.push({ op: "connect", step: anchor.id, outcome: "default", to: named.get(first.id ?? first) });
    if (!(await send(changes, `${steps.length} steps added`))) return;
    picked.clear();
    named.forEach((id) => picked.add(id));
    await window.handrailEditor.select(named.get(first.id ?? first));
    show();
  }

  async function group() {
    const { groups = [] } = await read();
    const steps = inOrder();
    const others = groups.map((each) => ({ ...each, steps: (each.steps || []).filter((id) => !picked.has(id)) })).filter((each) => each.steps.length);
    picked.clear();
    if (!(await send([{ op: "set_document", field: ["groups"], value: [...others, { title: `Group ${others.length + 1}`, steps }] }], "Grouped"))) return;
    await window.handrailEditor.select("");
    const title = document.getElementById(`d-groups-${others.length}`);
    title?.focus();
    title?.select();
  }

  const DO = { copy: copyButton, duplicate, group, remove, clear };
  document.addEventListener("click", (event) => { const button = event.target.closest?.("[data-picked-do]"); if (button) DO[button.dataset.pickedDo](); });
  document.addEventListener("editor:drawn", () => setTimeout(show, 0));

  window.handrailSelection = { picked: () => (many() ? inOrder() : []), show };
})();
