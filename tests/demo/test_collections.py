"""The collection documents fit the databases that they describe: every name leads somewhere, every segment finds what it promises."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from console import records, sources
from console.core import expressions, scopes
from console.core.documents.collections import Collection
from console.demo import loading

pytestmark = pytest.mark.slow

SEGMENTS = {
    ("customer", "restricted"): 22,
    ("customer", "new"): 60,
    ("customer", "stories"): 10,
    ("charge", "stories"): 11,
    ("charge", "refund_requests"): 117,
    ("charge", "disputed"): 30,
    ("charge", "failed"): 860,
    ("ticket", "open"): 310,
    ("ticket", "refund_requests"): 126,
    ("dispute", "open"): 30,
    ("refund", "pending"): 34,
    ("refund", "failed"): 41,
    ("screening_hit", "open"): 64,
    ("screening_hit", "needs_more"): 21,
    ("screening_hit", "true"): 5,
    ("customer_hit", "open"): 64,
    ("ownership_effective", "layers"): 38,
    ("country_risk", "high"): 15,
    ("supplier", "onboarding"): 34,
    ("supplier", "bank_change"): 6,
    ("supplier", "stories"): 2,
    ("supplier_request", "new"): 12,
    ("supplier_request", "stories"): 5,
    ("contact", "no_consent"): 1300,
    ("contact", "no_zone"): 300,
    ("contact", "stories"): 1,
}
BY_TODAY = {
    ("customer", "overdue"),
    ("customer", "due"),
    ("customer", "event"),
    ("kyc_document", "expired"),
    ("supplier", "insurance"),
    ("dispute", "evidence"),
    ("ticket", "late"),
    ("contact", "quiet"),
    ("contact", "newly_quiet"),
    ("customer", "happened"),
}


@pytest.fixture
def known(clean: object, core_url: str, supply_file: Path) -> Iterator[dict[str, Collection]]:
    """Both databases connected as the demo connects them."""
    sources.add(loading.CORE, core_url, documents=loading.documents(loading.CORE))
    sources.add(loading.SUPPLY, f"sqlite:///{supply_file}", documents=loading.documents(loading.SUPPLY))
    yield {collection.id: collection for collection in records.collections()}
    records.forget()


def test_every_table_has_a_document_and_people_see_words(known: dict[str, Collection]) -> None:
    assert [name for name in known if "." in name] == [], "tables without a document"
    for collection in known.values():
        assert collection.label[0].isupper() or collection.label[0].isdigit()
        assert collection.label_one[0].isupper()
        assert "_" not in collection.label + collection.label_one
        assert 0 < len(collection.columns) <= 12, collection.id
        assert [
            field.name
            for field in collection.fields
            if field.name.endswith(("_eur", "_minor")) and not field.currency
        ] == []
        assert [field.name for field in collection.fields if "_" in field.label] == [], collection.id
        assert not {field.label for field in collection.fields} & {"Yes", "No"}, "an answer, not a name"
        assert [field.name for field in collection.fields if field.type in {"other", "binary"}] == [], (
            collection.id
        )


def test_every_record_can_be_opened(known: dict[str, Collection]) -> None:
    for collection in known.values():
        assert collection.key, collection.id
        first = records.page(collection.id, scopes.unrestricted(collection.id), limit=1).rows[0]
        assert first.title.strip()
        assert first.key is not None
        assert records.get(collection.id, first.key, scopes.unrestricted(collection.id)).key == first.key


def test_sections_and_related_lists_name_what_is_there(known: dict[str, Collection]) -> None:
    for collection in known.values():
        named = [name for section in collection.summary["sections"] for name in section["fields"]]
        assert [name for name in named if collection.field(name) is None] == [], collection.id
        assert len(set(named)) == len(named), collection.id
        for related in collection.summary["related"]:
            relation = collection.relation(related["relation"])
            assert relation is not None, (collection.id, related)
            target = known[relation.collection]
            assert [column for column in related["columns"] if target.field(column) is None] == [], (
                collection.id,
                related,
            )
        if badge := collection.summary.get("badge"):
            found = collection.field(badge)
            assert found is not None
            assert found.options, f"{collection.id}.{badge} has no options to be a badge"


def test_every_segment_counts(known: dict[str, Collection]) -> None:
    counted = {
        (collection.id, segment.id): records.count(
            collection.id,
            scopes.unrestricted(collection.id),
            cap=None,
            segment=expressions.parse(segment.filter)
            if segment.sql is None
            else records.KeySelect(segment.sql, lambda read: scopes.unrestricted(read.id)),
        )
        for collection in known.values()
        for segment in collection.segments
    }
    assert {name: counted[name] for name in SEGMENTS} == SEGMENTS
    assert counted.keys() >= BY_TODAY


@pytest.mark.parametrize(
    ("collection", "key", "subject"),
    [
        ("customer", "412", ("customer", "412")),
        ("charge", "ch_PriyaRaman180", ("customer", "101")),
        ("refund", "re_PriyaRaman60", ("customer", "101")),
        ("ticket", "55021", ("customer", "105")),
        ("supplier_request", "231", None),
        ("country_risk", "LT", None),
    ],
)
def test_records_know_whose_data_they_hold(
    known: dict[str, Collection], collection: str, key: str, subject: tuple[str, str] | None
) -> None:
    assert collection in known
    assert records.subject(collection, key) == subject


def test_files_of_the_package_are_what_is_loaded() -> None:
    core, supply = loading.documents(loading.CORE), loading.documents(loading.SUPPLY)
    assert [document["id"] for document in core[:4]] == ["customer", "charge", "ticket", "kyc_document"]
    assert [document["id"] for document in supply[:2]] == ["supplier_request", "supplier"]
    folder = Path(loading.__file__).parent / "collections"
    assert {f"{document['id']}.json" for document in core + supply} == {
        file.name for file in folder.iterdir()
    }
