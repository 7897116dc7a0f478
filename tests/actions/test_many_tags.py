"""A tag put on many records of a list and taken away again: looked at first, hundreds in one transaction, none done twice."""

import pytest

from console.actions import bulk, many_changes, many_tags
from console.actions.many_changes import PUT_TAG, TAKE_TAG, ManyChanges
from console.activity import sequencing
from console.auth import access
from console.automation import triggers
from console.browse import BrowseQuery, tags
from console.core.errors import NotFound
from console.core.tag_names import MOST_ON_RECORD
from console.infra import jobs
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches
from console.work import notices
from tests.automation.triggers.test_triggers import house, publish, told
from tests.company import Company
from tests.jobs import do, work_until_idle
from tests.messaging.contacts.test_opted_out_lines import club
from tests.messaging.contacts.test_tags import kinds, named
from tests.views.test_contact_import import kept

__all__ = ["club", "house"]


@pytest.fixture(autouse=True)
def _to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One go of a job ends only when all is done, however slow the machine is."""
    monkeypatch.setattr(bulk, "IN_ONE_GO_S", 600.0)


def looked(
    company: Company, deed: str, *keys: str, whole: BrowseQuery | None = None, tag: str = "VIP"
) -> str:
    """What was looked at, of which nothing is done yet."""
    bulk_id = bulk.look(company.olivia, "contact", ManyChanges(deed), keys, whole, {many_tags.TAG: tag})
    work_until_idle({jobs.BULK})
    return bulk_id


def done(company: Company, bulk_id: str) -> dict[str, int]:
    """State → how many records, after it was confirmed and done."""
    bulk.confirm(company.olivia, bulk_id)
    work_until_idle({jobs.BULK})
    return dict(bulk.get(company.olivia, bulk_id).counts)


def states(company: Company, bulk_id: str) -> dict[str, tuple[str, str]]:
    return {item.key: (item.state, item.why) for item in bulk.get(company.olivia, bulk_id).items}


def several(company: Company, number: int) -> None:
    """So many contacts more."""
    body = "".join(f"N {each},n{each}@post.example,new\n" for each in range(number))
    assert import_batches.confirm(company.olivia, kept(company, f"name,email,stage\n{body}").id).new == number


@pytest.mark.usefixtures("club")
def test_records_are_looked_at_and_none_is_tagged_until_it_is_confirmed(company: Company) -> None:
    tags.put(company.olivia, "contact", ["2"], "vip")
    for number in range(MOST_ON_RECORD):
        tags.put(company.olivia, "contact", ["3"], f"tag {number}")
    before = len(kinds("tag_added"))
    bulk_id = looked(company, PUT_TAG, "1", "2", "3", "4")
    told_of = states(company, bulk_id)
    assert (told_of["1"], told_of["2"], told_of["3"]) == (
        (bulk.FITS, ""),
        (bulk.SAME, ""),
        (bulk.REFUSED, many_tags.FULL),
    )
    assert named(company, "1") == []
    with pytest.raises(NotFound):
        bulk.confirm(company.mona, bulk_id)
    assert done(company, bulk_id) == {"done": 2, "same": 1, "refused": 1}
    assert done(company, bulk_id) == {"done": 2, "same": 1, "refused": 1}, "a second press does nothing"
    assert [named(company, key) for key in "124"] == [["vip"]] * 3, "spelled as who used it first"
    assert len(kinds("tag_added")) == before + 2
    assert "Put a tag: 4 contacts; 2 done, 1 as before, 1 not done" in [
        each.text for each in notices.notices_of(company.olivia)
    ]
    assert bulk.get(company.olivia, bulk_id).values == {}
    assert done(company, looked(company, TAKE_TAG, "1", "3", "4", tag="vip")) == {"done": 2, "same": 1}
    assert (named(company, "1"), named(company, "4"), len(kinds("tag_removed"))) == ([], [], 2)


@pytest.mark.usefixtures("club")
def test_who_may_not_change_a_record_does_not_tag_it_by_tagging_many(company: Company) -> None:
    bulk_id = bulk.look(
        company.rosa, "contact", ManyChanges(PUT_TAG), ["1", "2"], None, {many_tags.TAG: "mine"}
    )
    work_until_idle({jobs.BULK})
    assert {item.why for item in bulk.get(company.rosa, bulk_id).items} == {many_tags.SHUT}
    with pytest.raises(NotFound):
        many_tags.preview_tags(company.stan, ManyChanges(PUT_TAG), "contact", ["1"], {many_tags.TAG: "mine"})
    mine = looked(company, PUT_TAG, "1", "2")
    access.assign(company.olivia.id, [])
    bulk.confirm(company.olivia, mine)
    work_until_idle({jobs.BULK})
    assert fetch("select count(*) from console.record_tag") == [(0,)], "rights are those of now"
    assert dict(
        fetch("select state, count(*) from console.bulk_item where bulk = %s group by 1", (mine,))
    ) == {"refused": 2}


@pytest.mark.usefixtures("club")
@pytest.mark.parametrize(("point", "left"), [("bulk.tags.before", 0), ("bulk.tags.after", 3)])
def test_a_process_that_dies_over_it_has_tagged_and_told_of_all_of_them_or_none(
    company: Company, monkeypatch: pytest.MonkeyPatch, point: str, left: int
) -> None:
    bulk_id = looked(company, PUT_TAG, "1", "2", "4")
    bulk.confirm(company.olivia, bulk_id)
    monkeypatch.setenv("HANDRAIL_FAULT", f"{point}=raise")
    with pytest.raises(Exception, match="bulk.tags"):
        do(jobs.BULK, bulk_id)
    monkeypatch.delenv("HANDRAIL_FAULT")
    assert (len(kinds("tag_added")), fetch("select count(*) from console.record_tag")) == (left, [(left,)])
    do(jobs.BULK, bulk_id)
    assert (len(kinds("tag_added")), bulk.get(company.olivia, bulk_id).count(bulk.DONE)) == (3, 3)


@pytest.mark.usefixtures("club")
def test_what_is_stopped_is_left_as_it_is(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    several(company, 30)
    monkeypatch.setattr(many_tags, "AT_ONCE", 10)
    bulk_id = looked(company, PUT_TAG, whole=BrowseQuery(segment=""))
    bulk.confirm(company.olivia, bulk_id)
    deed = many_changes.change_by_id(PUT_TAG)
    assert deed is not None
    assert many_tags.do_next(
        company.olivia, deed, bulk_id, "contact", bulk.get(company.olivia, bulk_id).values
    )
    bulk.stop(company.olivia, bulk_id)
    work_until_idle({jobs.BULK})
    ended = bulk.get(company.olivia, bulk_id)
    assert (ended.count(bulk.DONE), ended.count(bulk.STOPPED)) == (10, ended.count() - 10)
    assert fetch("select count(*) from console.record_tag") == [(10,)]


def test_a_tag_put_on_many_starts_what_a_tag_by_hand_starts(house: Company, club: object) -> None:
    publish(
        "welcome",
        {"id": "on", "kind": "event", "on": "tag.added", "filter": 'event.tag == "vip"'},
        collection="contact",
    )
    triggers.synchronise()
    triggers.follow_log()
    assert done(house, looked(house, PUT_TAG, "1", "2")) == {"done": 2}
    sequencing.catch_up()
    triggers.follow_log()
    assert told("welcome", "on")[0] == 2
