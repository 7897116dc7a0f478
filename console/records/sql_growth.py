"""What a SELECT makes out of little: a few lines of it can fill a memory, or keep a database busy before it looks at any limit of time."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from console.core.errors import Malformed

if TYPE_CHECKING:
    from sqlglot import exp

MOST_TABLES = 40
MOST_USES = 2_000
"""How many times over one value may be computed: a database copies the expressions of a sub-select into each place that uses them."""
MOST_PADDED = 10_000
MOST_MADE = 100_000
"""Letters of a text that a SELECT puts together from many rows, or in a part that reads itself."""


def wrong(reason: str) -> Malformed:
    """What is wrong in a SELECT, for the field in which it was written."""
    return Malformed(reason, at="sql")


def bounded(tree: "exp.Expression") -> None:
    """Cut the texts that the SELECT makes to `MOST_MADE`. Raises Malformed for one that uses its own results too often."""
    from sqlglot import exp

    if sum(1 for _ in tree.find_all(exp.Table)) > MOST_TABLES:
        raise wrong(f"A SELECT reads at most {MOST_TABLES} tables.")
    for size in tree.find_all(exp.DataTypeParam):
        if not size.name.isdigit() or int(size.name) > MOST_PADDED:
            raise wrong("A value cannot be turned into this type here.")
    parts: dict[str, list[exp.Select]] = {}
    for part in tree.find_all(exp.CTE):
        parts.setdefault(part.alias.lower(), []).extend(part.find_all(exp.Select))
    known: dict[int, int] = {}
    if any(_uses(query, parts, known) > MOST_USES for query in tree.find_all(exp.Select)):
        raise wrong("The SELECT uses its own results too many times over: make it flatter.")
    for made in list(tree.find_all(exp.GroupConcat, exp.DPipe, exp.Concat, exp.ConcatWs)):
        within = made.find_ancestor(exp.With)
        if isinstance(made, exp.GroupConcat) or (
            within is not None and within.args.get("recursive") and not isinstance(made.parent, type(made))
        ):
            _cut(made)


def _uses(query: "exp.Select", parts: Mapping[str, Sequence["exp.Select"]], known: dict[int, int]) -> int:
    """How many times over a column of the query may compute one of a table. `parts`: name → queries; `known`: of queries by `id`."""
    from sqlglot import exp

    if id(query) not in known:
        known[id(query)] = 1  # of a part that reads itself
        inner = [each for each in query.find_all(exp.Select) if each is not query]
        inner += [each for table in query.find_all(exp.Table) for each in parts.get(table.name.lower(), ())]
        columns = [sum(1 for _ in column.find_all(exp.Column)) for column in query.selects]
        known[id(query)] = max([1, *columns]) * max([1, *(_uses(each, parts, known) for each in inner)])
    return known[id(query)]


def _cut(made: "exp.Expression") -> None:
    """Put the beginning of the text in its place."""
    from sqlglot import exp

    while isinstance(made.parent, (exp.Window, exp.Filter, exp.WithinGroup)) and made.parent.this is made:
        made = made.parent
    cut = exp.Substring(start=exp.Literal.number(1), length=exp.Literal.number(MOST_MADE))
    made.replace(cut)
    cut.set("this", made)
