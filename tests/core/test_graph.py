"""Questions about graphs, against the slow and obvious answers."""

import itertools

from hypothesis import given, strategies as st

from console.core.documents.graph import back_edges, reachable, reaching, reversed_edges, ways_back

NODES = "abcdef"
GRAPHS = st.fixed_dictionaries(
    {node: st.lists(st.sampled_from(NODES), max_size=4, unique=True) for node in NODES}
)


def paths(edges: dict[str, list[str]], source: str, target: str) -> bool:
    """Whether some path of at least one edge leads from one to the other."""
    found = set(edges[source])
    for _ in NODES:
        found |= {after for node in found for after in edges[node]}
    return target in found


@given(GRAPHS)
def test_what_is_reached_and_from_where(edges: dict[str, list[str]]) -> None:
    for source in NODES:
        assert reachable(edges, [source]) == {source} | {node for node in NODES if paths(edges, source, node)}
    assert reaching(edges) == {
        node: {other for other in NODES if paths(edges, other, node)} for node in NODES
    }


@given(GRAPHS)
def test_without_its_back_edges_a_graph_has_no_circle(edges: dict[str, list[str]]) -> None:
    back = back_edges(edges)
    circles = any(paths(edges, node, node) for node in NODES)
    assert bool(back) == circles
    without = {
        node: [target for target in targets if (node, target) not in back] for node, targets in edges.items()
    }
    assert not any(paths(without, node, node) for node in NODES)


@given(GRAPHS)
def test_ways_back_are_as_few_and_lead_to_what_stands_before(edges: dict[str, list[str]]) -> None:
    back = ways_back(edges)
    without = {
        node: [target for target in targets if (node, target) not in back] for node, targets in edges.items()
    }
    assert not any(paths(without, node, node) for node in NODES)
    assert len(back) <= len(back_edges(edges))
    order = list(edges)
    assert back == back_edges(edges) or all(
        order.index(source) >= order.index(target) for source, target in back
    )


def test_a_way_back_is_the_one_against_the_order() -> None:
    """Whoever decides may go back to the risk, wherever else the decision is reached from."""
    edges = {
        "start": ["decide", "risk"],
        "risk": ["decide"],
        "decide": ["again", "end"],
        "again": ["risk"],
        "end": [],
    }
    assert back_edges(edges) == [("risk", "decide")]
    assert ways_back(edges) == [("again", "risk")]


@given(GRAPHS)
def test_turned_twice_is_the_same(edges: dict[str, list[str]]) -> None:
    assert {node: sorted(targets) for node, targets in reversed_edges(reversed_edges(edges)).items()} == {
        node: sorted(targets) for node, targets in edges.items()
    }


def test_a_long_chain_is_no_deep_stack() -> None:
    names = [f"n{number}" for number in range(20_000)]
    edges = {name: [after] for name, after in itertools.pairwise(names)} | {names[-1]: [names[0]]}
    assert back_edges(edges) == [(names[-1], names[0])]
    assert len(reachable(edges, names[:1])) == len(names)


def test_unknown_sources_reach_nothing() -> None:
    assert reachable({"a": []}, ["z"]) == set()
