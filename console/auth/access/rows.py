"""The rows of the policy: valid values, and the text file in which people read and write them.

A line of the file is `p, who, where, objects, acts, allow|deny, condition` or `g, who, role, where`. Objects and acts are lists separated
by spaces; an object without a kind has the kind of the one before: `collection:account charge`. Each combination is one row of the table.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from console.core.errors import ConsoleError

EVERY = "*"

_PACKAGE = Path(__file__).resolve().parents[2]
POLICIES = next(
    (folder for folder in (_PACKAGE / "policies", _PACKAGE.parent / "policies") if folder.is_dir()),
    _PACKAGE / "policies",
)
"""The folder of the policy files: inside an installed package, next to it in a checkout."""

PERMISSIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "collection": {
            "browse": "list",
            "read": "open",
            "create": "add",
            "update": "change",
            "delete": "delete",
            "export": "export",
            "act": "have changed by actions",
            "reveal": "uncover masked values of",
            "shape": "shape the lists and forms of",
            "message": "send single messages to",
        },
        "field": {"read": "read", "update": "change"},
        "action": {"execute": "do", "request": "ask for", "approve": "approve"},
        "workflow": {
            "see": "see",
            "report": "report by",
            "start": "start",
            "resume": "go on with",
            "takeover": "take over",
            "assign": "give away",
            "cancel": "cancel",
            "edit": "edit",
            "publish": "publish",
            "activate": "pause",
        },
        "inbox": {"work": "work in", "manage": "manage"},
        "account": {"use": "let runs act as"},
        "label": {"see": "see what needs the clearance"},
        "activity": {
            "read": "read the activity log",
            "export": "export the activity log",
            "verify": "verify the activity log",
        },
        "ai": {"manage": "set up the AI", "audit": "look at what the AI was asked"},
        "subject": {"erase": "erase what is held about a person"},
        "source": {"manage": "manage data sources"},
        "policy": {"manage": "change what roles may do"},
        "key": {"manage": "manage everybody's API keys"},
        "user": {"manage": "manage people and teams"},
        "webhook": {"manage": "send events outside"},
    }
)
"""Kind of object → its acts in display order, each with the words after "may …"."""

ACTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {kind: frozenset(acts) for kind, acts in PERMISSIONS.items()}
)
"""Kind of object → its acts."""

NOT_YET: Mapping[str, frozenset[str]] = MappingProxyType({})
"""Acts without an effect so far. Rows that name them are accepted and harmless; pages do not offer them."""

LEVELS = ("operator", "lead", "reviewer", "auditor", "developer", "admin")
"""The shipped roles in display order. A company's own roles are built from them."""

WHOLE = frozenset({"activity", "ai", "subject", "source", "policy", "key", "user", "webhook"})
"""Kinds with only one object, named without an id."""


class PolicyError(ConsoleError):
    """An invalid row of the policy. The message names the place and the valid values."""

    status = 422
    default_code = "policy"


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One row. `p`: `sub` may (or may not) `act` on `obj` in `dom`. `g`: `sub` has the role `obj` in `dom`.

    `sub` is `user:<id>` or `role:<id>`; `dom` is `t:<team id>` or `*`; an `obj` such as `workflow:*` means every
    object of its kind. `expression` is a condition over record, run and $currentUser, empty if there is none.
    """

    ptype: Literal["p", "g"]
    sub: str
    dom: str
    obj: str
    act: str = ""
    eft: Literal["allow", "deny"] = "allow"
    expression: str = ""


def checked(row: Row) -> Row:
    """The row itself. Raises `PolicyError` if it is invalid: a misspelt act or effect would silently grant or deny nothing."""
    problem = _subject(row) or _domain(row) or (_role(row) if row.ptype == "g" else _right(row))
    if problem:
        raise PolicyError(f"{problem} (in {line(row)})")
    return row


def parse(text: str, name: str = "roles.csv") -> list[Row]:
    """The rows of a policy file without duplicates, in order. Raises `PolicyError` with the number of the wrong line."""
    rows: dict[Row, None] = {}
    reader = csv.reader(io.StringIO(text), skipinitialspace=True, strict=True)
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            if not any(values) or values[0].startswith("#"):
                continue
            try:
                rows |= dict.fromkeys(checked(row) for row in _expanded(values))
            except PolicyError as error:
                raise PolicyError(f"{name}, line {reader.line_num}: {error.message}") from None
    except csv.Error as error:
        raise PolicyError(f"{name}, line {reader.line_num}: {error}") from None
    return list(rows)


def export(rows: Iterable[Row]) -> str:
    """The rows as text of a policy file, roles first, sorted, equal rights on one line. `parse` gives the same rows."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "# who may do what; p: who, where, objects, acts, allow or deny, condition; g: who has the role, the role, where"
        ]
    )
    rows = sorted(set(rows))
    for row in rows:
        if row.ptype == "g":
            writer.writerow([row.ptype, row.sub, row.obj, row.dom])
    acts: dict[tuple[str, str, str, str, str], list[str]] = {}
    for row in rows:
        if row.ptype == "p":
            acts.setdefault((row.sub, row.dom, row.obj, row.eft, row.expression), []).append(row.act)
    objects: dict[tuple[str, str, str, str, str, str], list[str]] = {}
    for (sub, dom, obj, eft, expression), actions in acts.items():
        objects.setdefault((sub, dom, kind_of(obj), " ".join(actions), eft, expression), []).append(
            obj.partition(":")[2]
        )
    for (sub, dom, kind, told_acts, eft, expression), ids in sorted(objects.items()):
        writer.writerow(
            ["p", sub, dom, kind if kind in WHOLE else f"{kind}:{' '.join(ids)}", told_acts, eft, expression]
        )
    return out.getvalue()


def line(row: Row) -> str:
    """One row as a line of the file."""
    cells = (
        (row.sub, row.obj, row.dom)
        if row.ptype == "g"
        else (row.sub, row.dom, row.obj, row.act, row.eft, *filter(None, [row.expression]))
    )
    return ", ".join((row.ptype, *cells))


def kind_of(obj: str) -> str:
    """The kind of an object: `collection` for `collection:customer`, `activity` for `activity`."""
    return obj.partition(":")[0]


def _expanded(cells: list[str]) -> list[Row]:
    match cells:
        case ["g", sub, role, dom]:
            return [Row("g", sub, dom, role)]
        case ["p", sub, dom, objects, acts, "allow" | "deny" as eft, *rest] if len(rest) <= 1:
            expression = rest[0] if rest else ""
            rows = [
                Row("p", sub, dom, obj, act, eft, expression)
                for obj in _objects(objects)
                for act in acts.split()
            ]
            if not rows:
                raise PolicyError("names no object or no act")
            return rows
    raise PolicyError(
        "takes `p, who, where, objects, acts, allow or deny, condition` or `g, who, role, where`"
    )


def _objects(text: str) -> list[str]:
    objects: list[str] = []
    for word in text.split():
        named = ":" in word or word in WHOLE or not objects
        objects.append(word if named else f"{kind_of(objects[-1])}:{word}")
    return objects


def _subject(row: Row) -> str | None:
    kind, _, ident = row.sub.partition(":")
    if kind == "key":
        return "a key has no rules of its own: it is limited where it is made"
    return None if kind in {"user", "role"} and ident else "the subject takes user:<id> or role:<id>"


def _domain(row: Row) -> str | None:
    return (
        None
        if row.dom == EVERY or (row.dom.startswith("t:") and row.dom != "t:")
        else "the place takes t:<team> or *"
    )


def _role(row: Row) -> str | None:
    if not row.obj.startswith("role:") or row.obj == "role:":
        return "what is given is role:<id>"
    if row.act or row.eft != "allow" or row.expression:
        return "a role is given without act, effect and condition"
    return None


def _right(row: Row) -> str | None:
    kind, colon, ident = row.obj.partition(":")
    if row.eft not in ("allow", "deny"):
        return "the effect is allow or deny"
    if kind not in ACTS:
        return f"there is no object of the kind {kind!r}"
    if (kind in WHOLE) == bool(colon) or bool(colon) != bool(ident) or any(mark.isspace() for mark in ident):
        return (
            f"{kind} is named without an id" if kind in WHOLE else f"the object takes {kind}:<id> or {kind}:*"
        )
    if row.act != EVERY and row.act not in ACTS[kind]:
        return f"{kind} knows {', '.join(sorted(ACTS[kind]))}, not {row.act!r}"
    if kind == "field":
        if row.expression or (row.eft, row.act) not in (
            ("deny", "read"),
            ("deny", "update"),
            ("deny", EVERY),
            ("allow", "read"),
        ):
            return "a field is denied, or allowed to be read where others see it masked, without a condition: else it follows its collection"
        if "/" not in ident or ident.endswith("/"):
            return "a field takes field:<collection>/<name>"
    return None
