"""Drafts of layouts and workspaces that somebody has open while a column is renamed in the database."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from console import sources, workspaces
from console.auth import access, accounts
from console.core.errors import Conflict
from console.sources import collections


def run(file: Path, script: str) -> None:
    with sqlite3.connect(file) as connection:
        connection.executescript(script)
    connection.close()


def test_who_has_a_draft_open_goes_on_in_it_after_a_column_was_renamed_and_is_told_of_what_people_changed(
    clean: object, tmp_path: Path
) -> None:
    file = tmp_path / "club.db"
    run(file, "create table member (id integer primary key, name text, mail text)")
    member = {"id": "member", "source": "club", "table": "member", "columns": ["mail", "name"]}
    sources.add("club", f"sqlite:///{file}", documents=[member])
    person = accounts.create_person(
        "ines@example.com", role="admin", team="desk", name="Ines", password="a long enough test password"
    ).person
    access.refresh()
    ines = accounts.actor_of_person(person.id, "sys:test")
    desk: dict[str, Any] = {
        "format": 1,
        "id": "desk",
        "title": "Desk",
        "components": [{"id": "all", "type": "collection", "collection": "member", "sort": "mail"}],
    }
    (tmp_path / "desk.json").write_text(json.dumps(desk))
    workspaces.import_file(tmp_path / "desk.json", published=True)
    (tmp_path / "desk.json").write_text(json.dumps(desk | {"title": "Other"}))
    workspaces.import_file(tmp_path / "desk.json")
    of_desk = workspaces.open_workspace(ines, "desk").draft.revision
    said = collections.open_collection(ines, "member").document.to_json()
    first = collections.save(ines, "member", 0, said | {"label": "People"})
    second = collections.save(ines, "member", first, said | {"label": "People", "help": "All of us"})
    run(file, "alter table member rename column mail to email")
    sources.take("club", sources.difference("club").stamp)
    opened = collections.open_collection(ines, "member", second)
    assert (opened.draft.revision, opened.document.columns) == (second, ["email", "name"])
    with pytest.raises(Conflict) as refused:
        collections.save(ines, "member", first, opened.document.to_json() | {"label": "Folk"})
    assert [detail["field"] for detail in refused.value.details] == ["help"], (
        "what somebody changed, not what the database did"
    )
    third = collections.save(ines, "member", second, opened.document.to_json() | {"label": "Folk"})
    collections.undo(ines, "member", third)
    undone = collections.open_collection(ines, "member").document
    assert (undone.label, undone.columns) == ("People", ["email", "name"])
    assert workspaces.open_workspace(ines, "desk").draft.revision == of_desk
