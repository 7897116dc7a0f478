"""Workspace documents: what is refused, what a component depends on, and what the builder does to them."""

from pathlib import Path
from typing import Any

from console.core.documents.document_parts import as_file, schema_of
from console.core.documents.workspaces import Workspace, check, edits, names_used, read
from console.core.documents.workspaces.new_names import Names, with_columns, with_name
from tests.tables import cases

ROOT = Path(__file__).parents[2]
LIST = {"id": "list", "type": "collection", "collection": "customer", "select": "customer"}
FIND = {"id": "find", "type": "search", "name": "q", "label": "Find"}


def document(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format": 1, "id": "desk", "title": "Desk", "components": list(components), **more}


def test_the_shipped_workspaces_are_fine_and_keep_their_bytes() -> None:
    files = sorted((ROOT / "workspaces").glob("*.json"))
    assert [file.stem for file in files] == ["compliance-morning", "customer-360", "payments", "refund-desk"]
    for file in files:
        assert check(file.read_bytes()) == [], file
        made = read(file.read_bytes())
        assert read(made.canonical()) == made
        assert check(made.canonical()) == [], "what is read and written again may be saved"
        assert made.dashboard is (made.id == "payments")


def test_the_schema_has_no_floats() -> None:
    schema = as_file(schema_of(Workspace))
    assert b'"type": "number"' not in schema, "a document holds no floats"


@cases(
    ("target", "fine"),
    [
        (90, True),
        ("99.5", True),
        ("0.5", True),
        (0, False),
        (-1, False),
        ("0.0", False),
        ("50,000", False),
        ("nan", False),
        ("1e5", False),
        (10**15, False),
    ],
)
def test_an_objective_is_a_number_above_nought_that_can_be_saved(target: int | str, fine: bool) -> None:
    found = check(document({"id": "a", "type": "metric", "collection": "charge", "target": target}))
    assert [spot.place[-1] for spot in found] == ([] if fine else ["target"])


@cases(
    "component, path, words",
    [
        ({"type": "fields", "of": "customer"}, "a.of", "Nothing selects customer"),
        ({"type": "text", "text": "{{ selected.person.name }}"}, "a.text", "Nothing selects person"),
        ({"type": "text", "text": "{{ record.name }}"}, "a.text", "There is no record here"),
        (
            {"type": "text", "text": "Dear {{ nobody.name }}"},
            "a.text",
            "There is no nobody here. Paths begin with me or now.",
        ),
        (
            {"type": "collection", "collection": "c", "select": "person", "where": ["person.x == 1"]},
            "a.where",
            "Write selected.person",
        ),
        ({"type": "text", "text": "{{ me.name"}, "a.text", "never closed"),
        (
            {"type": "collection", "collection": "c", "where": ["record.x == input.y"]},
            "a.where",
            "no input called y",
        ),
        ({"type": "collection", "collection": "c", "search": "q"}, "a.search", "no search called q"),
        ({"type": "link", "text": "x", "to": "javascript:alert(1)"}, "a.to", "begins with /"),
        ({"type": "link", "text": "x", "to": "//evil.example"}, "a.to", "begins with /"),
        (
            {"type": "link", "text": "x", "to": "{{ if true }}javascript:alert(1){{ end }}"},
            "a.to",
            "cannot choose by",
        ),
        ({"type": "metric", "collection": "c", "measure": "sum"}, "components[0]", "say the field"),
        ({"type": "chart", "collection": "c", "chart": "time"}, "components[0]", "say the date"),
        ({"type": "chart", "collection": "c", "sql": "select 1"}, "components[0]", "one of the two"),
        ({"type": "picture"}, "components[0]", "picture"),
        ({"type": "text", "text": "x", "width": 13}, "components[0].width", "too high"),
        ({"type": "text", "text": "x", "onload": "x"}, "components[0].onload", "no setting onload"),
    ],
)
def test_what_is_wrong_is_named_with_its_component(component: dict[str, Any], path: str, words: str) -> None:
    found = check(document({"id": "a", **component}))
    assert any(spot.path == path and words.lower() in spot.reason.lower() for spot in found), found


def test_names_that_stand_twice_and_too_much_nesting_are_refused() -> None:
    reasons = [
        spot.reason
        for spot in check(
            document(
                LIST,
                {**LIST, "id": "other", "collection": "d"},
                FIND,
                {**FIND, "name": "x"},
                {**FIND, "id": "part", "name": "as"},
            )
        )
    ]
    assert [reason.split(":")[0] for reason in reasons] == [
        "Two components are called find",
        "Two components use the name customer in the address",
        "as means something else in the address",
    ]
    deep: dict[str, Any] = {"id": "s0", "type": "section"}
    for number in range(1, 6):
        deep = {"id": f"s{number}", "type": "section", "components": [deep]}
    assert "at most 3 deep" in check(document(deep))[0].reason


def test_a_component_depends_on_what_its_expressions_look_at() -> None:
    made = read(
        document(
            LIST | {"search": "q", "where": ["record.x == input.y || selected.other.id == 1"]},
            {
                "id": "f",
                "type": "fields",
                "of": "customer.desk",
                "title": "{{ input.y }}",
                "visible_if": "selected.z.a > 1",
            },
            {"id": "t", "type": "text", "text": "{{ me.name }} {{ now }}"},
        )
    )
    assert [set(names_used(item)) for item in made.every] == [
        {"q", "y", "other"},
        {"customer", "y", "z"},
        set(),
    ]


def test_new_names_of_columns_relations_and_selections_are_put_everywhere_and_nowhere_else() -> None:
    made = read(
        document(
            {
                **LIST,
                "where": ['record.mail == "record.mail" && record.team.name != input.mail'],
                "sort": "-mail",
                "columns": ["mail", "id"],
                "search": "q",
            },
            FIND,
            {"id": "mail", "type": "input", "name": "mail", "label": "Mail"},
            {
                "id": "hers",
                "type": "fields",
                "of": "customer.team",
                "fields": ["name"],
                "title": "{{ selected.customer.team.name }}, selected.customer.mail",
            },
            {
                "id": "lists",
                "type": "related",
                "of": "customer.team",
                "relation": "members",
                "columns": ["mail"],
            },
            {
                "id": "n",
                "type": "chart",
                "chart": "share",
                "collection": "customer",
                "by": "mail",
                "visible_if": "selected['customer'].mail.startsWith('mail')",
            },
            {
                "id": "s",
                "type": "metric",
                "source": "x",
                "sql": "select mail from customer where id = '{{ selected.customer.mail }}'",
            },
        )
    )
    led = {("customer", "team"): "team", ("team", "members"): "customer"}
    names = {
        "customer": Names({"mail": 'e "mail'}, {"team": "group"}),
        "team": Names({"name": "called"}, {"members": "people"}),
    }
    found = with_columns(made, names, lambda *way: led.get(way), {})
    assert check(found) == []
    listed, _, _, hers, lists, n, s = found["components"]
    new = '["e \\"mail"]'
    assert listed["where"] == [f'record{new} == "record.mail" && record.group.called != input.mail']
    assert (listed["sort"], listed["columns"]) == ('-e "mail', ['e "mail', "id"])
    assert (hers["of"], hers["fields"]) == ("customer.group", ["called"])
    assert hers["title"] == "{{ selected.customer.group.called }}, selected.customer.mail"
    assert (lists["of"], lists["relation"], lists["columns"]) == ("customer.group", "people", ['e "mail'])
    assert (n["by"], n["visible_if"]) == ('e "mail', f"selected.customer{new}.startsWith('mail')")
    assert s["sql"] == f"select mail from customer where id = '{{{{ selected.customer{new} }}}}'"
    called = with_name(with_name(made.to_json(), "selected", "customer", "who"), "input", "q", "words")
    called["components"][0]["select"], called["components"][1]["name"] = "who", "words"
    assert check(called) == []
    assert (called["components"][0]["search"], called["components"][3]["of"]) == ("words", "who.team")


def test_the_builder_moves_copies_and_removes() -> None:
    begin = document({"id": "left", "type": "section", "components": [LIST]}, FIND)
    moved = edits.move(begin, "find", "left", 0)
    assert [each["id"] for each in moved["components"][0]["components"]] == ["find", "list"]
    assert edits.move(begin, "left", "left", 0) == begin, "a section does not move into itself"
    assert edits.move(begin, "find", "nowhere", 0) == begin
    assert [each["id"] for each in edits.step(begin, "find", -1)["components"]] == ["find", "left"]
    assert edits.step(begin, "left", -1) == begin
    copied = edits.duplicate(begin, "left")["components"][1]
    assert (copied["id"], copied["components"][0]["id"], copied["components"][0]["select"]) == (
        "left_2",
        "list_2",
        "customer_2",
    )
    assert edits.resize(begin, "find", 40)["components"][1]["width"] == 12
    assert edits.remove(begin, "left")["components"] == [FIND]
    assert begin["components"][1] == FIND, "what is given is never changed"
    assert edits.fresh(begin, "search") == {"id": "search", "type": "search", "name": "search"}
    assert check(edits.add(begin, edits.fresh(begin, "tabs"), "left")) == []
