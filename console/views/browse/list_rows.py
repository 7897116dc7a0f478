"""The rows of a list as one string, rendered by one function for each column and not by the template: a macro or filter for each cell takes ten times as long."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from markupsafe import Markup, escape

from console import formats, runs
from console.browse import ListPage
from console.core.documents.collections import Collection, Field
from console.formats import Kind, Look
from console.records import Record
from console.runs import RunHead
from console.views import frame, states
from console.views.browse import expiry, list_tags

LABELLED = 3  # columns that a telephone shows with their labels; of the others those that are late or bad (list.css hides the rest there)
_MASKED = '<td class="e"><span aria-hidden="true">••••••</span><span class="vh">masked</span></td>'


def rows(
    page: ListPage, shown: Sequence[Field], kinds: Mapping[str, Kind], look: Look, *, choose: bool = False
) -> Markup:
    """Return the table body as one string, rendered by one function for each column and not by the template. `choose`: rows can be ticked."""
    collection, html = page.collection, formats.marker(page.words)
    keys = [row.key for row in page.rows if row.key is not None]
    columns = _cells(page, shown, kinds, look, html)
    live, tagged = (
        runs.live_on(frame.actor(), collection.id, keys),
        list_tags.marks(collection, [row.key for row in page.rows]),
    )
    above = escape(frame.collection_url(collection.id))
    drawn = []
    for row, cells in zip(
        page.rows, zip(*columns, strict=True) if columns else [()] * len(page.rows), strict=True
    ):
        title = formats.escaped(row.title)
        named = title if html is formats.escaped else html(row.title)
        written = "".join(cells if not row.wrong else _with_failed(row, shown, cells)) + _MASKED * len(
            page.masked
        )
        if row.key is None:
            head = f'<th scope="row">{named}' if titled(collection) or not written else ""
            drawn.append(f'<tr>{head}{written}<td class="act">')
            continue
        key, href = (
            formats.escaped(row.key),
            f"{above}/{frame.segment(row.key)}",
        )  # percent-encoded: nothing of it is HTML
        marks = f"{_marks(live[row.key]) if row.key in live else ''}{tagged.get(row.key, '')}"
        tick = (
            f'<input type="checkbox" class="tick" form="bulk" name="key" value="{key}" aria-label="Choose {title}">'
            if choose
            else ""
        )
        drawn.append(
            f'<tr data-record="{key}"><th scope="row">{tick}<a href="{href}">{named}</a>{marks}{written}<td class="act"><a href="{href}/menu" data-menu'
            f' aria-label="Actions for {title}">⋯</a>'
        )
    # the next cell or row ends the one before it; of fifty rows their ends alone are 3 KB
    return Markup("".join(drawn).replace("</td>", ""))  # noqa: S704 (every part is escaped)


def _cells(
    page: ListPage, shown: Sequence[Field], kinds: Mapping[str, Kind], look: Look, html: Callable[[str], str]
) -> list[list[str]]:
    """Return the cells of each column, rendered column by column."""
    collection, written, of_rows = page.collection, [], [row.values for row in page.rows]
    state = collection.summary.get("badge")
    for at, item in enumerate(shown):
        what, values = kinds[item.name], [values_of.get(item.name) for values_of in of_rows]
        if expiry.is_expiry(what):
            cells = expiry.cells(what, look, values)
        elif item.name == state or item.widget == "badge":
            cells = states.column(what, look)(values)
        else:
            if item.name in collection.currencies:
                alone = {item.name: collection.currencies[item.name]}
                values = [formats.with_currencies(values_of, alone).get(item.name) for values_of in of_rows]
            written.append(formats.column(what, look, html, labelled=at < LABELLED)(values))
            continue
        said = f' data-l="{escape(item.label)}"'
        written.append(
            [cell if at < LABELLED or '"badge warn"' in cell else cell.replace(said, "", 1) for cell in cells]
        )
    return written


def _with_failed(row: Record, shown: Sequence[Field], cells: Iterable[str]) -> list[str]:
    """Return the cells of a row in which some computed fields failed."""
    return [
        _failed(row.wrong[item.name]) if item.name in row.wrong else cell
        for item, cell in zip(shown, cells, strict=True)
    ]


def _failed(why: str) -> str:
    """Return the cell of a computed field that failed."""
    return f'<td class="e" title="{escape(why)}">failed<span class="vh">: {escape(why)}</span></td>'


def _marks(live: Sequence[RunHead]) -> Markup:
    """Return badges of the open runs on a record, as links."""
    marks = []
    for head in live:
        badge = frame.status_badge(
            *(
                head.status,
                head.holder,
                frame.actor().id,
                {head.holder or "": head.holder_name} if head.holder_name else {},
            ),
            ticket=bool(head.ticket),
        )
        marks.append(
            f'<a class="badge {badge.tone}" href="{escape(frame.run_url(head.id))}" title="{escape(head.workflow_title)}">{escape(badge.label)}</a>'
        )
    return Markup("".join(marks))  # noqa: S704 (every part is escaped)


def titled(collection: Collection) -> bool:
    """Return whether records have names: without a key and a telling field all would be called alike."""
    return bool(collection.key or collection.title_fields)
