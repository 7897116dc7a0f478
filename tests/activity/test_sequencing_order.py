"""The one order of the log while transactions are open, roll back and wait: no place out of order, none twice, nobody's event skipped."""

import random
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa
from hypothesis import given, settings, strategies as st

from console.activity import sequencing as operations
from console.infra.db.engine import hot_engine
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, chained

FRAME = Frame({"kind": "system", "id": "sys_engine", "session": "sys:engine", "team": None, "roles": []}, 1)
APPEND = (
    "select console.transition(%s, %s, %s, array[%b]::bytea[], array[%b]::bytea[], null, null, array[null]::bytea[], array[null]::bytea[],"
    " null, null, null, null, null, null)"
)


class Placed(NamedTuple):
    """An event with its place."""

    pos: int
    chain: str
    number: int


class Writer:
    """A process that appends to chains in transactions which it opens and ends itself."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url)

    def number_itself(self) -> None:
        """Take a transaction id now: those that write later have younger ones."""
        self.connection.execute("select pg_current_xact_id()")

    def append(self, chain: str, seq: int = 0, head: bytes = b"") -> bytes:
        """One more event of the chain, not yet committed; its hash."""
        (link,) = chained(
            [Fact(uuid7_text(), "process_started", datetime.now(UTC), {"mode": chain})],
            chain,
            seq,
            head,
            FRAME,
        )
        found = self.connection.execute(APPEND, (chain, seq, head, link.leaf, link.body)).fetchone()
        assert found == (seq + 1,)
        return link.leaf


@contextmanager
def writers(url: str, many: int) -> Iterator[list[Writer]]:
    """So many processes."""
    with ExitStack() as open_ones:
        made = [Writer(url) for _ in range(many)]
        for writer in made:
            open_ones.callback(writer.connection.close)
        yield made


def order() -> list[Placed]:
    """All events by place."""
    statement = sa.text(
        "select a.pos, e.run, e.run_seq from console.activity a join console.event e on e.id = a.event order by a.pos"
    )
    with hot_engine().connect() as connection:
        return [Placed(*row) for row in connection.execute(statement)]


def in_order(many: int) -> None:
    """So many events have places 1, 2, … without a gap, and each chain's own events stand in their own order."""
    found = order()
    assert [each.pos for each in found] == list(range(1, many + 1))
    chains: defaultdict[str, list[int]] = defaultdict(list)
    for each in found:
        chains[each.chain].append(each.number)
    for chain, numbers in chains.items():
        assert numbers == list(range(1, len(numbers) + 1)), chain


def test_an_older_transaction_that_continues_a_chain_waits_for_its_place(clean: Any) -> None:
    """Three transactions: the oldest continues the chain that the youngest began; the one between them holds the horizon."""
    with writers(clean.url, 3) as (oldest, between, youngest):
        for writer in (oldest, between, youngest):
            writer.number_itself()
        first = youngest.append("run_a")
        youngest.connection.commit()
        second = oldest.append("run_a", 1, first)
        between.append("run_b")
        oldest.connection.commit()
        assert operations.sequence() == 0, (
            "without the greater of both ids the second event would be placed here, before the first"
        )
        between.connection.commit()
        assert operations.sequence() == 3
        in_order(3)
        third = youngest.append("run_a", 2, second)
        oldest.number_itself()
        youngest.connection.commit()
        oldest.append("run_a", 3, third)
        oldest.connection.commit()
        assert operations.sequence() == 2
    in_order(5)


def test_the_greater_id_is_handed_on_along_a_chain(clean: Any) -> None:
    with writers(clean.url, 5) as all_of_them:
        for writer in all_of_them:
            writer.number_itself()
        head = b""
        for seq, writer in enumerate(
            reversed(all_of_them)
        ):  # each event by an older transaction than the one before
            head = writer.append("run_a", seq, head)
            writer.connection.commit()
        with hot_engine().connect() as connection:
            lines = (
                connection.execute(
                    sa.text(
                        "select cast(cast(xid as text) as bigint) from console.log_pending order by run_seq"
                    )
                )
                .scalars()
                .all()
            )
        assert lines == sorted(lines)
        assert len(set(lines)) == 1
    assert operations.sequence() == 5
    in_order(5)


def test_an_open_transaction_holds_back_the_younger_and_nothing_is_skipped(clean: Any) -> None:
    with writers(clean.url, 3) as (idle, busy, other):
        busy.append("run_a")
        busy.connection.commit()
        idle.append("run_b")
        for seq in range(3):
            other.append(f"run_c{seq}")
            other.connection.commit()
        assert operations.sequence() == 1, "what is older than the open one has its place"
        assert (operations.lag().pending, operations.sequence()) == (3, 0)
        assert [each.chain for each in order()] == ["run_a"]
        idle.connection.commit()
        assert operations.sequence() == 4
        assert [each.chain for each in order()][1] == "run_b", (
            "first come, first placed: by transaction, not by commit"
        )
    in_order(5)


def test_a_reader_of_an_old_snapshot_holds_nothing_back(clean: Any) -> None:
    with psycopg.connect(clean.url) as reader, writers(clean.url, 1) as (writer,):
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select count(*) from console.event")
        writer.append("run_a")
        writer.connection.commit()
        assert operations.sequence() == 1, "it has written nothing, and has no number"
        assert reader.execute("select count(*) from console.activity").fetchone() == (0,)
    in_order(1)


def test_a_transaction_of_another_database_holds_back_too(clean: Any, pg: Any) -> None:
    with psycopg.connect(pg.url("postgres", "postgres")) as elsewhere, writers(clean.url, 1) as (writer,):
        elsewhere.execute("select pg_current_xact_id()")
        writer.append("run_a")
        writer.connection.commit()
        first = operations.sequence()
        elsewhere.rollback()
        assert first + operations.sequence() == 1
    in_order(1)


def test_eight_writers_with_delays_and_rollbacks_while_readers_follow(clean: Any) -> None:
    """Each committed event is read once, in one order, by a reader that asks for what comes after the last place it saw."""
    lots = random.Random(7)
    plans = [[(lots.random() * 0.004, lots.random() < 0.2) for _ in range(30)] for _ in range(8)]
    committed = sum(not lost for plan in plans for _, lost in plan)
    done = threading.Event()
    read: list[Placed] = []
    pause = threading.Event()  # never set: waiting for it is a delay

    def writing(number: int) -> None:
        with writers(clean.url, 1) as (writer,):
            seq, head = 0, b""
            for delay, lost in plans[number]:
                writer.number_itself()
                pause.wait(delay)
                leaf = writer.append(f"run_{number}", seq, head)
                pause.wait(delay / 2)
                if lost:
                    writer.connection.rollback()
                else:
                    writer.connection.commit()
                    seq, head = seq + 1, leaf

    def sequencing() -> None:
        while not done.is_set():
            operations.sequence()

    def reading() -> None:
        statement = sa.text(
            "select a.pos, e.run, e.run_seq from console.activity a join console.event e on e.id = a.event where a.pos > :last order by a.pos"
        )
        while len(read) < committed and not (done.is_set() and pause.wait(0.05)):
            with hot_engine().connect() as connection:
                read.extend(
                    Placed(*row)
                    for row in connection.execute(statement, {"last": read[-1].pos if read else 0})
                )

    threads = [threading.Thread(target=writing, args=(number,)) for number in range(8)]
    followers = [threading.Thread(target=act) for act in (sequencing, sequencing, reading)]
    for thread in (*threads, *followers):
        thread.start()
    for thread in threads:
        thread.join()
    operations.catch_up()
    done.set()
    for thread in followers:
        thread.join()
    in_order(committed)
    assert read == order()[: len(read)], "what a reader saw is what is there, nothing came in between later"
    assert len(read) == committed
    assert operations.lag() == operations.Lag(0, 0.0)


Deed = tuple[str, int, int]


def test_any_interleaving_of_open_transactions_keeps_every_chain_in_order(clean: Any) -> None:
    """One database for all examples: chains have names of their own in each."""
    examples = iter(range(10_000))
    total = 0

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["append", "append", "append", "commit", "commit", "rollback", "place"]),
                st.integers(0, 2),
                st.integers(0, 1),
            ),
            min_size=10,
            max_size=24,
        )
    )
    @settings(max_examples=40, derandomize=True)
    def interleaved(deeds: list[Deed]) -> None:
        nonlocal total
        example = next(examples)
        with writers(clean.url, 3) as those:
            ends: dict[str, tuple[int, bytes]] = {}
            mine: list[dict[str, tuple[int, bytes]]] = [{}, {}, {}]
            for deed, who, which in deeds:
                chain = f"run_{example}_{which}"
                match deed:
                    case "append":
                        if any(chain in held for number, held in enumerate(mine) if number != who):
                            continue  # it would wait for the other one's commit
                        seq, head = mine[who].get(chain) or ends.get(chain) or (0, b"")
                        mine[who][chain] = (seq + 1, those[who].append(chain, seq, head))
                    case "commit":
                        those[who].connection.commit()
                        ends |= mine[who]
                        mine[who] = {}
                    case "rollback":
                        those[who].connection.rollback()
                        mine[who] = {}
                    case "place":
                        operations.sequence()
                        in_order(len(order()))
            for writer in those:
                writer.connection.rollback()
            operations.sequence()
            total += sum(seq for seq, _ in ends.values())
            in_order(total)

    interleaved()
    assert total > 50
