// Playing a replay: the "next" link is followed again and again. Without script the links alone walk it.
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

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-play]")) {
      if (timer) stop();
      else { timer = setTimeout(step, 0); draw(); }
    }
    const pick = event.target.closest("[data-speed]");
    if (pick) { speed = Number(pick.dataset.speed); draw(); }
    if (timer && event.isTrusted && event.target.closest(".scrubber a, [data-previous]")) stop();
  });
  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("htmx:afterSettle", draw);
})();
