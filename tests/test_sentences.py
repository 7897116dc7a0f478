"""Every kind of event has a sentence that is true with nothing known, with everything known, and whatever people typed."""

from typing import Any, get_args

from hypothesis import given, strategies as st

from console.ai.types import Code
from console.core.events import KINDS
from console.sentences import LONGEST_NAME, SENTENCES, Names, actor_name, plain, sentence
from console.sentences.sentence_parts import NO_PROPOSAL
from tests.tables import cases

NAMES = Names(
    people={"usr_1": "Olivia Kask", "usr_2": "Tom Berg", "usr_3": "Mona {0} Lind"},
    workflows={"wf_1": "KYC review"},
    steps={("wf_1", 2, "decide"): "Operator decision", ("wf_1", 2, "load"): "Load the customer", ("wf_1", 3, "decide"): "Later wording"},
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
        "actor": {"kind": "user", "id": "usr_1", "session": "ses_1", "team": "operations", "roles": ["operator"]},
        "wf": {"id": "wf_1", "version": 2, "hash": "00"},
        "step": {"id": "decide", "attempt": 1},
        "target": {"source": "fernwick_core", "coll": "customer", "key": "17"},
        "data": {"open": opened or {}, "sealed": {"reason": "ab" * 32}},
    } | more


def test_registry_and_sentences_name_the_same_kinds() -> None:
    lacking, spare = sorted(set(KINDS) - set(SENTENCES)), sorted(set(SENTENCES) - set(KINDS))
    assert not lacking, f"SENTENCES in console/sentences/event_sentences.py wants a sentence for {', '.join(lacking)}"
    assert not spare, f"SENTENCES in console/sentences/event_sentences.py has {', '.join(spare)}, and there is no such kind"


@cases("kind", KINDS)
def test_every_kind_reads_well_with_nothing_known(kind: str) -> None:
    bare = sentence({"type": kind})
    assert bare
    assert not bare.endswith((" ", ".", ":", ","))
    assert not any(ugly in bare for ugly in ("  ", "{", "}", "None", "“”", "()"))
    assert bare[0].isupper()


@cases("code", get_args(Code))
def test_why_there_is_no_proposal_is_said_as_people_say_it(code: str) -> None:
    said = sentence(body("proposal_failed", {"code": code}), NAMES)
    assert said.startswith("There is no proposal for “Operator decision”: ")
    assert NO_PROPOSAL[code] in said
    assert len(NO_PROPOSAL[code].split()) > 2, "a sentence, not the code"


@cases("kind", KINDS)
def test_every_kind_takes_whatever_its_open_values_are(kind: str) -> None:
    for value in (None, True, 0, "", [], ["a", 1], {"a": 1}, "usr_2"):
        line = sentence(body(kind, dict.fromkeys(KINDS[kind].open, value)), NAMES)
        assert line
        assert "\n" not in line
        assert "None" not in line
        assert "True" not in line


CASES: list[tuple[str, dict[str, Any], str]] = [
    (
        "call_ended",
        {"outcome": "answered", "unknown_label": True},
        "A call was answered on customer 17, with an answer that its step does not know",
    ),
    ("call_ended", {"outcome": "no_answer"}, "A call was not answered on customer 17"),
    ("call_ended", {"outcome": "failed"}, "A call could not be made on customer 17"),
    ("run_started", {}, "Olivia Kask started KYC review on customer 17"),
    ("run_saved", {"reason_code": "idle"}, "Olivia Kask saved KYC review on customer 17 for later: nobody had worked on it for a while"),
    (
        "run_cancelled",
        {"reason_code": "parent"},
        "Olivia Kask cancelled KYC review on customer 17: the run that started it no longer waits for it",
    ),
    ("run_cancelled", {"reason_code": "record_gone"}, "Olivia Kask cancelled KYC review on customer 17: the record is gone"),
    ("run_resumed", {}, "Olivia Kask resumed KYC review on customer 17"),
    ("run_taken_over", {"former_holder": "usr_2"}, "Olivia Kask took over KYC review on customer 17 from Tom Berg"),
    ("run_taken_over", {"former_holder": None}, "Olivia Kask took over KYC review on customer 17"),
    ("run_assigned", {"holder": "usr_3"}, "Olivia Kask assigned KYC review on customer 17 to Mona {0} Lind"),
    (
        "run_assigned",
        {"holder": "usr_3", "stands_in_for": "usr_2"},
        "Olivia Kask assigned KYC review on customer 17 to Mona {0} Lind in place of Tom Berg",
    ),
    (
        "absence_changed",
        {"person": "usr_2", "substitute": "usr_3"},
        "Olivia Kask planned an absence of Tom Berg, in whose place stands Mona {0} Lind",
    ),
    ("notice_passed_on", {"person": "usr_2", "substitute": "usr_3"}, "Mona {0} Lind, who stands in, was told what waits for Tom Berg"),
    ("run_escalated", {"inbox": "disputes"}, "Olivia Kask put KYC review on customer 17 into an inbox: disputes"),
    ("event_awaited", {"for": "approval"}, "KYC review on customer 17 waits at “Operator decision” for an approval"),
    ("event_awaited", {"for": "message"}, "KYC review on customer 17 waits at “Operator decision” for what comes of its message"),
    ("step_failed", {"code": "form_needed"}, "“Operator decision” asks a person"),
    ("wait_left", {"code": "timed_out"}, "“Operator decision” waits no longer: timed out"),
    ("approval_decided", {"decision": "reject", "action": "charge.refund"}, "Olivia Kask rejected “Charge refund” on customer 17"),
    ("approval_voided", {"action": "charge.refund"}, "An approval of “Charge refund” on customer 17 became void"),
    ("task_created", {"assignee": "usr_2"}, "Olivia Kask made a task for Tom Berg on customer 17"),
    ("run_completed", {"label": "Approved"}, "Olivia Kask completed KYC review on customer 17: Approved"),
    ("run_failed", {"code": "source_down"}, "KYC review on customer 17 failed: source down"),
    ("step_entered", {}, "KYC review on customer 17 came to “Operator decision”"),
    ("step_completed", {"outcome": "default"}, "Olivia Kask completed “Operator decision”"),
    ("step_completed", {"outcome": "request_more"}, "Olivia Kask completed “Operator decision”: request more"),
    ("step_completed", {"outcome": "default", "handled_manually": True}, "Olivia Kask completed “Operator decision”, handled manually"),
    (
        "outcome_chosen",
        {"outcome": "approve", "label": "Approve", "maker": "rule", "rule": "1 == 1"},
        "A rule chose “Approve” at “Operator decision”",
    ),
    ("step_failed", {"code": "no_rule"}, "No rule applied at “Operator decision”, so a person is asked"),
    ("step_failed", {"code": "asks_person"}, "“Operator decision” asks a person"),
    ("outcome_chosen", {"outcome": "approve", "label": "Approve"}, "Olivia Kask chose “Approve” at “Operator decision”"),
    ("source_opened", {"name": "passport", "page": 2}, "Olivia Kask opened passport, page 2 from “Operator decision”"),
    ("checks_shown", {"n": 3}, "Olivia Kask was shown what rules tell of the documents of “Operator decision”"),
    (
        "step_revised",
        {"target_step": "load", "cancelled": ["a", "b"]},
        "Olivia Kask revised “Load the customer”, which cancelled 2 attempts",
    ),
    ("step_revised", {"target_step": "load", "cancelled": 1}, "Olivia Kask revised “Load the customer”, which cancelled 1 attempt"),
    ("effect_requested", {"effect_kind": "sql_write", "fields": ["e_mail"]}, "Olivia Kask asked for a change (e mail) in customer 17"),
    (
        "effect_requested",
        {"effect_kind": "sql_write", "summary": "Update email"},
        "Olivia Kask asked for a change (Update email) in customer 17",
    ),
    ("effect_succeeded", {"effect_kind": "sql_write", "fields": ["a", "b", "c"]}, "The change (a, b and c) in customer 17 was made"),
    (
        "effect_failed",
        {"fields": list("abcdef"), "code": "record_changed"},
        "The change (a, b, c and 3 more) in customer 17 was refused: record changed",
    ),
    (
        "effect_requested",
        {"effect_kind": "http", "summary": "Refunds the charge"},
        "Olivia Kask asked for a call of another system (Refunds the charge) for customer 17",
    ),
    ("message_asked", {"channel": "email"}, "Olivia Kask asked for an e-mail on customer 17"),
    ("message_sent", {"channel": "call"}, "A call was placed on customer 17"),
    ("message_failed", {"channel": "sms", "code": "not_delivered"}, "An SMS left on customer 17, but did not arrive"),
    ("message_failed", {"channel": "sms", "code": "permanent"}, "An SMS could not be sent on customer 17: permanent"),
    (
        "message_failed",
        {"channel": "sms", "code": "unknown"},
        "An SMS could not be sent on customer 17: it is not known whether the provider took it",
    ),
    ("message_skipped", {"channel": "call", "code": "no_address"}, "A call was not sent on customer 17: there is no telephone number"),
    ("message_skipped", {"channel": "email", "code": "no_consent"}, "An e-mail was not sent on customer 17: there is no consent"),
    ("message_received", {"channel": "sms", "stop": True}, "An SMS came in on customer 17: it asks for no more"),
    (
        "message_outcome_chosen",
        {"channel": "call", "outcome": "no_answer"},
        "Olivia Kask chose in the sandbox that a call was not answered on customer 17",
    ),
    (
        "message_outcome_chosen",
        {"channel": "email", "outcome": "failed"},
        "Olivia Kask chose in the sandbox that an e-mail did not arrive on customer 17",
    ),
    ("consent_withdrawn", {"channels": ["sms"], "source": "record"}, "Olivia Kask noted that consent to SMS is withdrawn on customer 17"),
    ("effect_succeeded", {"effect_kind": "sql_insert"}, "The new record for customer 17 was made"),
    ("effect_unknown", {"effect_kind": "http_call"}, "It is not known whether the change in customer 17 was made"),
    ("effect_settled", {"result": "left"}, "Olivia Kask left what the change in customer 17 should have taken back as it is"),
    ("effect_failed", {"code": "not_begun"}, "The change in customer 17 was not begun, because the one before it was not made"),
    (
        "effect_checked",
        {"result": "unclear"},
        "Olivia Kask asked the other side whether the change in customer 17 was made; it cannot be told",
    ),
    ("effect_settled", {"result": "not_done"}, "Olivia Kask settled whether the change in customer 17 was made: it was not made"),
    ("proposal_made", {"origin": "rules"}, "A proposal for “Operator decision” was made from the rules"),
    ("record_viewed", {}, "Olivia Kask viewed customer 17"),
    ("record_viewed", {"relation": "accounts"}, "Olivia Kask viewed customer 17 (accounts)"),
    ("record_viewed", {"relation": "accounts_open"}, "Olivia Kask viewed customer 17 (open accounts)"),
    ("figures_viewed", {"workspace": "refund-desk"}, "Olivia Kask looked at figures of the workspace Refund desk"),
    ("figures_viewed", {"workspace": "gone"}, "Olivia Kask looked at figures of the workspace gone"),
    (
        "record_listed",
        {"count": 1200, "segment": "overdue"},
        "Olivia Kask listed 1,200 customer records in the segment “Review {0} overdue”",
    ),
    ("record_listed", {"count": 1, "segment": "long_gone"}, "Olivia Kask listed 1 customer record in the segment long gone"),
    (
        "records_exported",
        {"segment": "overdue"},
        "Olivia Kask saved a list of customer records in the segment “Review {0} overdue” to a file",
    ),
    ("record_changed", {"fields": ["email", "phone"]}, "Olivia Kask changed email and phone of customer 17"),
    ("access_refused", {"object": "collection:customer", "act": "read"}, "Olivia Kask was refused “read” on customer 17"),
    ("signed_out", {"reason": "asked"}, "Olivia Kask signed out"),
    ("sign_in_failed", {"person": "usr_2", "reason": "password"}, "Signing in was refused for Tom Berg: wrong password"),
    ("person_removed", {"person": "usr_2"}, "Olivia Kask removed the account of Tom Berg"),
    ("person_invited", {"invitation": "inv_1"}, "Olivia Kask invited somebody"),
    ("person_invited", {"again": True}, "Olivia Kask invited somebody again"),
    ("invitation_ended", {"reason": "revoked"}, "Olivia Kask revoked an invitation"),
    ("team_changed", {"team": "financial_crime"}, "Olivia Kask changed the team financial crime"),
    ("policy_changed", {"added": 2, "removed": 1}, "Olivia Kask changed the rights: 2 rows added and 1 row removed"),
    ("workflow_published", {"version": 4}, "Olivia Kask published the workflow KYC review, version 4"),
    ("source_added", {"name": "crm", "collections": 12}, "Olivia Kask connected the data source crm (12 collections)"),
    ("process_started", {"process": "web", "version": "0.1"}, "A web process started, version 0.1"),
    ("lead_enrolled", {}, "Olivia Kask enrolled customer 17 in KYC review"),
    ("lead_left", {"ending": "exited"}, "Customer 17 left KYC review before its end"),
    ("lead_left", {"ending": "unenrolled"}, "Olivia Kask took customer 17 out of KYC review"),
    ("log_exported", {"format": "csv", "size": 90}, "Olivia Kask exported the activity log as csv (from the first 90 events)"),
]


@cases(("kind", "opened", "line"), CASES)
def test_sentence(kind: str, opened: dict[str, Any], line: str) -> None:
    assert sentence(body(kind, opened), NAMES) == line


def test_refusal_without_a_record_names_what_was_asked_for() -> None:
    refused = body("access_refused", {"object": "activity", "act": "read"}, target=None, wf=None, step=None)
    assert sentence(refused, NAMES) == "Olivia Kask was refused “read” on the activity log"


@cases(("governed", "words"), [("action:customer.charge", "action “Refund the charge”"), ("action:supplier.hold_invoices", "action “Supplier hold invoices”"), ("collection:iban_check", "collection IBAN check"), ("collection:new_thing", "collection new thing"), ("workflow:*", "every workflow"), ("user", "people and teams"), ("unheard_of", "unheard of")])  # fmt: skip
def test_what_was_refused_or_asked_for_is_said_in_words(governed: str, words: str) -> None:
    told = {"object": governed, "act": "read"}
    assert sentence(body("access_refused", told, target=None), NAMES) == f"Olivia Kask was refused “read” on {words}"
    assert sentence(body("access_requested", told, target=None), NAMES) == f"Olivia Kask asked for “read” on {words}"


def test_record_has_its_title_where_the_reader_knows_it_and_its_key_elsewhere() -> None:
    assert sentence(body("record_viewed", target={"coll": "customer", "key": "18"}), NAMES).endswith("viewed Northwind Trading Ltd")
    assert sentence(body("record_viewed", target={"coll": "iban_check", "key": "a/b"}), NAMES).endswith("viewed IBAN check a/b")
    assert sentence(body("record_viewed", target={"coll": "new_thing", "key": ""}), NAMES).endswith("viewed new thing")
    long = {"coll": "new_thing", "key": "d9166792-f94f-4173-a3f5-e88c73e93b72"}
    assert sentence(body("record_viewed", target=long), NAMES).endswith("viewed new thing d9166792…")
    assert sentence(body("record_listed", target={"coll": "iban_check", "key": None}), NAMES).endswith("listed IBAN check records")


def test_step_has_the_title_of_the_version_that_ran() -> None:
    later = {"id": "wf_1", "version": 3}
    assert sentence(body("step_shown", wf=later), NAMES) == "Olivia Kask was shown “Later wording”"
    assert sentence(body("step_shown", {"title": "As shown"}, wf={"id": "wf_9", "version": 1}), NAMES) == "Olivia Kask was shown “As shown”"
    assert sentence(body("step_shown", step={"id": "ask_bank", "attempt": 3}), NAMES) == "Olivia Kask was shown “ask bank” (attempt 3)"


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
    assert sentence(body("record_viewed", actor={"kind": "key", "id": "usr_1"}), NAMES) == "Olivia Kask (API key) viewed customer 17"


def test_unknown_kind_still_reads() -> None:
    assert sentence(body("lamp_lit"), NAMES) == "Olivia Kask: lamp lit"


def test_sealed_values_are_never_told() -> None:
    told = body("run_aborted")
    told["data"]["sealed"] = {"reason": "secret words"}
    told["values"] = {"reason": "secret words"}
    assert "secret" not in sentence(told, NAMES)


@given(st.text(max_size=300))
def test_names_stay_on_one_line_and_cannot_reorder_or_break_the_sentence(text: str) -> None:
    line = plain(text)
    assert len(line) <= LONGEST_NAME
    assert not any(ord(char) < 32 or char in "\u202e\u2067\u2028\x7f" for char in line)
    told = sentence(body("run_assigned", {"holder": "usr_x"}), Names(people={"usr_x": text, "usr_1": text}, workflows={"wf_1": text}))
    assert told.splitlines() == [told]


@cases(
    ("kind", "target", "said"),
    [
        ("tag_added", True, "put the tag “hot” on customer 17"),
        ("tag_added", False, "put the tag “hot” on the run"),
        ("tag_removed", True, "took the tag “hot” away from customer 17"),
        ("tag_removed", False, "took the tag “hot” away from the run"),
    ],
)
def test_a_tag_is_on_the_record_or_on_the_run_without_one(kind: str, target: bool, said: str) -> None:
    told = body(kind, {"tag": "hot"}) if target else body(kind, {"tag": "hot"}, target=None)
    assert sentence(told, NAMES) == f"Olivia Kask {said}"


@cases(
    ("count", "said"),
    [
        (0, "Olivia Kask listed 0 customer records"),
        (1, "Olivia Kask listed 1 customer record"),
        (2, "Olivia Kask listed 2 customer records"),
        (1_234, "Olivia Kask listed 1,234 customer records"),
        (None, "Olivia Kask listed customer records"),
    ],
)
def test_one_record_is_no_records(count: int | None, said: str) -> None:
    opened: dict[str, Any] = {"count": count} if count is not None else {}
    assert sentence(body("record_listed", opened, target={"source": "s", "coll": "customer", "key": None}), NAMES) == said


def test_records_of_no_known_collection_are_counted_too() -> None:
    assert sentence(body("record_listed", {"count": 1}, target=None), NAMES) == "Olivia Kask listed 1 record"
    assert sentence(body("record_listed", {}, target=None), NAMES) == "Olivia Kask listed records"


@cases(
    ("opened", "said"),
    [
        ({"collection": "iban_check", "page": "2"}, "opened IBAN check, page 2 from “Operator decision”"),
        ({"collection": "customer", "name": "file_path"}, "opened customer from “Operator decision”"),
        ({"collection": "customer", "name": "scan.pdf"}, "opened customer from “Operator decision”"),
        ({"name": "scan.pdf", "page": "1"}, "opened scan.pdf, page 1 from “Operator decision”"),
        ({"collection": "not_known"}, "opened not known from “Operator decision”"),
        ({"what": "The register extract", "collection": "customer"}, "opened The register extract from “Operator decision”"),
        ({}, "opened a source from “Operator decision”"),
    ],
)
def test_what_was_opened_is_called_as_its_collection_is(opened: dict[str, Any], said: str) -> None:
    made = sentence(body("source_opened", opened), NAMES)
    assert made in (f"Olivia Kask {said}", f"Olivia Kask {said}".replace("opened customer from", "opened scan.pdf from"))
