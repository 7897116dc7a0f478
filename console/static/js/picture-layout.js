// Where the steps of a picture stand: their own places where the document has them, else where dagre puts them. No page in here.
"use strict";
(() => {
  const WIDTH = 252;
  const HEIGHT = 60;
  // places are on a grid
  const LINE = 8;
  const [IN, OUT] = ["in ", "out "];
  // How far apart all stands, from close to wide; of the name of a way dagre takes a part of its width and what is `beside` it: names stand on their
  // curves and not where dagre has them.
  const ROOMS = [
    { part: 0.6, beside: 0, nodesep: 40, edgesep: 24 },
    { part: 1, beside: 8, nodesep: 40, edgesep: 36 },
    { part: 1, beside: 80, nodesep: 60, edgesep: 36 },
  ];
  // of more steps nobody waits for another arrangement
  const FEW = 120;
  // what the frame of a group takes around its steps
  const ROOM = { left: 20, top: 34, width: 40, height: 54 };

  const round = (value) => Math.round(value / LINE) * LINE;

  // `nodes`: [{id, at: [x, y] or null, group}], `edges`: [{id, from, to, label, back}].
  // Answers {places: Map id → {x, y} (left upper corner), bends: Map edge id → points between, frames: [{group, x, y, width, height}]}.
  function layout(nodes, edges, room) {
    const arranged = nodes.every((node) => node.at) ? null : arrange(nodes, edges, room);
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

  // Steps of one group stand together: each group is arranged for itself, then the groups, with the steps in none, are. A way from group to
  // group leaves below all steps of the one and comes in above all of the other, so that it goes around them.
  function arrange(nodes, edges, room) {
    const on = edges.filter((edge) => !edge.back).map((edge) => ({ ...edge, wide: edge.label ? room.part * sizeOf(edge.label).width + room.beside : 0 }));
    if (!nodes.some((node) => node.group !== undefined)) return flow(nodes.map(box), on, room);
    const blockOf = new Map(nodes.map((node) => [node.id, node.group === undefined ? `step ${node.id}` : `group ${node.group}`]));
    const between = on.filter((edge) => blockOf.get(edge.from) !== blockOf.get(edge.to));
    const blocks = [...new Set(blockOf.values())].map((id) => {
      const own = nodes.filter((node) => blockOf.get(node.id) === id);
      if (!id.startsWith("group ")) return { id, frame: { left: 0, top: 0 }, inside: flow(own.map(box), [], room), width: WIDTH, height: HEIGHT };
      const inside = within(own, on.filter((edge) => blockOf.get(edge.from) === id || blockOf.get(edge.to) === id), room);
      return { id, frame: ROOM, inside, width: inside.width + ROOM.width, height: inside.height + ROOM.height };
    });
    const outside = flow(blocks, between.map((edge) => ({ ...edge, from: blockOf.get(edge.from), to: blockOf.get(edge.to) })), room);
    const [places, bends] = [new Map(), new Map()];
    const parts = new Map(on.map((edge) => [edge.id, { leaving: [], between: outside.bends.get(edge.id) || [], coming: [] }]));
    blocks.forEach(({ id, inside, frame }) => {
      const corner = outside.places.get(id);
      const shifted = ({ x, y }) => ({ x: corner.x + frame.left + x, y: corner.y + frame.top + y });
      inside.places.forEach((place, step) => places.set(step, shifted(place)));
      inside.bends.forEach((points, name) => {
        const [kind, edge] = name.startsWith(OUT) ? ["leaving", name.slice(OUT.length)] : name.startsWith(IN) ? ["coming", name.slice(IN.length)] : ["between", name];
        if (parts.has(edge)) parts.get(edge)[kind] = points.map(shifted);
      });
    });
    parts.forEach(({ leaving, between: middle, coming }, edge) => bends.set(edge, [...leaving, ...middle, ...coming]));
    return { places, bends };
  }

  const box = (node) => ({ id: node.id, width: WIDTH, height: HEIGHT });

  // The steps of one group with the ways among them, and those that leave it or come in.
  function within(own, edges, room) {
    const here = new Set(own.map((node) => node.id));
    const among = edges.filter((edge) => here.has(edge.from) && here.has(edge.to));
    const leaving = edges.filter((edge) => here.has(edge.from) && !here.has(edge.to));
    const coming = edges.filter((edge) => !here.has(edge.from) && here.has(edge.to));
    const goesOn = new Set(among.map((edge) => edge.from));
    const isReached = new Set(among.map((edge) => edge.to));
    const [boxes, ways] = [own.map(box), [...among]];
    const hidden = (id, from, to) => ways.push({ id, from, to, weight: 1 });
    const past = leaving.filter((edge) => goesOn.has(edge.from));
    if (past.length) {
      boxes.push({ id: OUT, width: 1, height: 1 });
      past.forEach((edge) => hidden(OUT + edge.id, edge.from, OUT));
      own.filter((node) => !goesOn.has(node.id)).forEach((node) => hidden(`below ${node.id}`, node.id, OUT));
    }
    const down = coming.filter((edge) => isReached.has(edge.to));
    if (down.length) {
      boxes.push({ id: IN, width: 1, height: 1 });
      down.forEach((edge) => hidden(IN + edge.id, IN, edge.to));
      own.filter((node) => !isReached.has(node.id)).forEach((node) => hidden(`above ${node.id}`, IN, node.id));
    }
    const { places, bends } = flow(boxes, ways, room);
    const all = own.map((node) => places.get(node.id));
    const [left, top] = [Math.min(...all.map(({ x }) => x)), Math.min(...all.map(({ y }) => y))];
    const moved = ({ x, y }) => ({ x: x - left, y: y - top });
    return {
      places: new Map(own.map((node) => [node.id, moved(places.get(node.id))])),
      bends: new Map([...bends].map(([edge, points]) => [edge, points.map(moved)])),
      width: Math.max(...all.map(({ x }) => x)) - left + WIDTH, height: Math.max(...all.map(({ y }) => y)) - top + HEIGHT,
    };
  }

  // Boxes from top to bottom along the edges: {places: left upper corners, bends, width, height}.
  function flow(boxes, edges, { nodesep, edgesep }) {
    const graph = new window.dagre.graphlib.Graph({ multigraph: true });
    graph.setGraph({ rankdir: "TB", nodesep, ranksep: 34, edgesep });
    graph.setDefaultEdgeLabel(() => ({}));
    boxes.forEach(({ id, width, height }) => graph.setNode(id, { width, height }));
    edges.forEach((edge) => {
      graph.setEdge(edge.from, edge.to, { width: edge.wide || 0, height: edge.wide ? 18 : 0, labelpos: "c", weight: edge.weight ?? 3 }, edge.id);
    });
    window.dagre.layout(graph);
    const places = new Map(boxes.map(({ id, width, height }) => {
      const { x, y } = graph.node(id);
      return [id, { x: round(x - width / 2), y: round(y - height / 2) }];
    }));
    const bends = new Map(edges.map((edge) => {
      const { points } = graph.edge({ v: edge.from, w: edge.to, name: edge.id });
      return [edge.id, points.length > 3 ? points.slice(1, -1) : []];
    }));
    return { places, bends, width: graph.graph().width, height: graph.graph().height };
  }

  function frames(nodes, places) {
    const found = new Map();
    nodes.filter((node) => node.group !== undefined).forEach((node) => {
      const { x, y } = places.get(node.id);
      const box = found.get(node.group) || { left: x, top: y, right: x, bottom: y, title: node.groupTitle };
      found.set(node.group, { ...box, left: Math.min(box.left, x), top: Math.min(box.top, y), right: Math.max(box.right, x), bottom: Math.max(box.bottom, y) });
    });
    return [...found].map(([group, box]) => ({
      group, title: box.title, x: box.left - ROOM.left, y: box.top - ROOM.top, width: box.right - box.left + WIDTH + ROOM.width, height: box.bottom - box.top + HEIGHT + ROOM.height,
    }));
  }

  // a name is drawn no longer than so many letters; how many took a way stands behind it
  const LONGEST = 28;
  const sizeOf = (words) => ({ width: 16 + 7 * words.length, height: 22 });
  // parts of a way, from its middle outwards
  const TRIED = [...Array(21).keys()].map((number) => (12 + (number % 2 ? 1 : -1) * Math.ceil(number / 2)) / 24);

  // on the way, else beside it, else above or below it
  const SIDES = [[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]];

  // The places of `layout`, and where the `names` of the ways stand: close together, but where names would then stand on something, further apart.
  function placed(nodes, edges, waysOf) {
    const tried = (room) => {
      const made = layout(nodes, edges, room);
      return { ...made, ...names(waysOf(made), made.places, made.frames) };
    };
    const rooms = nodes.length > FEW ? ROOMS.slice(-1) : ROOMS;
    return rooms.reduce((best, room) => {
      const made = best?.faults === 0 ? best : tried(room);
      return best && best.faults <= made.faults ? best : made;
    }, null);
  }

  // Where the names of ways stand: on the way, as near to its middle as no step, title of a group or other name stands and no other way
  // leads through. `ways`: [{id, label, points, straight}]. Answers {spots: Map id → {distance (part of the way), offset,
  // above: its place among those that have to stand on other ways, 0 for none}, faults: how bad it is that some stand on something or have a line through them}.
  function names(ways, places, frames) {
    const rows = new Map();
    const row = (y) => Math.floor(y / HEIGHT);
    const reach = (box) => [...Array(row(box.y + box.height) - row(box.y) + 1).keys()].map((number) => row(box.y) + number);
    const fill = (box) => reach(box).forEach((at) => { if (rows.has(at)) rows.get(at).push(box); else rows.set(at, [box]); });
    const meets = (box, other) => box.x < other.x + other.width && other.x < box.x + box.width && box.y < other.y + other.height && other.y < box.y + box.height;
    const free = (box, id, may) => !reach(box).some((at) => rows.get(at)?.some((other) => other.way !== id && !(other.way && may(other.way)) && meets(box, other)));
    const drawn = new Map(ways.map(({ id, points, straight }) => [id, along(points, straight)]));
    places.forEach(({ x, y }) => fill({ x: x - 4, y: y - 8, width: WIDTH + 8, height: HEIGHT + 16 }));
    frames.forEach(({ x, y, title }) => fill({ x: x + 8, y: y + 6, width: 16 + 7 * title.length, height: 22 }));
    drawn.forEach((way, id) => way.forEach(({ x, y }) => fill({ x, y, width: 1, height: 1, way: id })));
    const spots = new Map();
    // Puts a name where only ways lead through that it may stand on, or, without `may`, anywhere. Answers whether there is such a place.
    const put = ({ id, label }, may, above = 0) => {
      const [{ width, height }, way] = [sizeOf(label), drawn.get(id)];
      const tried = SIDES.flatMap(([aside, down]) => TRIED.map((part) => ({ ...spot(way, part), part, offset: { x: aside * (width / 2 + 8), y: down * (height / 2 + 4) } })));
      const boxes = tried.map(({ x, y, offset }) => ({ x: x + offset.x - width / 2, y: y + offset.y - height / 2, width, height }));
      const chosen = may ? boxes.findIndex((box) => free(box, id, may)) : 0;
      if (chosen < 0) return false;
      // it is drawn a little beside where it is reckoned
      const { x, y } = boxes[chosen];
      fill({ x: x - 6, y: y - 4, width: width + 12, height: height + 8 });
      spots.set(id, { distance: tried[chosen].part, offset: tried[chosen].offset, above });
      return true;
    };
    const left = ways.filter(({ label }) => label).filter((way) => !put(way, () => false));
    // What has to stand on other ways is drawn over them, each over those that were put before: so it may not stand on those that come later.
    const later = new Set(left.map(({ id }) => id));
    const over = (some, may) => some.filter((way) => {
      later.delete(way.id);
      const there = put(way, may, 1 + left.length - later.size);
      if (!there) later.add(way.id);
      return !there;
    });
    const before = (other) => !later.has(other);
    const struck = over(over(left, before), before);
    const crowded = over(struck, () => true);
    crowded.forEach((way) => put(way));
    return { spots, faults: struck.length + ways.length * crowded.length };
  }

  // The curves of a way, or its straight lines, as points that stand near to each other, each with how far it is from the beginning.
  function along(points, straight) {
    const drawn = [{ ...points[0], far: 0 }];
    points.slice(1).forEach((to, index) => {
      const from = points[index];
      const [half, parts] = [(from.y + to.y) / 2, Math.max(8, Math.ceil(Math.hypot(to.x - from.x, to.y - from.y) / 12))];
      for (let step = 1; step <= parts; step += 1) {
        const [on, off, last] = [step / parts, 1 - step / parts, drawn.at(-1)];
        const x = straight ? off * from.x + on * to.x : (off ** 3 + 3 * off * off * on) * from.x + (3 * off * on * on + on ** 3) * to.x;
        const y = straight ? off * from.y + on * to.y : off ** 3 * from.y + 3 * off * on * half + on ** 3 * to.y;
        drawn.push({ x, y, far: last.far + Math.hypot(x - last.x, y - last.y) });
      }
    });
    return drawn;
  }

  // The point at this part of the way.
  function spot(way, part) {
    const far = part * way.at(-1).far;
    const next = Math.max(1, way.findIndex((point) => point.far >= far));
    const [before, after] = [way[next - 1], way[next]];
    const on = after.far > before.far ? (far - before.far) / (after.far - before.far) : 0;
    return { x: before.x + on * (after.x - before.x), y: before.y + on * (after.y - before.y) };
  }

  window.handrailLayout = { placed, WIDTH, HEIGHT, LONGEST };
})();
