"""What is said of a button, in words; and that sentences about the state of things are decided by the state, wherever a template or a script has one."""

import re
from pathlib import Path
from typing import Any

from console.views.formats import Look
from console.views.run import consequences
from tests.tables import cases

ROOT = Path(__file__).parents[2]
LOOK = Look("en", "UTC")
RECORD = {"collection": "customer", "key": "1", "title": "Northwind", "values": {"currency": "EUR"}}
NOTE = {"name": "note", "label": "Note", "type": "text"}
RISK = {"name": "risk", "label": "Risk", "type": "text", "collection": "customer"}
WRITE = {"kind": "sql_write", "collection": "customer", "record": "1", "title": None}


def way(*effects: dict[str, Any], outcome: str | None = None, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "effects": list(effects), "after": [], "ends": None, "refused": None, **more}


def lines(screen: dict[str, Any], chosen: str | None = None) -> list[str]:
    """Everything that is said, line by line."""
    told = []
    for one in consequences.consequences({"button": "Done", "record": RECORD, "fields": [], "outcomes": []} | screen, LOOK, chosen):
        told += [one.choice] if one.choice else []
        for deed in one.deeds:
            told += [deed.words, *(f"{change.label}: {change.before} → {change.after}" for change in deed.changes)]
            told += [f"later: {deed.later}"] if deed.later else []
        told += [one.after] if one.after else []
    return told


@cases(
    ("screen", "words"),
    [
        ({}, []),
        ({"ways": [way()]}, ["Goes on. This step changes no record."]),
        ({"ways": [way()], "fields": [NOTE]}, ["Keeps what you enter with the run. This step changes no record."]),
        ({"ways": [way()], "by_hand": True}, [consequences.BY_HAND]),
        ({"ways": [way()], "by_hand": True, "take_over": {"code": "already_done"}}, [consequences.BY_HAND_AGAIN]),
        (
            {"ways": [way()], "fields": [RISK, NOTE]},
            ["Changes nothing in Northwind as the form stands. What you change in Risk is written."],
        ),
        (
            {"ways": [way({**WRITE, "fields": [{**RISK, "old": None, "new": "high"}]})], "fields": [RISK]},
            ["Writes Northwind:", "Risk: empty → high"],
        ),
        (
            {"ways": [way({**WRITE, "record": "2", "title": "Entry 2", "fields": [{**RISK, "old": "a", "new": "b"}]})]},
            ["Writes Entry 2:", "Risk: a → b"],
        ),
        (
            {
                "ways": [way({**WRITE, "fields": [{**RISK, "old": "a", "new": None}]}, unsettled=["Risk", "Note"])],
                "fields": [NOTE],
                "progress": {"key": "2", "items": [{"key": "1", "title": "One"}, {"key": "2", "title": "Two"}]},
            },
            ["Writes Risk and Note of Two, from what you enter."],
        ),
        (
            {"ways": [way({**WRITE, "fields": [{"name": "of", "label": "Of", "type": "text", "references": "customer", "old": None, "new": "1"}]})]},
            ["Writes Northwind:", "Of: empty → Northwind"],
        ),
        (
            {"ways": [way({"kind": "sql_insert", "summary": "Adds a task.", "if": True, "where": "Status is “archived”"})]},
            ["Adds a task, only where Status is “archived”."],
        ),
        ({"ways": [way(refused="It is closed.")]}, ["It is refused as it stands: It is closed."]),
        (
            {
                "ways": [
                    way(
                        {"kind": "approval", "roles": ["operations_lead"], "needs": 2, "decides": False},
                        {
                            "kind": "sql_insert", "summary": "Notes it", "if": False, "collection": "refund", "record": None,
                            "fields": [
                                {"name": "amount", "label": "Amount", "type": "integer", "widget": "money", "currency": "currency", "minor": True, "new": 1890},
                                {"name": "currency", "label": "Currency", "type": "text", "new": "EUR"},
                                {"name": "ref", "label": "Reference", "type": "text", "later": True},
                            ],
                        },
                    )
                ]
            },
            [
                "Asks 2 of Operations lead for approval. Nothing is done before that.", "After that: Notes it:", "Amount: None → €18.90",
                "Currency: None → EUR", "later: Reference",
            ],
        ),
        (
            {"ways": [way(after=["Block it"], ends="closed")]},
            ["Goes on. This step changes no record.", "The run may then go on by itself to “Block it”. The run ends: closed."],
        ),
    ],
)  # fmt: skip
def test_what_is_said_is_made_of_what_would_come(screen: dict[str, Any], words: list[str]) -> None:
    assert lines(screen) == words


def test_a_sentence_leads_to_changes_only_where_they_follow() -> None:
    deed = consequences.Deed("Sets the account to active:", [consequences.Change("Status", "Open", "Active")])
    assert [deed.said(listed_above=above) for above in (False, True)] == ["Sets the account to active:", "Sets the account to active."]
    assert consequences.Deed("Goes on.").said(listed_above=True) == "Goes on."


def test_options_are_told_apart_only_where_they_differ() -> None:
    outcomes = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
    same = {"outcomes": outcomes, "ways": [way(outcome="yes"), way(outcome="no")]}
    assert lines(same) == ["Keeps what you enter with the run. This step changes no record."]
    other = {"outcomes": outcomes, "ways": [way(outcome="yes"), way({"kind": "notice"}, outcome="no")]}
    assert [line for line in lines(other) if line in ("Yes", "No")] == ["Yes", "No"]
    assert lines(other, "no") == ["Tells people in the console, and by mail where that is set up."]


# -- sentences about the state of things, and what decides them

SAYS = re.compile(r"(?:Nothing|Nobody|No one) (?:is|was|has|had|waits|answered|here|who|can|knows)\b[^<>{}\"'`|]*|stays as it is")
PLACES = ("errors", "inbox", "replay", "runner", "checks", "home", "tasks", "approvals")
DECIDED_BY = {
    "templates/approvals/one.html": {"answers", "deciders"},
    "templates/inbox/assign.html": {"people"},
    "templates/inbox/page.html": {"down", "view"},
    "templates/runner/context.html": {"related", "activity"},
    "templates/runner/proposal.html": {"strip"},
    "templates/runner/settle.html": {"effect"},
    "templates/runner/supply.html": {"boxes"},
    "templates/tasks/notices.html": {"groups"},
    "console/static/js/page.js": {"X-Outcome"},
    "console/static/js/runner.js": {"wrong", "open"},
    "console/static/js/proposal.js": {"on"},
    "console/static/js/session_end.js": {"over"},
}
"""File → names of the state by which its sentences are chosen."""


def files() -> list[Path]:
    found = [path for place in PLACES for path in sorted((ROOT / "templates" / place).glob("*.html"))]
    return [*found, *sorted((ROOT / "console/static/js").glob("*.js"))]


def test_every_sentence_about_the_state_of_things_is_chosen_by_the_state() -> None:
    """A template that says that nothing is, was or will be has to say by what it knows: whoever adds such a sentence names that here."""
    saying = {}
    for path in files():
        text = re.sub(r"\{#.*?#\}|^[ \t]*//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        if SAYS.search(text):
            saying[str(path.relative_to(ROOT))] = text
    assert set(saying) == set(DECIDED_BY)
    for name, text in saying.items():
        for state in DECIDED_BY[name]:
            decides = rf"(\bif\b|\bfor\b|[?(]|getResponseHeader)[^\n]*{re.escape(state)}|{re.escape(state)}[^\n]*([?]|\bif\b)"
            assert re.search(decides, text), (name, state)


def test_what_all_choices_do_is_said_once_and_then_where_each_leads() -> None:
    told = consequences.consequences(
        {
            "button": "Done",
            "record": RECORD,
            "fields": [NOTE],
            "outcomes": [{"value": "no", "label": "No hit"}, {"value": "yes", "label": "A hit"}],
        }
        | {"ways": [way(outcome="no", after=["Keep it"]), way(outcome="yes", after=["Block it"])]},
        LOOK,
    )
    assert [one.choice for one in told] == ["", "No hit", "A hit"]
    assert [len(one.deeds) for one in told] == [1, 0, 0], "the sentence about all of them stands once"
    assert [one.after for one in told[1:]] == [f"The run may then go on by itself to “{title}”." for title in ("Keep it", "Block it")]
