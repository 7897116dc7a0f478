"""What migrations leave behind stands in one place: each stored function is the newest text of `migrations/sql`, whole."""

import re
from pathlib import Path

from console.infra.db.engine import fetch
from tests.conftest import Database

SQL = Path(__file__).parent.parent / "migrations" / "sql"
MADE = re.compile(
    r"create (?:or replace )?function (console|queue)\.(\w+)\s*\(.*?\bas (\$\w*\$)(.*?)\3",
    re.DOTALL | re.IGNORECASE,
)
DROPPED = re.compile(r"drop function (?:if exists )?(console|queue)\.(\w+)", re.IGNORECASE)


def written() -> dict[str, str]:
    """Name of each function of ours → its newest text."""
    found: dict[str, str] = {}
    for path in sorted(SQL.glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        for schema, name, _, body in MADE.findall(text):
            found[f"{schema}.{name}"] = body
        for schema, name in DROPPED.findall(text):
            found.pop(f"{schema}.{name}", None)
    return found


def test_each_function_is_the_newest_text_of_the_migrations(database: Database) -> None:
    ours = "select n.nspname || '.' || p.proname, p.prosrc from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'console'"
    stored = dict(fetch(ours))
    assert {"console.transition", "console.sequence"} <= stored.keys()
    known = {name: text for name, text in written().items() if name.startswith("console.")}
    assert stored.keys() == known.keys()
    assert [name for name, text in stored.items() if text != known[name]] == []


def test_no_migration_changes_the_text_of_a_function() -> None:
    """Replacing words in what is stored needs the very text of before: write the function whole instead."""
    reading = re.compile(r"pg_get_functiondef|prosrc", re.IGNORECASE)
    files = [*SQL.glob("*.sql"), *(SQL.parent / "versions").glob("*.py")]
    assert [path.name for path in files if reading.search(path.read_text(encoding="utf-8"))] == []
