"""The ladder: up by a person who sees the evidence, down by itself."""

from datetime import timedelta
from typing import Any

import pytest

from console import log, workflows
from console.ai.proposals import ladder, promotion, track_record
from console.auth import access
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db.engine import fetch
from tests.company import Company
from tests.support.call_figures import MODEL, PROMPT, call, calls, now, with_ai

pytestmark = pytest.mark.lengthy

AGREED, OTHER = {"outcome": "blind_equal"}, {"outcome": "blind_different"}


def here() -> str:
    """The id of "Care review"."""
    return workflows.live("care-review").id


def mark(step: str = "decide") -> str:
    """The fingerprint of the live step under the model of the tests."""
    return ladder.fingerprint(workflows.live("care-review").document.step(step), MODEL, PROMPT)


def mode(own: str = "assist", call: str = "aic_1", step: str = "decide") -> str:
    """How the proposal of this call is used."""
    return ladder.mode_of(here(), step, mark(step), own, call=call)


def hidden(company: Company, agreed: int, other: int = 0, **told: Any) -> None:
    """So many decisions that people made without seeing the proposal."""
    version = workflows.live("care-review").number
    calls(
        company,
        agreed,
        AGREED,
        **{"step": "decide", "mode": "blind", "asked": [], "version": version, **told},
    )
    calls(
        company,
        other,
        OTHER,
        **{
            "step": "decide",
            "mode": "blind",
            "asked": [],
            "version": version,
            "ago": timedelta(minutes=1),
            **told,
        },
    )


def promoted(company: Company) -> None:
    """Mona takes "Decide" to automatic, on 125 of 125."""
    with_ai("decide")
    hidden(company, 125)
    promotion.promote(company.mona, "care-review", "decide", "auto", "Agreed 125 times")


def kinds() -> list[str]:
    """Kinds of events about the ladder, in their order."""
    return [event.type for event in log.events_of("sys:config") if event.type.startswith("ai_")]


def test_a_promoted_step_runs_by_itself_and_a_few_are_checked_for_ever(company: Company) -> None:
    promoted(company)
    modes = [mode(call=f"aic_{number}") for number in range(1000)]
    assert set(modes) == {"auto", "blind"}
    assert 7 <= modes.count("blind") <= 38
    assert modes[:100] == [mode(call=f"aic_{number}") for number in range(100)]
    assert [mode("off"), mode("shadow")] == ["off", "assist"]
    assert kinds() == ["ai_promoted"]
    (told,) = fetch("select told from console.ai_ladder")[0]
    assert (told["cases"], told["agreed"], told["bound"]) == (125, 125, "0.9702")


def test_one_in_twenty_is_hidden_once_a_step_is_known(company: Company) -> None:
    assert {mode(call=f"aic_{number}") for number in range(300)} == {"assist"}
    calls(company, ladder.SEASONED, {"outcome": "accepted"}, step="decide")
    ladder._has_enough_decisions.cache_clear()
    modes = [mode(call=f"aic_{number}") for number in range(600)]
    assert 12 <= modes.count("blind") <= 52


def test_the_gates_for_automatic(company: Company) -> None:
    with_ai("decide")
    hidden(company, 124)
    with pytest.raises(Conflict) as refused:
        promotion.promote(company.mona, "care-review", "decide", "auto", "Nearly")
    assert refused.value.code == "not_ready"
    assert [detail["field"] for detail in refused.value.details] == [
        "Steps decided without seeing the proposal",
        "The same result, with 95 % confidence",
    ]
    hidden(company, 1)
    assert promotion.promotion_state(company.mona, "care-review", "decide").ready
    hidden(company, 0, 1)
    assert not promotion.promotion_state(company.mona, "care-review", "decide").ready
    assert kinds() == []


def test_only_hidden_cases_of_this_model_prompt_and_form_count(company: Company) -> None:
    with_ai("decide")
    hidden(company, 2)
    hidden(company, 3, model="another")
    hidden(company, 4, prompt_version="8")
    hidden(company, 5, version=99)
    hidden(company, 6, label="sealed-matter")
    hidden(company, 7, submitted_at=None)
    calls(company, 8, {"outcome": "accepted"}, step="decide", version=2)
    about = track_record.under(here(), "decide", MODEL, PROMPT)
    assert about is not None
    told = track_record.gathered(about, now())
    assert (len(told.hidden), told.shown, told.accepted) == (2, 8, 8)
    assert told.coverage_before == 1.0


def test_a_version_with_the_same_step_keeps_the_evidence(company: Company) -> None:
    with_ai("decide")
    hidden(company, 3)
    document = workflows.live("care-review").document.to_json()
    document["title"] = "Care review, renamed"
    workflows.import_file(document, publish=True)
    about = track_record.under(here(), "decide", MODEL, PROMPT)
    assert about is not None
    assert about.versions == (3, 2)
    assert len(track_record.gathered(about, now()).hidden) == 3


def test_another_model_prompt_or_form_steps_back(company: Company) -> None:
    promoted(company)
    document = workflows.live("care-review").document.step("decide")
    for model, prompt in (("another", PROMPT), (MODEL, "8")):
        other = ladder.fingerprint(document, model, prompt)
        assert other != mark()
    assert (
        ladder.mode_of(
            here(), "decide", ladder.fingerprint(document, "another", PROMPT), "assist", call="aic_1"
        )
        == "assist"
    )
    assert kinds() == ["ai_promoted", "ai_stepped_back"]
    assert mode() == "assist"
    assert [one.why for one in promotion.promotion_state(company.mona, "care-review", "decide").history] == [
        "changed",
        "Agreed 125 times",
    ]


def test_too_little_agreement_steps_back(company: Company) -> None:
    promoted(company)
    hidden(company, 0, 3)
    ladder._recent.cache_clear()
    assert mode() == "assist"
    assert fetch("select by, why from console.ai_ladder order by at desc limit 1") == [(None, "agreement")]


def test_the_duty_finds_steps_that_nobody_comes_to(company: Company) -> None:
    promoted(company)
    assert ladder.look_back() == 0
    hidden(company, 0, 3)
    assert ladder.look_back() == 1
    assert ladder.look_back() == 0
    assert mode() == "assist"


def test_two_that_were_sent_back_within_a_day_step_back(company: Company) -> None:
    promoted(company)
    version = workflows.live("care-review").number
    for number in range(2):
        assert ladder.look_back() == 0
        call(
            company,
            {"outcome": "accepted"},
            step="decide",
            mode="auto",
            by="sys_engine",
            version=version,
            revised_at=now() + timedelta(minutes=number + 5),
        )
    assert ladder.look_back() == 1
    assert fetch("select why from console.ai_ladder order by at desc limit 1") == [("reverts",)]


def test_a_wrong_value_that_must_be_right_steps_back(company: Company) -> None:
    """Of a step of a kind that nobody can promote yet: what takes it back must not depend on that."""
    version = with_ai("note", trusted_only=["note"])
    calls(company, 125, {"note": "blind_equal"}, mode="blind", version=version)
    ladder.settle(company.mona, here(), "note", "auto", "For the test", mark("note"), {})
    assert ladder.look_back() == 0
    call(company, {"count": "edited"}, version=version, ago=-timedelta(minutes=5))
    assert ladder.look_back() == 0
    call(company, {"note": "edited"}, version=version, ago=-timedelta(minutes=5))
    assert ladder.look_back() == 1
    assert fetch("select why from console.ai_ladder order by at desc limit 1") == [("trusted_only",)]


def test_who_may(company: Company) -> None:
    with_ai("decide")
    hidden(company, 125)
    for name in ("ada",):
        assert not promotion.promotion_state(company.people[name], "care-review", "decide").may
        with pytest.raises(NotAllowed):
            promotion.promote(company.people[name], "care-review", "decide", "auto", "Why not")
    for name in ("olivia", "tom", "stan", "rosa", "ines"):
        with pytest.raises(NotFound):
            promotion.promotion_state(company.people[name], "care-review", "decide")
        with pytest.raises(NotFound):
            promotion.promote(company.people[name], "care-review", "decide", "auto", "Why not")
    for slug, step in (("care-review", "nothing"), ("nothing", "decide"), ("care-review", "x\x00")):
        with pytest.raises(NotFound):
            promotion.promotion_state(company.mona, slug, step)
    access.assign(company.stan.id, [("developer", "*")])
    from console.auth import accounts

    stan = accounts.actor_of_person(company.stan.id, "ses_stan")
    assert promotion.promotion_state(stan, "care-review", "decide").may
