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
    before: dict[str, set[str]] = {node: set() for node in reversed_edges(edges)}
    # each node after those that lead to it, apart from cycles: one round, with cycles two, and one for each cycle within a cycle
    forwards = _finished(edges)[::-1]
    place = {node: number for number, node in enumerate(forwards)}
    again = any(place.get(target, 0) <= place[node] for node in forwards for target in edges[node])
    changed = True
    while changed:
        changed = False
        for node in forwards:
            for target in edges[node]:
                known = before[target]
                size = len(known)
                known.add(node)
                known |= before[node]
                changed |= again and len(known) != size
    return before


def before_node(edges: Mapping[str, Sequence[str]], node: str) -> set[str]:
    """All nodes with a path of at least one edge to the node."""
    back = reversed_edges(edges)
    return reachable(back, back.get(node, ()))


def _finished(edges: Mapping[str, Sequence[str]]) -> list[str]:
    """The nodes in the order in which a search depth first leaves them."""
    seen: set[str] = set()
    left: list[str] = []
    for root in edges:
        way = [] if root in seen else [(root, iter(edges[root]))]
        seen.add(root)
        while way:
            node, targets = way[-1]
            target = next((each for each in targets if each in edges and each not in seen), None)
            if target is None:
                left.append(node)
                way.pop()
            else:
                seen.add(target)
                way.append((target, iter(edges[target])))
    return left


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


def ways_back(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Edges without which there is no cycle: those within a cycle to a node that stands no later, or those of `back_edges` where these are fewer."""
    order = {node: number for number, node in enumerate(edges)}
    by_search = back_edges(edges)
    by_order = []
    for node, targets in edges.items():
        for target in targets:
            if order.get(target, len(order)) <= order[node] and node in reachable(edges, [target]):
                by_order.append((node, target))
                if len(by_order) > len(by_search):
                    return by_search
    return by_order
