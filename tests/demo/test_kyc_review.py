"""The KYC review of the demo to its ends: what people decide, what then stands in the bank's own tables, in the log and in the replay."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from flask import g

from console import runs
from console.activity import sequencing
from console.core.errors import ConsoleError, Invalid, NotAllowed, NotFound
from console.demo import stories
from console.formats import Look
from console.infra import jobs
from console.infra.db.engine import fetch
from console.views import blocks as drawn
from console.views.runs import case_file
from console.work import approvals
from tests.conftest import web_app
from tests.demo.reviewing import ANA, HALCYON, YURI, House, house, loaded_house
from tests.jobs import do
from tests.messaging.messages.reached import clock
from tests.servers.model import Server
from tests.support.four_eyes import whole

__all__ = ["house", "loaded_house"]

pytestmark = pytest.mark.slow


def options(told: dict[str, Any]) -> list[str]:
    return [option["value"] for option in told["current"]["outcomes"]]


def form(told: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["value"] for field in told["current"]["form"]["fields"]}


def test_k1_an_expired_passport_is_found_by_rule_and_its_owner_is_asked(house: House) -> None:
    run_id = house.start(stories.ADAEZE)
    told = house.walk(run_id, "check_docs")
    found = [
        runs.get(house.people["olivia"], run_id, item["key"]).json
        for item in told["current"]["progress"]["items"]
    ]
    judged = {
        seen["current"]["progress"]["key"]: (form(seen)["document_status"], form(seen)["because"])
        for seen in found
    }
    passport = next(key for key, said in judged.items() if said == ("rejected", "expired"))
    assert house.sql("select doc_type::text from kyc_document where id = %s", int(passport)) == [
        ("passport",)
    ]
    house.answer(run_id, item=passport, document_status="rejected", because="expired")
    assert house.sql("select status::text, reject_code from kyc_document where id = %s", int(passport)) == [
        ("rejected", "expired")
    ]
    told = house.walk(run_id, "ask_customer")
    assert (form(told)["missing_documents"], options(told)) == (["identity"], ["ask", "stop"])
    told = house.answer(run_id, outcome="ask")
    assert form(told)["wanted"] == ["identity"]
    told = house.answer(run_id, wanted=["identity"], letter="Your passport, please.")
    assert house.customer(stories.ADAEZE, "kyc_status::text") == ("pending_documents",)
    assert "Your passport, please." in house.screen(run_id)["text"]
    told = house.answer(run_id, outcome="write", to=form(told)["to"])
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "documents")
    whole(run_id)


def test_k1_without_the_document_an_operator_can_only_refuse_and_a_lead_may_set_a_condition(
    house: House,
) -> None:
    run_id = house.start(stories.PLAIN[4])
    told = house.walk(run_id, "check_docs")
    while told["current"]["step"] == "check_docs":
        told = house.answer(run_id, document_status="rejected", because="unreadable")
    told = house.walk(run_id, "decide")
    assert options(told) == ["reject", "escalate"]
    said = house.screen(run_id)["text"]
    assert all(
        words in said for words in ("The names were not screened", "Not screened", "Not looked for")
    ), "what never happened is said"
    told = house.answer(run_id, outcome="reject", reject_code="cdd_impossible")
    assert (told["status"], told["current"]["waiting"]["for"]) == ("waiting_event", "approval")
    house.decide(run_id, "mona", "reject", "Ask once more")
    told = house.told(run_id)
    assert (told["status"], told["current"]["step"]) == ("waiting_person", "apply")
    assert "revise" in runs.get(house.people["olivia"], run_id).can
    assert house.customer(stories.PLAIN[4], "kyc_status::text") != ("rejected",)
    whole(run_id)


def test_k2_a_true_match_restricts_at_once_and_only_the_desk_decides(house: House) -> None:
    run_id = house.start(stories.JURIJ)
    told = house.walk(run_id, "hits")
    assert "Караваев Юрий Алексеевич" in house.screen(run_id)["text"]
    [compared] = [block for block in house.blocks(run_id) if block["block"] == "comparison"]
    assert float(compared["match"]["value"]["value"]) >= 0.9
    told = house.answer(run_id, verdict="true_match")
    while told["current"]["step"] == "hits":
        told = house.answer(run_id)
    assert house.customer(stories.JURIJ, "restriction_code::text") == ("review",)
    assert set(house.sql("select status::text from account where customer_id = %s", stories.JURIJ)) <= {
        ("restricted",),
        ("closed",),
    }
    told = house.walk(run_id, "decide")
    assert options(told) == ["escalate"]
    runs.revise(
        house.people["olivia"], run_id, revision=None, step="check_docs", attempt=None, reason="Look again"
    )
    told = house.walk(run_id, "hits")
    assert told["current"]["step"] == "hits", "the match stands, and is not lost with what was done before"
    house.answer(run_id, verdict="true_match")
    told = house.walk(run_id, "decide")
    assert options(told) == ["escalate"]
    told = house.answer(run_id, outcome="escalate", reason="On the list")
    assert (told["status"], told["holder"], told["ticket"]["inbox"]) == (
        "waiting_person",
        None,
        "compliance-desk",
    )
    with pytest.raises(ConsoleError):
        runs.take_over(house.people["tom"], run_id, revision=told["revision"])
    runs.take_over(house.people["malik"], run_id, revision=told["revision"])
    assert options(house.told(run_id, "malik")) == ["reject", "send_back"]
    house.answer(run_id, "malik", "reject", reject_code="sanctions")
    house.walk(run_id, None, "malik")
    assert house.customer(stories.JURIJ, "kyc_status::text", "risk_band::text") == ("rejected", "prohibited")
    assert house.told(run_id, "rosa")["status"] == "completed"
    assert "approval_requested" not in house.events(run_id)
    whole(run_id)


def test_k3_who_cleared_a_sanctions_hit_does_not_confirm_it(house: House) -> None:
    house.sql(
        "update screening_hit set status = 'open', reason_code = null, score = 0.930 where id in (select hit_id from customer_hit where customer_id = %s)",
        YURI,
    )
    run_id = house.start(YURI)
    told = house.walk(run_id, "hits")
    while (
        told["current"] is not None
        and told["current"]["step"] == "hits"
        and told["status"] == "waiting_person"
    ):
        told = house.answer(
            run_id,
            verdict="false_positive",
            because="name_only_common",
            compared=["birth_date", "id_number"],
            remark="Born 1991",
        )
    assert told["current"]["waiting"]["for"] == "approval"
    key = told["current"]["waiting"]["key"]
    cleared, compared = (
        drawn.with_words(dict(block), Look()) for block in approvals.get(house.people["tom"], key).content
    )
    told_of = ("Only a common name agrees", "compared: Date of birth, Number of a document. Born 1991")
    assert [(one["figure"], one["remark"]) for one in cleared["facts"]] == [told_of]
    assert [(line["label"].partition(",")[0], line["verdict"]) for line in compared["lines"]] == [
        ("Name", "same"),
        ("Date of birth", "differs"),
        ("Place of birth", "unknown"),
        ("Nationality", "same"),
    ]
    with pytest.raises(NotAllowed) as refused:
        runs.approve(house.people["olivia"], key)
    assert refused.value.code == "separation_of_duties"
    house.decide(run_id, "tom")
    found = house.sql(
        "select status::text, cleared_by, second_by is not null from screening_hit where id in (select hit_id from customer_hit where customer_id = %s)",
        YURI,
    )
    assert set(found) == {("false_positive", "Olivia Petrauskaitė", True)}
    house.walk(run_id, "decide")
    told = house.answer(run_id, outcome="approve")
    assert told["current"]["waiting"]["for"] == "approval"
    key = told["current"]["waiting"]["key"]
    with pytest.raises(NotAllowed):
        runs.approve(house.people["olivia"], key)
    asked = approvals.get(house.people["mona"], key)
    said = json.dumps(
        [drawn.with_words(dict(block), Look(people=asked.line.names)) for block in asked.content], default=str
    )
    assert "Confirmed by Tom Jansen" in said, "the lead is asked because a hit was cleared"
    assert "compared: Date of birth, Number of a document" in said
    changes = {change["name"]: change for change in asked.changes}
    assert (
        "new" in changes["last_reviewed_at"],
        changes["next_review_at"]["new"] != changes["next_review_at"]["old"],
    ) == (True, True)
    assert "kyc_status" not in changes, "approved it was before"
    house.decide(run_id, "mona")
    house.walk(run_id, None)
    assert house.customer(YURI, "kyc_status::text") == ("approved",)
    whole(run_id)


def test_k4_a_company_with_layers_comes_to_fifty_and_needs_more(house: House) -> None:
    run_id = house.start(HALCYON)
    house.walk(run_id, "ownership")
    assert house.screen(run_id)["owners"] == {"Johanna van den Berg": "72 %", "Marek Dvořáček": "28 %"}
    assert house.told(run_id)["status"] == "waiting_person"  # nothing goes by itself any more
    with pytest.raises(Invalid) as caught:
        house.answer(run_id, owners="confirmed", layers=1, in_register="yes", ownership_note=None)
    said = {detail["field"]: detail["reason"] for detail in caught.value.details}
    assert {"60.00", "72.00"} <= set(re.findall(r"[\d.]+\d", said["in_register_because"]))
    assert "3 companies" in said["layers_because"]
    house.walk(run_id, "pep")
    tasks = fetch(
        "select due_on - created_at::date, team from console.task where run = %(run)s", {"run": run_id}
    )
    assert [tuple(row) for row in tasks] == [(14, "operations")]
    house.answer(run_id, pep_status="family", pep_role="Husband of a deputy minister", pep_wealth="Shares")
    told = house.walk(run_id, "edd")
    assert told["current"]["step"] == "edd"
    points = told["context"]["score"]
    factors = ("country", "structure", "sector", "channel", "activity", "pep", "media")
    assert [points[f"points_{name}"] for name in factors] == [1, 3, 1, 3, 1, 2, 0]
    assert (points["score"], points["band"], points["floor"]) == (50, "high", "pep")
    told = house.walk(run_id, "decide")
    told = house.answer(run_id, outcome="approve")
    assert told["current"]["waiting"]["for"] == "approval"
    house.decide(run_id, "mona")
    house.walk(run_id, None)
    assert house.customer(HALCYON, "kyc_status::text", "risk_band::text", "risk_score") == (
        "approved",
        "high",
        50,
    )
    assert house.sql(
        "select score, band::text, floor_reason, points ->> 'structure', approver from risk_assessment where customer_id = %s order by id desc limit 1",
        HALCYON,
    ) == [(50, "high", "pep", "3", "Mona Verbeek")]
    whole(run_id)


def test_what_contradicts_itself_is_refused_before_it_is_done(house: House) -> None:
    house.sql(
        "update screening_hit set status = 'open', reason_code = null where id in (select hit_id from customer_hit where customer_id = %s)",
        HALCYON,
    )
    run_id = house.start(HALCYON)
    told = house.walk(run_id, "hits")
    marek = next(
        item["key"]
        for item in told["current"]["progress"]["items"]
        if _compared(told, item["key"])["kind"] == "pep"
    )
    cleared: dict[str, Any] = {
        "verdict": "false_positive",
        "compared": ["birth_date", "nationality", "birth_place"],
    }
    assert _compared(told, marek)["birth_date"] == _compared(told, marek)["listed_birth_date"] == "1966-09-23"
    with pytest.raises(Invalid) as unknown:
        house.answer(run_id, item=marek, because="birth_place_mismatch", **cleared)
    assert [detail["reason"] for detail in unknown.value.details] == [
        "Not possible: the place of birth is not known on both sides."
    ]
    for because in ("dob_mismatch", "nationality_mismatch"):
        with pytest.raises(Invalid) as caught:
            house.answer(run_id, item=marek, because=because, **cleared)
        (detail,) = caught.value.details
        assert (detail["field"], detail["severity"]) == ("because", "refuse")
        assert detail["reason"].startswith("Not possible")
        assert {"verdict": "true_match", "because": None, "compared": []} in [
            way["set"] for way in detail["ways"]
        ]
    house.answer(run_id, item=marek, verdict="true_match")
    told = house.walk(run_id, "pep")
    with pytest.raises(Invalid) as caught:
        house.answer(run_id, pep_status="none")
    assert [(detail["field"], detail["severity"]) for detail in caught.value.details] == [
        ("pep_status", "refuse")
    ]
    assert "DVOŘÁČEK" in caught.value.details[0]["why"]
    assert (
        house.answer(run_id, pep_status="family", pep_role="Husband", pep_wealth="Shares")["current"]["step"]
        == "media"
    )
    runs.abort(house.people["olivia"], run_id, revision=None, reason="Tried")


def _compared(told: dict[str, Any], key: str) -> dict[str, Any]:
    """What stands on both sides of a hit."""
    found: dict[str, Any] = told["context"]["screen"]["results"]["screening"]["compared"][key]
    return found


def test_k6_a_half_done_review_goes_to_a_colleague_who_may_see_the_customer(house: House) -> None:
    run_id = house.start(HALCYON)
    told = house.walk(run_id, "ownership")
    runs.draft(
        house.people["olivia"],
        run_id,
        step="ownership",
        revision=told["revision"],
        values={"ownership_note": "Half a sent"},
    )
    runs.save(house.people["olivia"], run_id, revision=told["revision"])
    with pytest.raises(NotFound):
        runs.resume(house.people["tom"], run_id, revision=None)
    runs.resume(house.people["mona"], run_id, revision=None)
    told = house.told(run_id, "mona")
    assert (told["current"]["step"], told["current"]["draft"]["values"]["ownership_note"]) == (
        "ownership",
        "Half a sent",
    )
    assert house.events(run_id)[-2:] != []
    runs.abort(house.people["mona"], run_id, revision=told["revision"], reason="Tried")


def test_k12_a_customer_changed_meanwhile_is_screened_again(house: House) -> None:
    run_id = house.start(stories.JURIJ)
    house.sql(
        "update screening_hit set status = 'open', reason_code = null where id in (select hit_id from customer_hit where customer_id = %s)",
        stories.JURIJ,
    )
    assert house.walk(run_id, "hits")["current"]["step"] == "hits"
    for change in ("birth_date = '1991-02-17'", "birth_place = 'Kaunas'"):
        house.sql(f"update customer set {change} where id = %s", stories.JURIJ)
        assert "The customer was changed since the screening" in str(house.screen(run_id)), (
            "said beside what was compared"
        )
        while (told := house.told(run_id))["current"]["step"] == "hits":
            house.answer(run_id)
        assert told["current"]["step"] == "changed", (
            "before a second person is asked to confirm what does not hold any more"
        )
        assert "birth_place" in change or "1967-11-04" in house.screen(run_id)["text"]
        assert house.answer(run_id)["current"]["step"] == "hits"
    assert house.sql(
        "select count(*) from screening_hit join screening_run on run_id = screening_run.id where subject_kind = 'customer' and subject_ref = %s and status = 'open'",
        str(stories.JURIJ),
    ) != [(0,)]
    whole(run_id)


def test_p7_a_review_that_is_taken_back_restores_the_date_of_the_next_one(house: House) -> None:
    number, fields = (
        stories.PLAIN[2],
        ("kyc_status::text", "conditions", "monthly_limit_minor", "last_reviewed_at", "next_review_at"),
    )
    before, run_id = house.customer(number, *fields), house.start(number)
    house.walk(run_id, "decide")
    values = {"conditions": ["monthly_limit"], "monthly_limit": 90_000, "condition_due": "2099-01-01"}
    decided = runs.Submission("decide", None, values, "approve_with_conditions")
    runs.complete(house.people["olivia"], run_id, decided)
    told = runs.get(house.people["olivia"], run_id).json
    assert told["current"]["waiting"]["for"] == "message", "the letter has not left yet"
    assert all(now != then for now, then in zip(house.customer(number, *fields)[1:], before[1:], strict=True))
    made = runs.preview(house.people["olivia"], run_id, "decide").json["effects_done"]
    done = next(each for each in made if each["kind"] == "sql_write")
    runs.revise(
        house.people["olivia"],
        run_id,
        revision=None,
        step="decide",
        attempt=None,
        reason="Wrong file",
        compensate=(done["id"],),
    )
    assert (house.told(run_id)["current"]["step"], house.customer(number, *fields)) == ("decide", before)


def test_k8_while_the_model_is_down_flags_are_ticked_by_hand_and_have_no_references(
    house: House, model: Server
) -> None:
    model.fault("http_529", times=None)
    run_id = house.start(ANA)
    told = house.walk(run_id, "flags")
    do(jobs.PROPOSE, told["current"]["proposal"]["call"])
    told = house.told(run_id)
    found = told["current"]["proposal"]
    assert (found["status"], found["fields"]) == ("failed", [])
    assert found["code"] in (
        "overloaded",
        "timeout",
    )  # on a busy machine the time for the last try is up before its answer
    assert "by hand" in found["message"]
    assert [field["name"] for field in told["current"]["form"]["fields"]] == ["flags", "evidence"]
    values = {"flags": ["doc_expired", "over_expected"], "evidence": "Seen on the passport"}
    runs.complete(
        house.people["olivia"],
        run_id,
        runs.Submission(step="flags", revision=told["revision"], values=values, handled_manually=True),
    )
    told = house.walk(run_id, "decide")
    assert form(told)["red_flags"] == ["doc_expired", "over_expected"]
    assert form(told)["flags_rest_on"].startswith("Flags without references")
    assert "Flags without references: ticked by hand" in json.dumps(house.blocks(run_id)), (
        "where it is decided"
    )
    assert told["context"]["flags"]["missing"] == "handled manually"
    [(status, code)] = fetch(
        "select status, code from console.ai_call where run = %s and step = 'flags'", (run_id,)
    )
    assert (status, code) == ("failed", found["code"])
    whole(run_id)


def test_k5_a_holder_of_exactly_a_quarter_counts_from_the_day_of_the_new_law_and_the_first_replay_still_says_not(
    house: House,
) -> None:
    quarter = "select customer_id, party_id from ownership_effective where percent = 25 order by customer_id limit 1"
    [(customer, party)] = house.sql(quarter)
    [(name,)] = house.sql("select name from party where id = %s", party)
    seen = {}
    for day in (datetime(2027, 7, 9, 10, tzinfo=UTC), datetime(2027, 7, 10, 10, tzinfo=UTC)):
        with clock(day):
            run_id = house.start(customer, "mona")
            house.walk(run_id, "ask_customer", "mona")
            house.answer(run_id, "mona", "go_on", reason="The new extract comes by post.")
            house.walk(run_id, "ownership", "mona")
            [tree] = [block for block in house.blocks(run_id, "mona") if block["block"] == "tree"]
            seen[day.day] = (run_id, drawn.with_words(tree, Look()))
            line = next(row for row in seen[day.day][1]["rows"] if row["name"] == name)
            assert (line["in_all"], line["above"]) == ("25 %", day.day == 10)
    first, last = seen[9][0], runs.replay(house.people["rosa"], seen[9][0]).last
    found = [runs.replay(house.people["rosa"], first, event).json for event in range(1, last + 1)]
    shown = next(
        block
        for told in found
        for block in ((told.get("screen") or {}).get("content") or ())
        if block["block"] == "tree"
    )
    assert [row["above"] for row in drawn.with_words(shown, Look())["rows"] if row["name"] == name] == [
        False
    ], "the rules are those of the day on which the run began"


def test_the_case_file_of_a_plain_review_is_five_pages_with_the_decision_on_the_first(house: House) -> None:
    run_id = house.start(ANA)
    house.walk(run_id, "pep")
    olivia = house.people["olivia"]
    runs.revise(
        olivia, run_id, revision=None, step="check_docs", attempt=None, reason="The wrong page was read"
    )
    assert house.walk(run_id, None)["status"] == "completed"
    sequencing.sequence_and_sign()
    with web_app().test_request_context():
        g.actor = olivia
        content = case_file.send_case_file(olivia, run_id, "pdf").data
    paper = pypdfium2.PdfDocument(content)
    texts = [" ".join(page.get_textpage().get_text_range().split()) for page in paper]
    assert len(texts) <= 5
    for words in ("Decision Approve", "By Olivia", "Risk band Low", "Open points"):
        assert words in texts[0], words
    text = " ".join(texts)
    assert "Reason: The wrong page was read" in text
    assert text.count("What adds to Risk score") == 1
