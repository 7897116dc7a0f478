"""Every reference that a person or a program hands in, at every door: it names something that is there for them, or it is refused in the same words."""

import copy
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from console import actions, browse, log, runs, workflows
from console.actions import bulk
from console.auth import access, accounts
from console.automation import enrolments
from console.browse import evidence
from console.core import media
from console.core.errors import ConsoleError
from console.core.forms import FormField, Wrong, cleaned
from console.core.run.origin import StartedBy
from console.documents import requests
from console.infra import files, subjects
from console.infra.db.ids import new_id
from console.runs.commands import attachments
from console.work import questions
from tests.company import DOCUMENT, Company
from tests.papers import asking, pdf
from tests.runs.commands import test_loop
from tests.support.acting import imported
from tests.support.engine import step

pytestmark = pytest.mark.lengthy

WHOSE = {"name": "whose", "label": "Whose", "type": "reference", "collection": "customer"}
PAPER = {"name": "paper", "label": "Paper", "type": "file", "types": ["pdf"]}
PAPERS = {**PAPER, "name": "papers", "type": "files"}
LOOSE = {"name": "loose", "label": "Loose", "type": "json"}
FORM = [WHOSE, PAPER, PAPERS, LOOSE]
ACTION: dict[str, Any] = {
    "format": 1,
    "id": "customer.refer",
    "title": "Refer",
    "collection": "customer",
    "team": "operations",
    "form": [WHOSE],
    "effects": [
        {"kind": "sql_write", "name": "customer", "summary": "Sets the risk", "set": {"risk": "'low'"}}
    ],
}
ROBOT = "robot@fernwick.test"
FOREIGN, ABSENT = "3", "999"  # a corporate customer, and none at all
REFUSED = (
    ABSENT,
    FOREIGN,
    "-1",
    "1 or 1=1",
    "../1",
    "1;",
    "0x1",
    "1\u200b",
    "None",
    "x" * 400,
    "\U0001f600",
    "1.5",
    "[1]",
)
Door = Callable[[Company, Mapping[str, Any]], None]


def _run(company: Company, slug: str, steps: list[dict[str, Any]]) -> str:
    document = {**copy.deepcopy(DOCUMENT), "slug": slug, "title": slug, "steps": steps}
    document["settings"] = {"exclusive": False}
    workflows.import_file(document, publish=True)
    return slug


def _handed_in(company: Company, values: Mapping[str, Any]) -> None:
    slug = _run(
        company,
        "noting",
        [
            step("start", "start", "note"),
            step("note", "update_data", "end", {"form": FORM}),
            step("end", "end", None),
        ],
    )
    run = runs.start(company.tom, slug, "customer", "1")
    told = company.told(run, "tom")
    runs.complete(company.tom, run, runs.Submission(step="note", revision=told["revision"], values=values))


def _begun(company: Company, values: Mapping[str, Any]) -> None:
    runs.start(
        company.tom,
        _run(
            company,
            "beginning",
            [step("start", "start", "end", {"fields": [WHOSE]}), step("end", "end", None)],
        ),
        "customer",
        "1",
        values,
    )


def _answered(company: Company, values: Mapping[str, Any]) -> None:
    asks = {"to": {"people": ["'tom@fernwick.example'"]}, "question": "Whose?", "form": FORM}
    slug = _run(
        company,
        "asking",
        [
            step("start", "start", "ask"),
            {**step("ask", "human_input", None, asks), "next": {"answered": "end"}},
            step("end", "end", None),
        ],
    )
    run = runs.start(company.olivia, slug, "customer", "1")
    question = next(one for one in questions.open_for(company.tom) if one.run == run)
    questions.answer(company.tom, question.id, dict(values), None)


def _acted(company: Company, values: Mapping[str, Any]) -> None:
    actions.perform(company.tom, "customer", "1", ACTION["id"], values)


def _in_bulk(company: Company, values: Mapping[str, Any]) -> None:
    action = next(one for one in bulk.offered(company.tom, "customer") if one.id == ACTION["id"])
    (item,) = bulk.refusal_reasons(
        company.tom, "customer", action, bulk.chosen(company.tom, "customer", action, ["1"], None), values
    )
    if item.why:
        raise AssertionRefused(item.why)


def _supplied(company: Company, values: Mapping[str, Any]) -> None:
    slug = _run(
        company,
        "supplying",
        [
            step("start", "start", "note"),
            step("note", "update_data", "say", {"form": [WHOSE]}),
            step("say", "guidance", "end", {"text": "Read."}),
            step("end", "end", None),
        ],
    )
    run = runs.start(company.tom, slug, "customer", "1")
    runs.complete(
        company.tom,
        run,
        runs.Submission(
            step="note", revision=company.told(run, "tom")["revision"], values={}, handled_manually=True
        ),
    )
    runs.supply(company.tom, run, revision=None, step="note", values=values)


def _changed(company: Company, values: Mapping[str, Any]) -> None:
    browse.change(company.tom, "account", "LT459999900012345678", {"customer_id": values["whose"]}, {})


def _set_in_a_step(company: Company, values: Mapping[str, Any]) -> None:
    document = {
        **copy.deepcopy(DOCUMENT),
        "slug": "moving",
        "title": "Moving",
        "collection": "account",
        "settings": {"exclusive": False},
    }
    document["steps"] = [
        step("start", "start", "move"),
        step("move", "update_data", "end", {"fields": ["customer_id"]}),
        step("end", "end", None),
    ]
    workflows.import_file(document, publish=True)
    run = runs.start(company.tom, "moving", "account", "LT459999900012345678")
    runs.complete(
        company.tom,
        run,
        runs.Submission(
            step="move",
            revision=company.told(run, "tom")["revision"],
            values={"customer_id": values["whose"]},
        ),
    )


def _for_an_account(company: Company) -> str:
    """A workflow that an account runs, which may see everything; whoever starts it may not."""
    head = {
        "format": 1,
        "slug": "robots",
        "title": "Robots",
        "team": "operations",
        "run_as": ROBOT,
        "settings": {"exclusive": False},
    }
    steps = [step("start", "start", "end") | {"config": {"fields": [WHOSE]}}, step("end", "end", None)]
    workflows.import_file(head | {"steps": steps}, publish=True)
    return "robots"


def _begun_by_account(company: Company, values: Mapping[str, Any]) -> None:
    runs.start(company.tom, _for_an_account(company), None, None, values)


def _sent(company: Company, values: Mapping[str, Any]) -> None:
    by = StartedBy("plain", "webhook", None)
    runs.start_hands_off(
        _for_an_account(company), by=by, record=None, values=values, key=new_id("fir"), identity=company.tom
    )


def _led_in(company: Company, values: Mapping[str, Any]) -> None:
    _, (answer,) = enrolments.enrol_leads(company.tom, _for_an_account(company), [values])
    _require_none(answer.reasons)


def _in_rows(company: Company, values: Mapping[str, Any]) -> None:
    batch = enrolments.batches.begin(
        company.tom, _for_an_account(company), enrolments.Question(rows=[values]), preview=True
    )
    company.work()
    refused, _ = enrolments.batches.answers(company.tom, batch.id, status="refused")
    _require_none([reason for answer in refused for reason in answer.reasons])


def _require_none(reasons: Sequence[Mapping[str, Any]]) -> None:
    if reasons:
        raise AssertionRefused(str(reasons), details=list(reasons))


class AssertionRefused(ConsoleError):
    """A bulk or an enrolment that would be refused, with its reason."""


DOORS: dict[str, Door] = {
    "complete": _handed_in,
    "start": _begun,
    "answer": _answered,
    "action": _acted,
    "bulk": _in_bulk,
    "supply": _supplied,
    "patch": _changed,
    "update_data": _set_in_a_step,
    "start for an account": _begun_by_account,
    "webhook": _sent,
    "leads": _led_in,
    "rows": _in_rows,
}


@pytest.fixture(name="house")
def fixture_house(company: Company) -> Company:
    """The company with an action that refers to a customer, and Tom, who may change accounts."""
    imported(ACTION)
    access.grant("operator", "collection:account", ["browse", "read", "update"], team="operations")
    accounts.create_service_account(ROBOT, [("operations_lead", "operations")])
    return company


@pytest.mark.parametrize("door", DOORS)
def test_a_record_that_is_not_there_and_one_out_of_sight_are_refused_alike(house: Company, door: str) -> None:
    told: dict[str, Any] = {}
    for value in REFUSED:
        with pytest.raises(ConsoleError) as refused:
            DOORS[door](house, {"whose": value})
        told[value] = (
            refused.value.message,
            tuple((one["field"].rpartition(".")[2], one["reason"]) for one in refused.value.details),
        )
        assert refused.value.status == 422 or isinstance(refused.value, AssertionRefused), (
            value,
            refused.value,
        )
    assert told[ABSENT] == told[FOREIGN]
    assert evidence.NO_RECORD in str(told[ABSENT])
    DOORS[door](house, {"whose": "2"})


def forged(company: Company, run: str) -> list[Any]:
    """What claims to be a file of this run and is none: invented, of another run, embellished, erased, ill-formed."""
    elsewhere = files.put(
        subjects.subject_of("customer", "2"),
        pdf(),
        "b.pdf",
        ["pdf"],
        run=new_id("run"),
        slot="paper",
        now=log.now(),
        by=company.tom.id,
    )
    gone = files.put(
        subjects.subject_of("customer", "1"),
        pdf(2),
        "c.pdf",
        ["pdf"],
        run=run,
        slot="paper",
        now=log.now(),
        by=company.tom.id,
    )
    files.remove(gone.id)
    invented = {
        "file": new_id("fil"),
        "name": "a.pdf",
        "media_type": "application/pdf",
        "sha256": "ab" * 32,
        "bytes": 9,
    }
    return [
        {"file": "fil_x", "sha256": "ab" * 32},
        {**invented, "file": "fil_x"},
        invented,
        invented["file"],
        elsewhere.value,
        elsewhere.id,
        gone.value,
        gone.id,
        {**elsewhere.value, "name": "d.pdf"},
        {**invented, "file": None},
        {**invented, "bytes": "9"},
        {"file": {"file": "x"}},
        "fil_",
        [[]],
        {},
        7,
        True,
    ]


def test_no_file_is_taken_that_was_not_sent_with_the_run(house: Company) -> None:
    slug = _run(
        house,
        "noting",
        [
            step("start", "start", "note"),
            step("note", "update_data", "end", {"form": FORM}),
            step("end", "end", None),
        ],
    )
    run = runs.start(house.tom, slug, "customer", "1")
    revision = house.told(run, "tom")["revision"]
    for value in forged(house, run):
        for typed in ({"paper": value}, {"papers": [value]}, {"papers": value}):
            with pytest.raises(ConsoleError) as refused:
                runs.complete(house.tom, run, runs.Submission(step="note", revision=revision, values=typed))
            assert refused.value.status == 422, (typed, refused.value)
        nested = {
            "paper": value,
            "papers": [value],
            "loose": {"a": [value]},
            "others": {"x": {"paper": value}},
        }
        runs.draft(house.tom, run, step="note", revision=revision, values=nested)
        draft = house.told(run, "tom")["current"]["draft"]["values"]
        assert not media.holds_any(draft), (value, draft)
        assert not media.ID.search(json.dumps(draft)), (value, draft)
    for value in forged(house, run):
        if media.is_value(value):
            with pytest.raises(ConsoleError) as refused:
                runs.complete(
                    house.tom,
                    run,
                    runs.Submission(step="note", revision=revision, values={"loose": {"a": [value]}}),
                )
            assert refused.value.details[0]["field"] == "loose"
    sent = attachments.attach(house.tom, run, step="note", field="paper", name="a.pdf", content=pdf())
    runs.complete(
        house.tom,
        run,
        runs.Submission(
            step="note",
            revision=revision,
            values={"paper": {**sent.value, "name": "x.pdf", "sha256": "0" * 64}},
        ),
    )
    assert house.told(run, "tom")["context"]["note"]["paper"] == sent.value


def test_a_draft_keeps_what_is_typed_and_the_files_of_its_run(house: Company) -> None:
    run = test_loop.begin(house, {"form": [*test_loop.LOOP["form"], PAPER, LOOSE]})
    revision, first, other = house.told(run)["revision"], "LT459999900012345678", "LT459999900012345679"
    sent = attachments.attach(
        house.olivia, run, step="check", field="paper", name="a.pdf", content=pdf()
    ).value
    typed = {
        "paper": {**sent, "name": "x"},
        "loose": {"file": "notes.txt", "by": [None, sent["file"]]},
        "remark": "fil_",
    }
    planted = {"item": other, "others": {"x": {"item": "x", "remark": "never typed"}}}
    for values in (planted, {"item": first, **typed}):
        runs.draft(house.olivia, run, step="check", revision=revision, values=values)
    draft = house.told(run)["current"]["draft"]["values"]
    assert draft == {"item": first, **typed, "paper": sent, "others": {other: {"item": other}}}


@pytest.mark.parametrize("value", [*REFUSED, "2", "1"])
def test_who_has_a_link_from_outside_names_no_record(house: Company, value: str) -> None:
    run = asking(house, form=[WHOSE, {"name": "said", "label": "Said"}], documents=[])
    page = requests.open_link(
        requests.link(house.olivia, run, "https://console.example").rpartition("/")[2], "192.0.2.1"
    )
    requests.keep(page, {"whose": value, "said": "half"})
    with pytest.raises(ConsoleError) as refused:
        requests.submit(page, {"whose": value, "said": "yes"})
    assert [detail["field"] for detail in refused.value.details] == ["whose"]
    requests.finish(house.olivia, run)
    told = house.told(run)["context"]["note"]
    assert (told["whose"], told["said"]) == (None, "yes")


def test_programs_are_told_labels_and_names_of_what_is_wrong(house: Company) -> None:
    for door in DOORS.values():
        with pytest.raises(ConsoleError) as refused:
            door(house, {"whose": ABSENT})
        assert "look at whose" not in refused.value.message
        assert "customer_id" not in refused.value.message


def test_an_answer_takes_no_file_from_its_sender(house: Company) -> None:
    for value in forged(house, new_id("run")):
        for typed in ({"paper": value}, {"papers": [value]}):
            with pytest.raises(ConsoleError) as refused:
                _answered(house, typed)
            assert refused.value.status == 422


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*media.VALUE, "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(JSON)
@settings(suppress_health_check=list(HealthCheck))
def test_what_is_formed_as_a_file_names_one(value: Any) -> None:
    if media.is_value(value):
        assert media.file_id_of(value) == value["file"]
        with pytest.raises(Wrong):
            cleaned(FormField("a", "A", "json"), value)
    assert media.holds_any([value]) == media.holds_any(value)
    assert not media.is_value(
        {"file": str(uuid.uuid4()), "name": "a", "media_type": "b", "sha256": "c", "bytes": 1}
    )
