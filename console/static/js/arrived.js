// A proposal that has come is put into the form that was there before it. What somebody typed meanwhile stays.
"use strict";
(() => {
  const { form, strip, fields, there, state, mark, same, told, held, quietly, become, count } = window.handrail.proposals;

  function arrive(text) {
    const made = document.createElement("template");
    made.innerHTML = text;
    const above = made.content.querySelector("#proposal");
    const come = made.content.querySelector("[data-arrived]");
    if (!above || !strip()) return;
    if (strip().dataset.status === "ready") return lookedAgain(above, come);
    const hand = strip().hasAttribute("data-by-hand");
    const focus = document.activeElement;
    const top = focus?.getBoundingClientRect().top;
    const inside = strip().contains(focus) ? focus.dataset.aiDo : null;
    for (const field of fields()) {
      const other = [...come.querySelectorAll("[data-ai]")].find((one) => one.dataset.ai === field.dataset.ai);
      if (other) merge(field, other, hand);
    }
    if (hand) strip().removeAttribute("data-poll");
    else strip().replaceWith(above);
    window.htmx.process(strip());
    if (inside) strip().querySelector(`[data-ai-do="${inside}"]`)?.focus({ preventScroll: true });
    const scroller = document.querySelector(".work > .scroll");
    if (scroller && focus && form().contains(focus)) scroller.scrollTop += focus.getBoundingClientRect().top - top;
    if (!hand) window.handrail.announce(come.dataset.announce);
    count();
  }

  // A second look at what is there already: only what it says is put in place; what a person did stays.
  function lookedAgain(above, come) {
    delete strip().dataset.poll;
    const mine = strip().querySelector("[data-second]");
    const other = above.querySelector("[data-second]");
    if (mine && other) mine.replaceWith(other);
    for (const field of fields()) {
      const slot = field.querySelector("[data-ai-slot=second]");
      const told = [...come.querySelectorAll("[data-ai]")].find((one) => one.dataset.ai === field.dataset.ai)?.querySelector("[data-ai-slot=second]");
      if (!slot || !told) continue;
      slot.replaceWith(told);
      window.htmx.process(told);
    }
    window.handrail.announce(strip().querySelector("[data-second]")?.textContent.replace("·", "").trim() ?? "");
  }

  function merge(field, other, hand) {
    for (const slot of other.querySelectorAll("[data-ai-slot]")) {
      const mine = field.querySelector(`[data-ai-slot="${slot.dataset.aiSlot}"]`);
      if (!mine || mine.contains(slot)) continue;
      mine.replaceWith(slot);
      window.htmx.process(slot);
    }
    option(field, other);
    for (const name of ["aiLevel", "aiValue", "aiStart", "aiBeneath"]) field.dataset[name] = other.dataset[name];
    if (!there(field)) return;
    const busy = "aiTyped" in field.dataset || (field.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));
    let next = hand ? other.dataset.aiBeneath : state(other);
    if (hand) {
      field.aiBefore = [busy && next === "fill" ? "offer" : next, told(field, "aiValue"), ""];
      next = "off";
    } else if (busy) next = same(held(field), told(field, "aiValue")) ? "accepted" : "offer";
    else if (next === "fill") quietly(field, told(field, "aiValue"));
    become(field, next, mark(other)?.value ?? "");
  }

  // The option of a decision that is proposed: its badges stand in its line.
  function option(field, other) {
    if (field.dataset.ai !== "outcome" || !other.querySelector(".proposed")) return;
    field.classList.add("ai", "ai-choice");
    const value = other.querySelector(".proposed input").value;
    const mine = [...field.querySelectorAll(".outcome")].find((one) => one.querySelector("input").value === value);
    mine?.classList.add("proposed");
    for (const part of other.querySelectorAll(".proposed > .ai-badges, .proposed > .badge")) mine?.append(part);
  }

  window.handrail.arrive = arrive;
})();
