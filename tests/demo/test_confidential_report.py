"""Scenario k11: what is reported in confidence leaves no trace for anybody but the reporting officer, in whatever list, page, count, search, log or refusal."""

import difflib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console import activity, runs, workflows
from console.activity import exports, sequencing
from console.auth import access
from console.core.errors import NotFound
from console.demo import filling
from console.demo.world import World
from console.infra import settings
from console.infra.db.engine import fetch
from console.infra.postgres import Embedded
from console.log.event_lists import LogFilter
from console.log.verify import main as verify
from console.operations import erasure
from console.records import catalogue
from console.work import approvals, notices
from tests.conftest import copied
from tests.demo.confiding import FILED, LISTS, OUTSIDE, TORE, House, answered, filed, managed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(pg: Embedded, template: str, world: World, suite_folder: Path) -> Iterator[House]:
    with pytest.MonkeyPatch.context() as patch, copied(pg, "report_house", suite_folder):
        patch.setenv("CONSOLE_DEMO", "on")
        settings.current.cache_clear()
        pg.drop_database("report_core")
        url = pg.create_database("report_core", "fernwick")
        filling.fill_postgresql(url, world.core, lambda: None)
        yield filed(url)
    pg.drop_database("report_core")


def needles(house: House) -> tuple[str, ...]:
    case = fetch("select record from console.run where id = %s", (house.run,))[0][0]
    return (house.run, house.receipt, "Needle-", f"Case {case}", f"sar_case/{case}")


def test_the_officer_sees_it_and_works_it_to_its_end(house: House) -> None:
    malik = house.people["malik"]
    told = runs.get(malik, house.run).json
    assert (told["status"], told["holder"], told["collection"], told["current"]["step"]) == (
        "saved",
        None,
        "sar_case",
        "assess",
    )
    assert "Needle-in-a-narrative" in house.get("malik", f"/runs/{house.run}").text
    assert house.receipt in house.get("malik", f"/runs/{house.run}").text
    assert [head.id for head in runs.to_continue(malik)] == [house.run]
    assert notices.unread(malik) == 1
    assert "A report was filed" in house.get("malik", "/notices").text
    assert house.run in str(house.get("malik", "/api/v1/runs").json)


@pytest.mark.parametrize("who", OUTSIDE)
def test_every_list_answers_what_it_answered_before(house: House, who: str) -> None:
    for path in LISTS:
        assert answered(house.get(who, path)) == house.before[who, path], path


def test_who_manages_people_teams_and_sources_is_told_what_was_told_before(house: House) -> None:
    """While the officer has the case in hand, and a call to a model was made for it."""
    malik = house.people["malik"]
    runs.resume(malik, house.run, revision=None)
    fetch(
        "insert into console.ai_call (id, at, run, workflow, team, label, purpose, mode, status, cost, deadline_at) select 'aic_hidden', now(), r.id, r.workflow,"
        " r.team, r.label, 'propose', 'assist', 'ok', 1, now() from console.run r where r.id = %s returning id",
        (house.run,),
    )
    try:
        after = managed(house)
        for place, told in after.items():
            was = house.before["ines", place]
            assert told == was, (
                place,
                *difflib.unified_diff(str(was).split("\\n"), str(told).split("\\n"), n=0, lineterm=""),
            )
        assert not [
            needle
            for needle in ("sar_case", "uspicion")
            if needle in str(after["archive"]) + str(after["remove"])
        ]
    finally:
        fetch("delete from console.ai_call where id = 'aic_hidden' returning id")
        runs.save(malik, house.run, revision=None)


@pytest.mark.parametrize("who", OUTSIDE)
def test_no_page_and_no_call_has_a_trace(house: House, who: str) -> None:
    values = {
        "collection": "customer",
        "part": TORE,
        "key": TORE,
        "record": TORE,
        "run_id": house.run,
        "run": house.run,
        "slug": "suspicion-report",
        "name": "display_name",
        "relation": "sar_case",
        "workflow": "suspicion-report",
        "inbox_id": "desk",
    }
    looked = 0
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(
            ("/static", "/sign", "/auth", "/metrics")
        ):
            continue
        path = re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", lambda found: values.get(found[2], "1"), rule.rule)
        answer = house.get(who, path)
        looked += 1
        assert answer.status_code < 500 or (path, answer.status_code) == ("/health", 503), (
            path
        )  # 503: no worker goes here
        for needle in needles(house):
            if needle not in path:
                assert needle not in answer.text, (path, needle)
        if (house.run in path and answer.status_code != 400) or rule.rule.startswith("/workflows/<"):
            assert answer.status_code == 404, path
    assert looked > 50


@pytest.mark.parametrize("who", OUTSIDE)
@pytest.mark.parametrize("path", ["/runs/{}", "/api/v1/runs/{}/events"])
def test_it_is_refused_in_the_words_and_with_the_questions_of_what_is_missing(
    house: House, who: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    execute = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        if "console.version" not in str(query) and "console.sign_in" not in str(
            query
        ):  # looked at once a second, whatever is asked
            asked.append(str(query))
        return execute(self, query, *given, **more)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    missing = "run_01m7x41xbse66b31rfxaa3jrqz"
    told = []
    for run_id in (missing, house.run, missing, house.run):
        asked.clear()
        answer = house.get(who, path.format(run_id))
        told.append(
            (
                answer.status_code,
                re.sub(r"req_\w+|[0-9a-f]{8}-[-0-9a-f]{27,}", "", answer.text).replace(run_id, ""),
                list(asked),
            )
        )
    assert told[2] == told[3]
    assert told[2][0] == 404


def test_commands_find_no_run(house: House) -> None:
    for who in OUTSIDE:
        actor = house.people[who]
        for command in (
            lambda: runs.resume(actor, house.run, revision=None),  # noqa: B023
            lambda: runs.take_over(actor, house.run, revision=None),  # noqa: B023
            lambda: runs.cancel(actor, house.run, revision=None, reason="x"),  # noqa: B023
            lambda: runs.assign(actor, house.run, revision=None, user=house.people["tom"].id),  # noqa: B023
            lambda: runs.start(actor, "suspicion-report", "sar_case", "1"),  # noqa: B023
        ):
            with pytest.raises(NotFound):
                command()


WRITING = {
    "revision": 1,
    "reason": "x",
    "step": "start",
    "values": {},
    "user": "usr_x",
    "inbox": "desk",
    "effect": "eff_x",
    "done": True,
    "from": "start",
}


@pytest.mark.parametrize("who", OUTSIDE)
def test_every_writing_call_on_it_answers_as_on_what_is_not_there(house: House, who: str) -> None:
    """Also where the body is wrong: nobody finds out by a 409 or a 422 that there is such a run."""
    missing, asked = "run_01m7x41xbse66b31rfxaa3jrqz", 0
    for rule in sorted(house.app.url_map.iter_rules(), key=str):
        for method in sorted((rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}):
            if "<run_id>" not in rule.rule:
                continue
            told = []
            for run_id in (missing, house.run):
                path = re.sub(r"<(?:\w+:)?\w+>", "unknown", rule.rule.replace("<run_id>", run_id))
                sent = (
                    {"json": WRITING}
                    if path.startswith("/api/")
                    else {"data": {name: str(value) for name, value in WRITING.items()}}
                )
                answer = house.get(who, path, method, **sent)
                text = re.sub(r"req_\w+|[0-9a-f]{8}-[-0-9a-f]{27,}|csrf_token[^>]*", "", answer.text).replace(
                    run_id, ""
                )
                told.append((answer.status_code, text))
            assert told[0] == told[1], (method, rule.rule)
            asked += 1
    assert asked > 40
    assert house.run in str(fetch("select id from console.run where label is not null"))


def test_the_figures_for_monitors_count_nothing_of_it(house: House) -> None:
    """`/metrics` is read by who has no clearance: a run more or less that moves, waits or hangs would tell."""
    was = fetch("select status from console.run where id = %s", (house.run,))[0][0]
    told = {}
    try:
        for status in ("running", "waiting_time", "saved"):
            fetch("update console.run set status = %s where id = %s returning id", (status, house.run))
            text = house.app.test_client().get("/metrics").text
            told[status] = {
                line for line in text.splitlines() if line.startswith(("handrail_runs", "handrail_timer"))
            }
            assert not [needle for needle in needles(house) if needle in text]
    finally:
        fetch("update console.run set status = %s where id = %s returning id", (was, house.run))
    assert told["running"] == told["waiting_time"] == told["saved"] != set()


def test_the_process_says_nothing_of_it_aloud(
    house: House, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the officer and those outside do leaves no word of it in the log of the process, which whoever runs the machine reads."""
    with caplog.at_level("DEBUG"):
        for who in (*OUTSIDE, "malik"):
            for path in ("/runs/{}", "/runs/{}/replay", "/api/v1/runs/{}", "/api/v1/runs/{}/case-file"):
                house.get(who, path.format(house.run))
            house.get(
                who,
                f"/api/v1/runs/{house.run}/abort",
                "POST",
                json={"revision": 999, "reason": "Needle-reason"},
            )
    out, err = capfd.readouterr()
    spoken = caplog.text + out + err
    assert not [needle for needle in needles(house) if needle in spoken and needle != house.run]
    assert "Needle-reason" not in spoken


def test_the_log_has_nothing_of_it_for_those_outside_and_proves_itself_all_the_same(
    house: House, tmp_path: Path
) -> None:
    for who in ("ada", "ines"):
        page = activity.page(house.people[who], LogFilter(), 100)
        assert [
            row.json for row in page.rows if any(needle in str(row.json) for needle in needles(house))
        ] == []
    on_customer = activity.on_record(house.people["mona"], "customer", TORE, limit=100, everything=True)
    assert [
        row.json for row in on_customer.rows if any(needle in str(row.json) for needle in needles(house))
    ] == []
    archive = _export(house, "ada")
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        text = files.read("events.jsonl") + files.read("values.jsonl")
    assert [
        line for line in text.splitlines() if any(needle.encode() in line for needle in needles(house))
    ] == []
    (tmp_path / "export.zip").write_bytes(archive)
    assert verify([str(tmp_path / "export.zip")]) == 0
    for who in ("ada", "ines"):
        assert not activity.page(house.people[who], LogFilter(run=house.run), 100).rows
        assert not activity.page(house.people[who], LogFilter(collection="sar_case"), 100).rows


def _export(house: House, who: str) -> bytes:
    made = exports.begin(
        house.people[who], exports.ExportQuery(proofs=True), ready=sequencing.sequence_and_sign
    )
    return b"".join(made.parts())


def test_nobody_is_told_and_nothing_is_counted(house: House) -> None:
    for who in OUTSIDE:
        actor = house.people[who]
        assert (notices.unread(actor), notices.notices_of(actor)) == (0, [])
        assert (runs.held_by(actor), runs.to_continue(actor), runs.live_counts(actor)) == ([], [], {})
        assert runs.live_on(actor, "customer", [TORE]) == {}
        assert runs.live_on(actor, "sar_case", ["1", "15"]) == {}
        assert approvals.waiting(actor) == 0
        assert "suspicion-report" not in {
            known.slug
            for known in workflows.all_known()
            if access.can(actor, None, f"workflow:{known.slug}", "see")
        }
    text = house.get("ines", "/operations").text
    assert house.run not in text
    with pytest.raises(NotFound):
        erasure.preview(house.people["ines"], "sar_case", "1")


def test_a_report_whose_process_failed_after_its_record_was_made_is_not_filed_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell from the repeat alone: it says so, and writes nothing."""
    body = {"workflow": "suspicion-report", "collection": "customer", "record": TORE, "input": FILED}
    told = {"Authorization": f"Bearer {house.keys['tom']}", "X-Idempotency-Key": "filed-and-failed"}
    made = "select count(*) from fiu.sar_case"
    with catalogue.engine_of(catalogue.collection("sar_case")).connect() as core:
        before = core.exec_driver_sql(made).scalar_one()
        with monkeypatch.context() as patch:
            patch.setenv("HANDRAIL_FAULT", "reporting.filed.before=raise")
            assert house.app.test_client().post("/api/v1/reports", headers=told, json=body).status_code == 500
        for _ in range(2):
            again = house.app.test_client().post("/api/v1/reports", headers=told, json=body)
            assert (again.status_code, (again.json or {})["code"]) == (409, "write_unknown")
        core.rollback()
        assert core.exec_driver_sql(made).scalar_one() == before + 1
