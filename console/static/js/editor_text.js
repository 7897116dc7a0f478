// The document as text: its lines are numbered, the problems stand in the margin at the line that they are about, and keys, values that a list fixes
// and the ids of steps complete from the published schema. F8 and Shift F8 walk the problems.
"use strict";
(() => {
  const MOST = 40;
  const root = () => document.getElementById("editor");
  const box = () => document.getElementById("text");
  const margin = () => document.querySelector("[data-text-margin]");
  const list = () => document.getElementById("completions");
  let schema = null;
  // line → what is wrong there
  let marks = new Map();
  let lineHeight = 0;

  // ------------------------------------------------------------------------------------------------- where what stands
  // The text read letter by letter, as far as it can be read: the line of each place, and what the caret stands in.
  function scan(text, caret = -1) {
    const lines = new Map([["[]", 1]]);
    // {array, key, index, keys}
    const stack = [];
    let line = 1;
    let at = null;
    const place = () => stack.map((each) => (each.array ? each.index : each.key));
    const here = (start) => ({ path: stack.slice(0, -1).map((each) => (each.array ? each.index : each.key)), inside: stack.at(-1), key: stack.at(-1)?.array ? stack.at(-1).index : stack.at(-1)?.value ? stack.at(-1).key : null, start });
    const begun = () => { const top = stack.at(-1); if (top && (top.array || top.value)) lines.set(JSON.stringify(place()), line); };
    for (let index = 0; index <= text.length; index += 1) {
      if (index === caret && !at) at = { ...here(index), word: "", keys: stack.at(-1)?.keys };
      const letter = text[index];
      if (letter === "\n") line += 1;
      else if (letter === "{" || letter === "[") { begun(); stack.push({ array: letter === "[", index: 0, key: null, value: false, keys: [] }); } else if (letter === "}" || letter === "]") stack.pop();
      else if (letter === "," && stack.length) { const top = stack.at(-1); if (top.array) top.index += 1; top.value = false; } else if (letter === ":" && stack.length) stack.at(-1).value = true;
      else if (letter === '"') {
        let end = index + 1;
        while (end < text.length && text[end] !== '"' && text[end] !== "\n") end += text[end] === "\\" ? 2 : 1;
        const top = stack.at(-1);
        const word = text.slice(index + 1, end);
        if (caret > index && caret <= end) at = { ...here(index + 1), word: text.slice(index + 1, caret), end, quoted: true, keys: top?.keys };
        if (top && !top.array && !top.value) { top.key = word; top.keys.push(word); lines.set(JSON.stringify(place()), line); } else begun();
        if (text[end] === "\n") end -= 1;
        index = Math.min(end, text.length);
      } else if (letter && !/\s/.test(letter)) begun();
    }
    return { lines, at };
  }

  const parts = (field) => field.replace(/\[(\d+)\]/g, ".$1").split(".").filter(Boolean).map((part) => (/^\d+$/.test(part) ? Number(part) : part));

  // The nearest place that is there: of a setting that is missing, what it should stand in.
  function lineOf(lines, path) {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = lines.get(JSON.stringify(path.slice(0, length)));
      if (found) return found;
    }
    return 1;
  }

  function mark() {
    marks = new Map();
    if (!box()) return;
    const text = box().value;
    const { lines } = scan(text);
    let document_ = null;
    try { document_ = JSON.parse(text); } catch (error) {
      const [, spot] = error.message.match(/position (\d+)/) || [];
      const line = spot === undefined ? text.split("\n").length : text.slice(0, Number(spot)).split("\n").length;
      marks.set(line, { severity: "error", words: [`It cannot be read from here on: ${error.message}`] });
    }
    const steps = (document_?.steps || []).map((step) => step?.id);
    for (const item of document.querySelectorAll("#problems [data-problem]")) {
      const { step, field, problem: severity } = item.dataset;
      const number = step ? steps.indexOf(step) : -1;
      if (step && number < 0) continue;
      const line = lineOf(lines, [...(step ? ["steps", number] : []), ...parts(field)]);
      const former = marks.get(line);
      marks.set(line, { severity: former?.severity === "error" ? "error" : severity, words: [...(former?.words || []), item.querySelector("span").textContent.trim()] });
      item.dataset.line = line;
    }
    draw();
  }

  function draw() {
    const field = box();
    if (!field || !margin()) return;
    lineHeight ||= parseFloat(getComputedStyle(field).lineHeight);
    const count = field.value.split("\n").length;
    const first = Math.max(0, Math.floor(field.scrollTop / lineHeight) - 1);
    const until = Math.min(count, first + Math.ceil(field.clientHeight / lineHeight) + 3);
    const rows = [];
    for (let line = first + 1; line <= until; line += 1) {
      const row = document.createElement("div");
      row.textContent = line;
      const wrong = marks.get(line);
      if (wrong) { row.className = wrong.severity; row.title = wrong.words.join("\n"); row.dataset.line = line; }
      rows.push(row);
    }
    const inner = document.createElement("div");
    inner.style.transform = `translateY(${first * lineHeight - field.scrollTop}px)`;
    inner.append(...rows);
    margin().replaceChildren(inner);
  }

  function goTo(line) {
    const field = box();
    const before = field.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const length = field.value.slice(before).indexOf("\n");
    field.focus();
    field.setSelectionRange(before, length < 0 ? field.value.length : before + length);
    field.scrollTop = Math.max(0, (line - 6) * lineHeight);
    if (marks.has(line)) window.handrailDraft.announce(`Line ${line}: ${marks.get(line).words.join(" ")}`);
  }
  const lineNow = () => box().value.slice(0, box().selectionStart).split("\n").length;

  // --------------------------------------------------------------------------------------------------------- completing
  async function learn() {
    if (schema) return;
    try { schema = await (await fetch("/schema/workflow.json")).json(); } catch { /* not connected: nothing completes */ }
  }
  const plain = (part) => (part?.$ref ? plain(schema.$defs[part.$ref.split("/").pop()]) : part);
  const kinds = (part) => { const found = plain(part); return found?.anyOf || found?.oneOf ? (found.anyOf || found.oneOf).flatMap(kinds) : found ? [found] : []; };

  // The parts of the schema at a place; `values` are what the text holds there, so that the settings are those of the step's type.
  function at(path, values) {
    let found = [schema];
    let value = values;
    for (const part of path) {
      found = found.flatMap(kinds).flatMap((each) => {
        if (typeof part === "number") return each.items ? [each.items] : [];
        const when = (each.allOf || []).find((rule) => rule.if?.properties?.type?.const === value?.type)?.then?.properties?.[part];
        return when ? [when] : each.properties?.[part] ? [each.properties[part]] : typeof each.additionalProperties === "object" ? [each.additionalProperties] : [];
      });
      value = value?.[part];
    }
    return found.flatMap(kinds);
  }

  // What the text holds before the caret, of what encloses it: `type` stands above `config`.
  function enclosing(text, path) {
    const [top, number] = path;
    if (!["steps", "triggers"].includes(top) || typeof number !== "number") return {};
    const { lines } = scan(text);
    const begins = lines.get(JSON.stringify([top, number]));
    const own = text.split("\n").slice(begins - 1, (lines.get(JSON.stringify([top, number + 1])) || Infinity) - 1).join("\n");
    const kind = own.match(/"type"\s*:\s*"([^"]*)"/)?.[1];
    const entry = { type: kind, kind: own.match(/"kind"\s*:\s*"([^"]*)"/)?.[1] };
    return { [top]: { [number]: entry } };
  }

  function offer() {
    const field = box();
    if (!schema || field.selectionStart !== field.selectionEnd) { close(); return; }
    const text = field.value;
    const { at: here } = scan(text, field.selectionStart);
    if (!here?.quoted) { close(); return; }
    const values = enclosing(text, here.path.length > 1 ? here.path : [...here.path, here.inside?.array ? here.key : here.key]);
    const isKey = !here.inside?.array && here.key === null;
    let found = [];
    if (isKey) {
      const names = new Map(at(here.path, values).flatMap((each) => Object.entries(each.properties || {})));
      found = [...names].filter(([name]) => name === here.word || !here.keys.includes(name)).map(([name, about]) => [name, about.description || plain(about)?.description || ""]);
    } else {
      const full = [...here.path, here.key];
      if (full.at(-2) === "next" || (full.at(-1) === "start" && full.includes("config"))) found = [...text.matchAll(/^ {4,6}"id"\s*:\s*"([^"]+)"/gm)].map((each) => [each[1], "step"]);
      else found = at(full, values).flatMap((each) => (each.enum || (each.const !== undefined ? [each.const] : []))).filter((each) => typeof each === "string").map((each) => [each, ""]);
    }
    const word = here.word.toLowerCase();
    found = found.filter(([name]) => name.toLowerCase().includes(word) && name !== text.slice(here.start, here.end)).sort(([one], [two]) => two.toLowerCase().startsWith(word) - one.toLowerCase().startsWith(word)).slice(0, MOST);
    if (!found.length) { close(); return; }
    list().replaceChildren(...found.map(([name, about], number) => {
      const item = document.createElement("li");
      Object.assign(item, { id: `completion-${number}`, textContent: name });
      Object.assign(item.dataset, { name, start: here.start, end: here.end, rest: isKey && !/^"\s*:/.test(text.slice(here.end)) ? ": " : "" });
      if (about) item.append(Object.assign(document.createElement("small"), { textContent: ` ${about}` }));
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(number === 0));
      return item;
    }));
    const around = field.getBoundingClientRect();
    const line = lineNow();
    list().style.left = `${around.left + 60}px`;
    list().style.top = `${Math.min(around.top + (line + 0.5) * lineHeight - field.scrollTop, innerHeight - 230)}px`;
    list().hidden = false;
    field.setAttribute("aria-controls", "completions");
    field.setAttribute("aria-activedescendant", "completion-0");
  }
  const open = () => Boolean(list() && !list().hidden && document.activeElement === box());
  function close() { if (list() && box()) { list().hidden = true; box().removeAttribute("aria-activedescendant"); } }

  function take(item) {
    const { name, start, end, rest } = item.dataset;
    const field = box();
    const closing = field.value[Number(end)] === '"' ? "" : '"';
    field.setRangeText(`${name}${closing}`, Number(start), Number(end), "end");
    if (!closing) field.setSelectionRange(field.selectionEnd + 1, field.selectionEnd + 1);
    if (rest) field.setRangeText(rest, field.selectionEnd, field.selectionEnd, "end");
    close();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  }

  // ------------------------------------------------------------------------------------------------------------- events
  let timer = 0;
  document.addEventListener("input", (event) => {
    if (event.target !== box()) return;
    draw();
    clearTimeout(timer);
    timer = setTimeout(mark, 300);
    // of what is typed, not of what was taken from the list
    if (event.inputType) offer();
  });
  document.addEventListener("scroll", (event) => { if (event.target === box()) { draw(); close(); } }, true);
  document.addEventListener("focusin", (event) => { if (event.target === box()) learn(); });
  document.addEventListener("focusout", (event) => { if (event.target === box()) close(); });
  document.addEventListener("keydown", (event) => {
    if (event.target !== box()) return;
    if ((event.ctrlKey || event.metaKey) && event.key === " ") { event.preventDefault(); learn().then(offer); return; }
    if (event.key === "F8") {
      event.preventDefault();
      const lines = [...marks.keys()].sort((one, two) => one - two);
      const now = lineNow();
      const next = event.shiftKey ? lines.filter((line) => line < now).pop() ?? lines.at(-1) : lines.find((line) => line > now) ?? lines[0];
      if (next) goTo(next); else window.handrailDraft.announce("No problems");
      return;
    }
    if (!open()) return;
    const items = [...list().children];
    const chosen = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); } else if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(items[chosen]); } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = (chosen + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
      items[chosen].setAttribute("aria-selected", "false");
      items[next].setAttribute("aria-selected", "true");
      items[next].scrollIntoView({ block: "nearest" });
      box().setAttribute("aria-activedescendant", items[next].id);
    }
  }, true);
  document.addEventListener("pointerdown", (event) => {
    if (!box()) return;
    const item = event.target.closest?.("#completions li");
    if (item) { event.preventDefault(); event.stopImmediatePropagation(); take(item); return; }
    const row = event.target.closest?.("[data-text-margin] [data-line]");
    if (row) { event.preventDefault(); goTo(Number(row.dataset.line)); }
  }, true);
  // A problem leads to its line, as long as the text is what is looked at.
  document.addEventListener("click", (event) => {
    const link = box() && event.target.closest?.("#problems [data-select]");
    const line = link?.closest("[data-line]")?.dataset.line;
    if (line) { event.preventDefault(); event.stopImmediatePropagation(); goTo(Number(line)); }
  }, true);
  document.addEventListener("editor:drawn", () => { if (box()) mark(); });
  window.addEventListener("resize", draw);
  document.addEventListener("DOMContentLoaded", () => { if (root() && box()) mark(); });
})();
