// <handrail-chart>: draws the table inside it with Chart.js. The table stays, folded away; what is in no table is in no chart. Tables that are
// opened stand in the address, so that a reload, Back and a copied link show them again.
"use strict";
(() => {
  const TONES = { ai: "--ai", accent: "--accent", good: "--good", warn: "--warn", bad: "--bad", muted: "--line-strong" };
  const drawn = new Set();
  const OPEN = "open-tables";
  const title = (table) => table.closest("figure").getAttribute("aria-labelledby");
  const openTables = () => new Set((new URLSearchParams(location.search).get(OPEN) || "").split(" ").filter(Boolean));

  // The colour that a variable comes to in the theme of this moment; light-dark() is resolved only where a colour is used.
  function colour(host, name) {
    const probe = document.createElement("i");
    probe.style.color = `var(${name})`;
    host.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  const faint = (rgb) => rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.14)");

  function read(host) {
    const rows = [...host.querySelectorAll("tbody tr")];
    return {
      labels: rows.map((row) => row.cells[0].textContent.trim()),
      links: rows.map((row) => row.cells[0].querySelector("a")?.href || ""),
      series: [...host.querySelectorAll("thead th")].slice(1).map((head, index) => ({
        name: head.textContent.trim(),
        tone: TONES[head.dataset.tone] || TONES.accent,
        values: rows.map((row) => (row.cells[index + 1].dataset.value === undefined ? null : Number(row.cells[index + 1].dataset.value))),
        words: rows.map((row) => row.cells[index + 1].textContent.trim()),
      })),
    };
  }

  // A long name in lines of about 22 letters: an axis cuts what does not fit.
  const broken = (label) => label.split(" ").reduce((lines, word) => {
    const last = lines[lines.length - 1];
    return last && last.length + word.length < 22 ? [...lines.slice(0, -1), `${last} ${word}`] : [...lines, word];
  }, []);

  function settings(host, told) {
    const { kind, unit, most } = host.dataset;
    const ink = colour(host, "--ink-2");
    const line = colour(host, "--line");
    const number = { beginAtZero: true, max: most ? Number(most) : undefined, grid: { color: line }, border: { display: false },
      ticks: { color: ink, maxTicksLimit: 5, precision: unit ? undefined : 0, callback: (value) => `${value.toLocaleString("en")}${value === 1 ? unit.replace(/(\w{3,})s$/, "$1") : unit}` } };
    const named = { grid: { display: false }, border: { color: line }, ticks: { color: ink, autoSkip: kind !== "bar", maxRotation: 0, autoSkipPadding: 10 } };
    return {
      type: kind === "line" ? "line" : "bar",
      data: {
        labels: kind === "bar" ? told.labels.map(broken) : told.labels,
        datasets: told.series.map((one) => {
          const full = colour(host, one.tone);
          return { label: one.name, data: one.values, borderColor: full, backgroundColor: kind === "line" ? faint(full) : full, fill: kind === "line" && told.series.length === 1,
            borderWidth: kind === "line" ? 2 : 0, borderRadius: 3, maxBarThickness: 22, pointRadius: 3, pointBackgroundColor: full, spanGaps: true, tension: 0.25 };
        }),
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, indexAxis: kind === "bar" ? "y" : "x",
        clip: false, layout: { padding: { top: 6, right: 8 } },
        scales: kind === "bar" ? { x: number, y: named } : { x: named, y: number },
        onClick: (_event, hit) => { const to = hit.length && told.links[hit[0].index]; if (to) location.assign(to); },
        onHover: (event, hit) => { event.native.target.style.cursor = hit.length && told.links[hit[0].index] ? "pointer" : ""; },
        plugins: {
          legend: { display: told.series.length > 1, align: "start", labels: { color: ink, boxWidth: 10, boxHeight: 10 } },
          tooltip: { callbacks: { title: (items) => told.labels[items[0].dataIndex], label: (item) => `${told.series[item.datasetIndex].name}: ${told.series[item.datasetIndex].words[item.dataIndex]}` } },
        },
      },
    };
  }

  class HandrailChart extends HTMLElement {
    connectedCallback() {
      const plot = this.querySelector("[data-plot]");
      const table = this.querySelector("details");
      try {
        const told = read(this);
        const canvas = document.createElement("canvas");
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${this.dataset.label}: chart; the table below says the same.`);
        plot.hidden = false;
        plot.classList.add(this.dataset.kind);
        if (this.dataset.kind === "bar") plot.style.height = `${Math.max(2, told.labels.length) * (told.series.length > 1 ? 44 : 30) + (told.series.length > 1 ? 70 : 40)}px`;
        plot.replaceChildren(canvas);
        this.chart = new window.Chart(canvas, settings(this, told));
        table.open = openTables().has(title(table));
        drawn.add(this);
      } catch {
        plot.hidden = true;
        this.querySelector("[data-plot-error]").hidden = false;
        table.open = true;
      }
    }

    disconnectedCallback() {
      drawn.delete(this);
      this.chart?.destroy();
    }

    // Another theme: the same chart in its colours.
    recolour() {
      const made = settings(this, read(this));
      this.chart.data = made.data;
      this.chart.options = made.options;
      this.chart.update("none");
    }
  }

  document.addEventListener("click", (event) => {
    const table = event.target.closest?.("handrail-chart summary")?.parentElement;
    if (!table) return;
    const told = new URLSearchParams(location.search);
    const open = openTables();
    // it is opened or closed after this
    if (table.open) open.delete(title(table));
    else open.add(title(table));
    if (open.size) told.set(OPEN, [...open].join(" "));
    else told.delete(OPEN);
    history.replaceState(history.state, "", location.pathname + (told.size ? `?${told}` : "") + location.hash);
  });

  const again = () => drawn.forEach((one) => one.recolour());
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  if (window.Chart) window.Chart.defaults.font.family = "Inter, system-ui, sans-serif";
  customElements.define("handrail-chart", HandrailChart);
})();
