"""An import that is taken back: what it added and nothing has touched since is deleted, after it was looked at; all else stays and says why."""

import sqlite3
from contextlib import closing

import pytest

from console import browse, runs
from console.actions import bulk, many_changes, untouched_records
from console.activity import sequencing
from console.auth import access
from console.browse import tags
from console.core.errors import Invalid, NotAllowed
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from console.messaging.imports.import_batches import Import
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.contacts.test_opted_out_lines import club
from tests.messaging.contacts.test_tags import flow, kinds, named
from tests.messaging.contacts.test_tags_of_lines import changing

__all__ = ["club"]

pytestmark = pytest.mark.lengthy
PEOPLE = ("Zoë", "Bo", "Mia", "Lea", "Ida", "Jo")
TEXT = "name,email,stage,Tags\nSam Whitfield,sam@post.example,lost,\n" + "".join(
    f"{name},{name.lower()}@post.example,new,fair\n" for name in PEOPLE
)


@pytest.fixture(name="done")
def fixture_done(company: Company) -> Import:
    """Seven to twelve were added, and one was changed."""
    access.grant("operator", "collection:contact", ["delete"], team="operations")
    return import_batches.confirm(company.olivia, changing(company, TEXT).id)


def looked(company: Company, done: Import) -> bulk.Bulk:
    bulk_id = bulk.look_at_import(company.olivia, "contact", done.id)
    work_until_idle({jobs.BULK})
    return bulk.get(company.olivia, bulk_id)


def names(company: Company) -> set[str]:
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        return {row[0] for row in connection.execute("select name from contact where id >= 7")}


def test_what_nothing_has_touched_goes_and_the_rest_says_why_it_stays(company: Company, done: Import) -> None:
    assert done.new == 6
    browse.change(company.olivia, "contact", "7", {"stage": "engaged"}, {"stage": "new"})
    tags.put(company.olivia, "contact", ["8"], "vip")
    flow(company, ("add_tag", {"tag": "fair"}))
    runs.start(company.olivia, "tagging", "contact", "9", {})
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection, connection:
        connection.execute("update contact set worth = 7 where id = 10")
    sequencing.catch_up()
    found = looked(company, done)
    assert {item.key: item.why for item in found.items if item.state == bulk.REFUSED} == {
        "7": untouched_records.REASONS["event"],
        "8": untouched_records.REASONS["event"],
        "9": untouched_records.REASONS["run"],
        "10": untouched_records.CHANGED,
    }
    assert (found.count(bulk.FITS), found.looking, names(company)) == (2, True, set(PEOPLE)), (
        "nothing is deleted by looking"
    )
    bulk.confirm(company.olivia, found.id)
    browse.change(company.olivia, "contact", "11", {"stage": "lost"}, {"stage": "new"})
    work_until_idle({jobs.BULK})
    ended = bulk.get(company.olivia, found.id)
    assert ended.counts == {"done": 1, "refused": 5}
    assert next(item.why for item in ended.items if item.key == "11") == many_changes.MOVED
    assert names(company) == {"Zoë", "Bo", "Mia", "Lea", "Ida"}
    assert len(kinds("records_changed")) == 1
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        assert connection.execute("select stage from contact where id = 1").fetchall() == [("lost",)], (
            "what it changed stays changed"
        )


def test_what_is_tagged_after_the_look_stays(company: Company, done: Import) -> None:
    found = looked(company, done)
    assert found.count(bulk.FITS) == 6
    bulk.confirm(company.olivia, found.id)
    tags.put(company.olivia, "contact", ["12"], "vip")
    sequencing.catch_up()
    work_until_idle({jobs.BULK})
    assert bulk.get(company.olivia, found.id).counts == {"done": 5, "refused": 1}
    assert names(company) == {"Jo"}
    with pytest.raises(Invalid, match="nothing"):
        bulk.look_at_import(company.olivia, "contact", "imp_of_nobody")


def test_what_is_kept_from_others_is_told_as_something_that_was_done(company: Company, done: Import) -> None:
    flow(company, ("add_tag", {"tag": "fair"}))
    run_id = runs.start(company.olivia, "tagging", "contact", "9", {})
    fetch("update console.run set label = 'confidential' where id = %s returning 1", (run_id,))
    whys = {item.key: item.why for item in looked(company, done).items}
    assert whys["9"] == "Something was done with it since it was imported."


def test_who_may_not_delete_takes_nothing_back(company: Company) -> None:
    done = import_batches.confirm(company.olivia, changing(company, TEXT).id)
    with pytest.raises(NotAllowed):
        bulk.look_at_import(company.olivia, "contact", done.id)


def test_a_key_that_is_given_again_is_not_that_of_the_import(company: Company, done: Import) -> None:
    fetch("update console.import_record set record = '999' where line = 8 returning 1")
    collection = browse.browsed_collection(company.olivia, "contact")[0]
    assert untouched_records.why_touched(collection, done.id, {"12": "x"}) == {
        "12": untouched_records.STRANGE
    }


def test_tags_go_with_a_record_so_that_the_next_one_with_its_key_has_none(
    company: Company, done: Import
) -> None:
    bulk.confirm(company.olivia, looked(company, done).id)
    work_until_idle({jobs.BULK})
    assert (names(company), fetch("select count(*) from console.record_tag")) == (set(), [(0,)])
    again = import_batches.confirm(company.olivia, changing(company, TEXT.replace(",fair", ",other")).id)
    assert (again.new, again.tags, named(company, "7")) == (6, 6, ["other"])


CASCADE = """
alter table consent rename to former;
create table consent (id integer primary key, contact_id integer not null references contact (id) on delete cascade, channel text not null, state text not null, source text, text_version text, at text not null);
insert into consent select * from former;
drop table former;
"""


def test_what_the_database_would_delete_with_it_keeps_it_unless_the_import_brought_that_too(
    company: Company,
) -> None:
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        connection.executescript(CASCADE)
    access.grant("operator", "collection:contact", ["delete"], team="operations")
    head = "name,email,phone,stage,sms consent,consent source,consent date\n"
    lines = "Bo,bo@post.example,+46701234567,new,yes,fair,2026-05-01\nMia,mia@post.example,+46701234568,new,yes,fair,2026-05-01\n"
    done = import_batches.confirm(company.olivia, changing(company, head + lines).id)
    assert done.consents == 2
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection, connection:
        connection.execute(
            "insert into consent (contact_id, channel, state, at) values (8, 'sms', 'withdrawn', '2026-06-01T10:00:00Z')"
        )
    sequencing.catch_up()
    found = looked(company, done)
    assert {item.key: item.why for item in found.items} == {
        "7": "",
        "8": untouched_records.FOLLOWED.format("Consents"),
    }
    bulk.confirm(company.olivia, found.id)
    work_until_idle({jobs.BULK})
    assert names(company) == {"Mia"}, "who withdrew is not forgotten"


def test_consents_that_came_with_it_go_first_where_the_database_asks_for_that(company: Company) -> None:
    access.grant("operator", "collection:contact", ["delete"], team="operations")
    head = "name,email,phone,stage,sms consent,consent source,consent date\n"
    lines = "Bo,bo@post.example,+46701234567,new,yes,fair,2026-05-01\nMia,mia@post.example,+46701234568,new,yes,fair,2026-05-01\n"
    done = import_batches.confirm(company.olivia, changing(company, head + lines).id)
    sequencing.catch_up()
    assert {item.why for item in looked(company, done).items} == {
        "Consents came with it, which you may not delete."
    }
    access.grant("operator", "collection:consent", ["delete"], team="operations")
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection, connection:
        connection.execute(
            "insert into consent (contact_id, channel, state, at) values (8, 'sms', 'withdrawn', '2026-06-01T10:00:00Z')"
        )
    found = looked(company, done)
    assert {item.key: item.why for item in found.items} == {
        "7": "",
        "8": "It cannot be deleted while records of Consents refer to it (2).",
    }
    bulk.confirm(company.olivia, found.id)
    work_until_idle({jobs.BULK})
    assert names(company) == {"Mia"}, "who withdrew is not forgotten"
    with closing(sqlite3.connect(company.path.with_name("club.db"))) as connection:
        assert connection.execute("select count(*) from consent where contact_id >= 7").fetchall() == [(2,)]
