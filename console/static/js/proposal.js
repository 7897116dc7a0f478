// Proposals in a form: they fill what nobody touched, and are accepted, edited or left. Nothing typed is overwritten. Until they come: awaited.js; as they come: arrived.js.
"use strict";
(() => {
  const form = () => document.getElementById("step-form");
  const strip = () => document.getElementById("proposal");
  const fields = (root = form()) => [...(root?.querySelectorAll("[data-ai]") ?? [])];
  const there = (field) => field.querySelector("[data-when]") !== null;
  const state = (field) => field.dataset.aiState;
  const mark = (field) => field.querySelector("[data-ai-mark]");
  const same = (one, other) => one.length === other.length && one.every((text) => other.includes(text));
  const told = (field, name) => JSON.parse(field.dataset[name] || "[]");
  let applying = false;

  // -- the boxes of a field, as texts

  const ticks = (field) => [...field.querySelectorAll("input[type=checkbox], input[type=radio]")];
  const box = (field) => field.querySelector("input:not([type=hidden]), select, textarea");

  function held(field) {
    const all = ticks(field);
    if (all.length === 1 && all[0].matches("[role=switch]")) return [String(all[0].checked)];
    if (all.length) return all.filter((one) => one.checked).map((one) => one.value);
    const value = box(field)?.value ?? "";
    return value === "" ? [] : [value];
  }

  // A value that came by itself is no typing: no draft is sent for it.
  function quietly(field, texts) {
    const all = ticks(field);
    if (all.length === 1 && all[0].matches("[role=switch]")) all[0].checked = texts[0] === "true";
    else if (all.length) for (const one of all) one.checked = texts.includes(one.value);
    else if (box(field)) box(field).value = texts[0] ?? "";
  }

  function put(field, texts) {
    applying = true;
    quietly(field, texts);
    (ticks(field)[0] ?? box(field))?.dispatchEvent(new Event("input", { bubbles: true }));
    applying = false;
  }

  function become(field, next, note = { accepted: "accepted", edited: "edited" }[next] ?? "") {
    field.dataset.aiState = next;
    const kept = mark(field);
    if (kept) kept.value = note;
    offer(field);
    describe(field);
  }

  // What can be done with it now: the page comes with the buttons of the state that it then has.
  const OFFERS = { fill: { accept: "Accept", discard: "Discard" }, accepted: { discard: "Discard" }, edited: { restore: "Restore" }, offer: { use: "Use suggestion" } };

  const SAYS = { accepted: ["badge good", "Accepted"], edited: ["badge", "Edited by you"] };
  const named = (field) => (field.querySelector(".proposed b") ?? field.querySelector(".label")?.firstChild)?.textContent.trim() ?? "";

  function offer(field) {
    const [className, textContent] = SAYS[state(field)] ?? [];
    if (className && !field.querySelector(`[data-when=${state(field)}]`)) {
      const badge = Object.assign(document.createElement("span"), { className, textContent });
      badge.dataset.when = state(field);
      field.querySelector("[data-ai-slot=badges]")?.append(badge);
    }
    const acts = field.querySelector("[data-ai-slot=acts][data-offers]");
    const offered = OFFERS[state(field)];
    if (!acts || !offered || [...acts.children].map((one) => one.dataset.aiDo).join() === Object.keys(offered).join()) return;
    acts.replaceChildren(...Object.entries(offered).map(([what, words]) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: `btn small${what === "discard" ? " ghost" : ""}`, textContent: words });
      button.setAttribute("aria-label", `${words}, ${named(field)}`);
      button.dataset.aiDo = what;
      return button;
    }));
  }

  // A source opens beside the form (opens_sources in components/proposal.html): too much to be sent with each field.
  const OPENS = Object.entries({ "hx-boost": "true", "hx-target": "#context", "hx-select": "#context", "hx-swap": "outerHTML", "hx-replace-url": "true" });

  // What is read with a field: why the value is there, as long as it has to do with a proposal.
  function describe(field) {
    field.toggleAttribute("data-ai-filled", held(field).length > 0);
    const why = field.querySelector("[data-ai-slot=why][id]");
    if (why && !why.hasAttribute("hx-boost")) {
      for (const [name, value] of OPENS) why.setAttribute(name, value);
      window.htmx.process(why);
    }
    if (!why || field.dataset.ai === "outcome") return;
    const at = ticks(field).length ? field : box(field);
    const ids = (at?.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && id !== why.id);
    if (state(field) !== "off") ids.unshift(why.id);
    if (ids.length) at?.setAttribute("aria-describedby", ids.join(" ")); else at?.removeAttribute("aria-describedby");
  }

  // -- what a person does

  document.addEventListener("input", (event) => {
    const field = event.target.closest?.("[data-ai]");
    if (!field || applying || event.target.matches("[data-ai-mark]")) return;
    field.dataset.aiTyped = "";
    if (!there(field) || state(field) === "off") return describe(field);
    const now = held(field);
    const taken = same(now, told(field, "aiValue"));
    if (taken) become(field, "accepted");
    else if (state(field) !== "offer") become(field, "edited");
    else become(field, "offer", mark(field)?.value);
    count();
  });

  const does = {
    accept: (field) => { put(field, told(field, "aiValue")); become(field, "accepted"); },
    use: (field) => { put(field, told(field, "aiValue")); become(field, "accepted"); },
    restore: (field) => { put(field, told(field, "aiValue")); become(field, "fill"); },
    discard: (field) => { put(field, told(field, "aiStart")); become(field, "offer", "cleared"); },
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-ai-do]");
    if (!button || !form()) return;
    event.preventDefault();
    const field = button.closest("[data-ai]");
    const what = button.dataset.aiDo;
    if (field) {
      does[what](field);
      follow(field, what);
    } else if (what === "confident") confident();
    else byHand(what === "by-hand");
    count();
    // kept as a draft
    form().dispatchEvent(new Event("input", { bubbles: true }));
  }, true);

  // The pressed button is gone; the focus stays with the field.
  function follow(field, what) {
    window.handrail.announce(`${named(field)}: ${{ accept: "accepted", use: "suggestion used", restore: "proposal restored", discard: "discarded" }[what]}`);
    if (what === "use" || what === "discard") return (ticks(field).find((one) => one.checked) ?? ticks(field)[0] ?? box(field))?.focus();
    const next = fields().slice(fields().indexOf(field) + 1).find((one) => state(one) === "fill");
    const target = what === "accept" && next ? next.querySelector("[data-ai-do=accept]") : [...field.querySelectorAll("[data-ai-do]")].find((one) => one.checkVisibility());
    (target ?? box(field))?.focus();
  }

  function confident() {
    const sure = fields().filter((field) => state(field) === "fill" && field.dataset.aiLevel === "high");
    sure.forEach((field) => does.accept(field));
    window.handrail.announce(`${sure.length} ${sure.length === 1 ? "proposal" : "proposals"} accepted`);
    if (document.activeElement?.matches("[data-ai-do=confident]") || document.activeElement === document.body) {
      (fields().find((field) => state(field) === "fill")?.querySelector("[data-ai-do=accept]") ?? document.getElementById("done"))?.focus();
    }
  }

  // By hand: what was filled in is taken out and remembered until Done, in case of Undo.
  function byHand(on) {
    const above = strip();
    for (const field of fields().filter(there)) {
      if (on) {
        field.aiBefore = [state(field), held(field), mark(field)?.value ?? ""];
        if (["fill", "accepted"].includes(state(field))) put(field, told(field, "aiStart"));
        become(field, "off");
      } else {
        const [before, texts, note] = field.aiBefore ?? [field.dataset.aiBeneath || "offer", told(field, "aiValue"), mark(field)?.value ?? ""];
        const filled = ["fill", "accepted"].includes(before) && same(held(field), told(field, "aiStart"));
        if (filled) put(field, texts);
        become(field, filled || !["fill", "accepted"].includes(before) ? before : "edited", note);
        delete field.aiBefore;
      }
    }
    for (const part of above.querySelectorAll("[data-strip]")) part.hidden = (part.dataset.strip === "by-hand") !== on;
    above.toggleAttribute("data-by-hand", on);
    above.querySelector("[name=reason]").disabled = !on;
    form().querySelector("[data-ai-by-hand]").value = on ? "true" : "";
    window.handrail.announce(on ? "Handled manually. Nothing is pre-filled; later steps will lack this context." : "Proposals are back.");
    above.querySelector(on ? "[data-ai-do=undo]" : "[data-ai-do=by-hand]")?.focus();
  }

  // -- words that count

  function count() {
    document.dispatchEvent(new CustomEvent("handrail:proposal"));
    const button = strip()?.querySelector("[data-ai-do=confident]");
    if (button) button.hidden = !fields().some((field) => state(field) === "fill" && field.dataset.aiLevel === "high");
  }

  function start() {
    fields().forEach(describe);
    count();
    reveal();
  }

  // A source that was opened: on a narrow screen the drawer opens with it, and the value is in view.
  function reveal() {
    document.querySelector("#context [data-marked]")?.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-source]");
    if (!link) return;
    document.querySelectorAll("a[data-source][aria-current]").forEach((one) => one.removeAttribute("aria-current"));
    link.setAttribute("aria-current", "true");
  });
  // not before: what settles has its class put back
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "context" || !event.detail.requestConfig?.elt?.matches("[data-source]")) return;
    document.getElementById("context")?.classList.add("open");
    reveal();
  });

  window.handrail.proposals = { form, strip, fields, there, state, mark, same, told, held, quietly, become, count };
  // deferred, or fetched when a step with proposals came: the form is there
  start();
  document.addEventListener("htmx:afterSettle", (event) => { if (["run", "proposal"].includes(event.detail.elt.id)) start(); });
})();
