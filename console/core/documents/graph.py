"""Questions about a directed graph, given as node → the nodes that follow it. No recursion: a long chain is no deep stack."""

from collections.abc import Iterable, Mapping, Sequence


def reachable(edges: Mapping[str, Sequence[str]], sources: Iterable[str]) -> set[str]:
    """The sources and every node that a path leads to from one of them."""
    found: set[str] = set()
    waiting = [source for source in sources if source in edges]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [target for target in edges.get(node, ()) if target not in found]
    return found


def turned(edges: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The same graph with every edge turned round."""
    back: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            back.setdefault(target, []).append(node)
    return back


def reaching(edges: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Node → every node from which a path of at least one edge leads to it; itself only on a circle."""
    back = turned(edges)
    return {node: reachable(back, back[node]) for node in back}


def back_edges(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Edges that close a circle, found by going depth first in the order of the nodes: none in a graph without circles."""
    state: dict[str, int] = {}  # 1: on the way, 2: left behind
    found = []
    for root in edges:
        way = [] if root in state else [(root, iter(edges[root]))]
        state.setdefault(root, 1)
        while way:
            node, targets = way[-1]
            target = next(targets, None)
            if target is None:
                state[node] = 2
                way.pop()
            elif target not in state:
                state[target] = 1
                way.append((target, iter(edges.get(target, ()))))
            elif state[target] == 1:
                found.append((node, target))
    return found
