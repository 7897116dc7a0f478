"""Every call of the API as its example sends it: under keys that leave the rest out, and sent twice under one idempotency key."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from console import runs, workflows
from console.auth import access, accounts
from console.auth.access import Scopes, casbin_agreement
from console.auth.access.rows import kind_of
from console.core.errors import NotFound
from console.core.run.state import FINAL
from console.infra.db.engine import fetch
from console.operations import erasure
from tests.company import Company
from tests.conftest import Companies, web_app
from tests.views.test_api_examples import Bench, Scene, exemplary, scenes
from tests.views.test_two_judges import OVER_PAGES, alarms_written

pytestmark = pytest.mark.slow

OWN = {
    "getMe": "who the key belongs to",
    "getWorkspace": "texts and places of a page; what stands in them is judged",
    "listWorkspaces": "the same",
}
"""Calls that answer whoever has a key, and what they tell."""
OF_CUSTOMERS = {"collection", "run_id", "approval_id", "file_id", "export_id"}
"""Parts of addresses that lead to a customer here."""
OF_WORKFLOWS = {"workflow_id", "run_id", "approval_id", "review_id"}
"""Parts of addresses that lead to a workflow here."""
EACH_FOR_ITSELF = {
    "assignTickets": "each ticket is answered for itself, as it stands now",
    "unassignTickets": "the same",
    "moveWork": "each piece of work is answered for itself, as it is now",
    "enrolLeads": "each lead is answered for itself",
    "dryRunWorkflow": "does nothing",
    "testConnection": "the system is asked each time",
    "testConnector": "the system is asked each time",
}
"""POSTs whose repeat is no replay of one answer."""
ONLY_TOLD = {
    "abortRun",
    "askAboutRun",
    "assignRun",
    "changeDraft",
    "completeStep",
    "dryRunWorkflow",
    "escalateRun",
    "getApproval",
    "getDraft",
    "getFileContent",
    "getPublishingReview",
    "getRun",
    "getQuestionAboutRun",
    "getRunChecks",
    "listQuestionsAboutRun",
    "listMessages",
    "lookAgain",
    "moveWork",
    "previewPublishing",
    "redoDraft",
    "releaseRun",
    "resumeRun",
    "reviseRun",
    "saveRun",
    "sendFile",
    "snoozeRun",
    "takeNextTicket",
    "takeTicket",
    "undoDraft",
}
"""Calls that need no dangerous act, and tell in their answer which one the caller may do."""
NO_CHANGES = "record_viewed|log_read|access_refused|key_created"
"""Events of looks, of refusals and of this test's own keys."""


class Narrowed:
    """Sends examples under a key of the same person that leaves something out."""

    def __init__(self, bench: Bench, scopes: Scopes) -> None:
        self.bench, self.scopes = bench, scopes
        self.keys: dict[str, str] = {}

    def __call__(self, name: str, who: str, scene: Scene) -> Any:
        if who not in self.keys:
            self.keys[who] = accounts.create_key(
                "narrow", self.bench.house.people[who].id, scopes=self.scopes
            ).text
        return self.bench.send(name, who, scene, self.keys[who])


@pytest.fixture(name="template_examples", scope="module")
def fixture_template(companies: Companies) -> Company:
    """The company of the examples, furnished once."""
    with companies.furnished("examples") as company:
        return exemplary(company)


@pytest.fixture(name="bench")
def fixture_bench(companies: Companies, template_examples: Company) -> Iterator[Bench]:
    """The examples over a company as if it were made for this test."""
    assert template_examples.people
    with companies.lent("examples") as company:
        yield Bench(web_app(), company)


def prepared(bench: Bench, name: str, scene: Any) -> Scene:
    """What the example needs, as test_api_examples makes it."""
    made: Scene = scene()
    if name == "putDefinition":
        made |= {"slug": workflows.entry(bench.house.mona, made["workflow_id"]).slug}
    return made


def made_since(pos: int) -> list[str]:
    """Kinds of the events that something made or changed since then, in their order."""
    rows = fetch(
        "select convert_from(body, 'UTF8')::jsonb ->> 'type' from console.event where id > %s order by id",
        (pos,),
    )
    return [row[0] for row in rows if not re.fullmatch(NO_CHANGES, row[0])]


def said(answer: Any) -> str:
    """The text of an answer; of a file what can be read as text."""
    return str(answer.get_data().decode("utf-8", "replace"))


def newest() -> int:
    return int(fetch("select coalesce(max(id), 0) from console.event")[0][0])


def test_keys_that_leave_the_rest_out_open_no_call(bench: Bench) -> None:
    """One right, one collection, one workflow: what the key does not include is refused as that which is not there, and nothing is changed.

    The example is sent with the person's whole key at last, and answered as it promises: so what was refused would have been done.
    """
    act = Narrowed(bench, Scopes(acts=frozenset({"label.see"})))
    collection = Narrowed(bench, Scopes(collections=frozenset({"account"})))
    workflow = Narrowed(bench, Scopes(workflows=frozenset({"none-of-these"})))
    wrong: list[tuple[str, ...]] = []
    for name, (who, scene) in scenes(bench).items():
        made, call = prepared(bench, name, scene), bench.calls[name]
        before = newest()
        sent = [("act", act(name, who, made))]
        sent += [("collection", collection(name, who, made))] if OF_CUSTOMERS & set(call.parameters) else []
        sent += [("workflow", workflow(name, who, made))] if OF_WORKFLOWS & set(call.parameters) else []
        for kind, answer in sent:
            empty = (
                answer.status_code == 200
                and call.method == "GET"
                and answer.is_json
                and answer.get_json().get("data") == []
            )
            good = answer.status_code in (403, 404) or empty or name in OWN
            wrong += [] if good else [(name, kind, str(answer.status_code), answer.text[:80])]
        changed = made_since(before)
        wrong += [(name, "changed", *changed)] if changed else []
        wrong += [(name, "whole", fault) for fault in bench.check(name, who, made)]
    assert wrong == []


def test_what_casbin_refuses_no_call_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index allows each example and Casbin no dangerous act: what takes one is refused, and changes nothing."""
    every: set[tuple[str, str]] = set()
    wrong: list[tuple[Any, ...]] = []
    for name, (who, scene) in scenes(bench).items():
        made, asked = prepared(bench, name, scene), set[tuple[str, str]]()

        def refused(
            _: object, question: casbin_agreement.Question, asked: set[tuple[str, str]] = asked
        ) -> bool:
            asked.add((kind_of(question.obj), question.act))
            return False

        before = newest()
        with monkeypatch.context() as casbin:
            casbin.setattr(casbin_agreement, "allowed", refused)
            answer = bench.send(name, who, made)
            alarms_written()
        every |= asked
        done = answer.status_code < 400 or [kind for kind in made_since(before) if kind != "rights_disagreed"]
        wrong += (
            [(name, answer.status_code, *sorted(asked))] if asked and done and name not in ONLY_TOLD else []
        )
        wrong += [(name, answer.status_code)] if name in ONLY_TOLD and not asked else []
    assert wrong == []
    of_messages = {("collection", "message")}  # test_single_messages has contacts
    assert (
        every | of_messages | {(kind_of(obj), act) for obj, act in OVER_PAGES} >= casbin_agreement.DANGEROUS
    )


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        (Scopes(collections=frozenset({"account"})), ("@customers.example", "Adaeze", "Customer 2")),
        (
            Scopes(workflows=frozenset({"none-of-these"})),
            ("Care review", "KYC review", "kyc-review", "Rate the risk"),
        ),
        (
            Scopes(acts=frozenset({"collection.browse", "workflow.start"})),
            ("@customers.example", "KYC review", "Rate the risk"),
        ),
    ],
    ids=["one collection", "no workflow", "two acts"],
)
def test_no_read_of_a_narrowed_key_holds_a_word_of_what_it_leaves_out(
    bench: Bench, scopes: Scopes, words: tuple[str, ...]
) -> None:
    """Lists, files and counts too: not only the address that names it. What documents of workflows say of collections is theirs, the log is the auditor's."""
    narrow, leaks, spoken = Narrowed(bench, scopes), [], set()
    of_setup = {"findEvents", "exportEvents"} | (
        {"getCollection", "listCollections"} if scopes.acts else set()
    )
    for name, (who, scene) in scenes(bench).items():
        if bench.calls[name].method != "GET" or name in of_setup:
            continue
        made = prepared(bench, name, scene)
        answer = narrow(name, who, made)
        leaks += [(name, word) for word in words if word in said(answer)]
        spoken |= {word for word in words if word in said(bench.send(name, who, made))}
    assert leaks == []
    assert spoken, "the whole key is told these words"


def test_every_writing_example_that_is_sent_twice_is_done_once(bench: Bench) -> None:
    """The repeat gets the status of the first answer and says that it is one; the log has nothing more of it."""
    wrong: list[tuple[Any, ...]] = []
    replayed = 0
    for name, (who, scene) in scenes(bench).items():
        if bench.calls[name].method != "POST":
            continue
        made = prepared(bench, name, scene)
        first = bench.send(name, who, made, X_Idempotency_Key=f"twice {name}")
        done = newest()
        again = bench.send(name, who, made, X_Idempotency_Key=f"twice {name}")
        changed = made_since(done)
        wrong += [(name, "changed", changed)] if changed and name not in EACH_FOR_ITSELF else []
        if first.status_code >= 400 or name in EACH_FOR_ITSELF:
            wrong += (
                []
                if again.status_code == first.status_code
                else [(name, first.status_code, again.status_code)]
            )
            continue
        told = again.headers.get("X-Idempotency-Replayed")
        replayed += told == "true"
        same = (again.status_code, told) == (first.status_code, "true")
        wrong += [] if same else [(name, first.status_code, again.status_code, told, again.text[:100])]
    assert wrong == []
    assert replayed > 50


def test_a_repeat_after_every_right_was_taken_is_refused(bench: Bench) -> None:
    """Also of calls for many: what was made is read anew, under the rights of now."""
    sent = {}
    for name, (who, scene) in scenes(bench).items():
        if bench.calls[name].method == "POST":
            made = prepared(bench, name, scene)
            if bench.send(name, who, made, X_Idempotency_Key=f"taken {name}").status_code < 400:
                sent[name] = who, made
    assert fetch("delete from console.policy returning 1")
    fetch("update console.version set number = number + 1 where name = 'policy' returning 1")
    access.refresh()
    assert len(sent) > 50
    again = {
        name: bench.send(name, who, made, X_Idempotency_Key=f"taken {name}")
        for name, (who, made) in sent.items()
    }
    assert {
        name: (answer.status_code, said(answer)[:100])
        for name, answer in again.items()
        if answer.status_code not in (403, 404)
    } == {}


def test_a_repeat_after_the_erasure_of_everybody_tells_nothing_of_them(bench: Bench) -> None:
    """Neither what their records say nor a sentence that was sent about them; also of calls for many."""
    sent = {}
    for name, (who, scene) in scenes(bench).items():
        if bench.calls[name].method == "POST":
            made = prepared(bench, name, scene)
            first = bench.send(name, who, made, X_Idempotency_Key=f"erased {name}")
            if first.status_code < 400:
                sent[name] = who, made, said(first)
    people = bench.house.sql("select id, display_name, email from customer")
    words = {str(value) for row in people for value in row[1:] if value}
    told = {name for name, (_, _, first) in sent.items() if any(word in first for word in words)}
    for (run,) in fetch("select id from console.run where status <> all(%s)", (list(FINAL),)):
        runs.cancel(
            bench.house.mona,
            run,
            revision=runs.get(bench.house.mona, run).json["revision"],
            reason="All are erased.",
        )
    for key, *_ in people:
        with suppress(NotFound):  # nothing was ever held about some
            erasure.erase(bench.house.ines, "customer", str(key), "All asked us to.")
    bench.house.sql("delete from customer")  # the company has erased them in its own database too
    assert len(told) > 5
    leaks = []
    for name, (who, made, _) in sent.items():
        answer = said(bench.send(name, who, made, X_Idempotency_Key=f"erased {name}"))
        of_person = OF_CUSTOMERS & set(bench.calls[name].parameters) or {"record", "records", "run"} & set(
            bench.calls[name].operation.example.body or ()
        )
        typed = sentences(made) if of_person else set()
        leaks += [(name, word) for word in sorted(words | typed) if word in answer]
    assert leaks == []


def sentences(value: Any) -> set[str]:
    """Texts of several words in what is sent."""
    if isinstance(value, dict | list | tuple):
        return {
            text
            for each in (value.values() if isinstance(value, dict) else value)
            for text in sentences(each)
        }
    return {value} if isinstance(value, str) and " " in value else set()


def test_one_idempotency_key_of_two_people_is_two_requests(bench: Bench) -> None:
    """Nobody is answered with what another was told under the same words."""
    scene = bench.run
    first, second = scene(), scene(by="mona")
    mine = bench.send("saveRun", "olivia", first, X_Idempotency_Key="shared")
    theirs = bench.send("saveRun", "mona", second, X_Idempotency_Key="shared")
    assert (mine.status_code, theirs.status_code) == (200, 200)
    assert mine.get_json()["id"] == first["run_id"]
    assert theirs.get_json()["id"] == second["run_id"]
    assert "X-Idempotency-Replayed" not in theirs.headers
    stranger = bench.send("saveRun", "stan", first, X_Idempotency_Key="shared")
    assert stranger.status_code == 404
    assert first["run_id"] not in stranger.text
