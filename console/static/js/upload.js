// Files of a form: each is sent as soon as it is chosen or dropped, with its progress, and stands in the list when the server has taken it.
// Without script the same form sends them when it is handed in.
"use strict";
(() => {
  const zone = (target) => target.closest?.("[data-upload]");

  document.addEventListener("change", (event) => {
    const place = zone(event.target);
    if (!place || event.target.type !== "file" || !place.closest("[data-uploads]")) return;
    const chosen = [...event.target.files];
    event.target.value = "";
    sendAll(place, chosen);
  });
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      const place = zone(event.target);
      if (!place || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      place.classList.add("over");
    });
  }
  for (const kind of ["dragleave", "drop"]) {
    document.addEventListener(kind, (event) => { if (!zone(event.target)?.contains(event.relatedTarget)) zone(event.target)?.classList.remove("over"); });
  }
  document.addEventListener("drop", (event) => {
    const place = zone(event.target);
    if (!place || !event.dataTransfer?.files.length) return;
    event.preventDefault();
    sendAll(place, [...event.dataTransfer.files]);
  });

  async function sendAll(place, chosen) {
    say(place, "");
    for (const file of place.hasAttribute("data-many") ? chosen : chosen.slice(-1)) await send(place, file);
  }

  function send(place, file) {
    const form = place.closest("[data-uploads]");
    const list = place.querySelector("[data-files]");
    const row = document.createElement("li");
    const words = document.createElement("span");
    words.className = "name";
    words.textContent = `Sending ${file.name}`;
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.setAttribute("aria-label", `Sending ${file.name}`);
    row.append(words, bar);
    list.append(row);
    const body = new FormData();
    for (const name of ["csrf_token", "step", "revision"]) if (form.elements[name]) body.append(name, form.elements[name].value);
    body.append("field", place.dataset.upload);
    body.append("file", file);
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", form.dataset.uploads);
      request.setRequestHeader("HX-Request", "true");
      request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
      request.addEventListener("loadend", () => {
        row.remove();
        if (request.status === 200) {
          if (!place.hasAttribute("data-many")) list.replaceChildren();
          list.insertAdjacentHTML("beforeend", request.responseText);
          touched(place);
        } else {
          say(place, request.getResponseHeader("X-Reason") ? decodeURIComponent(request.getResponseHeader("X-Reason")) : `${file.name} could not be sent. Check the connection and try again.`);
        }
        done();
      });
      request.send(body);
    });
  }

  function say(place, words) {
    const line = place.querySelector("[data-upload-error]");
    line.hidden = !words;
    line.textContent = words;
  }

  // The badge says it, and the draft follows, as after any other change.
  function touched(place) {
    const badge = place.closest("li")?.querySelector("[data-there]");
    const there = place.querySelector("[data-files] li") !== null;
    if (badge) {
      badge.textContent = there ? badge.dataset.there : badge.dataset.lacking;
      badge.classList.toggle("good", there);
      badge.classList.remove("warn");
    }
    place.dispatchEvent(new Event("input", { bubbles: true }));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove]");
    const place = button && zone(button);
    if (!place) return;
    const form = place.closest("[data-uploads]");
    const body = new FormData();
    for (const name of ["csrf_token", "step", "revision"]) if (form.elements[name]) body.append(name, form.elements[name].value);
    body.append("away", button.dataset.remove);
    fetch(form.dataset.uploads, { method: "POST", body, headers: { "HX-Request": "true" } });
    button.closest("li").remove();
    touched(place);
    place.querySelector("input[type=file]").focus();
  });
})();
