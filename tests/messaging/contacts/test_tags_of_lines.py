"""A column of tags in a file: as other programs write it, put on new and on known contacts as by hand, and told before."""

import io
from dataclasses import replace
from typing import Any

import pytest

from console.activity import sequencing
from console.auth import access
from console.automation import triggers
from console.browse import tags
from console.core.errors import Invalid
from console.core.tag_names import MOST_ON_RECORD
from console.infra.db.engine import fetch
from console.messaging.imports import import_batches, imports, line_tags, tag_cells
from console.messaging.imports.import_batches import Import
from console.records import collection
from tests.automation.triggers.test_triggers import house, publish, told
from tests.company import Company
from tests.messaging.contacts.test_opted_out_lines import club
from tests.messaging.contacts.test_tags import kinds, named
from tests.tables import cases
from tests.views.test_contact_import import broken_at, kept, why

__all__ = ["club", "house"]
HEAD = "name,email,stage,Tags\n"


def changing(company: Company, text: str, **same: str) -> Import:
    """The preview of a file of which those who are there get what it says."""
    looked = kept(company, text)
    return import_batches.look_again(
        company.olivia, looked.id, replace(looked.question, change=True, same=same)
    )


@cases(
    "heading, known",
    [
        ("Tags", True),
        ("TAGS", True),
        ("Labels", True),
        ("Tagged by", False),
        ("Stage", False),
        ("", False),
    ],
)
def test_a_column_of_tags_is_known_by_its_heading(heading: str, known: bool) -> None:
    assert tag_cells.is_tags(heading) is known


@cases(
    "cell, names",
    [
        ("VIP, newsletter", ["VIP", "newsletter"]),
        ("VIP;newsletter|  Hot   Lead ", ["VIP", "newsletter", "Hot Lead"]),
        ("vip, VIP,, ", ["vip"]),
        ("", []),
        ("n/a", []),
        ('12" vinyl', ['12" vinyl']),
    ],
)
def test_a_cell_is_read_as_the_tags_that_programs_write_into_it(cell: str, names: list[str]) -> None:
    assert tag_cells.read([cell]) == (tuple(names), [])


@cases(
    "cell, name",
    [
        ("\u200fשלום\u200f", "שלום"),
        ("\ufeffVIP", "VIP"),
        ("\u202aVIP\u202c", "VIP"),
        ("new\u00adsletter\u200b", "newsletter"),
        ("VIP\u200d \u200c", "VIP"),
        ("👩\u200d💻 dev", "👩\u200d💻 dev"),
        ("کتاب\u200cها", "کتاب\u200cها"),
    ],
)
def test_marks_that_nobody_sees_leave_no_line_out(cell: str, name: str) -> None:
    assert tag_cells.read([cell, name]) == ((name,), [])


def test_new_contacts_and_known_ones_get_tags_and_the_preview_counts_them(company: Company) -> None:
    tags.put(company.olivia, "contact", ["1"], "VIP")
    tags.put(company.olivia, "contact", ["1"], "old")
    text = (
        HEAD
        + 'Zoë,zoe@post.example,new,"vip; Fair"\nSam Whitfield,sam@post.example,new,"VIP, FAIR"\nAna Petrauskė,ana@post.example,new,vip\nBo,bo@post.example,new,\n'
    )
    looked = changing(company, text)
    assert (looked.new, looked.changed, looked.same, looked.refused) == (2, 2, 0, 0)
    assert looked.place["tags"] == {"put": 4, "lines": 3, "each": {"vip": 2, "Fair": 2}, "more": False}
    assert line_tags.frequent_tags("contact", looked.place["tags"]) == [("Fair", 2, True), ("VIP", 2, False)]
    assert named(company, "2") == [], "nothing is put by looking"
    done = import_batches.confirm(company.olivia, looked.id)
    assert (done.new, done.changed, done.refused, done.tags) == (2, 2, 0, 4)
    assert [named(company, key) for key in ("1", "2", "7", "8")] == [
        ["Fair", "old", "VIP"],
        ["VIP"],
        ["Fair", "VIP"],
        [],
    ]
    assert fetch("select distinct by from console.record_tag") == [(company.olivia.id,)]
    assert len(kinds("tag_added")) == 6
    assert len(kinds("record_changed")) == 2, "who only gets tags is not written to"
    again = import_batches.confirm(company.olivia, changing(company, text).id)
    assert (again.same, again.tags, len(kinds("tag_added"))) == (4, 0, 6)


def test_all_in_the_file_get_the_tags_that_are_told_once(company: Company) -> None:
    looked = changing(
        company,
        HEAD + "Zoë,zoe@post.example,new,VIP\nBo,bo@post.example,new,\n",
        **{imports.TAGS: "Fair 2026, vip"},
    )
    import_batches.confirm(company.olivia, looked.id)
    assert [named(company, key) for key in ("7", "8")] == [["Fair 2026", "vip"], ["Fair 2026", "vip"]]
    with pytest.raises(Invalid, match="at most 60"):
        changing(company, HEAD + "Zoë,zoe2@post.example,new,\n", **{imports.TAGS: "x" * 61})


def test_tags_that_cannot_be_are_told_on_their_line(company: Company) -> None:
    many = ";".join(f"t{number}" for number in range(MOST_ON_RECORD + 1))
    for number in range(MOST_ON_RECORD):
        tags.put(company.olivia, "contact", ["1"], f"there {number}")
    lines = [
        "Zoë,zoe@post.example,new," + "x" * 61,
        f"Bo,bo@post.example,new,{many}",
        'Cy,cy@post.example,new,"a\ue000b"',
        "Sam Whitfield,sam@post.example,new,one more",
        "Di,di@post.example,new,fine",
    ]
    looked = changing(company, HEAD + "\n".join(lines) + "\n")
    assert why(looked) == {
        2: [f"Tag “{'x' * 40}…”: A tag has at most 60 characters."],
        3: ["It has 51 tags, and a record has at most 50."],
        4: ["Tag “a\ue000b”: A tag holds letters, digits and marks, but no comma and no control characters."],
        5: ["It would have 51 tags, and a record has at most 50."],
    }
    assert (looked.new, looked.place["tags"]["put"]) == (1, 1)


def test_who_may_not_change_contacts_puts_no_tags_by_a_file(company: Company) -> None:
    access.grant("reviewer", "collection:contact", ["create"], team="operations")
    text = HEAD + "Zoë,zoe@post.example,new,VIP\n"
    assert (imports.TAGS, "Tags") in imports.choices(company.olivia, collection("contact"))
    assert (imports.TAGS, "Tags") not in imports.choices(company.rosa, collection("contact"))
    looked = import_batches.keep(company.rosa, "contact", io.BytesIO(text.encode()))
    assert "3" not in looked.question.columns
    forced = replace(
        looked.question, columns={**looked.question.columns, "3": imports.TAGS}, same={imports.TAGS: "mine"}
    )
    done = import_batches.confirm(company.rosa, import_batches.look_again(company.rosa, looked.id, forced).id)
    assert (done.new, done.tags, named(company, "7")) == (1, 0, [])


def test_a_tag_of_a_file_starts_what_a_tag_by_hand_starts(house: Company, club: Any) -> None:
    publish(
        "welcome",
        {"id": "on", "kind": "event", "on": "tag.added", "filter": 'event.tag == "vip"'},
        collection="contact",
    )
    triggers.synchronise()
    assert triggers.started_by(house.olivia, "tag.added", "contact")
    assert triggers.started_by(house.olivia, "tag.added", "contact", ["other", "Vip"])
    assert triggers.started_by(house.olivia, "tag.added", "contact", ["other"]) == []
    triggers.follow_log()
    import_batches.confirm(
        house.olivia, kept(house, HEAD + "Zoë,zoe@post.example,new,VIP\nBo,bo@post.example,new,other\n").id
    )
    sequencing.catch_up()
    triggers.follow_log()
    assert told("welcome", "on")[:2] == (1, 1)


def test_a_process_that_dies_before_it_tells_puts_the_tags_once(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = changing(
        company, HEAD + "Zoë,zoe@post.example,new,VIP\nAna Petrauskė,ana@post.example,new,VIP\n"
    )
    broken_at(monkeypatch, "imports.tell.before", lambda: import_batches.confirm(company.olivia, looked.id))
    assert fetch("select count(*) from console.record_tag") == [(0,)]
    import_batches.advance(f"{looked.id}_do")
    assert (named(company, "7"), named(company, "2"), len(kinds("tag_added"))) == (["VIP"], ["VIP"], 2)
    assert import_batches.get(company.olivia, f"{looked.id}_do").tags == 2


def test_a_column_of_a_million_different_tags_stays_bounded() -> None:
    counts: dict[str, Any] = {}
    for start in range(0, 2_000, 500):
        lines = [imports.Line(n, imports.NEW, {}, tags=(f"t{n}",)) for n in range(start, start + 500)]
        counts = line_tags.count_tags(lines, counts)
    assert (counts["put"], counts["lines"], len(counts["each"]), counts["more"]) == (
        2_000,
        2_000,
        line_tags.MOST_NAMED,
        True,
    )
