// The session: a warning a minute before it ends, what was typed is kept over signing in again, and showing again who one is without leaving the page.
"use strict";
(() => {
  const WARN_S = 60;
  const box = () => document.getElementById("session-end");
  const left = () => (end - Date.now()) / 1000;
  const here = () => location.pathname + location.search;
  let end = Infinity;
  let asking = false;
  let over = false;
  let beside = false; // signed in again in another tab, this page stays

  const arm = (seconds) => { if (Number.isFinite(seconds)) end = Date.now() + seconds * 1000; };

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
    if (asking || over) return;
    asking = true;
    try {
      const told = await ask(true);
      arm(told.left);
      if (told.left > WARN_S) close();
      else if (told.left <= 0) finish();
      else await warn(told);
    } catch { /* not connected: the next look tells */ } finally { asking = false; }
  }

  async function warn(told) {
    const dialog = box();
    if (!dialog || dialog.open) return;
    await keep();
    const longest = told.most - told.left < 5;
    dialog.querySelector("[data-session-stay]").hidden = longest;
    dialog.showModal();
    (dialog.querySelector("[data-session-stay]:not([hidden])") || dialog.querySelector("[data-session-out]")).focus();
  }

  function close() { const dialog = box(); if (dialog?.open && !over) dialog.close(); }

  function finish() {
    const dialog = box();
    if (!dialog || over) return;
    over = true;
    dialog.querySelector("#session-end-title").textContent = "You were signed out";
    dialog.querySelector("#session-end-words").textContent = "Nothing had happened for a while. What you typed is kept: sign in again, and you are back on this page.";
    for (const button of dialog.querySelectorAll("button")) button.hidden = true;
    const again = dialog.querySelector("[data-session-again]");
    again.href = `/sign-in?next=${encodeURIComponent(here())}`;
    again.hidden = false;
    if (!dialog.open) dialog.showModal();
    again.focus();
  }

  // A session that was ended elsewhere, with words on the page that nobody has yet: the page stays, one signs in beside it and goes on here.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = event.detail.xhr.status === 401 && event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!to || !to.startsWith("/sign-in") || !document.querySelector("form[data-touched]") || !box()) return;
    event.preventDefault();
    if (over) return;
    finish();
    beside = true;
    box().querySelector("#session-end-words").textContent = "Your session was ended. What you typed still stands on this page: sign in again in a new tab, then come back here.";
    Object.assign(box().querySelector("[data-session-again]"), { href: "/sign-in", target: "_blank" });
  });
  async function back() {
    if (!beside || document.hidden) return;
    const told = await ask(true).catch(() => ({ left: 0 }));
    if (told.left <= 0) return;
    const fresh = new DOMParser().parseFromString(await (await fetch("/settings/me", { headers: { "X-Background": "1" } })).text(), "text/html");
    const me = (page) => page.querySelector(".rail .me")?.textContent;
    const token = fresh.getElementById("session-end")?.dataset.token;
    if (!token) return;
    if (me(fresh) !== me(document)) { location.reload(); return; } // somebody else has signed in: these words are not theirs
    for (const one of document.querySelectorAll("input[name=csrf_token]")) one.value = token;
    box().dataset.token = token;
    beside = over = false;
    arm(told.left);
    box().close();
    for (const form of document.querySelectorAll("form[data-touched]")) form.dispatchEvent(new Event("input", { bubbles: true }));
    window.handrail.announce("You are signed in again");
  }
  document.addEventListener("visibilitychange", back);
  window.addEventListener("focus", back);

  function tick() {
    const now = left();
    const dialog = box();
    if (!dialog || over) return;
    if (dialog.open) {
      const seconds = Math.max(0, Math.ceil(now));
      dialog.querySelector("[data-session-seconds]").textContent = String(seconds);
      if (seconds === 30 || seconds === 10) window.handrail.announce(`Signed out in ${seconds} seconds`);
      if (seconds % 5 === 0) look();
    } else if (now <= WARN_S) look();
  }

  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-session-stay]")) return;
    try { arm((await ask(false)).left); close(); window.handrail.announce("You stay signed in"); } catch { /* the countdown goes on */ }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-session-out]")) send("/sign-out", {}).finally(() => location.assign("/sign-in"));
  });
  document.addEventListener("cancel", (event) => {
    if (event.target !== box()) return;
    event.preventDefault(); // Escape stays signed in: nobody loses their work by it
    if (!over) box().querySelector("[data-session-stay]").click();
  });

  // What stands in forms that keep no draft of their own. Passwords and files are not kept.
  const forms = () => [...document.querySelectorAll("form[data-touched]:not([data-draft])")].filter((form) => !form.closest("dialog"));
  const name = (form) => form.getAttribute("action") || form.getAttribute("hx-post") || "";
  const kept = (form) => [...form.elements]
    .filter((one) => one.name && one.name !== "csrf_token" && !["password", "file", "hidden", "submit", "button"].includes(one.type))
    .map((one) => [one.name, one.value, ["checkbox", "radio"].includes(one.type) ? one.checked : null]);

  function send(path, fields) {
    const body = new URLSearchParams({ csrf_token: box().dataset.token, page: here(), ...fields });
    return fetch(path, { method: "POST", body, headers: { "X-Background": "1" } });
  }
  async function keep() {
    const told = forms().map((form) => [name(form), kept(form)]);
    if (told.length) await send("/session/kept", { forms: JSON.stringify(told) }).catch(() => {});
  }
  async function restore() {
    const answer = await send("/session/returned", {});
    const told = answer.ok ? (await answer.json()).forms : null;
    if (!told) return;
    for (const [action, fields] of JSON.parse(told)) {
      const form = [...document.querySelectorAll("form")].find((one) => name(one) === action);
      for (const [field, value, checked] of form ? fields : []) fill(form, field, value, checked);
    }
    window.handrail.announce("What you had typed is back");
  }
  function fill(form, field, value, checked) {
    const all = [...form.elements].filter((one) => one.name === field && one.type !== "hidden");
    const one = checked === null ? all[0] : all.find((each) => each.value === value);
    if (!one) return;
    if (checked === null) one.value = value; else one.checked = checked;
    one.dispatchEvent(new Event("input", { bubbles: true }));
    one.dispatchEvent(new Event("change", { bubbles: true }));
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
    if ("returned" in document.body.dataset) restore();
  });
})();
