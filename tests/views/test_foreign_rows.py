"""What a run read from records out of a reader's scope is told to them by no address, nor what was made of it; what is in scope stays."""

import json
import re
from collections.abc import Iterator

import pytest

from console import log, runs, steps, workflows
from console.activity import event_list, exports, sequencing
from console.auth import access
from console.infra.db.engine import fetch
from console.log.event_lists import LogFilter
from console.steps.base import StepType
from console.work import notices, tasks
from tests.company import Company
from tests.conftest import Companies, web_app
from tests.runs.views.test_lists import counted
from tests.support import acting, foreign_rows
from tests.support.foreign_rows import IBAN, KEY, MAIL, MARK, SUM
from tests.views.conftest import Pages
from tests.views.test_masked_everywhere import Reader, of_run, said

pytestmark = pytest.mark.lengthy

HERS = ["LT459999900012345678", "LT459999900012345679"]
SECRETS = re.compile(
    "|".join([*map(re.escape, (MARK, MAIL, SUM, IBAN)), rf"(?<![0-9a-f]){KEY}(?![0-9a-f])"]), re.IGNORECASE
)
"""A hash may hold the digits of the key by chance."""


def test_no_address_tells_of_records_out_of_scope(company: Company) -> None:
    foreign_rows.furnish(company)
    app = web_app()
    tom, olivia = Reader(company, app, "tom"), Reader(company, app, "olivia")
    wrong: list[tuple[str, ...]] = []
    places: set[str] = set()
    run = ""
    for run in foreign_rows.walk(company):
        here = company.told(run, "olivia")["current"]
        places.add((here or {}).get("step", "end"))
        some = [
            f"/api/v1/runs/{run}",
            f"/runs/{run}",
            *(("/inbox/desk",) if here and here["step"] in ("hand", "ask") else ()),
        ]
        wrong += [leak for address in some for leak in tom.leaks(address, SECRETS)]
        if here and here["step"] in ("decide", "each"):
            assert olivia.leaks(f"/api/v1/runs/{run}", SECRETS), here["step"]
    assert places == {
        "load",
        "own",
        "say",
        "change",
        "think",
        "decide",
        "each",
        "entries",
        "act",
        "find",
        "hand",
        "ask",
        "end",
    }
    told = company.told(run, "olivia")
    every = of_run(run, told["last_event"])
    every += [f"/notices/{one.id}" for one in notices.notices_of(company.people["tom"])]
    every += [f"/tasks/{one.id}" for one in tasks.tasks_of(company.people["tom"])]
    every += [f"/api/v1/runs/{run}/replay?at={at}" for at in range(1, told["last_event"] + 1, 6)]
    every += [
        f"/api/v1/runs/{run}/case-file",
        f"/runs/{run}/case-file",
        "/notices",
        "/tasks",
        "/my-work",
        "/approvals",
        "/c/customer/1?tab=activity",
    ]
    every += ["/api/v1/runs", "/runs", "/api/v1/inboxes/desk/tickets"]
    wrong += [leak for address in every for leak in tom.leaks(address, SECRETS)]
    assert not wrong, "\n".join(" ".join(leak) for leak in wrong)
    made = {step for step, output in told["context"].items() if SECRETS.search(str(output))}
    assert made >= {"load", "change", "each", "entries", "find", "tell", "todo", "out"}


def test_the_walk_has_every_step_type_that_reads_records() -> None:
    reading = {
        name
        for name, kind in steps.all_types().items()
        if {"related", "items"} & kind.Config.model_fields.keys() or type(kind).acts is not StepType.acts
    }
    assert reading == {"get_data", "update_data", "decision", "llm", "load_related", "loop", "trigger_action"}
    assert reading <= {step["type"] for step in foreign_rows.STEPS}


@pytest.fixture(scope="module")
def walked(companies: Companies) -> str:
    with companies.furnished("foreign_rows") as company:
        foreign_rows.furnish(company)
        return next(
            run
            for run in foreign_rows.walk(company)
            if (company.told(run, "olivia")["current"] or {}).get("step") == "own"
        )


@pytest.fixture
def lent(companies: Companies, walked: str) -> Iterator[Company]:
    with companies.lent("foreign_rows") as company:
        yield company


def test_the_runs_own_record_and_what_is_in_scope_stay(lent: Company, walked: str) -> None:
    told = lent.told(walked, "tom")["context"]["load"]
    assert (told["record"]["email"], told["hers"][0]["iban"]) == (
        "adaeze@customers.example",
        "LT459999900012345678",
    )
    assert (told["others"], told["both"], told["most"]) == (None, None, None)
    lent.sql("update customer set desk = 'retail' where id = ?", KEY)
    assert lent.told(walked, "tom")["context"]["load"]["others"][0]["email"] == MAIL


def test_what_a_run_from_before_has_read_is_masked_for_scopes_with_a_limit_alone(
    lent: Company, walked: str
) -> None:
    lent.sql("update customer set desk = 'retail' where id = ?", KEY)
    fetch("delete from console.run_read where run = %s returning 1", (walked,))
    assert lent.told(walked, "tom")["context"]["load"]["others"] is None
    assert lent.told(walked, "mona")["context"]["load"]["others"][0]["email"] == MAIL


def test_the_rows_that_a_run_names_are_made_again_from_the_log(lent: Company, walked: str) -> None:
    assert not list(runs.rebuild(walked, check=True))
    named = fetch("select place, key from console.run_read where run = %s order by 1, 2", (walked,))
    assert ("customer@load.others", KEY) in named
    fetch("delete from console.run_read where run = %s returning 1", (walked,))
    assert {each.table for each in runs.rebuild(walked)} == {"run_read"}
    assert fetch("select place, key from console.run_read where run = %s order by 1, 2", (walked,)) == named


def test_no_export_tells_of_rows_out_of_scope_and_a_whole_one_names_them(lent: Company, walked: str) -> None:
    for role in ("operator", "operations_lead"):
        access.grant(role, "activity", ("read", "export"))

    def exported(name: str, form: str) -> str:
        asked = exports.ExportQuery(LogFilter(run=walked), form, proofs=form == "zip")
        return said(
            b"".join(exports.begin(lent.people[name], asked, ready=sequencing.sequence_and_sign).parts())
        )

    for form in exports.FORMS:
        assert not SECRETS.search(exported("tom", form)), form
    assert MAIL in exported("mona", "csv")


def test_a_table_that_was_shown_keeps_the_rows_in_scope_and_says_that_there_are_more(
    lent: Company, walked: str
) -> None:
    at = next(event.n for event in log.events_of(walked) if event.type == "step_shown")
    screen = runs.replay(lent.tom, walked, at).make_run().screen or {}
    tables = {
        table["name"]: ([row["key"] for row in table["rows"]], table.get("closed", False))
        for table in screen["tables"]
    }
    assert tables == {
        "record": (["1"], False),
        "others": ([], True),
        "both": (["2"], True),
        "hers": (HERS, False),
        "figures.totals": ([], True),
    }
    whole = runs.replay(lent.mona, walked, at).make_run().screen or {}
    assert {table["name"]: [row["key"] for row in table["rows"]] for table in whole["tables"]}["both"] == [
        "2",
        KEY,
    ]
    page = Pages(lent, web_app()).tom.get(f"/runs/{walked}/replay?at={at}")
    assert "You may not see all of these." in page.text
    assert "There are none." not in page.text


def test_a_deleted_row_does_not_hide_the_work_from_its_holder(lent: Company, walked: str) -> None:
    lent.sql("delete from account where customer_id = ?", KEY)
    lent.sql("delete from customer where id = ?", KEY)
    assert lent.told(walked, "olivia")["holder"] == lent.olivia.id
    assert lent.told(walked, "olivia")["context"]["load"]["others"][0]["email"] == MAIL
    assert lent.told(walked, "tom")["context"]["load"]["others"] is None


def test_why_an_automatic_step_failed_tells_nothing_of_rows_out_of_scope(lent: Company) -> None:
    refused = {
        "id": "customer.refuse",
        "require": [
            {"if": "record.desk == 'retail'", "message": "{{ record.display_name }} is no retail customer."}
        ],
    }
    acting.imported(foreign_rows.ACTION | refused)
    act = {"action": "customer.refuse", "record": f"'{KEY}'", "values": {"risk": "'low'"}}
    steps_of = [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "act"}},
        {
            "id": "act",
            "type": "trigger_action",
            "title": "Act",
            "config": act,
            "completion": "automatic",
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}},
    ]
    workflows.import_file(
        foreign_rows.DOCUMENT | {"slug": "failing", "title": "Failing", "steps": steps_of}, publish=True
    )
    run = runs.start(lent.olivia, "failing", "customer", "1", {})
    failed = next(event for event in log.events_of(run) if event.type == "step_failed")
    assert MARK in failed.sealed["message"]
    for told, name in ((True, "mona"), (False, "tom")):
        events = json.dumps(runs.events(lent.people[name], run, limit=100)[0], default=str)
        assert bool(SECRETS.search(events)) is told, (
            name,
            [events[max(0, m.start() - 150) : m.end() + 60] for m in SECRETS.finditer(events)],
        )
        assert bool(SECRETS.search(json.dumps(lent.told(run, name), default=str))) is told, name


def test_a_page_asks_once_for_what_its_runs_have_read_and_once_for_each_collection(
    lent: Company, walked: str
) -> None:
    for role in ("operator", "operations_lead"):
        access.grant(role, "activity", ("read",))
    others = [runs.start(lent.olivia, "beside", "customer", record, {}) for record in ("2", "4")]
    sequencing.catch_up()
    for looks in (
        lambda who: runs.get(who, walked),
        lambda who: runs.replay(who, walked),
        lambda who: runs.events(who, walked, limit=200),
        lambda who: event_list.page(who, LogFilter(collection="customer"), 50),
    ):
        for name, most in (("tom", 1), ("mona", 0)):
            with counted() as (own, theirs):
                looks(lent.people[name])
            assert len([each for each in own if "run_read" in each]) == most, name
            assert len(theirs) <= 8, theirs
    assert len(others) == 2
