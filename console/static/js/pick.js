// Boxes that find by name (data-pick): records, or the options of a long list (select[data-find]), open under the box while a name is typed. The
// arrows choose, Enter takes, Escape closes. The key of a record stands in the hidden input beside it, which the server reads while the name is
// still that one; a long list stays the select that it is without a script, out of sight, and what is taken is chosen in it. In a text with
// data-names an @ asks that address for people, and the way to name the one that is taken is written there.
"use strict";
(() => {
  // ms after the last letter
  const WAIT = 150;
  // the box that the list belongs to
  let box = null;
  let list = null;
  let asked = null;
  let timer = 0;

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().trim();
  const source = (target) => target.closest(".pick")?.previousElementSibling?.matches?.("select[data-find]") ? target.closest(".pick").previousElementSibling : null;
  // an @ and the beginning of a name before the caret; not in an e-mail address
  const NAMED = /(?<![\p{L}\p{N}_@.])@([\p{L}\p{N}_.'-]*)$/u;
  const before = (target) => target.value.slice(0, target.selectionStart);
  const options = () => [...list.querySelectorAll("[data-key]")];
  const chosen = () => list?.querySelector("[data-key][aria-selected=true]");

  function close() {
    clearTimeout(timer);
    asked?.abort();
    list?.remove();
    list = null;
    box?.removeAttribute("aria-activedescendant");
    if (box?.role) box.setAttribute("aria-expanded", "false");
  }

  async function ask(target) {
    const named = target.dataset.names && before(target).match(NAMED);
    const text = target.dataset.names ? named?.[1] : target.value.trim();
    if (source(target)) { draw(target, listed(source(target), plain(text))); return; }
    if (target.dataset.names ? !named : text.length < 2) { close(); return; }
    asked?.abort();
    const mine = asked = new AbortController();
    const token = document.getElementById("session-end")?.dataset.token ?? "";
    const body = new URLSearchParams({ q: text, collection: target.dataset.pick, csrf_token: token });
    try {
      const [address, more] = named ? [`${target.dataset.names}?${new URLSearchParams({ q: text })}`, {}] : ["/pick", { method: "POST", body }];
      const response = await fetch(address, { ...more, headers: { "HX-Request": "true" }, signal: mine.signal });
      if (response.ok && document.activeElement === target) draw(target, [...new DOMParser().parseFromString(await response.text(), "text/html").body.querySelectorAll("[role=option]")]);
    } catch { /* typed on, or no connection: a key can still be typed */ }
  }

  function listed(select, text) {
    const fits = [...select.options].filter((option) => option.value && !(select.multiple && option.selected) && plain(option.text).includes(text));
    fits.sort((one, other) => plain(other.text).startsWith(text) - plain(one.text).startsWith(text));
    const rows = fits.map((option, number) => Object.assign(document.createElement("li"), { id: `pick-${number}`, textContent: option.text }));
    rows.forEach((row, number) => { row.dataset.key = fits[number].value; row.dataset.title = fits[number].text; });
    return rows.length ? rows : [Object.assign(document.createElement("li"), { textContent: "Nothing in the list has this name" })];
  }

  function draw(target, rows) {
    close();
    box = target;
    list = document.createElement("ul");
    list.id = "picks-offered";
    list.className = "picks-offered";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", source(target) ? target.getAttribute("aria-label") : target.dataset.names ? "People" : "Records");
    rows.forEach((row) => row.setAttribute("role", "option"));
    list.append(...rows);
    box.after(list);
    if (box.role) box.setAttribute("aria-expanded", "true");
    box.setAttribute("aria-controls", list.id);
    point(options()[0]);
  }

  function point(row) {
    if (!row) return;
    options().forEach((each) => each.setAttribute("aria-selected", String(each === row)));
    box.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  }

  function take(row) {
    const target = box;
    if (source(target)) { choose(source(target), row.dataset.key, true); close(); return; }
    if (target.dataset.names) { close(); name(target, row.dataset.key); return; }
    target.value = row.dataset.title;
    target.parentElement.querySelector("[data-picked]").value = JSON.stringify([row.dataset.title, row.dataset.key]);
    close();
    target.dispatchEvent(new CustomEvent("input", { bubbles: true, detail: "picked" }));
    target.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function name(target, way) {
    const start = before(target).replace(NAMED, `@${way} `);
    target.value = start + target.value.slice(target.selectionStart).replace(/^ /, "");
    target.setSelectionRange(start.length, start.length);
    target.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A long list: the box beside the select shows what is chosen in it; of several, each with a button that takes it away.
  function choose(select, value, on) {
    for (const option of select.options) if (option.value === value) option.selected = on;
    for (const kind of ["input", "change"]) select.dispatchEvent(new Event(kind, { bubbles: true }));
  }
  function show(select) {
    const part = select.nextElementSibling;
    const chosen = [...select.selectedOptions].filter((option) => option.value);
    part.querySelector("input").value = select.multiple ? "" : chosen[0]?.text ?? "";
    part.querySelectorAll(".chip").forEach((chip) => chip.remove());
    if (select.multiple) part.prepend(...chosen.map((option) => {
      const chip = Object.assign(document.createElement("span"), { className: "chip", textContent: option.text });
      chip.append(Object.assign(document.createElement("button"), { type: "button", textContent: "×", value: option.value, ariaLabel: `Take away ${option.text}` }));
      return chip;
    }));
  }
  const beside = (select) => select.nextElementSibling?.matches(".pick") === true;
  function found() {
    for (const select of document.querySelectorAll("select[data-find]")) {
      if (!beside(select)) {
        const part = Object.assign(document.createElement("span"), { className: "pick of-list" });
        const input = Object.assign(document.createElement("input"), { className: "input", autocomplete: "off", placeholder: "Find by name" });
        const known = { role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-label": select.labels[0]?.firstChild.textContent.trim() ?? "", "data-pick": "" };
        for (const name of ["aria-describedby", "aria-invalid", "aria-required"]) if (select.hasAttribute(name)) known[name] = select.getAttribute(name);
        for (const [name, value] of Object.entries(known)) input.setAttribute(name, value);
        part.append(input);
        select.after(part);
      }
      Object.assign(select, { tabIndex: -1, ariaHidden: "true" }).classList.add("vh");
      if (!select.nextElementSibling.contains(document.activeElement)) show(select);
    }
  }
  found();
  document.addEventListener("htmx:afterSettle", found);
  document.addEventListener("change", (event) => { if (event.target.matches("select[data-find]") && beside(event.target)) show(event.target); });
  document.addEventListener("focusin", (event) => { if (event.target.matches("select[data-find]") && beside(event.target)) event.target.nextElementSibling.querySelector("input").focus(); });
  document.addEventListener("click", (event) => {
    const away = event.target.closest(".pick .chip button");
    if (!away) return;
    const part = away.closest(".pick");
    choose(part.previousElementSibling, away.value, false);
    part.querySelector("input").focus();
  });

  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-pick], [data-names]") || event.detail === "picked") return;
    clearTimeout(timer);
    timer = setTimeout(ask, source(event.target) ? 0 : WAIT, event.target);
  });
  document.addEventListener("keydown", (event) => {
    const select = event.target.matches("[data-pick]") && source(event.target);
    if (select && !list && event.key === "ArrowDown") { event.preventDefault(); draw(event.target, listed(select, "")); return; }
    if (select?.multiple && event.key === "Backspace" && !event.target.value) [...event.target.closest(".pick").querySelectorAll(".chip button")].at(-1)?.click();
    if (!list || event.target !== box) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Escape" && !(event.key === "Enter" && !event.ctrlKey && !event.metaKey)) return;
    // nobody is called so: in a text the keys go on writing
    if (box.dataset.names && !chosen() && event.key !== "Escape") { close(); return; }
    event.preventDefault();
    event.stopPropagation();
    const rows = options();
    if (step) point(rows[(rows.indexOf(chosen()) + step + rows.length) % rows.length]);
    else if (event.key === "Enter" && chosen()) take(chosen());
    else close();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    const row = event.target.closest?.(".picks-offered [data-key]");
    if (row) { event.preventDefault(); take(row); }
  });
  document.addEventListener("focusout", (event) => {
    const select = event.target.matches("[data-pick]") && source(event.target);
    if (event.target === box) close();
    if (!select) return;
    const typed = plain(event.target.value);
    const meant = typed && [...select.options].filter((option) => option.value && !option.selected && plain(option.text) === typed);
    if (!select.multiple && !typed && select.value) choose(select, "", true);
    // a whole name that only one has is taken without Enter; any other text that was not taken is not chosen
    else if (meant.length === 1) choose(select, meant[0].value, true);
    show(select);
  });
})();
