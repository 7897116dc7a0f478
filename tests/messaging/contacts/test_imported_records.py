"""What an import added and what it changed is found again in the list, as long as the import is known."""

import json

import pytest

from console import browse
from console.browse import BrowseQuery
from console.core.errors import Malformed
from console.core.filters import IMPORTED
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from tests.company import Company
from tests.jobs import work_until_idle
from tests.messaging.contacts.test_opted_out_lines import club, given
from tests.messaging.contacts.test_tags import kinds
from tests.messaging.contacts.test_tags_of_lines import changing
from tests.views.test_contact_import import broken_at, kept

pytestmark = pytest.mark.slow

__all__ = ["club"]
TEXT = "name,email,stage,Tags\nZoë,zoe@post.example,new,\nSam Whitfield,sam@post.example,lost,\nAna Petrauskė,ana@post.example,new,vip\nBo,bo@post.example,new,\nKenji Morita,kenji@post.example,engaged,\n,odd@post.example,new,\n"
ADDED, CHANGED = IMPORTED


def listed(company: Company, name: str, import_id: object, op: str = "eq") -> list[str]:
    query = BrowseQuery(filter=json.dumps({"field": name, "op": op, "value": import_id}))
    return [row.key or "" for row in browse.page(company.olivia, "contact", query).rows]


def test_what_an_import_added_and_what_it_changed_are_lists(company: Company) -> None:
    first = import_batches.confirm(company.olivia, changing(company, TEXT).id)
    assert (first.new, first.changed, first.same, first.refused) == (2, 2, 1, 1)
    assert (listed(company, ADDED, first.id), listed(company, CHANGED, first.id)) == (["7", "8"], ["1", "2"])
    second = import_batches.confirm(
        company.olivia, kept(company, "name,email,stage\nMia,mia@post.example,new\n").id
    )
    assert (listed(company, ADDED, second.id), listed(company, CHANGED, second.id)) == (["9"], [])
    assert listed(company, ADDED, "imp_of_nobody") == []
    both = {
        "and": [{"field": ADDED, "op": "eq", "value": first.id}, {"field": "name", "op": "eq", "value": "Bo"}]
    }
    assert [
        row.key for row in browse.page(company.olivia, "contact", BrowseQuery(filter=json.dumps(both))).rows
    ] == ["8"]
    assert [
        row[0] is not None for row in fetch("select seen from console.import_record order by added, line")
    ] == [
        False,
        False,
        True,
        True,
        True,
    ]
    fetch("delete from console.enrolment_batch where id = %s returning 1", (first.id,))
    assert listed(company, ADDED, first.id) == [], "it goes with the import"


@pytest.mark.parametrize(
    ("op", "value"), [("ne", "imp_x"), ("eq", 7), ("eq", None), ("in", ["imp_x"]), ("eq", "a\x00b")]
)
def test_the_filter_takes_the_id_of_one_import(company: Company, op: str, value: object) -> None:
    with pytest.raises(Malformed, match="import_added"):
        listed(company, ADDED, value, op)


def test_a_process_that_died_has_kept_all_that_the_next_one_finds(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = changing(company, TEXT)
    broken_at(monkeypatch, "imports.tell.before", lambda: import_batches.confirm(company.olivia, looked.id))
    work_until_idle({jobs.IMPORT})
    ident = f"{looked.id}_do"
    assert sorted(listed(company, ADDED, ident) + listed(company, CHANGED, ident)) == ["1", "2", "7", "8"]


CONSENTS = "name,email,phone,stage,sms consent,consent source,consent date,Tags\nBo,bo@post.example,+46701234567,new,yes,fair,2026-05-01,vip\nSam Whitfield,sam@post.example,,lost,,,,\n"


@pytest.mark.parametrize("point", ["imports.consents.before", "imports.tell.before"])
def test_who_was_added_when_a_process_died_is_new_also_where_those_who_are_there_get_what_the_file_says(
    company: Company, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    looked = changing(company, CONSENTS)
    assert (looked.new, looked.changed, looked.consents) == (1, 1, 1)
    broken_at(monkeypatch, point, lambda: import_batches.confirm(company.olivia, looked.id))
    work_until_idle({jobs.IMPORT})
    done = import_batches.get(company.olivia, f"{looked.id}_do")
    assert (done.new, done.changed, done.consents, done.tags) == (1, 1, 1, 1)
    assert (listed(company, ADDED, done.id), listed(company, CHANGED, done.id)) == (["7"], ["1"])
    assert len(kinds("record_changed")) == 3, "the contact, the consent and the one that was changed"
    assert given("7") == {"sms"}
