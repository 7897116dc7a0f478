// Workspaces: what is chosen or typed is a value of the address. The server draws only what depends on what changed.
"use strict";
(() => {
  const holder = (node) => node.closest?.("[data-set]");

  // The address with this value, from the address of now: links drawn earlier do not know what was chosen since.
  function address(element, value) {
    const told = new URLSearchParams(location.search);
    if (value === "" && element.matches("a")) told.delete(element.dataset.set);
    else told.set(element.dataset.set, value);
    (element.dataset.clears || "").split(" ").filter(Boolean).forEach((name) => told.delete(name));
    if (element.matches("form") && value === "") told.set(element.dataset.set, "");
    const query = told.toString();
    return location.pathname + (query ? `?${query}` : "");
  }

  // What the server chose at first stands in the address too, so that it can be copied and reloaded.
  const desk = document.querySelector(".desk[data-address]");
  if (desk && !location.search && desk.dataset.address !== location.pathname && !location.pathname.includes("/part/")) {
    history.replaceState(history.state, "", desk.dataset.address + location.hash);
  }

  function typed(form) {
    const box = form.elements[form.dataset.set];
    return box.type === "checkbox" ? (box.checked ? "1" : "0") : box.value;
  }

  const valueOf = (element) => (element.matches("form") ? typed(element) : element.dataset.value);

  document.addEventListener("htmx:configRequest", (event) => {
    const element = holder(event.detail.elt);
    if (element) event.detail.path = address(element, valueOf(element));
  });

  // A link that is copied or opened elsewhere leads to the same.
  const fresh = (event) => {
    const link = event.target.closest?.("a[data-set]");
    if (link) link.href = address(link, link.dataset.value);
  };
  document.addEventListener("pointerdown", fresh, true);
  document.addEventListener("focusin", fresh);

  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.detail.elt.closest?.("a.pick[data-set]");
    if (!link) return;
    document.querySelectorAll(`a.pick[data-set="${CSS.escape(link.dataset.set)}"]`).forEach((each) => {
      if (each === link) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    });
    document.querySelectorAll(`[data-unlisted="${CSS.escape(link.dataset.set)}"]`).forEach((line) => line.remove());
  });

  // Figures are asked for from the top, two at a time: all at once they would take every place at a data source, and the last would be told to wait.
  const AT_ONCE = 2;
  const asked = new Set();
  function askNext() {
    [...document.querySelectorAll(".part[data-later]")].slice(0, AT_ONCE - asked.size).forEach((part) => {
      part.removeAttribute("data-later");
      asked.add(part);
      window.htmx.trigger(part, "later");
    });
  }
  document.addEventListener("htmx:afterRequest", (event) => { if (asked.delete(event.detail.requestConfig.elt)) askNext(); });
  document.addEventListener("htmx:afterSettle", askNext);
  document.addEventListener("DOMContentLoaded", askNext);

  // What was chosen is said, and told to whoever listens on the body.
  document.addEventListener("htmx:afterRequest", (event) => {
    const link = event.detail.elt.closest?.("a.pick[data-set]");
    if (!link || !event.detail.successful) return;
    const words = link.querySelector("b")?.textContent || link.textContent;
    document.getElementById("status").textContent = `${words.trim()} chosen`;
    const next = link.closest(".desk > .section")?.nextElementSibling;
    if (next && matchMedia("(max-width: 760px)").matches) next.scrollIntoView({ block: "start" });
    document.body.dispatchEvent(new CustomEvent("selected", { detail: { name: link.dataset.set, key: link.dataset.value } }));
  });
})();
