"""Addresses inside the data folder are stored without its path, so that a moved or copied folder uses its own databases."""

import shlex
from functools import lru_cache
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from console.core.errors import Invalid
from console.core.plain_words import slug
from console.infra import settings
from console.infra.postgres import Embedded

FOLDER = "~data-folder"
"""Placeholder for the data folder in an address of SQLite, and for its server's socket in one of PostgreSQL."""
SHOP = "shop"
"""Folder of a demo's data folder with the file that people connect to try it."""


def require_place(address: URL, *, typed: bool = False) -> None:
    """Raises Invalid if a SQLite file may not be in this place, links resolved. Other databases pass.

    With CONSOLE_SQLITE_FOLDERS: only in those folders and in the demo's data folder. Without it: anywhere, unless it was `typed` on a page,
    where only the shop of the demo may be named.
    """
    configured = settings.current()
    if address.get_backend_name() != "sqlite" or (configured.sqlite_folders is None and not typed):
        return
    own = (configured.data_dir / SHOP if typed else configured.data_dir,) if configured.demo else ()
    file = Path(str(address.database)).resolve()
    if not any(
        file.is_relative_to(folder.resolve()) for folder in (*(configured.sqlite_folders or ()), *own)
    ):
        reason = "SQLite files are read only from folders that the setting CONSOLE_SQLITE_FOLDERS names, and this is in none of them."
        if configured.sqlite_folders is None:
            name = slug(Path(str(address.database)).stem, "_").lstrip("_0123456789")[:50] or "files"
            way = f"Who runs the console connects it there by: console source add {name} {shlex.quote(address.render_as_string())} --role operator"
        else:
            way = "Who runs the console adds its folder there and starts the console again."
        raise Invalid(f"{reason} {way}", at="database")


def stored_address(url: str) -> str:
    """The stored form of an address, without the data folder's path."""
    address, folder = make_url(url), settings.current().data_dir
    if address.get_backend_name() == "sqlite" and address.database:
        file = Path(address.database).resolve()
        if file.is_relative_to(folder.resolve()):
            address = address.set(database=f"{FOLDER}/{file.relative_to(folder.resolve())}")
    elif settings.current().embedded and address.query.get("host") == str(Embedded(folder).socket):
        address = address.update_query_dict({"host": FOLDER})
    return address.render_as_string(hide_password=False)


def resolve(stored: str) -> str:
    """The address to use, with the path of this data folder."""
    return _resolve_in(stored, settings.current().data_dir) if FOLDER in stored else stored


@lru_cache(maxsize=256)
def _resolve_in(stored: str, folder: Path) -> str:
    address = make_url(stored)
    if address.get_backend_name() == "sqlite" and str(address.database).startswith(f"{FOLDER}/"):
        address = address.set(database=str(folder / str(address.database).removeprefix(f"{FOLDER}/")))
    elif address.query.get("host") == FOLDER:
        address = address.update_query_dict({"host": str(Embedded(folder).socket)})
    return address.render_as_string(hide_password=False)
