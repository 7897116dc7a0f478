// The workflow editor: the outline, the settings of a step, adding steps, undo, and the document as text. Every change is one of
// console.core.drafting; the server applies it, checks the draft and answers the page as it is then.
"use strict";
(() => {
  const draft = window.handrailDraft;
  const root = () => document.getElementById("editor");
  const chosen = () => root().dataset.chosen;
  const order = () => JSON.parse(root().dataset.order);
  const typing = (target) => target.closest?.("input:not([type=checkbox]):not([type=radio]):not([type=search]), textarea");

  // ---------------------------------------------------------------------------------------------- what the server answers
  // what has the focus after the next drawing
  let focus = "";
  // the text of the document that the server has
  let known = "";
  const box = () => document.getElementById("text");
  draft.onDraw((text, told) => {
    const made = new DOMParser().parseFromString(text, "text/html").getElementById("editor");
    const here = root();
    if (!made) return;
    // only what differs from revision `since`
    const part = made.dataset.since !== undefined;
    if (part && made.dataset.since !== here.dataset.revision) { draft.load(location.href, { fresh: true }); return; }
    const stays = part && made.dataset.order === undefined;
    if (stays) made.dataset.order = here.dataset.order;
    const moved = made.dataset.chosen !== here.dataset.chosen || made.dataset.view !== here.dataset.view;
    const open = new Set([...here.querySelectorAll("details[open][id]")].map((each) => each.id));
    made.querySelectorAll("details[id]").forEach((each) => { if (!moved && open.has(each.id)) each.open = true; });
    const kept = document.getElementById("refusal");
    made.querySelector("#refusal")?.replaceWith(kept.cloneNode(true));
    const [flow, former] = [made, here].map((each) => each.querySelector("#flow"));
    // the picture is as it was: drawing it costs most
    const stands = part ? stays && !flow.content.childElementCount : flow && former?.content.isEqualNode(flow.content);
    if (part && !stands) whole(flow.content, former.content, made.dataset.order);
    if (part) whole(made.querySelector("[data-outline]"), here.querySelector("[data-outline]"), made.dataset.order, true);
    const typed = box() && made.querySelector("#text") && !told.fresh;
    const at = document.activeElement;
    if (told.text !== undefined) known = told.text;
    // keep what is being typed
    if (told.waiting || typed) {
      for (const name of ["outline-pane", "problems"]) swap(here.querySelector(`.${name}`), made.querySelector(`.${name}`), true);
      for (const [name, value] of Object.entries(made.dataset)) if (name !== "chosen" && name !== "view") here.dataset[name] = value;
      const others = told.others || Number(made.dataset.revision) > told.on + 1;
      const saved = made.querySelector("#text")?.value;
      // a document of another workflow was put in
      const foreign = typed && slug(saved) !== slug(box().value);
      if (typed && (others || foreign) && !told.waiting && !draft.rough()) retype(saved);
      if (foreign) window.handrail.toast(`The address stays ${slug(saved)}: no workflow changes its own.`);
    } else {
      if (moved || told.fresh) here.querySelectorAll("[data-unfinished]").forEach((each) => each.removeAttribute("data-unfinished"));
      // another step: nothing in it is alike
      if (moved) here.querySelector("#panel").replaceWith(made.querySelector("#panel").cloneNode(true));
      // what somebody else made of a box is shown in it
      swap(here, made, !told.fresh && !moved && !(told.others && !at.validationMessage), moved);
      known = box()?.value ?? "";
    }
    root().querySelectorAll("[data-outline] [data-select]").forEach((line) => { if (line.dataset.select === chosen()) line.setAttribute("aria-current", "true"); else line.removeAttribute("aria-current"); });
    root().querySelectorAll("select[data-way]").forEach(offerSteps);
    document.dispatchEvent(new Event("editor:drawn"));
    if (flow && former && !stands) document.getElementById("flow")?.replaceWith(flow);
    if (!stands) document.querySelector("step-picture")?.redraw();
    if (moved) document.querySelector("step-picture")?.show(made.dataset.chosen);
    if (focus) { const target = root().querySelector(focus); focus = ""; const folded = target?.closest("details"); if (folded) folded.open = true; target?.focus(); if (target?.matches("#f-title, .row input") || target?.value === "Note") target.select?.(); target?.scrollIntoView?.({ block: "nearest" }); }
    if (at !== document.body && !at?.isConnected && document.activeElement === document.body) stay();
  });

  // The steps that are as they were, put in between those that differ.
  function whole(part, former, ids, copied) {
    const [fresh, there] = [part, former].map((each) => new Map([...each.children].map((line) => [line.dataset.step, line])));
    // notes on the canvas
    const kept = [...former.children].filter((line) => line.dataset.step === undefined);
    part.replaceChildren(...JSON.parse(ids).map((id) => fresh.get(id) ?? (copied ? there.get(id).cloneNode(true) : there.get(id))), ...kept);
  }

  // What had the focus is gone: the keyboard goes on at the chosen step.
  const stay = () => root().querySelector("#panel [aria-invalid], [data-outline] [aria-current=true], [data-add-step]")?.focus();

  const slug = (text) => /"slug":\s*"([^"]*)"/.exec(text)?.[1];

  // The text with what others have changed in it, the caret where it was.
  function retype(text) {
    const field = box();
    const [start, end] = [field.selectionStart, field.value.length - field.selectionEnd];
    const before = field.value.slice(0, start) === text.slice(0, start);
    const caret = before ? start : Math.max(0, text.length - end);
    const top = field.scrollTop;
    if (field.value !== text) { field.value = text; field.setSelectionRange(caret, caret); field.scrollTop = top; }
    known = text;
  }

  // Where there are a thousand steps, their lines are compared here (the morpher compares each with all others), and the steps that a select
  // offers are put in at once.
  const LISTS = "[data-outline], .problems ul";
  function swap(from, to, ignoreActiveValue, panelStands = false) {
    if (!from || !to) return;
    const lines = new Map([...to.querySelectorAll(LISTS)].map((list) => [list.className, [...list.children]]));
    to.querySelectorAll(LISTS).forEach((list) => list.replaceChildren());
    const part = to.closest("#editor").dataset.since !== undefined;
    const callbacks = {
      // a part of a page leaves out what stands
      beforeNodeRemoved: (node) => !(part && node.matches?.("step-picture, #add-step, #problems")),
      beforeNodeMorphed(old, made) {
        if (old.matches?.("select[data-way]") && made.matches?.("select[data-way]")) { offer(old, made); return false; }
        if (old.matches?.(LISTS) && made.matches?.(LISTS)) return false;
        if (panelStands && old.id === "panel") return false;
        // what the canvas is drawn from is put in as a whole, or stays
        if (old.id === "flow") return false;
        // what X6 has drawn is its own, and so is a condition that is being put together
        return old.tagName !== "STEP-PICTURE" && !old.matches?.("[data-saved], dialog[open], [data-unfinished], [data-example-bar], [data-result], [data-text-margin], #completions");
      },
    };
    window.Idiomorph.morph(from, to, { morphStyle: "outerHTML", ignoreActiveValue, callbacks });
    // a list that is new, too
    root().querySelectorAll(LISTS).forEach((list) => lines.has(list.className) && lineUp(list, lines.get(list.className)));
  }

  // The lines of a list as they are to be; those that are as they were stay, with the focus in them.
  function lineUp(list, wanted) {
    const key = (line) => (list.dataset.outline === undefined ? line.outerHTML : line.dataset.step);
    const there = new Map([...list.children].map((line) => [key(line), line]));
    const lines = wanted.map((line) => {
      const had = there.get(key(line));
      there.delete(key(line));
      if (!had) return line;
      if (!had.isEqualNode(line)) window.Idiomorph.morph(had, line, { morphStyle: "outerHTML" });
      return had;
    });
    there.forEach((line) => line.remove());
    let at = list.firstElementChild;
    for (const line of lines) {
      if (line === at) at = at.nextElementSibling;
      else list.insertBefore(line, at);
    }
    while (at) { const next = at.nextElementSibling; at.remove(); at = next; }
  }

  function offer(old, made) {
    for (const name of old.getAttributeNames()) if (!made.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of made.attributes) old.setAttribute(name, value);
    if (old.value !== made.value || old.options[0].text !== made.options[0].text) old.innerHTML = made.innerHTML;
  }
  // The steps that a way may lead to are those of the outline.
  function offerSteps(select) {
    const to = select.value;
    const option = (id, words) => { const made = new Option(words, id); made.toggleAttribute("selected", id === to); return made; };
    const steps = [...root().querySelectorAll("[data-outline] [data-step]")].filter((line) => line.dataset.step !== select.dataset.own);
    const offered = [option("", select.options[0].text), ...steps.map((line) => option(line.dataset.step, line.querySelector("b").textContent))];
    if (to && !offered.some((each) => each.value === to)) offered.push(option(to, select.selectedOptions[0].text));
    if (offered.map((each) => each.outerHTML).join("") !== select.innerHTML) select.replaceChildren(...offered);
    select.value = to;
  }

  async function select(step, { push = true, field = "", view = "", section = field } = {}) {
    if (draft.rough() && view !== "text") { unreadable(); return; }
    await draft.flush();
    const address = `${root().dataset.url}${view ? `?view=${view}` : step ? `?${new URLSearchParams({ step, ...(section && { open: section }) })}` : ""}`;
    const before = location.pathname + location.search;
    if (push && address !== before) history.pushState({ editor: true }, "", address);
    focus = focus || (field ? `#f-${field.replace(/[.[\]]+/g, "-").replace(/-$/, "")}, #${field.replace(/^next\./, "way-").replace(/[^\w-]/g, "-")}` : step ? "#f-title" : view ? "#text" : "");
    if (await draft.load(address)) return;
    // the page still shows that
    history.replaceState({ editor: true }, "", before);
  }

  // The answer to a change shows the step that it asked for; where more was under way meanwhile, it is asked for by itself.
  async function arrived(step) {
    if (chosen() !== step) await select(step);
    else history.pushState({ editor: true }, "", `${root().dataset.url}${step ? `?step=${encodeURIComponent(step)}` : ""}`);
  }

  async function change(changes, { now = true } = {}) {
    draft.add(changes);
    if (now) await draft.flush();
  }

  addEventListener("popstate", () => draft.load(location.href, { fresh: true }));

  // ------------------------------------------------------------------------------------------------------- the settings
  const GONE = Symbol("gone");
  function valueOf(box) {
    const text = box.value;
    switch (box.dataset.kind) {
      case "check": return box.checked ? true : box.dataset.default === "true" ? false : GONE;
      case "title": return text;
      case "choice": return text === "" ? GONE : text;
      case "number": return text.trim() === "" ? GONE : /^-?\d{1,15}$/.test(text.trim()) ? Number(text.trim()) : text.trim();
      case "duration": return duration(box.querySelector("input").value.trim(), box.querySelector("select").value);
      case "lines": return list("", text.split("\n").map((line) => line.trim()).filter(Boolean));
      case "value": return written(box, text.trim()) ?? text.trim();
      case "name": return named(text) || GONE;
      case "json": return text.trim() === "" ? GONE : JSON.parse(text);
      case "many": return list(box.dataset.default, [...box.querySelectorAll("input:checked")].map((each) => each.value));
      default: return text === "" ? GONE : text;
    }
  }
  const duration = (number, unit) => (number === "" ? GONE : /^\d{1,7}$/.test(number) ? unit.replace("#", number) : number);
  // what begins with entries is emptied by an empty list
  const list = (begun, values) => (values.length || begun ? values : GONE);
  // An outcome typed in words, as the document and its ways name it.
  const named = (text) => text.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/g, "_").replace(/^_+|_+$/g, "").replace(/^(?=\d)/, "is_").slice(0, 60);
  // What a value represents: what was picked by its label, or is as it was chosen to be taken; undefined where the server decides.
  function written(box, text) {
    const [label, of, whole] = JSON.parse(box.parentElement.querySelector("[data-picked]").value || "[]");
    const option = JSON.parse(box.dataset.values).find((each) => each.some((one) => one.toLowerCase() === text.toLowerCase()));
    if (text === "") return box.dataset.needed === undefined ? GONE : "";
    if (label?.trim() === text) return whole || box.dataset.type === "number" ? of : JSON.stringify(of);
    if (box.dataset.strict) return box.dataset.strict === "expression" ? text : JSON.stringify(text);
    if (option) return option[0];
    if (/^-?\d+(\.\d+)?$/.test(text)) return ["text", "day", "id"].includes(box.dataset.type) ? JSON.stringify(text) : text;
    return undefined;
  }

  function set(path, value) {
    const place = JSON.parse(path);
    const given = value === GONE ? {} : { value };
    return chosen() ? { op: "set", step: chosen(), field: place, ...given } : { op: "set_document", field: place, ...given };
  }

  document.addEventListener("input", (event) => {
    const box = event.target.closest?.("#panel [data-path]");
    if (!box) return;
    let value;
    try { value = valueOf(box); box.setCustomValidity?.(""); } catch (error) {
      box.setCustomValidity?.(`This is no JSON yet: ${error.message}`);
      document.getElementById("saved").textContent = `Not saved: ${error.message}`;
      return;
    }
    if (box.dataset.kind === "key") return;
    const typed = box.dataset.kind === "value" && written(box, box.value.trim()) === undefined;
    const settled = box.matches("select, [data-kind=check], [data-kind=many]");
    change([{ ...set(box.dataset.path, value), ...(typed && { typed }) }], { now: settled });
  });
  document.addEventListener("change", (event) => {
    const way = event.target.closest?.("[data-way]");
    if (way) change([way.value ? { op: "connect", step: chosen(), outcome: way.dataset.way, to: way.value } : { op: "disconnect", step: chosen(), outcome: way.dataset.way }]);
    const added = event.target.closest?.("select[data-row-add]");
    if (added?.value) rowed(`[id="${added.closest("fieldset").id}"] ${FIRST}`, [...JSON.parse(added.dataset.rowList), added.value], JSON.parse(added.dataset.rowAdd));
    const key = event.target.closest?.("#panel [data-kind=key]");
    if (key) renameKey(key);
    const name = event.target.closest?.("[data-rename]");
    if (name && name.value.trim() !== chosen()) rename(name.value.trim());
  });

  // The entries stay in their order.
  function renameKey(box) {
    const place = JSON.parse(box.dataset.path);
    const held = place.slice(0, -1).reduce((part, name) => part?.[name], JSON.parse(document.querySelector("[data-step-settings]").dataset.json)) ?? {};
    const to = box.value.trim();
    if (!to || to in held) { box.value = place.at(-1); return; }
    rowed(`#${box.id}`, place.slice(0, -1), Object.fromEntries(Object.entries(held).map(([name, value]) => [name === place.at(-1) ? to : name, value])), [...place.slice(0, -1), to]);
  }

  async function rename(to) {
    const from = chosen();
    draft.add([{ op: "rename_step", step: from, id: to }]);
    if (await draft.flush()) { focus = "#f-id"; history.replaceState({}, "", `${root().dataset.url}?step=${to}`); await draft.load(location.href); }
  }

  // ---------------------------------------------------------------------------------------------------------- the buttons
  document.addEventListener("click", (event) => {
    const on = (name) => event.target.closest?.(`[${name}]`);
    if (!root() || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (on("data-select")) { event.preventDefault(); select(on("data-select").dataset.select, { field: on("data-select").dataset.field || "" }); return; }
    if (on("data-open")) { focus = `#${on("data-open").id}`; select(chosen(), { section: on("data-open").dataset.open }); return; }
    if (on("data-text-view")) { event.preventDefault(); select("", { view: "text" }); return; }
    if (on("data-leave")) { event.preventDefault(); leave(on("data-leave").href); return; }
    if (on("data-publish")) { event.preventDefault(); leave(on("data-publish").href); return; }
    if (on("data-add-step")) { adding(); return; }
    if (on("data-add")) { take(on("data-add")); return; }
    if (on("data-arrange")) { change(order().map((step) => ({ op: "move", step, at: null }))); return; }
    if (on("data-undo")) { back("undo"); return; }
    if (on("data-redo")) { back("redo"); return; }
    if (on("data-mend")) { change([JSON.parse(on("data-mend").dataset.mend)]); return; }
    if (on("data-strictly")) { const box = on("data-strictly").closest(".field").querySelector("[data-kind=value]"); box.dataset.strict = on("data-strictly").dataset.strictly; box.parentElement.querySelector("[data-picked]").value = ""; box.dispatchEvent(new Event("input", { bubbles: true })); box.focus(); return; }
    if (on("data-set")) { const place = JSON.parse(on("data-set").dataset.rowList); const value = JSON.parse(on("data-set").dataset.set); rowed(`[id^="f-${place.join("-")}"]${FIRST}`, place, value, Array.isArray(value) ? [...place, Math.max(0, value.findLastIndex((each) => each.if === ""))] : place); return; }
    if (on("data-row-add")?.matches("button")) { addRow(on("data-row-add")); return; }
    if (on("data-row-remove")) { removeRow(on("data-row-remove")); return; }
    if (on("data-move")) { move(chosen(), Number(on("data-move").dataset.move)); return; }
    if (on("data-remove")) { remove(chosen()); return; }
    if (on("data-duplicate")) paste(copied());
  });

  async function leave(address) { if (draft.rough()) unreadable(); else if (await draft.flush()) location.assign(address); }

  // What is still under way is drawn first: the focus is for the answer to this.
  async function rowed(wanted, place, value, section = place) {
    await draft.flush();
    focus = wanted;
    root().dataset.section = JSON.stringify(section);
    await change([set(JSON.stringify(place), value)]);
  }
  const FIRST = ":is(input:not([type=hidden]), select:not([data-row-add]), textarea):not([hidden])";
  function addRow(button) {
    const place = [...JSON.parse(button.dataset.rowList), JSON.parse(button.dataset.number)];
    rowed(`[id="${button.closest("fieldset").id}"] > :is(.row, .fold):last-of-type ${FIRST}`, place, JSON.parse(button.dataset.rowAdd));
  }
  function removeRow(button) {
    rowed(`[data-row-add][data-row-list='${button.dataset.rowList}']`, [...JSON.parse(button.dataset.rowList), JSON.parse(button.dataset.rowRemove)], GONE, JSON.parse(button.dataset.rowList));
  }

  async function back(which) {
    if (!(await draft.flush())) return;
    if (await draft.post({ do: which }, null, { fresh: true })) draft.announce(which === "undo" ? "Undone" : "Done again");
  }

  async function move(step, by) {
    const place = order().indexOf(step) + by;
    if (place < 0 || place >= order().length) return;
    focus = focus || `[data-move="${by}"]:not([disabled])`;
    await change([{ op: "move", step, place }]);
  }

  async function remove(step) {
    if (!step) return;
    const next = order()[order().indexOf(step) + 1] || order()[order().indexOf(step) - 1] || "";
    draft.add([{ op: "remove_step", step }], next);
    focus = next ? `[data-select="${CSS.escape(next)}"]` : "[data-add-step]";
    if (!(await draft.flush())) return;
    await arrived(next);
    draft.announce("Step removed. Ctrl Z brings it back.");
  }

  // -------------------------------------------------------------------------------------------------------------- canvas
  document.addEventListener("picture:open", (event) => { event.preventDefault(); select(event.detail); });
  document.addEventListener("picture:note", (event) => { focus = `#d-notes-${event.detail}`; select(""); });
  document.addEventListener("picture:change", (event) => change(event.detail));
  document.addEventListener("picture:drop", (event) => adding(event.detail));
  document.addEventListener("picture:remove", (event) => remove(event.detail));

  // ------------------------------------------------------------------------------------------------------------ add step
  const dialog = () => document.getElementById("add-step");
  const offered = () => [...dialog().querySelectorAll("[data-add]")].filter((each) => !each.hidden);
  // where a new step comes from, when a handle of the canvas was dropped: [step, outcome]
  let from = null;

  // the keys 1 to 6
  const FAMILIES = ["start", "action", "llm", "condition", "loop", "output"];
  let family = "";

  function adding(origin = null, number = 0) {
    from = origin;
    family = FAMILIES[number - 1] || "";
    dialog().showModal();
    const search = document.getElementById("add-step-search");
    search.value = "";
    filter();
    search.focus();
  }
  function filter() {
    const words = document.getElementById("add-step-search").value.toLowerCase().split(/\s+/).filter(Boolean);
    dialog().querySelectorAll("[data-add]").forEach((each) => { each.hidden = !words.every((word) => each.dataset.words.includes(word)) || Boolean(family && each.closest(".add-family").dataset.family !== family); });
    dialog().querySelectorAll(".add-family").forEach((each) => { each.hidden = !each.querySelector("[data-add]:not([hidden])"); });
    const titled = offered().find((each) => words.length && each.dataset.title.toLowerCase().startsWith(words[0]));
    mark(titled || offered()[0]);
  }
  function mark(option) {
    dialog().querySelectorAll("[data-add]").forEach((each) => each.setAttribute("aria-selected", String(each === option)));
    const search = document.getElementById("add-step-search");
    if (option) { search.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); } else search.removeAttribute("aria-activedescendant");
  }
  document.addEventListener("input", (event) => { if (event.target.id === "add-step-search") filter(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "add-step-search") return;
    const options = offered();
    const at = options.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(options[(at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length]);
    }
    if (event.key === "Enter") { event.preventDefault(); if (options[at]) take(options[at]); }
    // browsers only empty a search with it
    if (event.key === "Escape") { event.preventDefault(); dialog().close(); }
  });

  // A type is dragged out of the palette and put behind the step on which it is dropped, in the outline or on the canvas.
  let dragged = null;
  const under = (target) => { const id = target.closest?.("[data-outline] [data-step]")?.dataset.step ?? target.closest?.("[data-canvas] [data-cell-id]")?.dataset.cellId; return order().includes(id) ? id : null; };
  const mayDrop = (target) => dragged && target.closest?.("[data-outline], [data-canvas]");
  const aim = (id = null) => document.querySelectorAll("[data-outline] [data-step]").forEach((line) => line.toggleAttribute("data-drop", line.dataset.step === id));
  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("[data-add]");
    if (!dragged) return;
    event.dataTransfer.setData("text/plain", dragged.dataset.title);
    // at once it would end the drag
    setTimeout(() => dialog().close());
  });
  document.addEventListener("dragover", (event) => { if (!mayDrop(event.target)) return; event.preventDefault(); aim(under(event.target)); });
  document.addEventListener("dragend", () => { dragged = null; aim(); });
  document.addEventListener("drop", (event) => {
    if (!mayDrop(event.target)) return;
    event.preventDefault();
    const behind = under(event.target);
    from = behind && !ends().has(behind) ? [behind, "default"] : null;
    take(dragged);
  });

  async function addingBehind(step, number) {
    if (chosen() !== step) await select(step);
    adding(null, number);
  }
  async function connecting(step) {
    focus = "[data-way]";
    if (chosen() !== step) await select(step); else { focus = ""; root().querySelector("[data-way]")?.focus(); }
  }

  function take(option) {
    dialog().close();
    paste({ type: option.dataset.add, title: option.dataset.title });
  }

  const free = (base) => {
    const taken = new Set(order());
    let number = 2;
    let id = base;
    while (taken.has(id)) { id = `${base}_${number}`; number += 1; }
    return id;
  };

  const ends = () => new Set([...document.querySelectorAll("[data-outline] [data-step]")].filter((each) => each.querySelector(".kind.output")).map((each) => each.dataset.step));
  const titleOf = (id) => document.querySelector(`[data-outline] [data-step="${CSS.escape(id)}"] b`)?.textContent ?? id;
  // A new step stands behind the chosen one; behind an end it stands before it.
  async function paste(step) {
    if (!step?.type) return;
    await draft.flush();
    const last = order().filter((each) => !ends().has(each)).pop();
    const [after, outcome] = from || (chosen() && !ends().has(chosen()) ? [chosen(), open()] : [last, "default"]);
    from = null;
    const id = free(step.type);
    const { next, at, ...rest } = step;
    draft.add([{ op: "add_step", step: { ...rest, id }, ...(after ? { after, outcome } : {}) }], id);
    focus = "#f-title";
    const saved = await draft.flush();
    if (saved) await arrived(id);
    draft.announce(saved ? `${step.title || step.type} added${after ? ` behind ${titleOf(after)}` : ""}` : `${step.title || step.type} is kept here, and added as soon as the console answers`);
  }
  // The first way on from the chosen step that leads nowhere yet.
  const open = () => [...root().querySelectorAll("[data-way]")].find((each) => !each.value)?.dataset.way || "default";
  const copied = () => {
    const held = document.querySelector("[data-step-settings]");
    if (!held) return null;
    const { id, ...step } = JSON.parse(held.dataset.json);
    return step;
  };

  // ---------------------------------------------------------------------------------------------------------------- keys
  document.addEventListener("keydown", (event) => {
    if (!root() || event.defaultPrevented) return;
    const key = event.key.toLowerCase();
    const control = event.ctrlKey || event.metaKey;
    if (control && key === "s") { event.preventDefault(); if (root().dataset.view === "text") saveText(); else draft.flush().then((saved) => saved && draft.announce("Saved")); return; }
    if (dialog()?.open) return;
    // back from the settings to the step
    if (key === "escape" && event.target.closest?.("#panel") && chosen()) {
      event.preventDefault();
      root().querySelector("[data-outline] [aria-current=true]")?.focus();
      return;
    }
    if (control && key === "z" && root().dataset.view !== "text") { event.preventDefault(); back(event.shiftKey ? "redo" : "undo"); return; }
    const line = event.target.closest?.("[data-outline] [data-select]");
    if (!line) return;
    const lines = [...document.querySelectorAll("[data-outline] [data-select]")];
    const step = line.dataset.select;
    const turn = { arrowdown: 1, arrowup: -1 }[key];
    if (turn && event.altKey) { event.preventDefault(); focus = `[data-select="${CSS.escape(step)}"]`; move(step, turn); }
    else if (turn) { event.preventDefault(); const seen = lines.filter((each) => each.offsetParent); seen[seen.indexOf(line) + turn]?.focus(); }
    else if (key === "delete") { event.preventDefault(); remove(step); }
  });
  document.addEventListener("copy", (event) => {
    if (!root() || typing(event.target) || String(getSelection())) return;
    const step = copied();
    if (!step) return;
    event.clipboardData.setData("text/plain", JSON.stringify(step, null, 2));
    event.preventDefault();
    draft.announce("Step copied");
  });
  document.addEventListener("paste", (event) => {
    if (!root() || typing(event.target)) return;
    try { const { id, ...step } = JSON.parse(event.clipboardData.getData("text/plain")); paste(step); event.preventDefault(); } catch { /* no step */ }
  });

  // ---------------------------------------------------------------------------------------------------------------- text
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-text]")) noteText(1200); });

  function noteText(wait) {
    let wrong = "";
    try { JSON.parse(box().value); } catch (error) { wrong = error.message; }
    draft.addText(box().value, known, !wrong, wait);
    if (wrong) draft.say(`Not saved: ${wrong}`);
    else if (!draft.waiting()) draft.say("As saved");
  }
  async function saveText() {
    if (!box()) return;
    noteText(0);
    if (draft.rough()) draft.announce(document.getElementById("saved").textContent);
    else if (await draft.flush()) draft.announce("Saved");
  }

  // Who leaves text that is no document yet would leave it behind.
  function unreadable() {
    const words = `${document.getElementById("saved").textContent}. Mend the text, or take back what you typed, before you go on.`;
    const made = document.createElement("template");
    made.innerHTML = '<div class="notice warn" role="alert" data-refused><div><p class="head"></p><p class="bar"><button class="btn small" type="button" data-take-theirs>Show what is saved</button></p></div></div>';
    made.content.querySelector(".head").textContent = words;
    document.getElementById("refusal").replaceChildren(made.content);
    box()?.focus();
  }

  draft.onText(async (kept) => {
    if (!box()) await draft.load(`${root().dataset.url}?view=text`);
    if (!box()) return;
    history.replaceState({}, "", `${root().dataset.url}?view=text`);
    known = kept.since;
    box().value = kept.text;
    noteText(1200);
    draft.announce("What you typed is back. It could not be saved, because it is no JSON yet.");
  });

  window.handrailEditor = { value: (box) => { const held = valueOf(box); return held === GONE ? "" : held; }, select, change, adding, addingBehind, connecting, remove };
  document.addEventListener("DOMContentLoaded", () => { if (root()) { root().querySelectorAll("select[data-way]").forEach(offerSteps); known = box()?.value ?? ""; draft.restore(); } });
})();
