"""Appending to the log: once and wholly, whoever else writes and whenever the connection breaks; what was sealed opens, and can be erased."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import pytest
import sqlalchemy as sa

from console import log, runs
from console.core.actor import Actor
from console.core.run import fold
from console.infra import subjects
from console.infra.db import engine, tables
from console.infra.db.engine import fetch, hot_engine
from console.infra.db.ids import uuid7_text
from console.log import (
    IDEMPOTENCY,
    REQUEST,
    AlreadyDone,
    Fact,
    Frame,
    Link,
    Moved,
    append,
    chained,
    events_of,
    write,
)
from console.runs.store.run_events import as_event
from console.runs.store.run_store import load
from tests.company import Company

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)
ACTOR = Actor(
    "user",
    "usr_x",
    session="ses_x",
    teams=("operations",),
    roles=frozenset({("operator", "operations")}),
    policy=7,
)


def links(chain: str = "sys:a", seq: int = 0, head: bytes = b"", many: int = 1, **sealed: Any) -> list[Link]:
    """Events that could go on with a chain."""
    facts = [
        Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": str(number)}, sealed)
        for number in range(many)
    ]
    return chained(facts, chain, seq, head, FRAME)


def stored(chain: str) -> list[tuple[bytes, bytes]]:
    """(hash, body) of every event of a chain, in order, as the database has them."""
    event = tables.event.c
    with hot_engine().connect() as connection:
        found = connection.execute(
            sa.select(event.leaf, event.body).where(event.run == chain).order_by(event.run_seq)
        )
        return [(bytes(row.leaf), bytes(row.body)) for row in found]


def every_chain() -> list[str]:
    """Names of all chains there are."""
    with hot_engine().connect() as connection:
        return list(connection.execute(sa.select(tables.event.c.run).distinct()).scalars())


def is_whole(chain: str) -> int:
    """Hashes computed here with nothing but hashlib: each is that of its body, and each body names the one before; how many there are."""
    previous = ""
    events = stored(chain)
    for number, (leaf, raw) in enumerate(events, 1):
        assert hashlib.sha256(b"\x00" + raw).digest() == leaf
        body = orjson.loads(raw)
        assert (body["run"], body["run_seq"], body["prev"]) == (chain, number, previous)
        assert raw == orjson.dumps(body, option=orjson.OPT_SORT_KEYS), "canonical"
        previous = leaf.hex()
    return len(events)


def together(*acts: Callable[[], object]) -> list[BaseException | None]:
    """Do things at the same moment; the error of each."""
    gate = threading.Barrier(len(acts))
    out: list[BaseException | None] = [None] * len(acts)

    def one(number: int, what: Callable[[], object]) -> None:
        gate.wait()
        try:
            what()
        except Exception as error:  # noqa: BLE001 - it is what is asked for
            out[number] = error

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


# ------------------------------------------------------------------------------------------------------------ one writer


def test_events_are_appended_as_one_and_the_chain_goes_on_from_the_last(clean: object) -> None:
    first = links(many=3)
    assert write("sys:a", 0, first) == 3
    second = links("sys:a", 3, first[-1].leaf, many=40)
    assert write("sys:a", 3, second) == 43
    assert is_whole("sys:a") == 43
    assert [event.n for event in events_of("sys:a", after=41)] == [42, 43]
    assert [event.leaf for event in events_of("sys:a")] == [link.leaf for link in (*first, *second)]
    with pytest.raises(Moved):
        write("sys:a", 3, second)
    with pytest.raises(Moved):
        write("sys:a", 42, links("sys:a", 42, second[-2].leaf))
    with pytest.raises(Moved):
        write("sys:a", 44, links("sys:a", 44, second[-1].leaf))
    assert is_whole("sys:a") == 43


def test_a_frame_says_who_where_and_under_which_rights(clean: object) -> None:
    request = REQUEST.set("req-1")
    try:
        log.note(
            ACTOR,
            "record_viewed",
            open={"count": 3},
            source="s",
            collection="customer",
            record="1",
            team="finance",
        )
        log.note(ACTOR, "signed_out")
    finally:
        REQUEST.reset(request)
    log.note(ACTOR, "signed_out", chain="sys:other")
    viewed, out = (event.body for event in events_of("ses_x"))
    assert viewed["actor"] == {
        "id": "usr_x",
        "kind": "user",
        "roles": ["operator"],
        "session": "ses_x",
        "team": "finance",
    }
    assert (viewed["policy"], viewed["req"], viewed["target"]) == (
        7,
        "req-1",
        {"source": "s", "coll": "customer", "key": "1"},
    )
    assert (out["actor"]["team"], out["target"], out["wf"], out["step"]) == ("operations", None, None, None)
    (other,) = events_of("sys:other")
    assert (other.body["req"], other.n, other.pos) == (
        REQUEST.get(),
        1,
        None,
    )  # of whatever request came last in this thread


def test_sealed_values_need_a_subject(clean: object) -> None:
    with pytest.raises(ValueError, match="need a subject"):
        write("sys:a", 0, links(name="Adaeze"))
    assert events_of("sys:a") == []


VALUES: list[Any] = [
    "Adaeze",
    "",
    "é\u202e",
    None,
    True,
    0,
    12,
    [],
    {},
    ["a", {"b": None}],
    {"a": {"b": {"c": "deep"}}},
    "x" * 100_000,
    "1.50",
]


def test_every_commitment_opens_with_salt_and_value_alone(clean: object) -> None:
    subject = subjects.subject_of("customer", "1")
    write("sys:a", 0, links(**{f"v{number}": value for number, value in enumerate(VALUES)}), subject=subject)
    (event,) = events_of("sys:a")
    assert event.values == {f"v{number}": value for number, value in enumerate(VALUES)}
    assert event.missing == {}
    with hot_engine().connect() as connection:
        kept = connection.execute(sa.select(tables.event_value)).one()
    opened = subjects.unseal(subject, event.id, kept.nonce, kept.ct)
    sealed = event.body["data"]["sealed"]
    assert set(opened) == set(sealed)
    for name, (salt, value) in opened.items():
        assert len(bytes.fromhex(salt)) == 16, name
        canonical = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        assert hashlib.sha256(bytes.fromhex(salt) + canonical).hexdigest() == sealed[name], name
    assert len({salt for salt, _ in opened.values()}) == len(opened), "a salt for each"


# ------------------------------------------------------------------------------------------------------- several at once


def test_notes_of_one_session_from_many_threads_are_one_chain(clean: object) -> None:
    def noting() -> None:
        for number in range(12):
            log.note(ACTOR, "record_listed", open={"count": number})

    assert together(*[noting] * 8) == [None] * 8
    assert is_whole("ses_x") == 96
    counts = [event.open["count"] for event in events_of("ses_x")]
    assert sorted(counts) == sorted([*range(12)] * 8)


def test_notes_of_many_sessions_do_not_meet(clean: object) -> None:
    def noting(name: str) -> Callable[[], None]:
        def one() -> None:
            for _ in range(6):
                log.note(ACTOR, "record_listed", chain=name, sealed={"q": name})

        return one

    assert together(*[noting(f"ses_{number}") for number in range(6)]) == [None] * 6
    for number in range(6):
        assert is_whole(f"ses_{number}") == 6
        assert {event.values["q"] for event in events_of(f"ses_{number}")} == {f"ses_{number}"}


def test_of_two_who_go_on_from_one_event_one_wins(clean: object) -> None:
    head = links()
    write("sys:a", 0, head)
    for number in range(1, 9):
        rivals = [links("sys:a", number, head[-1].leaf) for _ in range(3)]
        errors = together(*[lambda made=made, number=number: write("sys:a", number, made) for made in rivals])
        assert sorted(type(error).__name__ for error in errors) == ["Moved", "Moved", "NoneType"]
        head = rivals[errors.index(None)]
        assert events_of("sys:a")[-1].leaf == head[-1].leaf
    assert is_whole("sys:a") == 9


def test_what_a_process_remembers_of_a_chain_is_never_trusted(clean: object) -> None:
    log.note(ACTOR, "signed_out")
    for what, memory in [
        ("another database had more", (57, b"x" * 32)),
        ("another process went on", (1, events_of("ses_x")[0].leaf)),
        ("a hash of something else", (2, b"y" * 32)),
        ("none at all", None),
    ]:
        if memory is None:
            append._ends.pop("ses_x", None)
        else:
            append._ends["ses_x"] = memory
        before = is_whole("ses_x")
        log.note(ACTOR, "signed_out")
        assert is_whole("ses_x") == before + 1, what
    append._ends.update({f"ses_{number}": (1, b"") for number in range(append.MOST_ENDS)})
    log.note(ACTOR, "signed_out")
    assert len(append._ends) == 1, "what is remembered is bounded"


# -------------------------------------------------------------------------------------------------------- idempotency


@contextmanager
def asked(key: str) -> Iterator[None]:
    """Within a request with this idempotency key."""
    token = IDEMPOTENCY.set(key)
    try:
        yield
    finally:
        IDEMPOTENCY.reset(token)


def test_a_key_is_used_up_by_the_first_transition_of_a_request(clean: object) -> None:
    with asked("key-1"):
        first = links()
        write("sys:a", 0, first)
        assert IDEMPOTENCY.get() is None
        write("sys:a", 1, links("sys:a", 1, first[-1].leaf))
    with asked("key-1"), pytest.raises(AlreadyDone):
        write("sys:b", 0, links("sys:b"))
    with asked("key-2"):
        with pytest.raises(Moved):
            write("sys:a", 0, links())
        assert IDEMPOTENCY.get() == "key-2", "a transition that was not made uses nothing up"
        write("sys:c", 0, links("sys:c"))
    assert [is_whole(chain) for chain in ("sys:a", "sys:b", "sys:c")] == [2, 0, 1]
    with hot_engine().connect() as connection:
        done = connection.execute(
            sa.select(
                tables.request_done.c.key, tables.request_done.c.chain, tables.request_done.c.seq
            ).order_by("key")
        )
        assert [tuple(row) for row in done] == [("key-1", "sys:a", 1), ("key-2", "sys:c", 1)]


def test_one_key_from_two_requests_at_once_is_done_once(clean: object) -> None:
    def one(chain: str) -> Callable[[], None]:
        def doing() -> None:
            with asked("key-1"):
                write(chain, 0, links(chain))

        return doing

    errors = together(*[one(f"sys:{number}") for number in range(5)])
    assert sorted(type(error).__name__ for error in errors) == ["AlreadyDone"] * 4 + ["NoneType"]
    assert sum(is_whole(f"sys:{number}") for number in range(5)) == 1


# ------------------------------------------------------------------------------------------- connections that break


@contextmanager
def broken(clean: Any, monkeypatch: pytest.MonkeyPatch, *, when: str) -> Iterator[list[str]]:
    """The server ends the connection before or after the statement of a transition has been committed."""
    execute = psycopg.Connection.execute
    told: list[str] = []

    def ending(driver: Any, statement: Any, *given: Any, **more: Any) -> Any:
        if "console.transition" not in str(statement) or told:
            return execute(driver, statement, *given, **more)
        told.append(when)
        with psycopg.connect(clean.admin_url, autocommit=True) as other:
            if when == "before":
                other.execute("select pg_terminate_backend(%s, 5000)", (driver.info.backend_pid,))
            answer = execute(driver, statement, *given, **more)
            if when == "after":
                other.execute("select pg_terminate_backend(%s, 5000)", (driver.info.backend_pid,))
                driver.execute("select 1")  # the answer is on its way when the connection breaks
            return answer

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Connection, "execute", ending)
        yield told


def test_a_connection_that_breaks_after_the_commit_is_no_error_and_doubles_nothing(
    clean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with broken(clean, monkeypatch, when="after") as told:
        made = links(many=2)
        assert write("sys:a", 0, made) == 2
    assert told == ["after"]
    assert is_whole("sys:a") == 2
    assert write("sys:a", 2, links("sys:a", 2, made[-1].leaf)) == 3
    append._ends.clear()  # what a test before remembered of this chain would cost a first try that writes nothing
    with broken(clean, monkeypatch, when="after") as told:
        log.note(ACTOR, "signed_out")
    assert (told, is_whole("ses_x")) == (["after"], 1)


def test_a_connection_that_breaks_before_the_statement_leaves_nothing_and_the_next_one_works(
    clean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("sys:z", 0, links("sys:z"))
    with broken(clean, monkeypatch, when="before") as told, pytest.raises(psycopg.OperationalError):
        write("sys:a", 0, links())
    assert (told, is_whole("sys:a")) == (["before"], 0)
    write("sys:a", 0, links())
    assert is_whole("sys:a") == 1


def test_a_broken_connection_within_a_transaction_is_the_callers(
    clean: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        pytest.raises((psycopg.OperationalError, sa.exc.DBAPIError)),
        engine.transaction() as connection,
        broken(clean, monkeypatch, when="after"),
    ):
        write("sys:a", 0, links(), connection=connection)
    assert is_whole("sys:a") == 0, "the transaction was not committed, so nothing is there"


def test_idle_connections_that_the_server_ended_are_replaced(clean: Any) -> None:
    def ended() -> None:
        with psycopg.connect(clean.admin_url, autocommit=True) as other:
            other.execute(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            )

    log.note(ACTOR, "signed_out")
    ended()
    assert engine.fetch("select 1") == [(1,)]
    ended()
    with engine.transaction() as connection:
        assert connection.execute(sa.text("select 1")).scalar() == 1
    ended()
    assert is_whole("ses_x") == 1
    log.note(ACTOR, "signed_out")
    assert is_whole("ses_x") == 2


# --------------------------------------------------------------------------------------------------------------- runs


def test_all_chains_of_a_company_at_work_are_whole_and_fold_to_their_rows(company: Company) -> None:
    done, live = company.finished("1"), company.at("rate", "2", by="tom")
    runs.save(company.tom, live, revision=company.told(live, "tom")["revision"])
    chains = every_chain()
    assert {done, live, "sys:config"} <= set(chains)
    assert sum(is_whole(chain) for chain in chains) == len([1 for chain in chains for _ in stored(chain)])
    for run_id in (done, live):
        loaded = load(run_id, whole=True)
        assert loaded is not None
        assert fold(as_event(event) for event in events_of(run_id)).attempts == loaded.run.attempts
        assert loaded.head == stored(run_id)[-1][0]


def test_an_erased_subject_leaves_every_proof_and_the_run_that_can_be_told(company: Company) -> None:
    run_id = company.finished("1")
    runs.abort(
        company.tom,
        other := company.at("note", "2", by="tom"),
        revision=company.told(other, "tom")["revision"],
        reason="Of Tore.",
    )
    before, texts = stored(run_id), company.told(run_id)
    with hot_engine().connect() as connection:
        subject = connection.execute(
            sa.select(tables.run.c.subject).where(tables.run.c.id == run_id)
        ).scalar_one()
        connection.execute(sa.delete(tables.subject).where(tables.subject.c.id == subject))
    subjects.forget(subject)
    assert stored(run_id) == before
    assert is_whole(run_id) == len(before)
    for event in events_of(run_id):
        names = set(event.body["data"]["sealed"])
        assert (set(event.sealed), event.missing) == (set(), dict.fromkeys(names, "erased")), event.type
    then = fold(as_event(event) for event in events_of(run_id))
    assert (then.status, then.seq, then.ending) == ("completed", len(before), "Approved")
    assert [(each.step, each.status) for each in then.attempts.values()] == [
        (each["step"], each["status"]) for each in texts["attempts"]
    ]
    for at in range(1, len(before) + 1):
        told = runs.replay(company.rosa, run_id, at)
        assert told.json["at"] == at
        assert "Looked at it." not in str(told.json["run"]["context"])
        assert all(tick["sentence"] for tick in told.ticks)
    assert events_of(other)[-1].values == {"reason": "Of Tore."}, "who is not erased stays readable"
    assert company.told(other, "tom")["reason"] == "Of Tore."
    assert runs.find(company.olivia)[0], "lists go on"
    assert company.started("1"), "and the record may have a new run, under a key of its own"


# ------------------------------------------------------------------------------------------------------------ subjects


def test_what_is_wrapped_opens_in_its_own_place_only(clean: object) -> None:
    wrapped = subjects.wrap(b"secret", "data_source|url|src_1")
    assert subjects.unwrap(wrapped, "data_source|url|src_1") == b"secret"
    assert wrapped != subjects.wrap(b"secret", "data_source|url|src_1"), "a nonce of its own"
    flipped = bytes([wrapped[0] ^ 1]) + wrapped[1:]
    for what, sealed, about in [
        ("another row", wrapped, "data_source|url|src_2"),
        ("another column", wrapped, "data_source|name|src_1"),
        ("no place", wrapped, ""),
        ("another nonce", flipped, "data_source|url|src_1"),
        ("cut short", wrapped[:-1], "data_source|url|src_1"),
        ("longer", wrapped + b"x", "data_source|url|src_1"),
    ]:
        with pytest.raises(subjects.Unreadable):
            subjects.unwrap(sealed, about)
        assert what


def test_values_moved_between_events_or_subjects_do_not_open(clean: object) -> None:
    one, other = subjects.subject_of("customer", "1"), subjects.subject_of("customer", "2")
    assert one != other
    assert subjects.subject_of("customer", "1") == one
    _, nonce, sealed = subjects.seal(one, "event-1", {"a": 1})
    assert subjects.unseal(one, "event-1", nonce, sealed) == {"a": 1}
    for whose, about in [(one, "event-2"), (other, "event-1"), (other, "event-2")]:
        with pytest.raises(subjects.Unreadable):
            subjects.unseal(whose, about, nonce, sealed)
    with hot_engine().connect() as connection:  # somebody with the database swaps the keys of two subjects
        table = tables.subject
        keys = {row.id: row.wrapped for row in connection.execute(sa.select(table.c.id, table.c.wrapped))}
        connection.execute(sa.update(table).where(table.c.id == one).values(wrapped=keys[other]))
    subjects.forget(one)
    with pytest.raises(subjects.Unreadable, match="master key"):
        subjects.unseal(one, "event-1", nonce, sealed)


def test_a_subject_is_made_once_by_many_at_once_and_its_key_ends_with_its_row(clean: object) -> None:
    found: list[str] = []
    assert together(*[lambda: found.append(subjects.subject_of("customer", "9"))] * 8) == [None] * 8
    assert len(set(found)) == 1
    _, nonce, sealed = subjects.seal(found[0], "x", "value")
    subjects.load(found)
    with hot_engine().connect() as connection:
        connection.execute(sa.delete(tables.subject))
    subjects.load(["sub_of_nobody"])
    subjects.forget(found[0])
    for act in (
        lambda: subjects.unseal(found[0], "x", nonce, sealed),
        lambda: subjects.seal(found[0], "x", "more"),
    ):
        with pytest.raises(subjects.Unreadable, match="erased"):
            act()
    assert subjects.subject_of("customer", "9") != found[0]
    assert subjects.ref("customer", "9") == "rec_" + subjects.subject_of("customer", "9").removeprefix("sub_")


def test_many_keys_come_with_one_statement_and_what_is_kept_is_bounded(
    clean: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [subjects.subject_of("customer", str(number)) for number in range(30)]
    for subject in made:
        subjects.forget(subject)
    sent: list[str] = []

    def counted(statement: str, *parameters: Any) -> list[Any]:
        sent.append(statement)
        return fetch(statement, *parameters)

    monkeypatch.setattr(subjects, "fetch", counted)
    subjects.load(made)
    subjects.load(made)
    for subject in made:
        subjects.seal(subject, "x", 1)
    assert len(sent) == 1
    monkeypatch.setattr(subjects, "KEPT_MOST", 10)
    for subject in made:
        subjects.forget(subject)
    subjects.load(made)
    assert len(subjects._kept) <= 10


def test_the_subject_of_a_person_is_kept_until_it_is_forgotten(company: Company) -> None:
    person = company.olivia.id
    first = subjects.of_person(person)
    assert subjects.of_person(person) == subjects.subject_of("person", person) == first
    fetch("delete from console.subject where id = %s returning 1", (first,))
    subjects.forget(first)
    assert subjects.of_person(person) != first
