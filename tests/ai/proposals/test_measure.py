"""What became of proposals, counted: shares, groups, who may read them, and what it costs to ask."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from console import runs, workflows
from console.ai.evaluation import cases, measure
from console.ai.evaluation.cases import BECAME, Wanted
from console.ai.evaluation.measure import Window
from console.auth import access
from console.core.errors import NotAllowed, NotFound
from tests.company import Company
from tests.support.busy import month
from tests.support.call_figures import call, calls, now

WINDOW = Window(now() + timedelta(hours=1))


def test_eight_accepted_one_edited_one_rejected(company: Company) -> None:
    for _ in range(8):
        call(company, {"note": "accepted"}, seconds=12)
    call(company, {"note": "edited"})
    call(company, {"note": "cleared"})
    call(company, {"note": "accepted"}, by="tom", seconds=1, opened=0, ago=timedelta(days=40))
    told = measure.report(company.mona, WINDOW)
    total = told.total
    assert (total.asked, total.values, total.precision, total.edited, total.cleared) == (10, 10, 0.8, 1, 1)
    (version,) = told.versions
    assert version.key[1:] == ("note", 1)
    assert version.figures.whole_rate == 0.8
    assert not told.stamps
    (stamp,) = measure.report(company.mona, Window(WINDOW.until, 90)).stamps
    assert (stamp.key[2], stamp.figures.quick, stamp.figures.unopened, stamp.figures.taken) == (
        company.tom.id,
        1,
        1,
        1,
    )


def test_every_group_has_its_own_figures(company: Company) -> None:
    calls(
        company,
        3,
        {"note": "accepted", "count": ("small_edit", "low")},
        model="m1",
        prompt_version="1",
        took=10,
    )
    calls(
        company,
        2,
        {"note": "edited"},
        by="tom",
        model="m2",
        prompt_version="2",
        ago=timedelta(days=9),
        took=30,
    )
    call(company, {"note": "blind_equal", "count": "blind_different"}, mode="blind", took=50)
    call(company, {"note": "blind_equal"}, mode="shadow", took=70)
    call(company, status="failed", code="timeout", took=90, cost=None)
    call(company, {"note": "ignored"}, manual=True)
    call(company, {"note": "accepted"}, mode="auto", by="sys_engine")
    call(company, {"note": ("dropped:not_in_source")}, by=None)
    told = measure.report(company.mona, WINDOW)
    total = told.total
    assert (total.asked, total.decided, total.automatic, total.by_hand, total.shown) == (11, 9, 1, 1, 6)
    assert (total.accepted, total.small, total.edited, total.ignored, total.values) == (3, 3, 2, 1, 9)
    assert (total.equal, total.different, total.hidden, total.hidden_agreed) == (2, 1, 2, 1)
    assert (total.seconds_with, total.seconds_without) == (10, 70)
    assert (total.cost, total.whole, total.cost_each) == (Decimal("0.020"), 0, None)
    assert {group.key[0]: group.figures.asked for group in told.models} == {
        "m1": 3,
        "m2": 2,
        "claude-haiku-5-5": 6,
    }
    assert {group.key[0]: group.figures.asked for group in told.prompts} == {"1": 3, "2": 2, "7": 6}
    assert {
        group.key[0]: group.figures.edited for group in told.people if group.key[0] == company.tom.id
    } == {company.tom.id: 2}
    assert {group.key[0]: group.figures.asked for group in told.reasons} == {"timeout": 1, "chosen": 1}
    assert {(one.name, one.level): one.figures.values for one in told.fields} == {
        ("note", None): 6,
        ("note", "high"): 6,
        ("count", None): 3,
        ("count", "low"): 3,
        ("count", "high"): 0,
    }
    assert [(one.level, one.figures.values) for one in told.levels] == [("high", 6), ("low", 3)]
    assert sum(figures.asked for _, figures in measure.weeks_of(told)) == 11
    assert told.names[company.tom.id] == "Tom"


def test_confidential_runs_are_in_no_figure(company: Company) -> None:
    call(company, {"note": "accepted"}, label="sealed-matter")
    call(company, {"note": "accepted"})
    assert measure.report(company.mona, WINDOW).total.asked == 1
    assert len(cases.find_cases(company.mona, WINDOW, Wanted()).rows) == 1
    assert measure.measured(workflows.live("care-review").id, "note") == {}


def test_who_may_read(company: Company) -> None:
    call(company, {"note": "accepted"})
    for name in ("mona", "ada"):
        assert measure.may_read(company.people[name]), name
        assert measure.report(company.people[name], WINDOW).total.asked == 1, name
    for name in ("olivia", "tom", "rosa", "stan", "ines"):
        assert not measure.may_read(company.people[name]), name
        with pytest.raises(NotAllowed, match=r"workflow.assign"):
            measure.report(company.people[name], WINDOW)
        with pytest.raises(NotAllowed):
            cases.find_cases(company.people[name], WINDOW, Wanted())


def test_a_lead_of_another_team_sees_none_of_it(company: Company) -> None:
    call(company, {"note": "accepted"})
    access.assign(company.stan.id, [("procurement_lead", company.stan.teams[0])])
    assert not measure.pairs(company.stan)
    assert not measure.may_read(company.stan)
    call(company, {"note": "accepted"}, team=company.stan.teams[0])
    assert measure.report(company.mona, WINDOW).total.asked == 1


def test_one_workflow_and_one_step(company: Company) -> None:
    calls(company, 2, {"note": "accepted"})
    call(company, {"outcome": "accepted"}, step="decide")
    until = WINDOW.until
    assert measure.report(company.mona, Window(until, 30, "care-review")).total.asked == 3
    assert measure.report(company.mona, Window(until, 30, "care-review", "decide")).total.asked == 1
    assert measure.report(company.mona, Window(until, 30, "care-review", "nothing")).total.asked == 0
    with pytest.raises(NotFound):
        measure.report(company.mona, Window(until, 30, "elsewhere"))


def test_measured_needs_thirty(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "KEPT_S", 10**9)  # no minute ends while the test runs
    workflow = workflows.live("care-review").id
    calls(company, 29, {"note": "accepted"})
    assert measure.measured(workflow, "note") == {}
    call(company, {"note": "edited", "count": ("accepted", "medium")})
    measure._measured.cache_clear()
    assert measure.measured(workflow, "note") == {"note": {"high": (29, 30)}}
    call(company, {"note": "blind_equal"}, mode="blind")
    call(company, {"note": "accepted"}, by="sys_engine", mode="auto")
    assert measure.measured(workflow, "note") == {"note": {"high": (29, 30)}}  # kept for a minute
    measure._measured.cache_clear()
    assert measure.measured(workflow, "note") == {"note": {"high": (30, 31)}}


def test_the_steps_behind_a_figure(company: Company) -> None:
    month(company)
    total = measure.report(company.mona, WINDOW).total

    def many(**wanted: Any) -> int:
        count, after = 0, None
        while True:
            page = cases.find_cases(company.mona, WINDOW, Wanted(**wanted, after=after))
            count, after = count + len(page.rows), page.next
            if after is None:
                return count

    assert many() == total.asked
    assert many(became="by_hand") == total.by_hand
    assert many(became="hidden") == total.hidden
    assert many(became="quick") >= total.quick
    assert many(became="without") == total.asked - total.proposed
    assert many(became="accepted", field="note", level="low") == 0
    assert many(code="timeout") + many(code="overloaded") == 5
    assert many(person=company.tom.id) + many(person=company.olivia.id) == 60
    for name in BECAME:
        many(became=name)


def test_runs_of_records_out_of_the_readers_scope_are_in_no_figure_and_no_list(company: Company) -> None:
    about = {
        record: runs.start(company.olivia, "care-review", "customer", record, {"why": "periodic"})
        for record in ("1", "3")
    }
    for run in about.values():
        call(company, {"note": "accepted"}, run=run)
    access.grant("operator", "workflow:care-review", ["assign"], team="operations")
    for name, count in (("mona", 2), ("olivia", 2), ("tom", 1)):
        person = company.people[name]
        assert measure.report(person, WINDOW).total.asked == count, name
        listed = {case.run for case in cases.find_cases(person, WINDOW, Wanted()).rows}
        assert (about["3"] in listed) == (count == 2), name
