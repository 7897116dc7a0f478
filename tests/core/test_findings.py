"""What a step found, in words of the document: the case that holds, its values, and nothing where a value is not known."""

from typing import Any

from console import steps
from console.core.documents import findings, workflow_check
from tests.tables import cases

ROOTS: dict[str, Any] = {
    "steps": {"papers": {"accepted": ["a", "b"], "count": 2, "verdict": "same"}},
    "variables": {"least": 2},
}
COUNTED = [
    {"if": "size(steps.papers.accepted) >= variables.least", "text": "All {{ steps.papers.count }}"},
    {"text": "{{ steps.papers.verdict }} only"},
]


@cases(
    ("rule", "pieces"),
    [
        ("Looked at", [(None, "Looked at")]),
        (
            "{{ size(steps.papers.accepted) }} of {{ steps.papers.count }} accepted",
            [("", 2), (None, " of "), ("papers.count", 2), (None, " accepted")],
        ),
        ("{{ steps.papers.nothing }} found", None),
        ("{{ steps.later.count }} found", None),
        (COUNTED, [(None, "All "), ("papers.count", 2)]),
        ([{"if": "steps.papers.nothing == 1", "text": "x"}], None),
        (
            [{"if": "steps.papers.nothing == 1", "text": "x"}, {"text": "{{ steps.papers.verdict }}"}],
            [("papers.verdict", "same")],
        ),
    ],
)
def test_the_words_of_the_first_case_that_holds(rule: Any, pieces: Any) -> None:
    parsed = rule if isinstance(rule, str) else [findings.FindingCase.model_validate(case) for case in rule]
    assert findings.pieces(parsed, ROOTS) == pieces


@cases(
    ("finding", "said"),
    [
        ("{{ steps.note.text }}", None),
        ("{{ steps.note.tetx }}", "The step note gives no tetx: is text meant?"),
        (
            [{"if": "now > 1", "text": "x"}],
            "now is not known here: what was found is told from steps, input, variables and tables.",
        ),
        ("{{ 1 + }}", "at character"),
    ],
)
def test_a_wrong_finding_is_named_with_its_place(finding: Any, said: str | None) -> None:
    document = {
        "format": 1,
        "slug": "tried",
        "title": "Tried",
        "collection": None,
        "team": None,
        "roles": [],
        "settings": {},
        "variables": {},
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "note"}},
            {
                "id": "note",
                "type": "update_data",
                "title": "Note",
                "finding": finding,
                "config": {"form": [{"name": "text", "label": "Text"}]},
                "next": {"default": "end"},
            },
            {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
        ],
    }
    found = [
        problem
        for problem in workflow_check.check(document, steps.all_types())
        if problem.severity == "error"
    ]
    assert [problem.step for problem in found] == ([] if said is None else ["note"])
    assert said is None or (said in found[0].reason and found[0].field.startswith("finding"))
