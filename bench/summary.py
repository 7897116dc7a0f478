"""A record's Summary with six related lists, over HTTP: the page, and the part with the lists that it fetches. Bar: together at most 60 ms.

A customer of 100,000 with 20 to 5,000 records in each of six tables of a million rows in all, in PostgreSQL, each with an index on what leads to it. Asked in turn
with a minimal Flask page of one statement, so that one sees what the machine was doing. Its at most twelve statements are counted by
`tests/views/test_related_lists.py`. `python bench/summary.py [rows]`.
"""

import argparse
import re
import statistics
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import list as listing
import rig

SIX = ("invoice", "payment", "ticket", "visit", "parcel", "note")
CUSTOMERS = """create table customer (id bigint primary key, name text not null, email text, city text, since date);
insert into customer select n, 'Customer ' || n, 'c' || n || '@example.com', 'Lyon', date '2020-01-01' + n %% 2000 from generate_series(1, 100000) n;"""
LIST = """create table {name} (id bigint primary key, customer_id bigint not null references customer, title text not null, amount numeric(12, 2), status text, on_day date);
insert into {name} select n, case when n <= {ours} then 1 else n %% 99999 + 2 end, '{name} ' || n, n %% 9000 / 100.0, (array['open', 'done'])[n %% 2 + 1],
    date '2024-01-01' + n %% 700 from generate_series(1, {rows}) n;
create index on {name} (customer_id, id); analyze {name};"""


def main(rows: int) -> None:
    """Measure and print."""
    with rig.console() as server:
        from console import accounts, sources

        server.sql("create database bench_shop")
        server.sql(CUSTOMERS.replace("%%", "%"), "bench_shop")
        for place, name in enumerate(SIX):
            server.sql(LIST.format(name=name, ours=20 * 3**place, rows=rows // len(SIX)).replace("%%", "%"), "bench_shop")
        server.sql(listing.FILL.replace("%%", "%").replace("%d", "1000"), "bench_shop")
        url = server.url("postgres", "bench_shop")
        sources.add(
            "shop",
            url,
            documents=[{"id": f"shop.{name}", "source": "shop", "table": name} for name in ("customer", *SIX)],
            may=rig.ALL_RIGHTS,
        )
        accounts.create_person("ines@example.com", role="admin", team="admin", name="Ines", password="a long enough bench password")
        server.sql('insert into console.sign_in (document) values (\'{"second_factor": "off"}\')', "console")
        ours, theirs = listing.free_port(), listing.free_port()
        command = ["-m", "console.web", "--host", "127.0.0.1", "--port", str(ours), "--workers", "1"]
        peer = [str(Path(listing.__file__)), "--peer", str(theirs)]
        with listing.served(command, ours), listing.served(peer, theirs, PEER_URL=url):
            page, minimal = listing.Browser(ours), listing.Browser(theirs)
            page.sign_in("ines@example.com", "a long enough bench password")
            report(rows, page, minimal)


def report(rows: int, page: listing.Browser, minimal: listing.Browser) -> None:
    """Ask in turn, and print a line for each."""
    summary = "/c/shop.customer/1?tab=summary"
    html = page.ask("GET", summary)[1].decode()
    found = re.search(r'hx-get="([^"]*/related[^"]*)"', html)
    assert found, "the page fetches no related lists"
    lists = page.ask("GET", found[1])[1].decode()
    assert all(name in lists.lower() for name in SIX), "a related list is missing"
    asked = [partial(page.milliseconds, summary), partial(page.milliseconds, found[1]), partial(minimal.milliseconds, "/")]
    for measure in asked:
        measure()  # once to warm up
    of_page, of_lists, of_peer = rig.in_turn(listing.ROUNDS, *asked)
    both = [one + other for one, other in zip(of_page, of_lists, strict=True)]
    print(f"{rows:,} rows in six tables, {listing.ROUNDS} rounds of {listing.REQUESTS} requests; medians in ms")
    print(
        f"page {statistics.median(of_page):.1f}   six lists {statistics.median(of_lists):.1f}   both {statistics.median(both):.1f}"
        f"   minimal {statistics.median(of_peer):.1f}   both/minimal {rig.ratio(both, of_peer):.1f}   {(len(html) + len(lists)) / 1024:.0f} KB"
    )
    if statistics.median(both) > 60:
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A Summary with six related lists.")
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000, help="rows of the six tables together (default 1,000,000)")
    main(parser.parse_args().rows)
