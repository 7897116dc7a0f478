"""Contradictions that the three reference workflows refuse or have explained: each says both values that do not go together."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from console.core import expressions

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
KYC, REFUND, SUPPLIER = "kyc-review", "customer-refund", "supplier-onboarding"
HIT = {"key": "7", "birth_date": "1967-11-04", "listed_birth_date": "1991-02-17", "birth_date_is": "different"}
FACTS = {
    "record": {"amount_minor": 18000, "currency": "EUR", "descriptor": "Season pass", "item_kind": "goods", "delivered_at": "2026-10-01", "created_at": "2026-09-28"},
    "refundable": {"refunded_minor": 6000, "remaining_minor": 12000}, "currency": {"code": "EUR", "exponent": 2},
}  # fmt: skip
SUPPLY: dict[str, Any] = {
    "request": {
        "legal_name": "Alder GmbH",
        "holder": "Alder GmbH",
        "vat_id": "DE299884104",
        "iban": "DE66999999991234567890",
        "documents": {},
    },
    "vat": {"results": {"vat": {"status": "valid", "name": "Alder GmbH"}}},
    "bank_data": {"iban": "DE66999999991234567890", "results": {"payee": {"result": "match"}}},
    "account_of": {"accounts": 1, "known": {"holder": "Alder GmbH"}},
    "papers": {"extract_on": "2026-11-02", "insured_until": "2027-11-30", "cover_eur": "6000000"},
    "tier": {"tier": "A", "address": "office@alder.example"},
}
ASKED = {
    "record": {
        "country": "DE",
        "iban": "DE66999999991234567890",
        "company_name": "Alder GmbH",
        "website": "alder.example",
        "est_annual_eur": "9000",
    }
}


def first_wrong(slug: str, step: str, name: str, **known: Any) -> tuple[str, str] | None:
    """(message, severity) of the first rule of the field that does not hold."""
    document = json.loads((ROOT / "workflows" / f"{slug}.json").read_text(encoding="utf-8"))
    variables = {
        name: value["dated"][0]["value"] if isinstance(value, dict) and "dated" in value else value
        for name, value in document["variables"].items()
    }
    tables = {name: table["rows"] for name, table in document.get("tables", {}).items()}
    roots = {
        "variables": variables,
        "tables": tables,
        "now": NOW,
        "run": {"opened": ["3"], "failed_checks": {"3": ["Name as in the record"]}},
        **known,
    }
    found = next(entry for entry in document["steps"] if entry["id"] == step)["config"]["form"]
    for rule in next(entry for entry in found if isinstance(entry, dict) and entry["name"] == name)["must"]:
        if not expressions.parse(rule["if"]).test(roots):
            return expressions.render(rule["message"], roots), rule.get("severity", "refuse")
    return None


def supplier(check: str, **changed: Any) -> tuple[str, str] | None:
    """What is wrong with a check that is called fine."""
    steps = SUPPLY | {step: SUPPLY[step] | values for step, values in changed.items()}
    item = {"check": check, "name": check, "papers": [], "result": "pass"}
    return first_wrong(SUPPLIER, "validate", "result", steps=steps, item=item, **ASKED)


@pytest.mark.parametrize(
    ("check", "changed", "said"),
    [
        ("vat", {"vat": {"results": {"vat": {"status": "invalid"}}}}, ("The register says that DE299884104 is not valid.", "explain")),
        ("vat", {"vat": {"results": {}}}, ("The register has not confirmed DE299884104.", "explain")),
        ("payee", {"bank_data": {"results": {"payee": {"result": "no_match"}}}}, ("Their bank knows the account DE66999999991234567890 by another name than Alder GmbH.", "explain")),
        ("payee", {"bank_data": {"results": {"payee": {"result": "close"}}}}, ("Their bank knows DE66999999991234567890 by a name that is only like Alder GmbH.", "explain")),
        ("iban", {"bank_data": {"iban": "LT45"}}, ("LT45 is at a bank in another country than the supplier, DE.", "explain")),
        ("iban", {"account_of": {"accounts": 2, "known": {"holder": "Birch SARL"}}}, ("DE66999999991234567890 is the account of another supplier already: Birch SARL.", "explain")),
        ("iban", {"request": {"iban": "DE71999999999876543210"}}, ("They gave DE71999999999876543210, the request says DE66999999991234567890.", "explain")),
        ("legal_name", {"request": {"legal_name": "Birch SARL"}}, ("They call themselves Birch SARL, the request Alder GmbH.", "explain")),
    ],
)  # fmt: skip
def test_a_check_of_a_supplier_is_not_fine_against_what_is_known(check: str, changed: dict[str, Any], said: tuple[str, str]) -> None:
    assert supplier(check) is None
    assert supplier(check, **changed) == said


@pytest.mark.parametrize(
    ("check", "changed"), [("register_extract", {"extract_on": "2026-01-02"}), ("insurance", {"insured_until": "2026-12-01"})]
)
def test_a_paper_that_is_too_old_is_not_fine(check: str, changed: dict[str, Any]) -> None:
    told = supplier(check, papers=changed)
    assert told is not None
    assert told[1] == "explain"
    assert next(iter(changed.values()))[:4] in told[0]


@pytest.mark.parametrize(
    ("step", "name", "values", "said"),
    [
        ("papers", "extract_on", {"extract_on": "2026-12-01"}, "is still to come"),
        ("terms", "ends_on", {"ends_on": "2026-11-01", "starts_on": "2026-12-01", "notice_days": 30}, "before it starts"),
        ("terms", "ends_on", {"ends_on": "2026-12-10", "starts_on": "2026-12-01", "notice_days": 30}, "A notice of 30 days is longer"),
        ("signed", "their_signer", {"their_signer": "Lena Stein", "our_signer": "Lena Stein"}, "Lena Stein signs for us already"),
        ("exceptions", "until", {"until": "2026-11-01"}, "is past"),
    ],
)
def test_terms_and_dates_of_a_supplier_that_cannot_be(step: str, name: str, values: dict[str, Any], said: str) -> None:
    told = first_wrong(SUPPLIER, step, name, steps=SUPPLY | {step: values}, **ASKED)
    assert told is not None
    assert said in told[0]


def test_a_contract_above_the_tier_of_its_papers_is_explained() -> None:
    small = SUPPLY | {"tier": {"tier": "C"}, "terms": {"value_eur": "80000"}}
    assert first_wrong(SUPPLIER, "terms", "value_eur", steps=small, **ASKED) == (
        "€80,000.00 is more than tier C is for; the request said €9,000.00 a year.",
        "explain",
    )
    assert first_wrong(SUPPLIER, "terms", "value_eur", steps=small | {"terms": {"value_eur": "9000"}}, **ASKED) is None


@pytest.mark.parametrize(
    ("name", "values", "said", "severity"),
    [
        ("credit", {"credit": "150"}, "€60.00 went back before: with €150.00 it is more than the €180.00 that were paid.", "explain"),
        ("why", {"why": "not_received"}, "Not received, but delivered on ", "explain"),
        ("why", {"why": "withdrawal"}, "the 14 days for a withdrawal are over", "explain"),
        ("code", {"code": "no_answer"}, "The customer was not asked.", "explain"),
        ("code", {"code": "not_ours"}, "Season pass is our charge: €180.00 of ", "explain"),
    ],
)
def test_a_refund_against_what_the_charge_says(name: str, values: dict[str, Any], said: str, severity: str) -> None:
    told = first_wrong(REFUND, "choose", name, steps={"facts": FACTS, "choose": values})
    assert told is not None
    assert said in told[0]
    assert told[1] == severity


@pytest.mark.parametrize(
    ("step", "name", "known", "said"),
    [
        ("check_docs", "document_status", {"item": {"document_status": "accepted", "expires_on": "2026-10-06"}}, "it expired on"),
        ("check_docs", "document_status", {"item": {"key": "3", "document_status": "accepted", "expires_on": None}}, "it failed: Name as in the record."),
        ("check_new", "document_status", {"item": {"key": "3", "document_status": "accepted"}}, "it failed: Name as in the record."),
        ("check_docs", "because", {"item": {"document_status": "rejected", "because": "expired", "expires_on": "2030-01-01"}}, "in force until"),
        ("hits", "verdict", {"item": {"verdict": "true_match", "key": "7"}}, "the date of birth differs: ours 1967-11-04, on the list 1991-02-17."),
        ("ownership", "owners", {"ownership": {"owners": "senior_manager"}}, "An owner was found: 72.00 % is more than 25 %."),
        ("ownership", "owners", {"ownership": {"owners": "confirmed"}, "load": {"circular": 1}}, "own each other in a circle"),
        ("pep", "pep_until", {"pep": {"pep_until": "2027-05-01"}}, "A former holder cannot be in office until"),
        ("pep", "pep_until", {"pep": {"pep_until": "2026-06-01"}}, "exposed for 12 months more"),
        ("media", "links", {"media": {"media_result": "none"}}, "Nothing found, but there are links."),
        ("media", "searched", {"media": {"searched": "Xyz Qqq"}}, "Searched for Xyz Qqq; the customer is Halcyon B.V."),
        ("edd", "source_of_funds", {"edd": {"source_of_funds": "salary"}}, "Halcyon B.V. is a company"),
        ("decide", "condition_due", {"decide": {"condition_due": "2026-11-01"}}, "is past"),
        ("decide", "monthly_limit", {"decide": {"monthly_limit": 0, "conditions": ["monthly_limit"]}}, "more than nothing"),
        ("decide", "monthly_limit", {"decide": {"monthly_limit": 9, "conditions": ["no_cash"]}}, "not among the conditions"),
        ("decide", "reject_code", {"decide": {"reject_code": "sanctions"}}, "No hit on a sanctions list"),
        ("decide", "reject_code", {"decide": {"reject_code": "false_documents"}}, "every document was accepted"),
    ],
)  # fmt: skip
def test_a_review_against_what_it_found(step: str, name: str, known: dict[str, Any], said: str) -> None:
    item = known.get("item", {})
    steps = {"load": {"record": {"kind": "company", "display_name": "Halcyon B.V."}, "stake_computed": "72.0000"}, "hits": {"sanctions": []},
             "check_docs": {"rejected": []}, "screen": {"results": {"screening": {"compared": {"7": HIT}}}}}  # fmt: skip
    told = first_wrong(KYC, step, name, steps=steps | {key: value for key, value in known.items() if key != "item"}, item=item)
    assert told is not None
    assert said in told[0]


@pytest.mark.parametrize("handed_in", [True, False])
def test_of_a_paper_that_was_not_handed_in_no_date_is_asked_and_it_stays_an_exception(handed_in: bool) -> None:
    document = json.loads((ROOT / "workflows" / f"{SUPPLIER}.json").read_text("utf-8"))
    config = {step["id"]: step["config"] for step in document["steps"]}
    papers = {"register_extract": [{"name": "a.pdf"}], "insurance": [{"name": "b.pdf"}]} if handed_in else {"insurance": []}
    dates = SUPPLY["papers"] if handed_in else dict.fromkeys(SUPPLY["papers"])
    given = {
        "steps": SUPPLY | {"request": {"documents": papers}, "papers": dates},
        "variables": document["variables"],
        "tables": {"cover": {"eur": {"A": 1}}},
    }
    asked = [expressions.parse(field["required_if"]).test(given | {"now": NOW}) for field in config["papers"]["form"]]
    assert asked == [handed_in] * 3
    open_ = next(entry["if"] for entry in config["validate"]["gather"] if entry["name"] == "exceptions")
    for check in ("register_extract", "insurance"):
        held = expressions.parse(open_).test(given | {"now": NOW, "item": {"result": "pass", "check": check}})
        assert held is not handed_in, check
