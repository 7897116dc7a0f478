"""Before and after: each field that the step will change, as its actions and updates would do it, and only those."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from console.core.blocks.base import (
    As,
    At,
    Block,
    Data,
    Expr,
    Leaf,
    Repeated,
    Say,
    Template,
    hidden,
    label_in,
    left_out,
)

SHOWN = 12
"""Changes that are shown at once; the others unfold."""
LOOK = ("type", "options", "widget", "currency", "minor", "references")


class Change(Repeated):
    """A change that no field shows, such as a sum."""

    label: Template = Field(description="What changes; {{ expressions }} are filled in")
    before: Expr = Field(description="Expression for what it is now")
    after: Expr = Field(description="Expression for what it will be")
    as_: As | None = Field(
        None, alias="as", description="How both are shown; none: as the fields that the expressions name"
    )
    currency: Expr | None = Field(
        None, description="Expression for the currency of money; none: that of the fields"
    )
    remark: Template | None = Field(None, description="What is said of it; {{ expressions }} are filled in")


class BeforeAfter(Block):
    """What will be different when the step is done."""

    nothing = "Nothing changes."
    foretells = True
    block: Literal["before_after"]
    foretold: bool = Field(
        True, description="Whether the fields that the step's own actions and updates change are listed"
    )
    changes: list[Change] = Field(
        default_factory=list, max_length=40, description="Further changes, computed"
    )

    def found(self, at: At) -> Data:
        """The further changes; those of the step stand on the screen as its consequences."""
        changes, total = at.parts("changes")
        made = [
            change.made(
                label=change.text("label"),
                before=change.leaf("before"),
                after=change.leaf("after"),
                remark=change.text("remark"),
            )
            for change in changes
        ]
        return {"foretold": self.foretold, "changes": made, **at.more("changes", total - len(made))}

    @classmethod
    def picture(cls, data: Data, say: Say) -> Data:
        """Groups of rows: those of each choice that changes something, then the further changes. `data["ways"]` are the consequences of the step."""
        ways: Sequence[Mapping[str, Any]] = data.get("ways") or ()
        rows = [
            row
            for row in (_in_words(change, say) for change in data["changes"])
            if row["hidden"] or row["before"] != row["after"]
        ]
        groups: list[dict[str, Any]] = [
            {"outcome": way.get("outcome"), "label": way.get("label"), "rows": _of_way(way, say)}
            for way in (ways if data["foretold"] else ())
        ]
        groups = [group for group in groups if group["rows"]]
        parts = _by_effect(ways[0], say) if len(ways) == 1 and groups else []
        alike = (
            len(groups) > 1
            and all(group["rows"] == groups[0]["rows"] for group in groups)
            and len(groups) == len(ways)
        )
        if parts:
            groups = [dict(part) for part in parts]
        if alike or (len(ways) == 1 and groups and not parts):
            groups = [{**groups[0], "label": None, "rows": [*groups[0]["rows"], *rows]}]
        elif rows:
            groups = [*groups, {"outcome": None, "label": None, "rows": rows}]
        return {"groups": groups, "shown": SHOWN, "left_out": left_out(data)}


def _in_words(change: Data, say: Say) -> Data:
    shut = hidden(change["before"], change["after"])
    sides = {side: "" if shut else say(change[side]) for side in ("before", "after")}
    return {
        "label": label_in(change, say),
        **sides,
        "remark": "" if shut else say(change.get("remark")),
        "hidden": shut,
        "later": False,
    }


def _by_effect(way: Mapping[str, Any], say: Say) -> list[Data]:
    """The fields by what is done, where it is more than one thing; else none."""
    parts = [
        (str(effect.get("summary") or ""), _of_way({"effects": [effect]}, say))
        for effect in way.get("effects", ())
    ]
    parts = [(summary, rows) for summary, rows in parts if rows]
    named = len(parts) > 1 and all(summary for summary, _ in parts)
    return (
        [{"outcome": None, "label": summary.rstrip("."), "rows": rows} for summary, rows in parts]
        if named
        else []
    )


def _of_way(way: Mapping[str, Any], say: Say) -> list[Data]:
    """The fields that this way changes."""
    rows = []
    for effect in way.get("effects", ()):
        if effect.get("left_out"):
            continue
        for field in effect.get("fields", ()):
            look = {name: field[name] for name in LOOK if field.get(name) is not None}
            sides: dict[str, Leaf] = {
                side: {"from": [], "value": field.get(name), "look": look}
                for side, name in (("before", "old"), ("after", "new"))
            }
            if field.get("masked"):
                rows.append({"label": str(field.get("label") or field["name"]), "hidden": True})
                continue
            later = bool(field.get("later"))
            if later or field.get("old") != field.get("new") or "old" not in field:
                before = say(sides["before"]) if "old" in field else ""
                label = str(field.get("label") or field["name"])
                rows.append(
                    {
                        "label": label,
                        "before": before,
                        "after": "" if later else say(sides["after"]),
                        "remark": "",
                        "hidden": False,
                        "later": later,
                    }
                )
    return rows
