"""Workflows in the database: drafts, versions that never change, rights, files."""

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from console import log, workflows
from console.auth import accounts
from console.commands.workflow import workflow as command
from console.core.actor import Actor
from console.core.documents.workflow import read
from console.core.errors import DefinitionError, NotAllowed, NotFound
from console.demo import staff
from console.infra.db import tables
from console.infra.db.engine import hot_engine

KYC = Path(__file__).parents[2] / "workflows" / "kyc-review.json"
SMALL: dict[str, Any] = {
    "format": 1,
    "slug": "small-one",
    "title": "Small one",
    "team": "operations",
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "next": {"default": "look"}},
        {
            "id": "look",
            "type": "guidance",
            "title": "Look",
            "config": {"text": "Look twice."},
            "next": {"default": "done"},
        },
        {"id": "done", "type": "end", "title": "Done"},
    ],
}
RUNNER = CliRunner()


def small(**more: Any) -> dict[str, Any]:
    return copy.deepcopy(SMALL) | more


@pytest.fixture(autouse=True)
def _database(clean: object) -> Iterator[None]:
    return iter([None])


def person(email: str, role: str, team: str) -> Actor:
    made = accounts.create_person(email, role=role, team=team, name=email.partition("@")[0].title())
    return accounts.actor_of_person(made.person.id, "ses_test")


def events() -> list[dict[str, Any]]:
    found = log.events_of(workflows.CHAIN, limit=100)
    return [dict(entry.body) for entry in found if str(entry.type).startswith("workflow_")]


def versions() -> list[tuple[int, str]]:
    made = tables.workflow_version.c
    with hot_engine().connect() as connection:
        return [
            (row.number, row.hash)
            for row in connection.execute(sa.select(made.number, made.hash).order_by(made.number))
        ]


def test_an_imported_workflow_is_a_draft_until_it_is_published() -> None:
    known = workflows.import_file(small())
    assert (known.slug, known.title, known.status, known.team, known.live) == (
        "small-one",
        "Small one",
        "draft",
        "operations",
        None,
    )
    with pytest.raises(NotFound):
        workflows.live("small-one")
    made = workflows.publish("small-one")
    assert (made.slug, made.number, made.hash, made.document) == (
        "small-one",
        1,
        read(SMALL).hash,
        read(SMALL),
    )
    assert workflows.live("small-one") == workflows.live(known.id) == workflows.version(known.id, 1)
    assert [entry.status for entry in workflows.all_known()] == ["active"]


def test_the_same_bytes_make_no_new_version_and_others_do() -> None:
    first = workflows.live(workflows.import_file(small(), publish=True).slug)
    assert workflows.import_file(json.dumps(small(), indent=7).encode(), publish=True).live == 1
    assert workflows.publish("small-one") == first
    assert workflows.import_file(small(title="Small two"), publish=True).live == 2
    assert versions() == [(1, read(SMALL).hash), (2, read(small(title="Small two")).hash)]
    assert workflows.version(first.id, 1).document.title == "Small one"
    assert workflows.live("small-one").title == "Small two"
    assert workflows.import_file(small(), publish=True).live == 3


def test_a_version_cannot_be_changed_or_removed() -> None:
    made = workflows.live(workflows.import_file(small(), publish=True).slug)
    for statement in (
        sa.update(tables.workflow_version).values(hash="x"),
        sa.delete(tables.workflow_version),
    ):
        with pytest.raises(sa.exc.DBAPIError), hot_engine().connect() as connection:
            connection.execute(statement)
    workflows.version.cache_clear()
    assert workflows.version(made.id, 1).hash == made.hash


def test_an_export_gives_the_bytes_that_were_published() -> None:
    workflows.import_file(small())
    assert workflows.export("small-one") == read(SMALL).canonical()
    workflows.import_file(KYC)
    assert workflows.export("kyc-review") == KYC.read_bytes()
    with pytest.raises(NotFound):
        workflows.export("nothing")


def test_a_wrong_document_is_refused_whole_with_every_problem() -> None:
    wrong = small(colour="red")
    wrong["steps"][1]["next"] = {}
    with pytest.raises(DefinitionError) as caught:
        workflows.import_file(wrong, publish=True)
    places = [(detail["step"], detail["field"]) for detail in caught.value.details]
    assert places[0] == (None, "colour")
    assert ("look", "next.default") in places
    assert workflows.all_known() == []
    assert events() == []


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"{" * 200_000, b" " * (5 * 1024 * 1024), b"\xff", b"[]"]
)
def test_a_file_that_is_no_workflow_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "wrong.json"
    file.write_bytes(content)
    with pytest.raises(DefinitionError) as caught:
        workflows.import_file(file)
    assert "wrong.json" in caught.value.message
    assert caught.value.details[0]["reason"]
    with pytest.raises(DefinitionError, match="cannot be read"):
        workflows.import_file(tmp_path / "not there.json")


def test_importing_and_publishing_are_events_of_the_configuration() -> None:
    known = workflows.import_file(small(), publish=True)
    workflows.import_file(small(), publish=True)
    workflows.import_file(small(title="Two"), publish=True)
    told = [(body["type"], body["data"]["open"]) for body in events()]
    first, second = read(SMALL).hash, read(small(title="Two")).hash
    assert told == [
        ("workflow_imported", {"workflow": known.id, "slug": "small-one", "version": None, "hash": first}),
        (
            "workflow_published",
            {"workflow": known.id, "slug": "small-one", "version": 1, "hash": first, "former": None},
        ),
        ("workflow_imported", {"workflow": known.id, "slug": "small-one", "version": 1, "hash": second}),
        (
            "workflow_published",
            {"workflow": known.id, "slug": "small-one", "version": 2, "hash": second, "former": 1},
        ),
    ]


def test_who_designs_may_import_and_publish_and_who_operates_may_not() -> None:
    mona, olivia, stan = (
        person("mona@fernwick.example", "lead", "operations"),
        person("olivia@fernwick.example", "operator", "operations"),
        person("stan@fernwick.example", "lead", "procurement"),
    )
    for stranger in (olivia, stan):
        with pytest.raises(NotAllowed):
            workflows.import_file(small(), by=stranger)
    workflows.import_file(small(), by=mona)
    for stranger in (olivia, stan):
        with pytest.raises(NotAllowed):
            workflows.publish("small-one", by=stranger)
    assert workflows.publish("small-one", by=mona).number == 1
    with pytest.raises(NotAllowed):
        workflows.import_file(small(team="procurement", title="Taken over"), by=stan)
    assert events()[-1]["actor"]["id"] == mona.id


def test_what_may_be_started_depends_on_the_person_and_the_collection() -> None:
    staff.give_rights()
    olivia, stan = (
        person("olivia@fernwick.example", "operator", "operations"),
        person("stan@fernwick.example", "operator", "procurement"),
    )
    workflows.import_file(small(), publish=True)
    workflows.import_file(small(slug="draft-one"))
    workflows.import_file(small(slug="of-customers", collection="customer"), publish=True)
    assert [made.slug for made in workflows.startable(olivia, "customer")] == ["of-customers"]
    assert [made.slug for made in workflows.startable(olivia, None)] == ["small-one"]
    assert workflows.startable(stan, "customer") == workflows.startable(stan, None) == []


def test_two_who_publish_at_once_get_one_version() -> None:
    workflows.import_file(small())
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: workflows.publish("small-one").number, range(8)))
    assert made == [1] * 8
    assert len(versions()) == 1
    assert [body["type"] for body in events()].count("workflow_published") == 1


def test_the_command_line_imports_exports_and_publishes(tmp_path: Path) -> None:
    file = tmp_path / "small.json"
    file.write_text(json.dumps(SMALL))
    assert RUNNER.invoke(command, ["import", str(file)]).output == "small-one  Small one  draft\n"
    assert (
        RUNNER.invoke(command, ["publish", "small-one"]).output
        == f"small-one  version 1 is live  {read(SMALL).hash}\n"
    )
    assert (
        RUNNER.invoke(command, ["import", str(file), "--publish"]).output
        == "small-one  Small one  version 1 is live\n"
    )
    assert RUNNER.invoke(command, ["export", "small-one"]).stdout_bytes == read(SMALL).canonical()


def test_what_nobody_could_do_may_be_a_draft_and_does_not_go_live() -> None:
    made = small()
    made["steps"][1]["roles"] = ["operatr"]
    workflows.import_file(made)
    for publish in (
        lambda: workflows.publish("small-one"),
        lambda: workflows.import_file(made, publish=True),
    ):
        with pytest.raises(DefinitionError) as wrong:
            publish()
        assert [(detail["step"], detail["field"]) for detail in wrong.value.details] == [("look", "roles[0]")]
        assert wrong.value.status == 422
    assert versions() == []
    made["steps"][1]["roles"] = ["operator"]
    assert workflows.import_file(made, publish=True).live == 1


def test_the_command_judges_rights_where_it_is_asked_to(tmp_path: Path) -> None:
    file = tmp_path / "small.json"
    made = small(roles=["nobody_yet"])
    made["steps"][1]["roles"] = ["operatr"]
    file.write_text(json.dumps(made))
    assert RUNNER.invoke(command, ["check", str(file)]).output == f"{file}: fine\n"
    done = RUNNER.invoke(command, ["check", "--sources", str(file)])
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        f"{file}: roles[0]: warning: There is no role nobody_yet.",
        f"{file}: step look: roles[0]: There is no role operatr: is operator meant?",
    ]
