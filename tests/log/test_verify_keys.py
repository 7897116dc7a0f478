"""The single-file verifier after a change of key: who kept the checkpoint that the former key has signed need not be given the new key."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from console.log import body, checkpoint, tree
from tests.log.exports import LOG, OLD, WHOLE, Said, f

NEW = str(checkpoint.verifier_key(f.ORIGIN, f.OTHER))
THIRD = bytes(range(64, 96))
CHANGE = {"former": f.VKEY, "key": NEW, "signed_by": 2}


def changed(
    place: int = 120, open: dict[str, Any] | None = None, kind: str = "signing_key_changed", log: Any = LOG
) -> Any:
    """The log with a change of key in place of this event, chains and tree in order."""
    event = orjson.loads(log.links[place - 1].body)
    lines = f.put(
        WHOLE.lines,
        place,
        f.edited(
            WHOLE.lines[place - 1],
            type=kind,
            wf=None,
            data={"open": CHANGE if open is None else open, "sealed": {}},
        ),
        instead=1,
    )
    lines = f.rechained(lines)
    values = tuple(line for line in WHOLE.values if event["id"].encode() not in line)
    return replace(WHOLE, lines=lines, values=values)


def kept(export: Any, size: int, *seeds: bytes) -> str:
    """The checkpoint over the first events of the export."""
    return checkpoint.sign(
        f.ORIGIN, size, tree.root([body.leaf(line) for line in export.lines[:size]]), seeds
    )


def test_an_export_after_a_change_of_key_is_verified_with_the_former_key_and_what_was_kept(
    said: Said,
) -> None:
    export = f.resigned(changed(), f.OTHER)
    double = kept(export, 121, f.SEED, f.OTHER)
    assert said(export, since=double)[0] == 0
    assert said(export, since=kept(export, 120, f.SEED))[0] == 0
    assert said(replace(export, without=frozenset({"key"})), since=double, zipped=True)[0] == 0
    assert said(export, key=NEW, since=double)[0] == 0
    again = f.resigned(
        changed(130, {"former": NEW, "key": str(checkpoint.verifier_key(f.ORIGIN, THIRD)), "signed_by": 2}),
        THIRD,
    )
    assert said(again, since=double)[0] == 1
    code, text = said(export)
    assert (code, text.split(", and by")[0]) == (
        1,
        f"checkpoint: re-signed: signed by ['{'+'.join(NEW.split('+')[:2])}']",
    )


@pytest.mark.parametrize(
    ("export", "size", "seeds"),
    [
        pytest.param(changed(), 119, [f.SEED], id="the change came after what was kept"),
        pytest.param(changed(), 121, [f.OTHER], id="what was kept is signed by the new key alone"),
        pytest.param(
            changed(open=CHANGE | {"former": NEW}),
            121,
            [f.SEED, f.OTHER],
            id="another key is said to be the former one",
        ),
        pytest.param(
            changed(open=CHANGE | {"key": str(checkpoint.verifier_key(f.ORIGIN, THIRD))}),
            121,
            [f.SEED, f.OTHER],
            id="a third key was named",
        ),
        pytest.param(
            changed(kind="record_listed"), 121, [f.SEED, f.OTHER], id="an event of another kind names it"
        ),
        pytest.param(
            changed(open={"filters": {"data": {"open": CHANGE}}}, kind="log_read"),
            121,
            [f.SEED],
            id="within another event",
        ),
        pytest.param(
            changed(
                open={"x": {"open": CHANGE, "type": "signing_key_changed", "v": 1, "wf": None}},
                kind="log_read",
            ),
            121,
            [f.SEED],
            id="within one, whole",
        ),
        pytest.param(WHOLE, 121, [f.SEED, f.OTHER], id="two signatures and no event"),
    ],
)
def test_a_forged_change_of_key_is_refused(said: Said, export: Any, size: int, seeds: list[bytes]) -> None:
    code, text = said(f.resigned(export, f.OTHER), since=kept(export, size, *seeds))
    assert (code, "re-signed: signed by" in text) == (1, True), text


def test_a_change_that_was_put_in_since_is_refused(said: Said) -> None:
    code, text = said(f.resigned(changed(), f.OTHER), since=OLD)
    assert (code, text) == (1, "line 1: re-signed: the 120 events of " + text.partition("events of ")[2])


def test_a_part_is_not_trusted_for_what_its_first_lines_say(said: Said) -> None:
    whole = changed()
    leaves = [body.leaf(line) for line in whole.lines]
    size, places = 115, [*range(110, 130)]
    proofs = {
        "size": 300,
        "complete": False,
        "positions": places,
        "inclusion": [
            [item.hex() for item in tree.inclusion(place - 1, 300, tree.complete_subtrees(leaves))]
            for place in places
        ],
        "consistency": {
            "from": size,
            "proof": [item.hex() for item in tree.consistency(size, 300, tree.complete_subtrees(leaves))],
        },
    }
    lines = tuple(whole.lines[place - 1] for place in places)
    ids = [orjson.loads(line)["id"].encode() for line in lines]
    values = tuple(line for line in whole.values if any(each in line for each in ids))
    part = replace(
        whole,
        lines=lines,
        values=values,
        leaves=b"".join(leaves[place - 1] for place in places),
        proofs=proofs,
        checkpoint=checkpoint.sign(f.ORIGIN, 300, tree.root(leaves), [f.OTHER]),
    )
    old = kept(whole, size, f.SEED)
    assert said(part, since=old)[0] == 1
    assert said(part, key=NEW)[0] == 0
    both = replace(part, checkpoint=checkpoint.sign(f.ORIGIN, 300, tree.root(leaves), [f.SEED, f.OTHER]))
    assert said(both, since=old)[0] == 0
