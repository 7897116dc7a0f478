"""Blocks as values: what each kind finds in a run's context, what it draws of it, and what it says where it cannot."""

import json
import re
from typing import Any

from console.core import blocks
from console.core.blocks import Data, Leaf
from console.core.blocks.base import MOST_ENTRIES
from console.core.documents.workflow_check import check
from console.steps import all_types
from tests.tables import cases

CANNOT = re.compile(r"^This (cannot be|is not) (drawn|shown): .+\.$")


def say(leaf: Leaf | None) -> str:
    """A leaf in plain words."""
    if leaf is None:
        return ""
    if leaf.get("hidden"):
        return "hidden"
    if "parts" in leaf:
        return "".join(part if isinstance(part, str) else str(part["value"]) for part in leaf["parts"])
    return "–" if leaf["value"] is None else str(leaf["value"])


def found(block: dict[str, Any], **variables: Any) -> Data:
    """The data of one block over these variables."""
    (made,) = blocks.compute(blocks.parsed([block]), {"variables": variables, "steps": {}}, lambda *_: {})
    assert json.loads(json.dumps(made)) == made, "data is recorded as JSON"
    return made


def drawn(block: dict[str, Any], **variables: Any) -> Data:
    """What its template draws."""
    return blocks.picture(found(block, **variables), say)


def without(data: Any, place: str) -> Any:
    """The data for a reader who may not see what is computed at this place."""
    if isinstance(data, list):
        return [without(one, place) for one in data]
    if isinstance(data, dict):
        given = data.get("from")
        if given == place or (isinstance(given, list) and place in given):
            return {"from": given, "value": None, "hidden": True}
        return {name: without(one, place) for name, one in data.items()}
    return data


FACT: dict[str, Any] = {"label": "Hits", "value": "variables.hits"}
WHOLE: dict[str, Any] = {"label": "Paid", "value": "variables.paid"}
AMOUNTS: dict[str, Any] = {
    "block": "amounts",
    "whole": WHOLE,
    "parts": [
        {"label": "Back", "value": "variables.back"},
        {"label": "Now", "value": "variables.now", "now": True},
    ],
}
OWNERS: dict[str, Any] = {
    "each": "variables.owners",
    "owner": "entry.id",
    "name": "{{ entry.id }}",
    "of": "entry.of",
    "share": "entry.share",
}
TREE: dict[str, Any] = {"block": "tree", "owners": [OWNERS]}
SERIES: dict[str, Any] = {
    "block": "series",
    "points": [{"each": "variables.points", "label": "{{ entry.at }}", "value": "entry.value"}],
    "expected": "variables.expected",
}
LINE = {"label": "Born", "ours": "variables.ours", "theirs": "variables.theirs"}
COMPARISON: dict[str, Any] = {"block": "comparison", "lines": [LINE]}
SCORE: dict[str, Any] = {
    "block": "score",
    "total": "variables.total",
    "factors": [
        {
            "each": "variables.factors",
            "label": "{{ entry.name }}",
            "points": "entry.points",
            "weight": "entry.weight",
        }
    ],
}
LETTER: dict[str, Any] = {"block": "letter", "body": "variables.body", "mark": "variables.mark"}
CHANGES: dict[str, Any] = {
    "block": "before_after",
    "changes": [{"each": "variables.changes", "label": "Field", "before": "entry[0]", "after": "entry[1]"}],
}
ANY: dict[str, dict[str, Any]] = {
    "facts": {"block": "facts", "facts": [FACT]},
    "amounts": AMOUNTS,
    "tree": TREE,
    "series": SERIES,
    "comparison": COMPARISON,
    "score": SCORE,
    "letter": LETTER,
    "before_after": CHANGES,
}
WRONG: tuple[Any, ...] = (
    "abc",
    True,
    7,
    "7",
    -1,
    "NaN",
    "1e999",
    [],
    [1],
    ["x"],
    {},
    {"a": 1},
    [{"a": [1]}],
    None,
    "x" * 5000,
    [[["x"]]],
    "2026-01-01",
    [None],
    [{"id": {}, "share": []}],
)


def test_no_kind_of_block_fails_on_a_value_of_a_wrong_kind() -> None:
    for kind, block in ANY.items():
        names = set(re.findall(r"variables\.(\w+)", json.dumps(block)))
        for value in WRONG:
            for name in names:
                made = drawn(block, **(dict.fromkeys(names, 5) | {name: value}))
                trouble = made.get("trouble")
                assert trouble is None or CANNOT.match(trouble), (kind, name, value, trouble)
                assert trouble is None or "abc" not in trouble


@cases(
    "block, variables, sentence",
    [
        (AMOUNTS, {"paid": "abc"}, "This cannot be drawn: an amount is not a number."),
        (
            AMOUNTS,
            {"paid": 100, "back": 60, "now": 50},
            "This is not drawn: the parts come to more than the whole.",
        ),
        (AMOUNTS, {"paid": 100, "back": -1}, "This is not drawn: an amount is less than nothing."),
        (TREE, {"owners": "x"}, "This cannot be drawn: what it goes through is not a list."),
        (
            SERIES,
            {"points": [{"at": "May", "value": "much"}]},
            "This cannot be drawn: a figure is not a number.",
        ),
        (LETTER, {"body": 7}, "This cannot be shown: the message is not a text."),
        ({**SCORE, "out_of": "0"}, {"total": 5}, "This cannot be drawn: the scale has no end."),
    ],
)
def test_what_cannot_be_drawn_says_so_in_its_place(
    block: dict[str, Any], variables: dict[str, Any], sentence: str
) -> None:
    made = drawn(block, **variables)
    assert (made.get("trouble") or made["amiss"]) == sentence
    if "amiss" in made:  # what makes no bar is told in figures all the same
        assert [line["shown"] for line in made["lines"][:2]] == [
            str(variables["paid"]),
            str(variables["back"]),
        ]


def test_amounts_are_drawn_in_their_order_and_never_beyond_the_whole() -> None:
    made = drawn(AMOUNTS, paid="180", back="60", now="0.9")
    assert [(bar["x"], bar["width"], bar["now"], bar["thin"]) for bar in made["bars"]] == [
        ("0.00", "33.33", False, False),
        ("33.63", "0.20", True, True),
    ]
    assert [(line["kind"], line["shown"]) for line in made["lines"]] == [
        ("whole", "180"),
        ("before", "60"),
        ("now", "0.9"),
        ("left", "119.1"),
    ]
    none_paid, all_left = (drawn(AMOUNTS, paid=paid, back="0", now="0") for paid in ("0", "180"))
    shut = blocks.picture(
        without(found(AMOUNTS, paid=180, back=60, now=30), "content[0].parts[0].value"), say
    )
    assert ([one["drawn"] for one in (none_paid, all_left, shut)], none_paid["lines"], shut["bars"]) == (
        [False, True, False],
        [],
        [],
    )
    assert [line["shown"] for line in shut["lines"]] == ["180", "hidden", "30", "hidden"]
    mixed = {
        **AMOUNTS,
        "whole": {**WHOLE, "currency": "'EUR'"},
        "parts": [{"label": "Back", "value": "5", "currency": "'USD'"}],
    }
    assert drawn(mixed, paid=10)["amiss"] == "This is not drawn: the amounts are not all in one currency."


@cases("same", ["true", "false", "null"])
@cases("ours, theirs", [(None, "x"), ("x", None), ("", "x"), ([], []), (None, None)])
def test_where_a_side_says_nothing_the_verdict_is_unknown_whatever_the_rule_says(
    same: str, ours: Any, theirs: Any
) -> None:
    block = {"block": "comparison", "lines": [{**LINE, "same": same}], "need": {"count": "1", "text": "One"}}
    made = drawn(block, ours=ours, theirs=theirs)
    assert (made["lines"][0]["verdict"], made["need"]["have"]) == ("unknown", 0)


def test_a_comparison_counts_what_counts() -> None:
    lines = [
        {**LINE, "same": "false"},
        {**LINE, "same": "false", "counts": "false"},
        {**LINE, "same": "true", "hot": "true"},
        {**LINE, "same": "null"},
    ]
    sides = {"ours": "a", "theirs": ["a", "b", "c"]}
    block = {
        "block": "comparison",
        "lines": lines,
        "need": {"count": "2", "text": "Two"},
        "match": {"value": "'0.968'", "line": "'0.9'"},
    }
    made = drawn(block, **sides)
    assert made["tally"] == "1 same, 1 differs, 1 unknown"
    assert (made["need"]["have"], made["need"]["of"], made["need"]["full"]) == (1, 2, 1)
    assert (made["match"]["width"], made["match"]["line"]) == ("96.80", "90.00")
    assert (made["lines"][0]["theirs"]["shown"], made["lines"][0]["theirs"]["aside"]) == ("a", "and 2 more")
    shut = blocks.picture(
        without(
            found(COMPARISON | {"need": {"count": "1", "text": "One"}}, ours="a", theirs="b"),
            "content[0].lines[0].ours",
        ),
        say,
    )
    assert (shut["lines"][0]["verdict"], shut["need"]["have"]) == (None, None), (
        "who may not see a value does not see what it comes to"
    )
    told = blocks.picture(
        without(
            found({"block": "comparison", "lines": [{**LINE, "same": "false"}]}, ours="a", theirs="b"),
            "content[0].lines[0].ours",
        ),
        say,
    )
    assert told["lines"][0]["verdict"] == "differs"
    hits = {"block": "comparison", "lines": [{**LINE, "each": "variables.hits", "ours": "entry"}]}
    made = drawn(hits, hits=["x"] * 10_000)
    assert (len(made["lines"]), len(made["folded"]), made["left_out"]) == (
        20,
        MOST_ENTRIES - 20,
        10_000 - MOST_ENTRIES,
    )


def test_a_score_is_points_times_weight() -> None:
    factors = [
        {"name": "a", "points": 1, "weight": 25, "last": "8.3"},
        {"name": "b", "points": 3, "weight": 15, "last": 5},
        {"name": "c", "points": 0, "weight": 10},
    ]
    last = {**SCORE["factors"][0], "last": "entry.last"}
    bands = [{"from": "0", "label": "low"}, {"from": "25", "label": "medium"}]
    made = drawn({**SCORE, "factors": [last], "last": "31", "bands": bands}, total=50, factors=factors)
    assert [(one["track"], one["bar"], one["ring"], one["adds"], one["up"]) for one in made["factors"]] == [
        ("100.00", "33.33", "33.20", "8.3", True),
        ("60.00", "60.00", "20.00", "15.0", True),
        ("40.00", None, None, "0.0", False),
    ]
    assert (made["width"], made["last"], [band["x"] for band in made["bands"]]) == (
        "50.00",
        "31.00",
        ["0.00", "25.00"],
    )
    many = drawn(
        SCORE,
        total=1,
        factors=[{"name": str(number), "points": number % 2, "weight": 1} for number in range(30)],
    )
    assert (len(many["factors"]), len(many["folded"])) == (15, 15)
    shut = blocks.picture(
        without(found(SCORE, total=50, factors=factors), "content[0].factors[0].points"), say
    )
    assert [(one["bar"], one["sum"], one["adds"]) for one in shut["factors"]] == [(None, "–", "–")] * 3
    assert (
        blocks.picture(without(found(SCORE, total=50, factors=factors), "content[0].total"), say)["width"]
        is None
    )


def owner(id: str, of: str | None, share: Any) -> dict[str, Any]:
    return {"id": id, "of": of, "share": share}


def test_a_tree_adds_what_a_person_holds_over_all_layers() -> None:
    made = drawn(
        TREE,
        owners=[
            owner("johanna", None, 60),
            owner("invest", None, 40),
            owner("johanna", "invest", 30),
            owner("marek", "invest", 70),
        ],
    )
    assert [
        (row["depth"], row["name"], row["in_all"], row["incl"], row["above"]) for row in made["rows"]
    ] == [
        (1, "johanna", "72 %", "", True),
        (1, "invest", "", "", False),
        (2, "johanna", "", "incl. 12", True),
        (2, "marek", "28 %", "", True),
    ]
    assert (made["rows"][0]["fill"], made["rows"][0]["soft_x"], made["rows"][0]["soft"]) == (
        "38.4",
        "39.4",
        "6.7",
    )
    assert (made["line_x"], made["nobody"], made["over"]) == ("16.0", "", [])
    assert (
        drawn(TREE, owners=[owner("a", None, 20), owner("b", None, 24)])["nobody"]
        == "Nobody holds 25 % or more."
    )
    assert (
        drawn(TREE, owners=[owner("a", None, "0.1"), owner("b", "a", "0.1")])["rows"][-1]["in_all"]
        == "< 0.01 %"
    ), "not nothing"
    near = drawn(TREE, owners=[owner("a", None, "24.999"), owner("b", None, "25.001"), owner("c", None, 25)])
    assert [(row["in_all"], row["above"]) for row in near["rows"]] == [
        ("< 25 %", False),
        ("> 25 %", True),
        ("25 %", True),
    ]
    wrong = drawn(TREE, owners=[owner("a", None, 70), owner("b", None, 70), owner("c", "b", 120)])
    assert wrong["over"] == ["The shares in this company come to 140 %: at least one of them is wrong."]
    assert [(row["share"], [mark["label"] for mark in row["marks"]]) for row in wrong["rows"]][2] == (
        "–",
        ["not counted: 120 %"],
    )


@cases(
    "inclusive, above, words",
    [("true", True, ""), ("false", False, "Nobody holds more than 25 %."), ("null", True, "")],
)
def test_exactly_the_line_counts_where_the_rule_says_so(inclusive: str, above: bool, words: str) -> None:
    made = drawn({**TREE, "inclusive": inclusive}, owners=[owner("a", None, "25.0000")])
    assert (made["rows"][0]["above"], made["rows"][0]["share"], made["nobody"]) == (above, "25 %", words)


def test_a_tree_keeps_shares_where_a_name_is_hidden_and_draws_nothing_where_a_share_is() -> None:
    data = found(TREE, owners=[owner("a", None, 60)])
    named = blocks.picture(without(data, "content[0].owners[0].name"), say)["rows"][0]
    assert (named["name"], named["share"]) == ("Somebody you may not see", "60 %")
    shut = blocks.picture(without(data, "content[0].owners[0].share"), say)
    assert (shut["drawn"], shut["rows"][0]["share"], shut["rows"][0]["fill"], shut["rows"][0]["in_all"]) == (
        False,
        "–",
        None,
        "",
    )


def points(*values: Any) -> list[dict[str, Any]]:
    return [{"at": f"m{number}", "value": value} for number, value in enumerate(values)]


def test_a_series_is_grey_up_to_what_was_expected_and_amber_above() -> None:
    made = drawn(SERIES, points=points(50, 100, 200), expected=100)
    assert [(bar["soft"]["height"], bar["over"] and bar["over"]["height"]) for bar in made["bars"]] == [
        ("13.0", None),
        ("26.0", None),
        ("26.0", "26.0"),
    ]
    assert made["line"] == "30.0"
    assert drawn(SERIES)["rows"] == []
    one = drawn(SERIES, points=points(5))
    assert (one["bars"], one["one"]["shown"]) == ([], "5")
    below = drawn(SERIES, points=points(-50, 50))
    assert [bar["soft"]["y"] for bar in below["bars"]] == ["30.0", "4.0"]
    assert (below["base"], below["bars"][0]["soft"]["height"]) == ("30.0", "26.0")
    assert drawn(SERIES, points=points(None, 4, None))["bars"][0]["x"] == "36.67"
    assert (
        drawn(SERIES, points=points(-5, 3, -120))["lowest"],
        drawn(SERIES, points=points(5, 3))["lowest"],
    ) == ("-120 in m2", "")
    assert drawn(SERIES, points=[{"at": "", "value": 3}, {"at": "", "value": 9}])["peak"] == "9", (
        "no name is not called a dash"
    )
    flat = drawn(SERIES, points=points(0, 0))
    assert [name["label"] for name in flat["names"]] == [row["label"] for row in flat["rows"]], (
        "each of a few bars has its name"
    )
    assert [bar["soft"]["height"] for bar in flat["bars"]] == ["0.5", "0.5"]
    shut = blocks.picture(without(found(SERIES, points=points(5, 6), expected=5), "content[0].expected"), say)
    assert (shut["hidden"], shut["bars"]) == (True, [])


def test_a_letter_is_whole_marked_and_text() -> None:
    made = drawn(
        LETTER, body="Dear\r\n<script>all</script>\nrefund the\n ferry part", mark="refund the ferry"
    )
    assert made["lines"] == [
        [("Dear", False)],
        [("<script>all</script>", False)],
        [("refund the", True)],
        [(" ferry", True), (" part", False)],
    ]
    long = drawn(LETTER, body="line\n" * 9_000)
    assert (len(long["lines"]), long["cut"]) == (40, 5_000)
    assert sum(len(line) for line in [*long["lines"], *long["rest"]]) == 8_000
    assert drawn(LETTER, body="a (b", mark=["(b", "", None, "zz"])["lines"] == [[("a ", False), ("(b", True)]]
    assert blocks.picture(without(found(LETTER, body="secret"), "content[0].body"), say)["lines"] == []


@cases(
    "content, place, words",
    [
        ([{"block": "fcts"}], "content[0].block", "There is no block fcts: known are"),
        ([{"block": "facts"}], "content[0].facts", "This is missing. (In the block facts.)"),
        (
            [{"block": "facts", "facts": [{**FACT, "remrk": "x"}]}],
            "content[0].facts[0].remrk",
            "is remark meant? (In the block facts.)",
        ),
        (
            [{"block": "facts", "facts": [{**FACT, "remrk": "x", "value": "variables.nope"}]}],
            "content[0].facts[0].value",
            "There is no variable nope. (In the block facts.)",
        ),
        ([AMOUNTS | {"left": "{{ 1 + }}"}], "content[0].left", "(In the block amounts.)"),
        (
            [{"block": "facts", "facts": [{"label": "x", "value": "entry.name"}]}],
            "content[0].facts[0].value",
            "entry is known only in parts with each.",
        ),
        (
            [{"block": "tree", "owners": [{**OWNERS, "each": "steps.later.rows"}]}],
            "content[0].owners[0].each",
            "There is no step later",
        ),
        (
            [{"block": "series", "points": [{"label": "x", "value": "now >"}]}],
            "content[0].points[0].value",
            "The expression ends too early",
        ),
        ("x", "content", "This must be a list."),
        ([7], "content[0]", "This must be an object."),
    ],
)
def test_a_check_names_step_place_and_block(content: Any, place: str, words: str) -> None:
    steps = [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "look"}},
        {
            "id": "look",
            "type": "guidance",
            "title": "Look",
            "config": {"text": "x"},
            "content": content,
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "next": {}},
    ]
    known = dict.fromkeys(("hits", "paid", "back", "now", "owners"), 1)
    document = {
        "format": 1,
        "slug": "a-a",
        "title": "A",
        "collection": None,
        "team": "t",
        "variables": known,
        "steps": steps,
    }
    assert [(one.step, one.field) for one in check(document, all_types()) if words in one.reason] == [
        ("look", place)
    ]


def test_an_end_knows_no_record() -> None:
    end = {
        "id": "end",
        "type": "end",
        "title": "End",
        "next": {},
        "content": [{"block": "facts", "facts": [{"label": "{{ record.name }}", "value": "1"}]}],
    }
    steps = [{"id": "start", "type": "start", "title": "Start", "next": {"default": "end"}}, end]
    problems = check(
        {"format": 1, "slug": "a-a", "title": "A", "collection": "customer", "team": "t", "steps": steps},
        all_types(),
    )
    assert [(one.step, one.field) for one in problems] == [("end", "content[0].facts[0].label")]


BRIEF: dict[str, Any] = {
    "block": "brief",
    "lines": [
        {"text": "Of {{ variables.hits }} hits none is left.", "sources": ["list"]},
        {"text": "The register differs.", "sources": ["register", "list"]},
        {"each": "variables.owners", "text": "{{ entry.name }}", "sources": ["register"]},
    ],
    "sources": [
        {"id": "register", "label": "Register", "document": "'paper'"},
        {"id": "list", "label": "List"},
        {"id": "unused", "label": "Unused"},
    ],
}


def test_a_brief_numbers_its_sources_and_leaves_out_what_rests_on_hidden_ones() -> None:
    data = found(BRIEF, hits=5, owners=[{"name": "Ana"}, {"name": " "}])
    made = blocks.picture({**data, "papers": {"register": {"href": "/there"}}}, say)
    assert [(line["text"], [cite["number"] for cite in line["cites"]]) for line in made["lines"]] == [
        ("Of 5 hits none is left.", [1]),
        ("The register differs.", [2, 1]),
        ("Ana", [2]),
    ]
    assert [(one["label"], one["paper"]) for one in made["sources"]] == [
        ("List", None),
        ("Register", {"href": "/there"}),
    ]
    shut = blocks.picture(without(data, "content[0].sources[0].document"), say)
    assert ([line["text"] for line in shut["lines"]], shut["kept_back"]) == (["Of 5 hits none is left."], 3)
    shut = blocks.picture(without(data, "content[0].lines[0].text"), say)
    assert (len(shut["lines"]), shut["kept_back"]) == (2, 1)
    assert len(drawn(BRIEF, owners=[{"name": "x"}] * 500)["lines"]) == 8
