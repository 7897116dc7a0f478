"""Connecting a database: what is found, what is kept, what is refused."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from console import records, sources, workspaces
from console.auth import access, accounts
from console.auth.access import Row, policy_store
from console.browse import list_views, saved_segments
from console.browse.list_views import ListView
from console.cli import console
from console.core.documents.collections.collection_document import read
from console.core.errors import Conflict, DefinitionError, NotFound, SourceDown
from console.core.scopes import unrestricted
from console.infra.db.engine import hot_engine, transaction
from console.sources import collections
from console.sources.collections import collection_store
from console.workspaces import workspace_store
from tests.records.shop import shop_url

__all__ = ["shop_url"]

SQL = """
create table team (id integer primary key, name text not null);
create table member (id integer primary key, team_id integer references team, lead_id int references team (id), name text, mail text);
create view roster as select name from member;
"""


@pytest.fixture
def url(clean: object, tmp_path: Path) -> str:
    """A small SQLite file."""
    return made(tmp_path / "club.db", SQL)


def made(file: Path, script: str) -> str:
    with sqlite3.connect(file) as connection:
        connection.executescript(script)
    connection.close()
    return f"sqlite:///{file}"


def test_every_table_becomes_a_collection_of_the_source(url: str) -> None:
    found = sources.add("club", url)
    assert [(item.id, item.kind, item.key, item.label) for item in found] == [
        ("club.member", "table", ("id",), "Member"),
        ("club.roster", "view", (), "Roster"),
        ("club.team", "table", ("id",), "Team"),
    ]
    member, team = records.collection("club.member"), records.collection("club.team")
    assert [(item.name, item.kind, item.collection) for item in member.relations] == [
        ("lead", "to_one", "club.team"),
        ("team", "to_one", "club.team"),
    ]
    assert [item.name for item in team.relations] == ["member_by_lead", "member_by_team"]
    assert member.field("team_id") is not None
    assert member.by_name["team_id"].references == "club.team"
    assert records.page("club.roster", unrestricted("x")).rows == []


def test_the_role_gets_the_collections_and_nobody_else(url: str) -> None:
    access.refresh()
    sources.add("club", url, "operator")
    rows = {(row.sub, row.act) for row in access.all_rows() if row.obj == "collection:club.member"}
    assert rows == {("role:operator", act) for act in ("browse", "read")}


def test_the_url_is_sealed_and_shown_without_its_password(clean: object, shop_url: str) -> None:
    sources.add("shop", shop_url)
    with hot_engine().connect() as connection:
        sealed = bytes(connection.execute(sa.text("select url_sealed from console.data_source")).scalar_one())
    password = shop_url.split(":")[2].split("@", maxsplit=1)[0]
    assert password.encode() not in sealed
    (head,) = sources.list_all()
    assert (head.name, head.dialect) == ("shop", "postgresql")
    assert password not in head.place
    assert "***" in head.place


def test_schemas_comments_enums_and_lists_are_found(clean: object, shop_url: str) -> None:
    found = {item.id: item for item in sources.add("shop", shop_url)}
    assert {"shop.customer", "shop.back.note", "shop.order", "shop.keyless", "shop.summary"} <= set(found)
    customer = found["shop.customer"]
    assert (customer.label, customer.by_name["born"].label, customer.by_name["secret"].label) == (
        "Customer",
        "Born",
        "Secret",
    )
    assert (customer.help, customer.by_name["born"].help) == ("Customers", "Birth date")
    assert (
        customer.by_name["secret"].hidden_because
        == "Its name says that it holds a password, hash, key or token."
    )
    assert str(customer.by_name["secret"].help).startswith("What only the owner")
    kinds = {field.name: field.type for field in customer.fields}
    assert kinds == {
        "id": "integer",
        "name": "text",
        "email": "email",
        "mood": "enum",
        "tags": "array",
        "balance": "money",
        "ratio": "decimal",
        "half": "decimal",
        "visits": "integer",
        "vip": "boolean",
        "born": "date",
        "seen_at": "datetime",
        "local_at": "datetime",
        "opens": "time",
        "ref": "uuid",
        "home": "text",
        "code": "text",
        "place": "json",
        "raw": "json",
        "photo": "binary",
        "wait": "other",
        "shelf": "enum",
        "short": "text",
        "kind": "enum",
        "loud": "text",
    }
    listed = {
        name: [option.value for option in field.options or ()]
        for name, field in customer.by_name.items()
        if field.options
    }
    assert listed == {
        "mood": ["open", "closed", "on hold"],
        "shelf": ["top", "low"],
        "kind": ["person", "company"],
    }
    assert {name for name, field in customer.by_name.items() if field.readonly} == {
        "id",
        "photo",
        "wait",
        "loud",
    }
    assert customer.by_name["home"].max_length == 2
    assert all(field.readonly for field in found["shop.summary"].fields)


def document(**more: Any) -> dict[str, Any]:
    return {"id": "member", "source": "club", "table": "member", **more}


def test_a_document_says_how_a_collection_is_shown(url: str) -> None:
    given = document(
        label="Members",
        label_one="Member",
        title="{{ record.name }} ({{ record.id }})",
        columns=["name", "mail"],
        sort="-name",
        fields={"mail": {"label": "E-mail", "type": "email", "sensitive": True}, "lead_id": {"hidden": True}},
        segments=[{"id": "named", "label": "Named", "filter": "record.name != null"}],
        relations=[
            {"name": "club", "collection": "club.team", "kind": "to_one", "via": "team_id"},
            {"name": "x", "collection": "elsewhere", "kind": "to_one", "via": "mail"},
        ],
    )
    member = sources.add("club", url, documents=[given])[0]
    assert (member.id, member.label, member.columns, member.sort) == (
        "member",
        "Members",
        ("name", "mail"),
        "-name",
    )
    assert member.title_of({"name": "Ann", "id": 5}, "5") == "Ann (5)"
    assert [item.name for item in member.fields] == ["id", "team_id", "name", "mail"]
    assert (member.by_name["mail"].label, member.by_name["mail"].type, member.by_name["mail"].sensitive) == (
        "E-mail",
        "email",
        True,
    )
    assert "club" in [item.name for item in member.relations]
    assert "team" not in [item.name for item in member.relations]
    assert records.page("member", unrestricted("member")).rows == []


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"table": "nope"}, "nope"),
        ({"source": "other"}, "other"),
        ({"strange": 1}, "strange"),
        ({"id": "no id"}, "id"),
        ({"columns": ["name", "nope"]}, "nope"),
        ({"fields": {"nope": {}}}, "nope"),
        ({"fields": {"name": {"type": "colour"}}}, "colour"),
        ({"search": ["nope"]}, "nope"),
        ({"title": "{{ record.nope }}"}, "nope"),
        ({"title": "{{ record. }}"}, "title"),
        ({"segments": [{"id": "s", "label": "S", "filter": "record.name <"}]}, "segments.s"),
        ({"segments": [{"id": "s", "label": "S", "filter": "record.nope == 1"}]}, "nope"),
        ({"segments": [{"id": "s", "label": "S", "filter": "record.name < 'b'"}]}, "segments.s"),
        ({"relations": [{"name": "t", "collection": "club.team", "kind": "to_one", "via": "nope"}]}, "nope"),
    ],
)
def test_a_document_that_fits_nothing_is_refused_and_nothing_is_kept(
    url: str, more: dict[str, Any], named: str
) -> None:
    with pytest.raises(DefinitionError) as error:
        sources.add("club", url, documents=[document(**more)])
    assert named in error.value.message + str(error.value.details)
    assert sources.list_all() == []
    assert records.collections() == []


def test_a_database_that_does_not_answer(clean: object, tmp_path: Path) -> None:
    for given in (
        f"sqlite:///{tmp_path}/nowhere.db",
        "postgresql://u:hidden@127.0.0.1:1/d",
        "mysql://u:hidden@127.0.0.1:1/d",
    ):
        with pytest.raises(SourceDown) as error:
            sources.add("gone", given)
        assert "hidden" not in error.value.message
    (tmp_path / "text.db").write_text("no database, but longer than a header of one would have to be " * 40)
    with pytest.raises(SourceDown, match="no SQLite database"):
        sources.add("gone", f"sqlite:///{tmp_path}/text.db")


def test_a_name_is_taken_once(url: str) -> None:
    sources.add("club", url)
    with pytest.raises(Conflict):
        sources.add("club", url)
    with pytest.raises(Conflict, match="collection"):
        sources.add("other", url, documents=[{"id": "club.team", "source": "other", "table": "team"}])


def test_what_changed_in_the_database_is_seen_and_taken_over(url: str) -> None:
    sources.add("club", url, documents=[document(label="Members")])
    made(
        Path(url.removeprefix("sqlite:///")),
        "alter table member add column born date; create table extra (id integer primary key); drop view roster",
    )
    seen = sources.inspect("club")
    assert (seen["new"], seen["gone"], seen["changed"]) == (["extra"], ["roster"], ["member"])
    sources.refresh("club")
    assert records.collection("member").label == "Members"
    assert records.collection("member").by_name["born"].type == "date"
    with pytest.raises(NotFound):
        records.collection("club.roster")
    assert sources.inspect("club")["changed"] == []
    with pytest.raises(NotFound):
        sources.inspect("nope")
    with pytest.raises(NotFound):
        sources.refresh("nope")


def test_the_commands(url: str, tmp_path: Path) -> None:
    run = CliRunner().invoke
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "member.json").write_text(
        '{"id": "member", "source": "club", "table": "member", "label": "Members"}'
    )
    added = run(
        console,
        [
            "source",
            "add",
            "club",
            url,
            "--role",
            "operator",
            "--role",
            "operations_lead",
            "--documents",
            str(folder),
        ],
    )
    assert (
        added.exit_code,
        "member  Members (5 fields)" in added.output,
        "3 collections of club" in added.output,
    ) == (0, True, True), added.output
    assert added.output.endswith("for the roles operator, operations_lead\n")
    assert {row.sub for row in access.all_rows() if row.obj == "collection:member"} == {
        "role:operator",
        "role:operations_lead",
    }
    assert "club  sqlite" in run(console, ["source", "list"]).output
    assert "mail: email, Mail" in run(console, ["source", "inspect", "club"]).output
    assert run(console, ["source", "refresh", "club"]).output == "3 collections of club\n"
    (folder / "broken.json").write_text("{")
    assert "broken.json" in run(console, ["source", "refresh", "club", "--documents", str(folder)]).output
    for command in ("add", "list", "inspect", "refresh"):
        assert "Example: console source" in run(console, ["source", command, "--help"]).output


RENAMES = """
alter table member rename column mail to email;
alter table member rename column name to "full name";
alter table team rename column name to team_name;
"""


def test_renamed_columns_are_recognised_and_keep_their_settings_everywhere(url: str, tmp_path: Path) -> None:
    said = {
        "columns": ["mail", "name"],
        "search": ["mail"],
        "sort": "-mail",
        "title": "{{ record.name }} ({{ record.mail }})",
        "fields": {"mail": {"label": "Work mail", "sensitive": True}, "name": {"help": "Both names"}},
        "segments": [
            {
                "id": "lost",
                "label": "Lost",
                "filter": 'record.mail == null && record["name"] != null',
                "sort": "-mail",
            }
        ],
        "summary": {"badge": "name", "sections": [{"label": "Who", "fields": ["name", "mail"]}]},
    }
    sources.add("club", url, "operator", documents=[document(**said)])
    with transaction() as connection:
        policy_store.write(
            connection, added=[Row("p", "role:operator", "*", "field:member/name", "read", "deny")]
        )
    access.refresh()
    mona = accounts.create_person(
        "mona@example.com", role="operator", team="desk", name="Mona", password="a long enough test password"
    ).person
    person = accounts.actor_of_person(mona.id, "sys:test")
    asked = json.dumps(
        {
            "or": [
                {"field": "mail", "op": "is_null", "value": True},
                {"field": "mail", "op": "eq", "value": "mail"},
            ]
        }
    )
    saved_segments.save(
        person,
        "member",
        "No mail",
        f"user:{person.id}",
        {"filter": asked, "sort": "-mail,id", "columns": ["mail", "id"]},
    )
    list_views.keep(person, "member", ListView(("mail", "id"), widths={"mail": 200}))
    desk: dict[str, Any] = {
        "format": 1,
        "id": "desk",
        "title": "Desk",
        "components": [{"id": "all", "type": "collection", "collection": "member", "sort": "mail"}],
    }
    (tmp_path / "desk.json").write_text(json.dumps(desk))
    workspaces.import_file(tmp_path / "desk.json", published=True)
    desk["components"].append(
        {"id": "none", "type": "metric", "collection": "member", "where": ["record.mail == null"]}
    )
    (tmp_path / "desk.json").write_text(json.dumps(desk))
    workspaces.import_file(tmp_path / "desk.json")
    file = Path(url.removeprefix("sqlite:///"))
    made(file, RENAMES)
    found = sources.difference("club")
    told = {
        (one.place, column.name, column.change, column.words)
        for one in found.changes
        for column in one.columns
    }
    assert {
        ("member", "mail", "renamed", "email"),
        ("member", "name", "renamed", "full name"),
        ("team", "name", "renamed", "team_name"),
    } <= told
    again = sources.look_again("club")
    assert again is not None
    assert again.waits, (
        "a document names them: that they are the same is for a person to say, and who waits is told so"
    )
    sources.take("club", found.stamp)
    member = records.collection("member")
    assert (
        member.by_name["email"].label,
        member.by_name["email"].sensitive,
        member.by_name["full name"].help,
    ) == (
        "Work mail",
        True,
        "Both names",
    )
    assert (member.sort, member.search, member.columns) == ("-email", ("email",), ("email", "full name"))
    assert member.title == '{{ record["full name"] }} ({{ record.email }})'
    assert (member.segments[0].filter, member.segments[0].sort) == (
        'record.email == null && record["full name"] != null',
        "-email",
    )
    assert member.summary["sections"] == [{"label": "Who", "fields": ["full name", "email"]}]
    assert member.by_name["full name"].hidden, (
        "a right kept the former column from somebody: until it names the new one, nobody sees it"
    )
    assert sources.difference("club").changes == ()
    [saved] = saved_segments.saved_segments(person, "member")
    assert json.loads(saved.query["filter"]) == json.loads(
        asked.replace('"field": "mail"', '"field": "email"')
    )
    assert (saved.query["sort"], saved.query["columns"]) == ("-email,id", ["email", "id"])
    with hot_engine().connect() as connection:
        live, draft = (
            workspace_store.read_live(connection, "desk"),
            workspace_store.DOCUMENTS.draft(connection, "desk"),
        )
    assert (live[0].component("all").sort, live[1]) == ("email", 2)  # type: ignore[union-attr]
    assert draft.document is not None
    assert (draft.document.component("all").sort, draft.document.component("none").where) == (  # type: ignore[union-attr]
        "email",
        ["record.email == null"],
    )
    kept = list_views.view_of(person, "member")
    assert (kept.columns, kept.widths) == (("email", "id"), {"email": 200})


def test_a_segment_whose_order_is_by_a_column_that_is_gone_stays_and_one_with_it_in_its_conditions_goes(
    url: str,
) -> None:
    said = [
        {"id": "named", "label": "Named", "filter": "record.name != null", "sort": "-mail"},
        {"id": "lost", "label": "Lost", "filter": "record.mail == null"},
    ]
    sources.add("club", url, documents=[document(segments=said)])
    made(Path(url.removeprefix("sqlite:///")), "drop view roster; alter table member drop column mail")
    sources.take("club", sources.difference("club").stamp)
    assert [(one.id, one.filter, one.sort) for one in records.collection("member").segments] == [
        ("named", "record.name != null", None)
    ]


def test_what_is_said_of_other_columns_stays_and_follows_when_one_goes_and_others_are_renamed(
    url: str,
) -> None:
    said = {
        "governed": {"mail": "letters", "name": "names", "team_id": "teams"},
        "contact": {
            "name": "name",
            "email": "mail",
            "owner": "team_id",
            "consent": {"email": {"field": "lead_id", "at": "mail"}},
        },
        "changes": {"column": "lead_id", "deleted": "id"},
        "validation": [{"if": "record.id > 0", "message": "Whose?", "field": "team_id"}],
    }
    sources.add("club", url, documents=[document(**said)])
    file = Path(url.removeprefix("sqlite:///"))
    with transaction() as connection:
        own = collection_store.read_stored(connection, "member")[1]
        drafted = read(collection_store.live_document(own).to_json() | {"columns": ["mail", "name"]})
        documents, live = collection_store.DOCUMENTS, collection_store.live_document(own)
        documents.change(
            connection, "member", documents.draft(connection, "member"), live, drafted, sources.SYSTEM
        )
    made(
        file,
        "drop view roster; alter table member rename column mail to email; alter table member rename column lead_id to led_by",
    )
    assert not [one for one in sources.difference("club").breaks if one.kind == "draft"]
    sources.take("club", sources.difference("club").stamp)
    kept = json.loads(collections.export("member"))
    assert kept["governed"] == {"email": "letters", "name": "names", "team_id": "teams"}
    assert kept["contact"] == {
        "name": "name",
        "email": "email",
        "owner": "team_id",
        "consent": {"email": {"field": "led_by", "at": "email"}},
    }
    assert kept["changes"] == {"column": "led_by", "deleted": "id"}
    with hot_engine().connect() as connection:
        followed = collection_store.DOCUMENTS.draft(connection, "member")
    assert (followed.document.columns, followed.revision) == (["email", "name"], 1)  # type: ignore[union-attr]
    made(file, "alter table member drop column team_id; alter table member drop column led_by")
    assert [one.reason for one in sources.difference("club").breaks if one.kind == "draft"][:1] == [
        "What workflows govern: There is no column team_id."
    ]
    sources.take("club", sources.difference("club").stamp)
    kept = json.loads(collections.export("member"))
    assert kept["governed"] == {"email": "letters", "name": "names"}, (
        "nobody changes by hand what workflows alone write"
    )
    assert (kept["contact"], kept["changes"]) == ({"name": "name", "email": "email"}, {"deleted": "id"})
    assert kept["validation"] == [{"if": "record.id > 0", "message": "Whose?"}]


def test_ids_are_readable_in_every_script_and_a_table_keeps_its_own_when_others_come_and_go(
    clean: object, tmp_path: Path
) -> None:
    tables = ["Заказы", "Größe", "订单", "a b", "a_b"]
    url = made(
        tmp_path / "many.db", "".join(f'create table "{table}" (id integer primary key);' for table in tables)
    )
    found = {item.table: item.id for item in sources.add("many", url)}
    assert found == {
        "Заказы": "many.Zakazy",
        "Größe": "many.Grosse",
        "订单": "many.u8ba2u5355",
        "a b": "many.a_b",
        "a_b": "many.a_b_2",
    }
    made(
        tmp_path / "many.db",
        'drop table "a b"; create table "a-b" (id integer primary key); create table "a:b" (id integer primary key)',
    )
    after = {item.table: item.id for item in sources.take("many", sources.difference("many").stamp)}
    assert after["a_b"] == "many.a_b_2", "rights on it are still about it"
    assert len({*after.values(), "many.a_b"}) == len(after) + 1, (
        "nor does a new table come by the rights on one that is gone"
    )
