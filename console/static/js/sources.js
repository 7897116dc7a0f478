// Data sources: fields that a kind of database does not have go away, tables are searched and ticked, and waiting is said.
"use strict";
(() => {
  for (const form of document.querySelectorAll("[data-source-form]")) {
    const kinds = [...form.querySelectorAll("input[name=kind]")];
    const show = () => {
      const kind = kinds.find((one) => one.checked);
      if (!kind) return;
      form.querySelectorAll("[data-not-for]").forEach((part) => { part.hidden = part.dataset.notFor === kind.value; });
      form.querySelectorAll("[data-only-for]").forEach((part) => { part.hidden = part.dataset.onlyFor !== kind.value; });
      const port = form.querySelector("#port");
      if (port) port.placeholder = JSON.parse(form.dataset.ports)[kind.value] ?? "";
    };
    kinds.forEach((kind) => kind.addEventListener("change", show));
    show();
    form.addEventListener("submit", () => {
      const working = form.querySelector("[data-working]");
      if (working) {
        working.textContent = working.dataset.working;
        const began = Date.now();
        const beside = document.createElement("span");
        beside.setAttribute("aria-hidden", "true"); // said once to who listens; who looks sees that it goes on
        working.append(beside);
        setInterval(() => { beside.textContent = ` ${Math.round((Date.now() - began) / 1000)} s`; }, 1000);
      }
      form.setAttribute("aria-busy", "true");
    });
  }
  for (const pick of document.querySelectorAll("[data-pick]")) {
    const rows = [...pick.querySelectorAll(".pick-list .choice")];
    const boxes = rows.map((row) => row.querySelector("input"));
    const names = rows.map((row) => row.textContent.trim().toLowerCase());
    const some = pick.querySelector("input[name=which][value=some]");
    const count = pick.querySelector("[data-pick-count]");
    const tell = () => {
      const shown = rows.filter((row) => !row.hidden).length;
      count.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length} ticked${shown < rows.length ? `, ${shown} shown` : ""}`;
    };
    const tick = (on) => {
      rows.forEach((row, at) => { if (!row.hidden) boxes[at].checked = on; });
      if (some) some.checked = true;
      tell();
    };
    pick.querySelector("[data-pick-search]").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows.forEach((row, at) => { row.hidden = !words.every((word) => names[at].includes(word)); });
      tell();
    });
    pick.querySelector("[data-pick-search]").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
    pick.querySelector("[data-pick-all]").addEventListener("click", () => tick(true));
    pick.querySelector("[data-pick-none]").addEventListener("click", () => tick(false));
    pick.addEventListener("change", (event) => {
      if (event.target.name === "table" && some) some.checked = true;
      tell();
    });
    tell();
  }
})();
