// Saving the draft of a workflow: changes are sent a moment after the last one, one request at a time, in the order in which they were made.
// Until the server has them they are kept in the browser, so that a lost connection, a reload, a killed page or the end of the session loses nothing.
"use strict";
(() => {
  const WAIT = 800;
  const RETRY = 4000;
  // how often the page asks whether somebody else has changed the draft
  const LOOK = 10_000;
  // what browsers still send of a page that is closed
  const MOST_ALIVE = 60_000;

  // What waits: { changes } or { text, since }, with the revision that it was made on where that is not the page's own. What was tried once is
  // sent again as it was: where only the answer was lost, the server finds that it has it.
  let queue = [];
  let sending = null;
  // what was refused: nothing is sent until a person has decided
  let held = null;
  // text that cannot be read yet
  let rough = null;
  let timer = 0;
  let leaving = false;
  let draw = () => {};
  let showText = () => {};

  const root = () => document.getElementById("editor");
  const all = () => `draft ${root().dataset.workflow} ${root().dataset.person}`;
  // this page among the tabs of one person
  const mine = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  const kept = () => `${all()} ${mine}`;
  const say = (words) => document.querySelectorAll("#saved, [data-saved]").forEach((line) => { line.textContent = words; });
  const announce = (words) => { const region = document.getElementById("status"); region.textContent = ""; setTimeout(() => { region.textContent = words; }, 30); };
  const revision = () => Number(root().dataset.revision);
  const waiting = () => queue.length > 0 || sending !== null || held !== null;

  function keep() {
    const under = [held, sending?.batch, ...queue].filter(Boolean).map((each) => ({ ...each, revision: each.revision ?? revision() }));
    put(kept(), under.length || rough ? JSON.stringify({ batches: under, rough }) : null);
  }

  // The browser writes localStorage to the disk up to a minute later: who is offline would lose that in a crash. A database is written at once.
  const disk = new Promise((done) => {
    try {
      const asked = indexedDB.open("handrail drafts", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore("drafts");
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => done(null);
    } catch { done(null); }
  });
  const drafts = (base) => base.transaction("drafts", "readwrite", { durability: "strict" }).objectStore("drafts");

  function put(key, text) {
    try {
      if (text) localStorage.setItem(key, text);
      else localStorage.removeItem(key);
    } catch { /* no room, or none allowed: what was typed is still in the page */ }
    disk.then((base) => base && (text ? drafts(base).put(text, key) : drafts(base).delete(key)));
  }

  // After a crash localStorage is older than the database, or still has what was saved since.
  async function fromDisk() {
    const base = await disk;
    if (!base) return;
    const store = drafts(base);
    const [keys, texts] = await Promise.all([store.getAllKeys(), store.getAll()].map((asked) => new Promise((done) => { asked.onsuccess = () => done(asked.result); asked.onerror = () => done([]); })));
    keys.forEach((key, number) => { if (key.startsWith(all()) && key !== kept()) localStorage.setItem(key, texts[number]); });
  }

  // A later value for the same place replaces the former, as long as nothing else stands between them.
  function add(changes, step) {
    let last = queue[queue.length - 1];
    if (!last?.changes || last.tried) { last = { changes: [] }; queue.push(last); }
    for (const change of changes) {
      const former = last.changes[last.changes.length - 1];
      const same = former && former.op === change.op && ["set", "set_document"].includes(change.op) && former.step === change.step && String(former.field) === String(change.field);
      if (same) last.changes.pop();
      last.changes.push(change);
    }
    if (step !== undefined) last.step = step;
    later(WAIT);
  }

  // The whole text as it was typed; `known` is the text that the server has. What cannot be read yet is only kept.
  function addText(text, known, readable, wait) {
    const last = queue[queue.length - 1];
    const since = last?.text !== undefined && !last.tried ? queue.pop().since : (last?.text ?? sending?.batch?.text ?? held?.text ?? known);
    rough = readable ? null : { text, since, revision: revision() };
    if (readable && text !== since) queue.push({ text, since });
    if (readable) later(wait); else keep();
  }

  function later(wait) {
    keep();
    if (held) { say("Not saved: decide first what happens with the change above"); return; }
    say("Not saved yet");
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  }

  async function flush() {
    clearTimeout(timer);
    for (;;) {
      while (sending) await sending.done;
      if (held) return false;
      if (!queue.length) return true;
      if (!(await send(queue.shift()))) return false;
    }
  }

  // the step that the page shows afterwards, in the same answer
  const shown = (batch) => (batch.step === undefined ? {} : { step: batch.step, view: "", open: "" });
  const send = (batch) => post(batch.changes ? { do: "change", changes: JSON.stringify(batch.changes), ...shown(batch) } : { do: "text", text: batch.text, since: batch.since }, batch);

  async function post(fields, batch = null, told = {}) {
    let finish;
    if (batch) batch.revision ??= revision();
    sending = { batch, done: new Promise((done) => { finish = done; }) };
    keep();
    say("Saving …");
    try {
      return await answered(await request(fields, batch?.revision ?? revision()), fields, batch, told);
    } catch (error) {
      again(batch);
      const reason = error.status ? `The console answers ${error.status}` : "Not connected";
      say(batch ? `${reason}: changes are kept here and sent again` : `${reason}: nothing was done`);
      if (queue.length) timer = setTimeout(flush, RETRY);
      return false;
    } finally {
      sending = null;
      keep();
      finish();
    }
  }

  function again(batch) {
    if (!batch) return;
    batch.tried = true;
    queue.unshift(batch);
  }

  // What the page shows: the answer carries only what differs from it.
  const severity = (mark) => [mark.closest("[data-step]").dataset.step, mark.classList.contains("error") ? "error" : "warning"];
  const shownHere = () => (document.getElementById("flow") ? { shown: revision(), told: document.getElementById("problems").dataset.told } : {});
  const marked = () => ({ marks: JSON.stringify(Object.fromEntries([...document.querySelectorAll("[data-outline] .mark")].map(severity))) });

  function request(fields, on) {
    const here = root().dataset;
    const body = new URLSearchParams({ csrf_token: here.token, step: here.chosen, view: here.view, open: here.section, ...shownHere(), ...marked(), ...fields, revision: on });
    return fetch(here.url, { method: "POST", body, headers: { "HX-Request": "true" }, redirect: "manual", keepalive: String(body).length < MOST_ALIVE });
  }

  async function answered(answer, fields, batch, told) {
    const text = answer.type === "opaqueredirect" ? "" : await answer.text();
    if (answer.ok && text) {
      clear();
      // saved it is all the same
      try { draw(text, { waiting: queue.length > 0, text: batch?.text, on: batch?.revision, ...told }); } catch (error) { reportError(error); }
      say(`Saved ${root().dataset.changedAt || ""}`.trim());
      return true;
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) { again(batch); signedOut(); return false; }
    if (answer.status >= 500 || answer.status === 429) throw Object.assign(new Error("not answered"), { status: answer.status });
    // signed in anew since the page came: once more with what belongs to this session
    if (answer.status === 403 && batch && !told.renewed) {
      const who = await renew();
      if (who === "mine") return answered(await request(fields, batch?.revision ?? revision()), fields, batch, { ...told, renewed: true });
      again(batch);
      signedOut(who);
      return false;
    }
    refused(text, batch, answer.headers.get("Draft-Revision"));
    return false;
  }

  // The token of the present session; "mine", "out" or "other" is who is signed in, "hidden" where the draft is not shown to them.
  async function renew() {
    const answer = await fetch(root().dataset.url, { headers: { "HX-Request": "true" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) return "out";
    const read = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("editor");
    if (!read) return "hidden";
    if (read.dataset.person !== root().dataset.person) return "other";
    root().dataset.token = read.dataset.token;
    return "mine";
  }

  const notice = document.createElement("template");
  notice.innerHTML = '<div class="notice warn" role="alert" data-signed-out><div><p class="head"></p><p class="bar"><a class="btn small primary">Sign in again</a></p></div></div>';

  function signedOut(who = "out") {
    const words = { out: "You are signed out.", other: "Somebody else is signed in in this browser.", hidden: "You may not edit this workflow any more, or somebody else is signed in in this browser." }[who];
    const made = notice.content.cloneNode(true);
    say("Not saved: what you typed is kept here");
    made.querySelector(".head").textContent = `${words} What you typed is not saved yet. It is kept in this browser and is saved as soon as you sign in again, here or in another tab.`;
    const link = made.querySelector("a");
    link.href = `/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`;
    if (who !== "out") link.closest(".bar").remove();
    if (document.querySelector("#refusal [data-signed-out]")) return;
    place().replaceChildren(made);
    place().scrollIntoView({ block: "nearest" });
  }

  const place = () => document.getElementById("refusal");
  const clear = () => { if (!held && !rough) place().replaceChildren(); };

  // What was refused stays in the page. Mine again on what is there now, or theirs.
  function refused(text, batch, now) {
    const read = new DOMParser().parseFromString(text, "text/html");
    const found = read.querySelector("[data-refused]");
    say("Not saved");
    if (!batch) { place().replaceChildren(found || (read.querySelector("main") || read.body).textContent.trim().slice(0, 300)); return; }
    held = batch;
    batch.now = now ? Number(now) : undefined;
    if (found) place().replaceChildren(found);
    else {
      const made = notice.content.cloneNode(true);
      made.querySelector(".head").textContent = `Not saved: ${read.querySelector("h1")?.textContent.trim() || "the console refused it"}. What you typed is kept here.`;
      made.querySelector(".bar").innerHTML = '<button class="btn small" type="button" data-keep-mine>Try again</button>';
      place().replaceChildren(made);
    }
    place().scrollIntoView({ block: "nearest" });
    // Who is typing goes on typing, and hears of it: a button that came under their fingers would be pressed by the next space.
    if (!document.activeElement?.matches?.("#panel input, #panel textarea, #text")) place().querySelector("button")?.focus();
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("#refusal [data-keep-mine]")) decide(true);
    if (event.target.closest?.("#refusal [data-take-theirs]")) decide(false);
    if (event.target.closest?.("#refusal [data-signed-out] a")) { leaving = true; setTimeout(() => { leaving = false; }, 2000); }
  });

  async function decide(again_) {
    const batch = held;
    held = null;
    rough = null;
    place().replaceChildren();
    if (again_ && batch) {
      batch.revision = batch.now ?? batch.revision;
      queue.unshift(batch);
      await flush();
    } else {
      const about = new Set((batch?.changes || []).map((each) => each.step || ""));
      queue = queue.map((each) => ({ ...each, changes: each.changes?.filter((change) => !about.has(change.step || "")) })).filter((each) => each.changes?.length);
      keep();
      if (await load(location.href, { fresh: true })) { say("Saved"); await flush(); }
    }
    // the button that was pressed is gone
    if (document.activeElement === document.body) document.querySelector("#panel :is(input:not([type=hidden]), select, textarea), [data-outline] [aria-current=true]")?.focus();
  }

  async function load(address, told = {}) {
    try {
      const asked = new URL(address, location.href);
      if (!told.fresh) Object.entries(shownHere()).forEach(([name, value]) => asked.searchParams.set(name, value));
      const answer = await fetch(asked, { headers: { "HX-Request": "true" }, redirect: "manual" });
      if (!answer.ok) { if (answer.type === "opaqueredirect" || answer.status === 401) signedOut(); return false; }
      const text = await answer.text();
      clear();
      draw(text, told);
      return true;
    } catch {
      say(waiting() ? "Not connected: changes are kept here and sent again" : "Not connected");
      return false;
    }
  }

  // Whether somebody else, or the same person elsewhere, has changed the draft: only while nothing of one's own is on its way.
  async function look() {
    if (document.hidden || sending || held || rough || document.querySelector("dialog[open]")) return;
    if (queue.length) { flush(); return; }
    const { url, chosen, view, section } = root().dataset;
    const seen = revision();
    try {
      const answer = await fetch(`${url}?${new URLSearchParams({ step: chosen, view, open: section, seen })}`, { headers: { "HX-Request": "true", "X-Background": "1" }, redirect: "manual" });
      const text = answer.status === 200 ? await answer.text() : "";
      if (!text || waiting() || rough || revision() !== seen || root().dataset.chosen !== chosen || root().dataset.view !== view || root().dataset.section !== section) return;
      draw(text, { others: true });
      const words = `Changed by ${root().dataset.changedBy || "somebody"}`;
      say(words);
      announce(words);
    } catch { /* not connected: the next look tells */ }
  }

  // Changes that a page could not send any more are sent by the next one, on the revision on which they were made. A page that is still open
  // sends its own: where the browser tells (locks), the others wait until it is gone.
  async function restore() {
    await fromDisk().catch(() => {});
    const found = Object.keys(localStorage).filter((key) => key.startsWith(all()) && key !== kept());
    if (navigator.locks) navigator.locks.request(kept(), () => new Promise(() => {}));
    for (const key of found) if (navigator.locks) navigator.locks.request(key, () => adopt(key)); else adopt(key);
  }

  function adopt(key) {
    let found = null;
    try { found = JSON.parse(localStorage.getItem(key) || "null"); } catch { /* not ours */ }
    const batches = (found?.batches || [found]).filter((each) => each?.changes?.length || each?.text !== undefined);
    queue.unshift(...batches.map(({ now, ...each }) => ({ ...each, revision: Math.min(each.revision, revision()), tried: true })));
    if (found?.rough && !rough) { rough = { ...found.rough, revision: Math.min(found.rough.revision, revision()) }; showText(rough); }
    keep();
    put(key, null);
    if (!batches.length) return;
    announce("Changes that were not saved yet are sent now.");
    flush();
  }

  window.addEventListener("online", () => { if (queue.length) flush(); });
  window.addEventListener("focus", look);
  document.addEventListener("visibilitychange", () => { if (document.hidden && queue.length) flush(); else look(); });
  window.addEventListener("beforeunload", (event) => { if (!leaving && (waiting() || rough)) event.preventDefault(); });
  setInterval(look, LOOK);
  window.handrailDraft = { add, addText, flush, post, load, restore, announce, say, waiting, rough: () => rough, onDraw: (drawer) => { draw = drawer; }, onText: (shower) => { showText = shower; } };
})();
