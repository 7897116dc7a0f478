// An IBAN is checked as it is typed: its check digits say when it is whole, and what is left wrong is said at the box. The server checks it again.
"use strict";
(() => {
  const holds = (text) => {
    const number = text.toUpperCase().replace(/[\s.-]/g, "");
    if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(number)) return false;
    return [...number.slice(4) + number.slice(0, 4)].reduce((rest, sign) => Number(`${rest}${parseInt(sign, 36)}`) % 97, 0) === 1;
  };
  function say(box, wrong) {
    const field = box.closest(".field");
    let line = field.querySelector(".error");
    if (!wrong) line?.remove();
    else if (!line) {
      line = document.createElement("p");
      line.className = "error";
      line.id = `${box.id}-error`;
      line.setAttribute("role", "alert");
      line.textContent = box.dataset.iban;
      field.append(line);
    }
    if (wrong) { box.setAttribute("aria-invalid", "true"); box.setAttribute("aria-describedby", `${box.id}-error`); }
    else box.removeAttribute("aria-invalid");
  }
  document.addEventListener("input", ({ target }) => {
    if (target.dataset?.iban && (holds(target.value) || target.hasAttribute("aria-invalid"))) say(target, !holds(target.value));
  });
  document.addEventListener("change", ({ target }) => {
    if (target.dataset?.iban) say(target, target.value.trim() !== "" && !holds(target.value));
  });
})();
