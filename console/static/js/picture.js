// The picture of a workflow, or of a run's path: X6 draws what the list of steps beside it says. For looking: nothing in it can be moved.
"use strict";
(() => {
  const { Graph, Shape, Config } = window.X6;
  const { placed, WIDTH, HEIGHT, LONGEST } = window.handrailLayout;
  // below that nobody reads: begin at the start instead
  const LEAST = 0.6;
  const NEAR = 0.85;
  // with more steps only what is seen, and so much around it, is drawn
  const MANY = 120;
  const AROUND = 400;
  // so far from its steps a way back goes up
  const BESIDE = 26;
  // X6 and dagre keep what they draw by name in plain objects, which know these already: such a step stands in the list alone
  const UNDRAWN = ["constructor", "__proto__"];
  const MARK = { done: "circle-check", cancelled: "ban", failed: "alert-triangle", skipped: "circle-dashed", now: "player-play", added: "plus", changed: "pencil", removed: "minus" };
  // what is drawn again after a swap stands where it stood
  const stood = new Map();

  // the policy of our pages allows no style sheet but ours
  Config.autoInsertCSS = false;

  const make = (tag, name, words) => {
    const made = document.createElement(tag);
    made.className = name;
    if (words) made.textContent = words;
    return made;
  };
  const ease = (from, to, bends) => {
    const points = [from, ...bends, to];
    return points.slice(1).reduce((drawn, point, index) => {
      const before = points[index];
      const half = (before.y + point.y) / 2;
      return drawn + (before.x === point.x ? `L${point.x},${point.y}` : `C${before.x},${half} ${point.x},${half} ${point.x},${point.y}`);
    }, `M${from.x},${from.y}`);
  };
  Graph.registerConnector("handrail-flow", ease, true);
  Shape.HTML.register({ shape: "handrail-step", width: WIDTH, height: HEIGHT, html: (cell) => face(cell.getData()) });
  Shape.HTML.register({ shape: "handrail-note", width: 200, height: 96, html: (cell) => make("div", "nd-free", cell.getData().text) });

  // What stands on a step: its tile, title, type and gist; in a run also how it stands and how often the run came here.
  function face(step) {
    const box = make("div", ["nd", step.state, step.wrong && `wrong-${step.wrong}`].filter(Boolean).join(" "));
    const words = make("span", "nd-words");
    const line = make("small", step.family, step.gist || "");
    line.dataset.kind = step.kind;
    words.append(make("b", "", step.title), " ", line);
    box.append(step.tile.cloneNode(true), words, " ");
    if (MARK[step.state]) {
      const mark = make("span", "nd-mark");
      mark.append(icon(MARK[step.state]));
      box.append(mark);
    }
    if (step.note) {
      const note = make("span", "nd-note");
      note.append(icon("message-circle"));
      note.title = step.note;
      box.append(note);
    }
    if (step.visits > 1) box.append(make("span", "nd-visits", `×${step.visits}`));
    if (step.here) {
      const link = make("a", "nd-here num", step.here);
      link.href = step.hereHref;
      link.tabIndex = -1;
      link.title = `${step.here} enrolled are here: show them`;
      box.append(link);
    }
    if (step.passed && !step.here) {
      const count = make("span", "nd-passed num", step.passed);
      count.title = step.passedWords;
      box.append(count);
    }
    box.title = step.gist ? `${step.title}: ${step.gist}` : step.title;
    return box;
  }

  const icon = (name) => document.querySelector("[data-marks-of-steps]").content.querySelector(`[data-mark="${name}"] svg`).cloneNode(true);

  function read(place) {
    // the editor keeps it in a template
    const list = place.content || place;
    const steps = [...list.querySelectorAll("[data-step]")].filter((item) => !UNDRAWN.includes(item.dataset.step)).map((item) => ({
      id: item.dataset.step, family: item.dataset.family, gist: item.dataset.gist, note: item.dataset.note, state: item.dataset.state,
      title: item.querySelector("[data-title]").textContent, kind: item.querySelector("[data-kind]").textContent,
      tile: item.querySelector(".tile"), badge: item.querySelector(".badge")?.textContent.trim() || "", target: item.dataset.target,
      visits: Number(item.dataset.visits || 0), at: item.dataset.at ? item.dataset.at.split(",").map(Number) : null,
      group: item.dataset.group, groupTitle: item.dataset.groupTitle, outcomes: JSON.parse(item.dataset.outcomes || "[]"), wrong: item.dataset.wrong || "", here: item.dataset.here, hereHref: item.dataset.hereHref,
      passed: item.dataset.passed, passedWords: item.dataset.passedWords,
    }));
    const edges = [...list.querySelectorAll("[data-to]")].map((way, index) => ({
      id: `way ${way.parentElement.dataset.step} ${way.dataset.outcome ?? index}`, from: way.closest("[data-step]").dataset.step, to: way.dataset.to, label: way.dataset.label, took: way.dataset.label && way.dataset.took,
      back: "back" in way.dataset, taken: "taken" in way.dataset || "fresh" in way.dataset, lost: "lost" in way.dataset, outcome: way.dataset.outcome, inside: "inside" in way.dataset,
    }));
    const there = new Set(steps.map((step) => step.id));
    const notes = [...list.querySelectorAll("[data-free-note]")].map((note) => {
      const [x, y] = note.dataset.at.split(",").map(Number);
      return { id: `note ${note.dataset.freeNote}`, shape: "handrail-note", zIndex: 9, x, y, data: { number: Number(note.dataset.freeNote), text: note.textContent } };
    });
    // a draft may lead to a step that is not there
    return { steps, notes, edges: joined(edges.filter((edge) => there.has(edge.from) && there.has(edge.to))) };
  }

  // Ways that lead from one step to the same other are one line, with all their names.
  function joined(edges) {
    const found = new Map();
    edges.forEach((edge) => {
      const name = `${edge.from} ${edge.to}`;
      const former = found.get(name);
      found.set(name, former ? { ...former, label: `${former.label}, ${edge.label}`, took: former.took || edge.took, taken: former.taken || edge.taken, lost: former.lost && edge.lost } : edge);
    });
    return [...found.values()];
  }

  // What the picture is made of besides words: with the same shape nothing moves.
  function shapeOf({ steps, edges, notes }) { return JSON.stringify([notes, steps.map(({ id, at, group, groupTitle, outcomes }) => [id, at, group, groupTitle, outcomes]), edges]); }

  function dot(place, name) { return { position: place, markup: [{ tagName: "circle", selector: "c", className: name }], attrs: { c: { r: name ? 5 : 1, opacity: name ? 1 : 0, magnet: false } } }; }

  function nodeOf(step, place, edges) {
    const ports = [
      edges.some((edge) => edge.to === step.id && !edge.back) && { id: "in", group: "in" },
      edges.some((edge) => edge.from === step.id && !edge.back) && { id: "out", group: "out" },
      edges.some((edge) => edge.from === step.id && edge.inside) && { id: "inside", group: "inside" },
      { id: "left", group: "left" }, { id: "right", group: "right" },
    ].filter(Boolean);
    const groups = { in: dot("top", "port"), out: dot("bottom", "port"), inside: dot("bottom", ""), left: dot("left", ""), right: dot("right", "") };
    const made = { id: step.id, shape: "handrail-step", zIndex: 10, ...place, width: WIDTH, height: HEIGHT, data: step, ports: { groups, items: ports } };
    return window.handrailCanvas ? window.handrailCanvas.handles(made, step) : made;
  }

  // From the handle of its outcome, through its bends, to what it leads to.
  function pointsOf(edge, step, places, bends) {
    const [from, to] = [places.get(edge.from), places.get(edge.to)];
    const handle = window.handrailCanvas ? step.outcomes.findIndex(([outcome]) => outcome === edge.outcome) : -1;
    const part = handle < 0 ? 0.5 : (handle + 0.5) / step.outcomes.length;
    return [{ x: from.x + WIDTH * part, y: from.y + HEIGHT }, ...(bends.get(edge.id) || []), { x: to.x + WIDTH / 2, y: to.y }];
  }

  // A way back leaves its step at the side, goes up beside both steps and comes in at the same side.
  const sideOf = (edge, places) => (places.get(edge.from).x > places.get(edge.to).x ? "right" : "left");
  function around(edge, places) {
    const [right, ...ends] = [sideOf(edge, places) === "right", places.get(edge.from), places.get(edge.to)];
    const [from, to] = ends.map(({ x, y }) => ({ x: x + (right ? WIDTH : 0), y: y + HEIGHT / 2 }));
    const x = right ? Math.max(from.x, to.x) + BESIDE : Math.min(from.x, to.x) - BESIDE;
    return [from, { x, y: from.y }, { x, y: to.y }, to];
  }

  // A name hides the lines behind it: a way whose name has to stand on others is drawn after them.
  function edgeOf(edge, places, bends, { above = 0, ...position } = {}) {
    const side = sideOf(edge, places);
    const name = `way-line${edge.taken ? " taken" : ""}${edge.lost ? " lost" : ""}${edge.inside ? " inside" : ""}`;
    return {
      id: edge.id, shape: "edge", zIndex: above ? 4 + above / 1000 : edge.taken ? 3 : 2, data: edge, vertices: bends.get(edge.id) || [],
      source: { cell: edge.from, port: edge.back ? side : edge.inside ? "inside" : window.handrailCanvas ? `out:${edge.outcome}` : "out" }, target: { cell: edge.to, port: edge.back ? side : "in" },
      router: edge.back ? { name: "oneSide", args: { side, padding: BESIDE } } : { name: "normal" },
      connector: edge.back ? { name: "rounded", args: { radius: 12 } } : { name: "handrail-flow" },
      attrs: { line: { class: name, stroke: null, strokeWidth: edge.taken ? 2.4 : 1.6, targetMarker: { name: "block", width: 9, height: 7, fill: "context-stroke", stroke: "none" } } },
      labels: edge.label ? [labelOf(edge, position)] : [],
    };
  }

  // the name of a way, and how many took it; a long name is cut
  const cut = ({ label }) => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label);
  const wordsOf = (edge) => (edge.took ? `${cut(edge)}  ${edge.took}` : cut(edge));

  function labelOf(edge, position) {
    const [words, title] = [wordsOf(edge), edge.took ? `${edge.label}: ${edge.took} took this path` : edge.label];
    return {
      position,
      markup: [{ tagName: "title", selector: "whole", textContent: title }, { tagName: "rect", selector: "r" }, { tagName: "text", selector: "t" }],
      attrs: {
        t: { text: words, annotations: edge.took ? [{ start: words.length - edge.took.length, end: words.length, attrs: { class: "way-count" } }] : [], class: "way-words", textAnchor: "middle", textVerticalAnchor: "middle" },
        r: { ref: "t", class: `way-tag${edge.taken ? " taken" : ""}`, refWidth: 14, refHeight: 8, refX: -7, refY: -4, rx: 9, ry: 9 },
      },
    };
  }

  class Picture extends HTMLElement {
    connectedCallback() {
      const list = document.getElementById(this.dataset.list);
      this.hidden = !list;
      if (!list || this.graph) return;
      // on a telephone the outline is the editor
      if (window.handrailCanvas && !this.offsetWidth) return;
      this.canvas = this.querySelector("[data-canvas]");
      const made = read(list);
      const { steps, edges } = made;
      this.steps = new Map(steps.map((step) => [step.id, step]));
      this.graph = new Graph({
        container: this.canvas, autoResize: true, interacting: false, async: false, virtual: steps.length > MANY && { margin: AROUND },
        panning: { enabled: true, eventTypes: ["leftMouseDown"] },
        mousewheel: { enabled: true, modifiers: ["ctrl", "meta"], minScale: 0.2, maxScale: 1.6 },
        ...window.handrailCanvas?.settings(),
      });
      this.many = steps.length > MANY;
      // nothing yet: until all is there, a way stands nowhere and would be drawn
      if (this.many) this.graph.renderer.setRenderArea(this.graph.getGraphArea().translate(-1e7, -1e7));
      this.graph.fromJSON(this.cells(made));
      this.name(edges);
      this.graph.on("scale", () => this.keep());
      this.graph.on("translate", () => this.keep());
      this.graph.on("node:click", ({ node }) => this.steps.has(node.id) && this.open(node.id));
      this.canvas.addEventListener("keydown", (event) => this.walk(event));
      // whoever types is not held up
      if (!this.listening) document.addEventListener("keydown", () => this.waiting && this.soon(600));
      if (!this.listening) this.addEventListener("click", (event) => { const button = event.target.closest("[data-zoom]"); if (button) this.zoom(button.dataset.zoom); });
      this.listening = true;
      window.handrailCanvas?.attach(this);
      this.stand();
      window.handrailMap?.attach(this);
    }

    // Another list: the look stays where it is. Where only words have changed, only they are drawn. Many steps are arranged after the rest of the
    // page: whoever has added one goes on in its settings.
    redraw() {
      clearTimeout(this.later);
      this.waiting = null;
      if (!this.graph) { this.connectedCallback(); return; }
      const made = read(document.getElementById(this.dataset.list));
      if (shapeOf(made) === this.shape) this.reword(made.steps, made.edges);
      else if (this.many) { this.waiting = () => { this.waiting = null; if (this.graph) this.amend(made); }; this.soon(50); }
      else this.amend(made);
    }

    soon(wait) { clearTimeout(this.later); this.later = setTimeout(() => this.waiting?.(), wait); }

    // What X6 is given, and what is remembered of it: the shape of all, and how each is drawn apart from its place and its words.
    cells(made) {
      const { steps, edges, notes } = made;
      const worded = edges.map((edge) => ({ ...edge, label: edge.label && wordsOf(edge) }));
      const by = new Map(steps.map((step) => [step.id, step]));
      const waysOf = ({ places, bends }) => worded.map((edge) => ({ ...edge, straight: edge.back, points: edge.back ? around(edge, places) : pointsOf(edge, by.get(edge.from), places, bends) }));
      const { places, bends, frames, spots } = placed(steps, worded, waysOf);
      const nodes = [...frames.map((frame) => this.frame(frame)), ...notes, ...steps.map((step) => nodeOf(step, places.get(step.id), edges))];
      const ways = edges.map((edge) => edgeOf(edge, places, bends, spots.get(edge.id)));
      this.shape = shapeOf(made);
      this.forms = new Map([...nodes, ...ways].map((cell) => [cell.id, JSON.stringify({ ...cell, x: 0, y: 0, vertices: 0, labels: 0, data: cell.data?.tile ? 0 : cell.data })]));
      return { nodes, edges: ways };
    }

    // What stays is moved to its place; what is new, or is drawn otherwise, is put in. Of a thousand steps most only move.
    amend(made) {
      const [had, former, before, { graph }] = [this.canvas.contains(document.activeElement), this.forms, this.steps, this];
      const { nodes, edges } = this.cells(made);
      graph.startBatch("amend");
      // with a step its ways go
      graph.getCells().forEach((cell) => { if (cell.model && this.forms.get(cell.id) !== former.get(cell.id)) cell.remove(); });
      nodes.forEach((node) => {
        const there = graph.getCellById(node.id);
        if (!there) graph.addNode(node);
        else if (there.position().x !== node.x || there.position().y !== node.y) there.position(node.x, node.y, { along: true });
      });
      edges.forEach((edge) => {
        const there = graph.getCellById(edge.id);
        if (!there) graph.addEdge(edge);
        else if (JSON.stringify(there.getVertices()) !== JSON.stringify(edge.vertices)) there.setVertices(edge.vertices);
        if (there && JSON.stringify(there.getLabels()) !== JSON.stringify(edge.labels)) there.setLabels(edge.labels);
      });
      graph.stopBatch("amend");
      this.reword(made.steps, made.edges, true);
      this.draw();
      const chosen = window.handrailCanvas?.chosen();
      this.choose(this.steps.has(this.at) ? this.at : made.steps[0]?.id, had && !this.canvas.contains(document.activeElement));
      if (before.has(chosen)) this.mark(chosen);
      else this.show(chosen);
      window.handrailMap?.attach(this);
    }

    reword(steps, edges, others = false) {
      const looks = (step) => step && JSON.stringify({ ...step, tile: step.tile?.outerHTML });
      const changed = steps.filter((step) => looks(step) !== looks(this.steps.get(step.id)));
      this.steps = new Map(steps.map((step) => [step.id, step]));
      changed.forEach((step) => this.graph.getCellById(step.id).replaceData(step));
      if (changed.length || others) this.name(edges);
    }

    disconnectedCallback() {
      if (!this.graph) return;
      this.graph.dispose();
      this.graph = null;
    }

    frame(frame) {
      return {
        id: `group ${frame.group}`, shape: "rect", zIndex: 0, x: frame.x, y: frame.y, width: frame.width, height: frame.height,
        attrs: {
          body: { class: "group-body", fill: null, stroke: null, rx: 14, ry: 14 },
          label: { text: frame.title, class: "group-words", fill: null, fontSize: null, fontFamily: null, refX: 16, refY: 18, textAnchor: "start", textVerticalAnchor: "middle" },
        },
      };
    }

    // X6 draws for mice: the names, the one stop of the Tab key and the words for screen readers are ours.
    name(edges) {
      const leading = new Map();
      edges.forEach((edge) => leading.set(edge.from, [...(leading.get(edge.from) || []), `${edge.label ? `${edge.label}: ` : ""}${this.steps.get(edge.to).title}${edge.took ? `, ${edge.took} took this path` : ""}`]));
      this.steps.forEach((step) => {
        const ways = leading.get(step.id) || [];
        // what may be seen alone where the picture's edge cuts a step stands together; its type is drawn before the gist
        const many = step.here ? `${step.here} enrolled are here` : step.passed ? step.passedWords : "";
        const seen = [step.title, step.gist, step.visits > 1 ? `×${step.visits}` : "", many, step.note ? `Note: ${step.note}` : ""].filter(Boolean).join(" ");
        const stands = step.badge ? ` ${step.badge}${step.visits > 1 ? `, ${step.visits} entries` : ""}.` : "";
        const group = this.view(step.id);
        group.setAttribute("role", "link");
        group.setAttribute("tabindex", step.id === this.at ? "0" : "-1");
        group.setAttribute("aria-label", `${seen}. ${step.kind}.${stands}${ways.length ? ` Next: ${ways.join("; ")}.` : ""}`);
      });
    }

    view(id) { return this.graph.findViewByCell(id).container; }

    choose(id, focus) {
      if (this.steps.has(this.at)) this.view(this.at).setAttribute("tabindex", "-1");
      this.at = id;
      this.keep();
      // a draft may be without a step
      if (!this.steps.has(id)) return;
      const group = this.view(id);
      group.setAttribute("tabindex", "0");
      if (!focus) return;
      this.drawn(id);
      group.focus({ preventScroll: true });
      this.inside(id);
    }

    // Of many steps those far away are not drawn until they are looked at.
    drawn(id) {
      if (this.view(id).isConnected) return;
      this.graph.centerCell(this.graph.getCellById(id));
      this.draw();
    }

    draw() { if (this.many) this.graph.renderer.setRenderArea(this.graph.getGraphArea().inflate(AROUND, AROUND)); }

    inside(id) {
      this.drawn(id);
      const [box, around] = [this.view(id).getBoundingClientRect(), this.canvas.getBoundingClientRect()];
      if (box.top < around.top || box.bottom > around.bottom || box.left < around.left || box.right > around.right) this.graph.centerCell(this.graph.getCellById(id));
    }

    // Down a way on, up the way here, left and right what stands beside.
    walk(event) {
      const id = event.target.closest?.("[data-cell-id]")?.dataset.cellId;
      if (!this.steps.has(id) || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = {
        ArrowDown: () => this.beyond(id, "from", "to"), ArrowUp: () => this.beyond(id, "to", "from"),
        ArrowLeft: () => this.beside(id, -1), ArrowRight: () => this.beside(id, 1),
        Home: () => [...this.steps.keys()][0], End: () => [...this.steps.keys()].at(-1),
      }[event.key];
      if (!to && event.key !== "Enter") return;
      event.preventDefault();
      if (!to) return this.open(id);
      const next = to();
      if (next) this.choose(next, true);
    }

    beyond(id, here, there) {
      const ways = this.graph.getEdges().map((edge) => edge.getData()).filter((edge) => edge[here] === id);
      return (ways.find((edge) => edge.taken && !edge.back) || ways.find((edge) => !edge.back) || ways[0])?.[there];
    }

    beside(id, direction) {
      const middle = this.graph.getCellById(id).position();
      const far = (place) => Math.hypot(place.x - middle.x, 3 * (place.y - middle.y));
      const found = [...this.steps.keys()].map((other) => [other, this.graph.getCellById(other).position()]);
      return found.filter(([, place]) => (place.x - middle.x) * direction > 20).sort((one, two) => far(one[1]) - far(two[1]))[0]?.[0];
    }

    // Its place in the list of steps, or in a run the entry itself.
    open(id) {
      if (!this.dispatchEvent(new CustomEvent("picture:open", { bubbles: true, cancelable: true, detail: id }))) return;
      const { target } = this.steps.get(id);
      if (!target.startsWith("#")) return location.assign(target);
      this.choose(id, false);
      history.replaceState(history.state, "", target);
      const item = document.getElementById(target.slice(1));
      item.focus({ preventScroll: true });
      item.scrollIntoView({ block: "start" });
      this.mark(id);
    }

    mark(id) {
      this.steps.forEach((step) => this.view(step.id).classList.toggle("chosen", step.id === id));
    }

    zoom(how) {
      if (how === "fit") this.graph.zoomToFit({ padding: 24, maxScale: 1, useCellGeometry: false });
      else if (how === "whole") this.graph.zoomTo(1);
      else this.graph.zoom(how === "in" ? 0.1 : -0.1);
      this.size();
    }

    // The step that is chosen elsewhere on the page is seen here, too.
    show(id) {
      if (!this.graph) return;
      this.mark(id);
      if (this.steps.has(id) && !this.canvas.contains(document.activeElement)) { this.choose(id, false); this.inside(id); }
    }

    // While it is looked at: what takes its place after a swap is there before this one goes.
    keep() {
      stood.set(this.dataset.kept, { scale: this.graph.zoom(), by: this.graph.translate(), at: this.at });
      this.size();
    }

    size() { this.querySelector("[data-size]").textContent = `${Math.round(this.graph.zoom() * 100)}%`; }

    // The first look: all of it where it can be read, else where the run is, or the start. After a swap: as before.
    stand() {
      const first = [...this.steps.keys()][0];
      const now = [...this.steps.values()].find((step) => step.state === "now")?.id;
      const before = stood.get(this.dataset.kept);
      const named = location.hash.startsWith("#step-") ? location.hash.slice(6) : window.handrailCanvas?.chosen() || "";
      if (before) {
        this.graph.zoomTo(before.scale);
        this.graph.translate(before.by.tx, before.by.ty);
      } else {
        const all = this.graph.getContentArea();
        const [wide, high] = [this.canvas.clientWidth / all.width, this.canvas.clientHeight / all.height];
        if (Math.min(wide, high) >= LEAST) this.zoom("fit");
        else {
          this.graph.zoomTo(Math.min(NEAR, Math.max(LEAST, wide)));
          if (now) this.graph.centerCell(this.graph.getCellById(now));
          else this.graph.positionPoint({ x: this.graph.getCellById(first).position().x + WIDTH / 2, y: this.graph.getCellById(first).position().y }, "50%", 24);
        }
      }
      this.draw();
      if (this.steps.has(named)) { this.mark(named); if (!before) this.inside(named); }
      this.choose([before?.at, named, now, first].find((id) => this.steps.has(id)), false);
    }
  }
  customElements.define("step-picture", Picture);
})();
