"""Erasing a person: nothing of them is left to read, and the log, its chains and its replays still stand."""

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from console import activity, browse, log, runs, sources
from console.activity import exports, sequencing
from console.automation import enrolments
from console.automation.enrolments import Question
from console.browse import saved_segments, tags
from console.commands.subject import subject
from console.core.errors import Conflict, Invalid, NotAllowed, NotFound, SourceDown
from console.infra import settings, subjects
from console.infra.db import fetch, transaction
from console.log import tree_heads, verify
from console.log.event_lists import LogFilter
from console.operations import erasure
from console.work import tasks
from tests.company import Company
from tests.conftest import web_app
from tests.jobs import work_as_workers_do, work_until_idle
from tests.messaging.messages import reached
from tests.messaging.messages.test_calls import ended

pytestmark = pytest.mark.slow

TEXTS = ("Adaeze", "adaeze@", "Looked at it", "A reason of hers")


def reviewed(company: Company) -> list[str]:
    """Two runs about Adaeze that have ended, one of them aborted, and a change of her record outside a run."""
    first = company.finished("1")
    second = company.at("rate", "1")
    runs.draft(
        company.olivia,
        second,
        step="rate",
        revision=company.told(second)["revision"],
        values={"email": "adaeze@customers.example"},
    )
    runs.abort(company.olivia, second, revision=company.told(second)["revision"], reason="A reason of hers.")
    browse.change(company.mona, "customer", "1", {"email": "adaeze@elsewhere.example"}, {})
    return [first, second]


def everything() -> str:
    """All that the console's tables hold, as text, but for ciphertexts and the users' sources."""
    tables = fetch(
        "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables where schemaname in ('console', 'queue')"
    )
    told = [str(row[0]) for (table,) in tables for row in fetch(f"select to_jsonb(t)::text from {table} t")]
    told += [
        bytes(row[0]).decode()
        for row in fetch("select body from console.event union all select payload from queue.pgqueuer")
    ]
    return "\n".join(told)


def chained() -> None:
    """Every chain holds from its first event to its last, by hashes alone."""
    ends: dict[str, tuple[int, str]] = {}
    for run, number, leaf, body in fetch(
        "select run, run_seq, leaf, body from console.event order by run, run_seq"
    ):
        told = json.loads(bytes(body))
        before = ends.get(run, (0, ""))
        assert (number, told["prev"]) == (before[0] + 1, before[1])
        assert bytes(leaf) == hashlib.sha256(b"\x00" + bytes(body)).digest()
        ends[run] = (number, bytes(leaf).hex())


def test_nothing_of_the_person_is_left_and_every_proof_holds(company: Company) -> None:
    run_ids = reviewed(company)
    assert any(text in everything() for text in TEXTS)
    found = erasure.preview(company.ines, "customer", "1")
    assert (sorted(found.runs), found.live) == (sorted(run_ids), ())
    before = fetch("select count(*) from console.event")[0][0]
    receipt = erasure.erase(company.ines, "customer", "1", "She asked us to.")
    left = everything()
    assert [text for text in TEXTS if text in left] == []
    assert receipt.events == found.events > 0
    assert "Adaeze" not in json.dumps(receipt.to_json())
    assert fetch("select count(*) from console.event")[0][0] == before + 1
    chained()
    for run_id in run_ids:
        assert list(runs.rebuild(run_id, check=True)) == []
        told = company.told(run_id)
        assert told["status"] in ("completed", "aborted")
        for at in range(1, told["last_event"] + 1):
            assert not [
                text
                for text in TEXTS
                if text in json.dumps(runs.replay(company.olivia, run_id, at).json["run"])
            ]
        events = log.events_of(run_id)
        assert {reason for event in events for reason in event.missing.values()} == {"erased"}


def test_the_note_says_who_and_why_and_not_whom(company: Company) -> None:
    reviewed(company)
    sub = erasure.preview(company.ines, "customer", "1").subject
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    (note,) = [event for event in log.events_of("ses_ines") if event.type == "subject_erased"]
    assert note.open == {"subject": sub, "count": note.open["count"], "runs": 2}
    assert note.values == {"reason": "She asked us to."}
    assert note.body["target"] is None
    sequencing.catch_up()
    sentences = [
        row.sentence for row in activity.page(company.ada, LogFilter(kinds=("subject_erased",))).rows
    ]
    assert len(sentences) == 1


def test_the_receipt_can_be_had_again_from_the_log(company: Company) -> None:
    reviewed(company)
    receipt = erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert erasure.erasure(company.ines, receipt.subject) is None
    sequencing.catch_up()
    found = erasure.erasure(company.ines, receipt.subject)
    assert found is not None
    assert (found.receipt.subject, found.receipt.events, found.receipt.runs) == (
        receipt.subject,
        receipt.events,
        2,
    )
    assert (found.by, found.reason) == (company.ines.name, "She asked us to.")
    assert fetch(
        "select encode(e.leaf, 'hex') from console.activity a join console.event e on e.id = a.event where a.pos = %s",
        (found.pos,),
    ) == [(found.leaf,)]
    for unknown in ("sub_nobody", "sub\x00", ""):
        assert erasure.erasure(company.ines, unknown) is None
    with pytest.raises(NotAllowed):
        erasure.erasure(company.ada, receipt.subject)


def test_others_keep_theirs(company: Company) -> None:
    reviewed(company)
    other = company.finished("2")
    told = company.told(other)
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert company.told(other) == told
    assert "Tore" in everything()


def test_it_is_refused_while_a_run_is_live_and_without_a_reason(company: Company) -> None:
    run_id = company.at("note")
    with pytest.raises(Conflict) as live:
        erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert [detail["reason"] for detail in live.value.details] == [run_id]
    runs.abort(company.olivia, run_id, revision=company.told(run_id)["revision"], reason="enough")
    with pytest.raises(Invalid):
        erasure.erase(company.ines, "customer", "1", "  ")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    with pytest.raises(NotFound):
        erasure.preview(company.ines, "customer", "1")
    with pytest.raises(NotFound):
        erasure.erase(company.ines, "customer", "1", "again")


def test_nobody_else_may(company: Company) -> None:
    reviewed(company)
    for name in ("olivia", "tom", "mona", "stan", "rosa", "ada"):
        for act in (
            lambda who: erasure.preview(who, "customer", "1"),
            lambda who: erasure.erase(who, "customer", "1", "x"),
        ):
            with pytest.raises(NotAllowed):
                act(company.people[name])
    assert "Adaeze" in everything()


def test_a_new_run_on_the_same_record_begins_a_new_subject(company: Company) -> None:
    reviewed(company)
    before = erasure.preview(company.ines, "customer", "1").subject
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    company.finished("1")
    after = erasure.preview(company.ines, "customer", "1")
    assert after.subject != before
    assert len(after.runs) == 1


def test_an_older_state_that_comes_back_is_erased_again(company: Company) -> None:
    """What a restore of yesterday's backup would bring: the key and the values are there again."""
    run_ids = reviewed(company)
    sub = erasure.preview(company.ines, "customer", "1").subject
    keys = fetch("select id, collection, record, kid, wrapped from console.subject where id = %s", (sub,))
    values = fetch("select event, sub, kid, nonce, ct from console.event_value where sub = %s", (sub,))
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert erasure.apply_again(company.ines) == 0
    put_back(keys, values)
    fetch("update console.run set subject = %s where id = any(%s) returning id", (sub, run_ids))
    subjects.forget(sub)
    assert any(event.sealed for run_id in run_ids for event in log.events_of(run_id))
    assert erasure.apply_again(company.ines) == 1
    notes = [event.open for event in log.events_of("ses_ines") if event.type == "subject_erased"]
    assert notes == [{"subject": sub, "count": len(values), "runs": 2}] * 2, "each time as many as went"
    assert fetch("select count(*) from console.event_value where sub = %s", (sub,))[0][0] == 0
    assert [text for text in TEXTS if text in everything()] == []


def put_back(keys: list[Any], values: list[Any]) -> None:
    """As the owner of the tables, who restores."""
    from console.infra.db.engine import migration_url

    owner = sa.create_engine(migration_url())
    with owner.begin() as connection:
        for row in keys:
            connection.exec_driver_sql(
                "insert into console.subject (id, collection, record, kid, wrapped) values (%s, %s, %s, %s, %s)",
                tuple(row),
            )
        for row in values:
            connection.exec_driver_sql(
                "insert into console.event_value values (%s, %s, %s, %s, %s)", tuple(row)
            )
    owner.dispose()


def test_killed_half_way_it_is_finished_by_the_list(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviewed(company)
    monkeypatch.setattr(erasure, "mark_stale", lambda *given: (_ for _ in ()).throw(RuntimeError("killed")))
    with pytest.raises(RuntimeError):
        erasure.erase(company.ines, "customer", "1", "She asked us to.")
    monkeypatch.undo()
    assert erasure.apply_again(company.ines) == 1
    assert [text for text in TEXTS if text in everything()] == []
    assert (settings.current().data_dir / erasure.LIST).read_text().count("sub_") == 1


def test_what_is_written_that_very_moment_goes_too(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By a process that has the key in its memory still: every value that is gone is accounted for."""
    reviewed(company)
    sub = erasure.preview(company.ines, "customer", "1").subject
    kept, mend = subjects._kept[sub], erasure.rebuild_stale

    def meanwhile() -> int:
        monkeypatch.undo()
        subjects._kept[sub] = kept
        log.note(
            company.olivia,
            "record_viewed",
            sealed={"q": TEXTS[0]},
            collection="customer",
            record="1",
            subject=sub,
        )
        subjects.forget(sub)
        return mend()

    monkeypatch.setattr(erasure, "rebuild_stale", meanwhile)
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert [event.open["count"] for event in log.events_of("ses_ines") if event.type == "subject_erased"][
        1:
    ] == [1]
    (tmp_path / "log.zip").write_bytes(
        b"".join(
            exports.begin(
                company.ada, exports.ExportQuery(proofs=True), ready=sequencing.sequence_and_sign
            ).parts()
        )
    )
    assert " 0 erased" not in verify.verify(tmp_path / "log.zip", [str(tree_heads.verifier_key())], None)


def test_whom_a_hold_keeps_is_on_no_list_of_erased_people(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was placed after the preview: the next restore would erase them otherwise."""
    reviewed(company)
    before = erasure._preview

    def then_held(*given: Any) -> Any:
        found = before(*given)
        erasure.hold(company.ines, "customer", "1", "Proceedings 4711")
        return found

    monkeypatch.setattr(erasure, "_preview", then_held)
    with pytest.raises(Conflict, match="is on hold"):
        erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert erasure.erased_subjects() == frozenset()


def test_a_line_that_a_crash_cut_off_swallows_nothing(company: Company) -> None:
    """The person of a name that is not whole was not erased yet: the list is written first."""
    reviewed(company)
    file = settings.current().data_dir / erasure.LIST
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"subject": "sub_01234567890123456789012345", "at": "x"}\n{"subject": "sub_0123')
    sub = erasure.preview(company.ines, "customer", "1").subject
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert erasure.erased_subjects() == {"sub_01234567890123456789012345", sub}
    erasure.merge_erased({sub, "sub_zzzzzzzzzzzzzzzzzzzzzzzzzz"})
    assert file.read_text().count(sub) == 1
    assert len(erasure.erased_subjects()) == 3


def test_nobody_erases_themselves(company: Company) -> None:
    log.note(company.ines, "signed_in", open={"person": company.ines.id}, sealed={"ip": "192.0.2.7"})
    with pytest.raises(Conflict, match="Nobody erases themselves"):
        erasure.erase(company.ines, "person", company.ines.id, "I want to.")


def test_the_command_says_what_it_would_do_and_asks(company: Company) -> None:
    reviewed(company)
    asked = CliRunner().invoke(subject, ["erase", "customer", "1", "--reason", "A letter"], input="n\n")
    assert asked.exit_code == 1
    assert "the values of" in asked.output
    assert "Adaeze" in everything()
    done = CliRunner().invoke(subject, ["erase", "customer", "1", "--reason", "A letter", "--yes"])
    assert (done.exit_code, done.stdout.startswith("erased sub_")) == (0, True)
    with transaction() as connection:
        assert (
            connection.execute(
                sa.text("select count(*) from console.subject where record = '1' and collection = 'customer'")
            ).scalar()
            == 0
        )
    nothing = CliRunner().invoke(subject, ["erase", "customer", "1", "--reason", "A letter", "--yes"])
    assert isinstance(nothing.exception, NotFound)


@contextmanager
def paused(company: Company) -> Iterator[None]:
    """The company's database is not asked."""
    sources.pause("company", by=company.ines)
    try:
        yield
    finally:
        sources.resume("company", by=company.ines)


def test_a_record_about_somebody_else_leads_to_them_and_never_reads_as_nothing_held(company: Company) -> None:
    reviewed(company)
    iban = str(company.sql("select iban from account where customer_id = 1 limit 1")[0][0])
    with paused(company), pytest.raises(SourceDown):
        erasure.preview(company.ines, "account", iban)
    for begin in (False, True):
        if begin:  # a random name of the account itself, with nothing under it
            subjects.subject_of("account", iban)
        with pytest.raises(Conflict, match="erase the record 1 of customer"):
            erasure.preview(company.ines, "account", iban)
    with pytest.raises(NotFound):
        erasure.preview(company.ines, "acount", iban)


def test_a_source_that_does_not_answer_is_said_because_lists_under_the_name_stay(company: Company) -> None:
    reviewed(company)
    with paused(company):
        told = CliRunner().invoke(subject, ["erase", "customer", "1", "--reason", "A letter"], input="n\n")
    assert "does not answer" in told.output
    assert (
        "does not answer"
        not in CliRunner()
        .invoke(subject, ["erase", "customer", "1", "--reason", "A letter"], input="n\n")
        .output
    )


def test_tabs_that_search_for_the_person_go_and_others_stay(company: Company) -> None:
    reviewed(company)
    mail = {"field": "email", "op": "eq", "value": "adaeze@elsewhere.example"}
    for label, query in {
        "By name": {"q": "okonkwo"},
        "By address": {
            "filter": json.dumps({"and": [mail, {"field": "desk", "op": "eq", "value": "retail"}]})
        },
        "Of a desk": {"filter": json.dumps({"field": "desk", "op": "eq", "value": "retail"})},
        "Somebody else": {"q": "Bram"},
        "A short word": {"q": "ad"},
        "By number": {"filter": json.dumps({"field": "id", "op": "eq", "value": 1})},
        "Calls of Adaeze OKONKWO, late": {
            "filter": json.dumps({"field": "desk", "op": "eq", "value": "retail"})
        },
    }.items():
        saved_segments.save(company.olivia, "customer", label, f"user:{company.olivia.id}", query)
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    left = {saved.label for saved in saved_segments.saved_segments(company.olivia, "customer")}
    assert left == {"Of a desk", "Somebody else", "A short word", saved_segments.UNNAMED}, (
        "who is named by the name of a tab alone leaves the tab"
    )


def test_somebody_with_a_short_name_is_found_in_tabs(company: Company) -> None:
    reviewed(company)
    company.sql("update customer set display_name = 'Bo Li' where id = '1'")
    for label, query in {"By name": {"q": "bo  LI"}, "Another": {"q": "bo"}}.items():
        saved_segments.save(company.olivia, "customer", label, f"user:{company.olivia.id}", query)
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert {saved.label for saved in saved_segments.saved_segments(company.olivia, "customer")} == {"Another"}


def test_words_of_tags_that_nobody_else_has_go(company: Company) -> None:
    tags.put(company.mona, "customer", ["1"], "Adaeze Okonkwo's friend")
    tags.put(company.mona, "customer", ["1", "2"], "regular")
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert fetch("select name from console.tag") == [("regular",)]
    assert "okonkwo's friend" not in everything().casefold(), "nor does the log say it"


HANDS_OFF: dict[str, list[dict[str, Any]]] = {
    "waits": [{"id": "pause", "type": "wait", "config": {"hours": 10}}],
    "texts": [{"id": "sms", "type": "sms", "config": {"text": "Hello {{ record.name }}"}}],
    "calls": [{"id": "call", "type": "ai_call", "config": {"script": "Hello {{ record.name }}"}}],
    "tasks": [
        {
            "id": "todo",
            "type": "create_task",
            "config": {"title": "Ring {{ record.name }}", "team": "operations", "waits": True},
        }
    ],
    "listed": [],
}


def test_somebody_erased_in_the_middle_of_everything_is_nowhere_and_hears_nothing(
    company: Company, given_settings: Callable[..., None]
) -> None:
    """Four places, a message that may have left, a call in the air, an open task, a line of a list that is done and one of a list still to be read."""
    path, words, mona = (
        reached.founded(company),
        ("Whitfield", "sam@post", "555 0147", "5550147"),
        company.mona,
    )
    sql(
        path,
        "insert into contact (id, name, email, stage) values (7, 'Sam Whitfield', 'sam@post.example', 'new')",
    )
    with reached.twilio() as texts, reached.provider_of_calls() as calls, reached.clock(reached.NOON) as move:
        given_settings(**(reached.by_twilio(texts) | reached.by_calls(calls)))
        for slug, steps in HANDS_OFF.items():
            reached.workflow(slug, [*steps, {"id": "ask", "type": "guidance", "config": {"text": "Look"}}])
            if steps:
                assert enrolments.batches.begin(mona, slug, Question(keys=[reached.SAM])).enrolled == 1
        texts.lost = 1
        work_as_workers_do()
        lists = []
        for again in (True, False):
            file = enrolments.batches.keep_file(
                mona, "listed", io.BytesIO(b"E-mail\nsam@post.example\nana@post.example\n")
            )
            lists.append(
                enrolments.batches.begin(mona, "listed", Question(file=file, columns={"0": "email"})).id
            )
            if again:
                work_until_idle({"enrol"})
                sql(path, "delete from contact where id = 7")
        assert "sam@post.example" in everything(), "two have it, and that is said"
        calling = fetch("select id from console.message where channel = 'call'")[0][0]
        erasure.erase(company.ines, "contact", reached.SAM, "Asked for it.")
        assert ([word for word in words if word in everything()], tasks.of_teams(company.olivia)) == ([], [])
        sql(path, "delete from consent where contact_id = 1", "delete from contact where id = 1")
        assert (
            ended(web_app().test_client(), calling, outcome="answered", transcript="I am Sam Whitfield")
            == 200
        )
        for _ in range(3):
            move(timedelta(hours=5))
            work_as_workers_do()
        enrolments.batches.sweep()
        assert ([word for word in words if word in everything()], len(texts.messages), len(calls.asked)) == (
            [],
            1,
            1,
        )
        assert [enrolments.batches.get(mona, ident).status for ident in lists] == ["done", "done"]
        (left_out,) = enrolments.batches.answers(mona, lists[1], "refused")[0]
        assert (left_out.row, left_out.reasons[0]["reason"]) == (2, "No contact has the email on this line.")
    chained()
    assert list(enrolments.counts.rebuild(check=True)) == []


def test_what_a_run_has_started_ends_with_it_and_keeps_nobody_from_being_erased(company: Company) -> None:
    reached.founded(company)
    inner = reached.workflow("inner", [{"id": "pause", "type": "wait", "config": {"hours": 10}}])
    outer = reached.workflow(
        "outer",
        [{"id": "within", "type": "sub_workflow", "config": {"workflow": inner, "record": "record.id"}}],
    )
    assert enrolments.batches.begin(company.mona, outer, Question(keys=[reached.SAM])).enrolled == 1
    work_as_workers_do()
    began = (
        "select status from console.run where parent is null",
        "select status from console.run where parent is not null",
    )
    assert [fetch(each) for each in began] == [[("waiting_event",)], [("waiting_time",)]]
    assert erasure.preview(company.ines, "contact", reached.SAM).live == ()
    assert erasure.erase(company.ines, "contact", reached.SAM, "Asked for it.").runs == 2
    assert [fetch(each) for each in began] == [[("cancelled",)], [("cancelled",)]]
    chained()


def sql(path: Path, *statements: str) -> None:
    """Change the users' database past the console."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
