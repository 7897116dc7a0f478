"""The papers are drawn by two processes while the rows go into the databases; each row then gets its hash and pages.

`python -m console.demo.drawing FOLDER` reads orders as JSON lines and answers a line for each: its number, hash and pages; 0 pages where it could not
be drawn. The processes read from us and write to us, so they end when we do, however that is.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self

from console.demo import identity_papers, printed_papers
from console.demo.world import Paper, Row

PROCESSES = 2
PICTURES = frozenset({"passport", "id_card", "residence_permit"})


class Drawing:
    """Papers under way. Use as a context: leaving it early ends the processes."""

    def __init__(self, folder: Path, wanted: list[Paper], *, processes: int = PROCESSES) -> None:
        self.folder = folder
        self.wanted = wanted
        self.workers = [self._begin() for _ in range(processes)]

    def __enter__(self) -> Self:
        """Hand out the orders, one to each process in turn."""
        for place, worker in enumerate(self.workers):
            assert worker.stdin is not None  # noqa: S101 - it was opened as a pipe
            with worker.stdin as orders:
                for number in range(place, len(self.wanted), len(self.workers)):
                    paper = self.wanted[number]
                    orders.write(
                        json.dumps([number, paper.path, paper.form, paper.facts], ensure_ascii=False) + "\n"
                    )
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()

    def finish(self, progress: Callable[[int, int], None]) -> int:
        """Wait for all; rows of drawn papers get hash and pages, the others go to the archive. The number of the latter.

        Raises RuntimeError when a process ended before it was through.
        """
        done = missing = 0
        for worker in self.workers:
            assert worker.stdout is not None  # noqa: S101 - it was opened as a pipe
            for line in worker.stdout:
                number, digest, pages = line.split()
                done += 1
                missing += _enter(self.wanted[int(number)].row, digest, int(pages))
                progress(done, len(self.wanted))
        if done < len(self.wanted):
            raise RuntimeError(
                f"only {done} of {len(self.wanted)} papers were drawn; what went wrong stands above"
            )
        return missing

    def _begin(self) -> "subprocess.Popen[str]":
        import console

        environment = os.environ | {
            "PYTHONPATH": str(Path(console.__path__[0]).parent),
            "PYTHONIOENCODING": "utf-8",
        }
        command = [sys.executable, "-m", "console.demo.drawing", str(self.folder)]
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )


def _enter(row: Row, digest: str, pages: int) -> bool:
    """Whether the paper is missing; its row then says archive."""
    if not pages:
        row["file_path"] = None
        if "storage" in row:
            row["storage"] = "archive"
        return True
    row["sha256"] = digest
    if "pages" in row:
        row["pages"] = pages
    return False


def draw(folder: Path, path: str, form: str, facts: dict[str, str]) -> tuple[str, int]:
    """Hash and pages of the paper, now written to `path` below `folder`; 0 pages where its kind cannot be drawn here."""
    if form in PICTURES:
        content, pages = identity_papers.identity(facts), 1
    elif printed_papers.available():
        content, pages = printed_papers.paper(facts)
    else:
        return "-", 0
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return hashlib.sha256(content).hexdigest(), pages


def main(folder: Path, orders: IO[str], answers: IO[str]) -> None:
    """Draw what is ordered until the orders end."""
    for line in orders.readlines():
        number, path, form, facts = json.loads(line)
        digest, pages = draw(folder, path, form, facts)
        answers.write(f"{number} {digest} {pages}\n")
        answers.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin, sys.stdout)
