"""Values past their time go, by category, and the log accounts for each; what is live, held or not meant stays."""

import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from console import activity, browse, log, runs, workflows
from console.activity import exports, sequencing
from console.auth import accounts
from console.automation import enrolments
from console.commands.hold import hold as hold_commands
from console.commands.retention import retention as retention_command
from console.commands.verify import verify
from console.core.actor import Actor
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound
from console.infra import jobs, settings
from console.infra.db import dump, engine, fetch
from console.log.event_lists import LogFilter
from console.operations import erasure, retention
from console.operations.retention import Due
from tests.company import Company
from tests.jobs import work_until_idle
from tests.operations.test_erasure import TEXTS, everything, put_back
from tests.support.engine import step

pytestmark = pytest.mark.lengthy

CLI = Actor("system", "sys_cli", "Command line", session="sys:config")
YEARS = datetime.now(UTC) + timedelta(days=4000)
Keep = Callable[..., None]


@pytest.fixture(name="keep")
def fixture_keep(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keep]:
    """Set limits: `keep(runs=365)`."""

    def made(**days: int) -> None:
        for name, number in days.items():
            monkeypatch.setenv(f"CONSOLE_KEEP_{name.upper()}_DAYS", str(number))
        settings.current.cache_clear()

    assert company.people
    yield made
    settings.current.cache_clear()


def missing(chain: str) -> dict[str, set[str]]:
    """Kind of event → reasons why values of it are missing."""
    found: dict[str, set[str]] = {}
    for event in log.events_of(chain):
        found.setdefault(event.type, set()).update(event.missing.values())
    return {kind: reasons for kind, reasons in found.items() if reasons}


def exported(folder: Path) -> dict[str, int]:
    """Reason → values that an export does not open, by the verifier's own count; the export is verified."""
    exports.begin(CLI, exports.ExportQuery(proofs=True), ready=sequencing.sequence_and_sign).save(
        folder / "log.zip"
    )
    told = CliRunner().invoke(verify, [str(folder / "log.zip")])
    assert told.exit_code == 0, told.output
    with zipfile.ZipFile(folder / "log.zip") as archive:
        lines = [json.loads(line) for line in archive.read("values.jsonl").splitlines()]
    reasons = [line["missing"] for line in lines if "missing" in line]
    return {reason: reasons.count(reason) for reason in sorted(set(reasons))}


def test_without_a_limit_everything_stays(company: Company) -> None:
    company.finished("1")
    sequencing.catch_up()
    assert (retention.due_deletions(YEARS), retention.expire(YEARS)) == ([], [])
    assert "Adaeze" in everything()


def test_ended_runs_lose_their_values_everywhere_and_every_proof_holds(
    company: Company, keep: Keep, tmp_path: Path
) -> None:
    run_id, live = company.finished("1"), company.at("note", "2")
    before = company.told(live)
    sequencing.catch_up()
    keep(runs=365)
    assert retention.expire() == [Due("runs", 365, 0, 0)], "it ended today"
    (due,) = retention.due_deletions(YEARS)
    done = retention.expire(YEARS)
    assert done == [due]
    assert due.events > 10
    assert [text for text in TEXTS if text in everything()] == []
    assert set.union(*missing(run_id).values()) == {"expired"}
    assert list(runs.rebuild(check=True)) == []
    assert company.told(run_id)["status"] == "completed"
    for at in range(1, company.told(run_id)["last_event"] + 1):
        assert "Adaeze" not in json.dumps(runs.replay(company.olivia, run_id, at).json["run"])
    assert (company.told(live), missing(live)) == (before, {})
    assert set(exported(tmp_path)) == {"expired"}
    assert retention.expire(YEARS) == [Due("runs", 365, 0, 0)]
    note = [event for event in log.events_of("sys:retention") if event.type == "values_expired"]
    assert [event.open["count"] for event in note] == [due.events]
    sequencing.catch_up()
    (row,) = activity.page(company.ada, LogFilter(kinds=("values_expired",))).rows
    assert row.sentence == f"{due.events} values past the time limit for runs were deleted"


def test_tags_of_leads_go_with_the_values_of_their_runs(company: Company, keep: Keep) -> None:
    accounts.create_service_account("robot@fernwick.test", [("operations_lead", "operations")])
    steps = [
        step("start", "start", "tag")
        | {"config": {"fields": [{"name": "name", "label": "Name", "required": True}]}},
        step("tag", "add_tag", "end", {"tag": "friend of {{ input.name }}"}),
        step("end", "end", None),
    ]
    document = {
        "format": 1,
        "slug": "ringing",
        "title": "Ringing",
        "team": "operations",
        "run_as": "robot@fernwick.test",
        "steps": steps,
    }
    workflows.import_file(document, publish=True, rights=False)
    enrolments.enrol_leads(company.mona, "ringing", [{"name": "Adaeze"}])
    work_until_idle({jobs.BEGIN, jobs.ADVANCE_HANDS_OFF})
    assert fetch("select name from console.tag") == [("friend of Adaeze",)]
    sequencing.catch_up()
    keep(runs=365)
    retention.expire()
    assert fetch("select count(*) from console.record_tag") == [(1,)], "it ended today"
    retention.expire(YEARS)
    assert (fetch("select name from console.tag"), fetch("select record from console.record_tag")) == ([], [])
    assert "friend of Adaeze" not in everything()


def test_the_screens_alone(company: Company, keep: Keep, tmp_path: Path) -> None:
    run_id = company.finished("1")
    sequencing.catch_up()
    keep(screens=30)
    retention.expire(YEARS)
    assert set(missing(run_id)) == {"step_shown"}
    assert company.told(run_id)["context"]["note"]["note"] == "Looked at it."
    assert fetch("select count(*) from console.shown where run = %s", (run_id,))[0][0] == 0
    assert set(exported(tmp_path)) == {"expired"}


def test_what_happened_outside_runs_by_its_kind(company: Company, keep: Keep) -> None:
    browse.change(company.mona, "customer", "1", {"email": "adaeze@elsewhere.example"}, {})
    log.note(company.mona, "record_listed", open={"count": 1}, sealed={"q": "adaeze"})
    log.note(company.mona, "signed_in", open={"person": company.mona.id}, sealed={"ip": "192.0.2.7"})
    log.note(company.mona, "person_changed", open={"person": company.mona.id}, sealed={"new": {"name": "M."}})
    sequencing.catch_up()
    for category, kind in (
        ("changes", "record_changed"),
        ("looks", "record_listed"),
        ("sign_ins", "signed_in"),
    ):
        keep(**{category: 30})
        retention.expire(YEARS)
        assert missing(company.mona.session)[kind] == {"expired"}
    assert "person_changed" not in missing(company.mona.session)


def test_erased_stays_erased_and_is_not_called_expired(company: Company, keep: Keep, tmp_path: Path) -> None:
    first, second = company.finished("1"), company.finished("2")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    sequencing.catch_up()
    keep(runs=30)
    retention.expire(YEARS)
    assert set.union(*missing(first).values()) == {"erased"}
    assert set.union(*missing(second).values()) == {"expired"}
    assert set(exported(tmp_path)) == {"erased", "expired"}
    found = erasure.preview(company.ines, "customer", "2")
    assert (found.events, found.runs) == (0, (second,))
    erasure.erase(company.ines, "customer", "2", "He asked us to.")
    assert set(exported(tmp_path)) == {"erased", "expired"}


def test_in_small_parts_and_killed_between_them(
    company: Company, keep: Keep, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run_id = company.finished("1")
    sequencing.catch_up()
    keep(runs=30)
    monkeypatch.setattr(retention, "AT_ONCE", 4)
    (due,) = retention.due_deletions(YEARS)
    parts: list[str] = []

    def killed(_: str) -> None:
        parts.append(_)
        if len(parts) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retention.expire(YEARS, killed)
    assert retention.due_deletions(YEARS)[0].events == due.events - 8
    assert set(exported(tmp_path)) == {"expired"}, "what is gone is accounted for"
    assert "Looked at it" in everything(), "rows are made anew at the end, or by the next one"
    assert retention.expire(YEARS)[0].events == due.events - 8
    assert [text for text in TEXTS if text in everything()] == []
    counts = [event.open["count"] for event in log.events_of("sys:retention")]
    assert (sum(counts), max(counts)) == (due.events, 4)
    assert list(runs.rebuild(run_id, check=True)) == []


def test_rows_that_a_crash_left_are_mended_the_next_time(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.finished("1")
    monkeypatch.setattr(erasure, "rebuild_stale", lambda: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError):
        erasure.erase(company.ines, "customer", "1", "She asked us to.")
    monkeypatch.undo()
    assert "Looked at it" in everything()
    retention.expire()
    assert [text for text in TEXTS if text in everything()] == []


def test_only_one_at_a_time(company: Company, keep: Keep) -> None:
    company.finished("1")
    sequencing.catch_up()
    keep(runs=30)
    with engine.alone("console.retention"):
        assert retention.expire(YEARS) == []
    assert "Adaeze" in everything()


# Holds.


def test_a_hold_stands_against_erasure_and_expiry(company: Company, keep: Keep) -> None:
    first, second = company.finished("1"), company.finished("2")
    sequencing.catch_up()
    keep(runs=30)
    erasure.hold(company.ines, "customer", "1", "Proceedings 4711")
    (due,) = retention.due_deletions(YEARS)
    assert due.held > 5
    assert retention.expire(YEARS) == [due]
    assert (missing(first), bool(missing(second))) == ({}, True)
    with pytest.raises(Conflict) as refused:
        erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert refused.value.code == "on_hold"
    assert f"the values of {due.held} events stay" in refused.value.message
    assert "console hold release customer 1" in refused.value.message
    with pytest.raises(Conflict, match="already"):
        erasure.hold(company.ines, "customer", "1", "again")
    (held,) = erasure.holds(company.ines)
    assert (held.collection, held.key, held.reason, held.events) == (
        "customer",
        "1",
        "Proceedings 4711",
        due.held,
    )
    erasure.release(company.ines, "customer", "1", "They are over.")
    assert erasure.holds(company.ines) == []
    with pytest.raises(NotFound):
        erasure.release(company.ines, "customer", "1", "again")
    notes = [event for event in log.events_of("ses_ines") if event.type.startswith("hold_")]
    assert [(event.type, event.values) for event in notes] == [
        ("hold_placed", {"reason": "Proceedings 4711"}),
        ("hold_released", {"reason": "They are over."}),
    ]
    assert all(event.body["target"] is None for event in notes)
    assert retention.expire(YEARS)[0].events == due.held


def test_a_hold_finds_whose_record_it_is_and_refuses_a_misspelt_one(company: Company) -> None:
    assert erasure.hold(CLI, "account", "LT459999900012345678", "Proceedings") == ("customer", "1")
    assert [(held.collection, held.key) for held in erasure.holds(CLI)] == [("customer", "1")]
    assert erasure.hold(CLI, "person", company.tom.id, "Proceedings") == ("person", company.tom.id)
    for collection, key in (
        ("customer", "99"),
        ("customr", "1"),
        ("account", "LT00"),
        ("person", "usr_x"),
        ("run", "run_x"),
    ):
        with pytest.raises(NotFound):
            erasure.hold(CLI, collection, key, "Proceedings")
    assert len(erasure.holds(CLI)) == 2


def test_who_may_hold(company: Company) -> None:
    for name in ("olivia", "tom", "mona", "stan", "rosa", "ada"):
        acts: list[Callable[[Any], object]] = [
            lambda who: erasure.hold(who, "customer", "1", "x"),
            lambda who: erasure.release(who, "customer", "1", "x"),
            erasure.holds,
        ]
        for act in acts:
            with pytest.raises(NotAllowed):
                act(company.people[name])
    with pytest.raises(Invalid):
        erasure.hold(company.ines, "customer", "1", " ")


def test_the_database_itself_lets_no_held_value_expire(company: Company) -> None:
    company.finished("1")
    erasure.hold(company.ines, "customer", "1", "Proceedings 4711")
    sub = erasure.preview(company.ines, "customer", "1").subject
    events = [row[0] for row in fetch("select event from console.event_value where sub = %s", (sub,))]
    assert fetch("select * from console.expire(%s)", (events,)) == []
    with (
        psycopg.connect(dump.libpq(engine.app_url()), autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("insert into console.event_value values (1, 'expired', '', '', '')")


# The commands.


def test_the_commands_say_what_they_do(company: Company, keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    company.finished("1")
    sequencing.catch_up()
    assert CliRunner().invoke(retention_command).output.startswith("No limit is set")
    keep(runs=365, looks=30)
    monkeypatch.setattr(log, "now", lambda: YEARS)
    before = everything()
    told = CliRunner().invoke(retention_command, ["--dry-run"])
    assert "runs, 365 days: values of" in told.output
    assert "would go" in told.output
    assert everything() == before
    monkeypatch.undo()
    keep(runs=365, looks=30)
    done = CliRunner().invoke(retention_command)
    assert "runs, 365 days: values of 0 events deleted" in done.output
    placed = CliRunner().invoke(hold_commands, ["place", "customer", "1", "--reason", "Proceedings"])
    assert (placed.exit_code, placed.output) == (0, "customer 1 is on hold\n")
    assert "customer 1  since" in CliRunner().invoke(hold_commands, ["list"]).output
    lifted = CliRunner().invoke(hold_commands, ["release", "customer", "1", "--reason", "Over"])
    assert (lifted.exit_code, lifted.output) == (0, "customer 1 is no longer on hold\n")


# What is missing and not accounted for.


def test_a_value_that_somebody_took_away_is_not_covered_by_others(company: Company, tmp_path: Path) -> None:
    company.finished("1")
    second = company.finished("2")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    sequencing.catch_up()
    assert set(exported(tmp_path)) == {"erased"}
    row = fetch(
        "select v.event, v.sub, v.kid, v.nonce, v.ct from console.event_value v join console.event e on e.id = v.event where e.run = %s limit 1",
        (second,),
    )[0]
    fetch("delete from console.event_value where event = %s returning event", (row[0],))
    log.note(CLI, "log_read", open={"count": 1})
    told = CliRunner().invoke(verify)
    assert told.exit_code == 1
    assert "value missing without a note" in told.output
    put_back([], [row])
    assert CliRunner().invoke(verify).exit_code == 0


def test_a_value_that_somebody_took_away_is_found_where_nobody_was_ever_erased(company: Company) -> None:
    company.finished("1")
    assert CliRunner().invoke(verify).exit_code == 0
    fetch(
        "delete from console.event_value where event = (select max(event) from console.event_value) returning event"
    )
    told = CliRunner().invoke(verify)
    assert (told.exit_code, "value missing without a note" in told.output) == (1, True), told.output
