"""Search over 1,000,000 rows: what Ctrl K and the box above a list ask, against the bare SQL of the same question on the same indexes.

Names, numbers and e-mails of customers in PostgreSQL, with ordinary indexes, with trigrams and without any, and in SQLite. Bars: what somebody types is
answered within 150 ms where an index helps, and says so where none does. `python bench/search.py [rows]`.
"""

import argparse
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rig

ROUNDS, TIMES, BAR_MS = 5, 8, 150.0
COLUMNS = "id, number, name, email, phone, city, status, note, a, b, c, d"
TABLE = """create table {table} (id bigint primary key, number text not null, name text not null, email text not null, phone text, city text,
    status text, note text, a int, b int, c int, d int);"""
FILL = """insert into {table} select n, 'C-' || n,
    (array['Alma','Bram','Carla','Dario','Edda','Falk','Gita','Halina','Ivo','Jana','Kenji','Lotte'])[n * 7 % 12 + 1] || ' ' ||
    chr(65 + n % 26) || chr(97 + n / 26 % 26) || chr(97 + n / 676 % 26) || chr(97 + n / 17576 % 26) || 'sen',
    'p' || n || '@example.com', '+3706' || lpad(n::text, 7, '0'), 'Vilnius', 'open', 'A note', n, n, n, n from generate_series(1, %d) n;"""
BEGINNINGS = """create index on {table} (number); create index on {table} (name); create index on {table} (email); create index on {table} (phone); analyze {table};"""
TRIGRAMS = (
    "".join(
        f"create index on {{table}} using gin ({name} gin_trgm_ops); "
        for name in ("number", "name", "email", "phone", "city", "note")
    )
    + "analyze {table};"
)
QUESTIONS = {
    "name": "Halina B",
    "number": "C-77123",
    "e-mail": "p654321@example.com",
    "telephone": "+37060123456",
    "two common words": "Halina p9",
}
PEER = "select {columns} from {table} where number >= %s and number < %s or name >= %s and name < %s or email >= %s and email < %s or phone >= %s and phone < %s limit 21"
PEER_INSIDE = "select {columns} from {table} where number ilike %s or name ilike %s or email ilike %s or phone ilike %s limit 21"


def milliseconds(work: Callable[[], Any]) -> Callable[[], float]:
    """The median time of the work, of a few times."""

    def measured() -> float:
        times = []
        for _ in range(TIMES):
            begin = time.perf_counter()
            work()
            times.append((time.perf_counter() - begin) * 1000)
        return statistics.median(times)

    return measured


def report(name: str, ours: Callable[[], Any], theirs: Callable[[], Any], found: str) -> None:
    """Ask in turn, and print a line."""
    ours(), theirs()
    a, b = rig.in_turn(ROUNDS, milliseconds(ours), milliseconds(theirs))
    print(
        f"{name:44} ours {statistics.median(a):8.2f} ms   bare SQL {statistics.median(b):8.2f} ms   ratio {rig.ratio(a, b):6.2f}   {found}",
        flush=True,
    )
    rig.held(f"search, {name}", statistics.median(a), " ms", most=BAR_MS)


def main(rows: int) -> None:
    """Measure and print."""
    with rig.console() as server:
        import psycopg

        from console import browse, sources
        from console.auth import accounts
        from console.browse import BrowseQuery, find_records
        from console.core.errors import SourceDown
        from console.infra.postgres import PostgresError

        person = accounts.create_person(
            "ines@example.com",
            role="admin",
            team="admin",
            name="Ines",
            password="a long enough bench password",
        ).person
        who = accounts.actor_of_person(person.id)
        server.sql("create database bench_people")
        kinds = {"people": BEGINNINGS, "letters": TRIGRAMS, "bare": "analyze {table};"}
        try:
            server.sql("create extension pg_trgm", "bench_people")
        except PostgresError:
            del kinds["letters"]
            print("This PostgreSQL brings no pg_trgm: trigrams are not measured.")
        for table, made in kinds.items():
            for statement in (TABLE, FILL.replace("%d", str(rows)), made):
                server.sql(statement.format(table=table), "bench_people")
        url = server.url("postgres", "bench_people")
        sources.add(
            "crm",
            url,
            documents=[{"id": f"crm.{name}", "source": "crm", "table": name} for name in kinds],
            may=rig.ALL_RIGHTS,
        )
        print(f"{rows:,} rows × 12 columns, {ROUNDS} rounds of {TIMES}; medians")
        with psycopg.connect(url, autocommit=True) as peer:
            peer.prepare_threshold = None
            for name, text in QUESTIONS.items():
                high = text[:-1] + chr(ord(text[-1]) + 1)
                told = [text, high] * 4
                for table, statement, given in (
                    ("people", PEER.format(columns=COLUMNS, table="people"), told),
                    ("letters", PEER_INSIDE.format(columns=COLUMNS, table="letters"), [f"%{text}%"] * 4),
                ):
                    if table not in kinds:
                        continue

                    def bare(statement: str = statement, given: list[str] = given) -> list[Any]:
                        return peer.execute(statement, given).fetchall()

                    def palette(table: str = table, text: str = text) -> Any:
                        return find_records.find(who, text, f"crm.{table}")

                    def listed(table: str = table, text: str = text) -> Any:
                        return browse.page(who, f"crm.{table}", BrowseQuery(q=text))

                    hits = sum(len(group.hits) for group in palette().groups)
                    report(f"Ctrl K, {name}, {table}", palette, bare, f"{hits} found, {len(bare())} by SQL")
                    report(f"list q=, {name}, {table}", listed, bare, f"{len(listed().rows)} on the page")
            begin = time.perf_counter()
            answer = find_records.find(who, "Halina B", "crm.bare")
            print(
                f"Ctrl K without an index: {(time.perf_counter() - begin) * 1000:.0f} ms, said to be skipped: {[item.label for item in answer.skipped]}"
            )
            begin = time.perf_counter()
            try:
                said = f"{len(browse.page(who, 'crm.bare', BrowseQuery(q='Halina B')).rows)} on the page"
            except SourceDown as error:
                said = error.message
            print(f"list q= without an index: {(time.perf_counter() - begin) * 1000:.0f} ms, {said}")
            begin = time.perf_counter()
            whole = find_records.find(who, "Halina B")
            print(
                f"Ctrl K over all of them: {(time.perf_counter() - begin) * 1000:.0f} ms, {len(whole.groups)} groups"
            )
        file = Path(server.folder if hasattr(server, "folder") else "/tmp") / "people.db"
        sqlite(rows, file, who)


def sqlite(rows: int, file: Path, who: Any) -> None:
    """The same in a SQLite file, with an index that ignores capitals on the name."""
    from console import sources
    from console.browse import find_records

    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as made:
        made.execute("create table person (id integer primary key, name text, email text)")
        made.executemany(
            "insert into person values (?, ?, ?)",
            (
                (n, f"{chr(65 + n % 26)}{chr(97 + n // 26 % 26)}{n} Olsen", f"p{n}@example.com")
                for n in range(rows)
            ),
        )
        made.executescript(
            "create index person_name on person (name collate nocase); create index person_email on person (email);"
        )
    sources.add(
        "local",
        f"sqlite:///{file}",
        documents=[{"id": "local.person", "source": "local", "table": "person"}],
        may=rig.ALL_RIGHTS,
    )
    peer = sqlite3.connect(file)
    for text in ("ab27", "p77777@example.com"):
        high = text[:-1] + chr(ord(text[-1]) + 1)
        report(
            f"Ctrl K, {text}, SQLite",
            lambda text=text: find_records.find(who, text, "local.person"),  # type: ignore[misc]
            lambda text=text, high=high: peer.execute(  # type: ignore[misc]
                "select * from person where name >= ? collate nocase and name < ? collate nocase union all select * from person where email >= ? and email < ? limit 21",
                (text, high, text, high),
            ).fetchall(),
            "",
        )
    file.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Search over a million rows against bare SQL.")
    parser.add_argument(
        "rows", nargs="?", type=int, default=1_000_000, help="rows of each table (default 1,000,000)"
    )
    main(parser.parse_args().rows)
