"""The pages on which collections are shaped: draft, preview, changes, versions; what two editors do to each other, and what nobody else gets to see."""

from typing import TYPE_CHECKING, Any

import pytest

from console import records
from console.sources import collections

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

HERE = "/settings/collections/customer"


def typed(page: "Page", path: str = HERE, **values: Any) -> dict[str, Any]:
    """What the form would send, boxes of one name as a list, with some values replaced (`label__email` for `label.email`)."""
    told: dict[str, Any] = dict(page.form(path)["fields"])
    lists: dict[str, list[str]] = {}
    for tag, given in page.attributes:
        if tag == "input" and (
            given.get("name") == "order" or (given.get("type") == "checkbox" and "checked" in given)
        ):
            lists.setdefault(given["name"], []).append(given["value"])
    return told | lists | {name.replace("__", "."): value for name, value in values.items()}


def saved(pages: "Pages", **values: Any) -> "Page":
    """The editor after its form was sent with these values."""
    pages.ines.post(HERE, typed(pages.ines.get(HERE), **values))
    return pages.ines.get(HERE)


def test_from_the_list_to_what_everybody_sees(pages: "Pages") -> None:
    page = pages.ines.get("/settings/collections")
    assert HERE in page.links
    assert "As found" not in page.text
    page = saved(
        pages, label="Clients", label__email="E-mail address", flag__tax_id=["sensitive", "personal"]
    )
    assert "Draft by Ines, 2 changes" in page.text
    assert "Customers" in pages.olivia.get("/c/customer").text, "a draft counts for nobody"
    page = pages.ines.get(f"{HERE}/changes")
    for words in ("NameCustomersClients", "E-mail address: labelnothingE-mail address"):
        assert words in page.text
    pages.ines.send(page, "/changes", do="publish")
    assert "Version 2 is published." in pages.ines.follow().html
    listed = pages.olivia.get("/c/customer?columns=email&columns=desk")
    assert "Clients" in listed.text
    assert "E-mail address" in listed.text
    assert "Version 2" in pages.ines.get("/settings/collections").text


def test_sent_as_it_was_drawn_nothing_changes(pages: "Pages") -> None:
    for of in ("customer", "account"):
        place = f"/settings/collections/{of}"
        pages.ines.post(place, typed(pages.ines.get(place), place))
        assert collections.open_collection(pages.company.ines, of).draft.document is None, of
    before = collections.export("customer")
    page = pages.ines.get(f"{HERE}/document")
    pages.ines.send(page, "/document")
    assert collections.open_collection(pages.company.ines, "customer").draft.document is None
    assert pages.ines.client.get(f"{HERE}/document.json").data == before


def test_what_is_wrong_is_named_and_nothing_typed_is_lost(pages: "Pages") -> None:
    page = pages.ines.post(
        HERE, typed(pages.ines.get(HERE), title="{{ record.nmae }}", label="Clients"), status=422
    )
    assert "There is no column nmae" in page.text
    assert page.form(HERE)["fields"]["title"] == "{{ record.nmae }}"
    assert page.form(HERE)["fields"]["label"] == "Clients"
    for text, words in (
        ("{", "no JSON"),
        ("[]", "one object"),
        ('{"format": 1}', "missing"),
        ('{"a": 1.5}', "as text"),
    ):
        page = pages.ines.send(pages.ines.get(f"{HERE}/document"), "/document", status=422, document=text)
        assert words in page.text, text
        assert page.form("/document")["fields"]["document"] == text


def test_who_comes_second_sees_what_the_other_changed(pages: "Pages") -> None:
    mine = pages.ines.get(HERE)
    collections.save(
        pages.company.ines,
        "customer",
        0,
        collections.open_collection(pages.company.ines, "customer").document.to_json() | {"help": "Theirs."},
    )
    page = pages.ines.post(HERE, typed(mine, label="Mine"), status=409)
    assert "You changed this draft in the meantime, in another tab or window" in page.text
    assert "Somebody else" not in page.text
    assert "HelpnothingasitwasTheirs." in page.text.replace(" ", "")
    assert "NameCustomersMineasitwas" in page.text.replace(" ", "")
    assert "fields" not in page.text, "fields that nobody touched are no change"
    changes = pages.ines.get(f"{HERE}/changes")
    collections.undo(pages.company.ines, "customer", 1)
    for do in ("publish", "undo", "discard"):
        pages.ines.send(changes, "/changes", status=409, do=do)


@pytest.mark.parametrize("do", ["undo", "discard"])
def test_a_draft_is_taken_back(pages: "Pages", do: str) -> None:
    saved(pages, label="Clients")
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do=do)
    assert "There is no draft" in pages.ines.get(f"{HERE}/changes").text
    data = {"csrf_token": pages.ines.token, "revision": "2", "do": "dance"}
    pages.ines.post(f"{HERE}/changes", data, status=404)


def test_a_former_version_is_restored_through_the_draft(pages: "Pages") -> None:
    assert "Nothing was published here yet" in pages.ines.get(f"{HERE}/versions").text
    saved(pages, label="Clients")
    assert "Draft by Ines" in pages.ines.get(f"{HERE}/versions").text
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")
    page = pages.ines.get(f"{HERE}/versions")
    assert "is replaced" not in page.text
    saved(pages, label="Patrons")
    told = pages.ines.send(page, "/versions", number="1", status=409)
    assert "label: Patrons" in told.text
    assert "The draft that is there now is replaced" in told.text, (
        "with the revision that this page has, the draft of somebody else"
    )
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="discard")
    assert (
        "you published or discarded it in the meantime"
        in pages.ines.send(told, "/versions", number="1", status=409).text
    )
    pages.ines.send(pages.ines.get(f"{HERE}/versions"), "/versions", number="1")
    page = pages.ines.follow()
    assert "NameClientsCustomers" in page.text
    pages.ines.send(pages.ines.get(f"{HERE}/versions"), "/versions", number="1")
    page = pages.ines.follow()
    assert "Nothing changes by that: the draft is version 1 already." in page.text
    pages.ines.send(page, "/changes", do="publish")
    assert records.collection("customer").label == "Customers"
    data = {"csrf_token": pages.ines.token, "revision": "0", "number": "9"}
    pages.ines.post(f"{HERE}/versions", data, status=404)


def test_the_preview_draws_what_is_typed_and_keeps_nothing(pages: "Pages") -> None:
    data = typed(pages.ines.get(HERE), label__email="Electronic mail")
    page = pages.ines.post(f"{HERE}/preview", data, htmx="preview", status=200)
    assert "Electronic mail" in page.text
    assert "Adaeze" in page.text
    assert collections.open_collection(pages.company.ines, "customer").draft.document is None
    page = pages.ines.post(
        f"{HERE}/preview", data | {"title": "{{ record.nmae }}"}, htmx="preview", status=200
    )
    assert "There is no column nmae" in page.text


def test_hostile_words_stay_words(pages: "Pages") -> None:
    evil = "<img src=x onerror=alert(1)> {{ 7*7 }}"
    saved(pages, label=evil, label__email=evil)
    for path in (HERE, f"{HERE}/changes", f"{HERE}/document", "/settings/collections"):
        assert "<img src=x" not in pages.ines.get(path).html
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")
    assert "<img src=x" not in pages.olivia.get("/c/customer").html


def test_what_is_wrong_with_a_field_is_said_on_its_page(pages: "Pages") -> None:
    place = f"{HERE}/fields/balance"
    for given, words in (
        ({"currency": "EUR"}, "of the widget money"),
        ({"widget": "money", "currency": "euro"}, "three capitals"),
        ({"widget": "iban"}, "cannot be shown as iban"),
        ({"lines": "many"}, "whole number"),
        ({"help": "x" * 1001}, "too long"),
    ):
        page = pages.ines.post(place, typed(pages.ines.get(place), place) | given, status=422)
        assert words in page.text, given
        for name, value in given.items() if given.get("widget") != "iban" else ():
            assert value in (page.form(place)["fields"][name], "many"), name


def test_a_computed_field_comes_and_goes(pages: "Pages") -> None:
    new = f"{HERE}/new-field"
    page = pages.ines.get(new)
    for name, computed, words in (
        ("", "record.id", "needs a name or a label"),
        ("email", "record.id", "already"),
        ("x", "record.bal", "The draft was not saved. x: expression: There is no column bal"),
        ("x", "record.balance.day", "balance is one value: an expression does not look into other records."),
    ):
        assert words in pages.ines.post(new, typed(page, new, name=name, computed=computed), status=422).text
    pages.ines.post(
        new, typed(page, new, name="", label="Double", type="decimal", computed="record.balance * 2")
    )
    assert 'value="Double"' in pages.ines.get(HERE).html
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")
    assert "25" in pages.olivia.get("/c/customer/1?tab=details").text
    assert "/edit/double" not in pages.olivia.get("/c/customer/1?tab=details").html
    assert "Double" in pages.olivia.get("/c/customer?columns=double").text
    place = f"{HERE}/fields/double"
    page = pages.ines.get(place)
    assert "Remove the field" in page.text
    assert 'value="remove"' not in page.html.partition("field-form")[2].partition("</button>")[0], (
        "Enter in a box presses the first button"
    )
    pages.ines.post(place, typed(page, place) | {"do": "remove"})
    assert "double" not in collections.open_collection(pages.company.ines, "customer").document.to_json().get(
        "fields", {}
    )
