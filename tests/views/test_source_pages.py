"""Pages about data sources: from nothing to a list of collections and a first run, and who is not let in."""

import re
import secrets
import shutil
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console import log, records, runs, sources
from console.auth import access
from tests.company import WORKING, Company
from tests.conftest import web_app
from tests.views.conftest import Browser, Page, Pages

pytestmark = pytest.mark.lengthy

LIST, NEW, CONNECT = "/settings/sources", "/settings/sources/new", "/settings/sources/connect"
SQL = """
create table team (id integer primary key, name text not null);
create table member (id integer primary key, team_id integer references team, name text not null, mail text);
create table "order lines" (a int, b text);
create view roster as select name from member;
insert into team values (1, 'Red'), (2, 'Blue');
"""


@pytest.fixture(scope="module")
def pages(module_company: Company) -> Pages:
    """The company's pages for all of this file: each test connects databases of its own."""
    return Pages(module_company, web_app())


def fresh() -> str:
    """A name that no other test has."""
    return f"club_{secrets.token_hex(3)}"


def behind(path: Path, script: str) -> None:
    """What somebody does with the database itself."""
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()


def filled(folder: Path, name: str = "Club 2026.db") -> Path:
    """A file with three tables and a view."""
    with sqlite3.connect(folder / name) as connection:
        connection.executescript(SQL)
    connection.close()
    return folder / name


def at_choice(browser: Browser, file: Path) -> Page:
    """The second page of the way, for this file."""
    return browser.send(browser.get(NEW), NEW, status=200, kind="sqlite", database=str(file), do="next")


def told(kind: str) -> list[dict[str, Any]]:
    """What the open parts of these events of the configuration say."""
    return [event.body["data"]["open"] for event in log.events_of("sys:config") if event.type == kind]


def test_from_nothing_to_a_list_and_a_run(pages: Pages, tmp_path: Path) -> None:
    ines = pages.ines
    assert "company" in ines.get(LIST).text
    page = at_choice(ines, filled(tmp_path))
    assert "4 tables and views may be read" in page.text
    form = page.form(CONNECT)["fields"]
    assert (form["name"], form["which"], form["look"]) == ("club_2026", "all", "member")
    assert {name: value for name, value in form.items() if name.startswith("may.")} == {"may.admin": "browse"}
    page = ines.send(page, CONNECT, status=200, do="look", look="team")
    assert all(word in page.text for word in ("How records will look", "Red", "Blue"))
    form = page.form(CONNECT)["fields"]
    assert form["may.admin"] == "browse", "what was ticked stays"
    assert str(tmp_path) not in form["kept"]
    ines.send(page, CONNECT, do="connect", name="club", may_operator=["browse", "update"])
    page = ines.follow()
    assert ines.answer.request.path == "/settings/sources/club/connected"
    assert {one.id for one in records.collections() if one.source == "club"} == {
        "club.member",
        "club.order_lines",
        "club.roster",
        "club.team",
    }
    assert "SQLite" in page.text
    assert "2 without a key" in page.text
    ines.send(page, "/first", collection="club.team")
    run_id = ines.answer.headers["Location"].removeprefix("/runs/")
    state = runs.get(pages.company.ines, run_id).json
    assert (state["collection"], state["record"], state["current"]["step"]) == ("club.team", "1", "look")
    assert "Is this team right?" in ines.follow().text
    (added,) = [one for one in told("source_added") if one["name"] == "club"]
    assert added == {
        "source": "club",
        "name": "club",
        "dialect": "sqlite",
        "collections": 4,
        "role": "admin, operator",
        "read_only": False,
    }
    given = {(row.sub, row.act) for row in access.all_rows() if row.obj == "collection:club.team"}
    assert given == {
        (f"role:{role}", act)
        for role, acts in (("admin", ("browse", "read")), ("operator", ("browse", "read", "update")))
        for act in acts
    }
    assert told("source_tested")[0]["ok"] is True


def test_only_what_is_ticked_becomes_a_collection(pages: Pages, tmp_path: Path) -> None:
    ines = pages.ines
    file = filled(tmp_path)
    behind(tmp_path / "Club 2026.db", "create table alembic_version (version_num varchar(32) primary key)")
    page = at_choice(ines, file)
    assert "Left out as tools keep them for themselves: 1." in page.text
    assert "Alembic keeps it for itself" in page.text
    refused = ines.send(page, CONNECT, status=422, which="some", table=None)
    assert "Choose at least one table." in refused.text
    name = fresh()
    ines.send(refused, CONNECT, which="some", table="team", name=name, read_only="1")
    assert [one.id for one in records.collections() if one.source == name] == [f"{name}.team"]
    assert all(field.readonly for field in records.collection(f"{name}.team").fields)
    behind(tmp_path / "Club 2026.db", "create table later (id integer primary key)")
    sources.refresh(name)
    assert [one.id for one in records.collections() if one.source == name] == [f"{name}.team"]


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"kind": "sqlite", "database": "/nowhere/x.db"}, "database", "There is no file /nowhere/x.db."),
        ({"kind": "sqlite", "database": "x.db"}, "database", "whole path"),
        ({"kind": "postgresql", "host": "", "database": "d", "user": ""}, "user", "This is needed."),
        (
            {
                "kind": "postgresql",
                "host": "127.0.0.1",
                "port": "1",
                "database": "d",
                "user": "u",
                "password": "hush-hush",
            },
            "port",
            "Nobody listens",
        ),
        (
            {
                "kind": "mysql",
                "host": "127.0.0.1",
                "port": "1",
                "database": "d",
                "user": "u",
                "password": "hush-hush",
            },
            "port",
            "Nobody listens",
        ),
        (
            {"kind": "postgresql", "host": "h", "port": "99999", "database": "d", "user": "u"},
            "port",
            "1 to 65535",
        ),
        (
            {"kind": "postgresql", "host": "h.invalid", "database": "d", "user": "u"},
            "host",
            "There is no host h.invalid.",
        ),
        ({"url": "oracle://u:p@h/d"}, "url", "There is no driver for oracle"),
        ({"url": "postgresql://u:hush-hush@127.0.0.1:1/d"}, "url", "Nobody listens at 127.0.0.1:1."),
        ({"url": "mysql://u:hush-hush@127.0.0.1:1/"}, "url", "names no database"),
        ({"url": "mysql://u:p@h/d?local_infile=1"}, "url", "local_infile"),
    ],
)
def test_what_does_not_connect_says_why_and_loses_nothing(
    pages: Pages, typed: dict[str, str], field: str, said: str
) -> None:
    ines = pages.ines
    page = ines.send(ines.get(NEW), NEW, status=422, do="next", **typed)
    assert said in page.text
    boxes = {one["name"]: one for one in page.with_attribute("name")}
    assert boxes[field]["aria-invalid"] == "true"
    assert "hush-hush" not in page.html.replace(typed.get("url", "hush-hush"), "")
    again = page.form(NEW)["fields"]
    assert all(again[name] == value for name, value in typed.items() if name not in ("kind", "password"))


def test_what_was_sealed_is_opened_for_its_person_alone_and_not_for_ever(
    pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ines = pages.ines
    page = at_choice(ines, filled(tmp_path))
    for kept in (
        "",
        "x",
        page.form(CONNECT)["fields"]["kept"][:-4] + "AAAA",
        sources.addresses.seal("usr_x", {"url": "sqlite:////x"}),
    ):
        assert "too old" in ines.send(page, CONNECT, status=422, kept=kept).text
    monkeypatch.setattr(sources.addresses, "KEPT_S", -1)
    old = at_choice(ines, filled(tmp_path, "b.db"))
    assert "too old" in ines.send(old, CONNECT, status=422).text


def connected(file: Path, **more: Any) -> str:
    name = fresh()
    sources.add(name, f"sqlite:///{file}", may={str(more.pop("role", "admin")): WORKING}, **more)
    return name


def test_the_page_of_a_source_tests_pauses_and_resumes_it(pages: Pages, tmp_path: Path) -> None:
    ines, at = pages.ines, f"/settings/sources/{(name := connected(filled(tmp_path)))}"
    assert "4 connections in each process" in ines.get(at).text
    assert "SQLite" in ines.send(ines.get(at), "/test", status=200).text
    ines.send(ines.get(at), "/pause")
    assert "is paused" in ines.follow().text
    ines.send(ines.get("/settings/me"), "/profile", zone="Pacific/Kiritimati")
    since = re.search(
        r"is paused since (\d+ \w+, \d\d):\d\d\. Who", ines.get(f"/c/{name}.team", status=503).text
    )
    ines.send(ines.get("/settings/me"), "/profile", zone="UTC")
    now = datetime.now(ZoneInfo("Pacific/Kiritimati"))
    assert since and since[1] in {f"{one.day} {one:%b, %H}" for one in (now, now - timedelta(minutes=5))}, (  # noqa: PT018
        "in her zone"
    )
    assert (
        ines.post(at + "/pause", {"csrf_token": ines.token}, status=409).text.count("is paused already") == 1
    )
    ines.send(ines.get(at), "/resume")
    assert "Red" in ines.get(f"/c/{name}.team").text
    changed = [one["fields"] for one in told("source_changed") if one["name"] == name]
    assert changed == [["paused"], ["paused"]]
    (tmp_path / "Club 2026.db").rename(tmp_path / "away.db")
    assert "There is no file" in ines.send(ines.get(at), "/test", status=200).text


def test_limits_and_read_only_hold_at_once(pages: Pages, tmp_path: Path) -> None:
    ines, name = pages.ines, connected(filled(tmp_path))
    at = f"/settings/sources/{name}/limits"
    refused = ines.send(
        ines.get(at), at, status=422, pool="0", overflow="x", statement_s="121", connect_s="30"
    )
    assert {one["name"] for one in refused.with_attribute("aria-invalid")} == {
        "pool",
        "overflow",
        "statement_s",
    }
    assert refused.form(at)["fields"]["overflow"] == "x"
    ines.send(ines.get(at), at, pool="2", read_only="1")
    source = sources.source_of(name)
    assert (source.terms.pool, source.terms.read_only, source.terms.statement_s) == (2, True, 15)
    assert ines.get(at).form(at)["fields"]["read_only"] == "1"
    assert f"/c/{name}.team/1/edit/name" not in ines.get(f"/c/{name}.team/1").html
    ines.get(f"/c/{name}.team/1/edit/name", status=404)


def test_the_address_is_changed_and_its_password_is_never_shown(pages: Pages, tmp_path: Path) -> None:
    ines, name = pages.ines, connected(filled(tmp_path))
    at = f"/settings/sources/{name}/address"
    for typed, said in (
        ({"database": str(tmp_path / "b.db")}, "There is no file"),
        ({"database": "b.db"}, "whole path"),
        ({"url": "postgresql://u:hush@127.0.0.1:1/d"}, "Another kind of database"),
    ):
        assert said in ines.send(ines.get(at), at, status=422, **typed).text
    shutil.copyfile(tmp_path / "Club 2026.db", tmp_path / "b.db")
    behind(tmp_path / "b.db", "insert into team values (3, 'Green')")
    ines.send(ines.get(at), at, database=str(tmp_path / "b.db"))
    assert "Nothing has changed" in ines.follow().text
    assert "Green" in ines.get(f"/c/{name}.team").text
    ines.send(ines.get(at), at)
    assert [one["fields"] for one in told("source_changed") if one["name"] == name] == [["url"]]


def test_what_a_change_breaks_is_shown_before_it_is_taken_over(pages: Pages, tmp_path: Path) -> None:
    ines, file = pages.ines, filled(tmp_path)
    name = fresh()
    document: dict[str, Any] = {
        "id": f"{name}-m",
        "source": name,
        "table": "member",
        "label": "Members",
        "columns": ["name", "mail"],
        "title": "{{ record.mail }}",
    }
    document["segments"] = [{"id": "without", "label": "Without mail", "filter": "record.mail == null"}]
    sources.add(name, f"sqlite:///{file}", documents=[document])
    ines.send(ines.get(f"/settings/sources/{name}/connected"), "/first", collection=f"{name}-m")
    ines.send(ines.get("/w/new"), "/w/new", title=f"Desk {name}", id="")
    desk = ines.answer.headers["Location"].removesuffix("/edit")
    metric: dict[str, Any] = {
        "title": "Letters",
        "collection": f"{name}-m",
        "measure": "distinct",
        "field": "mail",
    }
    ines.send(ines.get(f"{desk}/edit/add?type=metric"), f"{desk}/edit/add", **metric)
    ines.send(ines.get(f"{desk}/changes"), "/changes", do="publish")
    behind(
        file,
        "insert into member values (1, 1, 'Ann', null); drop view roster; alter table member drop column mail; alter table member add column post int; create table fee (id integer primary key)",
    )
    at = f"/settings/sources/{name}/again"
    ines.get(f"/c/{name}-m", status=303)
    seen = ines.follow()
    assert "The table has changed: Mail is not there as before" in seen.text
    assert "member.mail is gone" in seen.text
    assert f'href="{at}"' in seen.html, "from the notice to what can be done"
    assert "There is no field mail in Members" in ines.get(f"{desk}/part/metric").text
    page = ines.get(at)
    for words in (
        "roster",
        "fee",
        "post is new",
        "mail is gone",
        "Columns of the list: Name, Mail → Name",
        "Title of a record:",
        "Segment Without mail: label: Without mail; conditions: Mail is empty is left out",
    ):
        assert words in page.text, words
    assert "/workflows/review-" in page.html
    assert (
        f"Metric “Letters”: There is no field mail in {records.collection(f'{name}-m').label}." in page.text
    )
    assert f'href="{desk}/edit?part=metric"' in page.html
    stale = ines.send(page, at, status=409, stamp="x")
    assert "has changed again" in stale.text
    ines.send(page, at)
    assert "Members" in ines.get(f"/c/{name}-m").text
    assert (records.collection(f"{name}-m").columns, records.collection(f"{name}-m").segments) == (
        ("name",),
        (),
    )
    assert "Nothing has changed" in ines.get(at).text


def test_a_secret_under_another_name_waits_for_a_person(pages: Pages, tmp_path: Path) -> None:
    ines, file = pages.ines, filled(tmp_path)
    behind(
        file,
        "alter table member add column password text; insert into member values (1, 1, 'Ann', 'a@x.example', 'hush')",
    )
    name = connected(file)
    behind(file, "alter table member rename column password to login_password_text")
    ines.get(f"/c/{name}.member?columns=name", status=200)
    behind(file, "alter table member drop column mail")
    ines.get(f"/c/{name}.member", status=303)
    assert "hush" not in ines.get(f"/c/{name}.member/1").html


def test_a_source_is_removed_by_its_name_and_not_while_runs_are_live(pages: Pages, tmp_path: Path) -> None:
    ines, file = pages.ines, filled(tmp_path)
    name = connected(file)
    at = f"/settings/sources/{name}/remove"
    ines.send(ines.get(f"/settings/sources/{name}/connected"), "/first", collection=f"{name}.team")
    page = ines.get(at)
    assert "1 run is still live" in page.text
    assert "Type" in ines.send(page, at, status=422, word="yes").text
    assert "End them first" in ines.send(page, at, status=409, word=name).text
    ines.send(page, at, word=name, force="1")
    assert name not in [head.name for head in sources.list_all()]
    ines.get(f"/c/{name}.team", status=404)
    (removed,) = [one for one in told("source_removed") if one["name"] == name]
    assert (removed["collections"], removed["runs"]) == (4, 1)
    assert sources.add(name, f"sqlite:///{file}", "operator")
    assert not [
        row for row in access.all_rows() if row.obj == f"collection:{name}.team" and row.sub == "role:admin"
    ]


@pytest.mark.parametrize("who", ["stan", "olivia", "ada"])
def test_who_may_not_manage_sources_sees_none_and_connects_none(
    pages: Pages, tmp_path: Path, who: str
) -> None:
    browser: Browser = getattr(pages, who)
    before = [head.name for head in sources.list_all()]
    at = "/settings/sources/company"
    for path in (
        LIST,
        NEW,
        at,
        *(f"{at}/{part}" for part in ("connected", "address", "limits", "tables", "again", "remove")),
    ):
        assert "sqlite" not in browser.get(path, status=403).text
    sent = {
        "csrf_token": browser.token,
        "kind": "sqlite",
        "database": str(filled(tmp_path)),
        "collection": "customer",
        "role": "admin",
        "word": "company",
    }
    for path in (
        NEW,
        CONNECT,
        *(
            f"{at}/{part}"
            for part in ("first", "test", "pause", "resume", "address", "limits", "tables", "again", "remove")
        ),
    ):
        browser.post(path, sent, status=403)
    assert [head.name for head in sources.list_all()] == before
    assert "/settings/sources" not in browser.get("/settings/me").html
