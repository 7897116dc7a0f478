// Scripts and sheets that not every page needs, fetched once: what data-needs names when such a part of a page comes, what a script asks for, and
// before the first request of a part what its answers may need (data-loads), so that they are drawn as they should be at once.
"use strict";
(() => {
  const under_way = new Map();

  const fetched = (address) => {
    if (!under_way.has(address)) {
      const there = document.querySelector(`[src="${CSS.escape(address)}"], [rel=stylesheet][href="${CSS.escape(address)}"]`) !== null;
      under_way.set(address, there ? Promise.resolve() : new Promise((done, failed) => {
        const sheet = address.split("?")[0].endsWith(".css");
        const values = sheet ? { rel: "stylesheet", href: address } : { src: address };
        const again = () => { under_way.delete(address); failed(); };
        document.head.append(Object.assign(document.createElement(sheet ? "link" : "script"), values, { onload: done, onerror: again }));
      }));
    }
    return under_way.get(address);
  };

  const look = () => document.querySelectorAll("[data-needs]").forEach((part) => { fetched(part.dataset.needs).catch(() => {}); });
  document.addEventListener("DOMContentLoaded", look);
  document.addEventListener("htmx:afterSwap", look);

  // lists that have been fetched
  const ready = new Set();
  document.addEventListener("htmx:confirm", (event) => {
    const asked = event.detail.elt.closest("[data-loads]") ?? document.querySelector("[data-loads]");
    const morphs = event.detail.elt.getAttribute("hx-swap")?.startsWith("morph");
    // what a page asks by itself as it comes waits for nothing
    if (!asked || ready.has(asked.dataset.loads) || (!event.detail.triggeringEvent && !morphs)) return;
    event.preventDefault();
    const { elt, issueRequest } = event.detail;
    const go = () => { elt.classList.remove("htmx-request"); issueRequest(true); };
    // under way from the press on, not only once the script is there
    elt.classList.add("htmx-request");
    Promise.all(asked.dataset.loads.split(" ").map(fetched)).then(() => {
      ready.add(asked.dataset.loads);
      // A refresh wipes nothing that is being typed; a heading that has the focus is drawn anew like everything else.
      if (window.Idiomorph) Object.defineProperty(window.Idiomorph.defaults, "ignoreActiveValue", { configurable: true, enumerable: true, get: () => document.activeElement.matches("input, select, textarea") });
      go();
    // unmorphed, it would be put into itself: the next time it asks again
    }, () => (morphs ? elt.classList.remove("htmx-request") : go()));
  });

  window.handrail.fetched = fetched;
})();
