"""What stands beside a list: the record of the row that is looked at, and how to search."""

from collections.abc import Sequence
from typing import Any

from console import browse, runs
from console.core.documents.collections import Collection
from console.core.errors import NotFound, SourceDown
from console.views import frame
from console.views.browse import records

PREVIEWED_RUNS = 3


def previewed(collection: str, key: str | None) -> dict[str, Any]:
    """Return what the pane beside a list draws of the record with this key; nothing without one."""
    if not key:
        return {"preview": None}
    gone = {"missing": True, "close_href": frame.present_address(preview=None)}
    try:
        page = browse.record(frame.actor(), collection, key, labels=True)
    except NotFound:
        return {"preview": {"title": "This record is not there, or outside what you may see."} | gone}
    except SourceDown as down:
        return {"preview": {"title": down.message} | gone}
    look = frame.naming(page.named)
    parts = records.sections(page, look, whole=False)
    return {
        "preview": {
            "title": page.record.title,
            "href": frame.record_url(collection, key),
            "close_href": frame.present_address(preview=None),
            "badge": records.badge_of(page, look),
            "sections": parts,
            "runs": [
                {"run": head, "may_resume": records.may_resume(head)}
                for head in runs.on_record(frame.actor(), collection, key, limit=PREVIEWED_RUNS)
            ],
        }
    }


def search_help(fields: Sequence[tuple[str, str]], collection: Collection) -> list[tuple[str, str]]:
    """Return (what to type, what it finds), with fields of this collection."""
    name, label = next(iter(fields), ("name", "Name"))
    day = next(
        (
            item
            for item in collection.fields
            if item.stored in ("date", "datetime") and (item.name, item.label) in fields
        ),
        None,
    )
    way = next((relation for relation in collection.relations if relation.kind == "to_one"), None)
    return [
        ("ana refund", "both words, in any field"),
        ("ana OR tom", "one of them"),
        ("-closed", "without this word"),
        ('"Ana Ilić"', "these words in this order"),
        (f"{name}:x", f"x in {label} only"),
        (f"{name}:NULL", f"{label} is empty"),
        *(
            [
                (f"{day.name}:2026-01", f"{day.label} in January 2026"),
                (f"{day.name}:>=2026", f"{day.label} from 2026 on"),
            ]
            if day
            else []
        ),
        *([(f"{way.name}:x", f"x in {way.label}")] if way else []),
    ]
