// A small map of a picture with many steps: where they stand, and what of them is seen. A click or a drag in it moves what is seen. The list of steps
// says the same in words, so that nothing here is read aloud.
"use strict";
(() => {
  const LEAST = 30;
  const [WIDTH, HEIGHT, EDGE] = [168, 120, 6];
  const SVG = "http://www.w3.org/2000/svg";

  const rect = (box, name) => {
    const made = document.createElementNS(SVG, "rect");
    for (const [key, value] of Object.entries(box)) made.setAttribute(key, value);
    made.setAttribute("class", name);
    return made;
  };

  function attach(picture) {
    picture.querySelector(".picture-map")?.remove();
    if (picture.steps.size < LEAST) return;
    const { graph } = picture;
    const all = graph.getNodes().map((node) => node.getBBox()).reduce((one, two) => one.union(two));
    const scale = Math.min((WIDTH - 2 * EDGE) / all.width, (HEIGHT - 2 * EDGE) / all.height);
    const x = (value) => EDGE + (value - all.x) * scale;
    const y = (value) => EDGE + (value - all.y) * scale;
    const map = document.createElementNS(SVG, "svg");
    map.setAttribute("class", "picture-map");
    map.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    map.setAttribute("aria-hidden", "true");
    picture.steps.forEach((step) => {
      const box = graph.getCellById(step.id).getBBox();
      map.append(rect({ x: x(box.x), y: y(box.y), width: Math.max(2, box.width * scale), height: Math.max(1.5, box.height * scale), rx: 1 }, `map-step ${step.family}`));
    });
    const seen = rect({ rx: 2 }, "map-seen");
    map.append(seen);
    picture.querySelector(".picture-frame").append(map);

    const follow = () => {
      const area = graph.getGraphArea();
      const [left, top] = [Math.max(1, x(area.x)), Math.max(1, y(area.y))];
      for (const [key, value] of Object.entries({ x: left, y: top, width: Math.max(0, Math.min(WIDTH - 1, x(area.x + area.width)) - left), height: Math.max(0, Math.min(HEIGHT - 1, y(area.y + area.height)) - top) })) seen.setAttribute(key, value);
    };
    const go = (event) => {
      const box = map.getBoundingClientRect();
      graph.centerPoint((((event.clientX - box.left) * WIDTH) / box.width - EDGE) / scale + all.x, (((event.clientY - box.top) * HEIGHT) / box.height - EDGE) / scale + all.y);
    };
    map.addEventListener("pointerdown", (event) => { map.setPointerCapture(event.pointerId); go(event); });
    map.addEventListener("pointermove", (event) => { if (event.buttons) go(event); });
    for (const kind of ["scale", "translate", "resize"]) { graph.off(kind, picture.follows); graph.on(kind, follow); }
    picture.follows = follow;
    follow();
  }

  window.handrailMap = { attach };
})();
