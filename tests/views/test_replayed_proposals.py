"""Replay of a step with proposals: what was proposed, what became of it, and nothing that the screen did not have."""

import re
from typing import TYPE_CHECKING

import pytest

from console import runs
from tests.views import proposals
from tests.views.proposals import arrives, fails, source, value

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


# -- replay


def test_replay_shows_what_was_proposed_what_became_of_it_and_what_was_never_opened(pages: "Pages") -> None:
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
    arrives(
        pages.company,
        run,
        value("risk", "medium", "high", "Two transfers a month.", source(), step),
        value("email", "new@customers.example", "medium"),
    )
    page = pages.olivia.get(f"/runs/{run}")
    pages.olivia.get(next(told["href"] for told in page.with_attribute("data-source")))
    pages.olivia.send(page, "/complete", v_risk="medium", v_email="mine@customers.example")
    ticks = runs.replay(pages.company.mona, run).ticks
    at = next(tick["n"] for tick in ticks if tick["told"].get("proposal", {}).get("outcomes"))
    past = pages.mona.get(f"/runs/{run}/replay?at={at}")
    assert "Proposed by: a-model" in past.text
    assert "Decided by: Olivia" in past.text
    assert "Sources opened: 1 of 2" in past.text
    assert "Accepted Confidence: High Proposed: “Medium”" in past.text
    assert "Edited Confidence: Medium Proposed: “new@customers.example”" in past.text
    assert past.text.count("never opened") == 1
    shown = next(tick["n"] for tick in ticks if tick["kind"] == "proposal_made") + 1
    before = pages.mona.get(f"/runs/{run}/replay?at={shown}")
    assert "AI pre-fill" in before.text
    assert "Decided by" not in before.text


def said_above(html: str) -> list[str]:
    """The sentences of the strip above the form: of the live page, and of the replay."""
    found = re.search(
        r'<div class="proposal".*?(?=<form class="stack")|<section class="strip past".*?</section>',
        html,
        re.DOTALL,
    )
    if found is None:
        return []
    words = re.findall(r"<(?:p|b|span)[^>]*>([^<]{12,})<", found[0])
    return [" ".join(one.split()) for one in words if one.strip()]


@pytest.mark.parametrize(
    ("status", "code", "mode"),
    [
        ("failed", "timeout", None),
        ("declined", "nothing_supported", None),
        ("failed", "no_key", None),
        ("off", "no_key", None),
        ("off", "switched_off", None),
        ("ready", None, None),
        ("ready", None, "blind"),
    ],
)
def test_replay_says_no_sentence_of_a_proposal_that_the_screen_did_not_have(
    pages: "Pages", status: str, code: str | None, mode: str | None
) -> None:
    run = proposals.at(pages.company, "rate")
    if status == "ready":
        arrives(pages.company, run, value("risk", "medium"), **({"mode": mode} if mode else {}))
    else:
        fails(pages.company, run, str(code), "Why this is so, at some length.", status)
    live = pages.olivia.get(f"/runs/{run}")
    past = pages.olivia.get(f"/runs/{run}/replay?at={runs.replay(pages.company.olivia, run).last}")
    then = said_above(past.html)
    assert [sentence for sentence in then if sentence not in live.text] == []
    for sentence in ("Why this is so, at some length.", "No proposal came", "Nothing is proposed here"):
        assert (sentence in past.text) <= (sentence in live.text)
    assert "Done without a proposal" not in past.text
