"""The single-file verifier against an honest export and every forgery we could think of, each named for what it is."""

import functools
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from console.log import body, checkpoint, tree, verify
from tests.log.exports import LOG, OLD, PART, PLACES, WHOLE, Said, f


def at(place: int, **changes: Any) -> bytes:
    """Line `place` of the export with other values."""
    edited: bytes = f.edited(WHOLE.lines[place - 1], **changes)
    return edited


def first_value(place: int) -> int:
    """The number of the first line of values.jsonl from event `place` on."""
    return 1 + sum(len(made.values) for made in LOG.links[: place - 1])


# The honest ones.


@pytest.mark.parametrize("zipped", [False, True], ids=["folder", "archive"])
def test_an_honest_export(said: Said, zipped: bool) -> None:
    code, text = said(WHOLE, zipped=zipped)
    assert (code, text) == (
        0,
        f"verified 300 events, complete; values: {len(WHOLE.values)} shown, 0 erased, 0 expired, 0 masked",
    )


def test_an_honest_export_since_an_older_checkpoint(said: Said) -> None:
    for since in (None, 120, 300, 77):
        code, text = said(f.exported(LOG, since=since), since=OLD)
        assert code == 0, text
        assert "verified 300 events, complete" in text
        assert "unchanged since" in text
    assert said(f.exported(LOG, since=120))[0] == 0


def test_an_honest_part(said: Said) -> None:
    code, text = said(PART)
    assert code == 0
    assert text.startswith("verified 10 events, chosen from 300; a filter, or somebody, left out events of ")
    assert said(f.chosen(LOG, PLACES, since=120), since=OLD)[0] == 0
    for since in (0, 1, 5, 10, 11, 300):
        assert said(f.chosen(LOG, PLACES, since=since))[0] == 0, (
            "nothing to compare with: no checkpoint was kept"
        )
    run = [place for place, chain in enumerate(LOG.chains, 1) if chain == LOG.chains[0]]
    assert "no chain here has a gap" in said(f.chosen(LOG, run))[1]


def test_a_part_without_events(said: Said) -> None:
    assert said(f.chosen(LOG, []))[1].startswith("verified 0 events, chosen from 300")


def test_an_empty_log(said: Said) -> None:
    assert said(f.exported(f.make(0)))[1].startswith("verified 0 events, complete")


def test_without_a_key_the_one_in_the_export_is_used_and_that_is_said(said: Said) -> None:
    code, text = said(WHOLE, key=None)
    assert code == 0
    assert f.VKEY in text
    assert "compare it with the one that you were given" in text


def test_a_log_after_a_change_of_key(said: Said) -> None:
    changed = f.exported(LOG, keys=[f.SEED, f.OTHER])
    new = str(checkpoint.verifier_key(f.ORIGIN, f.OTHER))
    assert said(changed)[0] == said(changed, key=new)[0] == 0
    later = replace(f.exported(LOG, keys=[f.OTHER]), key=new)
    assert said(later, key=new)[0] == 0
    assert said(later)[1].startswith("checkpoint: re-signed: ")


def test_unknown_keys_of_proofs_are_passed_over(said: Said) -> None:
    assert said(replace(WHOLE, proofs=WHOLE.proofs | {"made_at": "2026-11-20"}))[0] == 0


def test_values_are_read_however_they_are_written(said: Said) -> None:
    spaced = tuple(
        json.dumps(dict(reversed(orjson.loads(line).items())), indent=None).encode() for line in WHOLE.values
    )
    assert said(replace(WHOLE, values=spaced))[0] == 0
    escaped = tuple(
        json.dumps(orjson.loads(line), ensure_ascii=True).replace("/", "\\/").encode()
        for line in WHOLE.values
    )
    assert said(replace(WHOLE, values=escaped))[0] == 0


def test_masked_values_are_counted(said: Said) -> None:
    export = replace(
        WHOLE, values=f.values_of(LOG.links, lambda name: "masked" if name == "reason" else None)
    )
    assert re.search(r"values: 300 shown, 0 erased, 0 expired, 75 masked", said(export)[1])


@pytest.mark.parametrize(("reason", "kind"), [("erased", "subject_erased"), ("expired", "values_expired")])
def test_erased_and_expired_values_need_an_event_that_says_so(said: Said, reason: str, kind: str) -> None:
    def gone(log: Any) -> Any:
        return f.exported(
            log, values=f.values_of(log.links, lambda name: reason if name == "reason" else None)
        )

    code, text = said(gone(f.make(300, kinds=[(300, kind)])))
    assert code == 0, text
    assert f"75 {reason}" in text
    code, text = said(gone(f.make(300)))
    assert code == 1
    assert re.fullmatch(
        r"values.jsonl line \d+: value missing without a note: said to be erased or expired, .*", text
    )
    too_early = f.make(300, kinds=[(200, kind)])
    line = next(
        number
        for number, raw in enumerate(gone(too_early).values, 1)
        if int(orjson.loads(raw)["event"][-12:], 16) > 200 and b"missing" in raw
    )
    assert said(gone(too_early))[1].startswith(f"values.jsonl line {line}: value missing without a note")


@pytest.mark.parametrize(
    ("accounts", "fits"),
    [
        ({300: 75}, True),
        ({300: 76}, True),
        ({300: 74}, False),
        ({150: 38, 300: 37}, True),
        ({150: 37, 300: 38}, True),
        ({150: 60, 300: 37}, True),
        ({150: 60, 300: 36}, False),
        ({150: 0, 300: 74}, False),
        ({2: 1000, 300: 74}, True),
        ({2: 1000, 300: 73}, False),
    ],
)
def test_as_many_events_as_are_accounted_for_may_lack_their_values(
    said: Said, accounts: dict[int, int], fits: bool
) -> None:
    """75 events have a reason: one before place 2, 38 before place 150, the others after it."""
    log = f.make(300, kinds=[(place, "values_expired") for place in accounts], accounts=accounts)
    code, text = said(
        f.exported(log, values=f.values_of(log.links, lambda name: "expired" if name == "reason" else None))
    )
    assert (code == 0) is fits, text
    assert fits or "value missing without a note: said to be erased or expired" in text


# Forged events: what was done, at which line it shows, how it is named. Each with and without the file that helps to find the place.

LAST = len(WHOLE.lines)
TAIL = next(place for place in range(LAST, 0, -1) if LOG.chains[place - 1] not in LOG.chains[place:])
SAME = [place for place, chain in enumerate(LOG.chains, 1) if chain == LOG.chains[16]]
EVENTS: dict[str, tuple[tuple[bytes, ...], int, str]] = {
    "edit": (f.put(WHOLE.lines, 17, at(17, policy=4), instead=1), 17, "edited"),
    "edit the first": (
        f.put(WHOLE.lines, 1, at(1, at="2026-11-21T06:30:00.000000Z"), instead=1),
        1,
        "edited",
    ),
    "edit the last": (f.put(WHOLE.lines, LAST, at(LAST, policy=4), instead=1), LAST, "edited"),
    "edit the end of a chain": (f.put(WHOLE.lines, TAIL, at(TAIL, policy=4), instead=1), TAIL, "edited"),
    "edit a commitment": (
        f.put(WHOLE.lines, 17, re.sub(rb'"reason":"..', b'"reason":"00', WHOLE.lines[16]), instead=1),
        17,
        "edited",
    ),
    "edit prev": (f.put(WHOLE.lines, 17, at(17, prev="0" * 64), instead=1), 17, "edited"),
    "edit one byte of text": (
        f.put(WHOLE.lines, 17, WHOLE.lines[16].replace(b"operations", b"operationz"), instead=1),
        17,
        "edited",
    ),
    "edit and hash anew": (f.rechained(f.put(WHOLE.lines, 17, at(17, policy=4), instead=1)), 17, "edited"),
    "chain the whole anew": (f.rechained([f.edited(line, policy=4) for line in WHOLE.lines]), 1, "edited"),
    "another run": (
        f.put(WHOLE.lines, 17, at(17, run="run_other", run_seq=1, prev=""), instead=1),
        17,
        "edited",
    ),
    "another number": (f.put(WHOLE.lines, 17, at(17, run_seq=99), instead=1), 17, "edited"),
    "no event": (f.put(WHOLE.lines, 17, b"{}", instead=1), 17, "edited"),
    "no JSON": (f.put(WHOLE.lines, 17, b"\xff\xfe\x00", instead=1), 17, "edited"),
    "an empty line instead": (f.put(WHOLE.lines, 17, b"", instead=1), 17, "edited"),
    "space at the end of a line": (f.put(WHOLE.lines, 17, WHOLE.lines[16] + b" ", instead=1), 17, "edited"),
    "line ends of another system": (tuple(line + b"\r" for line in WHOLE.lines), 1, "edited"),
    "a null byte": (f.put(WHOLE.lines, 17, WHOLE.lines[16] + b"\x00", instead=1), 17, "edited"),
    "written otherwise": (
        f.put(WHOLE.lines, 17, json.dumps(orjson.loads(WHOLE.lines[16])).encode(), instead=1),
        17,
        "edited",
    ),
    "drop": (f.put(WHOLE.lines, 17, instead=1), 17, "dropped"),
    "drop the first": (f.put(WHOLE.lines, 1, instead=1), 1, "dropped"),
    "drop several": (f.put(WHOLE.lines, 17, instead=40), 17, "dropped"),
    "drop the end of a chain": (
        f.put(WHOLE.lines, TAIL, instead=1),
        TAIL,
        "truncated" if TAIL == LAST else "dropped",
    ),
    "drop a whole chain": (
        tuple(line for line, chain in zip(WHOLE.lines, LOG.chains, strict=True) if chain != LOG.chains[16]),
        SAME[0],
        "dropped",
    ),
    "drop and hash anew": (f.rechained(f.put(WHOLE.lines, 17, instead=1)), 17, "dropped"),
    "truncate": (WHOLE.lines[:-1], LAST, "truncated"),
    "truncate a half": (WHOLE.lines[:150], 151, "truncated"),
    "truncate all": ((), 1, "truncated"),
    "insert a copy": (f.put(WHOLE.lines, 17, WHOLE.lines[16]), 18, "inserted"),
    "insert a copy of an earlier one": (f.put(WHOLE.lines, 17, WHOLE.lines[2]), 17, "inserted"),
    "insert a copy of a later one": (f.put(WHOLE.lines, 17, WHOLE.lines[199]), 17, "inserted"),
    "insert one that fits its chain": (
        f.put(WHOLE.lines, SAME[3], f.edited(WHOLE.lines[SAME[3] - 1], policy=4)),
        SAME[3],
        "inserted",
    ),
    "insert one of a new chain": (
        f.put(WHOLE.lines, 17, at(17, run="run_new", run_seq=1, prev="")),
        17,
        "inserted",
    ),
    "insert at the end": ((*WHOLE.lines, f.edited(WHOLE.lines[0], run="run_new")), LAST + 1, "inserted"),
    "insert an empty line": (f.put(WHOLE.lines, 17, b""), 17, "inserted"),
    "insert and hash anew": (f.rechained(f.put(WHOLE.lines, 17, at(17, policy=4))), 17, "edited"),
    "swap neighbours": (f.swapped(WHOLE.lines, 17, 18), 17, "reordered"),
    "swap within a chain": (f.swapped(WHOLE.lines, SAME[1], SAME[3]), SAME[1], "reordered"),
    "swap far": (f.swapped(WHOLE.lines, 5, 290), 5, "reordered"),
    "move forward": ((*f.put(WHOLE.lines, 17, instead=1), WHOLE.lines[16]), 17, "reordered"),
    "move back": (f.put(f.put(WHOLE.lines, 200, instead=1), 17, WHOLE.lines[199]), 17, "reordered"),
    "sort by time backwards": (WHOLE.lines[::-1], 1, "reordered"),
    "chains one after another": (
        tuple(
            line for _, line in sorted(zip(LOG.chains, WHOLE.lines, strict=True), key=lambda pair: pair[0])
        ),
        1,
        "reordered",
    ),
}


@pytest.mark.parametrize("what", EVENTS)
def test_a_forged_event_is_named_with_its_place(said: Said, what: str) -> None:
    lines, line, kind = EVENTS[what]
    assert lines != WHOLE.lines
    code, text = said(replace(WHOLE, lines=lines))
    assert (code, text[: text.index(": ", 10)]) == (1, f"line {line}: {kind}")


@pytest.mark.parametrize("what", EVENTS)
def test_a_forged_event_is_refused_without_the_help_of_leaves(said: Said, what: str) -> None:
    lines = EVENTS[what][0]
    for export in (
        replace(WHOLE, lines=lines, without=frozenset({"leaves"})),
        replace(WHOLE, lines=lines, leaves=WHOLE.leaves[:-32]),
    ):
        code, text = said(export)
        assert code == 1
        assert re.match(
            r"(line \d+|events.jsonl): (edited|dropped|inserted|reordered|truncated): \S", text
        ), text
    told = b"".join(body.leaf(line) for line in lines)
    assert said(replace(WHOLE, lines=lines, leaves=told))[0] == 1, (
        "leaves are believed only when they lead to the signed root"
    )


@pytest.mark.parametrize(
    "what", ["edit", "drop", "insert a copy of an earlier one", "truncate", "swap within a chain", "no event"]
)
def test_without_leaves_the_chains_still_tell_what_was_done(said: Said, what: str) -> None:
    lines, _, kind = EVENTS[what]
    text = said(replace(WHOLE, lines=lines, without=frozenset({"leaves"})))[1]
    assert f": {kind}: " in text


def test_two_bodies_of_equal_length_swapped(said: Said) -> None:
    by_length: dict[int, int] = {}
    for place, line in enumerate(WHOLE.lines, 1):
        first = by_length.setdefault(len(line), place)
        if first != place:
            assert said(replace(WHOLE, lines=f.swapped(WHOLE.lines, first, place)))[1].startswith(
                f"line {first}: reordered: "
            )
            return
    pytest.fail("no two bodies of equal length")


@pytest.mark.slow
def test_a_cut_at_any_byte_is_recognised(said: Said) -> None:
    export = f.exported(f.make(100))  # as many cuts of a shorter log: each is read to its end
    files = export.files()
    for name in ("events.jsonl", "values.jsonl", "checkpoint", "proofs.json", "key"):
        size = len(files[name])
        for length in {*range(0, size - 2, 485 if size < 7_000 else 1655), size - 1}:
            code, text = said(replace(export, extra={name: files[name][:length]}), key=None)
            if name == "key" and length == size - 1:
                assert code == 0  # the end of its only line is no part of the key
                continue
            assert code == 1, (name, length)
            assert re.search(r": (truncated|edited|re-signed|value missing without a note): ", text), text
            if name == "events.jsonl":
                assert text.startswith(f"line {files[name][:length].count(10) + 1}: truncated: ")


def test_an_archive_cut_at_any_byte_is_recognised(said: Said) -> None:
    data = f.exported(f.make(40)).zipped()
    for length in {*range(0, len(data), 97), *range(len(data) - 30, len(data))}:
        code, text = said(data[:length])
        assert (code, text.split(": ")[:2]) == (1, ["export.zip", "truncated"]), length


def test_an_archive_with_any_byte_turned_never_passes_as_something_else(said: Said) -> None:
    small = f.exported(f.make(12))
    data, honest = small.zipped(), said(small)
    for place in range(0, len(data), 183):
        code, text = said(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        assert (code, text) == honest or (
            code == 1 and re.search(r": (truncated|edited|inserted|dropped|re-signed|value \S.*): ", text)
        ), text


# Signatures and what was kept.


def test_signed_anew_by_another_key(said: Said) -> None:
    forged = f.resigned(replace(WHOLE, lines=EVENTS["edit and hash anew"][0], values=()), f.OTHER)
    code, text = said(forged)
    assert code == 1
    assert text.startswith("checkpoint: re-signed: signed by ['fernwick.example/log+")
    assert said(f.resigned(WHOLE, f.OTHER))[1].startswith("checkpoint: re-signed: ")


@pytest.mark.parametrize(
    "what",
    [
        "edit and hash anew",
        "chain the whole anew",
        "drop and hash anew",
        "insert and hash anew",
        "swap neighbours",
    ],
)
@pytest.mark.parametrize("told", [True, False], ids=["leaves anew", "old leaves"])
def test_signed_anew_by_the_same_key_is_seen_by_who_kept_a_checkpoint(
    said: Said, what: str, told: bool
) -> None:
    forged = f.resigned(replace(WHOLE, lines=EVENTS[what][0]), f.SEED, told=told)
    assert "re-signed" not in said(forged)[1], "without an older checkpoint nobody can tell"
    code, text = said(forged, since=OLD)
    assert code == 1
    assert re.match(r"line 1: re-signed: the 120 events of \S+ are not the first ones here", text)


def test_an_export_that_is_older_than_what_was_kept(said: Said) -> None:
    code, text = said(f.exported(f.make(100)), since=OLD)
    assert (code, text.split(": ")[:2]) == (1, ["line 101", "truncated"])


def test_a_part_needs_a_proof_since_what_was_kept(said: Said) -> None:
    assert said(PART, since=OLD)[1] == "proofs.json: re-signed: no proof that fits: export with since=120"
    part = f.chosen(LOG, PLACES, since=120)
    steps = part.proofs["consistency"]["proof"]
    other = f.make(300, seed=8)
    for forged in (
        steps[1:],
        [*steps, steps[0]],
        [steps[1], steps[0], *steps[2:]],
        ["0" * 64, *steps[1:]],
        [],
    ):
        assert (
            said(
                replace(part, proofs=part.proofs | {"consistency": {"from": 120, "proof": forged}}), since=OLD
            )[0]
            == 1
        )
    assert ": re-signed: " in said(f.chosen(other, PLACES, since=120), since=OLD)[1]
    assert said(replace(WHOLE, proofs=WHOLE.proofs | {"consistency": {"from": 120, "proof": steps[1:]}}))[
        1
    ].startswith("proofs.json: edited: ")


def test_what_was_kept_has_to_be_signed_too(said: Said) -> None:
    assert said(WHOLE, since=checkpoint.sign(f.ORIGIN, 120, tree.root(LOG.leaves[:120]), [f.OTHER]))[
        1
    ].startswith("old: re-signed: ")
    assert said(WHOLE, since=OLD.replace("120", "121"))[1].startswith("old: edited: ")
    assert said(WHOLE, since=OLD[:-1])[1].startswith("old: truncated: ")


@pytest.mark.parametrize("key", ["", "nonsense", f.VKEY[:-5], f.VKEY.replace("+", "-", 1)])
def test_a_key_that_is_none(said: Said, key: str) -> None:
    if key:
        assert said(WHOLE, key=key)[1].startswith("--key: edited: no verifier key: ")
    assert said(replace(WHOLE, key=key), key=None)[1].startswith("key: edited: no verifier key: ")


# Values.

BOTH = first_value(17)  # the event of line 17 has four values


def test_the_event_that_the_values_are_tried_on() -> None:
    assert [orjson.loads(line)["name"] for line in WHOLE.values[BOTH - 1 : BOTH + 3]] == sorted(
        LOG.links[16].values
    )


VALUES: dict[str, tuple[tuple[bytes, ...], int, str]] = {
    "another value": (
        f.put(WHOLE.values, BOTH, f.other_value(WHOLE.values[BOTH - 1], "because of that"), instead=1),
        BOTH,
        "value changed",
    ),
    "a value of another type": (
        f.put(WHOLE.values, BOTH, f.other_value(WHOLE.values[BOTH - 1], 1.5), instead=1),
        BOTH,
        "value changed",
    ),
    "null": (
        f.put(WHOLE.values, BOTH, f.other_value(WHOLE.values[BOTH - 1], None), instead=1),
        BOTH,
        "value changed",
    ),
    "another salt": (
        f.put(WHOLE.values, BOTH, f.other_salt(WHOLE.values[BOTH - 1]), instead=1),
        BOTH,
        "value changed",
    ),
    "no salt": (
        f.put(WHOLE.values, BOTH, WHOLE.values[BOTH - 1].replace(b'"salt"', b'"pepper"'), instead=1),
        BOTH,
        "value changed",
    ),
    "the value twice": (
        f.put(
            WHOLE.values,
            BOTH,
            WHOLE.values[BOTH - 1].replace(b'"value"', b'"value":"another","value"'),
            instead=1,
        ),
        BOTH,
        "value changed",
    ),
    "shown and said to be missing": (
        f.put(
            WHOLE.values,
            BOTH,
            WHOLE.values[BOTH - 1].replace(b'"name"', b'"missing":"erased","name"'),
            instead=1,
        ),
        BOTH,
        "value changed",
    ),
    "no JSON": (f.put(WHOLE.values, BOTH, b"{", instead=1), BOTH, "value changed"),
    "no object": (f.put(WHOLE.values, BOTH, b"[]", instead=1), BOTH, "value changed"),
    "line removed": (f.put(WHOLE.values, BOTH, instead=1), BOTH, "value missing without a note"),
    "first line removed": (WHOLE.values[1:], 1, "value missing without a note"),
    "last line removed": (WHOLE.values[:-1], len(WHOLE.values), "value missing without a note"),
    "all lines removed": ((), 1, "value missing without a note"),
    "line said to be lost": (
        f.put(WHOLE.values, BOTH, f.values_of(LOG.links, lambda _: "lost")[BOTH - 1], instead=1),
        BOTH,
        "value missing without a note",
    ),
    "line without a reason": (
        f.put(WHOLE.values, BOTH, re.sub(rb',"salt".*', b"}", WHOLE.values[BOTH - 1]), instead=1),
        BOTH,
        "value missing without a note",
    ),
    "line twice": (f.put(WHOLE.values, BOTH, WHOLE.values[BOTH - 1]), BOTH + 1, "inserted"),
    "a line more at the end": ((*WHOLE.values, WHOLE.values[0]), len(WHOLE.values) + 1, "inserted"),
    "a line of no event": (
        f.put(WHOLE.values, BOTH, WHOLE.values[0].replace(b"01970000", b"01970001")),
        BOTH,
        "inserted",
    ),
    "a line of no commitment": (
        f.put(WHOLE.values, BOTH, WHOLE.values[BOTH - 1].replace(b'"reason"', b'"answer"')),
        BOTH,
        "inserted",
    ),
    "two lines swapped": (f.swapped(WHOLE.values, BOTH, BOTH + 1), BOTH, "reordered"),
    "two far lines swapped": (f.swapped(WHOLE.values, BOTH, BOTH + 30), BOTH, "reordered"),
    "backwards": (WHOLE.values[::-1], 1, "reordered"),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_forged_value_is_named_with_its_place(said: Said, what: str) -> None:
    values, line, kind = VALUES[what]
    code, text = said(replace(WHOLE, values=values))
    assert code == 1
    assert text.startswith(f"values.jsonl line {line}: {kind}: "), text
    if kind == "value changed":
        assert "of the event of line 17" in text


def test_what_is_wrong_with_the_events_is_told_before_what_is_wrong_with_values(said: Said) -> None:
    forged = replace(WHOLE, lines=EVENTS["edit the last"][0], values=VALUES["another value"][0])
    assert said(forged)[1].startswith(f"line {LAST}: edited: ")


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ä",
        ODD := f.ODD,
        0,
        -1,
        2**53 - 1,
        True,
        None,
        [],
        {},
        {"b": [1, {"a": ODD}], "a": ""},
        "x" * 100_000,
    ],
)
def test_every_form_of_value(said: Said, value: Any) -> None:
    fact = body.Fact(
        "01970000-0000-7000-8000-000000000001",
        "run_started",
        f.BEGIN,
        {},
        {"screen": value, 'na"me/\\ é': [value]},
    )
    log = f.Log((body.link(fact, "run_1", 1, b"", body.Frame({}, 1)),), ("run_1",))
    code, text = said(f.exported(log))
    assert code == 0, text
    assert "2 shown" in text


# A filtered export.

PARTS: dict[str, tuple[Any, str]] = {
    "edit": (
        replace(PART, lines=f.put(PART.lines, 5, f.edited(PART.lines[4], policy=4), instead=1)),
        "line 5: edited",
    ),
    "drop": (replace(PART, lines=f.put(PART.lines, 5, instead=1)), "line 5: dropped"),
    "insert": (replace(PART, lines=f.put(PART.lines, 5, WHOLE.lines[200])), "line 5: inserted"),
    "swap": (replace(PART, lines=f.swapped(PART.lines, 5, 7)), "line 5: reordered"),
    "truncate": (replace(PART, lines=PART.lines[:-1]), "line 10: truncated"),
    "a line more": (replace(PART, lines=(*PART.lines, WHOLE.lines[0])), "line 11: inserted"),
    "another place": (replace(PART, proofs=PART.proofs | {"positions": [2, *PLACES[1:]]}), "line 1: edited"),
    "places swapped": (f.chosen(LOG, [4, 3, *PLACES[2:]]), "line 2: reordered"),
    "a place twice": (f.chosen(LOG, [3, 3, *PLACES[2:]]), "line 2: "),
    "a place beyond": (
        replace(PART, proofs=PART.proofs | {"positions": [*PLACES[:-1], 301]}),
        "line 10: edited",
    ),
    "place zero": (replace(PART, proofs=PART.proofs | {"positions": [0, *PLACES[1:]]}), "line 1: edited"),
    "proofs exchanged": (
        replace(
            PART,
            proofs=PART.proofs
            | {
                "inclusion": [
                    PART.proofs["inclusion"][1],
                    PART.proofs["inclusion"][0],
                    *PART.proofs["inclusion"][2:],
                ]
            },
        ),
        "line 1: edited",
    ),
    "fewer proofs": (
        replace(PART, proofs=PART.proofs | {"inclusion": PART.proofs["inclusion"][:-1]}),
        "proofs.json: edited",
    ),
    "called complete": (replace(PART, proofs=PART.proofs | {"complete": True}), "proofs.json: edited"),
    "called complete without places": (
        replace(PART, proofs=PART.proofs | {"complete": True, "positions": None, "inclusion": None}),
        "line ",
    ),
    "another size": (replace(PART, proofs=PART.proofs | {"size": 299}), "proofs.json: edited"),
    "whole called a part": (replace(WHOLE, proofs=WHOLE.proofs | {"complete": False}), "proofs.json: edited"),
    "no object": (replace(PART, extra={"proofs.json": b"[1]"}), "proofs.json: edited"),
    "no bottom": (replace(PART, extra={"proofs.json": b"[" * 200_000}), "proofs.json: edited"),
    "from before the first": (
        replace(WHOLE, proofs=WHOLE.proofs | {"consistency": {"from": -1, "proof": []}}),
        "proofs.json: edited",
    ),
    "from beyond": (
        replace(WHOLE, proofs=WHOLE.proofs | {"consistency": {"from": 301, "proof": []}}),
        "proofs.json: edited",
    ),
    "from without end": (
        replace(
            WHOLE,
            extra={
                "proofs.json": b'{"size":300,"complete":true,"positions":null,"inclusion":null,'
                b'"consistency":{"from":1e999,"proof":[]}}'
            },
        ),
        "proofs.json: edited",
    ),
    "hashes of another form": (
        replace(PART, proofs=PART.proofs | {"inclusion": [[1, 2]] * 10}),
        "proofs.json: edited",
    ),
}


@pytest.mark.parametrize("what", PARTS)
def test_a_forged_part_is_named_with_its_place(said: Said, what: str) -> None:
    export, expected = PARTS[what]
    code, text = said(export)
    assert code == 1
    assert text.startswith(expected), text
    code, text = said(replace(export, without=frozenset({"leaves"})))
    assert code == 1
    assert re.match(r"(line \d+|proofs.json): \S+: \S", text)


@functools.cache
def long_part() -> tuple[Any, str]:
    """Every other event of a long log since an older checkpoint, and that checkpoint."""
    log = f.make(2500)
    old = checkpoint.sign(f.ORIGIN, 1200, tree.root(log.leaves[:1200]), [f.SEED])
    return f.chosen(log, range(1, 2501, 2), since=1200), old


@pytest.mark.slow
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("order", [1, -1], ids=["as told", "backwards"])
def test_proofs_of_any_length_and_layout(said: Said, indent: int | None, order: int) -> None:
    part, old = long_part()

    def laid_out(proofs: dict[str, Any]) -> Any:
        text = json.dumps(dict([*proofs.items()][::order]), indent=indent).encode()
        assert len(text) > 3 * verify.BLOCK // 4, "more than is read at once"
        return replace(part, extra={"proofs.json": text})

    assert said(laid_out(part.proofs), since=old)[0] == 0
    for line in (1, 700, 1250):
        proofs = [*part.proofs["inclusion"]]
        proofs[line - 1] = proofs[line - 1][:-1]
        assert said(laid_out(part.proofs | {"inclusion": proofs}))[1].startswith(
            f"line {line}: edited: with its proof"
        )


@pytest.mark.parametrize("since", [None, 0, 1])
def test_a_part_of_a_log_of_one_event(said: Said, since: int | None) -> None:
    part = f.chosen(f.make(1), [1], since=since)
    assert part.proofs["inclusion"] == [[]]
    assert said(part)[0] == 0
    forgeries: list[Any] = [[], [[], []], [["0" * 64]], [0], [1], 0, [[[]]], ["0" * 64]]
    for forged in forgeries:
        assert said(replace(part, proofs=part.proofs | {"inclusion": forged}))[0] == 1, forged


def test_within_a_part_neighbours_on_a_chain_still_have_to_fit(said: Said) -> None:
    run = [place for place, chain in enumerate(LOG.chains, 1) if chain == LOG.chains[16]][:4]
    lines = [LOG.links[place - 1].body for place in run]
    forged = replace(
        f.chosen(LOG, run),
        lines=(*lines[:2], f.edited(lines[2], prev="0" * 64), lines[3]),
        without=frozenset({"leaves"}),
    )
    assert re.match(r"line [23]: edited: ", said(forged)[1])


def test_an_auditor_can_read_it_whole() -> None:
    assert len(Path(verify.__file__).read_text("utf-8").splitlines()) <= 400
