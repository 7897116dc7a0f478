"""The data folder: made for its owner alone, and looked at before anything is written in it. Standard library only: `console serve` asks too."""

import os
import stat
import tempfile
from pathlib import Path

from console.core.errors import ConsoleError

PRIVATE = 0o077
"""The umask of every process of the console: what it makes is for its owner alone."""
OURS = frozenset(
    {
        "postgres",
        "keys",
        "demo.json",
        "serving",
        "files",
        "texts",
        "timelines",
        "checkpoints.txt",
        "erasures.jsonl",
    }
)
NOBODYS = frozenset({"lost+found"})


class FolderError(ConsoleError):
    """The data folder cannot be used; the message says why, and what to do."""

    status = 503
    default_code = "data_folder"


def be_private() -> None:
    """Let only the owner read files that this process creates from now on."""
    os.umask(PRIVATE)


def prepare(folder: Path) -> None:
    """The folder is there, ours alone, and takes files. Raises `FolderError`.

    One of the console's that others may enter is shut to them, with what lies directly in it; one that holds something else is left as it is, and refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        status = folder.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise FolderError(f"The data folder {folder} is a file. Give a folder with CONSOLE_DATA_DIR.")
        if status.st_mode & PRIVATE:
            _make_private(folder, status)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError as error:
        raise FolderError(
            f"The data folder {folder} is a file. Give a folder with CONSOLE_DATA_DIR."
        ) from error
    except OSError as error:
        raise FolderError(
            f"The data folder {folder} cannot be used: {error.strerror}. Let the user that runs the console write there, or give another one with CONSOLE_DATA_DIR."
        ) from error


def _make_private(folder: Path, status: os.stat_result) -> None:
    inside = [entry for entry in folder.iterdir() if entry.name not in NOBODYS]
    if (
        status.st_uid not in {os.getuid(), 0}
        or (inside and not any(entry.name in OURS for entry in inside))
        or status.st_mode & stat.S_ISVTX
    ):
        raise FolderError(
            f"The data folder {folder} is open to other users of this machine, and not the console's own to shut:"
            f" chmod 700 it, or give a folder for the console alone with CONSOLE_DATA_DIR."
        )
    for path in [folder, *inside]:
        status_of_link = path.lstat()
        if (
            status_of_link.st_mode & PRIVATE
            and not stat.S_ISLNK(status_of_link.st_mode)
            and status_of_link.st_uid in {os.getuid(), status.st_uid}
        ):
            path.chmod(stat.S_IMODE(status_of_link.st_mode) & ~PRIVATE)
