"""Bring the console's own tables to the present form; called by `console migrate` and at each start."""

import sqlalchemy as sa
from sqlalchemy.engine import URL

from console.infra.db import release, timelines, troubles
from console.infra.db.fitness import Unfit


def upgrade(url: URL) -> None:
    """All migrations that are missing, each in its own transaction. Raises `NewerData` where the tables are of a newer release, `Unfit` where the disk is full."""
    engine = timelines.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        present = applied(connection)
    release.refuse_newer(present)
    if present == release.newest():
        return
    from alembic import command  # most starts have nothing to migrate
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(release.folder()).replace("%", "%%"))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        if troubles.trouble_of(error) is not troubles.FULL:
            raise
        raise Unfit(
            "The disk of the database is full: the upgrade of the tables has stopped between two migrations, and nothing is lost."
            " Make room, and start this release again: it goes on from there."
        ) from error


def applied(connection: sa.Connection) -> str | None:
    """The revision of the database, None before the first migration."""
    if connection.execute(sa.text("select to_regclass('console.alembic_version')")).scalar() is None:
        return None
    revision: str | None = connection.execute(
        sa.text("select version_num from console.alembic_version")
    ).scalar()
    return revision
