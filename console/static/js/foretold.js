// What is wrong with a form as it is typed so far comes with each draft: it stands at its field before Done, and goes when it is mended.
"use strict";
(() => {
  function said(part) {
    const box = document.createElement("div");
    box.append(...[...part.childNodes].map((each) => each.cloneNode(true)));
    return box.innerHTML.replace(/\s+/g, " ").trim();
  }

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (!target.matches("[data-said]")) return;
    const own = fragment.firstElementChild;
    if (own?.id === target.id) fragment.replaceChildren(...own.childNodes); // with the extension for morphing htmx would put it into itself
    const lacking = target.querySelector(".error") && fragment.querySelector("[data-lacking]");
    // what is said already is not spoken again
    if (lacking || said(target) === said(fragment)) event.detail.shouldSwap = false;
  });

  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const box = event.detail.target, field = box.closest(".field");
    if (!field || !box.matches("[data-said]")) return;
    const wrong = box.querySelector(".refusal, .error"), id = box.id.replace(/-said$/, "-error");
    for (const one of field.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
    const input = field.querySelector(".input, input[type=checkbox], input[type=radio], input[type=file]");
    const described = (input?.getAttribute("aria-describedby") || "").split(" ").filter((each) => each && each !== id);
    if (wrong) {
      input?.setAttribute("aria-invalid", "true");
      described.push(id);
    }
    const silent = field.hasAttribute("data-conditional") ? !box.querySelector("[data-asked]")
      : field.hasAttribute("data-sentence") && (!input || input.type === "hidden" || (!input.value.trim() && document.activeElement !== input));
    if (field.matches("[data-conditional], [data-sentence]")) for (const shut of [field, field.closest("li")]) shut.hidden = silent && !wrong;
    if (described.length) input?.setAttribute("aria-describedby", described.join(" ")); else input?.removeAttribute("aria-describedby");
    const needed = Boolean(box.querySelector("[data-lacking]")) && !field.querySelector(".required");
    if (needed !== field.hasAttribute("data-needed-now")) {
      field.toggleAttribute("data-needed-now", needed);
      field.toggleAttribute("data-required", needed);
      if (needed) input?.setAttribute("aria-required", "true"); else input?.removeAttribute("aria-required");
    }
  });
})();
