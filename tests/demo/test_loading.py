"""`console demo load` as a user meets it: loaded once, redone when it was interrupted, afresh with --reset; who gets in, and what they may see."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import console
from console.core.errors import ConsoleError
from console.demo import servers, staff
from console.infra.db import release
from console.infra.postgres import Embedded
from console.infra.settings import Settings, read
from tests import demo_folder
from tests.demo_folder import load, note_of

ROOT = Path(console.__path__[0]).parent
ROLES = {
    "olivia": ("operator", "operations"),
    "tom": ("operator", "operations"),
    "mona": ("operations_lead", "operations"),
    "stan": ("buyer", "procurement"),
    "lena": ("procurement_lead", "procurement"),
    "petra": ("finance_controller", "finance"),
    "malik": ("mlro", "financial_crime"),
    "gita": ("campaign_manager", "growth"),
    "rosa": ("reviewer", "financial_crime"),
    "ada": ("auditor", "audit"),
    "admin": ("admin", "admin"),
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of our own in which a load was killed on its way, and done again."""
    return demo_folder.copied(tmp_path_factory, tmp_path_factory.mktemp("demo") / "data")


@pytest.fixture
def server(loaded: Path) -> Iterator[Embedded]:
    running = Embedded(loaded).acquire()
    yield running
    running.release()


def rows(
    server: Embedded, query: str, database: str = "console", role: str = "postgres"
) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url(role, database)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_interrupted_load_is_done_again_with_the_same_passwords(
    loaded: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first_note, note = demo_folder.interrupted(tmp_path_factory), note_of(loaded)
    assert "loaded" not in first_note
    assert note["loaded"]["form"] == release.newest()
    assert note["people"] == first_note["people"]


def test_demo_json_is_private_and_lists_people_and_stories(loaded: Path) -> None:
    file = loaded / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    note = note_of(loaded)
    assert {"url", "pid", "provider"} <= note.keys()
    assert {person["email"]: (person["role"], person["team"]) for person in note["people"]} == {
        f"{first}@fernwick.example": place for first, place in ROLES.items()
    }
    assert all(len(person["password"]) >= 20 and " " in person["name"] for person in note["people"])
    for workflow, collection, by in (
        ("kyc-review", "customer", "olivia"),
        ("customer-refund", "charge", "olivia"),
        ("supplier-onboarding", "supplier_request", "stan"),
    ):
        stories = [story for story in note["stories"] if story["workflow"] == workflow]
        assert len(stories) >= 3
        assert {(story["collection"], story["by"]) for story in stories} == {(collection, by)}
    assert note["stories"][0]["record"] == "518"


def test_people_sources_workflows_and_papers_are_there(server: Embedded, loaded: Path) -> None:
    found = rows(
        server,
        "select split_part(p.email, '@', 1), string_agg(g.sub || ' ' || coalesce(g.dom, '') || ' ' || g.obj, ',') from console.person p left join console.policy g on g.sub = 'user:' || p.id group by 1",
    )
    robots = {first for first, *_ in staff.SERVICE_ACCOUNTS}
    assert {first for first, _ in found} == set(ROLES) | robots
    held = rows(server, "select count(*) from console.policy where ptype = 'g' and sub like 'user:%'")
    assert held == [
        (11 + 2 + 1 + 1 + len(robots),)
    ]  # Petra holds hers in two more teams, Malik and Rosa in one more
    assert rows(server, "select tags from console.person where email = 'tom@fernwick.example'") == [
        ({"desks": ["retail"]},)
    ]
    assert rows(server, "select name, dialect from console.data_source order by 1") == [
        ("fernwick_core", "postgresql"),
        ("fernwick_supply", "sqlite"),
    ]
    assert rows(server, "select count(*) from console.collection") == [(46,)]
    live = {
        slug
        for (slug,) in rows(
            server,
            "select slug from console.workflow where live_version is not null and slug not like 'action-%'",
        )
    }
    assert live == {
        json.loads(file.read_text(encoding="utf-8"))["slug"] for file in (ROOT / "workflows").glob("*.json")
    }
    assert "kyc-review" in live
    allowed = rows(
        server, "select distinct sub from console.policy where obj = 'collection:sar_case' and eft = 'allow'"
    )
    assert allowed == [("role:mlro",)]
    assert rows(
        server,
        "select distinct act from console.policy where sub = 'role:admin' and obj like 'collection:%' order by 1",
    ) == [
        ("browse",),
        ("read",),
    ]
    papers = rows(
        server,
        "select file_path, sha256 from kyc_document where storage = 'live'",
        "fernwick_core",
        "fernwick",
    )
    assert len(papers) > 500
    for path, digest in papers:
        assert (
            hashlib.sha256((loaded / "demo-files" / "kyc_document" / path).read_bytes()).hexdigest() == digest
        )
    files = {file for file in (loaded / "demo-files").rglob("*") if file.is_file()}
    assert 600 <= len(files) <= 750
    assert rows(
        server, "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = 'fernwick'"
    ) == [(False, False, False)]
    with pytest.raises(psycopg.OperationalError), psycopg.connect(server.url("fernwick", "console")):
        pass


def test_second_load_does_nothing(loaded: Path) -> None:
    before = (loaded / "demo.json").read_bytes()
    assert load(loaded) == ""
    assert (loaded / "demo.json").read_bytes() == before


def test_reset_starts_afresh(
    loaded: Path, server: Embedded, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (person,) = rows(server, "select id from console.person where email = 'olivia@fernwick.example'")[0]
    data = demo_folder.with_past(tmp_path_factory, tmp_path_factory.mktemp("afresh") / "data")
    assert {one["password"] for one in note_of(data)["people"]}.isdisjoint(
        one["password"] for one in note_of(loaded)["people"]
    )
    afresh = Embedded(data).acquire()
    try:
        assert rows(
            afresh, "select display_name from customer where id = 412", "fernwick_core", "fernwick"
        ) == [("Jurij Karavajev",)]
        assert rows(afresh, f"select count(*) from console.person where id = '{person}'") == [(0,)]
    finally:
        afresh.release()
    assert not (data / "demo-files" / demo_folder.LEFT_OVER).exists()
    percents = re.findall(r"^(\d+) %  \S", (data.parent / "said").read_text(), re.MULTILINE)
    assert [int(percent) // 10 for percent in percents] == list(range(11)), "a line each 10 %, in their order"
    assert (percents[0], percents[-1]) == ("0", "100")


def settings_for(url: str, folder: Path) -> Settings:
    return read(
        {
            "DATABASE_URL": url,
            "CONSOLE_DATA_DIR": str(folder),
            "CONSOLE_DEMO": "on",
            "CONSOLE_ENV_FILE": os.devnull,
        }
    )


def test_a_given_server_gets_a_database_beside_the_consoles(pg: Embedded, tmp_path: Path) -> None:
    given = servers.Given(settings_for(pg.url("postgres", "postgres"), tmp_path), role="fernwick_guest")
    try:
        for _ in range(2):  # the second time it replaces what is there
            url = given.new_database("fernwick_beside")
            with psycopg.connect(url) as connection:
                assert connection.execute("select current_user, current_database()").fetchone() == (
                    "fernwick_guest",
                    "fernwick_beside",
                )
                connection.execute("create table there (id int)")
    finally:
        pg.drop_database("fernwick_beside")
        pg.sql("drop role if exists fernwick_guest")


def test_a_given_server_that_does_not_let_us_is_told_in_one_sentence(pg: Embedded, tmp_path: Path) -> None:
    pg.create_database("fernwick_small", "small_role")
    try:
        with pytest.raises(ConsoleError, match="CREATEDB and CREATEROLE"):
            servers.server_for(settings_for(pg.url("small_role", "fernwick_small"), tmp_path)).new_database(
                "fernwick_core"
            )
    finally:
        pg.drop_database("fernwick_small")
