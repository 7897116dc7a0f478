"""Blocks of a step on its page: the same in the runner, in a replay, on an approval and in the API, as far as each reader may see them."""

import json
import re
from pathlib import Path
from typing import Any

from flask import g

from console import access, reports, runs, workflows
from console.access import policy_store
from console.core.blocks.base import NOBODY_SAYS
from console.core.papers.pages import Line, Read, Word
from console.db import transaction
from console.documents import Document, meant
from console.documents.passages import _within as within
from console.runs.changing import attachments
from console.runs.showing.block_content import TOO_MUCH
from console.views.blocks import words
from console.views.formats import Look
from console.views.run.case_file import html
from console.work import approvals
from tests.company import Company
from tests.conftest import web_app
from tests.papers import pdf
from tests.support.engine import step
from tests.tables import cases
from tests.views.conftest import Pages

SAMPLE = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "content.json").read_text(encoding="utf-8"))
RISK = {
    "block": "facts",
    "title": "Of {{ record.display_name }}",
    "facts": [
        {"label": "Tax number", "value": "steps.load.record.tax_id"},
        {"label": "Balance", "value": "record.balance", "as": "money", "currency": "'EUR'"},
        {"label": "Desk", "value": "record.desk"},
        {"each": "steps.load.accounts", "label": "Account", "value": "entry.iban", "if": "entry.status == 'open'"},
    ],
}
CENTS = {"type": "integer", "widget": "money", "minor": True}
GONE = {"references": "customer", "named": "a customer that is gone", "absent": True}
LOAD = step("load", "get_data", "look", {"fields": ["display_name", "tax_id"], "related": [{"name": "accounts", "relation": "account", "fields": ["iban", "status"]}]})  # fmt: skip


def made(
    company: Company, *content: dict[str, Any], type: str = "guidance", config: dict[str, Any] | None = None, variables: Any = None
) -> str:
    """A run that stands at a step with these blocks, after its record was loaded."""
    start = {**step("start", "start", "load")}
    look = step("look", type, "end", config or {"text": "Look."}) | {"content": list(content)}
    if type == "approval":
        look["next"] = {"approved": "end", "rejected": "end"}
    steps = [start, LOAD, look, step("end", "end", None)]
    document = {
        "format": 1,
        "slug": "looking",
        "title": "Looking",
        "collection": "customer",
        "team": "operations",
        "variables": variables or {},
        "settings": {"exclusive": False},
        "steps": steps,
    }
    workflows.import_file(document, publish=True)
    run_id = runs.start(company.olivia, "looking", "customer", "1", {})
    told = company.told(run_id)
    while told["current"] and told["current"]["step"] != "look":
        company.answer(run_id, told=told)
        told = company.told(run_id)
    return run_id


def hide(field: str, *roles: str) -> None:
    with transaction() as connection:
        policy_store.write(
            connection, added=[access.Row("p", f"role:{role}", "t:operations", f"field:{field}", "read", "deny", "") for role in roles]
        )
    access.refresh()


def test_the_sample_shows_every_block_without_style_or_script(pages: Pages) -> None:
    workflows.import_file(SAMPLE, publish=True)
    run_id = runs.start(pages.company.olivia, SAMPLE["slug"], None, None, {})
    page = pages.olivia.get(f"/runs/{run_id}")
    kinds = [block["block"] for block in SAMPLE["steps"][1]["content"]]
    assert [kind for kind in kinds if f'class="block {kind}-block"' not in page.html] == []
    assert page.html.count('<svg class="pic') >= 20
    assert " style=" not in page.html
    assert "cannot be drawn" not in page.text
    assert "€900.00 of €1,200.00" in page.text
    assert "€438k in Oct" in page.text
    assert "3 same, 1 unknown" in page.text, "the line that is not counted is not among those that differ"
    seen = page.html[page.html.index('<div class="block ') : page.html.index('<form class="stack"')]
    pages.olivia.send(page, "/complete")
    replayed = pages.olivia.get(f"/runs/{run_id}/replay?at=5").html
    assert seen.split() == replayed[replayed.index('<div class="block ') :][: len(seen) + 400].split()[: len(seen.split())]


def test_the_paper_of_a_case_has_what_was_on_the_screens(company: Company) -> None:
    workflows.import_file(SAMPLE, publish=True)
    run_id = runs.start(company.olivia, SAMPLE["slug"], None, None, {})
    assert company.told(run_id)["current"]["content"]
    with web_app().test_request_context():
        g.actor = company.olivia
        paper = html(reports.case_file(company.olivia, run_id, "pdf", ready=lambda: None), company.olivia)
    assert "Every block once." in paper, "the text of the step"
    assert [block["block"] for block in SAMPLE["steps"][1]["content"] if f'class="block {block["block"]}-block"' not in paper] == []
    assert "€900.00 of €1,200.00" in paper
    assert paper.count('<svg class="pic') == paper.count("<style>text {"), "each picture brings its colours along"
    named = re.findall(r'<svg class="pic[^>]*><title>[^<]+</title>', paper)
    assert len(named) == paper.count('<svg class="pic'), "PDF/UA: each picture has a text in its place"


@cases(
    ("leaf", "shown"),
    [
        ({"value": "john_smith"}, "john_smith"),
        ({"value": "no_match", "look": {"type": "enum", "options": [{"value": "no_match", "label": "Another name"}]}}, "Another name"),
        ({"value": "pay.example"}, "pay.example"),
        ({"value": "2026-11-20"}, "20 Nov 2026"),
        ({"parts": ["Reference ", {"value": "ab_12"}]}, "Reference ab_12"),
        ({"value": 18000, "look": {**CENTS, "currency": "XQZ"}}, "18,000 XQZ (unknown currency, in its smallest unit)"),
        ({"value": 18000, "look": {**CENTS, "currency": NOBODY_SAYS}}, "18,000 (no currency, in its smallest unit)"),
        ({"value": "-0.004", "look": {"as": "money", "currency": "EUR"}}, "€0.00"),
        ({"value": f"{10**30 + 1}.125", "look": {"as": "money", "currency": "EUR"}}, "€1,000,000,000,000,000,000,000,000,000,001.12"),
        ({"value": 10**30, "short": True, "look": {"as": "money", "currency": "EUR"}}, "€1,000,000,000,000,000,000,000,000,000,000.00"),
        ({"value": 99999999999, "short": True, "look": {**CENTS, "currency": "EUR"}}, "€1bn"),
        ({"value": 101300, "short": True, "look": {**CENTS, "currency": "EUR"}}, "€1.01k"),
        ({"value": "1200000", "short": True, "look": {"as": "money", "currency": "KWD"}}, "KWD1.2m"),
        ({"parts": [{"value": None, "look": {}}, " and theirs"]}, "– and theirs"),
        ({"parts": [{"value": None, "look": {}}, ", ", {"value": None, "look": {}}]}, ", "),
        ({"value": 50000, "short": True, "look": {**CENTS, "currency": "XQZ"}}, "XQZ50k"),
        ({"value": 50000, "short": True, "look": {**CENTS, "currency": NOBODY_SAYS}}, "50k"),
        ({"value": 5000000, "short": True, "look": {**CENTS, "currency": "IQD"}}, "IQD5k"),
        ({"value": 7, "look": {"references": "customer", "named": None}}, "You may not see this"),
        ({"value": 7, "look": GONE}, "A customer that is gone"),
        ({"parts": ["Owned by ", {"value": 7, "look": GONE}, "."]}, "Owned by a customer that is gone."),
    ],
)
def test_only_what_has_a_label_is_said_in_other_words(leaf: dict[str, Any], shown: str) -> None:
    assert words(leaf, Look("en", "UTC")) == shown


def test_changed_since_marks_what_blocks_show_otherwise_today(pages: Pages) -> None:
    company = pages.company
    named = {"block": "comparison", "lines": [{"label": "Name", "ours": "record.display_name", "theirs": "steps.load.record.display_name"}]}
    run_id = made(company, RISK, named)
    before = pages.olivia.get(f"/runs/{run_id}").text
    company.answer(run_id)
    ticks = range(1, runs.replay(company.olivia, run_id).last + 1)
    at = next(place for place in ticks if "facts-block" in pages.olivia.get(f"/runs/{run_id}/replay?at={place}").html)
    here = f"/runs/{run_id}/replay?at={at}&since=1"
    assert "changed-since" not in pages.olivia.get(here).html
    company.sql("update customer set balance = 99, display_name = 'Ada Bell' where id = 1")
    page = pages.olivia.get(here)
    assert "Balance €12.50Now: €99.00" in page.text
    assert page.text.count("Now: Ada Bell") >= 3, "the panel, what the comparison has of the record, and what an earlier step had read"
    assert "You may not see this" in before, "the tax number, which is neither then nor now"
    assert "Tax numberNow" not in page.text
    assert "Now:" not in pages.olivia.get(f"/runs/{run_id}/replay?at={at}").text
    hide("customer/balance", "operator")
    assert "99.00" not in pages.olivia.get(here).html


def test_who_may_not_see_a_field_does_not_see_what_is_made_of_it(pages: Pages) -> None:
    company = pages.company
    bars = {
        "block": "amounts",
        "whole": {"label": "Whole", "value": "record.balance"},
        "parts": [{"label": "Half", "value": "record.balance / 2"}],
    }
    run_id = made(company, RISK, bars, {"block": "facts", "if": "record.balance > 1", "facts": [{"label": "Rich", "value": "1"}]})
    before = pages.olivia.get(f"/runs/{run_id}")
    assert all(words in before.text for words in ("€12.50", "LT45 9999 9000 1234 5678", "Rich", "You may not see this"))
    assert "LT459999900012345679" not in before.text[: before.text.index("When you press")]
    hide("customer/tax_id", "reviewer")
    hide("customer/balance", "reviewer")
    hide("account/status", "reviewer")
    last = company.told(run_id)["last_event"]
    for address in (f"/runs/{run_id}", f"/runs/{run_id}/replay?at={last}"):
        page = pages.rosa.get(address)
        shown = page.html[page.html.index('<div class="block ') : page.html.index("amounts-block") + 2000]
        assert "You may not see this" in shown
        assert not re.search(r"IE123|12\.5|6\.25|LT4599|Rich|width=\"50", shown), address
        assert "retail" in shown.lower()
    told = runs.replay(company.rosa, run_id, last).json
    assert told["screen"]["content"][0]["facts"][0]["value"] == {"from": "content[0].facts[0].value", "value": None, "hidden": True}
    assert "screen.content.0.facts.0.value" in told["masked"]


def test_an_approver_sees_the_blocks_as_they_were_when_it_was_asked_for(pages: Pages) -> None:
    company = pages.company
    run_id = made(company, RISK, type="approval", config={"text": "Agree?", "roles": ["lead"], "not_by": [], "fields": ["desk"]})
    if company.told(run_id)["status"] == "waiting_person":
        company.answer(run_id, told=company.told(run_id))
    (line,) = approvals.to_review(company.mona).lines
    assert "€12.50" in pages.mona.get(f"/approvals/{line.id}").text
    company.sql("update customer set balance = 99 where id = 1")
    assert "€12.50" in pages.mona.get(f"/approvals/{line.id}").text
    hide("customer/balance", "lead", "operations_lead")
    page = pages.mona.get(f"/approvals/{line.id}")
    assert "€12.50" not in page.text
    assert "You may not see this" in page.text


def test_an_end_shows_what_the_run_came_to(pages: Pages) -> None:
    facts = {
        "block": "facts",
        "facts": [{"label": "Name", "value": "steps.load.record.display_name"}, {"label": "Tax", "value": "steps.load.record.tax_id"}],
    }
    steps = [step("start", "start", "load"), LOAD, step("end", "end", None) | {"content": [facts]}]
    steps[1] = {**LOAD, "next": {"default": "end"}, "completion": "automatic"}
    workflows.import_file(
        {"format": 1, "slug": "ending", "title": "Ending", "collection": "customer", "team": "operations", "steps": steps}, publish=True
    )
    run_id = runs.start(pages.company.mona, "ending", "customer", "1", {})
    pages.company.sql("update customer set display_name = 'Another' where id = 1")
    last = pages.company.told(run_id, "mona")["last_event"]
    for address in (f"/runs/{run_id}", f"/runs/{run_id}/replay?at={last}"):
        page = pages.olivia.get(address)
        shown = page.html[page.html.index("facts-grid") :][:600]
        assert "Adaeze Okonkwo-Bell" in shown
        assert "You may not see this" in shown
    assert "facts-grid" not in pages.olivia.get(f"/runs/{run_id}/replay?at={last - 2}").html


@cases("text", ["line of a letter\n" * 2_500, "مرحبا بكم في بيتنا\n" * 2_100, "<b onclick=x>bold</b>\n" * 1_800])
def test_a_long_letter_is_whole_in_the_replay_too(company: Company, text: str) -> None:
    run_id = made(company, {"block": "letter", "body": "variables.text"}, variables={"text": text[:40_000]})
    told = company.told(run_id)
    assert told["current"]["content"][0]["body"]["value"] == text[:40_000]
    then = runs.replay(company.olivia, run_id, told["last_event"]).json["screen"]["content"]
    assert then == told["current"]["content"]


def test_more_than_a_page_can_hold_is_a_sentence_live_and_replayed(company: Company) -> None:
    rows = [{"name": "n" * 900, "state": "s" * 900}] * 150
    many = {"block": "facts", "facts": [{"each": "variables.rows", "label": "{{ entry.name }}", "value": "entry.state"}]}
    run_id = made(company, many, {"block": "facts", "facts": [{"label": "One", "value": "1"}]}, variables={"rows": rows})
    told = company.told(run_id)
    cut = told["current"]["content"][0]
    assert (len(cut["facts"]), cut["more"]) == (75, {"from": ["content[0].facts[0].each"], "value": 75}), "a list is cut and says so"
    assert runs.replay(company.olivia, run_id, told["last_event"]).json["screen"]["content"] == told["current"]["content"]
    letters = [{"block": "letter", "body": "variables.text"}] * 7
    told = company.told(made(company, *letters, variables={"text": "x" * 40_000}))
    assert [one.get("trouble") for one in told["current"]["content"]] == [TOO_MUCH, *[None] * 6]


def test_a_value_of_a_wrong_kind_never_fails_the_page(pages: Pages) -> None:
    bad: list[dict[str, Any]] = [
        {
            "block": "amounts",
            "title": "Sum",
            "whole": {"label": "Whole", "value": "record.display_name"},
            "parts": [{"label": "x", "value": "1"}],
        },
        RISK,
    ]
    page = pages.olivia.get(f"/runs/{made(pages.company, *bad)}")
    assert "This cannot be drawn: an amount is not a number." in page.text
    assert "€12.50" in page.text


def test_a_document_opens_at_the_right_with_the_step(pages: Pages) -> None:
    company = pages.company
    block = {
        "block": "document",
        "document": "'evidence'",
        "page": "2",
        "passage": "'made up'",
        "says": [{"label": "Says", "value": "record.desk"}],
    }
    config = {
        "text": "Look",
        "form": [{"name": "evidence", "label": "Evidence", "type": "files"}],
        "options": [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}],
    }
    run_id = made(company, block, type="decision", config=config)
    before = pages.olivia.get(f"/runs/{run_id}")
    assert "evidence not among the papers here now" in before.text, "what nobody handed in is not shown as if it were there"
    stored = attachments.attach(company.olivia, run_id, step="look", field="evidence", name="register.pdf", content=pdf(3, text="made up"))
    page = pages.olivia.get(f"/runs/{run_id}")
    assert "2 of 3" in page.text
    assert f"/files/{stored.value['file']}/page/2?run={run_id}" in page.html.replace("&amp;", "&")
    assert "Never opened" in page.text
    assert "2 of 3" not in pages.olivia.get(f"/runs/{run_id}?tab=record").text


def test_a_document_is_meant_by_what_it_is_called_and_a_passage_found_word_by_word() -> None:
    handed = Document("fil_1", "register.pdf", "PDF", slot="register")
    of_record = Document("customer:scan:1", "Adaeze", "PDF", column="scan")
    for value in ("fil_1", "register.pdf", "register", {"file": "fil_1", "name": "register.pdf"}):
        assert meant([of_record, handed], value) == handed
    assert meant([handed, of_record], "scan") == of_record
    assert [meant([handed, of_record], value) for value in ("", None, 7, "Nobody", {"name": "register"})] == [None] * 5
    words = tuple(Word(text, (at / 10, 0.1, at / 10 + 0.05, 0.2)) for at, text in enumerate(("Johanna", "van den", "Berg", "60")))
    page = Read(1, (Line("Johanna van den Berg   60", (0, 0.1, 1, 0.2), words),))
    assert within(page, ["van", "den", "berg"]) == (0.1, 0.1, 0.25, 0.2)
    assert within(page, ["berg", "van"]) is None
