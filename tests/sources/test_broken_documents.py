"""What workflows and workspaces name that a database no longer has is told before the change is taken over."""

import json
from pathlib import Path
from typing import Any

import pytest

from console import sources, workflows, workspaces
from tests.sources.test_sources import made, url

__all__ = ["url"]

pytestmark = pytest.mark.lengthy


def test_drafts_of_workspaces_and_workflows_that_name_what_is_gone_are_told_beforehand(
    url: str, tmp_path: Path
) -> None:
    sources.add("club", url)
    workflow: dict[str, Any] = {
        "format": 1,
        "slug": "mend",
        "title": "Mend",
        "collection": "club.member",
        "steps": [
            {"id": "start", "title": "Start", "type": "start", "config": {}, "next": {"default": "put"}},
            {
                "id": "put",
                "title": "Put",
                "type": "update_data",
                "config": {"fields": ["name"]},
                "next": {"default": "end"},
            },
            {"id": "end", "title": "End", "type": "end", "config": {}},
        ],
    }
    desk: dict[str, Any] = {
        "format": 1,
        "id": "desk",
        "title": "Desk",
        "components": [
            {"id": "all", "type": "collection", "collection": "club.member", "title": "All", "sort": "name"}
        ],
    }
    workflows.import_file(workflow, publish=True, rights=False)
    workflow["steps"][1]["config"]["fields"] = ["name", "mail"]
    workflows.import_file(workflow, rights=False)
    (tmp_path / "desk.json").write_text(json.dumps(desk))
    workspaces.import_file(tmp_path / "desk.json")
    made(
        Path(url.removeprefix("sqlite:///")),
        "drop view roster; alter table member drop column name; alter table member drop column mail",
    )
    told = {(one.kind, one.name, one.link) for one in sources.difference("club").breaks}
    assert ("workflow", "Mend, version 1", "/workflows/mend") in told
    assert ("draft", "Mend", "/workflows/mend/edit") in told
    assert ("draft", "Desk", "/w/desk/edit?part=all") in told
    drafted = [one.reason for one in sources.difference("club").breaks if one.kind == "draft"]
    assert len(drafted) == len(set(drafted)) == 2, "what the published version says too is said once"
