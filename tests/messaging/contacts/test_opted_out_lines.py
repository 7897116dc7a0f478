"""Who opted out by a file is reached no more: whatever the order of its lines, whatever else becomes of them, and whoever else has the address."""

import io
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from console import records, sources
from console.auth import access
from console.infra.db.engine import fetch
from console.messaging import contacts
from console.messaging.imports import import_batches, imports, opted_out_lines
from console.messaging.imports.import_batches import Import
from console.messaging.imports.lines_before import lines_before
from console.messaging.messages import opting_out, recipients
from tests.company import Company
from tests.support.contact_club import found_club
from tests.support.contact_lists import chosen
from tests.tables import cases

pytestmark = pytest.mark.slow

HEAD = "name,email,phone,stage,sms consent,consent source,consent date,unsubscribed\n"
BO = "Bo,bo@post.example,+46 70 123 45 67,new,yes,fair,2026-05-01,\n"
BO_OUT = "Bo,BO@post.example,,new,,,,yes\n"


@pytest.fixture(autouse=True)
def club(company: Company) -> None:
    found_club(company)
    access.grant("operator", "collection:contact", ["create"], team="operations")
    access.grant("operator", "collection:consent", ["create"], team="operations")


def imported(company: Company, text: str, *, preview: bool = False) -> Import:
    found = chosen(
        company.olivia,
        import_batches.keep(company.olivia, "contact", io.BytesIO(text.encode()), "C:\\lists\\may.csv"),
    )
    return found if preview else import_batches.confirm(company.olivia, found.id)


def given(key: str) -> set[str]:
    return {
        channel for channel, consent in recipients.contact_at("contact", key).consent.items() if consent.given
    }


def told() -> list[Any]:
    bodies = [
        json.loads(row[0])
        for row in fetch(
            "select convert_from(body, 'UTF8') from console.event where body is not null order by id"
        )
    ]
    return [
        (each["target"]["key"], each["data"]["open"])
        for each in bodies
        if each["type"] == "consent_withdrawn"
    ]


@cases(
    "lines",
    [
        BO + BO_OUT,
        BO_OUT + BO,
        BO.replace(",\n", ",yes\n"),
        BO + "Bo,bo@post.example,,new,opted out,fair,2026-05-01,\n",
        BO + "Bo,bo@post.example,,new,no,fair,2026-05-01,\n",
        BO + "Office,office@post.example,0046 701234567,new,,,,yes\n",
        "Office,office@post.example,+46701234567,new,,,,yes\n" + BO,
        ",,+46701234567,,,,,yes\n" + BO,
    ],
)
def test_no_line_of_a_file_gives_a_consent_that_another_takes_back(
    company: Company, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 1)
    assert imported(company, HEAD + lines, preview=True).consents == 0
    done = imported(company, HEAD + lines)
    assert (done.status, done.consents, done.withdrawn) == ("done", 0, 0)
    assert all(not given(key) for key in contacts.known_contacts("contact", ["7", "8"]))


def test_what_lacks_in_some_lines_is_not_said_of_all(company: Company) -> None:
    lines = "Bo,bo@post.example,,new,yes,,2026-05-01,\nMia,mia@post.example,,new,yes,fair,2026-05-01,\n"
    told = import_batches.refused(imported(company, HEAD + lines, preview=True).id)
    assert told == [
        (
            2,
            [
                "Of the consent source must be known: fill it in on this page for the lines that lack it, or in the file."
            ],
        )
    ]


def test_who_is_there_already_is_reached_no_more_and_the_preview_says_how_many(company: Company) -> None:
    lines = "Sam,SAM@post.example,,new,,,,2026-03-01\nBram,,,engaged,,,,no\nAna,ana@post.example,,new,,,,1\nKenji,kenji@post.example,,new,yes,fair,2026-05-01,\n"
    assert given("1") == {"call", "email"}
    looked = imported(company, HEAD + lines, preview=True)
    assert (looked.opted_out, looked.withdrawn, looked.new, looked.consents) == (2, 1, 1, 0)
    assert given("1") == {"call", "email"}, "a preview changes nothing"
    done = import_batches.confirm(company.olivia, looked.id)
    assert (done.opted_out, done.withdrawn) == (2, 1)
    assert given("1") == set()
    reasons = dict(import_batches.refused(done.id))
    assert reasons[2] == ["Somebody with this Email is there already.", opted_out_lines.NOTED]
    assert [(key, sorted(open_data["channels"]), open_data["source"]) for key, open_data in told()] == [
        ("1", ["ai_call", "call", "email"], f"file {done.id}"),
        ("2", ["ai_call", "call", "email"], f"file {done.id}"),
    ]
    assert {row[0] for row in fetch("select source from console.opt_out")} == {"file may.csv"}
    bars = fetch("select count(*) from console.opt_out")
    again = imported(company, HEAD + lines)
    assert (again.withdrawn, len(told()), fetch("select count(*) from console.opt_out")) == (0, 2, bars), (
        "sent again it takes back nothing anew"
    )


def test_a_plain_no_takes_back_a_consent_only_where_whoever_imports_says_so_and_the_preview_counts_it(
    company: Company,
) -> None:
    text = "name,email,call consent\nSam,sam@post.example,no\nAna,ana@post.example,\n"
    looked = imported(company, text, preview=True)
    assert (looked.place["said_no"], looked.opted_out, looked.withdrawn) == (1, 0, 0)
    asked = replace(looked.question, same={**looked.question.same, imports.NO_TAKES_BACK: True})
    again = import_batches.look_again(company.olivia, looked.id, asked)
    assert (again.place["said_no"], again.opted_out, again.withdrawn, given("1")) == (
        0,
        1,
        1,
        {"call", "email"},
    )
    import_batches.confirm(company.olivia, again.id)
    assert given("1") == {"email"}
    assert [(key, sorted(open_data["channels"])) for key, open_data in told()] == [("1", ["ai_call", "call"])]


@cases(
    ("columns", "cells", "stays"),
    [
        ("unsubscribed at", "2026-01-10", {"call", "email"}),
        ("unsubscribed at", "2026-01-11", {"email"}),
        ("unsubscribed at", "2026-01-11T09:00:00Z", {"call", "email"}),
        ("unsubscribed at", "yes", set()),
        ("unsubscribed at", "01/02/2026", set()),
        ("unsubscribed at", "13/01/2026", {"email"}),
        ("do not contact,unsubscribed at", "yes,2026-01-10", set()),
        ("call consent,unsubscribed at", "unsubscribed,2026-01-10", {"email"}),
    ],
)
def test_a_consent_that_was_given_after_the_day_of_an_opt_out_stays(
    company: Company, columns: str, cells: str, stays: set[str]
) -> None:
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as clubs, clubs:
        [key] = next(
            clubs.execute(
                "insert into contact (name, stage, email, news, news_at) values ('Al', 'new', ?, 'yes', '2026-02-01') returning id",
                (f"al@{abs(hash((columns, cells)))}.example",),
            )
        )
        clubs.execute(
            "insert into consent select id + ?, ?, channel, state, source, text_version, at from consent where id = 2",
            (key * 10, key),
        )
        [mail] = next(clubs.execute("select email from contact where id = ?", (key,)))
    text = f"name,email,{columns}\nAl,{mail},{cells}\n"
    looked = imported(company, text, preview=True)
    assert (looked.opted_out, looked.withdrawn, looked.place["agreed_again"]) == (
        1,
        int(len(stays) < 2),
        int(bool(stays)),
    )
    import_batches.confirm(company.olivia, looked.id)
    assert given(str(key)) == stays
    imported(company, text)
    assert given(str(key)) == stays, "sent again it takes back no more"


@cases(
    "lines",
    [
        "Bo,bo@one.example,,new,yes,fair,2026-05-01,2026-03-01\n",
        "Bo,bo@two.example,,new,yes,fair,2026-05-01,\nBo,BO@two.example,,new,,,,2026-03-01\n",
        "Bo,BO@three.example,,new,,,,2026-03-01\nEva,bo@three.example,,new,yes,fair,2026-05-01,2026-02-01\n",
    ],
)
def test_a_file_that_says_when_they_opted_out_gives_only_newer_consents(
    company: Company, monkeypatch: pytest.MonkeyPatch, lines: str
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 1)
    head, newer = HEAD.replace("unsubscribed", "unsubscribed at"), int(lines.startswith("Bo,bo"))
    done = imported(company, head + lines)
    assert (done.consents, done.withdrawn) == (newer, 0)
    everyone = contacts.known_contacts("contact", [str(key) for key in range(7, 30)])
    [bo] = [key for key, contact in everyone.items() if (contact.email or "").lower() in lines.lower()]
    assert given(bo) == ({"sms"} if newer else set())
    older = lines.lower().replace("2026-03-01", "2026-06-01").replace("bo@", "ann@")
    assert imported(company, head + older).consents == 0


def test_whoever_gets_the_address_later_is_not_reached_there_and_two_who_have_it_are_both_out(
    company: Company,
) -> None:
    imported(
        company, HEAD + "Lea,lea@post.example,+4917100000,new,,,,\nLeo,leo@post.example,+4917100000,new,,,,\n"
    )
    done = imported(company, "phone,sms opt out\n+4917100000,x\n+4917199999,x\n0171 5,x\n")
    assert (done.status, done.new, done.opted_out) == ("done", 0, 2)
    assert [reasons[-1] for _, reasons in import_batches.refused(done.id)] == [opted_out_lines.NOTED] * 2 + [
        opted_out_lines.NOBODY
    ]
    assert sorted(key for key, _ in told()) == ["7", "8"], "by a number that two have"
    late = "Mia,mia@post.example,+4917199999,new,yes,fair,2026-05-01,\n"
    assert imported(company, HEAD + late).consents == 1
    assert given("9") == set(), "the number was barred before they were there"


def test_who_may_not_change_a_contact_is_told_that_its_opt_out_is_not_noted(company: Company) -> None:
    access.grant("reviewer", "collection:contact", ["create"], team="operations")
    text = HEAD + "Sam,sam@post.example,,new,,,,yes\nNew,new@post.example,,new,,,,yes\n"
    done = import_batches.confirm(
        company.rosa,
        chosen(company.rosa, import_batches.keep(company.rosa, "contact", io.BytesIO(text.encode()))).id,
    )
    assert (done.new, done.opted_out) == (1, 1)
    assert dict(import_batches.refused(done.id))[2][-1] == opted_out_lines.NOT_NOTED
    assert given("1") == {"call", "email"}
    assert [key for key, _ in told()] == ["7"]


def test_looking_for_opt_outs_is_gone_on_with_where_it_stopped(
    company: Company, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(imports, "AT_ONCE", 2)
    looked = imported(company, HEAD + BO * 5 + BO_OUT, preview=True)
    plan, turns = imports.plan(company.olivia, "contact", looked.question), count()
    with lines_before(tmp_path / "lines", b"x" * 32) as before:
        while not opted_out_lines.look_through(plan, company.olivia.id, before, lambda: next(turns) % 2 == 1):
            assert before.looked_through
        assert (before.looked_through, next(turns)) == (None, 5)
        assert before.refusals(["email bo@post.example", "email other"]) == {
            "email bo@post.example": {"email": True}
        }
        moment = datetime(2026, 3, 1, tzinfo=UTC)
        before.note_refusals(
            [
                ("a", "sms", True, moment),
                ("a", "sms", True, moment - timedelta(days=9)),
                ("a", "call", True, None),
            ],
            1,
        )
        assert (before.dated_opt_outs(["a", "b"]), before.refusals(["a"])) == (
            {"a": {"sms": moment}},
            {"a": {"call": True}},
        )


def rebuilt(company: Company, columns: str, rows: str) -> None:
    """The club's table of consents with other columns."""
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.executescript(
            f"drop table consent; create table consent (id integer primary key, {columns}); {rows}"
        )
    sources.refresh("club")


def test_what_a_file_takes_back_is_written_to_the_row_by_which_it_stood(company: Company) -> None:
    columns = "contact_id integer not null references contact (id), channel text not null, state text not null, basis text not null, source text, at text not null, withdrawn_at text"
    rebuilt(
        company,
        columns,
        "insert into consent values (1, 1, 'sms', 'given', 'opt_in', 'web form', '2026-01-10T10:00:00Z', null), (2, 1, 'call', 'given', 'opt_in', 'web form', '2026-01-10T10:00:00Z', null)",
    )
    imported(company, "email,sms opt out\nsam@post.example,yes\n")
    assert opting_out.write_left() == 1
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        rows = connection.execute(
            "select id, state, basis, withdrawn_at is not null from consent order by id"
        ).fetchall()
    assert rows == [(1, "given", "opt_in", 1), (2, "given", "opt_in", 0)], (
        "no row is added, and the other channel stays"
    )
    assert given("1") == {"call", "email"}


def test_rows_that_are_only_added_get_one_more(company: Company) -> None:
    columns = "contact_id integer not null references contact (id), channel text not null, state text not null, source text, at text not null, withdrawn_at text"
    never = "create trigger never before update on consent begin select raise(abort, 'consents are only added'); end;"
    rebuilt(
        company,
        columns,
        f"insert into consent values (1, 1, 'sms', 'given', 'web form', '2026-01-10T10:00:00Z', null); {never}",
    )
    imported(company, "email,sms opt out\nsam@post.example,yes\n")
    assert opting_out.write_left() == 1
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        rows = connection.execute(
            "select state, withdrawn_at is not null from consent order by id"
        ).fetchall()
    assert rows == [("given", 0), ("withdrawn", 1)]


def test_where_it_cannot_be_written_the_preview_says_so(company: Company) -> None:
    assert opting_out.not_written(records.collection("contact")) == []
    columns = "contact_id integer not null references contact (id), channel text not null, state text not null, basis text not null, text_version text not null, at text not null"
    rebuilt(company, columns, "")
    [said] = opting_out.not_written(records.collection("contact"))
    assert said.startswith("It is written to Consents of who has an entry there")
    assert said.endswith("because a new entry needs Basis and Text version.")


def test_a_number_at_which_nobody_is_reached_is_named_in_the_preview(company: Company) -> None:
    looked = imported(
        company,
        "name,phone,country,stage\nBo,12,SE,new\nCai,070 123 45 67,SE,new\nDo,070 123 45 68,,new\nEa,,,new\n",
        preview=True,
    )
    assert (looked.new, looked.place["unreachable"]) == (4, {"lines": 2, "some": ["12", "070 123 45 68"]})


def test_what_is_nobodys_number_makes_no_two_lines_one_person(company: Company) -> None:
    out = "Out,out@post.example,{phone},new,,,,yes\n"
    for phone in ("12", '"4,91512E+11"', "0000"):
        line = f"Bo,bo{len(phone)}@post.example,{phone},new,yes,fair,2026-05-01,\n"
        looked = imported(company, HEAD + out.format(phone=phone) + line, preview=True)
        assert looked.opted_out == 1, phone
