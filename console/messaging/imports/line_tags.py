"""The tags that the lines of a file give their contacts: those of its columns and those for all in the file, never fewer than a contact has."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.browse import tags
from console.core.tag_names import MOST_ON_RECORD, identity
from console.infra.db.engine import fetch
from console.messaging.imports import line_problems, tag_cells
from console.messaging.imports.contact_files import Row

if TYPE_CHECKING:
    from console.messaging.imports.imports import Line, Plan

MOST_NAMED, SHOWN = 200, 12
"""Tags of one file that are counted each by itself, and those that the page names."""
_USED = "select t.id, t.name from console.tag t where t.id = any(%s) and exists (select from console.record_tag r where r.collection = %s and r.tag = t.id)"


def with_tags(plan: "Plan", lines: Sequence["Line"], part: Sequence[Row]) -> list["Line"]:
    """The lines with the tags that their contacts get and do not have yet; refused where some of these cannot be. One statement for the tags that are there."""
    told = _tags_by_line(plan, part)
    if not told:
        return list(lines)
    there = _known_tags(plan, [line for line in lines if line.key is not None and told.get(line.number)])
    ended = []
    for line in lines:
        names, wrong = told.get(line.number, ((), ()))
        if wrong and (line.outcome != "refused" or line.addable):
            ended.append(
                replace(line, outcome="refused", reasons=line_problems.join_errors(plan, line.reasons, wrong))
            )
        elif names and line.outcome != "refused":
            ended.append(_with_tags(line, names, there.get(line.key or "", frozenset())))
        else:
            ended.append(line)
    return _as_allowed(plan, ended)


def _tags_by_line(plan: "Plan", part: Sequence[Row]) -> dict[int, tuple[tuple[str, ...], list[str]]]:
    """Line → its tags and what is wrong with them, of lines that have any."""
    if not (plan.tags or plan.tags_of_all):
        return {}
    read = {
        row.number: tag_cells.read(
            [*plan.tags_of_all, *(row.cells[number] for number in plan.tags if number < len(row.cells))]
        )
        for row in part
        if row.readable and not row.wrong
    }
    return {number: each for number, each in read.items() if any(each)}


def _known_tags(plan: "Plan", lines: Sequence["Line"]) -> Mapping[str, frozenset[str]]:
    """Key → what the tags are known by that the contact has."""
    names = tags.names_of(plan.collection, [line.key for line in lines if line.key is not None])
    return {key: frozenset(map(identity, each)) for key, each in names.items()}


def _with_tags(line: "Line", names: Sequence[str], there: frozenset[str]) -> "Line":
    new = tuple(name for name in names if identity(name) not in there)
    if new and len(there) + len(new) > MOST_ON_RECORD:
        reason = f"It would have {len(there) + len(new)} tags, and a record has at most {MOST_ON_RECORD}."
        return replace(line, outcome="refused", reasons=(*line.reasons, reason))
    return replace(line, tags=new, outcome="changed" if new and line.outcome == "same" else line.outcome)


def _as_allowed(plan: "Plan", lines: Sequence["Line"]) -> list["Line"]:
    """The lines; those of contacts that only get tags are refused where the actor may not change the contact."""
    only = [
        line.key
        for line in lines
        if line.tags and line.outcome == "changed" and not line.changes and line.key is not None
    ]
    allowed = tags.changeable(plan.collection.id, only, plan.update) if only else set()
    refusal = f"You may see this {plan.one}, but not change it."
    return [
        replace(line, outcome="refused", reasons=(refusal,), tags=())
        if line.key in only and line.key not in allowed
        else line
        for line in lines
    ]


def count_tags(lines: Sequence["Line"], before: Mapping[str, Any]) -> dict[str, Any]:
    """How many tags these lines and those before put (`put`) on how many contacts (`lines`), and how many each of them (`each`: name → contacts); `more`: there are further ones, which are not named."""
    each, more = {**before.get("each", {})}, bool(before.get("more"))
    known = {identity(name): name for name in each}
    tagged = [line.tags for line in lines if line.tags and line.outcome != "refused"]
    for name in (name for names in tagged for name in names):
        written = known.setdefault(identity(name), name)
        if written in each or len(each) < MOST_NAMED:
            each[written] = each.get(written, 0) + 1
        else:
            more = True
    put = int(before.get("put", 0)) + sum(map(len, tagged))
    return {"put": put, "lines": int(before.get("lines", 0)) + len(tagged), "each": each, "more": more}


def frequent_tags(collection_id: str, counts: Mapping[str, Any]) -> list[tuple[str, int, bool]]:
    """(tag, how many get it, whether no record of the collection has it yet) of the most frequent ones; spelled as records of the collection have it."""
    each = sorted(counts.get("each", {}).items(), key=lambda pair: (-pair[1], pair[0]))
    named = each[:SHOWN]
    used = dict(fetch(_USED, ([identity(name) for name, _ in named], collection_id))) if named else {}
    return [(used.get(identity(name), name), lines, identity(name) not in used) for name, lines in named]
