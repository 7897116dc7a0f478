"""What is kept of a call: prompt and answer sealed, answers for a day, budgets, and which provider is left alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.ai.proposals import budget, cache, prompts, provider_breaker
from console.ai.proposals.budget import Over
from console.ai.proposals.settings_document import Budget, Limit, Period
from console.ai.providers import anthropic
from console.core.actor import Actor
from console.core.proposal_types import Raw
from console.infra import subjects
from console.infra.db.engine import fetch
from console.operations import erasure, retention
from tests.company import Company

RAW = Raw('{"decision": "propose"}', "complete", "claude-haiku-5-5", "json_schema", 900, 0, 80, "req_1")
CONFIG = anthropic.Config("claude-haiku-5-5", "sk-1")


def call(number: int, run: str = "run_a", **more: object) -> str:
    """A row of a call that was asked for."""
    told = {
        "id": f"aic_{number}",
        "at": datetime.now(UTC),
        "run": run,
        "purpose": "propose",
        "mode": "assist",
        "status": "pending",
        **more,
    }
    columns, values = ", ".join(told), ", ".join(["%s"] * len(told))
    fetch(f"insert into console.ai_call ({columns}) values ({values}) returning 1", list(told.values()))
    return f"aic_{number}"


def test_a_prompt_is_read_again_and_lies_sealed(asking_company: Company) -> None:
    subject = subjects.subject_of("customer", "1")
    prompts.keep("aic_1", subject, {"user": "Adaeze"})
    prompts.keep("aic_1", subject, {"user": "Adaeze", "answer": "yes"})
    assert prompts.read("aic_1") == {"user": "Adaeze", "answer": "yes"}
    assert prompts.read("aic_2") is None
    ((row,),) = fetch("select to_jsonb(p)::text from console.ai_prompt p")
    assert "Adaeze" not in row


def test_what_is_kept_of_a_person_goes_with_them(asking_company: Company) -> None:
    subject, other = subjects.subject_of("customer", "1"), subjects.subject_of("customer", "2")
    for number, whose in ((1, subject), (2, other)):
        prompts.keep(f"aic_{number}", whose, {"user": "x"})
        fetch(*cache.keeping(f"key{number}", f"aic_{number}", whose, RAW))
    erasure.erase(asking_company.ines, "customer", "1", "She asked us to.")
    assert (prompts.read("aic_1"), prompts.read("aic_2")) == (None, {"user": "x"})
    assert (cache.find("key1", subject), cache.find("key2", other)) == (None, RAW)
    assert fetch("select count(*) from console.ai_prompt where subject = %s", (subject,)) == [(0,)]


def test_what_a_crash_left_of_somebody_erased_is_not_readable(asking_company: Company) -> None:
    subject = subjects.subject_of("customer", "1")
    prompts.keep("aic_1", subject, {"user": "x"})
    fetch(*cache.keeping("key", "aic_1", subject, RAW))
    fetch("delete from console.subject where id = %s returning 1", (subject,))
    subjects.forget(subject)
    assert prompts.read("aic_1") is None
    assert cache.find("key", subject) is None


def test_prompts_go_after_their_time_and_the_call_stays(asking_company: Company) -> None:
    subject = subjects.subject_of("customer", "1")
    for number, days in ((1, 31), (2, 29)):
        prompts.keep(call(number), subject, {"user": "x"})
        fetch(
            "update console.ai_prompt set at = now() - make_interval(days => %s) where call = %s returning 1",
            (days, f"aic_{number}"),
        )
    retention.expire()
    assert (prompts.read("aic_1"), prompts.read("aic_2")) == (None, {"user": "x"})
    assert fetch("select count(*) from console.ai_call") == [(2,)]


def test_prompts_about_somebody_under_a_hold_stay(asking_company: Company) -> None:
    subject = subjects.subject_of("customer", "1")
    prompts.keep("aic_1", subject, {"user": "x"})
    fetch("update console.ai_prompt set at = now() - interval '99 days' returning 1")
    erasure.hold(asking_company.ines, "customer", "1", "A court asks for it.")
    retention.expire()
    assert prompts.read("aic_1") == {"user": "x"}


def test_an_answer_is_found_for_a_day_by_the_same_question_about_the_same_person(
    asking_company: Company,
) -> None:
    subject, other = subjects.subject_of("customer", "1"), subjects.subject_of("customer", "2")
    key = cache.key_of(subject, "system", "user", {"a": 1, "b": 2}, "settings")
    assert key == cache.key_of(subject, "system", "user", {"b": 2, "a": 1}, "settings")
    others = [
        (other, "system", "user", "settings"),
        (subject, "x", "user", "settings"),
        (subject, "system", "x", "settings"),
        (subject, "system", "user", "x"),
    ]
    assert key not in {
        cache.key_of(who, system, user, {"a": 1, "b": 2}, given) for who, system, user, given in others
    }
    assert key != cache.key_of(subject, "system", "user", {"a": 1}, "settings")
    fetch(*cache.keeping(key, "aic_1", subject, RAW))
    fetch(*cache.keeping(key, "aic_2", subject, replace(RAW, text="newer")))
    assert cache.find(key, subject) == replace(RAW, text="newer")
    assert cache.find(key, other) is None
    assert "propose" not in str(fetch("select to_jsonb(c)::text from console.ai_cache c"))
    fetch("update console.ai_cache set at = now() - interval '25 hours' returning 1")
    assert cache.find(key, subject) is None
    assert cache.expire() == 1


PERSON = Actor("user", "usr_a", teams=("tea_1", "tea_2"), roles=frozenset({("operator", "tea_1")}))


def limited(*limits: tuple[str, Period, dict[str, Any]], **run: Any) -> Budget:
    """A budget with limits (for whom, period, how much), and without one for a run."""
    made = [Limit(who=who, period=period, **most) for who, period, most in limits]
    return Budget(**{"run_calls": 99, "run_money": None, "limits": made, **run})


LIMITS = [
    (limited(run_calls=2), 2, Over()),
    (limited(run_calls=3), 2, None),
    (limited(run_calls=0), 0, Over()),
    (limited(run_tokens=200), 2, Over()),
    (limited(run_tokens=201), 2, None),
    (limited(run_money=Decimal("0.04")), 2, Over()),
    (limited(run_money=Decimal("0.05")), 2, None),
    (limited(), 2, None),
    (limited(("all", "day", {"calls": 2})), 2, Over("day", shared=True)),
    (limited(("all", "month", {"money": Decimal("0.04")})), 2, Over("month", shared=True)),
    (limited(("each", "week", {"tokens": 200})), 2, Over("week")),
    (limited(("each", "day", {"calls": 2}), ("role:operator", "day", {"calls": 3})), 2, None),
    (limited(("role:operator", "day", {"calls": 9}), ("team:tea_1", "day", {"calls": 2})), 2, Over("day")),
    (limited(("team:tea_1", "day", {"calls": 2}), ("team:tea_2", "day", {"calls": 3})), 2, None),
    (limited(("team:tea_1", "day", {"calls": 2}), ("team:tea_2", "day", {"tokens": 900})), 2, None),
    (limited(("team:tea_1", "day", {"calls": 9}), ("person:usr_a", "day", {"calls": 2})), 2, Over("day")),
    (limited(("person:usr_b", "day", {"calls": 0}), ("role:lead", "day", {"calls": 0})), 2, None),
    (limited(("person:usr_a", "week", {"calls": 9}), ("each", "day", {"calls": 2})), 2, Over("day")),
    (
        limited(("person:usr_a", "day", {"calls": 9}), ("all", "day", {"calls": 2})),
        2,
        Over("day", shared=True),
    ),
]


@pytest.mark.parametrize(("limits", "before", "over"), LIMITS)
def test_a_call_needs_room_in_every_budget(
    asking_company: Company, limits: Budget, before: int, over: Over | None
) -> None:
    for number in range(before):
        call(number, person="usr_a", cost=Decimal("0.01"), ms=100, input_tokens=90, output_tokens=10)
    assert budget.reserve(call(99), "run_a", limits, (Decimal("0.03"), 60), PERSON)[0] == over
    assert fetch("select reserved from console.ai_call where id = 'aic_99'") == [
        (None if over else Decimal("0.03"),)
    ]


def test_what_counts_for_a_budget(asking_company: Company) -> None:
    one = limited(("all", "day", {"calls": 1}), run_calls=1)

    def over(call_id: str, run: str = "run_a", limits: Budget = one) -> Over | None:
        return budget.reserve(call_id, run, limits, (Decimal(0), 60), PERSON)[0]

    call(1, "run_b", ms=100)
    assert over(call(2)) == Over("day", shared=True), "another run's call counts for the day only"
    fetch("update console.ai_call set at = now() - interval '2 days' returning 1")
    assert over(call(3)) is None, "yesterday's are over"
    assert over("aic_3") is None, "the call itself does not count"
    assert over(call(4)) == Over(), "what is held counts"
    fetch("update console.ai_call set reserved = null where id = 'aic_3' returning 1")
    assert over("aic_4") is None, "nobody was asked after all"
    call(20, "run_c", person="usr_b", ms=100)
    assert over(call(21, "run_d"), "run_d", limited(("each", "day", {"calls": 1}))) is None, (
        "of others nothing counts"
    )
    ways: list[dict[str, Any]] = [{"from_cache": True, "ms": 0}, {"status": "off"}]
    for number, free in enumerate(ways, 5):
        run = f"run_{number}"
        call(number, run, **free)
        assert over(call(number + 10, run), run, limited(run_calls=1)) is None


@pytest.mark.parametrize("most", [{"calls": 5}, {"tokens": 290}, {"money": Decimal("0.15")}])
def test_many_at_once_find_no_more_room_than_one_after_the_other(
    asking_company: Company, most: dict[str, Any]
) -> None:
    """In each measure: also while none of them was answered yet, so that nobody knows what it took."""
    calls = [call(number, f"run_{number}", person="usr_a") for number in range(12)]
    limits = limited(("each", "day", most))

    def ask(number: int) -> Over | None:
        return budget.reserve(calls[number], f"run_{number}", limits, (Decimal("0.03"), 60), PERSON)[0]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(12)))
    assert answers.count(None) == 5


def test_the_limits_of_a_day_of_earlier_versions_are_read() -> None:
    earlier = Budget.model_validate({"run_calls": 7, "day_calls": None, "day_money": "3"})
    assert earlier == Budget(run_calls=7, limits=(Limit(who="all", period="day", money=Decimal(3)),))


def test_a_provider_that_fails_again_and_again_is_left_alone_by_every_process(
    asking_company: Company,
) -> None:
    assert provider_breaker.may_ask(CONFIG)
    opened = [provider_breaker.failed(CONFIG, "overloaded") for _ in range(5)]
    assert opened == [False] * 4 + [True]
    assert not provider_breaker.may_ask(CONFIG)
    assert provider_breaker.may_ask(replace(CONFIG, model="claude-sonnet-5-5")), (
        "another model is another matter"
    )
    assert provider_breaker.may_ask(replace(CONFIG, api_key="sk-2")), "with other settings it is worth a try"
