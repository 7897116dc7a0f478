// Saving the draft of a workflow: changes are sent a moment after the last one, one request at a time, in the order in which they were made.
// Until the server has them they are kept in the browser, so that a lost connection, a reload or the end of the session loses nothing.
"use strict";
(() => {
  const WAIT = 800;
  const RETRY = 4000;
  let queue = []; // changes that the server does not have yet
  let sending = null;
  let timer = 0;
  let held = false; // a refusal is shown: nothing is sent until a person has decided
  let draw = () => {};

  const root = () => document.getElementById("editor");
  const kept = () => `draft ${root().dataset.workflow} ${root().dataset.person}`;
  const say = (words) => document.querySelectorAll("#saved, [data-saved]").forEach((line) => { line.textContent = words; });
  const announce = (words) => { const region = document.getElementById("status"); region.textContent = ""; setTimeout(() => { region.textContent = words; }, 30); };
  const revision = () => Number(root().dataset.revision);

  function keep() {
    try {
      const waiting = [...(sending?.changes || []), ...queue];
      if (waiting.length) localStorage.setItem(kept(), JSON.stringify({ revision: sending?.revision ?? revision(), changes: waiting }));
      else localStorage.removeItem(kept());
    } catch { /* no room, or none allowed: what was typed is still in the page */ }
  }

  // A later value for the same place replaces the former, as long as nothing else stands between them.
  function add(changes) {
    for (const change of changes) {
      const last = queue[queue.length - 1];
      const same = last && last.op === change.op && ["set", "set_document"].includes(change.op) && last.step === change.step && String(last.field) === String(change.field);
      if (same) queue.pop();
      queue.push(change);
    }
    keep();
    if (held) { say("Not saved: decide first what happens with the change above"); return; }
    say("Not saved yet");
    clearTimeout(timer);
    timer = setTimeout(flush, WAIT);
  }

  async function flush() {
    clearTimeout(timer);
    while (sending) await sending.done;
    if (!queue.length || held) return !held;
    const changes = queue;
    queue = [];
    return post({ do: "change", changes: JSON.stringify(changes) }, changes);
  }

  async function post(fields, changes = [], told = {}) {
    let finish;
    sending = { changes, revision: revision(), done: new Promise((done) => { finish = done; }) };
    keep();
    say("Saving …");
    try {
      return await answered(await request(fields), changes, told);
    } catch {
      queue = [...changes, ...queue];
      say("Not connected: changes are kept here and sent again");
      timer = setTimeout(flush, RETRY);
      return false;
    } finally {
      sending = null;
      keep();
      finish();
    }
  }

  function request(fields) {
    const here = root().dataset;
    const body = new URLSearchParams({ csrf_token: here.token, revision: here.revision, step: here.chosen, view: here.view, ...fields });
    return fetch(here.url, { method: "POST", body, headers: { "HX-Request": "true" }, redirect: "manual" });
  }

  async function answered(answer, changes, told) {
    const text = answer.type === "opaqueredirect" ? "" : await answer.text();
    if (answer.ok && text) {
      say(`Saved ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`);
      document.getElementById("refusal").replaceChildren();
      try { draw(text, { waiting: queue.length > 0, ...told }); } catch (error) { reportError(error); } // saved it is all the same
      return true;
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      queue = [...changes, ...queue];
      signedOut();
      return false;
    }
    if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
    refused(text, changes, answer.headers.get("Draft-Revision"));
    return false;
  }

  function signedOut() {
    say("Not saved: you are signed out. Your changes are kept here.");
    const place = document.getElementById("refusal");
    const link = document.createElement("a");
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    link.textContent = "Sign in again";
    link.className = "btn small primary";
    place.replaceChildren(link);
    announce("You are signed out. Your changes are kept here until you sign in again.");
  }

  // What was refused stays typed in the page. Mine again on what is there now, or theirs.
  function refused(text, changes, now) {
    const place = document.getElementById("refusal");
    const read = new DOMParser().parseFromString(text, "text/html").body;
    const found = read.querySelector("[data-refused]");
    say("Not saved");
    held = Boolean(found);
    if (!found) { place.textContent = read.textContent.trim().slice(0, 300) || "Not saved."; return; }
    place.replaceChildren(found);
    place.scrollIntoView({ block: "nearest" });
    found.querySelector("[data-keep-mine]")?.addEventListener("click", () => {
      held = false;
      if (now) root().dataset.revision = now;
      queue = [...changes, ...queue];
      flush();
    });
    found.querySelector("[data-take-theirs]")?.addEventListener("click", () => {
      held = false;
      queue = [];
      keep();
      load(location.href, { fresh: true });
    });
    found.querySelector("button")?.focus();
  }

  async function load(address, told = {}) {
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (!answer.ok) { if (answer.type === "opaqueredirect" || answer.status === 401) signedOut(); return false; }
      const text = await answer.text();
      document.getElementById("refusal").replaceChildren();
      draw(text, told);
      return true;
    } catch {
      say("Not connected");
      return false;
    }
  }

  // Changes that a former page could not send any more are sent now, on the revision on which they were made.
  function restore() {
    let found = null;
    try { found = JSON.parse(localStorage.getItem(kept()) || "null"); } catch { /* not ours */ }
    if (!found?.changes?.length) return;
    const present = root().dataset.revision;
    root().dataset.revision = String(Math.min(found.revision, Number(present)));
    queue = found.changes;
    announce("Changes that were not saved yet are sent now.");
    flush();
  }

  window.addEventListener("online", () => { if (queue.length) flush(); });
  window.addEventListener("beforeunload", (event) => { if (queue.length || sending) event.preventDefault(); });
  window.handrailDraft = { add, flush, post, load, restore, announce, waiting: () => queue.length > 0 || sending !== null, onDraw: (drawer) => { draw = drawer; } };
})();
