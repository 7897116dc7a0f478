"""The part of a page that is the same for many requests, rendered once: what differs from request to request stands in holes and is put in each time.

Which values a template reads is found in its syntax tree, with all that it extends, includes and calls. All of them are compared, so nothing that a
page is made of can be forgotten: another right, label, theme or person is another page. What cannot be compared is rendered each time.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache, partial
from types import NoneType
from typing import Any, cast

from flask import current_app, request, session
from jinja2 import Environment, Template, meta, nodes
from jinja2.runtime import Macro
from markupsafe import Markup, escape

from console.core.documents.collections import Collection as CollectionModel

MOST_KEPT = 200
FIXED = frozenset(
    [
        "icon",
        "asset",
        "font",
        "sheets",
        "scripts",
        "morph",
        "collection_url",
        "record_url",
        "run_url",
        "dom_id",
        "initials",
        "status_badge",
        "key_segment",
        "get_flashed_messages",
    ]
)
"""Functions whose answer depends on what they are given, and on where the console is mounted, alone. What is told once is never kept."""
ASKED = frozenset(
    [
        "theme",
        "rail",
        "rail_state",
        "demo",
        "paused_at",
        "paused_because",
        "may_operate",
        "may_read_log",
        "may_measure",
        "over_run",
        "sandbox_on",
        "reads_outbox",
    ]
)
"""Functions of the request without parameters. They are asked each time, and what they say is compared."""
CALLED_HOLES = frozenset({"csrf_token"})
"""Functions without parameters whose answer stands in a hole."""
EVERY_PAGE = frozenset({"csrf_token", "session_left"})
_OF_READER = frozenset({"when", "exactly", "clock"})
"""Filters whose words depend on the reader and the time. A moment is never compared; a text that is one would be."""
_MARK = secrets.token_hex(8)
"""Begins and ends the name of a hole. Nobody who writes a value knows it."""
_HOLE = re.compile(f"{_MARK}([a-z_]+){_MARK}")
_PLAIN = frozenset({str, NoneType})
_TYPED = frozenset({int, bool, float, Markup})

_kept: dict[Any, tuple[tuple[bytes, str], ...]] = {}
"""What a page is made of → its pieces as they are sent, each with the name of the hole behind it, "" behind the last."""


class Uncomparable(Exception):
    """A value that may change without becoming another."""


@dataclass(frozen=True, slots=True)
class _Same:
    """An object that stays as it is: two are alike only if they are one."""

    whole: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.whole is self.whole

    def __hash__(self) -> int:
        return id(self.whole)


def render(template: Template, values: dict[str, Any], holes: frozenset[str], block: str | None, macros: Mapping[str, str]) -> bytes:
    """Return what the template, or one of its blocks, renders. Values named in `holes` may only be printed or asked whether they are there.

    `macros`: name → template of the macros that are in every template.
    """
    try:
        key = _key(template, values, holes, block, macros)
    except Uncomparable:
        return _sent(rendered(template, values, block))
    pieces = _kept.get(key)
    if pieces is None:
        marks = {name: Markup(_MARK + name + _MARK) for name in holes | CALLED_HOLES}  # noqa: S704 (letters of ours)
        marked = {name: marks[name] for name in holes if _is_given(values.get(name))}
        called = {name: partial(Markup, marks[name]) for name in CALLED_HOLES}
        parts = [*_HOLE.split(rendered(template, values | marked | called, block)), ""]
        if len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        pieces = _kept[key] = tuple(zip(map(_sent, parts[::2]), parts[1::2], strict=True))
    return b"".join([piece + _sent(_filled(values[hole])) if hole else piece for piece, hole in pieces])


def _sent(text: str) -> bytes:
    """Return the text as it is sent: a value may hold a NUL, a page may not."""
    return (text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text).encode()


def rendered(template: Template, values: Mapping[str, Any], block: str | None) -> str:
    """Return what the template, or one of its blocks, renders."""
    return template.render(values) if block is None else "".join(template.blocks[block](template.new_context(dict(values))))


def _filled(value: Any) -> str:
    return escape(value() if callable(value) else value)


def _is_given(value: Any) -> bool:
    return value is not None and value != ""


def _key(template: Template, values: Mapping[str, Any], holes: frozenset[str], block: str | None, macros: Mapping[str, str]) -> Any:
    """Return all that the rendering depends on. Raises Uncomparable."""
    if session.get("_flashes"):
        raise Uncomparable  # words that are told once
    env, parts = current_app.jinja_env, list[Any]([template.name, block, request.script_root])
    for name in reads(env, str(template.name), tuple(macros.items())):
        if name in holes:
            parts.append(_is_given(values.get(name)))
        elif name in values:
            value = values[name]
            parts.append(_comparable(value() if name in ASKED else value) if name not in CALLED_HOLES else None)
        elif name in ASKED:
            parts.append(_comparable(cast(Callable[[], Any], env.globals[name])()))
    return tuple(parts)


def _comparable(value: Any) -> Any:
    """Return what two values have in common only if they are rendered alike. Raises Uncomparable."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind in _TYPED:  # 1 and True are equal, and so are a text and the same text as HTML
        return kind, value
    if kind is list or kind is tuple:
        return kind, *[_comparable(one) for one in value]
    if kind is dict:
        return kind, *[(name, _comparable(one)) for name, one in value.items()]
    if kind is frozenset:
        return value
    if isinstance(value, CollectionModel):
        return _Same(value)
    if is_dataclass(value) and hasattr(kind, "__slots__"):
        try:
            hash(value)  # each of its fields is of one kind, and none can change
        except TypeError:
            return kind, *[_comparable(getattr(value, one.name)) for one in fields(value)]  # those of what it inherits from too
        return value
    raise Uncomparable


@lru_cache(maxsize=50)
def reads(env: Environment, template: str, macros: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the names that the template reads, with all that it extends, includes and calls: those that a page can differ by.

    Raises TypeError for a function of which nobody said whether its answer depends on the request.
    """
    names = frozenset(_walked(env, [template], dict(macros)))
    unknown = {
        name for name in names & env.globals.keys() if name not in FIXED | ASKED | CALLED_HOLES and not isinstance(env.globals[name], Macro)
    }
    if unknown:
        raise TypeError(f"{template} calls {', '.join(sorted(unknown))}: say in {__name__} what its answer depends on.")
    return tuple(sorted(names - FIXED - dict(macros).keys()))


def _walked(env: Environment, templates: Iterable[str], macros: Mapping[str, str]) -> Iterator[str]:
    waiting, seen = list(templates), set[str]()
    source: Callable[[str], tuple[str, Any, Any]] = lambda name: env.loader.get_source(env, name)  # type: ignore[union-attr]  # noqa: E731
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        tree = env.parse(source(name)[0])
        found = {use.name for use in tree.find_all(nodes.Name) if use.ctx == "load"}  # jinja2.meta leaves out what is global
        yield from found
        for use in tree.find_all(nodes.Filter):
            if use.name in _OF_READER and not (isinstance(use.node, nodes.Call) and getattr(use.node.node, "name", "") in ASKED):
                raise TypeError(f"{name} writes a value by the reader's clock, which is not compared.")
        others = list(meta.find_referenced_templates(tree))
        if None in others:
            raise TypeError(f"{name} names a template by a value: what it reads cannot be found.")
        waiting += [*map(str, others), *(macros[macro] for macro in found & macros.keys())]
