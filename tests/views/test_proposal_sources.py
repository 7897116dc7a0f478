"""Sources of a proposal: where they open and what is marked in them."""

from copy import deepcopy
from typing import TYPE_CHECKING

from console import runs, workflows
from console.auth import access
from tests.company import DOCUMENT
from tests.papers import pdf
from tests.views import proposals
from tests.views.proposals import arrives, source, value

if TYPE_CHECKING:
    from tests.views.conftest import Pages


def test_a_source_that_reads_like_instructions_is_named_and_linked(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(
        pages.company,
        run,
        value("risk", "medium"),
        flags=["suspicious_content"],
        banner="Text in “Adaeze Okonkwo-Bell” reads like instructions. It was not followed.",
    )
    page = pages.olivia.get(f"/runs/{run}")
    assert "reads like instructions" in page.text
    assert (
        page.html.index("Look at the source yourself")
        < page.html.index("data-source")
        < page.html.index("pre-filled")
    )


# -- the right pane


def test_a_source_opens_at_the_right_with_its_value_marked(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    step = source(
        "s2",
        kind="step",
        step="note",
        title="Take a note",
        field="note",
        quote="Looked at it.",
        collection=None,
        record=None,
    )
    other = source(
        "s3",
        kind="related",
        title="Tore Lindqvist",
        collection="customer",
        record="2",
        field="display_name",
        quote="Tore Lindqvist",
        trusted=False,
    )
    gone = source(
        "s4", kind="related", title="Somebody", collection="customer", record="999", field="risk", quote=""
    )
    arrives(
        pages.company,
        run,
        value(
            "risk",
            "medium",
            "high",
            "",
            source(),
            step,
            other,
            gone,
            source("s5", field=None, quote="Desk: retail"),
        ),
    )
    page = pages.olivia.get(f"/runs/{run}")
    ways = [told["href"] for told in page.with_attribute("data-source")]
    shown = [pages.olivia.get(way) for way in ways]
    assert [len(one.with_attribute("data-marked")) for one in shown] == [2, 2, 2, 0, 1]
    assert all("Source" in one.text for one in shown)
    assert "Looked at it." in shown[1].text
    assert "<mark>Retail</mark>" in shown[0].html, "an option is quoted by its label"
    assert "<mark>Desk: Retail</mark>" in shown[4].html
    assert "it says what somebody claims" in shown[2].text
    assert "no longer there, or you may not see it" in shown[3].text
    opened = [
        one for one in runs.events(pages.company.olivia, run, limit=200)[0] if one["kind"] == "source_opened"
    ]
    assert [
        (one["data"].get("source"), one["data"].get("key"), one["data"].get("name")) for one in opened
    ] == [
        ("record", "1", None),
        ("step", None, "note"),
        ("related", "2", None),
        ("related", "999", None),
        ("record", "1", None),
    ]


def test_a_source_of_another_call_or_reader_is_the_record_as_ever(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    arrives(pages.company, run, value("risk", "medium"))
    way = next(told["href"] for told in pages.olivia.get(f"/runs/{run}").with_attribute("data-source"))
    assert 'id="source-title"' not in pages.tom.get(way).html
    assert 'id="source-title"' not in pages.olivia.get(f"/runs/{run}?source=s9&of=risk").html
    pages.stan.get(way, status=404)


def test_what_stands_as_dots_is_uncovered_on_its_own_page(pages: "Pages") -> None:
    document = deepcopy(DOCUMENT)
    next(step for step in document["steps"] if step["id"] == "load")["config"]["fields"].append("tax_id")
    workflows.import_file(document, publish=True)
    run = pages.company.at("rate", by="mona")
    assert "IE123" in pages.mona.get(f"/runs/{run}?tab=context").text
    access.grant("lead", "collection:customer", ["reveal"], team="operations")
    access.refresh()
    page = pages.mona.get(f"/runs/{run}?tab=context")
    assert "IE123" not in page.text
    assert "/c/customer/1/reveal/tax_id" in page.links


def test_a_source_in_a_document_opens_its_page_with_the_place_framed(pages: "Pages") -> None:
    document = deepcopy(DOCUMENT)
    note = next(step for step in document["steps"] if step["id"] == "note")
    note["config"]["form"].append({"name": "paper", "label": "Paper", "type": "file"})
    workflows.import_file(
        document | {"steps": [{**step, "ai": {}} if step is note else step for step in document["steps"]]},
        publish=True,
    )
    run = pages.company.at("note")
    stored = runs.attachments.attach(
        pages.company.olivia, run, step="note", field="paper", name="register.pdf", content=pdf(2)
    )
    place = source(
        "s2",
        kind="document",
        title="register.pdf",
        document=stored.id,
        page=2,
        box=["0.1000", "0.2000", "0.4000", "0.2500"],
        collection=None,
        record=None,
        field="name",
        quote="Two",
    )
    arrives(pages.company, run, value("note", "Two", "high", "", place))
    page = pages.olivia.get(f"/runs/{run}")
    assert "register.pdf, p. 2" in page.text
    shown = pages.olivia.get(next(told["href"] for told in page.with_attribute("data-source")))
    assert "Page 2 of register.pdf" in shown.html
    assert shown.with_attribute("data-marks")
    assert any(told.get("data-marked") is not None for told in shown.with_attribute("data-marked"))


def test_who_audits_the_ai_finds_the_exact_context(pages: "Pages") -> None:
    run = proposals.at(pages.company, "rate")
    call = proposals.pending(pages.company, run)["call"]
    assert f"/settings/ai/calls/{call}" in pages.ada.get(f"/runs/{run}?tab=context").links
    assert f"/settings/ai/calls/{call}" not in pages.olivia.get(f"/runs/{run}?tab=context").links
