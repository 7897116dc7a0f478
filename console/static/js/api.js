// The description of the API: requests that follow what is typed, copied or sent from here. The key stays in this page and is never kept.
"use strict";
(() => {
  const base = document.body.dataset.base;
  const key = document.getElementById("api-key");
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

  function asked(call) {
    let path = call.dataset.path;
    const query = new URLSearchParams();
    const headers = {};
    let body = null;
    for (const box of call.querySelectorAll("[data-in]")) {
      const value = box.value;
      if (box.dataset.in === "path") path = path.replace(`{${box.name}}`, encodeURIComponent(value));
      if (box.dataset.in === "query" && value) query.append(box.name, value);
      if (box.dataset.in === "header" && value) headers[box.name] = value;
      if (box.dataset.in === "body") body = value;
    }
    if (body !== null) headers["Content-Type"] = "application/json";
    const rest = query.toString();
    return { method: call.dataset.method, url: base + path + (rest ? `?${rest}` : ""), headers, body };
  }

  function draw(call) {
    if (!call.querySelector("[data-send]")) return;
    const { method, url, headers, body } = asked(call);
    const words = [`curl -s${method === "GET" ? "" : ` -X ${method}`} -H "Authorization: Bearer ${key.value || "$KEY"}"`];
    for (const [name, value] of Object.entries(headers)) words.push(`-H ${quoted(`${name}: ${value}`)}`);
    if (body !== null) words.push(`-d ${quoted(body)}`);
    words.push(quoted(url));
    call.querySelector("[data-curl]").textContent = words.join(" \\\n  ");
  }

  async function send(call) {
    const said = call.querySelector("[data-said]");
    const shown = call.querySelector("[data-answer]");
    if (!key.value) {
      said.textContent = "Type your key at the top first.";
      key.focus();
      return;
    }
    const { method, url, headers, body } = asked(call);
    said.textContent = "Sending …";
    const begun = performance.now();
    try {
      const answer = await fetch(url, { method, headers: { ...headers, Authorization: `Bearer ${key.value}` }, body, credentials: "omit" });
      const text = await answer.text();
      said.textContent = `${answer.status} after ${Math.round(performance.now() - begun)} ms`;
      shown.textContent = pretty(text) || "(nothing)";
      shown.hidden = false;
    } catch {
      said.textContent = "No answer: is the console still there?";
    }
  }

  function pretty(text) {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text.slice(0, 20_000);
    }
  }

  const calls = [...document.querySelectorAll(".api-call")];
  for (const button of document.querySelectorAll("[data-copy], [data-send]")) button.hidden = false;
  key.addEventListener("input", () => calls.forEach(draw));
  document.addEventListener("input", (event) => {
    const call = event.target.closest?.(".api-call");
    if (call) draw(call);
  });
  document.addEventListener("click", async (event) => {
    const call = event.target.closest?.(".api-call");
    if (event.target.closest?.("[data-send]")) await send(call);
    if (event.target.closest?.("[data-copy]")) {
      await navigator.clipboard.writeText(call.querySelector("[data-curl]").textContent);
      call.querySelector("[data-said]").textContent = "Copied";
    }
  });
  document.getElementById("api-find").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const line of document.querySelectorAll("[data-call]")) line.hidden = !line.dataset.call.includes(wanted);
    for (const group of document.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("[data-call]:not([hidden])");
  });
})();
