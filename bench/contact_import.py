"""A file of very many contacts looked at and imported in this process, with what it holds as it goes on.

    python bench/contact_import.py [--lines 1000000]

Its own server in a temporary folder; a book of contacts with a table of consents. The lines are UTF-8 with every thousandth in Windows-1252, every hundredth
says again who stands on one before, every fiftieth opted out, every third agreed. The bar: after the first tenth of the lines, at most 60 MB more.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import RawIOBase
from typing import Any

import psutil
import rig

BAR_MB = 60
TABLES = """
create table contact (id integer generated always as identity primary key, name text not null, email text, phone text, country text, stage text not null);
create unique index on contact (email); create index on contact (lower(email));
create table consent (id integer generated always as identity primary key, contact_id integer not null references contact (id), channel text not null,
    state text not null, source text not null, at timestamptz not null);
create index on consent (contact_id, at);
"""
DOCUMENTS: list[dict[str, Any]] = [
    {
        "id": "contact",
        "source": "book",
        "table": "contact",
        "title": "{{ record.name }}",
        "subject": "self",
        "contact": {
            "name": "name",
            "email": "email",
            "phone": "phone",
            "country": "country",
            "stage": "stage",
            "consent": {"sms": {"table": "consent"}, "email": {"table": "consent"}},
        },
    },
    {"id": "consent", "source": "book", "table": "consent", "subject": "contact"},
]
HEADING = b"name,email,phone,country,stage,sms consent,consent source,consent date,unsubscribed\n"


class Lines(RawIOBase):
    """The file, made as it is read."""

    def __init__(self, lines: int) -> None:
        self._parts, self._rest = self._made(lines), b""

    def _made(self, lines: int) -> Iterator[bytes]:
        yield HEADING
        for number in range(lines):
            who = number - 7 if number % 100 == 99 else number
            name = f"Zoë Müller-{who}".encode("cp1252" if number % 1_000 == 500 else "utf-8")
            agreed = b"yes,fair,2026-05-01" if number % 3 == 0 else b",,"
            yield b"%b,c%d@post.example,+4670%07d,SE,new,%b,%b\n" % (
                name,
                who,
                who % 10_000_000,
                agreed,
                b"yes" if number % 50 == 0 else b"",
            )

    def readable(self) -> bool:
        """It is a file to be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer at the end."""
        parts, length = [self._rest], len(self._rest)
        while length < size and (part := next(self._parts, b"")):
            parts.append(part)
            length += len(part)
        text = b"".join(parts)
        self._rest = text[size:]
        return text[:size]


def worked(actor: Any, ident: str, tell: Callable[[int], None]) -> Any:
    """The import, gone on with until it ends."""
    from console.infra.jobs import PutBack
    from console.messaging.imports import import_batches

    def stopping() -> bool:
        tell(import_batches.get(actor, ident).done)
        return False

    while import_batches.get(actor, ident).under_way:
        try:
            import_batches.advance(ident, stopping)
        except PutBack as back:
            time.sleep(back.after_s)
    return import_batches.get(actor, ident)


def measured(server: Any, lines: int) -> bool:
    """Look at the file and import it; whether it held."""
    from console import sources
    from console.auth import accounts
    from console.messaging.imports import import_batches

    server.sql("create database bench_book")
    server.sql(TABLES, "bench_book")
    sources.add("book", server.url("postgres", "bench_book"), documents=DOCUMENTS, may=rig.ALL_RIGHTS)
    ines = accounts.create_person(
        "ines@example.org", role="admin", team="admin", name="Ines", password="a long enough bench password"
    ).person
    actor = accounts.actor_of_person(ines.id, "sys:bench")
    own, held = psutil.Process(), True
    found = import_batches.keep(actor, "contact", Lines(lines), "many.csv")  # type: ignore[arg-type]
    about_consent = {"5": "consent:sms", "8": "optout:every"}
    meanings = {"5": {"yes": "yes", "no": "no"}, "8": {"yes": "opted out"}}
    asked = replace(found.question, columns={**found.question.columns, **about_consent}, meanings=meanings)
    found = import_batches.look_again(actor, found.id, asked)
    for what in ("looked at", "imported"):
        began, processor, early, most, told = time.perf_counter(), own.cpu_times(), 0.0, 0.0, 0

        def tell(done: int, what: str = what, began: float = began) -> None:
            nonlocal early, most, told
            if done >= told + lines // 10:
                told, size = done, own.memory_info().rss / 2**20
                early, most = early or size, max(most, size)
                print(f"{done:>9,} {what}: {size:.0f} MB, {time.perf_counter() - began:.0f} s", flush=True)

        if what == "imported":
            found = import_batches.confirm(actor, found.id)
        found = worked(actor, found.id, tell)
        took, spent = (
            time.perf_counter() - began,
            own.cpu_times().user + own.cpu_times().system - processor.user - processor.system,
        )
        grown = most - early
        held &= rig.held(
            f"file of {lines:,} lines {what}: memory after the first tenth", grown, " MB", most=BAR_MB
        )
        held = (
            held
            and found.status == "done"
            and found.new + found.changed + found.same + found.refused == found.done
        )
        print(
            f"{found.status} {found.why}: {found.done:,} lines {what} in {took:.0f} s ({spent:.0f} s of processor), {grown:.0f} MB more than after a tenth, load {os.getloadavg()[0]:.0f}; {found.new:,} new, {found.refused:,} left out, {found.consents:,} consents, {found.opted_out:,} opted out, {found.withdrawn:,} withdrawn"
        )
    return held


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="A large file of contacts, and memory meanwhile.")
    parser.add_argument("--lines", type=int, default=1_000_000)
    told = parser.parse_args()
    with rig.console() as server:
        held = measured(server, told.lines)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
