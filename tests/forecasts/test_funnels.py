"""Funnels: those whom a workflow would let in now are followed with drawn outcomes, and nothing is written or sent."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from console import access, accounts, enrolments, workflows
from console.contacts import tags
from console.core.channel_prices import typed
from console.db.engine import fetch
from console.enrolments import Question
from console.errors import Invalid, NotAllowed, NotFound, TooMany
from console.forecasts import kept_funnels
from console.forecasts.funnel import Funnel
from console.forecasts.kept_funnels import KeptFunnel, Wanted
from console.messages import channel_settings
from console.upkeep import lost_jobs
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messages import reached

STEPS: list[dict[str, Any]] = [
    {"id": "mail", "type": "email", "config": {"subject": "Hello", "body": "Hello {{ record.name }}"}, "next": {"sent": "hear", "skipped": "text", "failed": "text", "expired": "text"}},
    {"id": "hear", "type": "wait", "config": {"event": "message.received", "timeout": "P3D"}, "next": {"event": "heard", "timeout": "text"}},
    {"id": "text", "type": "sms", "config": {"text": "Hello {{ record.name }}"}, "next": {"sent": "end", "skipped": "call", "failed": "call", "expired": "call"}},
    {"id": "call", "type": "ai_call", "config": {"script": "Hello.", "answers": ["interested"], "max_attempts": 2}, "next": {"default": "end", "interested": "heard", "skipped": "end", "failed": "end", "expired": "end"}},
    {"id": "heard", "type": "end", "title": "Heard", "config": {"label": "Heard"}, "next": {}},
]  # fmt: skip
CERTAIN = {
    "mail": {"sent": 100}, "hear": {"timeout": 100}, "text": {"sent": 100}, "call": {"no_answer": 100},
}  # fmt: skip


@pytest.fixture
def club(company: Company) -> Iterator[Company]:
    """The club, and a workflow that writes, waits, writes again and calls."""
    reached.founded(company)
    reached.workflow("reaching", [dict(step) for step in STEPS])
    with reached.clock(reached.NOON):
        yield company


def counted(company: Company, **wanted: Any) -> Funnel:
    """What came of a funnel that Mona asked for, as a worker counts it."""
    ident = kept_funnels.ask(company.mona, "reaching", Wanted("live", **wanted))
    work_until_idle()
    found = kept_funnels.get(company.mona, "reaching", ident)
    assert found.result is not None, found.why
    return found.result


def rows() -> list[int]:
    """How many runs, messages, attempts and enrolments there are."""
    return [fetch(f"select count(*) from console.{table}")[0][0] for table in ("run", "message", "attempt", "enrolment", "event")]


def test_each_contact_is_followed_with_their_consent_and_hours_and_nothing_is_left(club: Company) -> None:
    before = rows()
    told = counted(club, chances=CERTAIN)
    assert rows()[:4] == before[:4]
    assert rows()[4] == before[4], "no event either"
    by_step = {each.step: each for each in told.steps}
    assert {step: each.reached for step, each in by_step.items()} == {
        "start": 6, "mail": 6, "hear": 1, "text": 6, "call": 4, "heard": 0, "end": 6,
    }  # fmt: skip
    assert by_step["mail"].sent == 1
    assert by_step["mail"].skipped == {"There is no consent to e-mail.": 3, "There is no e-mail address.": 2}
    assert by_step["text"].sent == 2
    assert (told.walked, told.ends, told.channels) == (6, {"Done": 6}, {"email": 1, "sms": 2})
    assert list(told.days) == ["2026-11-24", "2026-11-25", "2026-11-27"] or sum(sum(day.values()) for day in told.days.values()) == 3
    assert told.most_s is not None
    assert told.most_s >= 3 * 24 * 3600, "who got the e-mail waited three days"


def test_the_same_seed_gives_the_same_picture_and_another_one_another(club: Company) -> None:
    chances = {"hear": {"message.received": 50, "timeout": 50}, "mail": {"sent": 100}, "text": {"sent": 50, "failed": 50}}
    one, same = counted(club, seed=7, chances=chances), counted(club, seed=7, chances=chances)
    assert one.to_json() | {"at": ""} == same.to_json() | {"at": ""}
    others = [counted(club, seed=seed, chances=chances).to_json()["steps"] for seed in range(8, 14)]
    assert any(steps != one.to_json()["steps"] for steps in others)


def test_a_call_is_tried_again_and_each_try_that_leaves_is_counted(club: Company) -> None:
    with closing(sqlite3.connect(club.path.with_name("club.db"))) as connection:
        connection.execute(
            "insert into consent (contact_id, channel, state, source, at) values (1, 'ai_call', 'given', 'x', '2026-04-01T10:00:00Z')"
        )
        connection.commit()
    told = counted(club, chances=CERTAIN | {"mail": {"failed": 100}, "text": {"failed": 100}})
    calls = next(each for each in told.steps if each.step == "call")
    assert told.channels.get("call", 0) == calls.sent
    assert calls.skipped


def test_spend_is_counted_by_the_prices_that_are_set_and_says_what_has_none(club: Company) -> None:
    channel_settings.save(
        club.ines, "sms", sandbox_on=True, script="", price={"price": "0.10", "currency": "EUR", "countries": "US 0.0079\nLT 0.045"}
    )
    told = counted(club, chances=CERTAIN)
    assert told.channels["sms"] == 2
    assert told.spend.unpriced == {"email": 1}
    assert told.spend.counts == {"sms": 2}
    [(currency, amount)] = told.spend.amounts.items()
    assert (currency, f"{amount:f}") in (("EUR", "0.0158"), ("EUR", "0.0529"), ("EUR", "0.1079"), ("EUR", "0.2000"), ("EUR", "0.20"))


def test_who_is_in_it_already_is_not_followed_again(club: Company) -> None:
    enrolments.batches.begin(club.olivia, "reaching", Question(keys=[reached.SAM]))
    work_until_idle()
    told = counted(club, chances=CERTAIN)
    assert (told.walked, told.inside) == (5, 1)


def test_only_whom_the_filter_of_the_trigger_takes_is_followed_and_nobody_is_said(club: Company) -> None:
    document = workflows.open_draft(club.mona, "reaching").document
    document |= {"triggers": [{"id": "tagged", "kind": "event", "on": "tag.added", "filter": 'event.tag == "lead"'}], "run_as": None}
    document.pop("run_as")
    accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    workflows.import_file(document | {"run_as": "robot@fernwick.test"}, publish=True)
    none = counted(club)
    assert (none.walked, none.notes) == (0, ["Nobody would be let in now, so there is nobody to follow."])
    tags.put(club.olivia, "contact", [reached.SAM, reached.ANA], "lead")
    told = counted(club)
    assert told.walked == 2
    assert counted(club, whom="*").walked == 6


def test_exits_take_people_out_when_they_answer(club: Company) -> None:
    document = workflows.open_draft(club.mona, "reaching").document
    exits = [{"if": 'event.on == "message.received"', "reason": "they wrote"}]
    workflows.import_file(document | {"exits": exits}, publish=True)
    told = counted(club, chances=CERTAIN | {"hear": {"message.received": 100}})
    assert {each.step: each.left for each in told.steps if each.left} == {"hear": {"they wrote": 1}} or {
        each.step: sum(each.left.values()) for each in told.steps if each.left
    } == {"heard": 1}
    assert told.ends == {"Done": 5}


@pytest.mark.parametrize("who", ["olivia", "stan", "ada"])
def test_who_may_not_edit_the_workflow_asks_for_no_funnel_and_sees_none(club: Company, who: str) -> None:
    ident = kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    with pytest.raises((NotAllowed, NotFound)):
        kept_funnels.ask(getattr(club, who), "reaching", Wanted("live"))
    with pytest.raises((NotAllowed, NotFound)):
        kept_funnels.get(getattr(club, who), "reaching", ident)
    with pytest.raises((NotAllowed, NotFound)):
        kept_funnels.stop(getattr(club, who), "reaching", ident)
    access.grant("admin", "workflow:reaching", ["see", "edit"])
    with pytest.raises(NotFound):
        kept_funnels.get(club.ines, "reaching", ident)


def test_chances_that_are_none_are_refused_by_step(club: Company) -> None:
    for chances, said in (
        ({"mail": {"sent": 60}}, "“Mail”: the shares add up to 60, not to 100."),
        ({"mail": {"lost": 100}}, "“Mail” does not end as lost."),
        ({"gone": {"sent": 100}}, "The workflow has no such step that ends by chance."),
    ):
        with pytest.raises(Invalid) as refused:
            kept_funnels.ask(club.mona, "reaching", Wanted("live", chances=chances))
        assert refused.value.details[0]["reason"] == said
    with pytest.raises(Invalid):
        kept_funnels.ask(club.mona, "reaching", Wanted("live", seed=-1))


def test_one_that_is_stopped_is_not_counted_and_few_are_waited_for_at_once(club: Company) -> None:
    first = kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    with pytest.raises(TooMany):
        kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    kept_funnels.stop(club.mona, "reaching", first)
    work_until_idle()
    found: KeptFunnel = kept_funnels.get(club.mona, "reaching", first)
    assert (found.status, found.result) == ("stopped", None)
    newest = kept_funnels.newest(club.mona, found.workflow)
    assert newest is not None
    assert newest.status == "done"


def test_prices_are_exact_and_wrong_ones_are_refused_by_box() -> None:
    price, wrong = typed({"price": "0,075", "currency": "eur", "countries": "de 0.089\n\nus 0.0079", "minutes": ""})
    assert wrong == []
    assert price is not None
    assert (f"{price.cost('sms', parts=2, country='DE')}", f"{price.cost('sms')}") == ("0.178", "0.075")
    assert f"{price.cost('call', outcome='answered')}" == "0.150"
    assert not price.cost("call", outcome="busy")
    for entered, box in (
        ({"price": "cheap", "currency": "EUR"}, "price"),
        ({"price": "-1", "currency": "EUR"}, "price"),
        ({"price": "NaN", "currency": "EUR"}, "price"),
        ({"price": "1", "currency": "EURO"}, "currency"),
        ({"price": "1", "currency": "EUR", "countries": "Germany 2"}, "countries"),
        ({"price": "", "countries": "DE 2"}, "price"),
        ({"price": "1", "currency": "EUR", "minutes": "0"}, "minutes"),
    ):
        none, wrong = typed(entered)
        assert none is None
        assert [each["field"] for each in wrong] == [box]
    assert typed({"price": " "}) == (None, [])


def test_one_whose_job_is_gone_as_after_a_restore_is_counted_all_the_same(club: Company) -> None:
    ident = kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    fetch("delete from queue.pgqueuer returning 1")
    fetch("update console.funnel set created_at = now(), expires_at = now() + interval '1 day' returning 1")
    assert lost_jobs.put_in_again() == 0, "it may be on its way"
    fetch("update console.funnel set created_at = now() - interval '2 minutes' returning 1")
    assert lost_jobs.put_in_again() == 1
    work_until_idle()
    assert kept_funnels.get(club.mona, "reaching", ident).status == "done"


def test_one_whose_job_was_given_up_says_so_and_takes_nobody_s_place(club: Company) -> None:
    ident = kept_funnels.ask(club.mona, "reaching", Wanted("live"))
    fetch("update queue.pgqueuer set status = 'failed' returning 1")
    fetch("update console.funnel set created_at = now() - interval '2 minutes', expires_at = now() + interval '1 day' returning 1")
    kept_funnels.sweep()
    found = kept_funnels.get(club.mona, "reaching", ident)
    assert (found.status, found.why) == ("failed", kept_funnels.GIVEN_UP)
