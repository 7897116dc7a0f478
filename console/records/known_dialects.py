"""The databases that a source may be, by the name that SQLAlchemy gives them."""

from console.records.dialects import Dialect, SQLite
from console.records.mysql_dialect import MySQL

DIALECTS: dict[str, Dialect] = {"postgresql": Dialect(), "sqlite": SQLite(), "mysql": MySQL()}
