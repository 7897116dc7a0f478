"""Page 5,000 of a list of 1,000,000 rows × 12 columns, 50 a page: ours against Django admin, Flask-Admin, sqladmin and, of a SQLite file, Datasette.

Bar: at least 5 × faster than the fastest of them, by the processor that a page takes of all processes, because that of a machine at work can be compared. Ours is
asked over HTTP of a web worker; they are asked in their own process, with no server, which flatters them. `python bench/admin_lists.py [rows]`.
"""

import argparse
import os
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent))
import list as listing
import rig

ROUNDS, TIMES = 5, 8  # a peer asks itself so many times


def of_ours(browser: listing.Browser, address: str) -> float:
    """Milliseconds of processor that a page takes of the web server and of PostgreSQL."""
    (web,) = (child for child in psutil.Process().children() if "console.views.server" in child.cmdline())
    before = spent(web, postmaster())
    browser.milliseconds(address)
    return (spent(web, postmaster()) - before) * 1000 / listing.REQUESTS


def of_theirs(peer: rig.Peer, name: str, page: int) -> float:
    """Milliseconds of processor that a page takes of their process and of PostgreSQL."""
    before = spent(postmaster())
    return peer.ask(name, page) + (spent(postmaster()) - before) * 1000 / TIMES


def postmaster() -> psutil.Process:
    """The server of the run."""
    return psutil.Process(
        int(next(Path(os.environ["CONSOLE_DATA_DIR"]).rglob("postmaster.pid")).read_text().split()[0])
    )


def spent(*roots: psutil.Process) -> float:
    """Seconds of processor of these processes and their children, those that have ended included."""
    return sum(
        sum(root.cpu_times()[:4]) + sum(sum(part.cpu_times()[:2]) for part in root.children(recursive=True))
        for root in roots
    )


def main(rows: int) -> None:
    """Measure and print."""
    page = min(5_000, rows // listing.PAGE)
    with rig.console() as server, tempfile.TemporaryDirectory(prefix="bench-peer-") as folder:
        from console import sources
        from console.auth import accounts
        from console.records import cursors

        server.sql("create database bench_shop")
        server.sql(listing.FILL.replace("%%", "%").replace("%d", str(rows)), "bench_shop")
        url = server.url("postgres", "bench_shop")
        sources.add(
            "shop",
            url,
            documents=[{"id": "shop.sale", "source": "shop", "table": "sale"}],
            may=rig.ALL_RIGHTS,
        )
        accounts.create_person(
            "ines@example.com",
            role="admin",
            team="admin",
            name="Ines",
            password="a long enough bench password",
        )
        server.sql('insert into console.sign_in (document) values (\'{"second_factor": "off"}\')', "console")
        peer = rig.Peer("admin_lists", "admin_lists.py", Path(folder), url)
        products = peer.ready.split()[1:]
        ours = listing.free_port()
        with listing.served(["-m", "console.views.server", "--port", str(ours)], ours):
            browser = listing.Browser(ours)
            browser.sign_in("ines@example.com", "a long enough bench password")
            address = (
                f"/c/shop.sale?after={quote(cursors.write('shop.sale', '', [(page - 1) * listing.PAGE]))}"
            )
            asked = [
                partial(of_ours, browser, address),
                *(partial(of_theirs, peer, name, page) for name in products),
            ]
            for measure in asked:
                measure()  # once to warm up
            mine, *theirs = rig.in_turn(ROUNDS, *asked)
        peer.end()
    print(
        f"page {page:,} of {rows:,} rows × 12 columns, {ROUNDS} rounds; medians in ms of processor; {', '.join(peer.versions)}"
    )
    print(f"ours {statistics.median(mine):.1f}")
    ratios = {name: rig.ratio(figures, mine) for name, figures in zip(products, theirs, strict=True)}
    for name, figures in zip(products, theirs, strict=True):
        print(f"{name} {statistics.median(figures):.1f}, {ratios[name]:.1f} × ours")
    if not rig.held(
        f"page {page:,} against the fastest admin, by processor", min(ratios.values()), " ×", least=5
    ):
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A deep page of a list against the lists of other products.")
    parser.add_argument(
        "rows", nargs="?", type=int, default=1_000_000, help="rows of the table (default 1,000,000)"
    )
    main(parser.parse_args().rows)
