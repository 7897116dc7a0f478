"""What a new workflow begins from: templates found by words, a copy whose names are mapped to what is here, and what is missing told as problems."""

from typing import Any

from console import records, workflows
from console.authoring import builder
from console.authoring.builder.new_workflows import alike, replace_unknown_names
from console.authoring.builder.template_binding import bind, match, template_of
from tests.company import Company

NAMES: dict[str, Any] = {
    "collections": [
        {
            "id": "client",
            "label": "Customers",
            "fields": [{"name": "riskClass", "label": "Risk class", "type": "text"}],
            "relations": [],
            "segments": [],
        }
    ],
    "actions": [],
    "roles": ["operator"],
    "teams": [{"id": "operations", "name": "Operations"}],
    "inboxes": [{"id": "compliance_desk", "title": "Compliance"}],
}


def test_names_that_are_nearly_the_same_are_mapped_and_others_stay() -> None:
    document = {
        "slug": "x",
        "title": "About customer",
        "collection": "customer",
        "steps": [
            {
                "id": "rate",
                "type": "update_data",
                "title": "customer",
                "roles": ["operators", "wizard"],
                "config": {"fields": ["risk_class", "other"]},
                "next": {},
            },
            {
                "id": "up",
                "type": "escalate",
                "title": "Up",
                "config": {
                    "inbox": "compliance-desk",
                    "text": "{{ record.risk_class }} of my record.risk_class",
                },
                "next": {},
            },
            {
                "id": "ask",
                "type": "update_data",
                "title": "Ask",
                "config": {
                    "form": [{"name": "risk_klass", "type": "text"}],
                    "options": [{"fields": ["risk_klass"]}],
                },
                "next": {},
            },
            {
                "id": "others",
                "type": "load_related",
                "title": "Others",
                "config": {
                    "items": {
                        "collection": "ticket",
                        "fields": ["risk_class"],
                        "where": "record.risk_class > 1",
                    }
                },
                "next": {},
            },
            {
                "id": "pay",
                "type": "trigger_action",
                "title": "Pay",
                "config": {"action": "charge.refund"},
                "next": {},
            },
        ],
    }
    made, pairs = replace_unknown_names(document, NAMES)
    assert dict(pairs) == {
        "customer": "client",
        "operators": "operator",
        "compliance-desk": "compliance_desk",
    }
    assert (made["title"], made["collection"]) == ("About customer", "client")
    rate, up, *kept, pay = made["steps"]
    assert kept == document["steps"][2:4]
    assert (rate["title"], rate["roles"], rate["config"]["fields"]) == (
        "customer",
        ["operator", "wizard"],
        ["risk_class", "other"],
    )
    assert up["config"]["inbox"] == "compliance_desk"
    assert up["config"]["text"].startswith("{{ record.risk_class }}")
    assert pay["config"]["action"] == "charge.refund"
    assert alike("team", {"teams": "Teams", "teamz": "x"}) == "teams"
    assert alike("none", {}) == "none"


def test_a_template_becomes_a_draft_that_says_what_is_missing(company: Company) -> None:
    offered = builder.beginnings(company.mona)
    assert {each.id for each in offered if not each.own} == {each.id for each in workflows.templates()}
    assert [each.id for each in offered if each.own] == ["own:care-review"]
    assert all(each.sentence and each.steps for each in offered if not each.own)
    lacking = {each.id: each.lacks for each in offered}
    assert (lacking["kyc-review"], lacking["customer-refund"], lacking["own:care-review"]) == (
        "",
        "Charge",
        "",
    )
    assert (lacking["nightly-contacts"], lacking["nightly-suppliers"]) == (
        "Contact",
        "Supplier document",
    )  # about no record, and they read some
    assert [bool(each.lacks) for each in offered] == sorted(bool(each.lacks) for each in offered)
    assert builder.nearest(offered, "pay a customer's charge back as a refund")[0].id == "customer-refund"
    assert builder.nearest(offered, "KYC review of a customer")[0].id == "kyc-review"
    assert builder.nearest(offered, "zymurgy quokka") == []
    made, _ = builder.begin(
        company.mona, "Refunds", description="Ours.", team=None, beginning="customer-refund"
    )
    draft = workflows.open_draft(company.mona, made.id)
    assert (draft.document["title"], draft.document["description"], draft.team) == (
        "Refunds",
        "Ours.",
        "operations",
    )
    assert any("charge" in each.reason for each in workflows.problems(draft))
    copy, _ = builder.begin(company.mona, "Again", description="", team=None, beginning="own:care-review")
    assert (
        workflows.open_draft(company.mona, copy.id).document["steps"]
        == workflows.open_draft(company.mona, "care-review").document["steps"]
    )
    assert not [each for each in builder.beginnings(company.stan) if each.own]


def test_a_shipped_workflow_is_bound_to_another_collection_by_the_fields_that_it_names(
    company: Company,
) -> None:
    assert template_of(company.mona, "kyc-rereview", None) is None
    template = template_of(company.mona, "kyc-rereview", "account")
    assert template is not None
    account = records.collection("account")
    assert not match(company.mona, template, account).sure
    column = next(role.name for role in template.fields)
    binding = match(
        company.mona, template, account, {role.name: "" for role in template.fields} | {column: "status"}
    )
    assert binding.sure
    document = bind(template, binding, "")
    assert document["collection"] == "account"
    text = str(document["steps"])
    assert f"record.{column}" not in text
    assert all(
        role.name not in step["config"].get("fields", ())
        for role in template.fields
        for step in document["steps"]
    )


DESCRIPTIONS = (
    ("pay back a customer whose parcel never arrived with a refund", "customer-refund"),
    ("onboard a new supplier with contract and bank details", "supplier-onboarding"),
    ("welcome new contacts", "welcome"),
)
"""What people write, and the template that is offered first."""


def test_the_template_that_shares_the_telling_words_is_offered_first(company: Company) -> None:
    offered = [each for each in builder.beginnings(company.mona) if not each.own]
    assert {words: builder.nearest(offered, words)[0].id for words, _ in DESCRIPTIONS} == dict(DESCRIPTIONS)
    assert builder.nearest(offered, "zzqx") == []
