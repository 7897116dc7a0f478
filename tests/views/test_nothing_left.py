"""After erasing people whose data was used everywhere, no text of theirs stands in any table, sample, file or restored backup."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import Connection

from console import browse, log, runs
from console.activity import sequencing
from console.auth import accounts
from console.commands.subject import subject
from console.core.actor import Actor
from console.core.errors import ConsoleError
from console.infra import settings
from console.infra.db import engine, fetch
from console.operations import backup, restore
from tests import traces
from tests.company import Company
from tests.conftest import web_app
from tests.databases import Server
from tests.views.conftest import Pages
from tests.views.test_page_routes import furnished

pytestmark = pytest.mark.lengthy

MARK = "zqmarker"
KEYS = ("1", "2", "3", "4")
CLI = Actor("system", "sys_cli", "Command line", session="sys:config")
NOTHING: dict[str, list[str]] = {
    name: [] for name in ("tables", "samples", "samples for the owner", "files", "state")
}
CONFIGURED = {
    "ai_breaker.state",
    "ai_setting.document",
    "api_key.scopes",
    "approval.not_by",
    "approval.roles",
    "branding.document",
    "channel.gateway",
    "collection.document",
    "connection.address",
    "connection.auth",
    "collection.structure",
    "collection_draft.former",
    "contact_rules.document",
    "data_source.settings",
    "due_rule.approvals",
    "due_rule.stages",
    "inbox.roles",
    "inbox.source",
    "invitation.roles",
    "invitation.teams",
    "list_view.widths",
    "policy_version.added",
    "policy_version.removed",
    "rights_request.added",
    "rights_request.removed",
    "run.visits",
    "sign_in.document",
    "source_connecting.request",
    "trigger.definition",
    "workflow.draft",
    "workflow_edit.changes",
    "workflow_edit.inverse",
    "workspace_draft.former",
}
"""Columns of JSON that hold how the console is set up, ids and counts."""


def used(company: Company) -> None:
    """What is held about four customers: what they are called, what was typed and shown, everywhere that the product takes it."""
    for key in KEYS:
        called = (f"Zqmarker Name {key}", f"zqmarker{key}@customers.example", f"ZQMARKER{key}", key)
        company.sql("update customer set display_name = ?, email = ?, tax_id = ? where id = ?", *called)
    pages = Pages(company, web_app())
    house = furnished(pages)
    web, olivia = pages.app.test_client(), company.olivia
    headers = {
        "Authorization": f"Bearer {accounts.create_key('zq', olivia.id).text}",
        "X-Idempotency-Key": "zqmarker asks",
    }
    told = company.told(house.run)
    draft = {"step": "rate", "revision": told["revision"], "values": {"email": "zqmarker@draft.example"}}
    assert web.post(f"/api/v1/runs/{house.run}/draft", headers=headers, json=draft).status_code == 200
    finished = company.at("note", "2")
    company.answer(finished, note="Zqmarker said so.")
    runs.escalate(
        olivia,
        finished,
        revision=company.told(finished)["revision"],
        inbox="desk",
        reason="Zqmarker waits.",
        priority="high",
    )
    browse.change(company.mona, "customer", "2", {"email": "zqmarker@elsewhere.example"}, {})
    for route, path in house.all("GET"):
        assert pages.olivia.client.get(path).status_code < 500, route
    for path in (
        "/c/customer?q=zqmarker",
        "/c/customer/1",
        "/c/account",
        "/runs",
        "/inbox/desk",
        f"/bulk/{house.bulk}",
    ):
        assert pages.mona.client.get(path).status_code < 500, path
    company.work()
    sequencing.catch_up()


def ended(company: Company) -> None:
    """Every run has ended, by a person with a reason where that is possible."""
    for (run_id,) in fetch("select id from console.run where ended_at is null"):
        with suppress(ConsoleError):
            runs.cancel(company.mona, run_id, revision=None, reason="Zqmarker asked for it.")
    for (run_id,) in fetch("select id from console.run where ended_at is null"):
        runs.end_for_erasure(run_id)


@contextmanager
def owner() -> Iterator[Connection]:
    """A connection of the role that owns the tables."""
    made = sa.create_engine(engine.migration_url(), isolation_level="AUTOCOMMIT")
    with made.connect() as connection:
        yield connection
    made.dispose()


def sampled() -> None:
    """What the server does by itself now and then."""
    with owner() as connection:
        connection.execute(sa.text("analyze"))


def found() -> dict[str, list[str]]:
    """Where the marker stands, for the application and for the owner of the tables."""
    folder = settings.current().data_dir
    there = list(folder.iterdir()) if folder.is_dir() else []
    with engine.transaction() as application, owner() as owning:
        return {
            "tables": traces.in_tables(application, MARK),
            "samples": traces.in_samples(application, MARK),
            "samples for the owner": traces.in_samples(owning, MARK),
            "files": traces.in_files([one for one in there if one.is_dir() and one.name != "postgres"], MARK),
            "state": sorted(
                one.name for one in there if one.is_file() and MARK.encode() in one.read_bytes().lower()
            ),
        }


@pytest.fixture(name="saved")
def fixture_saved(company: Company, server: Server, tmp_path: Path) -> Path:
    """Everything in use, and a backup of it."""
    server.leave()
    used(company)
    ended(company)
    sampled()
    backup.write(CLI, tmp_path / "before.zip")
    return tmp_path / "before.zip"


def test_nothing_of_the_erased_is_found(company: Company, saved: Path) -> None:
    before = found()
    assert {place.partition(":")[0] for place in before["tables"]} >= {
        "console.attempt",
        "console.run_context",
        "console.run",
        "console.shown",
    }
    assert (before["samples"], before["samples for the owner"], before["files"]) == ([], [], [])
    for key in KEYS:
        done = CliRunner().invoke(
            subject, ["erase", "customer", key, "--reason", "Asked by letter.", "--yes"]
        )
        assert done.exit_code == 0, done.output
    sampled()
    assert found() == NOTHING
    assert restore.restore(CLI, saved, replace=True, agree=lambda _: True).erased == len(KEYS)
    sampled()
    assert found() == NOTHING
    assert log.events_of("sys:config")
    assert company.path.exists()


def test_samples_would_be_found(company: Company) -> None:
    """What the scan looks at is what the server keeps where nobody forbids it."""
    company.sql("update customer set display_name = 'Zqmarker', email = 'zqmarker@customers.example'")
    for key in KEYS:
        company.started(key)
    with owner() as connection:
        connection.execute(sa.text("alter table console.run_context alter column output set statistics 100"))
    sampled()
    told = found()
    assert told["samples"] == told["samples for the owner"] == ["console.run_context.output"]


def test_no_column_of_json_is_sampled_unless_it_holds_no_more_than_how_the_console_is_set_up(
    database: object,
) -> None:
    rows = fetch(
        "select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace = 'console'::regnamespace"
        " and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.atttypid = 'jsonb'::regtype and coalesce(a.attstattarget, -1) <> 0"
    )
    assert database is not None
    assert {row[0] for row in rows} == CONFIGURED


WORDS_OF_OURS = {
    "enrolment.reason",
    "checkpoint.note",
    "list_export.why",
    "due_recount.why",
    "source_connecting.why",
    "firing.why",
    "enrolment_batch.why",
}
"""Codes and words of the console's own under such a name."""


def test_no_column_of_what_people_wrote_is_sampled(database: object) -> None:
    rows = fetch(
        "select c.relname || '.' || a.attname from pg_attribute a join pg_class c on c.oid = a.attrelid where c.relnamespace = 'console'::regnamespace"
        " and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and a.atttypid = 'text'::regtype and coalesce(a.attstattarget, -1) <> 0"
        " and a.attname ~ '(^|_)(reason|note|why|comment|message|words|description)$'"
    )
    assert database is not None
    assert {row[0] for row in rows} - WORDS_OF_OURS == {"opt_out.message", "workflow.description"}, (
        "a message's id, and what a workflow is for"
    )
