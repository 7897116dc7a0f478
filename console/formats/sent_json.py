"""A JSON object as other programs send it, with a byte order mark or without; its decimals and very large numbers keep their digits."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from console.core.errors import Malformed
from console.core.expressions.operands import Spelled

DEEPEST = 100
NUL_IN_NAME = "A name in the body has a NUL character, which cannot be stored: remove it."


def object_in(raw: bytes) -> dict[str, Any]:
    """Return the object. Raises Malformed if it is no JSON object in UTF-8, repeats a key, has an empty character in a name, or is nested too deeply."""
    sent = json_in(raw)
    if not isinstance(sent, dict):
        raise Malformed("The body is not a JSON object.")
    return sent


def json_in(raw: bytes) -> Any:
    """Return what was sent, an object or not. Raises Malformed as `object_in`."""
    try:
        sent = _decoder.decode(raw.decode("utf-8-sig"))
        if b"\\u" in raw:
            json.dumps(
                sent, ensure_ascii=False
            ).encode()  # half a surrogate pair is not valid text, and nothing can store it
    except UnicodeEncodeError:
        place = next(_halves(sent, ""))
        reason = "Half of a character (a lone surrogate, such as \\ud83d alone), which cannot be stored: send it whole, or leave it out."
        raise Malformed(f"{place}: {reason}", at=(place, reason)) from None
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not in UTF-8: byte {error.start + 1} is of no character.") from None
    except json.JSONDecodeError as error:
        raise Malformed(
            f"The body is not JSON: {error.msg}, in line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {error} is no number there.") from None
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(sent) > DEEPEST:
        raise Malformed(f"The body is nested more than {DEEPEST} levels deep.")
    return sent


def with_numbers(value: Any) -> Any:
    """Return what was sent with numbers in place of their digits. Raises Malformed for one that is too large for a number of JSON."""
    if isinstance(value, list):
        return [with_numbers(each) for each in value]
    if isinstance(value, dict):
        return {name: with_numbers(each) for name, each in value.items()}
    if not isinstance(value, Spelled):
        return value
    if not math.isfinite(number := float(value)):
        raise Malformed(f"The number {value[:40]} is too large.")
    return number


def _halves(sent: Any, place: str) -> Iterator[str]:
    """Yield the places of texts and names that hold half of a character, as `name.first[2]`."""
    if isinstance(sent, str):
        if any("\ud800" <= character <= "\udfff" for character in sent):
            yield place or "body"
    elif isinstance(sent, dict):
        for name, value in sent.items():
            within = f"{place}.{name}".removeprefix(".").encode("utf-8", "replace").decode()
            yield from _halves(name, within)
            yield from _halves(value, within)
    elif isinstance(sent, list):
        for number, value in enumerate(sent):
            yield from _halves(value, f"{place}[{number}]")


def _whole(digits: str) -> int | Spelled:
    """Return the number; one that does not fit in 64 bits, which nothing can store as a number, with its digits."""
    number = int(digits) if len(digits) <= 20 else None
    return number if number is not None and -(2**63) <= number < 2**64 else Spelled(digits)


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object and reject repeated keys, because parsers disagree about which one counts."""
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise Malformed(f"The body names {twice} twice.", at=(twice, "Named twice."))
    for name in made:
        if "\x00" in name:
            raise Malformed(
                NUL_IN_NAME, at=(name.replace("\x00", ""), "Its name has a NUL character: remove it.")
            )
    return made


_decoder = json.JSONDecoder(
    parse_float=Spelled, parse_int=_whole, parse_constant=_no_number, object_pairs_hook=_once
)


def _depth(sent: Any) -> int:
    """Return how deeply objects and lists are nested."""
    deepest, level = 0, [sent]
    while level:
        deepest += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return deepest
