"""One form of an event: what the console writes, what the file that outsiders run reads, what the server lists, and what the reference says of it.

Every kind of event is written with and without each key that an event may lack; a key that only one of them knows fails here.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.activity import sequencing
from console.core.events import KINDS
from console.infra import subjects
from console.infra.db import fetch
from console.infra.db.ids import uuid7_text
from console.log import Fact, Frame, Link, body, chained, recheck, verify, write
from console.log.body import FIRST, VERSION
from tests.conftest import Database
from tests.log.exports import Said, f

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "log-format.md"
ACTOR: Mapping[str, Any] = {
    "kind": "user",
    "id": "usr_1",
    "session": "ses_1",
    "team": "operations",
    "roles": ["operator", "lead"],
}
NOBODY: Mapping[str, Any] = {**ACTOR, "kind": "system", "session": "sys:config", "team": None, "roles": []}
FRAME: Mapping[str, Any] = {
    "actor": ACTOR,
    "policy": 3,
    "workflow": {"id": "wf_1", "version": 2, "hash": "0" * 64},
    "target": {"source": "s", "coll": "customer", "key": f.ODD.replace("\x00", "")},
    "request": 'req_"1"',
    "label": "confidential",
    "address": "192.0.2.1",
}
"""Something for every part of a frame."""
FACT: Mapping[str, Any] = {
    "id": "",
    "type": "",
    "at": datetime(2026, 11, 21, 6, 30, 0, 1, UTC),
    "open": {},
    "sealed": {},
    "step": ("decide", 1),
    "cause": "01970000-0000-7000-8000-0000000000ff",
    "told": False,
}
"""The same for a fact; what stands in it is drawn by kind."""
WRITTEN_AS = {"workflow": "wf", "request": "req"}
"""Part of a frame or fact → its key in the body, where they differ."""
OPTIONAL = [part.name for part in fields(Frame) if part.default is None] + ["step", "cause"]


def test_every_part_of_a_frame_and_a_fact_is_tried() -> None:
    assert {part.name for part in fields(Frame)} == set(FRAME)
    assert set(Fact._fields) == set(FACT)
    assert {name for name, value in Fact._field_defaults.items() if value is None} <= {*OPTIONAL}


def facts() -> list[Fact]:
    """One event of every kind, with every open and sealed value that it may have, and one with none."""
    made: list[Fact] = []
    nothing: dict[str, Any] = {"open": {}, "sealed": {}}
    for name in sorted(KINDS):
        whole: dict[str, Any] = {
            "open": {key: [key, 1, None, {"id": {}}] for key in KINDS[name].open},
            "sealed": dict.fromkeys(KINDS[name].sealed, f.ODD),
        }
        for parts in (whole, nothing):
            number = f"01970000-0000-7000-8000-{len(made) + 1:012x}"
            made.append(Fact(**{**FACT, **parts, "id": number, "type": name}))
    return made


def frames() -> list[Frame]:
    """With everything, without any one optional part, without any two, with none."""
    parts = [name for name in OPTIONAL if name in FRAME]
    without = [(), *((name,) for name in parts), *combinations(parts, 2), tuple(parts)]
    return [
        *(Frame(**{**FRAME, **dict.fromkeys(names)}) for names in without),
        Frame(**{**FRAME, "actor": NOBODY}),
    ]


def written(frame: Frame, *, bare: bool = False) -> list[Link]:
    """A chain of events of every kind under this frame; `bare` without what a fact may lack."""
    return chained(
        [fact._replace(step=None, cause=None) if bare else fact for fact in facts()], "run_1", 0, b"", frame
    )


def keys(links: list[Link]) -> tuple[set[str], set[str]]:
    """(keys that all of the events have, keys that any has)."""
    told = [set(orjson.loads(made.body)) for made in links]
    return set.intersection(*told), set.union(*told)


@pytest.fixture(scope="module")
def links() -> list[Link]:
    """Every kind under every frame."""
    return [made for number, frame in enumerate(frames()) for made in written(frame, bare=number % 2 == 1)]


def test_every_key_that_is_written_is_read_and_no_other(links: list[Link]) -> None:
    always, ever = keys(links)
    assert {key for key in verify.BODY if not key.endswith("?")} == always
    assert {key.strip("?") for key in verify.BODY} == ever
    assert [key.strip("?") for key in verify.BODY] == sorted(ever), "canonical form sorts the keys"


def test_every_key_that_is_written_is_in_the_reference_with_what_it_holds(links: list[Link]) -> None:
    told = dict(
        re.findall(
            r"^\| `(\w+)` \| (.*) \|$", FORMAT.read_text().split("## Body")[1].split("\n## ")[0], re.MULTILINE
        )
    )
    always, ever = keys(links)
    assert set(told) == ever
    assert {key for key, words in told.items() if "only in events" in words} == ever - always
    events = [orjson.loads(made.body) for made in links]
    for key in sorted(ever):
        parts = {tuple(sorted(event[key])) for event in events if isinstance(event.get(key), dict)}
        named = [
            tuple(sorted(re.findall(r'"(\w+)"', group))) for group in re.findall(r"`(\{[^`]*\})`", told[key])
        ]
        assert parts <= {*named}, (key, parts, named)
        assert any(event.get(key, "") is None for event in events) is ("`null`" in told[key]), key


def test_every_event_is_read_as_it_was_written(links: list[Link]) -> None:
    for made in links:
        found = verify.TAIL.fullmatch(made.body, made.body.rfind(b'}},"id":"'))
        assert found, made.body
        told = orjson.loads(made.body)
        read = [
            orjson.loads(found[1]),
            found[2].decode() or FIRST,
            orjson.loads(found[3]),
            int(found[4]),
            found[5].decode(),
        ]
        assert read == [told[key] for key in ("id", "prev", "run", "run_seq", "type")]
        assert (told["v"], body.canonical(told)) == (VERSION, made.body)


@pytest.mark.parametrize("number", range(len(frames())))
def test_a_log_of_every_kind_is_verified(said: Said, number: int) -> None:
    made = written(frames()[number], bare=number % 2 == 1)
    code, words = said(f.exported(f.Log(tuple(made), ("run_1",) * len(made))))
    assert (code, words.split(",")[0]) == (0, f"verified {len(made)} events"), words


def test_a_key_of_a_later_release_is_passed_over(said: Said) -> None:
    """Whoever kept an older copy of the file can go on with it."""
    made = []
    head = b""
    for number, each in enumerate(written(Frame(**FRAME)), 1):
        told = orjson.loads(each.body) | {
            "prev": head.hex(),
            "mark": "m",
            "via": {"gate": "a", "n": 1},
            "zone": None,
            "kept": 7,
        }
        line = body.canonical(told)
        head = body.leaf(line)
        made.append(Link(each.id, b"", line, head, each.values, each.type))
        assert orjson.loads(line)["run_seq"] == number
    assert said(f.exported(f.Log(tuple(made), ("run_1",) * len(made))))[0] == 0
    twice = made[3].body.replace(b'"policy":3', b'"policy":3,"policy":3')
    assert verify.WIDER.fullmatch(twice, twice.rfind(b'}},"id":"')) is None


def test_the_server_lists_what_the_body_says(clean: Database) -> None:
    """The columns of the list, and the look at them, for every kind under every frame."""
    assert clean.name
    subject = subjects.subject_of("customer", "1")
    for number, frame in enumerate(frames()):
        chain = f"run_{number}"
        own = [fact._replace(id=uuid7_text()) for fact in facts()]
        made = chained(own, chain, 0, b"", frame)
        assert write(chain, 0, made, subject=subject) == len(made)
    sequencing.catch_up()
    sequencing.seal()
    rows = fetch(
        f"select e.body, {', '.join('a.' + name for name in recheck.LISTED)} from console.activity a join console.event e on e.id = a.event"
    )
    assert len(rows) == len(frames()) * len(facts())
    for data, *columns in rows:
        told = orjson.loads(bytes(data))
        parts = (told["wf"] or {}).get("id"), told["actor"]["kind"], told.get("label")
        target = told["target"] or {}
        who = told["actor"]["id"], told["actor"]["team"], target.get("coll"), target.get("key")
        assert [datetime.fromisoformat(told["at"]), told["type"], *who, told["run"], *parts] == columns
        assert recheck.list_columns(told) == tuple(columns)
    assert recheck.check() is None
    assert fetch("select * from console.relist(false)") == []
