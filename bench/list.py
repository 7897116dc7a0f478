"""A list of 1,000,000 rows × 12 columns, 50 a page, over HTTP: first, deep and filtered page, against a minimal Flask + Jinja keyset page.

Both are served by granian with one worker over the same PostgreSQL table, and asked in turn, five rounds of forty requests each. Bar: at most 3 × the
minimal page, and at most 60 KB a page. The console's page also finds out who asks, looks for open runs on the records and notes the look in the log.
`python bench/list.py [rows]`.
"""

import argparse
import http.client
import json
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rig

ROUNDS, REQUESTS, PAGE, BAR_MS = 5, 40, 50, 12.0
FILL = """
create table sale (id bigint primary key, customer text not null, email text not null, city text not null, status text not null, amount numeric(12, 2) not null,
    quantity int not null, paid boolean not null, sold_on date not null, created_at timestamptz not null, reference uuid not null, note text);
insert into sale select n, 'Customer ' || n %% 50000, 'c' || n %% 50000 || '@example.com', (array['Lyon', 'Oslo', 'Turin', 'Graz', 'Cork'])[n %% 5 + 1],
    (array['open', 'paid', 'shipped', 'returned'])[n %% 4 + 1], n %% 100000 / 100.0, n %% 9, n %% 3 = 0, date '2020-01-01' + n %% 2000,
    timestamptz '2020-01-01' + n * interval '1 minute', md5(n::text)::uuid, case when n %% 7 = 0 then 'A note on sale ' || n end from generate_series(1, %d) n;
create index on sale (status, id);
analyze sale;
"""
WORKFLOW = {
    "format": 1,
    "slug": "sale-check",
    "title": "Check a sale",
    "collection": "shop.sale",
    "team": "admin",
    "roles": ["admin"],
    "steps": [
        {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "end"}},
        {"id": "end", "type": "end", "title": "End", "config": {"label": "Checked"}, "next": {}},
    ],
}
TEMPLATE = """<!doctype html><html lang="en"><title>Sales</title><table><thead><tr>{% for name in names %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{% for row in rows %}<tr>{% for value in row %}<td>{{ value if value is not none }}</td>{% endfor %}</tr>{% endfor %}
</tbody></table>{% if after %}<a href="?after={{ after }}">Next</a>{% endif %}</html>"""


def create_peer() -> Any:
    """The minimal page: one query, one template."""
    import os

    import flask
    import psycopg

    app = flask.Flask("peer")
    template = app.jinja_env.from_string(TEMPLATE)
    kept: list[psycopg.Connection] = []

    @app.get("/")
    def page() -> str:
        if not kept:
            kept.append(psycopg.connect(os.environ["PEER_URL"], autocommit=True))
        args = flask.request.args
        status, after = args.get("status"), int(args.get("after", 0))
        where = "status = %(status)s and id > %(after)s" if status else "id > %(after)s"
        cursor = kept[0].execute(
            f"select * from sale where {where} order by id limit {PAGE + 1}",
            {"status": status, "after": after},
        )
        rows = cursor.fetchall()
        following = rows[PAGE - 1][0] if len(rows) > PAGE else None
        return template.render(
            names=[column.name for column in cursor.description or ()], rows=rows[:PAGE], after=following
        )

    return app


def serve_peer(port: int, target: str = "list:create_peer") -> None:
    """Granian as the console has it: one worker, four threads."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        target,
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=4,
        log_enabled=False,
    ).serve()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


@contextmanager
def served(command: list[str], port: int, **environment: str) -> Iterator[int]:
    """The process of the command's server, once it answers, until the end of the block."""
    import os

    here = Path(__file__).resolve().parent
    told = {**os.environ, "PYTHONPATH": str(here.parent), **environment}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=here, env=told, stdin=subprocess.PIPE
    )  # a web process ends with its input
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.communicate(timeout=20)


class Browser:
    """One kept connection, with a cookie."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.origin = f"http://127.0.0.1:{port}"
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes]:
        """(status, body); keeps the cookies."""
        self.connection.request(method, path, body, {**self.headers, **headers})
        answer = self.connection.getresponse()
        cookies = dict(
            part.split(";")[0].split("=", 1) for part in answer.headers.get_all("Set-Cookie") or ()
        )
        if cookies:
            known = (
                dict(part.split("=", 1) for part in self.headers.get("Cookie", "").split("; ") if part)
                | cookies
            )
            self.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in known.items())
        return answer.status, answer.read()

    def sign_in(self, email: str, password: str) -> None:
        """As the form of the page does it."""
        found = re.search(rb'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", "/sign-in")[1])
        assert found, "the sign-in page has no token"
        form = urlencode({"email": email, "password": password, "csrf_token": found[1].decode(), "next": "/"})
        status, _ = self.ask(
            "POST",
            "/sign-in",
            form,
            Origin=self.origin,
            **{"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert status == 303, f"signing in answered {status}"

    def milliseconds(self, path: str) -> float:
        """The median time of a request in this round."""
        times = []
        for _ in range(REQUESTS):
            begin = time.perf_counter()
            status, _ = self.ask("GET", path)
            times.append((time.perf_counter() - begin) * 1000)
            assert status == 200, f"{path} answered {status}"
        return statistics.median(times)


def paths(rows: int) -> dict[str, tuple[str, str, str]]:
    """What is asked: name → (page of the console, its API, minimal page)."""
    from console.records import cursors

    deep = quote(cursors.write("shop.sale", "", [rows * 3 // 4]))
    filter_ = quote(json.dumps({"and": [{"field": "status", "op": "eq", "value": "returned"}]}))
    api = "/api/v1/collections/shop.sale/records"
    return {
        "first": ("/c/shop.sale", api, "/"),
        "deep": (f"/c/shop.sale?after={deep}", f"{api}?after={deep}", f"/?after={rows * 3 // 4}"),
        "filtered": (f"/c/shop.sale?filter={filter_}", f"{api}?filter={filter_}", "/?status=returned"),
    }


def main(rows: int) -> None:
    """Measure and print."""
    with rig.console() as server:
        from console import sources, workflows
        from console.auth import accounts

        server.sql("create database bench_shop")
        server.sql(FILL.replace("%%", "%").replace("%d", str(rows)), "bench_shop")
        url = server.url("postgres", "bench_shop")
        names = [
            "customer",
            "email",
            "city",
            "status",
            "amount",
            "quantity",
            "paid",
            "sold_on",
            "created_at",
            "reference",
            "note",
        ]
        document = {"id": "shop.sale", "source": "shop", "table": "sale", "columns": ["id", *names]}
        sources.add("shop", url, documents=[document], may=rig.ALL_RIGHTS)
        person = accounts.create_person(
            "ines@example.com",
            role="admin",
            team="admin",
            name="Ines",
            password="a long enough bench password",
        ).person
        key = accounts.create_key("bench", person.id).text
        server.sql(
            'insert into console.sign_in (document) values (\'{"second_factor": "off"}\')', "console"
        )  # else an admin sets one up first
        workflows.import_file(
            WORKFLOW, publish=True, rights=False
        )  # so that the list looks for runs that are open on its records
        ours, theirs = free_port(), free_port()
        command = ["-m", "console.views.server", "--port", str(ours)]
        with served(command, ours), served([__file__, "--peer", str(theirs)], theirs, PEER_URL=url):
            page, api, peer = Browser(ours), Browser(ours), Browser(theirs)
            page.sign_in("ines@example.com", "a long enough bench password")
            api.headers["Authorization"] = f"Bearer {key}"
            if not report(rows, page, api, peer):
                raise SystemExit(1)


def report(rows: int, page: Browser, api: Browser, peer: Browser) -> bool:
    """Ask in turn, and print a line per kind of page; whether all hold their bar."""
    good = True
    print(
        f"{rows:,} rows × 12 columns, {PAGE} a page, {ROUNDS} rounds of {REQUESTS} requests, one worker each; medians in ms"
    )
    for name, (ours, json_, theirs) in paths(rows).items():
        size = len(page.ask("GET", ours)[1])
        asked: list[Callable[[], float]] = [
            partial(page.milliseconds, ours),
            partial(api.milliseconds, json_),
            partial(peer.milliseconds, theirs),
        ]
        for measure in asked:
            measure()  # once to warm up
        of_page, of_api, of_peer = rig.in_turn(ROUNDS, *asked)
        figures = f"page {statistics.median(of_page):6.2f}   API {statistics.median(of_api):6.2f}   minimal {statistics.median(of_peer):6.2f}"
        print(
            f"{name:9} {figures}   page/minimal {rig.ratio(of_page, of_peer):5.2f}   API/minimal {rig.ratio(of_api, of_peer):5.2f}   {size / 1024:5.1f} KB"
        )
        good &= rig.held(f"{name} page of {rows:,} rows", statistics.median(of_page), " ms", most=BAR_MS)
    return good


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        serve_peer(int(sys.argv[2]))
    else:
        parser = argparse.ArgumentParser(
            description="Pages of a list of a million rows against a minimal page."
        )
        parser.add_argument(
            "rows", nargs="?", type=int, default=1_000_000, help="rows of the table (default 1,000,000)"
        )
        main(parser.parse_args().rows)
