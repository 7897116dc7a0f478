// A page of a document: what is framed on it is brought into view, and on a narrow screen the drawer that it stands in opens.
"use strict";
(() => {
  function reveal() {
    const marks = document.querySelector("[data-marks]");
    const sheet = marks?.closest(".sheet");
    const picture = marks?.parentElement.querySelector("img");
    if (!sheet || marks.dataset.marks === "seen") return;
    marks.dataset.marks = "seen";
    const go = () => {
      // below the form, on a phone
      if (sheet.getBoundingClientRect().top > innerHeight - 200) sheet.scrollIntoView({ block: "start" });
      const first = marks.querySelector("rect").getBoundingClientRect();
      const frame = sheet.getBoundingClientRect();
      sheet.scrollTop += first.top + first.height / 2 - frame.top - frame.height / 2;
      sheet.scrollLeft += first.left + first.width / 2 - frame.left - frame.width / 2;
    };
    // without its picture the page has no height yet
    picture.decode().then(go, () => {});
  }

  // A page that is drawn was opened: what the step says of opened documents is fetched anew, and nothing of what was typed.
  const STALE = "[data-opened=no], [data-unopened]";
  async function retell() {
    if (!document.querySelector(STALE)) return;
    const response = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!response?.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const words = fresh.querySelectorAll("[data-opened]");
    document.querySelectorAll("[data-opened]").forEach((said, number) => { if (words[number]) said.replaceWith(words[number]); });
    const line = document.querySelector("[data-unopened]");
    const left = fresh.querySelector("[data-unopened]");
    if (line && left) {
      line.replaceWith(left);
      window.htmx.process(left);
    } else if (line) {
      const why = line.parentElement.querySelector(":scope > .say-why");
      if (!why?.querySelector("textarea, input:not([type=hidden])")?.value) why?.remove();
      line.remove();
    }
  }
  document.addEventListener("load", (event) => { if (event.target.matches?.(".viewer .leaf img")) retell(); }, true);

  let asked = false;
  document.addEventListener("click", (event) => { if (event.target.closest("[data-opens-context], [data-source]")) asked = true; });
  document.addEventListener("DOMContentLoaded", reveal);
  document.addEventListener("htmx:afterSettle", (event) => {
    reveal();
    if (asked && event.detail.elt.id === "context") {
      asked = false;
      event.detail.elt.classList.add("open");
      document.querySelector("[data-toggle=context]")?.setAttribute("aria-expanded", "true");
    }
  });
})();
