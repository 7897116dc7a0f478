"""Loading the demo: Fernwick Pay's databases and papers, its people, sources and workflows, and the note of it all in demo.json.

The note gets `loaded` last. A load that was interrupted has none and is done again; a finished one is left alone.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from console.core.errors import ConsoleError
from console.demo import servers, shop
from console.infra import settings
from console.infra.db import release

NOTE = "demo.json"
CORE, SUPPLY = "fernwick_core", "fernwick_supply"
WORKFLOWS, ACTIONS, WORKSPACES, PAPERS = "workflows", "actions", "workspaces", "demo-files"
LIVE_FOR = timedelta(days=30)
"""Longer than the weeks in which people have worked."""

Progress = Callable[[int, str], None]
"""Gets the per cent of the load that are done, and what is done next. A text that ends with a line break is to stay."""


def load(data_dir: Path, reset: bool, progress: Progress, *, bare: bool = False) -> bool:
    """Have the demo in `data_dir` and on its server; whether anything was loaded.

    The console's tables are migrated in any case. With `reset` everything of the demo and of the console is made afresh: runs and log too.
    The company's dates are counted from this day (UTC). With `bare` nobody has worked there yet. Raises ConsoleError with what to do.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    shop.make(data_dir)
    server = servers.server_for(settings.current())
    note = read_note(data_dir)
    loaded = note.get("loaded") or {}
    if not reset and _complete(data_dir, server, loaded):
        if not loaded.get(
            "portable"
        ):  # of an earlier release, which kept the path of the data folder in them
            _readdress(data_dir, server)
            write_note(data_dir, note | {"loaded": loaded | {"portable": True}})
        return False
    from console.demo import staff, tagging

    known = {} if reset else {person["email"]: person["password"] for person in note.get("people", [])}
    people = staff.with_passwords(known)
    write_note(data_dir, {"people": people, "stories": listed_stories()})
    if reset:
        progress(0, "Clearing the console's own tables")
        server.clear_console()
    server.migrate()
    _load_company(data_dir, server, datetime.now(UTC).date(), progress)
    progress(15, "Making people, collections and workflows known")
    staff.give_rights()
    staff.create(people)
    staff.create_service_accounts()
    _connect(data_dir, server)
    tagging.tag_contacts(supply_file(data_dir))
    _import_actions()
    _publish_workflows()
    _make_inboxes()
    _set_due_times()
    _set_alerts()
    _publish_workspaces()
    _show_company()
    if not bare:
        from console.demo import past_weeks

        past_weeks.live(data_dir, {person["email"]: person["password"] for person in people}, progress)
    write_note(
        data_dir,
        {
            "people": people,
            "stories": listed_stories(),
            "loaded": {
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "form": release.newest(),
                "portable": True,
            },
        },
    )
    return True


def read_note(data_dir: Path) -> dict[str, Any]:
    """What demo.json says; empty where there is none, or none that can be read."""
    try:
        found = json.loads((data_dir / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_note(data_dir: Path, more: dict[str, Any]) -> None:
    """demo.json anew, mode 0600, the whole or nothing; who serves and where is kept from the former one."""
    former = read_note(data_dir)
    kept = {name: former.get(name) for name in ("url", "pid", "provider")}
    descriptor, part = tempfile.mkstemp(dir=data_dir, prefix=f"{NOTE}.")
    with open(descriptor, "w", encoding="utf-8") as out:
        json.dump(kept | more, out, indent=1, ensure_ascii=False)
        out.flush()
        os.fsync(out.fileno())
    os.replace(part, data_dir / NOTE)


def listed_stories() -> list[dict[str, str]]:
    """Records on which the guided workflows can be tried, those first that go through to the end plainly."""
    from console.demo import stories

    reviews = [("kyc-review", "customer", str(number), "olivia") for number in stories.KYC_RECORDS]
    charges = (
        *stories.PLAIN_CHARGES,
        stories.KENJI_DINAR,
        stories.PRIYA_CHARGE,
        stories.GRETA_CHARGE,
        stories.BRAM_CHARGE,
    )
    refunds = [("customer-refund", "charge", charge, "olivia") for charge in charges]
    requests = [
        ("supplier-onboarding", "supplier_request", str(number), "stan") for number in stories.STORY_REQUESTS
    ]
    return [
        dict(zip(("workflow", "collection", "record", "by"), story, strict=True))
        for story in reviews + refunds + requests
    ]


def documents(source: str) -> list[dict[str, Any]]:
    """The collection documents of a data source, those that people open first in front."""
    folder = resources.files("console.demo") / "collections"
    found = [
        json.loads(item.read_text(encoding="utf-8"))
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".json")
    ]
    return sorted((document for document in found if document["source"] == source), key=_position)


FIRST = (
    "customer",
    "charge",
    "ticket",
    "kyc_document",
    "account",
    "party",
    "beneficial_owner",
    "screening_hit",
    "risk_assessment",
    "refund",
    "dispute",
    "credit",
    "supplier_request",
    "supplier",
    "supplier_bank_account",
    "supplier_document",
    "invoice",
    "contract",
    "contact",
    "task",
)


def _position(document: dict[str, Any]) -> tuple[int, str]:
    """Collections that people open first come first."""
    return (FIRST.index(document["id"]) if document["id"] in FIRST else len(FIRST), document["label"])


def supply_file(data_dir: Path) -> Path:
    """Where the SQLite database of suppliers and contacts lies."""
    return data_dir / f"{SUPPLY}.db"


def _complete(data_dir: Path, server: servers.Server, loaded: dict[str, Any] | None) -> bool:
    """Whether what the note promises is there: both databases, the papers, the console's knowledge of the sources, its tables in this release's form."""
    if not loaded:
        return False
    if loaded.get("form") != release.newest():
        server.migrate()
    if not (supply_file(data_dir).is_file() and (data_dir / PAPERS).is_dir()):
        return False
    try:
        with psycopg.connect(server.console_url()) as connection:
            if connection.execute("select to_regclass('console.data_source')").fetchone() == (None,):
                return False
            applied = connection.execute("select version_num from console.alembic_version").fetchone()
            release.refuse_newer(applied[0] if applied else None)
            known = connection.execute(
                "select count(*) from console.data_source where name in (%s, %s)", (CORE, SUPPLY)
            ).fetchone()
            there = connection.execute(
                "select count(*) from pg_database where datname = %s", (CORE,)
            ).fetchone()
    except psycopg.Error:
        return False
    return (known, there) == ((2,), (1,))


def _load_company(data_dir: Path, server: servers.Server, today: date, progress: Progress) -> None:
    """Rows and papers, made anew whatever was there."""
    from console.demo import drawing, filling, ledger, world as rows

    progress(2, "Reading the company")
    world = rows.load(today)
    folder = data_dir / PAPERS
    shutil.rmtree(folder, ignore_errors=True)
    with drawing.Drawing(folder, world.papers) as drawn:
        progress(4, "Loading its main database")
        url = server.new_database(CORE)
        filling.fill_postgresql(
            url,
            world.core,
            lambda: _told_missing(
                drawn.finish(
                    lambda done, of: progress(4 + 10 * done // of, f"Drawing papers {done} of {of}")
                ),
                progress,
            ),
        )
        progress(14, "Loading its suppliers and contacts")
        filling.fill_sqlite(supply_file(data_dir), world.supply)
        ledger.fill(data_dir, world.core, world.supply)


def _told_missing(missing: int, progress: Progress) -> None:
    if missing:
        progress(
            14,
            f"{missing} papers are marked as archived: PDFs need Pango (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0)\n",
        )


def _connect(data_dir: Path, server: servers.Server) -> None:
    """Both databases as data sources with their documents. Who may use them stands in the policy alone."""
    from console import sources
    from console.auth import access
    from console.auth.access import policy_store
    from console.infra.db import engine as db

    known = {source.name for source in sources.list_all()}
    with db.transaction() as connection:
        before = set(policy_store.rows_of(connection, sub="role:admin"))
    for name, url in _addresses(data_dir, server):
        if name in known:
            sources.readdress(name, url)
            sources.refresh(name, documents(name))
        else:
            sources.add(name, url, documents=documents(name))
    with db.transaction() as connection:
        policy_store.write(
            connection, removed=set(policy_store.rows_of(connection, sub="role:admin")) - before
        )
    access.refresh()


def _addresses(data_dir: Path, server: servers.Server) -> tuple[tuple[str, str], ...]:
    """Where both databases are today, by the name of the source."""
    file = URL.create("sqlite", database=str(supply_file(data_dir).resolve()))
    return (CORE, server.database_url(CORE)), (SUPPLY, file.render_as_string())


def _readdress(data_dir: Path, server: servers.Server) -> None:
    from console import sources

    for name, url in _addresses(data_dir, server):
        sources.readdress(name, url)


def _publish_workflows() -> None:
    """Every document of the folder `workflows`, live since before the first of the past weeks."""
    from console import log, workflows

    log.move_clock(-LIVE_FOR)
    try:
        for file in _examples(WORKFLOWS):
            workflows.import_file(file, publish=True)
    finally:
        log.move_clock(timedelta())


def _set_due_times() -> None:
    """A refund is made within eight hours of work: half of them gone its holder is reminded, then the lead is told, at last finance too; so are those who may agree to it."""
    from console import workflows
    from console.auth import accounts
    from console.demo import staff
    from console.work import due_times

    refund = next(workflow for workflow in workflows.all_known() if workflow.slug == "customer-refund")
    lead, finance = (accounts.person_of_email(f"{first}@{staff.DOMAIN}").id for first in ("mona", "petra"))
    stages = [
        {"percent": 50, "do": "remind"},
        {"percent": 80, "do": "tell", "people": [lead]},
        {"percent": 100, "do": "tell", "people": [lead, finance]},
    ]
    terms = {
        "minutes": 480,
        "zone": staff.ZONE,
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "opens": "09:00",
        "closes": "17:00",
        "stages": stages,
        "approvals": [{"minutes": 240, "do": "remind"}, {"minutes": 480, "do": "substitute"}],
    }
    due_times.set_for_workflow(accounts.actor_of_person(lead, "sys:config"), refund, terms)


def _show_company() -> None:
    """Pages without an account, e-mails and papers are from Fernwick Pay."""
    from console.auth import accounts
    from console.demo import staff
    from console.operations import branding_changes

    contact = f"help@{staff.DOMAIN}"
    admin = accounts.actor_of_person(accounts.person_of_email(f"admin@{staff.DOMAIN}").id, "sys:config")
    branding_changes.change(
        admin, name="Fernwick Pay", contact=contact, light="#0b6b5b", dark="#5fd3b9", logo=None
    )


def _set_alerts() -> None:
    """Whoever leads is told when a check of the night fails, or waits for more than an hour for a data source that does not answer."""
    from console import workflows
    from console.auth import accounts
    from console.demo import staff
    from console.monitoring import alerts

    told = {"nightly-check": "mona", "nightly-suppliers": "lena", "nightly-contacts": "gita"}
    for workflow in workflows.all_known():
        if first := told.get(workflow.slug):
            address = f"{first}@{staff.DOMAIN}"
            lead = accounts.actor_of_person(accounts.person_of_email(address).id, "sys:config")
            alerts.add(lead, workflow, kind="failed", people=[address])
            alerts.add(lead, workflow, kind="slow", minutes=60, people=[address])


def _import_actions() -> None:
    """Every document of the folder `actions`."""
    from console import actions

    for file in _examples(ACTIONS):
        actions.import_file(file)


def _examples(name: str) -> list[Path]:
    """The files of a folder of examples, in a checkout or inside the package."""
    here = Path(str(resources.files("console")))
    folder = next(
        (
            place
            for place in (here.parent / name, here / name, here / "examples" / name)
            if place.is_dir() and any(place.glob("*.json"))
        ),
        None,
    )
    if folder is None:
        raise ConsoleError(
            f"The folder `{name}` with the example definitions is missing from this installation; install it again."
        )
    return sorted(folder.glob("*.json"))


def _publish_workspaces() -> None:
    """Every document of the folder `workspaces`, published."""
    from console import workspaces

    for file in _examples(WORKSPACES):
        workspaces.import_file(file, published=True)


def _make_inboxes() -> None:
    """The queues of inboxes.json; the workflows that they start are there."""
    from console.workflows import inboxes

    inboxes.import_all(
        json.loads((resources.files("console.demo") / "inboxes.json").read_text(encoding="utf-8"))
    )
