// Playing a replay: the "next" link is followed again and again. Without script the links alone walk it. And going from one changed value to the next.
"use strict";
(() => {
  // ms an event stays, by speed
  const PACE = { 1: 1800, 4: 450, 16: 110 };
  let speed = 1;
  let timer = 0;

  const button = () => document.querySelector("[data-play]");
  const next = () => document.querySelector("[data-next][href]");

  function draw() {
    const play = button();
    if (!play) return;
    play.setAttribute("aria-pressed", String(Boolean(timer)));
    play.querySelector("[data-label]").textContent = timer ? "Pause" : "Play";
    document.querySelectorAll("[data-speed]").forEach((pick) => {
      pick.setAttribute("aria-pressed", String(Number(pick.dataset.speed) === speed));
    });
    document.querySelector(".scrubber [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    document.querySelector(".steps [aria-current]")?.scrollIntoView({ block: "center", inline: "center" });
  }
  function step() {
    const link = next();
    if (!link) return stop();
    link.click();
    timer = setTimeout(step, PACE[speed]);
  }
  function stop() { clearTimeout(timer); timer = 0; draw(); }
  // to a value that differs today, `by` places further; on a telephone the drawer that holds it opens
  function go(by) {
    const marks = [...document.querySelectorAll(".changed-since")];
    const at = Math.max(marks.findIndex((one) => one.classList.contains("here")), by < 0 ? 0 : -1);
    const mark = marks.at((at + by) % marks.length);
    marks.forEach((one) => one.classList.toggle("here", one === mark));
    document.querySelector(".context")?.classList.toggle("open", Boolean(mark?.closest(".context")));
    mark?.setAttribute("tabindex", "-1");
    mark?.focus({ preventScroll: true });
    mark?.scrollIntoView({ block: "center" });
  }

  document.addEventListener("click", (event) => {
    const to = event.target.closest("[data-mark]");
    if (to) go(Number(to.dataset.mark));
    if (event.target.closest("[data-play]")) {
      if (timer) stop();
      else { timer = setTimeout(step, 0); draw(); }
    }
    const pick = event.target.closest("[data-speed]");
    if (pick) { speed = Number(pick.dataset.speed); draw(); }
    if (timer && event.isTrusted && event.target.closest(".scrubber a, [data-previous]")) stop();
  });
  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", (event) => {
    draw();
    if (event.detail.requestConfig?.elt?.matches?.(".switch") && document.querySelector("[data-mark]")) go(1);
  });
})();
