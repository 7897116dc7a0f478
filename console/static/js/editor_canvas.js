// The canvas of the workflow editor: what can be done to the picture with the mouse. It is loaded before picture.js, which draws. Every change
// leaves as an event with changes of the document; the picture is drawn anew from the answer. All of it can be done in the outline, too.
"use strict";
(() => {
  const GRID = 8;
  const snap = (value) => Math.round(value / GRID) * GRID;
  const tell = (picture, kind, detail) => picture.dispatchEvent(new CustomEvent(`picture:${kind}`, { bubbles: true, detail }));
  const outcomeOf = (port) => (port?.startsWith("out:") ? port.slice(4) : null);

  // A handle below for each outcome, and one above for what leads here.
  function handles(node, step) {
    const handle = (position) => ({ position, markup: [{ tagName: "circle", selector: "c", className: "handle" }], attrs: { c: { r: 6, magnet: true } } });
    const groups = { ...node.ports.groups, outs: handle("bottom"), ins: handle("top") };
    const sides = node.ports.items.filter((port) => ["left", "right", "inside"].includes(port.id));
    const items = [
      ...(step.family === "start" ? [] : [{ id: "in", group: "ins" }]),
      ...step.outcomes.map(([outcome]) => ({ id: `out:${outcome}`, group: "outs" })),
      ...sides,
    ];
    return { ...node, ports: { groups, items } };
  }

  const settings = () => ({
    interacting: { nodeMovable: true, magnetConnectable: true, edgeMovable: false, edgeLabelMovable: false, arrowheadMovable: false, vertexMovable: false },
    connecting: {
      allowBlank: true, allowLoop: false, allowNode: true, allowEdge: false, allowMulti: true, snap: { radius: 40 }, highlight: true,
      createEdge() { return this.createEdge({ shape: "edge", zIndex: 1, attrs: { line: { class: "way-line", stroke: null, strokeWidth: 1.6, targetMarker: { name: "block", width: 9, height: 7, fill: "context-stroke", stroke: "none" } } } }); },
      validateMagnet: ({ magnet }) => outcomeOf(magnet.getAttribute("port") || magnet.closest("[port]")?.getAttribute("port")) !== null,
      validateConnection: ({ sourceCell, targetCell }) => Boolean(targetCell) && sourceCell !== targetCell && targetCell.isNode() && !String(targetCell.id).startsWith("group "),
    },
  });

  function attach(picture) {
    const { graph } = picture;
    // What is selected moves with the one that is dragged.
    const together = (node) => { const picked = window.handrailSelection?.picked() || []; return picked.includes(node.id) ? picked : [node.id]; };
    graph.on("node:change:position", ({ node, current, previous, options }) => {
      if (options?.along || !previous || !picture.steps.has(node.id)) return;
      const [x, y] = [current.x - previous.x, current.y - previous.y];
      together(node).filter((id) => id !== node.id).forEach((id) => graph.getCellById(id).translate(x, y, { along: true }));
    });
    // The first step that is moved by hand fixes where all stand; later only what is moved.
    graph.on("node:moved", ({ node }) => {
      if (node.shape === "handrail-note") tell(picture, "change", [{ op: "set_document", field: ["notes", node.getData().number, "at"], value: [snap(node.position().x), snap(node.position().y)] }]);
      if (!picture.steps.has(node.id)) return;
      const placed = [...picture.steps.values()].some((step) => step.at);
      const moved = placed ? together(node).map((id) => graph.getCellById(id)) : [...picture.steps.keys()].map((id) => graph.getCellById(id));
      tell(picture, "change", moved.map((each) => ({ op: "move", step: each.id, at: [snap(each.position().x), snap(each.position().y)] })));
    });
    graph.on("node:click", ({ node }) => { if (node.shape === "handrail-note") tell(picture, "note", node.getData().number); });
    graph.on("edge:connected", ({ edge, isNew }) => {
      const [step, to, outcome] = [edge.getSourceCellId(), edge.getTargetCellId(), outcomeOf(edge.getSourcePortId())];
      if (!isNew || !outcome) return;
      edge.remove();
      if (to && step !== to) tell(picture, "change", [{ op: "connect", step, outcome, to }]);
    });
    // Dropped where nothing is: a new step is chosen, and the way leads there.
    graph.on("edge:mouseup", ({ edge }) => setTimeout(() => {
      const outcome = outcomeOf(edge.getSourcePortId());
      if (!outcome || edge.getTargetCellId() || !graph.getCellById(edge.id)) return;
      const step = edge.getSourceCellId();
      edge.remove();
      tell(picture, "drop", [step, outcome]);
    }, 0));
    graph.on("edge:mouseenter", ({ edge }) => {
      if (!edge.getData()?.outcome) return;
      edge.addTools([{ name: "button-remove", args: { distance: 0.5, offset: 22, onClick: () => { const { from: step, outcome } = edge.getData(); tell(picture, "change", [{ op: "disconnect", step, outcome }]); } } }]);
    });
    graph.on("edge:mouseleave", ({ edge }) => edge.removeTools());
    picture.canvas.addEventListener("keydown", (event) => {
      const id = event.target.closest?.("[data-cell-id]")?.dataset.cellId;
      if (!picture.steps.has(id)) return;
      const by = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
      if (event.key === "Delete") { event.preventDefault(); tell(picture, "remove", id); }
      if (event.key === "a" && !event.ctrlKey && !event.metaKey) { event.preventDefault(); event.stopPropagation(); tell(picture, "drop", [id, "default"]); }
      if (by && event.altKey) {
        event.preventDefault();
        const node = graph.getCellById(id);
        const { x, y } = node.position();
        node.position(x + 2 * GRID * by[0], y + 2 * GRID * by[1]);
        graph.trigger("node:moved", { node });
      }
    });
  }

  const chosen = () => document.getElementById("editor")?.dataset.chosen;

  window.handrailCanvas = { handles, settings, attach, chosen };
})();
