"""The pages on which collections are shaped: draft, preview, changes, versions; what two editors do to each other, and what nobody else gets to see."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console import access, collections, hooks, records, settings as real_settings
from console.core.documents.collections import WIDGETS
from console.formats import WIDGET_WORDS

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

HERE = "/settings/collections/customer"


def typed(page: "Page", path: str = HERE, **values: Any) -> dict[str, Any]:
    """What the form would send, boxes of one name as a list, with some values replaced (`label__email` for `label.email`)."""
    told: dict[str, Any] = dict(page.form(path)["fields"])
    lists: dict[str, list[str]] = {}
    for tag, given in page.attributes:
        if tag == "input" and (given.get("name") == "order" or (given.get("type") == "checkbox" and "checked" in given)):
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
    page = saved(pages, label="Clients", label__email="E-mail address", flag__tax_id=["sensitive", "personal"])
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


def test_order_and_places_are_said_only_where_they_differ(pages: "Pages") -> None:
    order = [told["value"] for told in pages.ines.get(HERE).with_attribute("value") if told.get("name") == "order"]
    assert order[:3] == ["id", "display_name", "email"]
    moved = ["email", *[name for name in order if name != "email"]]
    pages.ines.post(HERE, typed(pages.ines.get(HERE), order=moved, in__tax_id=["details"]))
    document = collections.open_collection(pages.company.ines, "customer").document
    assert document.columns == ["email", *[name for name in order if name not in ("email", "tax_id")]]
    assert document.details == ["email", *[name for name in order if name != "email"]]
    assert document.form is not None
    assert "tax_id" not in document.form


def test_without_script_a_field_moves_by_a_button(pages: "Pages") -> None:
    pages.ines.post(HERE, typed(pages.ines.get(HERE), move="up:email"))
    assert pages.ines.answer.headers["Location"].endswith("#field-email")
    assert (collections.open_collection(pages.company.ines, "customer").document.columns or [])[:3] == ["id", "email", "display_name"]


def test_what_is_wrong_is_named_and_nothing_typed_is_lost(pages: "Pages") -> None:
    page = pages.ines.post(HERE, typed(pages.ines.get(HERE), title="{{ record.nmae }}", label="Clients"), status=422)
    assert "There is no column nmae" in page.text
    assert page.form(HERE)["fields"]["title"] == "{{ record.nmae }}"
    assert page.form(HERE)["fields"]["label"] == "Clients"
    for text, words in (("{", "no JSON"), ("[]", "one object"), ('{"format": 1}', "missing"), ('{"a": 1.5}', "as text")):
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


def test_discarding_a_draft_says_whose_changes_are_lost(pages: "Pages") -> None:
    mona = pages.company.mona
    access.grant("operations_lead", "source", ["manage"], "", team="*")
    access.refresh()
    saved(pages, label="Clients")
    page = pages.ines.get(f"{HERE}/changes").text
    assert "You changed it once. What the draft holds cannot be brought back." in page
    assert "Undo the last change, by" not in page
    for number, words in enumerate(("One.", "Two."), 1):
        document = collections.open_collection(mona, "customer").document.to_json() | {"help": words}
        collections.save(mona, "customer", number, document)
    page = pages.ines.get(f"{HERE}/changes").text
    assert "Mona changed it 2 times and you once." in page
    assert "Undo the last change, by Mona" in page
    collections.undo(pages.company.ines, "customer", 3)
    assert "Mona changed it once and you once." in pages.ines.get(f"{HERE}/changes").text


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
    assert "The draft that is there now is replaced" in told.text, "with the revision that this page has, the draft of somebody else"
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="discard")
    assert "you published or discarded it in the meantime" in pages.ines.send(told, "/versions", number="1", status=409).text
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
    page = pages.ines.post(f"{HERE}/preview", data | {"title": "{{ record.nmae }}"}, htmx="preview", status=200)
    assert "There is no column nmae" in page.text


def test_a_warning_stands_before_publishing(pages: "Pages") -> None:
    page = saved(pages, flag__display_name=["hidden"])
    assert "Before you publish" in pages.ines.get(f"{HERE}/changes").text
    assert "must not be empty, and is hidden" in pages.ines.get(f"{HERE}/changes").text
    assert page.form(HERE)


def test_hostile_words_stay_words(pages: "Pages") -> None:
    evil = "<img src=x onerror=alert(1)> {{ 7*7 }}"
    saved(pages, label=evil, label__email=evil)
    for path in (HERE, f"{HERE}/changes", f"{HERE}/document", "/settings/collections"):
        assert "<img src=x" not in pages.ines.get(path).html
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")
    assert "<img src=x" not in pages.olivia.get("/c/customer").html


def test_everything_about_a_field_is_on_its_page(pages: "Pages") -> None:
    place = f"{HERE}/fields/email"
    page = pages.ines.get(place)
    given = {
        "label": "Mail", "help": "Where we write to.", "widget": "email", "format": "email", "flag": ["required"], "sensitive": "yes", "personal": "no",
        "ai": "never", "rule.if": ["record.email != ''", ""], "rule.message": ["Not nothing.", ""],
    }  # fmt: skip
    pages.ines.post(place, typed(page, place) | given)
    said = collections.open_collection(pages.company.ines, "customer").document.to_json()["fields"]["email"]
    assert said == {
        "label": "Mail", "help": "Where we write to.", "type": "email", "widget": "email", "format": "email", "required": True, "sensitive": True,
        "personal": False, "ai": "never", "validation": [{"if": "record.email != ''", "message": "Not nothing."}],
    }  # fmt: skip
    again = pages.ines.get(place)
    assert again.form(place)["fields"]["help"] == "Where we write to."
    before = collections.open_collection(pages.company.ines, "customer").draft.revision
    pages.ines.post(place, typed(again, place) | {"rule.if": ["record.email != ''", ""], "rule.message": ["Not nothing.", ""]})
    assert collections.open_collection(pages.company.ines, "customer").draft.revision == before, "sent as it was drawn nothing changes"
    options = f"{HERE}/fields/risk"
    pages.ines.post(options, typed(pages.ines.get(options), options, widget="badge", options="low | Low risk | good\nhigh||bad\nmedium"))
    said = collections.open_collection(pages.company.ines, "customer").document.to_json()["fields"]["risk"]["options"]
    assert said == [{"value": "low", "label": "Low risk", "tone": "good"}, {"value": "high", "tone": "bad"}, "medium"]
    assert pages.ines.get(options).form(options)["fields"]["options"].split("\n") == ["low | Low risk | good", "high |  | bad", "medium"]
    pages.ines.get(f"{HERE}/fields/absent", status=404)


def test_what_is_wrong_with_a_field_is_said_on_its_page(pages: "Pages") -> None:
    place = f"{HERE}/fields/balance"
    for given, words in (({"currency": "EUR"}, "of the widget money"), ({"widget": "money", "currency": "euro"}, "three capitals"),
                         ({"widget": "iban"}, "cannot be shown as iban"), ({"lines": "many"}, "whole number"), ({"help": "x" * 1001}, "too long")):  # fmt: skip
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
    pages.ines.post(new, typed(page, new, name="", label="Double", type="decimal", computed="record.balance * 2"))
    assert 'value="Double"' in pages.ines.get(HERE).html
    pages.ines.send(pages.ines.get(f"{HERE}/changes"), "/changes", do="publish")
    assert "25" in pages.olivia.get("/c/customer/1?tab=details").text
    assert "/edit/double" not in pages.olivia.get("/c/customer/1?tab=details").html
    assert "Double" in pages.olivia.get("/c/customer?columns=double").text
    place = f"{HERE}/fields/double"
    page = pages.ines.get(place)
    assert "Remove the field" in page.text
    assert 'value="remove"' not in page.html.partition("field-form")[2].partition("</button>")[0], "Enter in a box presses the first button"
    pages.ines.post(place, typed(page, place) | {"do": "remove"})
    assert "double" not in collections.open_collection(pages.company.ines, "customer").document.to_json().get("fields", {})


def test_widgets_draw_what_people_see_and_type(pages: "Pages") -> None:
    fields = {
        "balance": {"widget": "money", "currency": "EUR", "minor": True}, "risk": {"widget": "radio", "options": [{"value": "low", "tone": "bad"}, "high"]},
        "tax_id": {"widget": "textarea", "lines": 7}, "desk": {"widget": "badge"}, "display_name": {"required": True},
    }  # fmt: skip
    document = collections.open_collection(pages.company.ines, "customer").document.to_json() | {
        "fields": fields,
        "details": ["balance", "risk", "desk"],
        "form": ["risk"],
    }
    collections.import_file(json.dumps(document).encode(), published=True)
    page = pages.olivia.get("/c/customer/3?tab=details")
    assert "€9.00" in page.text
    assert "Email" not in page.text, "it is not among the details"
    assert [link for link in page.links if "/edit/" in link] == ["/c/customer/3/edit/risk"]
    assert 'type="radio"' in pages.olivia.get("/c/customer/3/edit/risk").html
    pages.olivia.get("/c/customer/3/edit/desk", status=404)
    assert '<span class="badge ">Corporate</span>' in pages.olivia.get("/c/customer?columns=desk").html


def test_code_of_ones_own_is_listed(pages: "Pages", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No code of your own is in use" in pages.ines.get("/settings/hooks").text
    (tmp_path / "page_hooks.py").write_text(
        "from console.hooks import computed\n\n@computed('customer', 'bad', inputs=['id'], label='Bad one')\ndef bad(record):\n    raise ValueError('<b>no</b>')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("CONSOLE_HOOKS", "page_hooks, page_absent")
    for kept in (hooks.loaded, hooks.states, real_settings.current):
        kept.cache_clear()
    records.forget()
    assert "The code for this field failed: ValueError." in pages.olivia.get("/c/customer/1?tab=details").text
    assert "failed" in pages.olivia.get("/c/customer?columns=bad").text
    page = pages.ines.get("/settings/hooks")
    for words in (
        "Customers: Bad one",
        "page_hooks.py:3",
        "Reads id of Customers; changes nothing.",
        "ValueError: <b>no</b>",
        "page_absent",
    ):
        assert words in page.text, words
    monkeypatch.undo()
    for kept in (hooks.loaded, hooks.states, real_settings.current):
        kept.cache_clear()
    records.forget()


def test_what_a_model_sees_of_a_field_is_said_in_words(pages: "Pages") -> None:
    place = f"{HERE}/fields/email"
    page = pages.ines.get(place)
    assert page.form(place)["fields"]["ai"] == ""
    assert "As is usual: only a placeholder such as [EMAIL_1]" in page.text
    pages.ines.post(place, typed(page, place, ai="full"))
    assert "Email: a model gets its value as it is." in pages.ines.get(f"{HERE}/changes").text
    again = pages.ines.get(place)
    assert (again.form(place)["fields"]["ai"], "As is usual:" in again.text) == ("full", False)
    new = f"{HERE}/new-field"
    pages.ines.post(new, typed(pages.ines.get(new), new, name="api_token", label="Token", type="text", computed="record.display_name"))
    closed = pages.ines.get(f"{HERE}/fields/api_token")
    assert "by its name it is a secret, and no model ever gets it" in closed.text
    assert "ai" not in closed.form("/fields/api_token")["fields"]
    said = {"ai": "full", "computed": "record.display_name"}
    answer = pages.ines.post(f"{HERE}/fields/api_token", typed(closed, f"{HERE}/fields/api_token") | said, status=422)
    assert "is a secret by its name" in answer.text


def test_every_widget_is_offered_in_words() -> None:
    assert sorted(WIDGET_WORDS) == sorted(WIDGETS)
