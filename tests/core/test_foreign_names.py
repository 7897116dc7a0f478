"""Names of databases that somebody else made: secrets by their form, the mark of all tables, the columns that a list begins with, labels inside sentences."""

from console.core.documents.collections import recognising
from console.core.plain_words import uncapitalised
from tests.core.test_recognising import assembled, cases, column, one, structure


@cases(
    ("values", "form"),
    [
        (["$P$Babcdefghijklmnopqrstuvwxyz0123"] * 3, "secret"),
        (["$wp$2y$10$abcdefghijklmnopqrstuv"] * 3, "secret"),
        (["$P$Babcdefghijklmnopqrstuvwxyz0123", "$P$Babcdefghijklmnopqrstuvwxyz0456", "letmein"], "secret"),
        (["sha1$ab12$" + "0" * 40] * 2, "secret"),
        (["Price $P$ and more", "a text"], None),
        (["2026-11-20", "2026-11-21"], "day"),
    ],
)
def test_secrets_are_known_by_their_form(values: list[str], form: str | None) -> None:
    assert recognising.form_of(values, "any") == form


def test_the_mark_of_all_tables_of_a_database_is_no_part_of_their_labels() -> None:
    own = (column("id", "integer"), column("post_title"))
    made = assembled(*(structure(table, *own) for table in ("wp_posts", "wp_terms", "wp_users", "wp_wc_orders", "log")))
    assert [one.label for one in made.values()] == ["Posts", "Terms", "Users", "Wc orders", "Log"]
    assert (made["wp_posts"].label_one, made["wp_posts"].title) == ("Post", "{{ record.post_title }}")
    few = assembled(*(structure(table, *own) for table in ("wp_posts", "wp_terms", "users", "orders", "log")))
    assert [one.label for one in few.values()][:2] == ["Wp posts", "Wp terms"]
    alike = assembled(*(structure(table, *own) for table in ("wp_posts", "wp_terms", "wp_users", "wp_log", "log")))
    assert alike["wp_log"].label == "Wp log", "without the mark two were called alike"


def test_of_many_columns_a_list_shows_states_and_amounts_and_no_bookkeeping() -> None:
    names = [
        "create_uid",
        "write_date",
        *(f"part_{letter}" for letter in "abcdefgh"),
        "state",
        "amount_untaxed",
        "amount_tax",
        "amount_total",
    ]
    kinds = {name: "decimal" for name in names if name.startswith("amount")} | {"create_uid": "integer", "write_date": "datetime"}
    columns = one(*(column(name, kinds.get(name, "text")) for name in names)).columns
    assert {"state", "amount_total", "part_a"} <= set(columns)
    assert not {"create_uid", "write_date", "amount_tax"} & set(columns)
    assert list(columns) == [name for name in ("id", *names) if name in columns], "in the order of the table"


@cases(
    ("label", "inside"),
    [
        ("Customer no", "customer no"),
        ("ID", "ID"),
        ("KYC case", "KYC case"),
        ("Sale Order", "sale order"),
        ("KYC Case", "KYC case"),
        ("eID", "eID"),
    ],
)
def test_a_label_inside_a_sentence(label: str, inside: str) -> None:
    assert uncapitalised(label) == inside


@cases(
    ("name", "values", "form"),
    [
        ("order_number", ["#001001", "#001002", "#123456"], None),
        ("orderNumber", ["#001", "#123"], None),
        ("accent", ["#001001", "#12a456"], "colour"),
        ("badge_color", ["#001001", "#123456"], "colour"),
    ],
)
def test_numbers_behind_a_hash_are_no_colours(name: str, values: list[str], form: str | None) -> None:
    assert recognising.form_of(values, name) == form


def test_a_list_of_many_columns_shows_the_first_moment_that_is_more_than_when_it_was_written() -> None:
    names = [*(f"part_{letter}" for letter in "abcdefghij"), "birth_date", "created_at", "date_order", "shipped_at"]
    kinds = {name: "date" for name in names if "date" in name or name.endswith("_at")}
    columns = one(*(column(name, kinds.get(name, "text")) for name in names)).columns
    assert "date_order" in columns
    assert not {"birth_date", "created_at", "shipped_at"} & set(columns)


def test_a_table_with_more_about_the_records_of_another_is_called_by_what_its_key_leads_to() -> None:
    person = structure("person", column("id", "integer"), column("first_name"), column("last_name"))
    lead = (("person_id", "person", "id"),)
    employee = structure(
        "employee", column("person_id", "integer"), column("login"), column("national_no"), key=("person_id",), foreign=lead
    )
    store = structure("store", column("person_id", "integer"), column("name"), key=("person_id",), foreign=lead)
    made = assembled(person, employee, store)
    assert (made["employee"].title, made["store"].title) == ("Employee {{ record.person_id }}", "{{ record.name }}")
