"""Merge fields that give nothing: where they stand, a message would have a gap."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from console.core import expressions
from console.core.expressions.nodes import Call, Literal, walk
from console.core.expressions.operands import UNKNOWN

OF_PEOPLE = frozenset({"record", "input"})
"""Roots whose values are about the recipient."""


def empty_fields(texts: Iterable[str], roots: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """For each merge field that gives nothing the paths that it reads, each once. Not judged is what reads a root that is not in `roots`.

    Where the text says itself what stands there instead (`first(record.first_name, "there")`), there is no gap, whatever that is.
    """
    seen: set[str] = set()
    for text in texts:
        for found in (part for part in expressions.active_parts(text, roots) if not isinstance(part, str)):
            reads = sorted(set(expressions.paths(found)))
            if found.text in seen or not all(path[0] in roots for path in reads) or _says_instead(found):
                continue
            seen.add(found.text)
            about = tuple(path for path in reads if path[0] in OF_PEOPLE)
            if about and not expressions.value_text(found.value(roots)).strip():
                yield about


def is_missing(found: expressions.Expression, roots: Mapping[str, Any]) -> bool:
    """Whether the merge field gives nothing that should be there: a value that is not known, or an empty one about the recipient."""
    value = found.value(roots)
    about = any(path[0] in OF_PEOPLE for path in expressions.paths(found))
    empty = value is UNKNOWN or (about and not expressions.value_text(value).strip())
    return empty and not _says_instead(found)


def _says_instead(found: expressions.Expression) -> bool:
    return any(
        isinstance(node, Call)
        and node.name == "first"
        and any(isinstance(each, Literal) for each in node.arguments)
        for node in walk(found.node)
    )
