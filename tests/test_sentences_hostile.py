"""Sentences of events whose ids, titles and open values are anything at all, and the small words that they are made of."""

from typing import Any

from hypothesis import given, strategies as st

from console.core.actor import Actor
from console.core.events import KINDS
from console.errors import (
    Conflict,
    ConsoleError,
    DefinitionError,
    Invalid,
    Malformed,
    NotAllowed,
    NotFound,
    SourceDown,
    TooMany,
)
from console.sentences import Names, actor_name, plain, sentence
from tests.tables import cases

HOSTILE = [
    "{",
    "}",
    "{0}",
    "{who}",
    "{x.__class__}",
    "{!r}",
    "%s",
    "<b>",
    "\x00",
    "\u202e",
    "\u2066x",
    "a\r\nb",
    "\u2028",
    "x" * 2_000,
    "“",
    "  ",
]


def body(kind: str, value: Any, **more: Any) -> dict[str, Any]:
    """An event in which everything that may be open is this value."""
    return {
        "type": kind,
        "actor": {"kind": "user", "id": value},
        "wf": {"id": value, "version": 2},
        "step": {"id": value, "attempt": 2},
        "target": {"coll": value, "key": value},
        "data": {"open": dict.fromkeys(KINDS[kind].open, value)},
    } | more


@cases("kind", KINDS)
@cases("value", HOSTILE, ids=[ascii(text[:10]) for text in HOSTILE])
def test_every_kind_with_every_hostile_value_is_one_line_of_text(kind: str, value: str) -> None:
    names = Names({value: value}, {value: value}, {value: value}, {(value, 2, value): value}, {value: value}, {(value, value): value})
    for known in (Names(), names):
        line = sentence(body(kind, value), known)
        assert line.splitlines() == [line]
        assert len(line) < 900
        assert not any(mark in line for mark in ("\x00", "\u202e", "\u2066", "\u2028"))


@cases("kind", KINDS)
@cases("field", ["actor", "wf", "step", "target", "data"])
def test_every_kind_reads_without_each_part_of_its_body(kind: str, field: str) -> None:
    absent: tuple[Any, ...] = (None, {})
    for missing in absent:
        line = sentence(body(kind, "x", **{field: missing}))
        assert line
        assert "None" not in line
        assert "  " not in line


@given(
    st.sampled_from(list(KINDS)),
    st.text(max_size=30) | st.integers() | st.lists(st.text(max_size=5), max_size=6) | st.none() | st.booleans(),
)
def test_no_open_value_breaks_a_sentence(kind: str, value: Any) -> None:
    told = body(kind, "x") | {"data": {"open": dict.fromkeys(KINDS[kind].open, value)}}
    assert sentence(told).splitlines() == [sentence(told)]


LINES: list[tuple[str, dict[str, Any], str]] = [
    ("run_released", {}, "Ana released the run on customer 17"),
    ("run_aborted", {}, "Ana aborted the run on customer 17"),
    ("run_cancelled", {"reason_code": "expired"}, "Ana cancelled the run on customer 17: the time was up"),
    ("run_timed_out", {}, "The run on customer 17 ran out of time"),
    ("run_completed", {"label": "not_approved"}, "Ana completed the run on customer 17: not approved"),
    ("run_completed", {"label": "default"}, "Ana completed the run on customer 17"),
    ("step_submitted", {"outcome": "updated"}, "Ana handed in “check id” (attempt 2): updated"),
    ("step_reopened", {"code": "record_changed"}, "“check id” (attempt 2) is open again: record changed"),
    ("step_failed", {"code": "source_down"}, "“check id” (attempt 2) could not be done: source down"),
    ("attempt_cancelled", {}, "“check id” (attempt 2) was cancelled"),
    ("timer_set", {"until": "2026-11-21T10:00:00.000000Z"}, "The run on customer 17 waits at “check id”"),
    ("timer_fired", {}, "The run on customer 17 went on from “check id” by itself"),
    ("retry_set", {"code": "source_down", "tries": 2}, "“check id” (attempt 2) could not be done: source down; it is tried again by itself"),
    ("attempt_retried", {}, "Ana tried “check id” again"),
    ("handled_manually", {}, "Ana handled “check id” manually"),
    ("outcome_chosen", {}, "Ana chose an outcome at “check id”"),
    ("source_opened", {"source": "{x}", "page": "{y}"}, "Ana opened {x}, page {y} from “check id”"),
    ("source_opened", {}, "Ana opened a source from “check id”"),
    ("effect_requested", {"effect_kind": "send_mail"}, "Ana asked for a change in customer 17"),
    ("effect_reported", {"code": "timeout"}, "After the run had gone on more was heard of the change in customer 17: timeout"),
    ("effect_reported", {"result": "succeeded"}, "After the run had gone on it became known that the change in customer 17 was made"),
    ("effect_reported", {"result": "failed", "code": "timeout"}, "After the run had gone on it became known that the change in customer 17 was not made: timeout"),
    ("effect_settled", {"result": "done"}, "Ana settled whether the change in customer 17 was made: it was made"),
    ("proposal_requested", {"origin": "model-x"}, "A proposal for “check id” was asked for from model-x"),
    ("proposal_failed", {"code": "timeout"}, "There is no proposal for “check id”: the model did not answer in time"),
    ("record_listed", {"count": 0}, "Ana listed 0 customer records"),
    ("record_viewed", {"tab": "open_items"}, "Ana viewed customer 17 (open items)"),
    ("record_changed", {}, "Ana changed customer 17"),
    ("access_refused", {}, "Ana was refused access to customer 17"),
    ("signed_out", {"reason": "idle"}, "Ana signed out: nobody had worked on it for a while"),
    ("sign_in_failed", {"reason": "throttled"}, "Signing in was refused: too many attempts"),
    ("key_created", {"person": "usr_1"}, "Ana made an API key for Ana"),
    ("key_revoked", {}, "Ana revoked an API key"),
    ("person_created", {"person": "usr_9"}, "Ana entered the account of usr_9"),
    ("person_changed", {}, "Ana changed the account of a person"),
    ("policy_changed", {}, "Ana changed the rights"),
    ("policy_changed", {"added": [1, 2]}, "Ana changed the rights: 2 rows added"),
    ("source_changed", {"source": "src_1", "collections": ["a"]}, "Ana changed the data source src_1 (1 collection)"),
    ("workflow_imported", {"slug": "kyc", "version": 3}, "Ana imported the workflow kyc, version 3"),
    ("process_started", {}, "A process started"),
    ("log_read", {"count": 1}, "Ana read the activity log (1 event)"),
    ("values_expired", {"count": 12_000, "category": "typed_values"}, "12,000 values past the time limit for typed values were deleted"),
    ("values_expired", {}, "Values past the time limit were deleted"),
    ("subject_erased", {"count": 1}, "Ana erased what the log held about a person (1 value)"),
    ("hold_placed", {}, "Ana placed a hold on what is held about a person"),
    ("hold_released", {}, "Ana lifted a hold on what is held about a person"),
    ("backup_made", {"bytes": 5, "size": 3}, "Ana made a backup"),
    ("log_restored", {"size": 9, "lost": 0}, "Ana restored the console from a backup"),
    ("log_restored", {"size": 9, "lost": 1}, "Ana restored the console from a backup (1 event lost)"),
    ("log_restored", {"size": 9, "lost": 2_000}, "Ana restored the console from a backup (2,000 events lost)"),
    ("run_cancelled", {"reason_code": "erased"}, "Ana cancelled the run on customer 17: what was held about the person was erased"),
]  # fmt: skip


def test_what_goes_by_itself_is_handed_in_without_the_end_that_is_only_expected() -> None:
    """A call that is asked for has not been answered yet."""
    told = body("step_submitted", "x") | {"data": {"open": {"outcome": "answered"}}, "actor": {"kind": "system", "id": "sys_engine"}}
    assert sentence(told).startswith("The engine handed in ")
    assert "answered" not in sentence(told)


@cases(("kind", "opened", "line"), LINES, ids=[f"{row[0]}-{number}" for number, row in enumerate(LINES)])
def test_sentences(kind: str, opened: dict[str, Any], line: str) -> None:
    told = {
        "type": kind,
        "actor": {"kind": "user", "id": "usr_1"},
        "step": {"id": "check_id", "attempt": 2},
        "target": {"coll": "customer", "key": 17},
        "data": {"open": opened},
    }
    assert sentence(told, Names(people={"usr_1": "Ana"})) == line


@cases(
    ("text", "line"),
    [("", ""), ("  a \t b ", "a b"), ("a\nb\rc", "a b c"), ("\u202eabc\u2069", "abc"), ("x" * 80, "x" * 80), ("x" * 81, "x" * 79 + "…"),
     ("x" * 78 + " yz", "x" * 78 + "…"), ("\x00\x1f\x7f\x85", ""), ("{a}", "{a}"), ("ä\u0301", "ä\u0301"), ("\u200dx", "\u200dx")],
)  # fmt: skip
def test_plain_text_on_one_line(text: str, line: str) -> None:
    assert plain(text) == line


@cases(
    ("actor", "name"),
    [({"kind": "system", "id": ""}, "The engine"), ({"kind": "system"}, "The engine"), ({"kind": "user", "id": None}, "Somebody"),
     ({"kind": "webhook"}, "A webhook"), ({"kind": "key", "id": "usr_9"}, "usr_9"), ({"kind": "robot", "id": "x"}, "x"),
     ({"kind": "user", "id": "usr_blank"}, "usr_blank"), ({"kind": "system", "id": "usr_1"}, "Ana")],
)  # fmt: skip
def test_what_an_actor_is_called(actor: dict[str, Any], name: str) -> None:
    assert actor_name(actor, Names(people={"usr_1": "Ana", "usr_blank": " \u202e "})) == name


# ----------------------------------------------------------------------------------------------------- errors and actors

ERRORS: list[tuple[type[ConsoleError], int, str]] = [
    (ConsoleError, 400, "error"),
    (Malformed, 400, "malformed"),
    (NotAllowed, 403, "not_allowed"),
    (NotFound, 404, "not_found"),
    (Conflict, 409, "conflict"),
    (Invalid, 422, "invalid"),
    (DefinitionError, 422, "definition"),
    (TooMany, 429, "too_many"),
    (SourceDown, 503, "source_down"),
]


@cases(("kind", "status", "code"), ERRORS, ids=[row[0].__name__ for row in ERRORS])
def test_an_error_has_its_status_and_its_code_and_is_told_as_json(kind: type[ConsoleError], status: int, code: str) -> None:
    detail = {"field": "a", "reason": "b"}
    error = kind("What happened.", details=[detail], run_id="run_1")
    assert error.status == status
    assert error.to_json() == {"code": code, "message": "What happened.", "details": [detail], "run_id": "run_1"}
    assert kind("x", code="other").code == "other"
    assert str(error) == "What happened."
    detail["field"] = "changed"
    assert error.details == [{"field": "a", "reason": "b"}]


def test_what_is_hidden_and_what_is_not_there_are_told_alike() -> None:
    assert NotFound().to_json() == NotFound(hidden=True).to_json()
    assert (NotFound().hidden, NotFound(hidden=True).hidden) == (False, True)
    assert NotAllowed("x", need=("activity", "export")).need == ("activity", "export")


def test_an_actor_in_expressions() -> None:
    roles = frozenset({("operator", "retail"), ("operator", "corporate"), ("auditor", "*")})
    actor = Actor("key", "usr_1", "Ana", "a@b.example", teams=("retail",), roles=roles, tags={"desks": ["x"]}, key_id="key_1")
    assert actor.attributes == {
        "id": "usr_1",
        "email": "a@b.example",
        "name": "Ana",
        "teams": ["retail"],
        "roles": ["auditor", "operator"],
        "tags": {"desks": ["x"]},
    }
    assert actor.role_names == ["auditor", "operator"]
    actor.attributes["tags"]["desks2"] = "y"
    assert actor.tags == {"desks": ["x"]}


def test_a_name_of_endless_length_is_cut() -> None:
    assert plain("x" * 200_000) == "x" * 79 + "…"
