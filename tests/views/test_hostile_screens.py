"""What must end well, on the screens themselves: each hostile thing as somebody meets it in the runner, in the replay, on the approval and on the paper.

Functions that draw blocks: tests/core/test_blocks.py. Here a run stands at a step with the block, and each page of it is asked for and read.
"""

import re
from typing import TYPE_CHECKING, Any

import pytest
from flask import g

from console.monitoring import reports
from console.views.runs.case_file import html
from console.work import approvals
from tests.views.test_block_pages import hide, made

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

LARGEST = 900_000
"""Signs of a page, whatever stands on it."""
OWNERS: dict[str, Any] = {
    "each": "variables.owners",
    "owner": "entry.id",
    "name": "{{ entry.name }}",
    "of": "entry.of",
    "share": "entry.share",
    "person": "entry.person",
}
TREE: dict[str, Any] = {
    "block": "tree",
    "title": "Who owns it",
    "empty": "No holding is on file.",
    "owners": [OWNERS],
}
SERIES: dict[str, Any] = {
    "block": "series",
    "title": "Turnover",
    "empty": "No turnover yet.",
    "points": [
        {
            "each": "variables.points",
            "label": "{{ entry.at }}",
            "value": "entry.value",
            "as": "money",
            "currency": "'EUR'",
        }
    ],
    "expected": "variables.expected",
}
LETTER: dict[str, Any] = {"block": "letter", "title": "The request", "body": "variables.body"}
MONEY: dict[str, Any] = {
    "block": "amounts",
    "title": "The charge",
    "whole": {"label": "Paid", "value": "variables.paid", "as": "money", "currency": "variables.currency"},
    "parts": [{"label": "Back", "value": "variables.back", "as": "money", "currency": "variables.currency"}],
}
PAPER: dict[str, Any] = {
    "block": "document",
    "title": "The extract",
    "document": "variables.paper",
    "empty": "No extract is on file.",
}


def owner(name: str, of: str | None, share: Any, *, person: bool = True) -> dict[str, Any]:
    return {"id": name, "name": name, "of": of, "share": share, "person": person}


THREE_HUNDRED = [
    owner("Big Holder", None, 30),
    *(owner(f"Small Holder {number}", None, "0.2") for number in range(299)),
]
TWELVE = [
    owner(f"Layer {layer}", f"Layer {layer - 1}" if layer > 1 else None, 100, person=layer == 12)
    for layer in range(1, 13)
]
CIRCLE = [
    owner("Alpha", None, 60, person=False),
    owner("Beta", "Alpha", 50, person=False),
    owner("Alpha", "Beta", 50, person=False),
]
ENDS: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]] = {
    "three hundred owners": (TREE, {"owners": THREE_HUNDRED}, ("Big Holder", "more")),
    "twelve layers": (TREE, {"owners": TWELVE}, ("Layer 1", "Layer 12")),
    "a circle of owners": (TREE, {"owners": CIRCLE}, ("back to Alpha",)),
    "nobody owns it": (TREE, {"owners": []}, ("No holding is on file.",)),
    "an owner without a name": (TREE, {"owners": [owner("", None, 40)]}, ("40 %",)),
    "a name that is a page": (
        TREE,
        {"owners": [owner("<script>alert(1)</script>", None, 40)]},
        ("&lt;script&gt;alert(1)",),
    ),
    "a name without end": (TREE, {"owners": [owner("W" * 900, None, 40)]}, ("WWWW",)),
    "a share over the whole": (TREE, {"owners": [owner("Much", None, 120)]}, ("not counted: 120 %",)),
    "a chart of nothing": (SERIES, {"points": [], "expected": None}, ("No turnover yet.",)),
    "a chart of one point": (SERIES, {"points": [{"at": "May", "value": 5}], "expected": None}, ("€5.00",)),
    "a chart below nothing": (
        SERIES,
        {"points": [{"at": "May", "value": -50}, {"at": "June", "value": 50}], "expected": 10},
        ("−€50.00|-€50.00",),
    ),
    "a chart of nought": (
        SERIES,
        {"points": [{"at": "May", "value": 0}, {"at": "June", "value": 0}], "expected": 0},
        ("€0.00",),
    ),
    "a chart of millions": (
        SERIES,
        {"points": [{"at": f"M{n}", "value": 1_234_567 * n} for n in range(1, 13)], "expected": 10},
        ("€1,234,567.00",),
    ),
    "a figure that is a word": (
        SERIES,
        {"points": [{"at": "May", "value": "much"}], "expected": 1},
        ("a figure is not a number",),
    ),
    "a letter of 40,000 signs": (LETTER, {"body": "line of a letter\n" * 2_352}, ("line of a letter",)),
    "a letter from right to left": (LETTER, {"body": "مرحبا بكم في بيتنا\n" * 90}, ("مرحبا", 'dir="auto"')),
    "a letter that is a page": (
        LETTER,
        {"body": "<img src=x onerror=alert(1)>\n<b>Bold</b>"},
        ("&lt;img src=x", "&lt;b&gt;Bold"),
    ),
    "a letter that turns the direction": (LETTER, {"body": "Pay \u202e0009 to me"}, ("Pay",)),
    "no letter": (LETTER, {"body": None}, ("No message|Nothing|empty",)),
    "money without a currency": (MONEY, {"paid": 120, "back": 20, "currency": None}, ("120",)),
    "money of an unknown currency": (MONEY, {"paid": 120, "back": 20, "currency": "XQZ"}, ("XQZ",)),
    "more back than was paid": (
        MONEY,
        {"paid": 120, "back": 130, "currency": "EUR"},
        ("the parts come to more than the whole",),
    ),
    "an amount below nothing": (
        MONEY,
        {"paid": 120, "back": -1, "currency": "EUR"},
        ("an amount is less than nothing",),
    ),
    "no document": (PAPER, {"paper": None}, ("No extract is on file.",)),
    "a document that is not there": (
        PAPER,
        {"paper": "fil_01m7zgzkvveeg82ye6ssx03m88"},
        ("The extract", "A document", "not among the papers here now"),
    ),
    "a document of a number": (PAPER, {"paper": 3017}, ("A document", "not among the papers here now")),
    "a document by its name": (
        PAPER,
        {"paper": "register_extract"},
        ("register extract", "not among the papers here now"),
    ),
}


def says(page: str, words: tuple[str, ...]) -> list[str]:
    """Those of the words that the page does not say; a bar parts words of which one is enough."""
    plain = page.replace("\xa0", " ")
    return [each for each in words if not any(one in plain for one in each.split("|"))]


def sound(page: str) -> None:
    """A page that is drawn, whole, and whose script and style are ours alone."""
    assert len(page) < LARGEST
    assert " style=" not in page
    assert "Traceback" not in page
    assert not re.search(r"<(script|img|b)>?[^>]*(alert|onerror)", page.replace("\n", " ")), (
        "a value became markup"
    )
    assert not re.search(r"\b(NaN|Infinity|None|undefined)\b", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("what", ENDS)
def test_it_ends_well_in_the_runner_in_the_replay_and_on_paper(pages: "Pages", what: str) -> None:
    block, variables, words = ENDS[what]
    company = pages.company
    run_id = made(company, block, variables=variables)
    page = pages.olivia.get(f"/runs/{run_id}").html
    sound(page)
    assert not says(page, words), what
    assert 'id="step-form"' in page, "the step can be done all the same"
    assert what != "three hundred owners" or len(page) < 60_000, (
        "with styles and scripts it is an ordinary page"
    )
    replayed = pages.rosa.get(f"/runs/{run_id}/replay?at={company.told(run_id)['last_event']}").html
    sound(replayed)
    assert not says(replayed, words), f"{what}, replayed"
    company.answer(run_id)
    with pages.app.test_request_context():
        g.actor = company.rosa
        paper = html(reports.case_file(company.rosa, run_id, "pdf", ready=lambda: None), company.rosa)
    assert not says(paper, words), f"{what}, on paper"


@pytest.mark.parametrize(
    "what",
    [
        "three hundred owners",
        "a circle of owners",
        "a letter that is a page",
        "money of an unknown currency",
        "a document that is not there",
    ],
)
def test_it_ends_well_before_whoever_has_to_agree(pages: "Pages", what: str) -> None:
    block, variables, words = ENDS[what]
    config = {"text": "May it be so?", "roles": ["lead"], "not_by": [], "fields": ["desk"]}
    run_id = made(pages.company, block, type="approval", config=config, variables=variables)
    if pages.company.told(run_id)["status"] == "waiting_person":
        pages.company.answer(run_id)
    (line,) = approvals.to_review(pages.company.mona).lines
    page = pages.mona.get(f"/approvals/{line.id}").html
    sound(page)
    assert not says(page, words)
    sound(pages.mona.get("/approvals").html)


def test_a_hidden_value_is_said_to_be_hidden_in_each_block_and_never_shown(pages: "Pages") -> None:
    secret = "steps.load.record.tax_id"
    blocks: list[dict[str, Any]] = [
        {"block": "facts", "title": "Facts", "facts": [{"label": "Tax", "value": secret}]},
        {"block": "letter", "title": "Letter", "body": secret},
        {
            "block": "comparison",
            "title": "Both",
            "lines": [{"label": "Tax", "ours": secret, "theirs": "'IE123'"}],
        },
        {
            "block": "before_after",
            "title": "Change",
            "changes": [{"label": "Tax", "before": secret, "after": "'other'"}],
        },
    ]
    run_id = made(pages.company, *blocks)
    assert "IE123" in pages.olivia.get(f"/runs/{run_id}").html
    last = pages.company.told(run_id)["last_event"]
    hide("customer/tax_id", "reviewer")
    page = pages.rosa.get(f"/runs/{run_id}/replay?at={last}").html
    sound(page)
    shown = re.sub(r"<[^>]+>", " ", page[page.index('<div class="block ') :])
    assert shown.count("IE123") <= 1, "what the document itself says for comparison is no secret"
    assert "may not see" in shown or "Hidden from you" in shown
