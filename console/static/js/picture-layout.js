// Where the steps of a picture stand: their own places where the document has them, else where dagre puts them. No page in here.
"use strict";
(() => {
  const WIDTH = 252;
  const HEIGHT = 60;
  const LINE = 8; // places are on a grid

  const round = (value) => Math.round(value / LINE) * LINE;

  // `nodes`: [{id, at: [x, y] or null, group}], `edges`: [{id, from, to, label, back}].
  // Answers {places: Map id → {x, y} (left upper corner), bends: Map edge id → points between, frames: [{group, x, y, width, height}]}.
  function layout(nodes, edges) {
    const arranged = nodes.every((node) => node.at) ? null : arrange(nodes, edges);
    const places = new Map(nodes.map((node) => [node.id, arranged ? arranged.places.get(node.id) : { x: node.at[0], y: node.at[1] }]));
    const settled = arranged ? nodes.filter((node) => node.at) : [];
    if (settled.length) {
      // Some have a place of their own: the others keep their distance to the first of these.
      const [first] = settled;
      const by = { x: first.at[0] - places.get(first.id).x, y: first.at[1] - places.get(first.id).y };
      places.forEach((place) => { place.x += by.x; place.y += by.y; });
      settled.forEach((node) => places.set(node.id, { x: node.at[0], y: node.at[1] }));
    }
    return { places, bends: arranged && !settled.length ? arranged.bends : new Map(), frames: frames(nodes, places) };
  }

  function arrange(nodes, edges) {
    const grouped = nodes.some((node) => node.group !== undefined);
    const graph = new window.dagre.graphlib.Graph({ multigraph: true, compound: grouped });
    graph.setGraph({ rankdir: "TB", nodesep: 60, ranksep: 34, edgesep: 36 });
    graph.setDefaultEdgeLabel(() => ({}));
    nodes.forEach((node) => graph.setNode(node.id, { width: WIDTH, height: HEIGHT }));
    if (grouped) {
      nodes.filter((node) => node.group !== undefined).forEach((node) => {
        graph.setNode(`group ${node.group}`, {});
        graph.setParent(node.id, `group ${node.group}`);
      });
    }
    edges.filter((edge) => !edge.back).forEach((edge) => {
      const size = edge.label ? { width: 14 + 7 * edge.label.length, height: 18 } : { width: 0, height: 0 };
      graph.setEdge(edge.from, edge.to, { ...size, labelpos: "c", weight: 3 }, edge.id);
    });
    window.dagre.layout(graph);
    const places = new Map(nodes.map((node) => {
      const { x, y } = graph.node(node.id);
      return [node.id, { x: round(x - WIDTH / 2), y: round(y - HEIGHT / 2) }];
    }));
    const bends = new Map(edges.filter((edge) => !edge.back).map((edge) => {
      const { points } = graph.edge({ v: edge.from, w: edge.to, name: edge.id });
      return [edge.id, points.length > 3 ? points.slice(1, -1) : []];
    }));
    return { places, bends };
  }

  function frames(nodes, places) {
    const found = new Map();
    nodes.filter((node) => node.group !== undefined).forEach((node) => {
      const { x, y } = places.get(node.id);
      const box = found.get(node.group) || { left: x, top: y, right: x, bottom: y, title: node.groupTitle };
      found.set(node.group, { ...box, left: Math.min(box.left, x), top: Math.min(box.top, y), right: Math.max(box.right, x), bottom: Math.max(box.bottom, y) });
    });
    return [...found].map(([group, box]) => ({
      group, title: box.title, x: box.left - 20, y: box.top - 34, width: box.right - box.left + WIDTH + 40, height: box.bottom - box.top + HEIGHT + 54,
    }));
  }

  window.handrailLayout = { layout, WIDTH, HEIGHT };
})();
