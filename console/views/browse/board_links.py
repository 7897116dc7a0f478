"""The way from a list to its board, and what both have in common in their addresses."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from console.browse import boards
from console.core.documents.collections import Collection
from console.views import frame


def list_parameters() -> dict[str, Any]:
    """Return the parameters of the address that say what is in the list."""
    names = ("segment", "filter", "q", "sort", "columns", "extended", "inside")
    return {name: request.args.getlist(name) for name in names if name in request.args}


def board_address(collection: Collection, fields: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the address of the present list as a board; None where it has no field for one. `fields` are those that the reader may read."""
    readable = {item["name"] for item in fields}
    fits = collection.key and any(
        boards.is_choice(item) and item.name in readable for item in collection.stored_fields
    )
    return (
        frame.with_query(f"/board{frame.collection_url(collection.id)}", list_parameters()) if fits else None
    )
