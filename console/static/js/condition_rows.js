// Conditions of a step as rows: what is compared, how, with what. The rows write the expression into the box below them, which is what is saved.
// A row that lacks something is marked and kept as it is until it says something.
"use strict";
(() => {
  const VALUELESS = new Set(["empty", "filled", "yes", "no"]);
  const TODAY = { past: "<", ahead: ">=" };
  const part = (row, name) => row.querySelector(`[data-part=${name}]`);
  const rowsOf = (box) => [...box.querySelectorAll(".condition-row")];

  // The comparisons that fit, the values to choose from, and no box where nothing is compared with.
  function fit(row) {
    const field = part(row, "field").selectedOptions[0];
    const how = part(row, "comparison");
    const value = part(row, "value");
    for (const option of how.options) option.hidden = option.disabled = !option.dataset.for.split(" ").includes(field.dataset.kind || "any");
    if (how.selectedOptions[0]?.disabled) how.selectedIndex = [...how.options].findIndex((option) => !option.disabled && option.value === "==");
    if (how.selectedIndex < 0) how.selectedIndex = [...how.options].findIndex((option) => !option.disabled);
    value.hidden = VALUELESS.has(how.value) || how.value in TODAY;
    const unit = row.querySelector("[data-unit]");
    const currency = field.dataset.currency || "";
    unit.hidden = value.hidden || !currency;
    unit.textContent = currency.includes(".") ? "In the currency of each amount: 500 is 500 euros of one and 500 yen of another. To mean one currency, add a condition on it." : `In ${currency}.`;
    offer(row, value, field.dataset.options);
    find(row, value, ["==", "!=", "in"].includes(how.value) ? field.dataset.references : "");
    chosen(row).hidden = how.value !== "in" || !field.dataset.references;
  }
  // The records that one of is to be: those found by name, each ticked until it is not meant any more.
  const chosen = (row) => row.querySelector("[data-chosen]");
  function choose(row) {
    const [name, of] = JSON.parse(row.querySelector("[data-picked]").value);
    const known = [...chosen(row).querySelectorAll("input")].find((tick) => tick.value === of);
    if (known) known.checked = true;
    else {
      const line = Object.assign(document.createElement("label"), { className: "choice" });
      line.append(Object.assign(document.createElement("input"), { type: "checkbox", value: of, checked: true }), Object.assign(document.createElement("span"), { textContent: name }));
      chosen(row).append(line);
    }
    part(row, "value").value = row.querySelector("[data-picked]").value = "";
  }
  // Where a value is the key of a record, it is found by name.
  function find(row, value, collection = "") {
    const before = value.dataset.pick ?? "";
    value.parentElement.hidden = value.hidden;
    if (before === collection) return;
    if (before) {
      value.value = collection ? "" : key(row);
      row.querySelector("[data-picked]").value = "";
      chosen(row).replaceChildren();
    }
    const known = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", placeholder: "Find by name", "data-pick": collection };
    for (const [name, says] of Object.entries(known)) collection ? value.setAttribute(name, says) : value.removeAttribute(name);
  }
  // The key of the record that was chosen by name, while that name stands in the box; else what was typed.
  function key(row) {
    const text = part(row, "value").value.trim();
    const [name, of] = JSON.parse(row.querySelector("[data-picked]").value || "[]");
    return name !== undefined && name.trim() === text ? of : text;
  }
  function offer(row, value, options) {
    row.querySelector("datalist")?.remove();
    value.removeAttribute("list");
    if (!options) return;
    const list = document.createElement("datalist");
    list.id = `${row.closest("[data-condition]").id}-${rowsOf(row.closest("[data-condition]")).indexOf(row)}-values`;
    list.append(...JSON.parse(options).map(([, label]) => new Option(label, label)));
    row.append(list);
    value.setAttribute("list", list.id);
  }

  class Lacking extends Error {}
  function literal(text, field) {
    if (text.startsWith("$currentUser.")) return text;
    const named = JSON.parse(field.dataset.options || "[]").find(([code, label]) => code === text || label.toLowerCase() === text.toLowerCase());
    const number = /^-?\d{1,30}(\.\d{1,30})?$/.test(text);
    if (field.dataset.references && field.dataset.kind === "number" && !number) throw new Lacking("Choose a record that is found, or type its key.");
    if (["number", "amount"].includes(field.dataset.kind) && !number) throw new Lacking(`Write a number by digits alone, such as 500 or 12.50: ${text} is none.`);
    // held in the smallest unit of its currency
    if (field.dataset.kind === "amount") return `minor(${text}, ${field.dataset.currency})`;
    if (field.dataset.digits) return String(Math.round(Number(text) * 10 ** Number(field.dataset.digits)));
    if (field.dataset.kind === "day" && !/^\d{4}-\d{2}-\d{2}/.test(text)) throw new Lacking(`Write a day as 2026-12-31: ${text} is none.`);
    return number && field.dataset.kind !== "text" ? text : JSON.stringify(named ? named[0] : text);
  }
  function said(row) {
    const field = part(row, "field").selectedOptions[0];
    const [path, how, value] = [field.value, part(row, "comparison").value, key(row)];
    if (!path) throw new Lacking("");
    if (how === "empty" || how === "filled") return `${path} ${how === "empty" ? "==" : "!="} null`;
    if (how === "yes" || how === "no") return `${path} == ${how === "yes"}`;
    if (how in TODAY) return `${path} ${TODAY[how]} today()`;
    const ticked = chosen(row).hidden ? [] : [...chosen(row).querySelectorAll(":checked")].map((tick) => tick.value);
    if (!chosen(row).hidden && value && field.dataset.kind !== "number") throw new Lacking("Choose a record that is found.");
    if (!value && !ticked.length) throw new Lacking("");
    if (how === "contains" || how === "startsWith") return `${path}.${how}(${JSON.stringify(value)})`;
    if (how === "in") return `${path} in [${[...ticked, ...value.split(",")].map((each) => each.trim()).filter(Boolean).map((each) => literal(each, field)).join(", ")}]`;
    if (!["last", "older", "next"].includes(how)) return `${path} ${how} ${literal(value, field)}`;
    if (!/^\d{1,5}$/.test(value)) throw new Lacking("Write a number of days.");
    if (how === "next") return "day" in field.dataset ? `${path} <= addDays(today(), ${value})` : `${path} < addDays(today(), ${Number(value) + 1})`;
    return `${path} ${how === "last" ? ">=" : "<"} addDays(today(), -${value})`;
  }

  // What the rows say goes into the box, as if it were typed there.
  function write(box) {
    const told = [];
    let lacking = false;
    for (const row of rowsOf(box)) {
      const wrong = row.querySelector("[data-wrong]");
      wrong.textContent = "";
      try { told.push(said(row)); } catch (error) {
        if (!(error instanceof Lacking)) throw error;
        lacking = true;
        wrong.textContent = error.message;
      }
      wrong.hidden = !wrong.textContent;
    }
    box.toggleAttribute("data-unfinished", lacking);
    box.querySelector("[data-joined]").hidden = rowsOf(box).length < 2;
    const field = document.getElementById(box.dataset.condition);
    const text = told.join(box.querySelector("[data-joined]").value);
    if (field.value === text || (lacking && !told.length)) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function add(box) {
    const last = rowsOf(box).at(-1);
    const made = last.cloneNode(true);
    part(made, "field").value = "";
    part(made, "value").value = made.querySelector("[data-picked]").value = "";
    chosen(made).replaceChildren();
    made.querySelector("[data-wrong]").hidden = true;
    last.after(made);
    number(box);
    write(box);
    part(made, "field").focus();
  }
  function remove(row) {
    const box = row.closest("[data-condition]");
    if (rowsOf(box).length > 1) row.remove();
    else {
      for (const each of [part(row, "field"), part(row, "value"), row.querySelector("[data-picked]")]) each.value = "";
      chosen(row).replaceChildren();
    }
    number(box);
    const field = document.getElementById(box.dataset.condition);
    if (rowsOf(box).length === 1 && !part(rowsOf(box)[0], "field").value && field.value) { field.value = ""; field.dispatchEvent(new Event("input", { bubbles: true })); }
    write(box);
    part(rowsOf(box).at(-1), "field").focus();
  }
  function number(box) {
    rowsOf(box).forEach((row, place) => {
      row.setAttribute("aria-label", `Condition ${place + 1}`);
      row.querySelector("[data-condition-remove]").setAttribute("aria-label", `Remove condition ${place + 1}`);
      fit(row);
    });
  }

  const boxOf = (target) => target.closest?.("[data-condition]");
  document.addEventListener("input", (event) => {
    if (!event.target.matches?.("[data-condition] :is([data-part], [data-joined], [data-chosen] input)")) return;
    const row = event.target.closest(".condition-row");
    if (event.target.matches("[data-part=field]") && event.target.value.endsWith(".")) { lead(event.target.selectedOptions[0]); return; }
    if (event.detail === "picked" && !chosen(row).hidden) choose(row);
    if (row && event.target.matches("select")) fit(row);
    write(boxOf(event.target));
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-condition-add]")) add(boxOf(event.target));
    if (event.target.closest?.("[data-condition-remove]")) remove(event.target.closest(".condition-row"));
  });
  // Fields over relations are offered by the name of the relation, which gives way to them when it is chosen.
  function offerRelations(select) {
    const known = [...document.querySelectorAll("#names option[value$='.']")].map((option) => new Option(option.label, option.value));
    if (!known.length || select.querySelector("[data-related]")) return;
    const group = Object.assign(document.createElement("optgroup"), { label: "Related" });
    group.dataset.related = "";
    group.append(...known);
    select.append(group);
  }
  async function lead(option) {
    const options = await window.handrailCompletions.lead(option.value);
    const select = option.closest("select");
    option.replaceWith(...options);
    select.value = options[0]?.value ?? "";
    select.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const fitAll = () => document.querySelectorAll("[data-condition] .condition-row").forEach((row) => { if (part(row, "field").closest("#editor")) offerRelations(part(row, "field")); fit(row); });
  document.addEventListener("DOMContentLoaded", fitAll);
  document.addEventListener("editor:drawn", fitAll);
})();
