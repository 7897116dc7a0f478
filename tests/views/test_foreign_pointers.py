"""Columns that say in which table the key beside them is looked up, and titles made of other records."""

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from console import browse, log, records, sources
from console.auth import access, accounts
from console.browse import list_export
from console.core import record_links
from console.core.documents.collections import Stored
from console.core.documents.workspaces import CollectionList, Workspace
from console.core.scopes import unrestricted
from console.records import titled_orders
from console.workspaces import Desk, read_part
from tests.company import WORKING
from tests.core.test_collections import column

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy

RAILS = """
create table issue_statuses (id integer primary key, name text not null, is_closed boolean not null);
create table issues (id integer primary key, subject text not null, status_id integer references issue_statuses, due_date date);
create table versions (id integer primary key, name text not null);
create table notes (id integer primary key, noted_type varchar(30), noted_id integer, author text);
insert into issue_statuses values (1, 'New', 0), (2, 'Rejected', 1);
insert into issues values (1, 'Leak', 1, '2020-01-01'), (2, 'Crack', 2, '2020-01-01'), (3, 'Rust', null, '2020-01-01');
insert into versions values (1, '2.0');
insert into notes values (1, 'Issue', 1, 'a'), (2, 'Version', 1, 'b'), (3, 'WikiPage', 1, 'c'), (4, null, null, 'd'), (5, 'Issue', 99, 'e');
"""


def connected(
    folder: Path, script: str = RAILS, role: str = "operator", documents: Sequence[Mapping[str, Any]] = ()
) -> None:
    file = folder / "track.db"
    with sqlite3.connect(file) as connection:
        connection.executescript(script)
    connection.close()
    sources.add("track", f"sqlite:///{file}", documents=documents, may={role: WORKING})


ONE_TO_ONE = """
create table person (id integer primary key, first_name text, last_name text);
create table employee (person_id integer primary key references person, national_no text);
create table seller (employee_id integer primary key references employee, quota integer);
create table deal (id integer primary key, seller_id integer references seller);
create table a (id integer primary key references b); create table b (id integer primary key references a);
insert into person values (1, 'Ada', 'Byron'); insert into employee values (1, '295'); insert into seller values (1, 9); insert into deal values (1, 1);
insert into a values (1); insert into b values (1);
"""


def offered_by(pages: "Pages", collection: str, text: str) -> list[str]:
    shown = pages.olivia.post(
        "/pick", {"csrf_token": pages.olivia.token, "collection": collection, "q": text}, status=200
    )
    return sorted(
        given["data-key"]
        for _, given in shown.attributes
        if "data-key" in given and given.get("role") == "option"
    )


def test_who_may_not_see_whom_a_record_is_called_after_does_not_find_it_by_that_name(
    pages: "Pages", tmp_path: Path
) -> None:
    connected(tmp_path, ONE_TO_ONE, role="admin")
    for name in ("employee", "seller"):
        access.grant("operator", f"collection:track.{name}", ["browse", "read"])
    assert [offered_by(pages, f"track.{name}", "Byron") for name in ("employee", "seller")] == [[], []]


def test_a_key_beside_its_kind_is_the_record_in_words_with_a_link(pages: "Pages", tmp_path: Path) -> None:
    connected(tmp_path)
    listed = pages.olivia.get("/c/track.notes")
    assert "Noted type" not in [words for _, words in listed.headings]
    assert {"/c/track.issues/1", "/c/track.versions/1"} <= set(listed.links)
    for words in ("Leak", "Version 2.0", "Wiki page 1", "An issue that is gone"):
        assert words in listed.text
    assert "track." not in listed.text
    assert "/c/track.versions/1" in pages.olivia.get("/c/track.notes/2").links
    form = pages.olivia.get("/c/track.notes/2/edit").text
    assert "Noted ID" in form
    assert "Noted type" in form
    notes = records.collection("track.notes")
    assert notes.columns == ("id", "noted", "author")
    assert [row.values["noted"] for row in records.page("track.notes", unrestricted("track.notes")).rows][
        :3
    ] == [
        "track.issues 1",
        "track.versions 1",
        "WikiPage 1",
    ]


def test_the_record_lists_what_names_it_and_nothing_of_another_kind_with_its_key(
    pages: "Pages", tmp_path: Path
) -> None:
    connected(tmp_path)
    for record, there in (("issues/1", "/c/track.notes/1"), ("versions/1", "/c/track.notes/2")):
        listed = pages.olivia.get(f"/c/track.{record}/related")
        assert [link for link in listed.links if link.startswith("/c/track.notes/")] == [there]
        alone = pages.olivia.get(f"/c/track.{record}/related/notes")
        assert [link for link in alone.links if link.startswith("/c/track.notes/")] == [there]
    assert records.related_count("track.issues", "1", "notes", unrestricted("track.notes"), 10) == 1


def test_who_may_not_see_the_kind_learns_no_title(pages: "Pages", tmp_path: Path) -> None:
    connected(tmp_path, role="admin")
    access.grant("operator", "collection:track.notes", ["browse", "read"])
    listed = pages.olivia.get("/c/track.notes")
    assert "An issue you may not see" in listed.text
    assert "Leak" not in listed.text
    pages.olivia.get("/c/track.issues/1", status=404)


PORT = """
create table berths (port text, no integer, since date, name text, primary key (port, no, since));
create table calls (id integer primary key, ship text, port text, berth_no integer, berth_since date, foreign key (port, berth_no, berth_since) references berths);
insert into berths values ('LT/KLJ', 2, '2020-01-31', 'North quay');
insert into calls values (1, 'Ada', 'LT/KLJ', 2, '2020-01-31'), (2, 'Eve', 'LT/KLJ', 3, '2020-01-31'), (3, 'Io', 'LT/KLJ', null, null);
"""


def test_a_foreign_key_of_several_columns_is_the_record_in_words_with_a_link(
    pages: "Pages", tmp_path: Path
) -> None:
    connected(tmp_path, PORT)
    assert records.collection("track.calls").columns == ("id", "ship", "berth_since_record")
    key, _, none = (
        row.values["berth_since_record"]
        for row in records.page("track.calls", unrestricted("track.calls")).rows
    )
    assert none is None
    berth = f"/c/track.berths/{record_links.segment(key)}"
    listed, shown = pages.olivia.get("/c/track.calls"), pages.olivia.get("/c/track.calls/1")
    for page in (listed, shown):
        assert "North quay" in page.text
        assert berth in page.links
        assert "~" not in page.text
    assert "A berth that is gone" in listed.text
    assert "related/berths" not in shown.html, "its title stands among the fields"
    assert "Ada" in pages.olivia.get(f"{berth}/related").text
    before = sources.previewed(f"sqlite:///{tmp_path}/track.db", "new", "calls", by=pages.company.ines)
    assert before is not None
    assert "berth_since_record" in {field.name for field in before.columns}
    assert "North quay" in before.titles.values(), "it looks so before it is connected too"


def test_who_may_not_see_what_several_columns_lead_to_learns_no_title(pages: "Pages", tmp_path: Path) -> None:
    connected(tmp_path, PORT, role="admin")
    access.grant("operator", "collection:track.calls", ["browse", "read"])
    listed = pages.olivia.get("/c/track.calls").text
    assert "A berth you may not see" in listed
    assert "North quay" not in listed


def table(name: str, *columns: dict[str, Any]) -> Stored:
    structure = {
        "schema": "public",
        "table": name,
        "kind": "table",
        "comment": None,
        "dialect": "postgresql",
        "key": ["id"],
        "columns": [column("id", "integer"), *columns],
        "foreign_keys": [],
    }
    return Stored(f"web.{name}", "web", structure, {})


def test_a_text_that_is_empty_elsewhere_may_be_empty_in_a_new_record_and_a_hidden_one_that_must_not_be_is_named_at_once(
    pages: "Pages", tmp_path: Path
) -> None:
    script = """
    create table post (id integer primary key, title text not null, excerpt text not null);
    create table login (id integer primary key, name text not null, password text not null);
    insert into post values (1, 'First', ''), (2, 'Second', 'Some');
    insert into login values (1, 'ann', 'x');
    """
    connected(tmp_path, script)
    pages.olivia.send(pages.olivia.get("/new/c/track.post"), "/new/c/track.post", v_title="Third")
    assert records.get("track.post", "3", unrestricted("track.post")).values["excerpt"] == ""
    pages.olivia.send(pages.olivia.get("/new/c/track.post"), "/new/c/track.post", status=422)
    told = pages.olivia.get("/new/c/track.login", status=403).text
    assert "demands a value for Password" in told


def test_a_field_called_like_a_part_of_the_address_is_edited_alone(pages: "Pages", tmp_path: Path) -> None:
    names = ("notes", "menu", "related", "explorer", "edit", "delete", "tags", "erase")
    columns = "".join(f', "{name}" text' for name in names)
    connected(
        tmp_path, f"create table task (id integer primary key{columns}); insert into task (id) values (1)"
    )
    for name in names:
        shown = pages.olivia.get(f"/c/track.task/1/edit/{name}").html
        assert f'name="v.{name}"' in shown


def test_a_list_is_sorted_by_the_names_that_stand_there_or_says_that_it_took_too_long(
    pages: "Pages", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "insert into issues with recursive n (i) as (select 4 union all select i + 1 from n where i < 60000) select i, 'Leak ' || i, 1 + i % 2, null from n;"
    connected(tmp_path, RAILS.replace("'New', 0", "'Waiting', 0") + many)
    listed = "/c/track.issues?sort=status_id.title"
    assert listed in pages.olivia.get("/c/track.issues?sort=id").links
    assert "Crack" in pages.olivia.get(listed).text, (
        "Rejected comes before Waiting, though its number is higher"
    )
    monkeypatch.setattr(titled_orders, "SECONDS", 0.001)
    told = pages.olivia.get(pages.olivia.client.get(listed).location)
    assert "Leak" in told.text
    assert {"took too long", "by number"} == {
        words for words in ("took too long", "by number") if words in told.text
    }


BROKING = """
create table person (id integer primary key, first_name text not null, last_name text not null);
create table company (id integer primary key, name text not null);
create table broker (id integer primary key, person_id integer not null unique references person, licence_no text not null unique);
create table client (id integer primary key, company_id integer not null unique references company, credit integer);
create table fixture (id integer primary key, code text not null unique, broker_id integer not null references broker, client_id integer references client);
create table line (fixture_id integer references fixture, line_no integer, tonnes integer, primary key (fixture_id, line_no));
create table price (client_id integer references client, cargo text, since date, rate integer, primary key (client_id, cargo, since));
create table payment (id integer primary key, client_id integer not null references client, number text not null unique);
create table pact (id integer primary key, other_id integer not null unique references pact, pact_no text not null unique);
insert into person values (1, 'Ada', 'Byron'), (2, 'Eve', 'Holt'); insert into company values (7, 'Oak & Sons');
insert into broker values (1, 2, 'LB1'), (2, 1, 'LB2'); insert into client values (5, 7, 10);
insert into fixture values (1, '10001', 2, 5); insert into line values (1, 3, 9), (99, 1, 9);
insert into price values (5, 'Coal', '2026-01-31', 9); insert into payment values (1, 5, 'P-1'); insert into pact values (1, 1, 'Pact-1');
"""


def test_who_may_not_see_whom_a_record_is_called_after_reads_its_own_number(
    pages: "Pages", tmp_path: Path
) -> None:
    connected(tmp_path, BROKING, role="admin")
    access.grant("operator", "collection:track.broker", ["browse", "read"])
    access.grant("operator", "collection:track.price", ["browse", "read"])
    for path, own in (("broker", "LB2"), ("broker/2", "LB2"), ("price", "Client 5, Coal, since 31 Jan 2026")):
        shown = pages.olivia.get(f"/c/track.{path}").text
        assert own in shown
        assert {word for word in ("Byron", "Oak") if word in shown} == set()


SHOWN = {
    "/search?q=LB2": "Ada Byron, LB2",
    "/c/track.person/1/related": "Ada Byron, LB2",
    "/c/track.fixture/1/related/line": "Fixture 10001, line 3",
    "/c/track.person/1/explorer?way=broker": "Ada Byron, LB2",
    "/c/track.broker/2/explorer": "Ada Byron, LB2",
    "/c/track.broker/2/related": "Ada Byron, LB2",
}
"""Pages beside its own list that show a record → what it is called there."""


def test_every_page_that_shows_a_record_calls_it_as_its_own_list_does(pages: "Pages", tmp_path: Path) -> None:
    connected(tmp_path, BROKING)
    assert {
        address for address, title in SHOWN.items() if title not in pages.olivia.get(address).text
    } == set()
    olivia = accounts.actor_of_person(pages.company.people["olivia"].id, "sys:engine")
    assert olivia is not None
    export = list_export.require_list(
        olivia, "track.broker", browse.BrowseQuery(fields=("licence_no",), sort="-id")
    )
    assert [row.title for rows, _ in export.pieces() for row in rows] == ["Ada Byron, LB2", "Eve Holt, LB1"]
    item = CollectionList.model_validate(
        {"id": "all", "type": "collection", "collection": "track.broker", "columns": ["licence_no"]}
    )
    desk = Desk(
        olivia, Workspace.model_validate({"id": "brokers", "title": "W", "components": [item]}), {}, log.now()
    )
    assert {row.title for row in read_part(desk, item).data.rows} == {"Eve Holt, LB1", "Ada Byron, LB2"}


def test_who_may_not_see_whom_a_record_is_called_after_finds_it_by_its_own_number(
    pages: "Pages", tmp_path: Path
) -> None:
    connected(tmp_path, BROKING, role="admin")
    access.grant("operator", "collection:track.broker", ["browse", "read"])
    for address in ("/search?q=LB2", "/c/track.broker/2/explorer", "/c/track.broker/2/related"):
        shown = pages.olivia.get(address).text
        assert "LB2" in shown
        assert "Byron" not in shown
