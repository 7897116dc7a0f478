"""Addresses inside the data folder, kept without its path: a folder that was moved or copied speaks of its own databases, never of the original's."""

from functools import lru_cache
from pathlib import Path

from sqlalchemy.engine import make_url

from console import settings
from console.postgres import Embedded

FOLDER = "~data-folder"
"""What stands for the data folder in an address of SQLite, and for its server's socket in one of PostgreSQL."""


def kept(url: str) -> str:
    """The address as it is stored: of a file in the data folder or of its own server without where that is, any other unchanged."""
    address, folder = make_url(url), settings.current().data_dir
    if address.get_backend_name() == "sqlite" and address.database:
        file = Path(address.database).resolve()
        if file.is_relative_to(folder.resolve()):
            address = address.set(database=f"{FOLDER}/{file.relative_to(folder.resolve())}")
    elif settings.current().embedded and address.query.get("host") == str(Embedded(folder).socket):
        address = address.update_query_dict({"host": FOLDER})
    return address.render_as_string(hide_password=False)


def here(stored: str) -> str:
    """The address as it is used from this data folder."""
    return _here(stored, settings.current().data_dir) if FOLDER in stored else stored


@lru_cache(maxsize=256)
def _here(stored: str, folder: Path) -> str:
    address = make_url(stored)
    if address.get_backend_name() == "sqlite" and str(address.database).startswith(f"{FOLDER}/"):
        address = address.set(database=str(folder / str(address.database).removeprefix(f"{FOLDER}/")))
    elif address.query.get("host") == FOLDER:
        address = address.update_query_dict({"host": str(Embedded(folder).socket)})
    return address.render_as_string(hide_password=False)
