"""Which form of the console's tables this release knows. Standard library only: `console serve` asks too."""

from pathlib import Path

from console.core.errors import ConsoleError

PLACES = (Path(__file__).parents[2] / "migrations", Path(__file__).parents[3] / "migrations")
"""In a wheel the folder stands inside the package, in a checkout beside it."""

refusing = False
"""Whether this process refuses a newer form at its first connection: commands do; what serves goes on while a newer release migrates."""


class NewerData(ConsoleError):
    """The database is of a newer release; nothing was done in it."""

    status = 503
    default_code = "newer_data"


def folder() -> Path:
    """The folder of the migrations."""
    return next(place for place in PLACES if place.is_dir())


def known_revisions() -> frozenset[str]:
    """The revision of every migration that this release has, by the names of their files."""
    return frozenset("_".join(file.name.split("_")[:2]) for file in (folder() / "versions").glob("[0-9]*.py"))


def newest() -> str:
    """The revision that this release expects."""
    return max(known_revisions())


def refuse_newer(applied: str | None) -> None:
    """Nothing where the tables are of this release, of an older one, or not there yet. Raises `NewerData`."""
    if applied is not None and applied not in known_revisions():
        raise NewerData(
            f"The console's tables are of a newer release (form {applied}; this one knows up to {newest()}): nothing was changed."
            " Start the newer release again, or restore a backup made with this one."
        )
