"""What has changed in the document of a collection, in words: fields, segments and relations by their labels, conditions as sentences."""

from typing import Any

from console.core.documents.collections import Collection, document_words
from console.core.documents.collections.document_changes import changes
from console.core.documents.collections.document_words import Wording
from tests.core.test_collections import column, one
from tests.tables import cases

FIELDS: dict[str, Any] = {
    "email": {"label": "E-mail"},
    "risk": {"options": [{"value": "high", "label": "High risk"}, {"value": "low", "label": "Low"}]},
}
BEFORE: dict[str, Any] = {
    "columns": ["name", "email"],
    "fields": FIELDS,
    "segments": [
        {"id": "risky", "label": "Risky", "filter": 'record.risk == "high"'},
        {"id": "mine", "label": "Mine", "sql": "select id from t"},
    ],
    "relations": [{"name": "acc", "label": "Accounts", "collection": "account", "kind": "to_many", "via": "customer_id"}],
    "summary": {"sections": [{"label": "Key facts", "fields": ["name"]}], "related": [{"relation": "acc", "columns": ["iban"]}]},
}


def collection() -> Collection:
    columns = [column("name"), column("email"), column("risk"), column("paid_cents", "integer"), column("currency"), column("born", "date")]
    return one(*columns, document={"fields": FIELDS})


def told(after: dict[str, Any], before: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """The changes as the page says them."""
    former = BEFORE if before is None else before
    wording = Wording.of(collection(), former, after)
    return [
        (wording.place(change.place), wording.content(change.place, change.before), wording.content(change.place, change.after))
        for change in changes(former, after)
    ]


@cases(
    ("more", "line"),
    [
        ({"columns": ["email"]}, ("Columns of the list", "Name, E-mail", "E-mail")),
        ({"columns": []}, ("Columns of the list", "Name, E-mail", "no field")),
        ({"label": "Patrons"}, ("Name", "nothing", "Patrons")),
        ({"sort": "-email"}, ("Order of the list", "nothing", "E-mail, last first")),
        ({"sort": "gone"}, ("Order of the list", "nothing", "gone")),
        ({"search": ["name", "gone"]}, ("Quick search", "nothing", "Name, gone")),
        ({"fields": FIELDS | {"email": {"label": "Mail"}}}, ("E-mail: label", "E-mail", "Mail")),
        ({"fields": FIELDS | {"born": {"hidden": True}}}, ("Born", "as it was found", "hidden: yes")),
        ({"segments": BEFORE["segments"][:1]}, ("Segment Mine", "label: Mine; SELECT: select id from t", "nothing")),
        ({"segments": BEFORE["segments"][::-1]}, ("Order of the segments", "Risky, Mine", "Mine, Risky")),
        ({"summary": BEFORE["summary"] | {"badge": "risk"}}, ("Summary badge", "nothing", "Risk")),
        ({"summary": BEFORE["summary"] | {"related": []}}, ("Summary related list Accounts", "columns: IBAN", "nothing")),
        (
            {"summary": BEFORE["summary"] | {"sections": [{"label": "Key facts", "fields": ["name", "risk"]}]}},
            ("Summary section Key facts fields", "Name", "Name, Risk"),
        ),
    ],
)
def test_a_change_is_said_by_labels(more: dict[str, Any], line: tuple[str, str, str]) -> None:
    assert told(BEFORE | more) == [line]


@cases(
    ("after", "lines"),
    [
        ({"fields": {"email": {"label": "Mail"}}}, [("E-mail", "as it was found", "label: Mail")]),
        (
            {"summary": BEFORE["summary"] | {"badge": "risk"}},
            [
                ("Summary section Key facts", "nothing", "fields: Name"),
                ("Summary related list acc", "nothing", "columns: IBAN"),
                ("Summary badge", "nothing", "Risk"),
            ],
        ),
        ({"segments": BEFORE["segments"][:1]}, [("Segment Risky", "nothing", "label: Risky; conditions: Risk is High risk")]),
        (
            {"contact": {"email": ["email", 5], "phone": {"of": "name"}}},
            [("Who can be written to: e-mail", "nothing", "email, 5"), ("Who can be written to: telephone", "nothing", "of: Name")],
        ),
    ],
)
def test_the_first_words_about_a_collection_are_said_one_by_one_and_never_as_json(
    after: dict[str, Any], lines: list[tuple[str, str, str]]
) -> None:
    assert told(after, {}) == lines
    assert [(place, now, before) for place, before, now in told({}, after)] == lines


def test_a_segment_is_said_by_its_name_conditions_and_roles_and_never_by_its_id() -> None:
    fresh = {
        "id": "x7",
        "label": "Watch",
        "filter": "record.paid_cents >= 1250 && record.risk in ['high', 'low']",
        "roles": ["kyc_lead"],
        "enabled": False,
    }
    (line,) = told(BEFORE | {"segments": [*BEFORE["segments"], fresh]})
    assert line == (
        "Segment Watch",
        "nothing",
        "label: Watch; conditions: Paid is at least 12.5 and Risk is one of High risk, Low; opens for: KYC lead; offered: no",
    )
    changed = [BEFORE["segments"][0] | {"filter": "record.email == null || record.risk != 'high'", "label": "Odd"}, BEFORE["segments"][1]]
    assert told(BEFORE | {"segments": changed}) == [
        ("Segment Odd: label", "Risky", "Odd"),
        ("Segment Odd: conditions", "Risk is High risk", "E-mail is empty or Risk is not High risk"),
    ]


def test_a_relation_is_said_by_its_label() -> None:
    (line,) = told(BEFORE | {"relations": [BEFORE["relations"][0] | {"label": "Their accounts"}]})
    assert line == ("Relation Their accounts: label", "Accounts", "Their accounts")
    (gone,) = told(BEFORE | {"relations": []})
    assert gone == ("Relation Accounts", "label: Accounts; records of: Account; leads to: several; by: customer_id", "nothing")


@cases(
    ("expression", "words"),
    [
        ("record.born < today()", "Born is before today"),
        ("record.born >= addDays(today(), -30)", "Born is in the last 30 days"),
        ("record.name.contains('a, b')", "Name contains a, b"),
        ("record.gone == 1", "gone is 1"),
        ("record.paid_cents == $currentUser.tags.limit", "Paid is $currentUser.tags.limit"),
        ("size(record.name) > 3", "size(record.name) > 3"),
        ("record.name ==", "record.name =="),
    ],
)
def test_an_expression_is_a_sentence_where_rows_can_say_it(expression: str, words: str) -> None:
    assert document_words.sentence(expression, collection().by_name) == words
