"""Charts over databases of others: each number leads to a list of exactly as many records, whatever the values, the kind of chart and the reader's zone."""

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from console import records
from console.auth import access
from console.auth.access import policy_store
from console.core.scopes import unrestricted
from console.infra.db import transaction
from console.records import grouped
from tests.views.foreign import KINDS, Odd, connected, maria  # noqa: F401 (a fixture)
from tests.views.test_workspace_pages import publish

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

KINDS_OF = (
    None,
    "",
    " ",
    "Open",
    "open",
    "Open ",
    "O''Neil",
    "<i>x</i>",
    "=1+1",
    "a,b",
    "a_b",
    "null",
    "日本",
)
LAST = 60
TAGS = {"postgresql": "text[]", "mysql": "set('a', 'b')", "sqlite": "varchar(20)"}


@pytest.fixture(params=KINDS)
def counted(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Things of the last weeks, one every seven hours; the sum of their numbers is nought, and a second table has none."""
    began, kind = (
        datetime.now(UTC) - timedelta(hours=7 * LAST),
        "timestamptz" if request.param == "postgresql" else "datetime",
    )
    rows = []
    for number in range(LAST):
        at, value = began + timedelta(hours=7 * number), KINDS_OF[number * number % len(KINDS_OF)]
        closed = "null" if number % 4 == 0 else f"'{at + timedelta(days=number % 9):%Y-%m-%d %H:%M:%S}'"
        said = "null" if value is None else f"'{value}'"
        rows.append(
            f"({number + 1}, {said}, '{at:%Y-%m-%d %H:%M:%S}', '{at:%Y-%m-%d}', {closed}, {(-1) ** number * 5})"
        )
    made = [
        f"create table thing (id integer primary key, kind varchar(20), at {kind}, day date, closed {kind}, n integer, tags {TAGS[request.param]})",
        f"insert into thing (id, kind, at, day, closed, n) values {', '.join(rows)}",
        f"update thing set tags = '{'{a,b}' if request.param == 'postgresql' else 'a,b'}' where n > 0",
        f"create table hollow (id integer primary key, kind varchar(20), at {kind}, n integer)",
    ]
    with connected(request, pages, tmp_path, "counted", made) as found:
        yield found


def charts(source: str) -> list[dict[str, Any]]:
    """One of each, over the table of things."""
    of: dict[str, Any] = {"type": "chart", "collection": f"{source}.thing"}
    timed = of | {"chart": "time", "date": "at"}
    open_or_odd = ["record.n > 0", "record.kind == 'Open' || record.kind == 'open'"]
    made = [
        timed | {"period": "day", "last": 30},
        timed | {"period": "week", "last": 9, "by": "kind"},
        of | {"chart": "time", "date": "day", "period": "month", "last": 3, "where": ["record.n > 0"]},
        of | {"chart": "share", "by": "kind", "limit": 4},
        of | {"chart": "share", "by": "kind", "limit": 13},
        of | {"chart": "leaders", "by": "n", "where": ["input.large != true || record.n > 0"]},
        of | {"chart": "cohort", "date": "at", "then": "closed", "period": "week", "last": 5},
        of
        | {
            "chart": "funnel",
            "stages": [
                {"label": f"Stage {number}", "where": where}
                for number, where in enumerate(["record.id > 0", *open_or_odd])
            ],
        },
    ]
    return [{"id": f"c{number}", "title": f"Chart {number}"} | each for number, each in enumerate(made)]


def linked(part: str) -> list[tuple[str, int]]:
    """Every address in the tables of a page, and the number that stands with it: of its cell, else the sum of its row."""
    found = []
    for row in re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        hidden = [re.search(r"class=\"vh\">, (\d+)", cell) for cell in cells]
        plain = [re.sub(r"<[^>]+>", "", cell).strip().replace(",", "") for cell in cells]
        whole = int(plain[1]) if any(hidden) else sum(int(cell) for cell in plain[1:] if cell.isdigit())
        for place, cell in enumerate(cells):
            if (to := re.search(r'href="([^"]+)"', cell)) is not None:
                number = hidden[place]
                found.append(
                    (
                        html.unescape(to[1]),
                        whole if place == 0 else int(number[1] if number else plain[place]),
                    )
                )
    return found


def in_list(pages: "Pages", address: str) -> int:
    """How many records the list says it has."""
    page = pages.olivia.get(f"{address}&count=1")
    said = re.search(r"of ([\d,]+)", page.html.split('id="count"')[-1][:400])
    return int(said[1].replace(",", "")) if said else page.html.count("<tr data-record")


def test_more_groups_than_are_read_leave_no_period_and_no_record_out(
    counted: Odd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same page when fewer groups are read than there are: every number still leads to as many records."""
    pages, of = counted.pages, {"type": "chart", "collection": f"{counted.name}.thing", "by": "kind"}
    made = [
        of | {"id": "lines", "chart": "time", "date": "at", "period": "week", "last": 9},
        of
        | {
            "id": "sums",
            "chart": "time",
            "date": "at",
            "period": "week",
            "last": 9,
            "measure": "sum",
            "field": "id",
        },
        of | {"id": "share", "chart": "share", "limit": 3},
        of
        | {
            "id": "not_in",
            "chart": "leaders",
            "where": ["!(record.kind in ['Open', 'open'])", "!(record.kind == 'null')"],
        },
    ]
    publish({"format": 1, "id": "many", "title": "Many", "teams": ["operations"], "components": made})
    read = {
        name: [pages.olivia.get(f"/w/many/part/{name}", htmx=f"part-{name}").html]
        for name in ("lines", "sums", "share", "not_in")
    }
    for name, found in read.items():
        monkeypatch.setattr(grouped, "MOST_GROUPS", 5 if name == "share" else 13)
        found.append(pages.olivia.get(f"/w/many/part/{name}", htmx=f"part-{name}").html)
        if name != "not_in":
            assert sum(map(int, cells(found[0]))) == sum(map(int, cells(found[1]))), (
                name,
                "what is not drawn is in Other",
            )
        if name != "sums":
            links = linked(found[1])
            assert links, name
            assert [
                (told, there, address)
                for address, told in links
                if (there := in_list(pages, address)) != told
            ] == [], name
    assert ">Other<" in read["lines"][1]


def test_a_day_is_the_readers_in_lists_figures_and_the_records_behind_them(counted: Odd) -> None:
    pages, zone, of = counted.pages, "America/Los_Angeles", {"collection": f"{counted.name}.thing"}
    day = datetime.now(ZoneInfo(zone)).date() - timedelta(days=7)
    rows = records.page(f"{counted.name}.thing", unrestricted(f"{counted.name}.thing"), limit=200).rows
    days = [
        at and datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date()
        for at in (row.values["closed"] for row in rows)
    ]
    made: list[dict[str, Any]] = [{"id": "day", "type": "date", "name": "day", "label": "Day"}]
    for name, operator, turned in (
        ("e", "==", "=="),
        ("n", "!=", "!="),
        ("a", "<", ">"),
        ("b", "<=", ">="),
        ("c", ">", "<"),
        ("d", ">=", "<="),
    ):
        where = [f"record.closed {operator} input.day"]
        made += [
            of | {"id": f"list_{name}", "type": "collection", "where": where, "limit": 1},
            of
            | {
                "id": f"figure_{name}",
                "type": "metric",
                "where": [f"addDays(input.day, 0) {turned} record.closed"],
            },
            of | {"id": f"share_{name}", "type": "chart", "chart": "share", "by": "kind", "where": where},
        ]
    stages = [
        {"label": words, "where": words}
        for words in ("record.closed <= input.day", "record.closed >= input.day")
    ]
    made.append(of | {"id": "stages", "type": "chart", "chart": "funnel", "stages": stages})
    publish({"format": 1, "id": "days", "title": "Days", "teams": ["operations"], "components": made})
    pages.olivia.send(pages.olivia.get("/settings/me"), "/profile", zone=zone)

    def part(name: str) -> str:
        return pages.olivia.get(f"/w/days/part/{name}?day={day}", htmx=f"part-{name}").html

    for name, hold in {"e": eq, "n": ne, "a": lt, "b": le, "c": gt, "d": ge}.items():
        right = sum(name == "n" if each is None else hold(each, day) for each in days)
        figure, share, everything = (
            part(f"figure_{name}"),
            part(f"share_{name}"),
            re.search(r'href="(/c/[^"]+)"[^>]*>All<', part(f"list_{name}")),
        )
        assert re.search(rf">\s*{right}\s*<", figure), (name, right)
        assert everything is not None
        assert in_list(pages, html.unescape(everything[1])) == right, name
        assert sum(map(int, cells(share))) == right, name
        assert [
            (told, there, address)
            for address, told in linked(share)
            if (there := in_list(pages, address)) != told
        ] == [], name
    assert [told for _, told in linked(part("stages"))] == [
        sum(each is not None and each <= day for each in days),
        days.count(day),
    ]


def cells(part: str) -> list[str]:
    """The numbers of a table, without its heads."""
    plain = re.findall(r"<td[^>]*>(.*?)</td>", part, re.DOTALL)
    return [text for cell in plain if (text := re.sub(r"<[^>]+>|,", "", cell).strip()).isdigit()]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_every_number_of_every_chart_leads_to_as_many_records(counted: Odd, zone: str) -> None:
    pages, source = counted.pages, counted.name
    made = charts(source)
    hollow = [
        each | {"id": f"h{each['id']}", "collection": f"{source}.hollow", "date": "at", "by": "kind"}
        for each in made[:1] + made[3:4]
    ]
    nought = {
        "id": "zero",
        "type": "chart",
        "chart": "leaders",
        "by": "kind",
        "collection": f"{source}.thing",
        "measure": "sum",
        "field": "n",
    }
    several = [
        {"id": f"tags{number}", "type": "chart", "collection": f"{source}.thing", **more}
        for number, more in enumerate(
            [
                {"chart": "share", "by": "tags"},
                {"chart": "time", "date": "at", "by": "tags", "period": "week"},
            ]
        )
    ]
    large = {"id": "large", "type": "toggle", "name": "large", "label": "Large"}
    parts = [*made, *hollow, nought, *several, large]
    publish({"format": 1, "id": "figures", "title": "Figures", "teams": ["operations"], "components": parts})
    pages.olivia.send(pages.olivia.get("/settings/me"), "/profile", zone=zone)
    for each in made:
        part = pages.olivia.get(f"/w/figures/part/{each['id']}", htmx=f"part-{each['id']}").html
        links = linked(part)
        assert links, each
        wrong = [
            (address, told, there) for address, told in links if (there := in_list(pages, address)) != told
        ]
        assert wrong == [], each
    many = pages.olivia.get("/w/figures/part/c1", htmx="part-c1").html
    assert ">Other<" in many, "thirteen kinds do not fit: the rest is one line"
    assert (
        sum(number for _, number in linked(pages.olivia.get("/w/figures/part/c3", htmx="part-c3").html))
        == LAST
    ), "Other has its records"
    labels = re.findall(
        r'scope="row">(?:<a[^>]*>)?(.*?)<', pages.olivia.get("/w/figures/part/c4", htmx="part-c4").html
    )
    assert labels.count("Empty") == 1, "an empty text is nothing, as in lists"
    for each in several:
        assert re.search(
            "(?i)a, ?b", pages.olivia.get(f"/w/figures/part/{each['id']}", htmx=f"part-{each['id']}").text
        )
    for each in hollow:
        assert (
            "Nothing to show"
            in pages.olivia.get(f"/w/figures/part/{each['id']}", htmx=f"part-{each['id']}").text
        )
    assert "Nothing to show" not in pages.olivia.get("/w/figures/part/zero", htmx="part-zero").text


@pytest.fixture(params=KINDS)
def billed(request: Any, pages: "Pages", tmp_path: Path) -> Iterator[Odd]:
    """Bills in euros, fewer in yen, and one that names no currency."""
    rows = [
        f"({number + 1}, '{'abc'[number % 3]}', {100 * number + 5}, {('EUR', 'EUR', 'EUR', 'JPY')[number % 4]!r})"
        for number in range(40)
    ]
    made = [
        "create table bill (id integer primary key, kind varchar(20), amount_cents integer, currency char(3))",
        f"insert into bill values {', '.join(rows)}, (99, 'a', 700, null)",
    ]
    with connected(request, pages, tmp_path, "billed", made) as found:
        yield found


def test_a_chart_of_amounts_draws_one_currency_at_a_time_and_leads_to_its_records_alone(billed: Odd) -> None:
    pages, of = (
        billed.pages,
        {
            "type": "chart",
            "collection": f"{billed.name}.bill",
            "measure": "sum",
            "field": "amount_cents",
            "by": "kind",
        },
    )
    made = [
        of | {"id": "shares", "chart": "share", "limit": 1},
        of | {"id": "leaders", "chart": "leaders", "currency": "jpy"},
    ]
    publish({"format": 1, "id": "money", "title": "Money", "teams": ["operations"], "components": made})
    for name, given, here, sign, number in (
        ("shares", "", "EUR", "€", 30),
        ("shares", "?shares_currency=JPY", "JPY", "¥", 10),
        ("shares", "?shares_currency=-", "No currency", "7", 1),
        ("shares", "?shares_currency=ZZZ", "EUR", "€", 30),
        ("leaders", "", "JPY", "¥", 10),
    ):
        part = pages.olivia.get(f"/w/money/part/{name}{given}", htmx=f"part-{name}").html
        assert re.findall(rf"{name}_currency=([-A-Z]+)", part)[::2] == ["EUR", "JPY", "-"], (
            "each can be chosen, that of most records first"
        )
        assert re.findall(r'aria-current="page">([^<]+)</a>', part) == [here]
        words = "".join(re.findall(r'<td class="r"[^>]*>(.*?)</td>', part))
        assert {"€", "¥", sign} & set(words) == {sign}, (given, words)
        addresses = map(html.unescape, re.findall(r'<th scope="row"><a href="([^"]+)"', part))
        assert sum(in_list(pages, each) for each in addresses) == number, (name, given)


@pytest.mark.parametrize(
    "line",
    ["field:{0}.bill/currency, read, deny", "collection:{0}.bill, read, deny, record.currency == 'JPY'"],
)
def test_a_chart_offers_no_currency_that_its_reader_may_not_see(billed: Odd, line: str) -> None:
    pages, of = (
        billed.pages,
        {
            "type": "chart",
            "collection": f"{billed.name}.bill",
            "measure": "sum",
            "field": "amount_cents",
            "by": "kind",
        },
    )
    publish(
        {
            "format": 1,
            "id": "money",
            "title": "Money",
            "teams": ["operations"],
            "components": [of | {"id": "shares", "chart": "share"}],
        }
    )
    assert "JPY" in pages.olivia.get("/w/money/part/shares", htmx="part-shares").html
    with transaction() as connection:
        policy_store.write(connection, added=access.parse(f"p, role:operator, *, {line.format(billed.name)}"))
    access.refresh()
    for given in ("", "?shares_currency=JPY"):
        part = pages.olivia.get(f"/w/money/part/shares{given}", htmx="part-shares").html
        assert "JPY" not in part.replace("?shares_currency=JPY", ""), given
        assert "¥" not in part
    assert pages.stan.get("/w/money/part/shares", htmx="part-shares", status=404)
