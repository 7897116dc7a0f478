"""Tables that join two others stand inside both ends, those that a third leads to do not."""

from tests.core.test_collections import column, structure
from tests.core.test_recognising import assembled


def test_a_join_table_stands_inside_both_ends_and_its_key_reads_as_words() -> None:
    own = column("id", "integer")
    ends = (("employee_id", "employees", "id"), ("territory_id", "territories", "id"))
    made = assembled(
        structure("employees", own, column("first_name"), column("last_name")),
        structure("territories", own, column("name")),
        structure(
            "employee_territories",
            column("employee_id", "integer"),
            column("territory_id", "integer"),
            column("since", "date"),
            key=("employee_id", "territory_id"),
            foreign=ends,
        ),
    )
    assert [(one.name, one.label) for one in made["employees"].relations] == [
        ("employee_territories", "Territories")
    ]
    assert [(one.name, one.label) for one in made["territories"].relations] == [
        ("employee_territories", "Employees")
    ]
    join = made["employee_territories"]
    assert join.by_name["territory_id"].label == "Territory"
    assert join.title == "Employee {{ record.employee_id }}, territory {{ record.territory_id }}"


def test_a_table_of_two_others_that_a_third_leads_to_is_a_thing_of_its_own() -> None:
    own = column("id", "integer")
    ends = (("film_id", "film", "id"), ("store_id", "store", "id"))
    made = assembled(
        structure("film", own, column("title")),
        structure("store", own),
        structure(
            "inventory", own, column("film_id", "integer"), column("store_id", "integer"), foreign=ends
        ),
        structure(
            "rental", own, column("inventory_id", "integer"), foreign=(("inventory_id", "inventory", "id"),)
        ),
    )
    assert [one.label for name in ("film", "store") for one in made[name].relations] == [
        "Inventory",
        "Inventory",
    ]


def test_a_join_of_a_table_with_itself_says_which_end_is_which() -> None:
    ends = (("follower_id", "person", "id"), ("followed_id", "person", "id"))
    pair = structure(
        "follows",
        column("follower_id", "integer"),
        column("followed_id", "integer"),
        key=("follower_id", "followed_id"),
        foreign=ends,
    )
    person = assembled(structure("person", column("id", "integer"), column("name")), pair)["person"]
    assert {one.label for one in person.relations} == {"Follower", "Followed"}
