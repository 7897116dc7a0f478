"""Where the steps of a picture are and how the ways between them run, in pixels: rank below rank, as few crossings as four sweeps find."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from console.authoring.diagrams.step_nodes import Node
from console.core.documents import graph

WIDTH, HEIGHT = 252, 60
GAP, WRAPPED = 40, 20
"""Between two rows; names with more letters are below each other."""
SIDE, LANE, ROOM = 28, 24, 20
LETTER, LONGEST, NAME = 7, 28, 24
SWEEPS = 4
TRIED = (0.5, 0.34, 0.66, 0.2, 0.8, 0.1, 0.9)
"""Parts of the first stretch of a way at which its name may be."""

Slot = str | tuple[str, int]
"""A step, or the rank at which the ways to a step pass others."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A step by its left upper corner."""

    node: Node
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """A way between two steps as the path of SVG, with its name and the middle of the name. `inside` leads to what is done for each item, or at once."""

    path: str
    source: str
    to: str
    label: str
    count: str
    x: int
    y: int
    width: int
    inside: bool
    taken: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What is drawn around the steps of a group."""

    title: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture in pixels. `left` is where it begins, 0 or less."""

    left: int
    width: int
    height: int
    steps: Sequence[Placed]
    lines: Sequence[Line]
    frames: Sequence[Frame]


def draw(
    nodes: Sequence[Node], groups: Sequence[str], took: Mapping[tuple[str, str], int] | None = None
) -> Drawing:
    """Return the picture of the steps, from top to bottom. Ways from one step to another are one line with all their names.

    `took`: (step id, id of the next) → how many went there, written next to the name.
    """
    ids = {node.id for node in nodes}
    edges = {
        node.id: list(dict.fromkeys(way.to for way in (*node.ways, *node.begins) if way.to in ids))
        for node in nodes
    }
    for source, target in (*graph.ways_back(edges),):
        edges[source] = [to for to in edges[source] if to != target]
    ranks = _ranks(edges, {node.id: node.group for node in nodes})
    up, rows = _rows(edges, ranks)
    centres = _centres(rows, up)
    tops = _tops(nodes, ranks)
    left = min(centres[step] - WIDTH // 2 for step in ids)
    centres = {slot: centre - left + ROOM for slot, centre in centres.items()}
    steps = [Placed(node, centres[node.id] - WIDTH // 2, tops[ranks[node.id]]) for node in nodes]
    at = {each.node.id: each for each in steps}
    forward = {(source, to): _way(source, to, ranks) for source, targets in edges.items() for to in targets}
    lines, right = _lines(nodes, forward, tops, centres, at, took or {})
    frames = _frames(steps, groups)
    left = min([0, *(line.x - line.width // 2 - ROOM for line in lines)])
    return Drawing(
        left,
        max([right, *(frame.x + frame.width for frame in frames)]) + ROOM - left,
        max(each.y for each in steps) + HEIGHT + 2 * ROOM,
        steps,
        lines,
        frames,
    )


def _ranks(edges: Mapping[str, Sequence[str]], group_of: Mapping[str, int | None]) -> dict[str, int]:
    """Return the rank of each step: below all that lead to it, and below the groups that lead to its group."""
    block = {step: str(group_of[step]) if group_of[step] is not None else f"step {step}" for step in edges}
    blocks: dict[str, list[str]] = {each: [] for each in block.values()}
    for source, targets in edges.items():
        blocks[block[source]] += [block[to] for to in targets if block[to] != block[source]]
    for source, target in graph.back_edges(blocks):
        blocks[source] = [to for to in blocks[source] if to != target]
    ranks: dict[str, int] = {}
    first = dict.fromkeys(blocks, 0)
    for each in _forward(blocks):
        own = {step: [to for to in edges[step] if block[to] == each] for step in edges if block[step] == each}
        ranks |= dict.fromkeys(own, first[each])
        for step in _forward(own):
            for to in own[step]:
                ranks[to] = max(ranks[to], ranks[step] + 1)
        below = max(ranks[step] for step in own) + 1
        for to in blocks[each]:
            first[to] = max(first[to], below)
    return ranks


def _forward(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the nodes of a graph without cycles so that each comes before those that it leads to."""
    left = dict.fromkeys(edges, 0)
    for targets in edges.values():
        for to in targets:
            left[to] += 1
    ready = [node for node, count in left.items() if not count]
    for node in ready:
        for to in edges[node]:
            left[to] -= 1
            if not left[to]:
                ready.append(to)
    return ready


def _tops(nodes: Sequence[Node], ranks: Mapping[str, int]) -> list[int]:
    """Return the upper edge of each row: further below the one before where ways from that have names, and for long names further still."""
    gaps = [GAP] * (max(ranks.values()) + 1)
    for node in nodes:
        names = [name for name in _names(node).values() if name]
        if names:
            lines = len(names) if max(map(len, names)) > WRAPPED else 1
            gaps[ranks[node.id]] = max(gaps[ranks[node.id]], GAP + NAME * lines)
    return [2 * ROOM + rank * HEIGHT + sum(gaps[:rank]) for rank in range(len(gaps))]


def _names(node: Node) -> dict[str, str]:
    """Return step → the names of the ways that lead there."""
    names: dict[str, list[str]] = {}
    for way in (*node.ways, *node.begins):
        names.setdefault(way.to, []).extend([way.label] if way.label else [])
    return {to: _short(", ".join(each)) for to, each in names.items()}


def _rows(
    edges: Mapping[str, Sequence[str]], ranks: Mapping[str, int]
) -> tuple[dict[Slot, list[Slot]], list[list[Slot]]]:
    """Return what leads to each slot from the row above, and the slots of each row from left to right."""
    up: dict[Slot, list[Slot]] = {}
    rows: list[list[Slot]] = [[] for _ in range(max(ranks.values()) + 1)]
    for step in edges:
        rows[ranks[step]].append(step)
        for to in edges[step]:
            way = _way(step, to, ranks)
            for before, slot in pairwise(way):
                if slot not in up and slot != to:
                    rows[slot[1] if isinstance(slot, tuple) else 0].append(slot)
                if before not in up.setdefault(slot, []):
                    up[slot].append(before)
    down: dict[Slot, list[Slot]] = {}
    for slot, sources in up.items():
        for source in sources:
            down.setdefault(source, []).append(slot)
    for sweep in range(SWEEPS):
        near = down if sweep % 2 else up
        places = {slot: number for row in rows for number, slot in enumerate(row)}
        for number in reversed(range(len(rows))) if sweep % 2 else range(len(rows)):
            rows[number].sort(
                key=lambda slot: _mean([places[each] for each in near.get(slot, ())], places[slot])
            )
            places |= {slot: place for place, slot in enumerate(rows[number])}
    return up, rows


def _way(source: str, target: str, ranks: Mapping[str, int]) -> list[Slot]:
    """Return the slots through which the way from one step to another leads; empty for a way back."""
    if ranks[target] <= ranks[source]:
        return []
    return [source, *((target, rank) for rank in range(ranks[source] + 1, ranks[target])), target]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _centres(rows: Sequence[Sequence[Slot]], up: Mapping[Slot, Sequence[Slot]]) -> dict[Slot, int]:
    """Return the middle of each slot: as near as its row lets it to the middles of its neighbours."""
    down: dict[Slot, list[Slot]] = {}
    for slot, sources in up.items():
        for source in sources:
            down.setdefault(source, []).append(slot)
    at: dict[Slot, float] = {}
    for row in rows:
        at |= dict(zip(row, _apart(row, [0.0] * len(row)), strict=True))
    for sweep in range(2 * SWEEPS):
        near = down if sweep % 2 else up
        for row in reversed(rows) if sweep % 2 else rows:
            wanted = [_mean([at[each] for each in near.get(slot, ())], at[slot]) for slot in row]
            at |= dict(zip(row, _apart(row, wanted), strict=True))
    return {slot: round(middle) for slot, middle in at.items()}


def _apart(row: Sequence[Slot], wanted: Sequence[float]) -> list[float]:
    """Return the places nearest to those wanted (by least squares) at which the slots of a row do not touch."""
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (_width(one) + _width(other)) / 2 + SIDE)
    pools: list[tuple[float, int]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        total, count = place - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    shifts = [total / count for total, count in pools for _ in range(count)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def _width(slot: Slot) -> int:
    return WIDTH if isinstance(slot, str) else LANE


def _lines(
    nodes: Sequence[Node],
    forward: Mapping[tuple[str, str], Sequence[Slot]],
    tops: Sequence[int],
    centres: Mapping[Slot, int],
    at: Mapping[str, Placed],
    took: Mapping[tuple[str, str], int],
) -> tuple[list[Line], int]:
    """Return the lines, and how far to the right they and the steps reach. `forward`: (step, next) → the slots between; any other way is one back."""
    lines: list[Line] = []
    boxes: list[tuple[int, int, int]] = []
    right = max(each.x for each in at.values()) + WIDTH
    for node in nodes:
        ways = [way for way in (*node.ways, *node.begins) if way.to in at]
        for to, label in _names(node).items():
            own = [way for way in ways if way.to == to]
            if not own:
                continue
            count = f"{took[node.id, to]:,}" if label and took.get((node.id, to)) else ""
            width = 16 + LETTER * len(f"{label} {count}".strip())
            start = (centres[node.id], at[node.id].y + HEIGHT)
            if slots := forward.get((node.id, to)):
                points = [start]
                for slot in slots[1:-1]:
                    top = tops[slot[1]] if isinstance(slot, tuple) else 0
                    points += [(centres[slot], top), (centres[slot], top + HEIGHT)]
                points.append((centres[to], at[to].y - 2))
                path = _curve(points)
            else:
                right += LANE
                below, above, end = start[1] + ROOM // 2, at[to].y - ROOM, centres[to] + WIDTH // 3
                points = [(right, below), (right, above)]
                path = f"M{start[0]},{start[1]}V{below}H{right}V{above}H{end}V{at[to].y - 2}"
            x, y = _spot(points, width if label else 0, boxes)
            lines.append(
                Line(
                    path,
                    node.id,
                    to,
                    label,
                    count,
                    x,
                    y,
                    width,
                    any(way in node.begins for way in own),
                    any(way.taken for way in own),
                )
            )
    return lines, max([right, *(x + width // 2 for x, _, width in boxes)])


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _curve(points: Sequence[tuple[int, int]]) -> str:
    """Return the path through the points: straight down where they are below each other, else eased."""
    (x, y), drawn = points[0], ""
    for (x_before, y_before), (x_to, y_to) in pairwise(points):
        half = (y_before + y_to) // 2
        drawn += f"V{y_to}" if x_before == x_to else f"C{x_before},{half} {x_to},{half} {x_to},{y_to}"
    return f"M{x},{y}{drawn}"


def _spot(
    points: Sequence[tuple[int, int]], width: int, boxes: list[tuple[int, int, int]]
) -> tuple[int, int]:
    """Return where a name is on the first stretch of its way: where others cover least of it. It is added to the `boxes` (its middle, its width)."""
    (x_from, y_from), (x_to, y_to) = points[:2]
    found = []
    low, high = sorted((y_from, y_to))
    for part in TRIED:
        eased = part * part * (3 - 2 * part)
        y = min(max(round(y_from + (y_to - y_from) * part), low + NAME // 2), max(low, high - NAME // 2))
        found.append((round(x_from + (x_to - x_from) * eased), y))
    x, y = min(found, key=lambda spot: sum(_covered(spot, width, box) for box in boxes))
    if width:
        boxes.append((x, y, width))
    return x, y


def _covered(spot: tuple[int, int], width: int, box: tuple[int, int, int]) -> float:
    """Return how much of a name that is put there another one covers, sideways."""
    x, y, wide = box
    return max(0.0, (width + wide) / 2 - abs(spot[0] - x)) if abs(spot[1] - y) < NAME else 0.0


def _frames(steps: Iterable[Placed], groups: Sequence[str]) -> list[Frame]:
    """Return what is drawn around each group; nothing around one among whose steps others are."""
    every = [*steps]
    frames = []
    for number, title in enumerate(groups):
        own = [each for each in every if each.node.group == number]
        if not own:
            continue
        left, top = min(each.x for each in own) - ROOM // 2, min(each.y for each in own) - ROOM - 6
        right = max(each.x for each in own) + WIDTH + ROOM // 2
        bottom = max(each.y for each in own) + HEIGHT + ROOM // 2
        if not any(
            each.node.group != number
            and left < each.x + WIDTH
            and each.x < right
            and top < each.y + HEIGHT
            and each.y < bottom
            for each in every
        ):
            frames.append(Frame(title, left, top, right - left, bottom - top))
    return frames
