"""The KYC review walked without a service: who comes where, what is computed, what is written."""

import copy
from pathlib import Path
from typing import Any

import pytest

from console.core.workflow import Workflow, read
from tests.steps.walk import Walk, as_user, required_empty

KYC: Workflow = read((Path(__file__).parents[2] / "workflows" / "kyc-review.json").read_bytes())
TYPES = {
    "pep_status": "enum",
    "kyc_status": "enum",
    "risk_band": "enum",
    "risk_score": "integer",
    "expected_monthly_minor": "integer",
    "next_review_at": "date",
    "last_reviewed_at": "datetime",
    "restriction_code": "enum",
}
PERSON: dict[str, Any] = {
    "customer_no": "C-10207",
    "kind": "person",
    "display_name": "Ana Silva",
    "residence_country": "PT",
    "channel": "branch",
    "products": ["account"],
    "kyc_status": "expired",
    "risk_band": None,
    "risk_score": None,
    "pep_status": "none",
    "next_review_at": "2026-10-01",
    "last_reviewed_at": None,
    "expected_monthly_minor": 200000,
    "restriction_code": "none",
    "identity_expires_on": "2033-01-01",
}
COMPANY = PERSON | {
    "customer_no": "C-20318",
    "kind": "company",
    "display_name": "Halcyon Harbour Trading B.V.",
    "channel": "remote_document",
    "products": ["account"],
    "sector": "shipping",
}
RELATED: dict[str, list[dict[str, Any]]] = {
    "residence": [{"name": "Portugal", "level": "low"}],
    "activity": [{"n": 12, "ratio_to_expected": "1.10", "countries": ["PT"]}],
    "documents": [{"doc_type": "passport", "issued_on": "2026-10-01", "expires_on": "2033-01-01", "status": "received"}],
    "sector": [],
}
CLEAN: dict[str, Any] = {
    "start": ({"reason": "periodic"}, None),
    "check_docs": ({"checks": ["readable", "in_force"], "document_status": "accepted"}, None),
    "ownership": ({"owners": "confirmed", "layers": 0, "in_register": "yes"}, None),
    "hits": ({"result": "none"}, None),
    "media": ({"sources": ["search_engine", "court_register"], "media_result": "none"}, None),
    "edd": ({"source_of_funds": "salary", "source_of_wealth": "Savings of thirty years", "why_acceptable": "Known for long"}, None),
    "mlro": ({}, "approve"),
}


def walk(
    record: dict[str, Any] | None = None, related: dict[str, Any] | None = None, answers: dict[str, Any] | None = None, *roles: str
) -> Walk:
    made = Walk(KYC, copy.deepcopy(record or PERSON), RELATED | (related or {}), TYPES)
    return as_user(made, *(roles or ("operator",))).to_the_end(copy.deepcopy(CLEAN | (answers or {})))


def people_of(made: Walk) -> list[str]:
    """Steps that asked a person, in the order taken."""
    return [
        step
        for step in made.way
        if KYC.step(step).type in ("update_data", "decision", "guidance")
        or (KYC.step(step).type == "get_data" and KYC.step(step).completion == "manual")
    ]


def test_a_clean_person_is_approved_by_an_operator_alone() -> None:
    made = walk()
    assert made.ended == "approved"
    assert people_of(made) == [
        "documents",
        "check_docs",
        "docs_set",
        "screen",
        "hits",
        "pep",
        "media",
        "purpose",
        "flags",
        "score",
        "suspicion",
        "decide",
        "apply",
        "tell",
    ]
    assert (made.record["kyc_status"], made.record["risk_band"], made.record["risk_score"]) == ("approved", "low", 0)
    assert (made.record["next_review_at"], made.record["last_reviewed_at"]) == ("2031-11-20", "2026-11-20T00:00:00Z")
    assert sorted(made.writes) == ["kyc_status", "last_reviewed_at", "next_review_at", "risk_band", "risk_score"]
    assert made.context["log"]["outcome"] == "approve"


def test_only_what_a_clean_person_needs_is_asked_for() -> None:
    made = walk()
    assert {step: names for step, prompt in made.prompts.items() if (names := required_empty(prompt))} == {
        "start": ["reason"],
        "check_docs": ["document_status"],
        "hits": ["result"],
        "media": ["sources", "media_result"],
    }


def test_a_text_can_be_typed_early_and_people_go_on_without_the_engine_in_between() -> None:
    """Saving half-typed text and handing over is tried there; the two steps after it need nobody but people."""
    made = walk()
    first = next(
        step
        for step in people_of(made)
        if any(field.type in ("text", "long_text") and not field.readonly for field in made.prompts[step].fields)
    )
    assert first == "check_docs"
    assert made.way[made.way.index(first) + 1] == people_of(made)[people_of(made).index(first) + 1] == "docs_set"
    assert made.way[made.way.index("screen") + 1] == "hits"


@pytest.mark.parametrize(
    ("change", "related", "answers", "score", "floor", "band"),
    [
        ({}, {}, {}, 0, "none", "low"),
        ({"channel": "remote_eid"}, {"residence": [{"level": "medium"}]}, {}, 12, "none", "low"),
        (
            {"channel": "partner", "products": ["payouts_cross_border"]},
            {"activity": [{"ratio_to_expected": "5.01"}]},
            {"purpose": ({"explanation": "Sells abroad now"}, None)},
            25,
            "none",
            "medium",
        ),
        ({}, {"activity": [{"ratio_to_expected": "3.80"}]}, {"purpose": ({"explanation": "Sold a house"}, None)}, 10, "none", "low"),
        (
            {},
            {"activity": [{"ratio_to_expected": "3.80"}]},
            {"purpose": ({"explanation": "Earns more now", "expected_monthly_minor": 800000}, None)},
            0,
            "none",
            "low",
        ),
        ({"pep_status": "former"}, {}, {"pep": ({"pep_role": "Mayor", "pep_until": "2020-01-01"}, None)}, 3, "none", "low"),
        ({"pep_status": "pep"}, {}, {"pep": ({"pep_role": "Minister", "pep_wealth": "Salary"}, None)}, 10, "pep", "high"),
        (
            {},
            {},
            {
                "media": (
                    {
                        "sources": ["regulator", "other"],
                        "media_result": "relevant",
                        "stage": ["conviction"],
                        "links": "https://example.org",
                    },
                    None,
                )
            },
            10,
            "media",
            "high",
        ),
        ({}, {"residence": [{"level": "high"}]}, {}, 25, "high_risk_country", "high"),
        ({}, {"residence": [{"level": "prohibited"}]}, {}, 25, "prohibited_country", "prohibited"),
        ({}, {}, {"score": ({"points_country": 3}, None)}, 25, "high_risk_country", "high"),
        ({}, {}, {"score": ({"override_band": "medium", "override_reason": "New kind of business"}, None)}, 0, "none", "medium"),
        (
            {"pep_status": "pep"},
            {},
            {
                "pep": ({"pep_role": "Minister", "pep_wealth": "Salary"}, None),
                "score": ({"override_band": "medium", "override_reason": "Downwards"}, None),
            },
            10,
            "pep",
            "high",
        ),
    ],
)
def test_the_risk_matrix(
    change: dict[str, Any], related: dict[str, Any], answers: dict[str, Any], score: int, floor: str, band: str
) -> None:
    made = walk(
        PERSON | change,
        related,
        answers | ({"decide": ({"reject_code": "outside_appetite"}, "reject")} if band in ("high", "prohibited") else {}),
    )
    assert (made.context["score"]["score"], made.context["score"]["floor"], made.record["risk_band"], made.record["risk_score"]) == (
        score,
        floor,
        band,
        score,
    )
    assert ("edd" in made.way) == (band == "high")


def test_the_company_with_layers_comes_to_exactly_fifty() -> None:
    """Story 4: points 1, 3, 1, 3, 1, 2, 0 give 150 / 3."""
    made = walk(
        COMPANY | {"products": ["account", "payouts_cross_border"], "pep_status": "family"},
        {"residence": [{"level": "medium"}], "sector": [{"name": "Shipping", "points": 1}], "activity": [{"ratio_to_expected": "2.00"}]},
        {
            "ownership": (
                {"owners": "confirmed", "layers": 3, "in_register": "different", "ownership_note": "The register names Johanna only"},
                None,
            ),
            "pep": ({"pep_role": "Husband of a deputy minister", "pep_wealth": "Shares"}, None),
            "decide": ({"reason": "High risk"}, "escalate"),
        },
    )
    points = made.context["score"]
    assert [points[f"points_{name}"] for name in ("country", "structure", "sector", "channel", "activity", "pep", "media")] == [
        1,
        3,
        1,
        3,
        1,
        2,
        0,
    ]
    assert (points["score"], points["risk_band"]) == (50, "high")
    assert [step for step in ("ownership", "edd", "hand_over", "mlro") if step in made.way] == ["ownership", "edd", "hand_over", "mlro"]
    assert made.ended == "approved"
    assert made.record["next_review_at"] == "2027-11-20"


@pytest.mark.parametrize(
    ("documents", "missing"),
    [
        (RELATED["documents"], []),
        ([], ["identity", "proof_of_address"]),
        ([{"issued_on": "2026-08-21"}], ["proof_of_address"]),
        ([{"issued_on": "2026-08-22"}], []),
    ],
)
def test_what_is_missing_is_proposed_by_rule_for_a_person(documents: list[dict[str, Any]], missing: list[str]) -> None:
    made = walk(PERSON, {"documents": documents}, {"ask_customer": ({}, "stop"), "decide": ({"reject_code": "cdd_impossible"}, "reject")})
    assert made.context["docs_set"]["missing_documents"] == missing
    assert (made.context["docs_ok"]["branch"] == "ok") == (missing == [])


def test_documents_are_asked_for_and_looked_at_again() -> None:
    again = ({"document_status": "accepted"}, None)
    made = walk(
        PERSON,
        {},
        {
            "check_docs": [({"document_status": "rejected", "reject_code": "expired"}, None), again],
            "docs_set": [({"missing_documents": ["identity"]}, None), ({"missing_documents": []}, None)],
            "ask_customer": ({}, "ask"),
            "wait_docs": ({}, "received"),
        },
    )
    assert made.way.count("documents") == made.way.count("check_docs") == 2
    assert made.writes[0] == "kyc_status"
    assert made.context["send_request"]["requested"] == ["identity"]
    assert made.ended == "approved"


def test_without_documents_an_operator_can_only_ask_or_stop_and_a_lead_may_go_on() -> None:
    answers: dict[str, Any] = {
        "check_docs": ({"document_status": "rejected", "reject_code": "expired"}, None),
        "decide": ({"reject_code": "cdd_impossible"}, "reject"),
    }
    made = walk(PERSON, {}, answers | {"ask_customer": ({}, "stop")})
    assert [option.value for option in made.prompts["ask_customer"].outcomes] == ["ask", "stop"]
    assert [option.value for option in made.prompts["decide"].outcomes] == ["reject", "escalate"]
    assert (made.ended, made.record["kyc_status"], made.record["next_review_at"]) == ("rejected", "rejected", "2026-10-01")
    answers |= {
        "ask_customer": ({"reason": "The new passport is on its way"}, "go_on"),
        "decide": ({"conditions": ["document_by"], "condition_due": "2026-12-20"}, "approve_with_conditions"),
    }
    made = walk(PERSON, {}, answers, "operations_lead")
    assert [option.value for option in made.prompts["decide"].outcomes] == ["approve_with_conditions", "reject", "escalate"]
    assert (made.ended, made.record["kyc_status"], made.record["next_review_at"]) == ("approved_with_conditions", "approved", "2026-12-20")


def test_an_altered_document_leads_to_the_decision_and_to_no_approval() -> None:
    made = walk(
        PERSON,
        {},
        {
            "check_docs": ({"document_status": "rejected", "reject_code": "suspected_alteration"}, None),
            "decide": ({"reject_code": "false_documents"}, "reject"),
        },
        "operations_lead",
    )
    assert people_of(made)[-5:] == ["docs_set", "suspicion", "decide", "apply", "tell"]
    assert [option.value for option in made.prompts["decide"].outcomes] == ["reject", "escalate"]


def test_a_true_match_restricts_at_once_and_only_compliance_decides() -> None:
    made = walk(
        PERSON,
        {},
        {
            "hits": ({"result": "true_match"}, None),
            "decide": ({"reason": "On the list"}, "escalate"),
            "mlro": ({"reject_code": "sanctions"}, "reject"),
        },
    )
    assert made.way[made.way.index("hits") : made.way.index("decide")] == ["hits", "hits_clear", "block", "suspicion"]
    assert [option.value for option in made.prompts["decide"].outcomes] == ["escalate"]
    assert (made.record["restriction_code"], made.record["kyc_status"], made.ended) == ("review", "rejected", "rejected")


def test_who_cleared_a_hit_does_not_approve() -> None:
    cleared = {"hits": ({"result": "false_positive", "reason_code": "dob_mismatch", "compared": ["birth_date", "photo"]}, None)}
    made = walk(PERSON, {}, cleared | {"decide": ({"reject_code": "sanctions"}, "reject")})
    assert [option.value for option in made.prompts["decide"].outcomes] == ["reject", "escalate"]
    made = walk(PERSON, {}, cleared, "operations_lead")
    assert made.ended == "approved"


def test_more_is_needed_leads_back_to_the_question() -> None:
    made = walk(
        PERSON,
        {},
        {
            "hits": [({"result": "needs_more"}, None), ({"result": "none"}, None)],
            "ask_customer": ({}, "ask"),
            "send_request": ({"requested": ["other"], "requested_else": "Place of birth"}, None),
            "wait_docs": ({}, "received"),
        },
    )
    assert made.way.count("hits") == 2
    assert "back_to_ask" in made.way
    assert made.ended == "approved"


def test_compliance_may_send_the_review_back() -> None:
    made = walk(
        PERSON,
        {},
        {
            "decide": [({"reason": "Unsure"}, "escalate"), ({"reason": "Answered"}, "escalate")],
            "mlro": [
                ({"reason": "Which flags?"}, "send_back"),
                ({"conditions": ["no_cash"], "condition_due": "2027-01-01"}, "approve_with_conditions"),
            ],
        },
    )
    assert made.way.count("flags") == 2
    assert (made.ended, made.record["next_review_at"]) == ("approved_with_conditions", "2027-01-01")


def test_the_next_review_is_not_after_the_identity_document_expires() -> None:
    assert walk(PERSON | {"identity_expires_on": "2027-03-01"}).record["next_review_at"] == "2027-03-01"
    assert walk(PERSON | {"identity_expires_on": "2026-11-01"}).record["next_review_at"] == "2031-11-20"


def test_the_words_before_the_decision_are_the_same_for_everybody() -> None:
    clean = walk().prompts["suspicion"]
    suspected = walk(PERSON, {}, {"hits": ({"result": "true_match"}, None), "decide": ({"reason": "x"}, "escalate")}).prompts["suspicion"]
    assert clean == suspected
