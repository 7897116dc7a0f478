"""The right to shape a collection: names, layout, forms and segments, and nothing that says what is seen or kept at all."""

from typing import TYPE_CHECKING, Any

import pytest

from console.auth import access
from console.core.errors import Invalid, NotAllowed
from console.sources import collections

if TYPE_CHECKING:
    from tests.company import Company
    from tests.views.conftest import Pages

HERE = "/settings/collections/customer"


def document(company: "Company", **more: Any) -> dict[str, Any]:
    """The document of the draft with some of its parts replaced."""
    return collections.open_collection(company.ines, "customer").document.to_json() | more


def test_a_lead_shapes_what_they_may_see_and_nobody_else_does(pages: "Pages") -> None:
    company = pages.company
    access.grant("reviewer", "collection:account", ["shape"])
    access.grant("buyer", "collection:customer", ["shape"])
    assert {head.collection.id for head in collections.list_collections(company.mona)} == {
        "customer",
        "account",
    }, "as roles.csv says of leads"
    assert "/settings/collections" in pages.mona.get("/settings/me").links
    assert "/settings/collections" not in pages.olivia.get("/settings/me").links
    page = pages.rosa.get("/settings/collections")
    assert "/settings/collections/account" in page.links
    assert HERE not in page.links
    made = document(company, columns=["email"], form=["risk"], label="Clients")
    revision = collections.save(company.mona, "customer", 0, made)
    assert collections.publish(company.mona, "customer", revision) == 2
    assert "Clients" in pages.olivia.get("/c/customer?segment=").text
    for who in (
        company.olivia,
        company.stan,
        company.ada,
        company.rosa,
    ):  # no right; the right without browse; reads but shapes nothing
        for path in (HERE, f"{HERE}/layout/list", f"{HERE}/segments", f"{HERE}/document.json"):
            getattr(pages, who.name.split()[0].lower()).get(path, status=403)
        with pytest.raises(NotAllowed):
            collections.save(who, "customer", 0, made)


def test_the_right_to_shape_uncovers_nothing(pages: "Pages") -> None:
    company = pages.company
    access.grant("operator", "collection:customer", ["shape"])
    hidden = {"tax_id": {"sensitive": False}, "email": {"type": "email"}}
    for more in (
        {"fields": hidden},
        {"fields": document(company)["fields"] | {"risk": {"hidden": True}}},
        {"fields": document(company)["fields"] | {"copy": {"computed": "record.tax_id"}}},
        {"title": "{{ record.tax_id }}"},
        {"subject": None},
        {"relations": [{"name": "more", "collection": "account", "kind": "to_many", "via": "customer_id"}]},
        {"governed": {"risk": "care-review"}},
        {"segments": [{"id": "taxed", "label": "Taxed", "filter": "record.tax_id == 'IE123'"}]},
        {"segments": [{"id": "all", "label": "All", "sql": "select id from customer"}]},
    ):
        made = {name: value for name, value in document(company, **more).items() if value is not None}
        with pytest.raises(Invalid) as refused:
            collections.save(company.olivia, "customer", 0, made)
        assert refused.value.details, more
    assert collections.open_collection(company.olivia, "customer").draft.document is None
    becoming = collections.open_collection(company.olivia, "customer").becoming
    with pytest.raises(NotAllowed):
        collections.find(company.olivia, becoming, text="record.tax_id == 'IE123'")


def test_what_is_hidden_from_everybody_is_not_filtered_by_who_only_shapes(pages: "Pages") -> None:
    company = pages.company
    fields = document(company)["fields"] | {"email": {"type": "email", "hidden": True}}
    revision = collections.publish(
        company.ines,
        "customer",
        collections.save(company.ines, "customer", 0, document(company, fields=fields)),
    )
    becoming = collections.open_collection(company.mona, "customer").becoming
    with pytest.raises(NotAllowed):
        collections.find(company.mona, becoming, text="record.email == 'a@b.example'")
    with pytest.raises(NotAllowed):
        collections.find(company.mona, becoming, text="record.id > 0", sort="-email")
    for more in (
        {"segments": [{"id": "one", "label": "One", "filter": "record.email == 'a@b.example'"}]},
        {"segments": [{"id": "one", "label": "One", "filter": "record.id > 0", "sort": "-email"}]},
        {"sort": "email"},
        {"sort": "-email"},
    ):
        with pytest.raises(Invalid, match="may not read"):
            collections.save(company.mona, "customer", revision, document(company, **more))
    assert collections.find(company.ines, becoming, text="record.email != null").total, (
        "who may show it may also filter by it"
    )


def test_what_a_manager_drafted_is_not_published_or_thrown_away_by_who_only_shapes(pages: "Pages") -> None:
    company = pages.company
    revision = collections.save(
        company.ines, "customer", 0, document(company, fields={"tax_id": {"sensitive": False}})
    )
    for act in (collections.publish, collections.discard, collections.undo):
        with pytest.raises(Invalid):
            act(company.mona, "customer", revision)
    revision = collections.save(company.mona, "customer", revision, document(company, columns=["risk"]))
    collections.undo(company.mona, "customer", revision)
    access.grant("admin", "collection:customer", ["browse", "read"])
    assert collections.publish(company.ines, "customer", revision + 1) == 2
    with pytest.raises(NotAllowed):
        collections.open_collection(company.mona, "nothing")
