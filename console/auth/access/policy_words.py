"""Rows and conditions of the policy as sentences for people, instead of `p, role:operator, t:operations, …`."""

from collections.abc import Callable
from decimal import Decimal

from console.auth.access.labels import Names
from console.auth.access.rows import EVERY, NOT_YET, PERMISSIONS, Row
from console.core import expressions
from console.core.expressions import ExpressionError
from console.core.expressions.nodes import Call, Compare, Items, Junction, Literal, Node, Not, Path, Within
from console.core.plain_words import humanised
from console.core.right_words import ALONE
from console.core.scopes import stands_alone

ACT_WORDS = {
    "act": "change by actions",
    "takeover": "take over",
    "see": "see",
    "audit": "audit",
    "use": "let runs act as",
}
_COMPARED = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_NOT_COMPARED = {
    "==": "is not",
    "!=": "is",
    "<": "is not less than",
    "<=": "is more than",
    ">": "is at most",
    ">=": "is less than",
}
_METHODS = {"startsWith": "starts with", "endsWith": "ends with", "contains": "contains"}
WHOSEVER = "whosever they are"
"""The condition `true`: such a rule about somebody's data applies even if the actor may not read that person."""
_PERSON = {
    "id": "the person",
    "email": "the person's address",
    "name": "the person's name",
    "teams": "the person's teams",
}
_RUN = {"started_by": "who started the run", "holder": "who holds the run", "team": "the run's team"}


def act(name: str) -> str:
    """The act in words: `take over` for `takeover`, `do everything with` for `*`."""
    return "do everything with" if name == EVERY else ACT_WORDS.get(name, name.replace("_", " "))


def acts_of(kind: str) -> list[str]:
    """The acts of a kind of object, in display order."""
    return list(PERMISSIONS[kind])


def offered(kind: str) -> list[str]:
    """Those of the acts that can be granted, because they have an effect."""
    return [name for name in acts_of(kind) if name not in NOT_YET.get(kind, ())]


def right(obj: str, act_name: str, names: Names) -> str:
    """A right in words: `update Customers`."""
    return f"{act(act_name)} {names.object(obj)}"


def refused(obj: str, act_name: str, named: str) -> str:
    """What somebody may not do, said to them: `start KYC review`, `read the activity log`. `named`: the object's title, if any."""
    return f"{act(act_name)} {named or ALONE.get(obj, obj)}"


def rule(row: Row, names: Names) -> str:
    """The row as a sentence without a full stop."""
    if row.ptype == "g":
        built = row.sub.startswith("role:")
        return f"{names.who(row.sub)} {'has what' if built else 'has the role'} {names.role(row.obj)}{' has' if built else ''}, {names.place(row.dom)}"
    may = "may" if row.eft == "allow" else "may not"
    done = act(row.act)
    if row.obj.startswith("field:"):
        done = (
            "change by hand"
            if row.act == "update"
            else "read, where it is masked for others,"
            if row.eft == "allow"
            else done
        )
    unsure = "" if row.eft == "allow" else ", or where that cannot be told"
    where = f", where {condition(row.expression)}{unsure}" if row.expression else ""
    if whosever(row.expression):
        rest = condition(row.expression).removeprefix(WHOSEVER).removeprefix(" and ")
        where = f", {WHOSEVER}{f', where {rest}{unsure}' if rest else ''}"
    elif row.eft == "allow" and (those := names.of_subject(row.obj)):
        where = f" of {those}{where}"
    return f"{names.who(row.sub)} {names.place(row.dom)} {may} {done} {names.object(row.obj)}{where}"


def whosever(text: str) -> bool:
    """Whether a rule with this condition applies to everybody's data; false for an empty or unreadable condition."""
    try:
        return bool(text) and stands_alone(expressions.parse(text))
    except ExpressionError:
        return False


def condition(text: str, label: Callable[[str], str] | None = None) -> str:
    """An expression in words: `Desk is one of the person's desks`. Without simple words it is shown as written."""
    try:
        node = expressions.parse(text).node
    except ExpressionError:
        return text
    return condition_words(node, label or humanised) or text


def condition_words(node: Node, label: Callable[[str], str], *, holds: bool = True) -> str | None:
    """The condition in words, its opposite if `holds` is False; None if there are no words for it."""
    match node:
        case Literal(value=True) if holds:
            return WHOSEVER
        case Not(item=item):
            return condition_words(item, label, holds=not holds)
        case Junction(kind=kind, items=items):
            parts = [condition_words(item, label, holds=holds) for item in items]
            if any(part is None for part in parts):
                return None
            word = " and " if (kind == "all") == holds else " or "
            return word.join(
                f"({part})" if isinstance(item, Junction) else str(part)
                for part, item in zip(parts, items, strict=True)
            )
        case Compare(operator=operator, left=left, right=right):
            return _compared(operator, left, right, label, holds=holds)
        case Within(item=item, list=found):
            one, many = _value(item, label), _value(found, label)
            return None if one is None or many is None else f"{one} is {'' if holds else 'not '}one of {many}"
        case Call(name=name, method=True, arguments=(target, given)) if name in _METHODS:
            one, other = _value(target, label), _value(given, label)
            return (
                None
                if one is None or other is None
                else f"{one} {'' if holds else 'not '}{_METHODS[name]} {other}"
            )
        case Path():
            named = _value(node, label)
            return None if named is None else f"{named} is {'yes' if holds else 'no'}"
    return None


def _compared(
    operator: str, left: Node, right: Node, label: Callable[[str], str], *, holds: bool
) -> str | None:
    one, other = _value(left, label), _value(right, label)
    if one is None or other is None:
        return None
    if isinstance(right, Literal) and right.value is None and operator in ("==", "!="):
        return f"{one} is {'empty' if (operator == '==') == holds else 'not empty'}"
    return f"{one} {(_COMPARED if holds else _NOT_COMPARED)[operator]} {other}"


def _value(node: Node, label: Callable[[str], str]) -> str | None:
    match node:
        case Literal(value=bool() as value):
            return "yes" if value else "no"
        case Path(root="record", steps=(str(), *_, str()) as steps) if all(
            isinstance(step, str) for step in steps
        ):
            *path, name = steps
            return " of ".join(
                [label(str(name)), *(f"the {str(one).replace('_', ' ')}" for one in reversed(path))]
            )
        case Literal(value=int() | Decimal() as value):
            return f"{value:,}"
        case Literal(value=str() as value):
            return f"“{value}”"
        case Literal(value=None):
            return "empty"
        case Items(items=items):
            parts = [_value(item, label) for item in items]
            return None if any(part is None for part in parts) else ", ".join(map(str, parts))
        case Path(root="record", steps=(str() as name,)) | Path(root="input", steps=(str() as name,)):
            return label(name)
        case Path(root="former", steps=(str() as name,)):
            return f"{label(name)} before"
        case Path(root="event", steps=(str() as name,)):
            return f"the {name.replace('_', ' ')}"
        case Path(root="run", steps=(str() as name,)):
            return _RUN.get(name, f"the run's {name.replace('_', ' ')}")
        case Path(root="$currentUser", steps=("tags", str() as name)):
            return f"the person's {name.replace('_', ' ')}"
        case Path(root="$currentUser", steps=(str() as name,)):
            return _PERSON.get(name, f"the person's {name}")
        case Path(root="now", steps=()):
            return "now"
    return None
