"""Delete a record."""

from typing import Literal

from console.core.effect_kinds.base import OfRecord, Writes


class SqlDelete(OfRecord):
    """Delete a record that is still as it was when this was asked for; one that is gone already is left at that."""

    deed = "deletion"
    kind: Literal["sql_delete"]

    def writes(self) -> Writes:
        """No single field, but the record as a whole."""
        return Writes(self.collection, "record", {})
