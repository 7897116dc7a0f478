"""A CSV file whose lines PostgreSQL wrote is to the letter the file that Python makes of the same records."""

from collections.abc import Iterator

import pytest

from console import accounts, records, sources
from console.activity.exports import FORMULA
from console.browse import BrowseQuery, list_export, list_tables, naming
from console.core.actor import Actor
from console.errors import NotAllowed
from console.formats import Look
from console.postgres import Embedded
from console.records import Reach, connect
from tests.company import WORKING

FIELDS = {
    "kind": {"label": "Kind", "options": [{"value": "a", "label": "=First"}, {"value": "b", "label": "Second, or so"}]},
    "land": {"widget": "country"},
    "spot": {"widget": "zone"},
    "plain": {"widget": "plain"},
    "share": {"widget": "percent"},
    "state": {"widget": "badge"},
    "price": {"widget": "money", "currency": "EUR"},
    "cents": {"widget": "money", "currency": "JPY", "minor": True},
    "minor": {"widget": "money", "currency": "USD", "minor": True},
}
THING = """
create table maker (code text primary key, name text, mark uuid);
insert into maker values ('m/1', '=Maker, one', '003ede56-9e09-40dd-b581-cd84a075e150'), ('m2', ' ', null), ('m3', null, null);
create type colour as enum ('red', 'dark_green', 'Blue');
create table thing (id bigint primary key, first text, last varchar(80), kind text, land char(2), plain int, share int, price numeric(20, 2), cents bigint,
    minor bigint, small smallint, big bigint, exact numeric(14, 4), loose numeric, yes boolean, born date, seen timestamptz, here timestamp, opens time,
    ref uuid, grid int[], tags text[], colour colour, state text, maker text references maker, spot text);
insert into thing select n, (array['Ada', '', ' ', null, '=2+2', '+1', '-1', '@x', e'tab\\t', e'\\tt', 'a "q", b', e'line\\r\\nbreak', '＝wide', 'run_x', 'émile'])[n % 15 + 1],
    (array['Love, lace', null, '', 'O''Neil', e'\\u00a0nbsp\\u2003'])[n % 5 + 1], (array['a', 'b', null])[n % 3 + 1], (array['DE', 'GB', 'XX', null, 'fr'])[n % 5 + 1],
    (n - 20) * 777, n % 140 - 20, (n - 30) * 1234.56, (n - 9) * 3456, (n - 12) * 12345678901, n - 20, (n - 25) * 1000003 * power(10, n % 8)::bigint,
    (n - 10) * 333.3333, case n % 4 when 0 then n / 7.0 when 1 then n * 100000 when 2 then -0.5 end, (array[true, false, null])[n % 3 + 1],
    date '0999-12-28' + n * 4000, timestamptz '1970-02-01 23:59:59.9Z' + n * interval '97 days 7 hours', timestamp '1999-12-31 23:30' + n * interval '30 days', time '00:00' + n * interval '1001 seconds',
    md5(n::text)::uuid, array[n], (array['{a,"b, c"}', '{}', null, '{=2+2,x}', '{a''b,run_x}', '{dark_green,Blue}', '{-1}'])[n % 7 + 1]::text[], (array['red', 'dark_green', 'Blue', null])[n % 4 + 1]::colour, (array['paid', 'On hold', '=x', '', null, 'on hold', 'e-mail', 'fällig', 'ärger', 'a,b', e'a\\u00a0b', 'x1 ', 'iPad'])[n % 13 + 1], (array['m/1', null])[n % 2 + 1], (array['America/New_York', 'Europe/Vilnius', 'UTC', null, 'soon'])[n % 5 + 1] from generate_series(1, 60) n;
"""


@pytest.fixture(scope="module")
def thing_url(pg: Embedded) -> Iterator[str]:
    pg.drop_database("things")
    pg.sql("create database things")
    pg.sql(THING, database="things")
    yield pg.url("postgres", "things")
    connect.dispose()
    pg.drop_database("things")


@pytest.fixture(scope="module")
def ines(database: object, thing_url: str) -> Actor:
    document = {
        "id": "t.thing", "source": "t", "table": "thing", "title": "{{ record.first }} {{ record.last }}", "fields": FIELDS,
    }  # fmt: skip
    sources.add(
        "t",
        thing_url,
        documents=[document, {"id": "t.maker", "source": "t", "table": "maker", "title": "{{ record.name }} {{ record.mark }}"}],
        may={"admin": WORKING},
    )
    person = accounts.create_person(
        "ines@example.com", role="admin", team="admin", name="Ines", password="a long enough test password"
    ).person
    return accounts.actor_of_person(person.id, "sys:test")


def both(actor: Actor, look: Look, query: BrowseQuery) -> tuple[bytes, bytes]:
    export = list_export.judged(actor, "t.thing", query)
    lines = export.lines(look, FORMULA)
    assert lines is not None
    return b"".join(lines), b"".join(list_tables.csv_parts(export, look))


@pytest.mark.parametrize(
    ("locale", "zone"),
    [("en", "Europe/London"), ("de", "America/New_York"), ("es", "UTC")],
)
def test_both_ways_write_the_same_file(ines: Actor, locale: str, zone: str) -> None:
    every = ("id", "first", "last", "kind", "land", "spot", "plain", "share", "price", "cents", "minor", "small", "big", "exact", "loose", "yes", "born", "seen", "here", "opens", "ref", "tags", "colour", "state", "maker")  # fmt: skip
    for query in (BrowseQuery(fields=every), BrowseQuery(fields=every, sort="-last", q="a")):
        quick, slow = both(ines, Look(locale, zone), query)
        for one, other in zip(quick.split(b"\r\n"), slow.split(b"\r\n"), strict=True):
            assert one == other
        assert slow.count(b"\r\n") > 3


class Written:
    """A file in memory."""

    whole, again = b"", 0

    def write(self, data: bytes) -> None:
        self.whole += data

    def begin_again(self) -> None:
        self.whole, self.again = b"", self.again + 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first", "run_0123456789abcdefghijklmn"), ("kind", "neither"), ("land", "- "), ("born", "infinity"), ("born", "0044-03-15 BC"), ("seen", "infinity"),
        ("seen", "9999-12-31"), ("tags", "{a,null}"), ("tags", "{{a},{b}}"), ("tags", "{run_0123456789abcdefghijklmn,x}"), ("tags", '{a,""}'), ("loose", "NaN"), ("loose", "1e30"), ("exact", "NaN"), ("state", "in_progress"), ("id", "-3"),
    ],
)  # fmt: skip
def test_a_value_that_only_python_can_word_makes_all_of_it_the_other_way(ines: Actor, pg: Embedded, field: str, value: str) -> None:
    look, at = Look("en", "Europe/Berlin"), "-3" if field == "id" else "61"
    pg.sql(f"insert into thing (id, {field}) values ({at}, '{value}')" if field != "id" else "insert into thing (id) values (-3)", "things")
    try:
        export = list_export.judged(ines, "t.thing", BrowseQuery(fields=(field,)))
        with pytest.raises(records.Unsayable):
            list(export.lines(look, FORMULA) or ())
        file = Written()
        list_tables.write_csv(export, look, file, lambda _: None)
        assert file.whole.endswith(b"".join(list_tables.csv_parts(export, look)))
        assert file.again == 1
    finally:
        pg.sql(f"delete from thing where id = {at}", "things")


def test_days_and_moments_are_such_for_a_spreadsheet(ines: Actor) -> None:
    look = Look("de", "America/New_York")
    for part in both(ines, look, BrowseQuery(fields=("born", "seen"), limit=1)):
        assert part.split(b"\r\n")[0].endswith(b",1010-12-11,1970-05-10 02:59:59")


def test_a_list_with_a_field_that_only_python_can_word_is_made_by_python(ines: Actor) -> None:
    export = list_export.judged(ines, "t.thing", BrowseQuery(fields=("id", "grid")))
    assert export.lines(Look(), FORMULA) is None


def test_rights_withdrawn_in_the_middle_end_the_quick_way_too(ines: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_export, "PAGE", 7)
    export = list_export.judged(ines, "t.thing", BrowseQuery(fields=("id", "maker")))
    lines = export.lines(Look(), FORMULA)
    assert lines is not None
    assert next(lines).count(b"\r\n") == 7
    real = naming.reach
    monkeypatch.setattr(naming, "reach", lambda actor, target: Reach(None, real(actor, target).absent))  # type: ignore[union-attr]
    with pytest.raises(NotAllowed):
        next(lines)
