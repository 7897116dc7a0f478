"""The filter of a list as the expression of a segment, where an expression can say the same."""

import json
from typing import Any

from console.core.documents.collections import Collection, Field, condition_rows
from console.core.errors import Malformed
from console.core.filters import Filter, Group, Test

COMPARED = {"eq": "==", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
NUMBERS = frozenset({"integer", "decimal"})
UNFIT = frozenset({"array", "json", "binary", "other"})


def expression_of(given: Filter, collection: Collection) -> str:
    """The expression that finds the same records. Raises Malformed for a comparison that expressions do not have, such as one that ignores capitals."""
    if isinstance(given, Group):
        if not given.items:
            raise _unsaid("An empty group of conditions")
        joined = " || " if given.kind == "or" else " && "
        parts = [expression_of(item, collection) for item in given.items]
        return parts[0] if len(parts) == 1 else f"({joined.join(parts)})"
    return _test(given, collection.by_name[given.field])


def _test(given: Test, field: Field) -> str:
    path = condition_rows.path_to(field.name, field)
    if given.op == "is_null":
        if field.stored == "text":
            return f'({path} == null || {path} == "")' if given.value else f'({path} != null && {path} != "")'
        return f"{path} {'==' if given.value else '!='} null"
    if field.stored in UNFIT or field.computed is not None:
        raise _unsaid(f"A condition on {field.label}")
    if given.days is not None:
        return _either(path, given.op, f"addDays(today(), {given.days})")
    if given.whole:
        amounts = given.value if given.op == "in" else [given.value]
        currency = condition_rows.currency_path(field.name, field)
        each = [
            f"{path} {COMPARED['eq' if given.op == 'in' else given.op]} minor({amount}, {currency})"
            for amount in amounts
        ]
        return each[0] if len(each) == 1 else f"({' || '.join(each) or 'false'})"
    if given.op == "in":
        values = [value for value in given.value if value is not None]
        said = f"{path} in [{', '.join(_literal(value, field) for value in values)}]"
        return f"({said} || {path} == null)" if len(values) < len(given.value) else said
    if given.value is None:
        return f"{path} {'!=' if given.op == 'ne' else '=='} null"
    if given.op in ("contains", "starts_with"):
        raise _unsaid(f"“{'contains' if given.op == 'contains' else 'begins with'}” ignores capitals and")
    return _either(path, given.op, _literal(given.value, field))


def _either(path: str, op: str, value: str) -> str:
    """The comparison; a filter's "is not" finds records without a value too."""
    return f"({path} != {value} || {path} == null)" if op == "ne" else f"{path} {COMPARED[op]} {value}"


def _literal(value: Any, field: Field) -> str:
    return str(value) if field.stored in NUMBERS else json.dumps(value, ensure_ascii=False)


def _unsaid(what: str) -> Malformed:
    reason = f"{what} cannot be said in a segment for everybody. Save it for a team or a role, or write the segment under Settings, Collections."
    return Malformed(reason, at="audience")
