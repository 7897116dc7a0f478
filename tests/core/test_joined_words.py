"""Names that write their words in one are taken apart, words that only look so are not."""

import pytest

from console.core.documents.collections import recognising
from console.core.plain_words import humanised
from tests.core.test_recognising import column, one
from tests.tables import cases


@cases(
    ("name", "label"),
    [
        ("salesorderheader", "Sales order header"),
        ("creditcardapprovalcode", "Credit card approval code"),
        ("modifieddate", "Modified date"),
        ("TIMECREATED", "Time created"),
        ("billtoaddressid", "Bill to address ID"),
        ("isonlystateprovinceflag", "Is only state province flag"),
        ("mdl_timecreated", "Mdl time created"),
        ("dateofbirth", "Date of birth"),
        ("orderqty", "Order qty"),
        ("ORDER_STATUS", "Order status"),
    ],
)
def test_words_written_in_one_are_set_apart(name: str, label: str) -> None:
    assert humanised(name) == label


@pytest.mark.parametrize(
    "name",
    [
        "username",
        "membership",
        "flagship",
        "candidate",
        "database",
        "discount",
        "weekday",
        "lineage",
        "passage",
        "shortage",
        "identity",
        "statement",
        "workflow",
        "warehouse",
        "Kursname",
        "kundennummer",
        "zamowienie",
    ],
)
def test_a_word_of_its_own_stays_one(name: str) -> None:
    assert humanised(name) == name.capitalize()


def test_columns_with_names_written_in_one_are_known_as_others_are() -> None:
    made = one(column("totaldue", "decimal"), column("firstname"), column("lastname"), column("emailaddress"), column("zipcode", "integer"))
    kinds = {item.name: (item.type, item.widget) for item in made.stored_fields}
    assert (kinds["totaldue"][0], kinds["emailaddress"][0], kinds["zipcode"]) == ("money", "email", ("integer", "plain"))
    assert made.title == "{{ record.firstname }} {{ record.lastname }}"
    assert recognising.parts_of("customerid") == ("customer", "id")
