"""The first day of an installation: what is left to do follows the state."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from console import sources, workflows
from console.activity import sequencing
from console.auth import access, accounts
from console.infra import settings
from console.infra.db.engine import fetch
from tests.company import PASSWORD, SQL
from tests.conftest import web_app
from tests.views.conftest import Browser, signed_in

SMALL = {
    "format": 1,
    "slug": "first",
    "title": "First",
    "team": "operations",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "read"}},
        {
            "id": "read",
            "type": "guidance",
            "title": "Read",
            "config": {"text": "Read."},
            "next": {"default": "end"},
        },
        {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
    ],
}


def person(first: str, role: str) -> Browser:
    accounts.create_person(
        f"{first}@fernwick.example", role=role, team="operations", name=first.title(), password=PASSWORD
    )
    return Browser(signed_in(web_app(), first))


@pytest.fixture
def ines(clean: object) -> Browser:
    fetch(
        'insert into console.sign_in (document) values (\'{"second_factor": "off", "step_up": false}\') returning 1'
    )
    access.refresh()
    return person("ines", "admin")


def test_the_first_steps_follow_the_state_and_go_when_nothing_is_left_to_do(
    ines: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given_settings: Callable[..., None],
) -> None:
    page = ines.get("/")
    assert ("h2", "First steps") in page.headings
    assert "Connect a databaseNothing is written into itTo do" in page.text
    assert "Invite who makes workflowsA lead: admins do not make themTo do" in page.text
    assert {"/settings/sources/new", "/settings/people/invite", "/workflows"} <= set(page.links)
    empty = ines.get("/workflows")
    assert "A lead or a developer makes them: invite one to a team." in empty.text
    assert "/settings/people/invite" in empty.links
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(SQL)
    sources.add("shop", f"sqlite:///{tmp_path / 'shop.db'}", "admin")
    mona = person("mona", "lead")
    ines.get("/c/shop.customer/1")
    sequencing.catch_up()
    said = ines.get("/c/shop.customer/1?tab=activity&show=looks").text
    assert "viewed this customer" in said  # a table without a document is called as on its pages
    may = ines.get(
        next(link for link in ines.get("/settings/people").links if "/settings/people/usr_" in link)
    ).text
    assert "Customer" in may
    assert "shop." not in said + may
    page = ines.get("/")
    assert "Connect a databaseshopDone" in page.text
    assert "Invite who makes workflowsMonaDone" in page.text
    assert "Make the first workflowFrom a sentence" in mona.get("/").text
    assert "First steps" not in person("olivia", "operator").get("/").text
    assert "/workflows/new" in mona.get("/workflows").links
    workflows.import_file(SMALL, publish=True)
    assert "Send messagesCONSOLE_SMTP_URL, CONSOLE_MAIL_FROMTo do" in ines.get("/").text
    given_settings(CONSOLE_SMTP_URL="smtp://127.0.0.1:2525", CONSOLE_MAIL_FROM="console@fernwick.example")
    assert "First steps" not in ines.get("/").text + mona.get("/").text
    monkeypatch.setattr(settings.Settings, "embedded", property(lambda _: True))
    assert "To doKeep backups" not in (home := ines.get("/").text)
    assert "Keep backupsconsole backup FILE, each nightTo do" in home
    assert "First steps" not in mona.get("/").text
    monkeypatch.undo()
    fetch("update console.person set disabled_at = now() where email = 'mona@fernwick.example' returning 1")
    access.refresh()
    assert "Invite who makes workflowsA lead: admins do not make themTo do" in ines.get("/").text
