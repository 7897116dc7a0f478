"""What a reviewer or auditor asks of a case, answered from the pages of the running demo alone: no command, no database, no program beside them.

Rosa replays, Ada reads the log. Each test opens the pages that the person would open, in their order, and reads the answer from their words.
"""

import re
from collections.abc import Callable
from functools import cached_property
from html import unescape

import pytest

from console.demo import stories
from tests.journeys.conftest import Demo, Visitor, alone
from tests.journeys.walking import Walk
from tests.support.engine import until

pytestmark = pytest.mark.slow

TICK = re.compile(r'href="\?at=(\d+)"\s+title="\d+: ([^"]+)"')
TICKED = re.compile(r"<input\b[^>]*\schecked\b[^>]*>")
UNSEEN = re.compile(r"<(script|style|svg|template)\b.*?</\1>", re.DOTALL)


def words(page: str) -> str:
    """What stands on the page, its parts apart by bars, a tick before what is chosen."""
    body = TICKED.sub("|✓|", UNSEEN.sub("", page[page.find("<main") :]))
    return unescape(re.sub(r"\s*\|[|\s]*", " | ", re.sub(r"<[^>]+>", "|", body)))


class Case:
    """A run as one person can look back at it."""

    def __init__(self, visitor: Visitor, run: str) -> None:
        self.visitor, self.run = visitor, run

    def page(self, path: str = "") -> str:
        """The words of a page of the run."""
        answer = self.visitor.get(f"{self.run}{path}")
        assert answer.status == 200, (path, answer.status)
        return words(answer.text)

    @cached_property
    def ticks(self) -> list[tuple[int, str]]:
        """What happened: the number of each event and its sentence, as the scrubber has them. Of a long run it names those nearby."""
        found = self._near("")
        for at in range(1, max(found), 20):
            found |= self._near(f"?at={at}")
        return sorted(found.items())

    def _near(self, query: str) -> dict[int, str]:
        return {
            int(number): unescape(said)
            for number, said in TICK.findall(self.visitor.get(f"{self.run}/replay{query}").text)
        }

    def at(self, said: str) -> str:
        """The screen of the first event whose sentence has these words."""
        number = next(number for number, sentence in self.ticks if said in sentence)
        return self.page(f"/replay?at={number}")


@pytest.fixture(scope="module")
def rosa(demo: Demo) -> Visitor:
    return Visitor(demo, "rosa")


@pytest.fixture(scope="module")
def ada(demo: Demo) -> Visitor:
    return Visitor(demo, "ada")


CUSTOMER = "571"
"""A politically exposed customer with a hit; no other test names them."""
CHARGE = stories.PLAIN_CHARGES[2]


def program_call(walk: Walk, name: str, path: str, **told: object) -> None:
    status, answer = walk.program(name)("POST", f"/runs/{walk.run['id']}/{path}", told)
    assert status == 200, (path, answer)
    walk.run = answer


def once(demo: Demo, name: str, made: Callable[[Demo], str]) -> str:
    """What `made` answers, in the first process of the suite that asks: all share the demo, and a record has one live run."""
    kept = demo.data.parent / f"{name}.run"
    with alone(demo, name):
        if not kept.exists():
            kept.write_text(made(demo), encoding="utf-8")
        return kept.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def review(demo: Demo, rosa: Visitor) -> Case:
    return Case(rosa, once(demo, "reviewed case", reviewed))


@pytest.fixture(scope="module")
def refund(demo: Demo, rosa: Visitor) -> Case:
    return Case(rosa, once(demo, "refunded case", refunded))


def reviewed(demo: Demo) -> str:
    """The address of a review that Olivia began and Tom ended: a hit cleared, a change of mind, a second person's yes."""
    walk = Walk(demo, "olivia")
    walk.start("kyc-review", "customer", CUSTOMER, {"reason": "periodic"})
    turned = False
    for run in walk.stands():
        step = (run["current"] or {}).get("step")
        if step == "media" and walk.by == "olivia":
            program_call(walk, "olivia", "save", revision=run["revision"])
            program_call(walk, "tom", "resume", revision=walk.run["revision"])
            walk.by = "tom"
        elif step == "score" and not turned:
            turned = True
            program_call(
                walk,
                "tom",
                "revise",
                revision=run["revision"],
                step="purpose",
                reason="The turnover was typed wrongly.",
            )
    assert walk.run["status"] == "completed", (walk.run["status"], walk.run["current"], walk.refused)
    return f"/runs/{walk.run['id']}"


def refunded(demo: Demo) -> str:
    """The address of a refund from its request to its end."""
    walk = Walk(demo, "olivia")
    walk.start("customer-refund", "charge", CHARGE, {})
    assert [run["status"] for run in walk.stands()][-1] == "completed", (walk.run["current"], walk.refused)
    return f"/runs/{walk.run['id']}"


def test_1_who_cleared_the_hit_by_which_identifiers_and_on_which_list(review: Case) -> None:
    screen = review.at("handed in “Decide each hit”")
    by = re.search(r"· \| ([^|]+) handed in “Decide each hit”", screen)
    assert by is not None
    assert re.search(r"entry version \d+ \|", screen), "which version of the entry"
    assert re.search(r"Identifier \| Ours \| On the list", screen)
    ticked = {*re.findall(r"✓ \| ([^|]+) \|", screen)}
    assert ticked >= {"Number of a document", "Photograph"}
    assert "Date of birth" not in ticked
    assert re.search(r"Date of birth \| [^|]+ \| [^|]+ \| Differs", screen), (
        "what was compared stands side by side"
    )
    assert f"Decided by | At the time: empty | {by[1].removesuffix(' (API key)')}" in screen


def test_2_what_the_form_looked_like_when_a_document_was_accepted_and_what_was_opened(review: Case) -> None:
    screen = review.at("handed in “Check each document”")
    _, headed, opened = screen.partition("Documents, and what was opened by then")
    assert re.search(r"Result \| Accept\b", screen)
    assert headed
    assert len(re.findall(r"\| Never opened \|", opened)) == 2, (
        "they were accepted without a look, and that is said"
    )


def test_3_model_points_and_floor_of_the_score(review: Case) -> None:
    screen = review.at("completed “Risk score” (attempt 2)")
    assert re.search(r"Raised to high: politically exposed, matrix v3", screen)
    factors = re.findall(r"\| (\d) of 3 × (\d+) \| ([\d.]+) \|", screen)
    assert len(factors) == 7
    total = sum(int(points) * int(weight) for points, weight, _ in factors)
    said = re.search(r"matrix v3 \| (\d+) \| High", screen)
    assert said is not None
    assert abs(total / 3 - int(said[1])) <= 0.5, "the figures on the screen add up to the score on the screen"


def test_5_who_approved_which_values_and_it_was_not_who_asked(review: Case) -> None:
    said = [sentence for _, sentence in review.ticks]
    asked = next(sentence for sentence in said if "asked for approval of" in sentence)
    gave = next(sentence for sentence in said if " approved “" in sentence)
    assert asked.split(" asked")[0] != gave.split(" approved")[0]
    screen = review.at(" approved “")
    assert re.search(r"Risk band \| High", screen)
    assert (
        said.index(asked)
        < said.index(gave)
        < next(number for number, each in enumerate(said) if "completed “Apply the decision”" in each)
    )


def test_6_how_often_a_charge_was_asked_to_be_refunded_and_how_many_calls_went_out(refund: Case) -> None:
    said = [sentence for _, sentence in refund.ticks]
    assert (
        len(
            [
                each
                for each in said
                if "asked for a call of another system (Refunds the charge at the payment provider)" in each
            ]
        )
        == 1
    )
    page = refund.page()
    amount = re.search(r"Amount \| (\S+\d) \|", page)
    assert amount is not None
    assert f"| {amount[1]} sent |" in page, "what the step says and what the result says is one sum"


def test_8_which_version_ran_and_since_when(rosa: Visitor, review: Case) -> None:
    page = words(rosa.get("/workflows/kyc-review/configuration").text)
    assert re.search(r"Version 1 \| live \| \d+ \w+ 2026", page)
    listed = words(rosa.get(f"/workflows/kyc-review/executions/{review.run.rpartition('/')[2]}").text)
    assert re.search(r"\| Version \| 1 \|", listed)


def test_9_what_was_cancelled_by_a_change_of_mind_stays_and_is_marked(review: Case) -> None:
    said = [sentence for _, sentence in review.ticks]
    revised = next(sentence for sentence in said if " revised “" in sentence)
    number = re.search(r"cancelled (\d+) attempts?", revised)
    assert number is not None
    cancelled = [re.match(r"“([^”]+)” was cancelled", each) for each in said]
    titles = [each[1] for each in cancelled if each]
    assert len(titles) == int(number[1])
    ended = f"/replay?at={review.ticks[-1][0]}"
    assert f"| {len(titles)} earlier attempt" in review.page(ended), "the phase says so before it is opened"
    page = review.page(f"{ended}&phases=all")
    for title in titles:
        assert f"{title} | , Cancelled" in page


def test_10_the_log_is_complete_so_far_and_who_was_refused_or_took_something_out(
    ada: Visitor, demo: Demo
) -> None:
    assert Visitor(demo, "stan").get("/settings/people").status == 403
    proof = words(ada.get("/activity/proof").text)
    assert re.search(r"Newest event \| Place \| [\d,]+", proof)
    assert until(lambda: "Stan Kowalski" in words(ada.get("/activity?kind=access_refused").text))
    exports = ada.get("/activity?kind=log_exported")
    assert exports.status == 200


@pytest.mark.parametrize("act", ["abort", "revise?step=start", "escalate", "leave"])
def test_a_reviewer_looks_and_changes_nothing(rosa: Visitor, review: Case, act: str) -> None:
    path, _, query = act.partition("?")
    page = rosa.get(f"{review.run}/replay").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', rosa.get("/settings/me").text)
    assert token is not None
    before = TICK.findall(page)
    answer = rosa.post(
        f"{review.run}/{path}",
        {"csrf_token": token[1], "reason": "Only looking", **dict([query.split("=")] if query else [])},
    )
    assert answer.status in (403, 404, 405, 409, 422), answer.status
    assert TICK.findall(rosa.get(f"{review.run}/replay").text) == before
