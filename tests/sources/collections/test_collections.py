"""What is said of collections: drafts that two edit, publishing with its event, versions, files that change nothing when nothing changed."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from console import log, records, sources
from console.core.documents.collections.collection_document import read
from console.core.errors import Conflict, ConsoleError, Invalid, NotAllowed, NotFound
from console.core.plain_words import humanised
from console.records import catalogue
from console.sources import collections
from tests.company import Company


@pytest.fixture(name="house")
def fixture_house(module_company: Company) -> Company:
    """One company for the module: tests use collections of their own, or set theirs back."""
    return module_company


def said(house: Company, of: str = "customer", **more: Any) -> dict[str, Any]:
    """The present document with some keys said otherwise; None leaves a key out."""
    document = {**collections.open_collection(house.ines, of).document.to_json(), **more}
    return {name: value for name, value in document.items() if value is not None}


def revision(house: Company, of: str = "customer") -> int:
    return collections.open_collection(house.ines, of).draft.revision


def publish(house: Company, document: dict[str, Any]) -> int:
    of = document["id"]
    return collections.publish(
        house.ines, of, collections.save(house.ines, of, revision(house, of), document)
    )


def events() -> list[Any]:
    """(who, open, sealed) of what the log holds of changed collections, oldest first."""
    return [
        (one.body["actor"]["id"], one.body["data"]["open"], one.values)
        for one in log.events_of("sys:config")
        if one.type == "collection_changed"
    ]


@pytest.mark.parametrize("who", ["stan", "olivia", "ada", "rosa"])
def test_who_may_neither_manage_sources_nor_shape_gets_nowhere(house: Company, who: str) -> None:
    actor, before = house.people[who], collections.export("customer")
    needed = {("source", "manage")} | (
        {("collection:customer", "shape")} if who in ("olivia", "rosa") else set()
    )
    for attempt in (
        lambda: collections.list_collections(actor),
        lambda: collections.open_collection(actor, "customer"),
        lambda: collections.versions(actor, "customer"),
        lambda: collections.save(actor, "customer", 0, {}),
        lambda: collections.preview(actor, "customer", {}),
        lambda: collections.undo(actor, "customer", 0),
        lambda: collections.discard(actor, "customer", 0),
        lambda: collections.restore(actor, "customer", 1, 0),
        lambda: collections.publish(actor, "customer", 0),
        lambda: collections.import_file(b"{}", by=actor),
    ):
        with pytest.raises(NotAllowed) as refused:
            attempt()
        assert refused.value.need in needed
    assert collections.export("customer") == before


def test_a_draft_counts_for_nobody_until_it_is_published(house: Company) -> None:
    number = revision(house)
    first = collections.save(house.ines, "customer", number, said(house, label="Clients"))
    assert records.collection("customer").label == "Customers"
    assert [
        head.draft_by for head in collections.list_collections(house.ines) if head.collection.id == "customer"
    ] == [house.ines.id]
    opened = collections.open_collection(house.ines, "customer")
    assert (opened.becoming.label, [change.path for change in opened.changes]) == ("Clients", ["label"])
    assert collections.save(house.ines, "customer", first, said(house)) == first, (
        "the same again is nothing new"
    )
    version = collections.publish(house.ines, "customer", first, opened.live.hash)
    assert records.collection("customer").label == "Clients"
    assert [(one.number, one.origin) for one in collections.versions(house.ines, "customer")][:2] == [
        (version, "page"),
        (version - 1, "found"),
    ]
    assert collections.open_collection(house.ines, "customer").draft.document is None
    back = collections.restore(house.ines, "customer", version - 1, revision(house))
    assert collections.publish(house.ines, "customer", back) == version + 1
    assert records.collection("customer").label == "Customers"


def test_every_change_is_an_event_with_before_and_after(house: Company) -> None:
    before = len(events())
    version = publish(
        house,
        said(house, "account", label_one="Konto", fields={"status": {"label": "State", "sensitive": True}}),
    )
    ((who, told, sealed),) = events()[before:]
    assert (who, told["collection"], told["version"], told["origin"]) == (
        house.ines.id,
        "account",
        version,
        "page",
    )
    assert told["changes"] == ["label_one", "fields.status"]
    assert told["hash"] != told["former"]
    assert (sealed["old"], sealed["new"]["label_one"]) == (
        {"label_one": "Account", "fields.status": None},
        "Konto",
    )
    publish(house, said(house, "account", label_one="Account", fields=None))


def test_another_process_follows_by_the_number_of_the_configuration(house: Company) -> None:
    number = catalogue.current().number
    publish(house, said(house, help="Who we care for."))
    assert catalogue.current().number == number + 1
    assert records.collection("customer").help == "Who we care for."
    publish(house, said(house, help=None))


def test_two_editors_do_not_overwrite_each_other(house: Company) -> None:
    began = revision(house)
    collections.save(house.ines, "customer", began, said(house, label="One"))
    with pytest.raises(Conflict) as late:
        collections.save(house.ines, "customer", began, said(house, label="Two"))
    assert (late.value.code, late.value.extra["by"]) == ("stale_revision", house.ines.id)
    assert late.value.details == [{"field": "label", "reason": "Changed by you.", "theirs": "One"}]
    for attempt in (collections.undo, collections.discard, collections.publish):
        with pytest.raises(Conflict):
            attempt(house.ines, "customer", began)
    collections.discard(house.ines, "customer", revision(house))
    with pytest.raises(Conflict):
        collections.save(house.ines, "customer", began, said(house, label="Three"))


def test_what_was_published_since_the_changes_were_looked_at_stops_publishing(house: Company) -> None:
    made = collections.save(house.ines, "customer", revision(house), said(house, label="Mine"))
    looked = collections.open_collection(house.ines, "customer").live.hash
    content = json.dumps(read(collections.export("customer")).to_json() | {"help": "From a file."}).encode()
    assert collections.import_file(content, published=True)[1].startswith("version")
    with pytest.raises(Conflict):
        collections.publish(house.ines, "customer", made, looked)
    publish(house, said(house, label="Customers", help=None))


def test_undo_takes_one_change_back_at_a_time(house: Company) -> None:
    number = revision(house)
    for label in ("A", "B", "C"):
        number = collections.save(house.ines, "customer", number, said(house, label=label))
    labels = []
    while (draft := collections.open_collection(house.ines, "customer").draft).document is not None:
        labels.append(draft.document.label)
        number = collections.undo(house.ines, "customer", number)
    assert labels == ["C", "B", "A"]
    with pytest.raises(Conflict, match="nothing to undo"):
        collections.undo(house.ines, "customer", number)
    with pytest.raises(Conflict, match="nothing to publish"):
        collections.publish(house.ines, "customer", number)


def test_what_was_changed_and_undone_stops_no_other_editor(house: Company) -> None:
    began = revision(house)
    first = collections.save(house.ines, "customer", began, said(house, label="A"))
    second = collections.save(house.ines, "customer", first, said(house, label="B"))
    third = collections.undo(house.ines, "customer", second)
    with pytest.raises(Conflict) as late:
        collections.save(house.ines, "customer", began, said(house, label="D"))
    assert late.value.details == [{"field": "label", "reason": "Changed by you.", "theirs": "A"}]
    with pytest.raises(Conflict) as late:
        collections.save(house.ines, "customer", second, said(house, label="D"))
    assert late.value.details == [{"field": "label", "reason": "Changed by you.", "theirs": "A"}], (
        "who saw B is told that it is A"
    )
    assert collections.open_collection(house.ines, "customer", second).document.label == "B"
    assert collections.open_collection(house.ines, "customer").draft.changers == {house.ines.id: 1}
    fourth = collections.save(house.ines, "customer", first, said(house, label="D"))
    assert fourth == third + 1, "A is what they saw"
    for label in ("A", None):
        fourth = collections.undo(house.ines, "customer", fourth)
        draft = collections.open_collection(house.ines, "customer").draft.document
        assert (draft.label if draft else None) == label
    made = collections.save(
        house.ines, "customer", began, said(house, help="Saved by who began before all of it.")
    )
    collections.discard(house.ines, "customer", made)


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"labell": "x"}, "labell", "is label meant?"),
        ({"fields": {"email": {"lable": "x"}}}, "fields.email.lable", "is label meant?"),
        ({"title": "{{ record.nmae }}"}, "title", "There is no column nmae"),
        ({"title": "{{ input.x }}"}, "title", "There is no input here"),
        ({"columns": ["id", "emial"]}, "columns", "is email meant?"),
        ({"columns": ["id", "id"]}, "columns", "twice"),
        ({"sort": "-gone"}, "sort", "no column gone"),
        ({"fields": {"gone": {"label": "x"}}}, "fields.gone", "A field without a column is computed"),
        ({"fields": {"email": {"computed": "record.id"}}}, "fields.email.computed", "another name"),
        ({"fields": {"age": {"computed": "record.id +"}}}, "fields.age.computed", "too early"),
        (
            {"fields": {"age": {"computed": "record.other"}, "other": {"computed": "record.id"}}},
            "fields.age.computed",
            "computed itself",
        ),
        (
            {"fields": {"age": {"computed": "$currentUser.id"}}},
            "fields.age.computed",
            "There is no $currentUser here",
        ),
        (
            {"fields": {"tax_id": {"hidden": True}, "t": {"computed": "record.tax_id"}}},
            "fields.t.computed",
            "nobody may see of it",
        ),
        ({"fields": {"email": {"widget": "money"}}}, "fields.email.widget", "cannot be shown as money"),
        (
            {"fields": {"balance": {"widget": "money", "currency": "euro"}}},
            "fields.balance.currency",
            "three capitals",
        ),
        ({"fields": {"balance": {"format": "iban"}}}, "fields.balance.format", "Only texts"),
        (
            {"fields": {"email": {"validation": [{"if": "record.email", "message": ""}]}}},
            "fields.email.validation[0].message",
            "empty",
        ),
        (
            {"segments": [{"id": "a", "label": "A", "filter": "record.balance + 1 > 2"}]},
            "segments.a",
            "without arithmetic",
        ),
        (
            {"relations": [{"name": "r", "collection": "account", "kind": "to_many", "via": "gone"}]},
            "relations.r",
            "does not lead",
        ),
        ({"source": "elsewhere"}, "source", "is about company"),
        ({"format": 2}, "format", "newer release"),
    ],
    ids=lambda item: str(item)[:40],
)
def test_what_is_wrong_is_named_and_nothing_is_published(
    house: Company, more: dict[str, Any], field: str, words: str
) -> None:
    before = collections.export("customer")
    with pytest.raises(ConsoleError) as wrong:
        publish(house, said(house, **more))
    assert [detail["field"] for detail in wrong.value.details if words in detail["reason"]] == [field], (
        wrong.value.details
    )
    assert collections.export("customer") == before
    if collections.open_collection(house.ines, "customer").draft.document is not None:
        collections.discard(house.ines, "customer", revision(house))


@pytest.mark.parametrize("of", ["customer", "account"])
def test_exported_and_read_in_again_nothing_changes(house: Company, of: str, tmp_path: Path) -> None:
    file = tmp_path / f"{of}.json"
    file.write_bytes(collections.export(of))
    before, told = collections.versions(house.ines, of), len(events())
    assert collections.check_file(file) == []
    for published in (False, True):
        assert collections.import_file(file, published=published) == (of, "unchanged")
    assert (collections.versions(house.ines, of), len(events())) == (before, told)
    assert collections.export(of) == file.read_bytes()


def test_a_file_becomes_the_draft_or_counts(house: Company) -> None:
    content = json.dumps(said(house, "account", label="Konten")).encode()
    assert collections.import_file(content) == ("account", "draft")
    assert collections.open_collection(house.ines, "account").becoming.label == "Konten"
    assert records.collection("account").label == "Accounts"
    of, came = collections.import_file(content, published=True)
    assert (of, came.split()[0], records.collection("account").label) == ("account", "version", "Konten")
    publish(house, said(house, "account", label="Accounts"))


def test_a_file_about_what_is_not_connected_is_refused(house: Company, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no collection nothing: connect its data source first"):
        collections.import_file(b'{"id": "nothing", "source": "s", "table": "t"}')
    with pytest.raises(Invalid, match="cannot be read"):
        collections.check_file(tmp_path / "absent.json")
    for content, words in (
        (b"\xff", "UTF-8"),
        (b"[]", "one object"),
        (b'{"id": 1}', "must be text"),
        (b'{"a": 1, "a": 2}', "twice"),
    ):
        with pytest.raises(Invalid) as wrong:
            collections.import_file(content)
        assert words in str(wrong.value.details), content


def test_a_table_that_nothing_is_said_of_has_a_document_too(house: Company, tmp_path: Path) -> None:
    path = tmp_path / "bare.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table odd_thing (id integer primary key, name text)")
    connection.close()
    sources.add("bare", f"sqlite:///{path}")
    of = "bare.odd_thing"
    assert json.loads(collections.export(of)) == {
        "format": 1,
        "id": of,
        "source": "bare",
        "table": "odd_thing",
    }
    assert [
        (head.said, head.version)
        for head in collections.list_collections(house.ines)
        if head.collection.id == of
    ] == [(False, 0)]
    assert publish(house, said(house, of, label="Things")) == 2
    sources.refresh("bare")
    assert records.collection(of).label == "Things", "looking at the database again keeps what is said"
    assert humanised("odd_thing") == "Odd thing"


def test_who_is_not_cleared_for_a_collection_does_not_find_it_here(house: Company) -> None:
    content = said(house, "account")
    with pytest.raises(Invalid) as wrong:
        publish(house, {**content, "clearance": {"label": "Not A Label!"}})
    assert wrong.value.details[0]["field"].startswith("clearance")
    secret = {**content, "clearance": {"label": "confidential"}}
    collections.import_file(json.dumps(secret).encode(), published=True)
    assert "account" not in {head.collection.id for head in collections.list_collections(house.ines)}
    for attempt in (
        lambda: collections.open_collection(house.ines, "account"),
        lambda: collections.save(house.ines, "account", 0, content),
        lambda: collections.publish(house.ines, "account", 0),
        lambda: collections.versions(house.ines, "account"),
        lambda: collections.import_file(json.dumps(content).encode(), published=True, by=house.ines),
    ):
        with pytest.raises((NotFound, NotAllowed)):
            attempt()
    assert json.loads(collections.export("account"))["clearance"] == {"label": "confidential"}
    collections.import_file(json.dumps(content).encode(), published=True)
