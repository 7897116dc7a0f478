// Names that complete in boxes with data-complete: a list opens under the box while a name is typed; its names are the options of #names.
// In a text a brace asks for them, and offers a part that stands there by a condition; in that condition names complete too.
// The arrows choose, Enter and Tab take what was chosen or what goes on as it was typed, Escape closes. window.handrailCompletions.open() tells whether the list is open.
"use strict";
(() => {
  const list = () => document.getElementById("completions");
  const open = () => Boolean(list() && !list().hidden);
  // the box that the list belongs to
  let box = null;

  function close() {
    if (list()) list().hidden = true;
    box?.removeAttribute("aria-activedescendant");
    box = null;
  }

  // The fields of the record that a relation leads to are asked for when it is taken: its name ends with a dot.
  const led = new Map();
  const further = new Map();
  async function lead(name) {
    const address = `${document.getElementById("editor").dataset.url}/fields?of=${name}`;
    if (!led.has(name)) led.set(name, fetch(address).then((answer) => (answer.ok ? answer.json() : [])).catch(() => []));
    const options = (await led.get(name)).map((given) => {
      const option = new Option(given.label);
      for (const [key, value] of Object.entries(given)) if (value !== null) option.setAttribute(key, value);
      return option;
    });
    options.forEach((option) => further.set(option.value, option));
    return options.map((option) => option.cloneNode(true));
  }

  // What is typed before the caret: a name, or in a text `{` and the beginning of one.
  const FIELD = /\{\{?\s*([\p{L}\p{N}_.$]*)$/u;
  const WORD = /[\p{L}\p{N}_.$]+$/u;
  // the condition of a part of a text, up to the caret
  const CONDITION = /\{\{\s*(?:else\s+)?if\s(?:(?!\}\}).)*$/su;
  const CHOICE = "if … else";
  // record["full name"] is found by record.full too
  const plain = (words) => words.toLowerCase().replace(/\["|"\]/g, ".");
  const before = (target) => target.value.slice(0, target.selectionStart);
  const field = (target) => (target.dataset.complete === "template" ? before(target).match(FIELD) : null);

  function offer(target) {
    const merge = field(target);
    const value = valued(target);
    const word = merge ? merge[1] : value ? target.value.trim() : (before(target).match(WORD) || [""])[0];
    const given = value ? JSON.parse(target.dataset.values).map(([name, label]) => ({ value: name, label, dataset: { about: "Value" } })) : [];
    const known = [...document.querySelectorAll("#names option")];
    const names = [...given, ...known, ...[...further.values()].filter(({ value: name }) => !known.some((each) => each.value === name))];
    const alike = (option) => !(value && !word && option.value.endsWith("(")) && !(merge && option.value.endsWith("(")) && plain(`${option.value} ${option.label}`).includes(word.toLowerCase()) && option.value !== word && !(option.label === word && option.value.endsWith("."));
    // in a text only a brace asks: Tab must not turn its words into names
    const wanted = merge || value || ((target.dataset.complete !== "template" || CONDITION.test(before(target))) && word.length > 1);
    const extends_ = (name) => Boolean(word) && name.toLowerCase().startsWith(word.toLowerCase());
    const found = (wanted ? names.filter(alike) : []).sort((one, other) => extends_(other.value) - extends_(one.value)).slice(0, 30);
    // a whole name, and one that is a part of others, stay as typed unless another is chosen
    const ready = !names.some((option) => option.value === word) && found.length > 0 && extends_(found[0].value);
    if (merge && CHOICE.startsWith(word)) found.push({ value: CHOICE, label: "another text where a condition holds" });
    if (!found.length) { close(); return; }
    box = target;
    list().replaceChildren(...found.map(({ value: name, label, dataset }, number) => {
      const item = document.createElement("li");
      const about = value && label && !name.endsWith("(") ? dataset?.about || "" : label;
      item.textContent = about === label ? name : label;
      item.dataset.name = name;
      item.dataset.label = item.textContent;
      if (about && about !== name) item.append(Object.assign(document.createElement("small"), { textContent: ` ${about}` }));
      item.id = `completion-${number}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(ready && number === 0));
      return item;
    }));
    const place = box.getBoundingClientRect();
    list().style.left = `${Math.max(4, Math.min(place.left, innerWidth - 260))}px`;
    list().style.top = `${Math.min(place.bottom + 2, innerHeight - 230)}px`;
    list().hidden = false;
    if (value) window.handrailSamples?.([...list().children]);
    box.setAttribute("aria-controls", "completions");
    if (ready) box.setAttribute("aria-activedescendant", "completion-0"); else box.removeAttribute("aria-activedescendant");
  }

  // What is picked whole is shown by its label.
  const valued = (target) => target.dataset.complete === "value" && (target.value.includes("›") || !/[-+*/(&|<>=!"]/.test(target.value));
  async function take(item) {
    const target = box;
    if (valued(target) && item.dataset.name.endsWith(".")) {
      target.value = `${item.dataset.label} `;
      await lead(item.dataset.name);
      offer(target);
      return;
    }
    if (valued(target) && !item.dataset.name.endsWith("(")) {
      target.value = item.dataset.label;
      target.dataset.strict = "";
      target.parentElement.querySelector("[data-picked]").value = JSON.stringify([item.dataset.label, item.dataset.name, true]);
      target.focus();
      target.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "picked" }));
      close();
      return;
    }
    const merge = field(target);
    const choice = merge && item.dataset.name === CHOICE;
    const rest = (choice ? " }}{{ else }}{{ end }}" : "") + target.value.slice(target.selectionStart);
    const leads = item.dataset.name.endsWith(".");
    if (leads) await lead(item.dataset.name);
    const start = choice ? `${before(target).slice(0, merge.index)}{{ if ` : merge ? `${before(target).slice(0, merge.index)}{{ ${item.dataset.name}${leads ? "" : " }}"}` : before(target).replace(WORD, "") + item.dataset.name;
    target.value = start + (merge && !choice && !leads ? rest.replace(/^\s*\}\}?/, "") : rest);
    target.setSelectionRange(start.length, start.length);
    target.focus();
    target.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  }

  document.addEventListener("focusin", (event) => { if (event.target.matches?.("[data-complete=value]") && !event.target.value) offer(event.target); });
  document.addEventListener("input", (event) => { if (event.detail !== "picked" && event.target === document.activeElement && event.target.matches("[data-complete]")) offer(event.target); });
  document.addEventListener("keydown", (event) => {
    if (!open() || event.target !== box) return;
    const items = [...list().children];
    const chosen = items.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); return; }
    if (event.key === "Enter" || event.key === "Tab") {
      if (chosen < 0) { close(); return; }
      event.preventDefault();
      take(items[chosen]);
      return;
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const next = chosen < 0 ? (event.key === "ArrowDown" ? 0 : items.length - 1) : (chosen + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length;
    items[chosen]?.setAttribute("aria-selected", "false");
    items[next].setAttribute("aria-selected", "true");
    items[next].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", items[next].id);
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const item = event.target.closest?.("#completions li");
    if (item) { event.preventDefault(); take(item); } else if (open()) close();
  });
  document.addEventListener("focusout", (event) => {
    if (event.target === box) close();
    // the field at the end of the relations was not chosen
    if (event.target.dataset?.complete === "value" && event.target.value.endsWith("› ")) event.target.value = JSON.parse(event.target.parentElement.querySelector("[data-picked]").value)[0];
  });

  window.handrailCompletions = { open, lead };
})();
