// The session: how long it lasts is known from every answer; its end (session_end.js) is fetched a minute before. Showing again who one is without leaving the page.
"use strict";
(() => {
  const WARN_S = 60;
  const box = () => document.getElementById("session-end");
  const left = () => (end - Date.now()) / 1000;
  let end = Infinity;
  let asking = false;

  const arm = (seconds) => { if (Number.isFinite(seconds)) end = Date.now() + seconds * 1000; };
  const ending = async () => {
    await window.handrail.fetched(box().dataset.script);
    return window.handrail.sessionEnd;
  };

  // What the page asks by itself keeps no session awake.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.triggeringEvent) event.detail.headers["X-Background"] = "1";
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    const told = event.detail.xhr.getResponseHeader("X-Session-Left");
    if (told !== null) arm(Number(told));
  });

  async function ask(background) {
    const answer = await fetch("/session", { headers: background ? { "X-Background": "1" } : {}, redirect: "manual" });
    if (!answer.ok) return { left: 0, most: 0 };
    return answer.json();
  }

  // Other tabs may have kept it awake: only the server knows.
  async function look() {
    if (asking || window.handrail.sessionEnd?.over()) return;
    asking = true;
    try {
      const told = await ask(true);
      arm(told.left);
      if (told.left <= WARN_S) await (await ending()).come(told);
      else window.handrail.sessionEnd?.close();
    } catch { /* not connected: the next look tells */ } finally { asking = false; }
  }

  // A session that was ended elsewhere, with words on the page that nobody has yet: the page stays, one signs in beside it and goes on here.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = event.detail.xhr.status === 401 && event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!to || !to.startsWith("/sign-in") || !box()) return;
    // once the page says so, nothing that it asks by itself leads away from what stands on it
    if (!document.querySelector("form[data-touched]") && !window.handrail.sessionEnd?.over()) return;
    event.preventDefault();
    ending().then((at) => at.elsewhere(), () => location.assign(to));
  });
  // The same where one has signed in or out in another tab since the page came: nothing was done, and the page goes on with the session that is there now.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!xhr.getResponseHeader("X-Foreign-Form") || !box()) return;
    event.preventDefault();
    ending().then((at) => at.anew(requestConfig.elt, requestConfig.triggeringEvent?.submitter), () => location.reload());
  });

  function tick() {
    if (!box() || window.handrail.sessionEnd?.over()) return;
    if (box().open) window.handrail.sessionEnd.count(left(), look);
    else if (left() <= WARN_S) look();
  }

  // A request that was refused because one has to show again who one is: the same again after that.
  let refused = null;
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.getResponseHeader("X-Step-Up") && !event.detail.requestConfig.elt.matches("[data-step-up]")) refused = event.detail.requestConfig;
  });
  document.addEventListener("confirmed", () => {
    const dialog = document.getElementById("dialog");
    const key = dialog?.querySelector("[data-step-up] [name=kept]")?.value;
    const asked = refused;
    refused = null;
    dialog?.close();
    if (!asked?.elt.isConnected || dialog?.contains(asked.elt)) { location.assign(`/step-up/go-on?kept=${encodeURIComponent(key || "")}`); return; }
    if (asked.elt.matches("form")) { delete asked.elt.dataset.sent; asked.elt.requestSubmit(asked.triggeringEvent?.submitter || null); } else asked.elt.click();
  });

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelector("[data-go-on]")?.requestSubmit();
    const told = Number(document.body.dataset.sessionLeft);
    if (!box() || !told) return;
    arm(told);
    setInterval(tick, 1000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
    if ("returned" in document.body.dataset) ending().then((at) => at.restore());
  });
  window.handrail.session = { arm, ask };
})();
