// The end of a session: a warning that counts down, what was typed is kept over signing in again, and a page that stays while one signs in beside it.
"use strict";
(() => {
  const { arm, ask } = window.handrail.session;
  const WORDS = [
    '<div class="dialog"><p class="h2" id="session-end-title">Still there?</p>',
    '<p id="session-end-words">You will be signed out in <span class="num" data-session-seconds>60</span> seconds, ',
    "because nothing has happened for a while. What you typed is kept.</p>",
    '<p class="bar"><button class="btn primary" type="button" data-navigation data-session-stay>Stay signed in</button>',
    '<button class="btn" type="button" data-navigation data-session-out>Sign out now</button>',
    '<a class="btn primary" href="/sign-in" data-session-again hidden>Sign in again</a></p></div>',
  ].join("");
  const box = () => {
    const dialog = document.getElementById("session-end");
    if (dialog && !dialog.firstElementChild) dialog.innerHTML = WORDS;
    return dialog;
  };
  const here = () => location.pathname + location.search;
  let over = false;
  // signed in again in another tab, this page stays
  let beside = false;

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

  function elsewhere() {
    if (over) return;
    // what was typed is kept then, as the words of finish() say
    const warned = box().open;
    finish();
    if (warned) return;
    beside = true;
    box().querySelector("#session-end-words").textContent = "Your session was ended. What you typed still stands on this page: sign in again in a new tab, then come back here.";
    Object.assign(box().querySelector("[data-session-again]"), { href: "/sign-in", target: "_blank" });
  }

  async function back() {
    if (!beside || document.hidden) return;
    const told = await ask(true).catch(() => ({ left: 0 }));
    if (told.left <= 0) return;
    const fresh = new DOMParser().parseFromString(await (await fetch("/settings/me", { headers: { "X-Background": "1" } })).text(), "text/html");
    const me = (page) => page.querySelector(".rail .me")?.textContent;
    const token = fresh.getElementById("session-end")?.dataset.token;
    if (!token) return;
    // somebody else has signed in: these words are not theirs
    if (me(fresh) !== me(document)) { location.reload(); return; }
    for (const one of document.querySelectorAll("input[name=csrf_token]")) one.value = token;
    box().dataset.token = token;
    beside = over = false;
    arm(told.left);
    box().close();
    for (const form of document.querySelectorAll("form[data-touched]")) form.dispatchEvent(new Event("input", { bubbles: true }));
    window.handrail.announce("You are signed in again");
  }

  // A form that was refused because the page is of an earlier session: sent again with the one that is there now, else one signs in first.
  async function anew(form, button) {
    beside = true;
    await back();
    if (beside && over) return;
    if (beside) { beside = false; elsewhere(); return; }
    // a draft, or a check while one types, is no form that somebody sent: it goes out again by itself, and submits nothing
    if (!form.isConnected || !form.matches("form") || "anew" in form.dataset) return;
    // once: whatever refuses it again is said
    form.dataset.anew = "";
    setTimeout(() => { delete form.dataset.anew; }, 5000);
    delete form.dataset.sent;
    form.requestSubmit(button || null);
  }
  document.addEventListener("visibilitychange", back);
  window.addEventListener("focus", back);

  function count(left, look) {
    const seconds = Math.max(0, Math.ceil(left));
    box().querySelector("[data-session-seconds]").textContent = String(seconds);
    if (seconds === 30 || seconds === 10) window.handrail.announce(`Signed out in ${seconds} seconds`);
    if (seconds % 5 === 0) look();
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
    // Escape stays signed in: nobody loses their work by it
    event.preventDefault();
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

  const come = (told) => (told.left <= 0 ? finish() : warn(told));
  window.handrail.sessionEnd = { come, close, elsewhere, anew, count, restore, over: () => over };
})();
