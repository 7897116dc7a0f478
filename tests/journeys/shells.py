"""Somebody with a shell beside the demo who types what a document gives, and the reader's own database that documents speak of."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from console.infra.postgres import Embedded
from tests import warm
from tests.journeys.conftest import Demo
from tests.journeys.documents import ROOT, blocks

SHOP = """
create type customer_status as enum ('new', 'checked', 'closed');
create table customer (id int primary key, name text not null, email text not null, status text not null default 'new', limit_amount numeric(12,2) not null);
create table purchase (id int primary key, customer_id int not null references customer(id), placed_on date not null, total numeric(12,2) not null);
insert into customer select n, 'Customer ' || n, 'c' || n || '@people.example', 'new', 250 from generate_series(1, 12) n;
insert into purchase select n, 1 + n % 12, date '2026-11-01' + n % 20, n * 10 from generate_series(1, 40) n;
create table invoice (number int primary key, customer_no int not null);
"""


@dataclass
class Said:
    """What a block came to."""

    code: int
    out: str
    err: str


@dataclass
class Shell:
    """A folder to type in. `instead` is what stands for what only the reader has: text of a document → what it is here."""

    demo: Demo
    folder: Path
    instead: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    warm: bool = True
    """Whether `console` is that of tests/warm.py; what the README has typed is the command itself."""

    def read(self, text: str) -> str:
        """The text with what stands for what only the reader has."""
        for theirs, ours in self.instead.items():
            text = text.replace(theirs, ours)
        return text

    def type(self, text: str, answers: str = "", patience_s: float = 180) -> Said:
        """Type it as it stands, but for `instead`; what comes before in the folder (`.kept`, its variables) is there."""
        text = self.read(text)
        kept = self.folder / ".kept"
        script = f"set -eu -o pipefail; shopt -s expand_aliases; . {kept}; set -a\n{text}\nset +a; declare -p URL KEY RUN JSON 2>/dev/null > {kept} || true\n"
        kept.touch()
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._environment(),
            input=answers,
            capture_output=True,
            text=True,
            timeout=patience_s,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def _environment(self) -> dict[str, str]:
        path = warm.path() if self.warm else f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**self.demo.environment, "PATH": path, "no_proxy": "*", **self.environment}


def shop(demo: Demo) -> str:
    """The URL of the reader's own database: on the demo's server, with a role of its own."""
    server = Embedded(demo.data)
    url = server.create_database("shop", "reader")
    with_schema = (
        SHOP
        + "alter table customer owner to reader; alter table purchase owner to reader; alter table invoice owner to reader;"
    )
    server.sql(with_schema, "shop")
    return url


def beginnings(demo: Demo, folder: Path) -> Shell:
    """A shell in a checkout that has done the README's five things; the first that asks does them, all others wait. What was said stands in `said`."""
    done = demo.data.parent / f"{demo.data.name}.readme"
    shell = Shell(demo, ROOT, {"http://127.0.0.1:8000": demo.url})
    with (demo.data.parent / f"{demo.data.name}.readme.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        url_file = done / "url"
        if not url_file.exists():
            shutil.rmtree(done, ignore_errors=True)
            done.mkdir()
            given = {**shell.instead, "postgresql://reader:secret@db.example/shop": f"'{shop(demo)}'"}
            typed = Shell(
                demo,
                done,
                {
                    **given,
                    ".venv/bin/console": "console",
                    "docs/how-to/": f"{ROOT}/docs/how-to/",
                    "$PWD/data/": f"{demo.data}/",
                },
                warm=False,
            )
            said = typed.type(blocks("README.md", "sh")[1].text)
            (done / "said").write_text(f"{said.code}\n{said.out}\n{said.err}", encoding="utf-8")
            url_file.write_text(given["postgresql://reader:secret@db.example/shop"], encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    return Shell(
        demo,
        folder,
        {**shell.instead, "postgresql://reader:secret@db.example/shop": url_file.read_text(encoding="utf-8")},
    )


def told(demo: Demo) -> Said:
    """What the README's five things came to."""
    said = (demo.data.parent / f"{demo.data.name}.readme" / "said").read_text(encoding="utf-8")
    code, _, rest = said.partition("\n")
    return Said(int(code), rest, rest)
