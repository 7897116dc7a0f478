// Toasts say what worked; they leave after 6 s, but stay while hovered or focused. Failures never come here.
"use strict";
(() => {
  const STAY = 6000;

  function keep(toast) {
    let timer = setTimeout(() => toast.remove(), STAY);
    const hold = () => clearTimeout(timer);
    const release = () => { clearTimeout(timer); timer = setTimeout(() => toast.remove(), STAY); };
    toast.addEventListener("mouseenter", hold);
    toast.addEventListener("focusin", hold);
    toast.addEventListener("mouseleave", release);
    toast.addEventListener("focusout", release);
  }

  function toast(words) {
    const box = document.createElement("p");
    box.className = "toast";
    box.textContent = words;
    document.getElementById("toasts")?.append(box);
    keep(box);
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("#toasts .toast").forEach(keep));
  document.addEventListener("htmx:afterSwap", (event) => {
    event.detail.elt.querySelectorAll?.("[data-toast]").forEach((element) => { toast(element.dataset.toast); element.removeAttribute("data-toast"); });
  });
  window.handrail.toast = toast;
})();
