"""Directed graphs, given as node → next nodes. Without recursion, so long chains are no problem."""

from collections.abc import Iterable, Mapping, Sequence


def reachable(edges: Mapping[str, Sequence[str]], sources: Iterable[str]) -> set[str]:
    """The sources and all nodes that can be reached from them."""
    reached: set[str] = set()
    waiting = [source for source in sources if source in edges]
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting += [target for target in edges.get(node, ()) if target not in reached]
    return reached


def reversed_edges(edges: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The graph with all edges reversed."""
    back: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            back.setdefault(target, []).append(node)
    return back


def reaching(edges: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
    """Node → all nodes with a path of at least one edge to it; includes itself only in a cycle."""
    back = reversed_edges(edges)
    return {node: reachable(back, back[node]) for node in back}


def back_edges(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Edges that close a cycle, found depth first in the order of the nodes; none without cycles."""
    state: dict[str, int] = {}  # 1: on the current path, 2: finished
    edges_back = []
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
                edges_back.append((node, target))
    return edges_back
