"""The KYC review's own rules without a service: the risk matrix, what is missing, what is offered, who has to agree."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console import steps
from console.core.documents.action_document import Action, read as read_action
from console.core.documents.approval_rules import required_approval
from console.core.documents.fields import computed
from console.core.documents.workflow import Workflow, read
from console.core.expressions import parse
from console.core.policy import rules
from console.steps.base import Prompt
from tests.steps.walk import NOW, OLIVIA, context
from tests.tables import cases

ROOT = Path(__file__).parents[2]
KYC: Workflow = read((ROOT / "workflows" / "kyc-review.json").read_bytes())
DECISION: Action = read_action((ROOT / "actions" / "kyc.apply_decision.json").read_bytes())
LEAD = {**OLIVIA, "id": "usr_mona", "roles": ["operations_lead", "lead"]}
MLRO = {**OLIVIA, "id": "usr_malik", "roles": ["mlro"]}
PERSON: dict[str, Any] = {
    "kind": "person",
    "residence_country": "PT",
    "channel": "branch",
    "products": ["account"],
    "risk_band": None,
    "risk_score": None,
    "expected_monthly_minor": 200000,
    "identity_expires_on": "2033-01-01",
}


def roots(began: datetime = NOW, user: dict[str, Any] | None = None, **told: Any) -> dict[str, Any]:
    """What a run of a person without anything particular knows; `told` replaces or adds outputs of steps."""
    known: dict[str, Any] = {
        "load": {
            "record": PERSON,
            "country": {"name": "Portugal", "level": "low"},
            "sector": None,
            "activity": {"ratio_to_expected": "1.10"},
        },
        "check_docs": {"rejected": [], "altered": [], "finished": True},
        "check_new": {"accepted": [], "altered": []},
        "docs_now": {
            "identity": [{}],
            "address_proof": [{}],
            "extract": [{}],
            "articles": [{}],
            "shareholders": [{}],
        },
        "docs_set": {"missing_documents": []},
        "screen": {
            "results": {
                "screening": {
                    "open": 0,
                    "undecided": [],
                    "compared": {},
                    "customer": {"country_level": "low"},
                }
            }
        },
        "hits": {
            "finished": True,
            "cleared": [],
            "sanctions": [],
            "listed": [],
            "needs_more": [],
            "to_confirm": [],
            "items": [],
        },
        "pep": {"pep_status": "none"},
        "media": {"media_result": "none"},
        "purpose": {"expected_monthly_minor": 200000},
        "score": {"risk_band": "low", "band": "low", "score": 0, "floor": "none"},
    }
    for name, values in told.items():
        known[name] = {**known.get(name, {}), **values}
    return {
        "steps": known,
        "input": {"reason": "periodic"},
        "record": PERSON,
        **rules(KYC, began).roots,
        "currentUser": user or OLIVIA,
        "now": began,
    }


def prepared(step: str, **told: Any) -> Prompt:
    seen = steps.view(KYC.step(step))
    return steps.get(seen.type).prepare(seen, context(**roots(**told)))


def completed(step: str, values: dict[str, Any], **told: Any) -> dict[str, Any]:
    seen = steps.view(KYC.step(step))
    done = steps.get(seen.type).complete(seen, context(**roots(**told)), values, None)
    return dict(done.values)


def country(level: str) -> dict[str, Any]:
    return {"results": {"screening": {"open": 0, "customer": {"country_level": level}}}}


def hits(found: int, looked_at: int) -> dict[str, Any]:
    """A screening with so many hits to decide, of which so many were gone through."""
    undecided = [str(number) for number in range(found)]
    return {
        "screen": {
            "results": {
                "screening": {
                    "open": found,
                    "undecided": undecided,
                    "compared": {},
                    "customer": {"country_level": "low"},
                }
            }
        },
        "hits": {
            "items": [{"key": key} for key in undecided[:looked_at]],
            "cleared": undecided[:looked_at],
            "count": looked_at,
        },
    }


@cases(
    ("told", "typed", "score", "floor", "band"),
    [
        ({}, {}, 0, "none", "low"),
        (
            {"load": {"record": PERSON | {"channel": "remote_eid"}}, "screen": country("medium")},
            {},
            12,
            "none",
            "low",
        ),
        (
            {
                "load": {
                    "record": PERSON | {"channel": "partner", "products": ["payouts_cross_border"]},
                    "activity": {"ratio_to_expected": "5.01"},
                }
            },
            {},
            25,
            "none",
            "medium",
        ),
        ({"load": {"activity": {"ratio_to_expected": "3.80"}}}, {}, 10, "none", "low"),
        (
            {
                "load": {"activity": {"ratio_to_expected": "3.80"}},
                "purpose": {"expected_monthly_minor": 800000},
            },
            {},
            0,
            "none",
            "low",
        ),
        ({"pep": {"pep_status": "former"}}, {}, 3, "none", "low"),
        ({"pep": {"pep_status": "pep"}}, {}, 10, "pep", "high"),
        ({"media": {"media_result": "relevant"}}, {}, 10, "media", "high"),
        ({"ownership": {"owners": "unclear", "layers": 0}}, {}, 0, "ubo_unclear", "high"),
        ({"screen": country("high")}, {}, 25, "high_risk_country", "high"),
        ({"screen": country("prohibited")}, {}, 25, "prohibited_country", "prohibited"),
        ({}, {"points_country": 3}, 25, "high_risk_country", "high"),
        ({}, {"override_band": "medium", "override_reason": "New kind of business"}, 0, "none", "medium"),
        (
            {
                "load": {
                    "record": PERSON | {"channel": "partner", "products": ["payouts_cross_border"]},
                    "activity": {"ratio_to_expected": "5.01"},
                }
            },
            {"override_band": "low", "override_reason": "Known for long"},
            25,
            "none",
            "low",
        ),
        (
            {"pep": {"pep_status": "pep"}},
            {"override_band": "medium", "override_reason": "Downwards"},
            10,
            "pep",
            "high",
        ),
        (
            {"screen": country("prohibited")},
            {"override_band": "low", "override_reason": "Downwards"},
            25,
            "prohibited_country",
            "prohibited",
        ),
        (
            {
                "load": {
                    "record": PERSON
                    | {"kind": "company", "channel": "remote_document", "products": ["payouts_cross_border"]},
                    "sector": {"points": 1},
                    "activity": {"ratio_to_expected": "2.00"},
                },
                "screen": country("medium"),
                "ownership": {"owners": "confirmed", "layers": 3},
                "pep": {"pep_status": "family"},
            },
            {},
            50,
            "pep",
            "high",
        ),
    ],
)
def test_the_risk_matrix(
    told: dict[str, Any], typed: dict[str, Any], score: int, floor: str, band: str
) -> None:
    made = completed("score", typed, **told)
    assert (made["score"], made["floor"], made["risk_band"]) == (score, floor, band)


@cases(
    ("kind", "gone", "handed_in", "missing"),
    [
        ("person", [], [], []),
        ("person", ["identity"], [], ["identity"]),
        ("person", ["identity", "address_proof"], [], ["identity", "proof_of_address"]),
        ("person", ["identity", "address_proof"], ["identity"], ["proof_of_address"]),
        ("person", ["extract", "articles", "shareholders"], [], []),
        ("company", ["identity", "address_proof"], [], []),
        ("company", ["extract", "shareholders"], [], ["register_extract", "shareholder_register"]),
        (
            "company",
            ["extract", "articles", "shareholders"],
            ["articles"],
            ["register_extract", "shareholder_register"],
        ),
    ],
)
def test_what_is_missing_is_told_by_rule(
    kind: str, gone: list[str], handed_in: list[str], missing: list[str]
) -> None:
    told = {
        "load": {"record": PERSON | {"kind": kind}},
        "docs_now": {name: [] for name in gone},
        "check_new": {"accepted": handed_in},
    }
    assert completed("docs_set", {}, **told)["missing_documents"] == missing


@cases(
    ("user", "told", "offered"),
    [
        (OLIVIA, {}, ["approve", "approve_with_conditions", "reject", "escalate"]),
        (OLIVIA, {"docs_set": {"missing_documents": ["identity"]}}, ["reject", "escalate"]),
        (
            LEAD,
            {"docs_set": {"missing_documents": ["identity"]}},
            ["approve_with_conditions", "reject", "escalate"],
        ),
        (LEAD, {"check_docs": {"altered": [7]}}, ["reject", "escalate"]),
        (LEAD, {"check_new": {"altered": ["identity"]}}, ["reject", "escalate"]),
        (LEAD, {"score": {"risk_band": "prohibited"}}, ["reject", "escalate"]),
        (LEAD, {"score": {"risk_band": None}}, ["reject", "escalate"]),
        (
            LEAD,
            {"screen": {"results": {"screening": {"open": 1}}}, "hits": {"finished": False}},
            ["reject", "escalate"],
        ),
        (
            LEAD,
            {"screen": {"results": {"screening": {"open": 1}}}, "hits": {"sanctions": ["9"]}},
            ["escalate"],
        ),
        (
            OLIVIA,
            {
                "screen": {"results": {"screening": {"open": 1, "undecided": ["9"]}}},
                "hits": {"cleared": ["9"], "items": [{}]},
            },
            ["approve", "approve_with_conditions", "reject", "escalate"],
        ),
        (LEAD, hits(150, 100), ["reject", "escalate"]),
        (LEAD, hits(150, 150), ["approve", "approve_with_conditions", "reject", "escalate"]),
        (LEAD, hits(1, 0), ["reject", "escalate"]),
    ],
)
def test_what_can_be_decided(user: dict[str, Any], told: dict[str, Any], offered: list[str]) -> None:
    prompt = prepared("decide", user=user, **told)
    assert [option.value for option in prompt.outcomes] == offered
    assert all(option.reason for option in prompt.withheld)


@cases(
    ("user", "record", "given", "roles", "not_by"),
    [
        (OLIVIA, {}, {}, None, None),
        (OLIVIA, {}, {"band": "high"}, ("operations_lead", "mlro"), ("requester",)),
        (OLIVIA, {"pep_status": "family"}, {}, ("operations_lead", "mlro"), ("requester",)),
        (OLIVIA, {}, {"status": "rejected"}, ("operations_lead", "mlro"), ("requester",)),
        (OLIVIA, {"risk_band": "high"}, {"band": "medium"}, ("operations_lead", "mlro"), ("requester",)),
        (OLIVIA, {}, {"lowered": True}, ("operations_lead", "mlro"), ("requester",)),
        (OLIVIA, {}, {"status": "rejected", "sanctions": True}, ("mlro",), ("requester",)),
        (OLIVIA, {}, {"hits_cleared": True}, ("operations_lead", "mlro"), ("requester", "step:hits")),
        (LEAD, {}, {"hits_cleared": True}, ("operations_lead", "mlro"), ("requester", "step:hits")),
        (MLRO, {}, {"status": "rejected", "sanctions": True, "band": "prohibited"}, None, None),
        (MLRO, {}, {"hits_cleared": True}, ("operations_lead", "mlro"), ("requester", "step:hits")),
    ],
)
def test_who_has_to_agree(
    user: dict[str, Any],
    record: dict[str, Any],
    given: dict[str, Any],
    roles: tuple[str, ...] | None,
    not_by: tuple[str, ...] | None,
) -> None:
    values = {
        "status": "approved",
        "band": "low",
        "lowered": False,
        "sanctions": False,
        "hits_cleared": False,
        **given,
    }
    known = {
        "record": {"pep_status": "none", "risk_band": "low", **record},
        "input": values,
        "currentUser": user,
        "variables": {},
        "now": NOW,
    }
    wanted = required_approval(DECISION, ("customer", "1"), values, known)
    assert (wanted.roles if wanted else None, wanted.not_by if wanted else None) == (roles, not_by)


@cases(
    ("told", "values"),
    [
        (
            {"decide": {"option": "approve"}},
            {
                "status": "approved",
                "band": "low",
                "score": 0,
                "sanctions": False,
                "conditions": [],
                "earliest": "2033-01-01",
            },
        ),
        (
            {"decide": {"option": "reject"}, "score": {"risk_band": None, "score": None}},
            {"status": "rejected", "band": "high"},
        ),
        (
            {"decide": {"option": "escalate"}, "mlro": {"option": "reject"}, "hits": {"sanctions": ["9"]}},
            {"status": "rejected", "band": "prohibited", "sanctions": True},
        ),
        (
            {
                "decide": {
                    "option": "approve_with_conditions",
                    "conditions": ["no_cash"],
                    "condition_due": "2027-01-01",
                }
            },
            {"status": "approved", "conditions": ["no_cash"], "earliest": "2027-01-01"},
        ),
        (
            {
                "decide": {
                    "option": "approve_with_conditions",
                    "conditions": ["monthly_limit"],
                    "condition_due": "2027-01-01",
                    "monthly_limit": 250000,
                }
            },
            {"conditions": ["monthly_limit"], "monthly_limit": 250000},
        ),
        (
            {"decide": {"option": "approve"}, "score": {"risk_band": "low", "band": "medium"}},
            {"lowered": True},
        ),
        ({"decide": {"option": "approve"}, "hits": {"cleared": ["9"]}}, {"hits_cleared": True}),
    ],
)
def test_what_is_applied(told: dict[str, Any], values: dict[str, Any]) -> None:
    known = roots(**told)
    made = {name: computed(rule, known) for name, rule in steps.view(KYC.step("apply")).config.values.items()}
    assert {name: made[name] for name in values} == values


@pytest.mark.parametrize(
    ("hit", "confirmed"),
    [
        ({"verdict": "false_positive", "because": "dob_mismatch", "score": "0.899"}, False),
        ({"verdict": "false_positive", "because": "dob_mismatch", "score": "0.900"}, True),
        ({"verdict": "false_positive", "because": "name_only_common", "score": "0.850"}, True),
        ({"verdict": "true_match", "because": None, "score": "0.990"}, False),
    ],
)
def test_which_cleared_hits_a_second_person_confirms(hit: dict[str, Any], confirmed: bool) -> None:
    rule = next(entry for entry in steps.view(KYC.step("hits")).config.gather if entry.name == "to_confirm")
    known = roots(screen={"results": {"screening": {"compared": {"9": {"kind": "sanctions"}}}}})
    assert parse(rule.if_ or "").test({**known, "item": {"key": "9", **hit}}) is confirmed
    other = roots(screen={"results": {"screening": {"compared": {"9": {"kind": "pep"}}}}})
    assert parse(rule.if_ or "").test({**other, "item": {"key": "9", **hit}}) is (
        hit["because"] == "name_only_common"
    )


@pytest.mark.parametrize(
    ("began", "counted"),
    [
        (datetime(2027, 7, 9, 23, 59, 59, tzinfo=UTC), ["25.0001"]),
        (datetime(2027, 7, 10, tzinfo=UTC), ["25.0000", "25.0001"]),
    ],
)
def test_who_owns_exactly_a_quarter_counts_from_the_day_of_the_new_law(
    began: datetime, counted: list[str]
) -> None:
    """k5: the run's rules are those of its start, so a replay of the first still says not."""
    words = "more than 25 %" if len(counted) == 1 else "at least 25 %"
    assert words in (prepared("ownership", began=began).text or "").replace("\\", "")
    view = steps.view(KYC.step("ownership"))
    read_many = next(read for read in steps.get("update_data").reads(view) if read.name == "by_stake")
    held = [
        (kind, percent) for kind in ("person", "company") for percent in ("24.9999", "25.0000", "25.0001")
    ]
    of = [
        one
        for one in held
        if parse(read_many.where or "").test(
            {"record": dict(zip(("kind", "percent"), one, strict=True)), **rules(KYC, began).roots}
        )
    ]
    assert of == [("person", percent) for percent in counted], (
        "a company in a circle, or of unknown owners, is nobody's beneficial owner"
    )
    nobody = {
        "steps": {"ownership": {"owners": "senior_manager"}, "load": {"stake_computed": "25.0000"}},
        **rules(KYC, began).roots,
    }
    [owners] = [entry for entry in view.config.form if entry.name == "owners"]
    assert parse(owners.must[0].if_).test(nobody) is (len(counted) == 1), (
        "who owns is not a senior manager's place"
    )


@cases(("found", "looked_at", "offered"), [(150, 150, True), (150, 100, False), (0, 0, True)])
def test_the_last_word_is_no_approval_over_hits_that_nobody_looked_at(
    found: int, looked_at: int, offered: bool
) -> None:
    prompt = prepared("mlro", user=MLRO, **hits(found, looked_at))
    assert [("approve" in option.value) for option in prompt.outcomes].count(True) == (2 if offered else 0)
    assert all("nobody looked at" in option.reason for option in prompt.withheld)
