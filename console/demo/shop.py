"""The small shop that people connect as their own database: a SQLite file made from `schema/shop.sql`, the same rows each time."""

import os
import sqlite3
import tempfile
from contextlib import closing
from importlib import resources
from pathlib import Path

from console.records.portable_address import SHOP

FILE = "shop.db"


def file(data_dir: Path) -> Path:
    """Where the shop of a demo lies: in a folder of its own, from which pages may connect it."""
    return data_dir / SHOP / FILE


def make(data_dir: Path) -> Path:
    """Have the shop there; what somebody has changed in it stays."""
    wanted = file(data_dir)
    if not wanted.exists():
        wanted.parent.mkdir(parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=wanted.parent, prefix=FILE)
        os.close(descriptor)
        with closing(sqlite3.connect(part)) as connection:
            connection.executescript(
                (resources.files("console.demo") / "schema" / "shop.sql").read_text(encoding="utf-8")
            )
        os.replace(part, wanted)
    return wanted
