"""Every kind of event has a sentence that is true with nothing known, with everything known, and whatever people typed."""

from typing import Any

from hypothesis import given, strategies as st

from console.core.events import KINDS
from console.formats.sentences import LONGEST_NAME, SENTENCES, Names, actor_name, one_line, sentence
from tests.tables import cases

NAMES = Names(
    people={"usr_1": "Olivia Kask", "usr_2": "Tom Berg", "usr_3": "Mona {0} Lind"},
    workflows={"wf_1": "KYC review"},
    steps={
        ("wf_1", 2, "decide"): "Operator decision",
        ("wf_1", 2, "load"): "Load the customer",
        ("wf_1", 3, "decide"): "Later wording",
    },
    collections={"customer": "Customer", "iban_check": "IBAN check"},
    actions={"customer.charge": "Refund the charge"},
    records={("customer", "18"): "Northwind Trading Ltd"},
    fields={("customer", "accounts_open"): "Open accounts"},
    workspaces={"refund-desk": "Refund desk"},
    segments={("customer", "overdue"): "Review {0} overdue"},
)


def body(kind: str, opened: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A body of version 1 as the log keeps it."""
    return {
        "v": 1,
        "id": "0193463c-0000-7000-8000-000000000001",
        "type": kind,
        "actor": {
            "kind": "user",
            "id": "usr_1",
            "session": "ses_1",
            "team": "operations",
            "roles": ["operator"],
        },
        "wf": {"id": "wf_1", "version": 2, "hash": "00"},
        "step": {"id": "decide", "attempt": 1},
        "target": {"source": "fernwick_core", "coll": "customer", "key": "17"},
        "data": {"open": opened or {}, "sealed": {"reason": "ab" * 32}},
    } | more


def test_registry_and_sentences_name_the_same_kinds() -> None:
    lacking, spare = sorted(set(KINDS) - set(SENTENCES)), sorted(set(SENTENCES) - set(KINDS))
    assert not lacking, (
        f"SENTENCES in console/formats/sentences/event_sentences.py wants a sentence for {', '.join(lacking)}"
    )
    assert not spare, (
        f"SENTENCES in console/formats/sentences/event_sentences.py has {', '.join(spare)}, and there is no such kind"
    )


@cases("kind", KINDS)
def test_every_kind_reads_well_with_nothing_known(kind: str) -> None:
    bare = sentence({"type": kind})
    assert bare
    assert not bare.endswith((" ", ".", ":", ","))
    assert not any(ugly in bare for ugly in ("  ", "{", "}", "None", "“”", "()"))
    assert bare[0].isupper()


@cases("kind", KINDS)
def test_every_kind_takes_whatever_its_open_values_are(kind: str) -> None:
    for value in (None, True, 0, "", [], ["a", 1], {"a": 1}, "usr_2"):
        line = sentence(body(kind, dict.fromkeys(KINDS[kind].open, value)), NAMES)
        assert line
        assert "\n" not in line
        assert "None" not in line
        assert "True" not in line


def test_record_has_its_title_where_the_reader_knows_it_and_its_key_elsewhere() -> None:
    assert sentence(body("record_viewed", target={"coll": "customer", "key": "18"}), NAMES).endswith(
        "viewed Northwind Trading Ltd"
    )
    assert sentence(body("record_viewed", target={"coll": "iban_check", "key": "a/b"}), NAMES).endswith(
        "viewed IBAN check a/b"
    )
    assert sentence(body("record_viewed", target={"coll": "new_thing", "key": ""}), NAMES).endswith(
        "viewed new thing"
    )
    long = {"coll": "new_thing", "key": "d9166792-f94f-4173-a3f5-e88c73e93b72"}
    assert sentence(body("record_viewed", target=long), NAMES).endswith("viewed new thing d9166792…")
    assert sentence(body("record_listed", target={"coll": "iban_check", "key": None}), NAMES).endswith(
        "listed IBAN check records"
    )


def test_step_has_the_title_of_the_version_that_ran() -> None:
    later = {"id": "wf_1", "version": 3}
    assert sentence(body("step_shown", wf=later), NAMES) == "Olivia Kask was shown “Later wording”"
    assert (
        sentence(body("step_shown", {"title": "As shown"}, wf={"id": "wf_9", "version": 1}), NAMES)
        == "Olivia Kask was shown “As shown”"
    )
    assert (
        sentence(body("step_shown", step={"id": "ask_bank", "attempt": 3}), NAMES)
        == "Olivia Kask was shown “ask bank” (attempt 3)"
    )


@cases(
    ("actor", "who"),
    [
        ({"kind": "user", "id": "usr_1"}, "Olivia Kask"),
        ({"kind": "user", "id": "usr_gone"}, "usr_gone"),
        ({"kind": "system", "id": "sys_engine"}, "The engine"),
        ({"kind": "system", "id": "sys_cli"}, "The system"),
        ({"kind": "webhook", "id": "trg_1"}, "A webhook"),
        ({}, "Somebody"),
    ],
)
def test_actor_name(actor: dict[str, Any], who: str) -> None:
    assert actor_name(actor, NAMES) == who


def test_key_speaks_for_its_person_and_says_so() -> None:
    assert (
        sentence(body("record_viewed", actor={"kind": "key", "id": "usr_1"}), NAMES)
        == "Olivia Kask (API key) viewed customer 17"
    )


def test_unknown_kind_still_reads() -> None:
    assert sentence(body("lamp_lit"), NAMES) == "Olivia Kask: lamp lit"


def test_sealed_values_are_never_told() -> None:
    told = body("run_aborted")
    told["data"]["sealed"] = {"reason": "secret words"}
    told["values"] = {"reason": "secret words"}
    assert "secret" not in sentence(told, NAMES)


@given(st.text(max_size=300))
def test_names_stay_on_one_line_and_cannot_reorder_or_break_the_sentence(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LONGEST_NAME
    assert not any(ord(char) < 32 or char in "\u202e\u2067\u2028\x7f" for char in line)
    told = sentence(
        body("run_assigned", {"holder": "usr_x"}),
        Names(people={"usr_x": text, "usr_1": text}, workflows={"wf_1": text}),
    )
    assert told.splitlines() == [told]
