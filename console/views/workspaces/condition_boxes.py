"""The boxes of a component that are made of rows of conditions: those of its records, when it is shown, and the stages of a funnel."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from console.core.documents.collections import Field
from console.core.documents.collections.condition_rows import every_field
from console.core.documents.workspaces import Workspace
from console.core.errors import Invalid
from console.views.workspaces import condition_lines
from console.views.workspaces.chosen_paths import condition_groups
from console.views.workspaces.condition_lines import Rows, fields_of

MOST_STAGES = 12
MOST_FIELDS = 200
EACH_ITSELF = ("where", "part")
"""Boxes whose rows are an expression each."""
NAMES = (*EACH_ITSELF, "visible_if", "stages")
Groups = Mapping[str, Mapping[str, Field]]
NO_NAME = "Say what the stage is called."
NO_CONDITION = "Say which records reach the stage."


@dataclass(frozen=True, slots=True)
class StageRows:
    """A stage of a funnel as it is drawn. `name` is that of its boxes, `error` what its name lacks."""

    name: str
    label: str
    rows: Rows
    error: str = ""


def read(name: str, document: Workspace, form: MultiDict[str, str], before: Any) -> Any:
    """What the form says of this box; `before` is what the document says."""
    if name == "visible_if":
        return condition_lines.read_joined(name, form, _fields(name, document, form), str(before or ""))
    if name == "stages":
        former = list(before or ())
        return [_stage(at, number, form, former) for number, at in enumerate(_sent_stages(form) or ())]
    lines = [line.strip() for line in form.get(name, "").splitlines() if line.strip()]
    return condition_lines.read(name, form, lines)


def check(part: str, document: Workspace, form: MultiDict[str, str]) -> None:
    """Raises Invalid, naming the boxes of the component, where a row lacks something."""
    details = []
    for name in NAMES:
        at = _sent_stages(form) or [] if name == "stages" else [name]
        wrong = [
            reason
            for each in at
            for reason in condition_lines.wrong_rows(each, form, _fields(name, document, form))
        ]
        for stage in (_stage(each, 0, form, ()) for each in at if name == "stages" and not wrong):
            wrong += [NO_NAME] if not stage["label"] else [NO_CONDITION] if not stage["where"] else []
        details += [{"field": f"{part}.{name}", "reason": reason} for reason in wrong]
    if details:
        raise Invalid(details[0]["reason"], details=details)


def box_rows(
    name: str,
    document: Workspace,
    own: Mapping[str, Any],
    form: MultiDict[str, str] | None,
    sources: condition_lines.Groups,
    *,
    refused: bool,
) -> Rows:
    """The rows of the box."""
    alone = name == "visible_if"
    groups = condition_groups(document, MOST_FIELDS) if alone else _groups(str(own.get("collection") or ""))
    return condition_lines.condition_box(
        name, own.get(name) or ("" if alone else ()), groups, form, sources, refused=refused
    )


def stages(
    own: Mapping[str, Any],
    form: MultiDict[str, str] | None,
    sources: condition_lines.Groups,
    *,
    refused: bool,
) -> list[StageRows]:
    """The stages as they were sent, else those of the document; two at least."""
    stored, sent = list(own.get("stages") or ()), _sent_stages(form) if form is not None else None
    groups, found = _groups(str(own.get("collection") or "")), list[StageRows]()
    for number in range(max(2, len(stored) if sent is None else len(sent))):
        known = stored[number] if number < len(stored) else {"label": "", "where": ""}
        at = sent[number] if sent is not None and number < len(sent) else ""
        label = form.get(f"{at}.label", "") if form is not None and at else str(known["label"])
        lines = condition_lines.condition_box(
            at or f"stages.{number}",
            str(known["where"]),
            groups,
            form if at else None,
            sources,
            refused=refused,
        )
        if not lines.shown:  # a stage has a condition
            blank = MultiDict({f"stages.{number}.0.field": ""})
            lines = condition_lines.condition_box(f"stages.{number}", "", groups, blank, sources)
        lacks = (
            ""
            if not refused or not at
            else NO_NAME
            if not label.strip()
            else ""
            if known["where"] or lines.refused
            else NO_CONDITION
        )
        found.append(StageRows(f"stages.{number}", label, lines, lacks))
    return found


def _sent_stages(form: MultiDict[str, str]) -> list[str] | None:
    """The names of the boxes of each stage in a sent form, in order, with one more, one less or one moved where a button says so; None without any."""
    numbers = sorted(
        {int(key.split(".")[1]) for key in form if re.fullmatch(r"stages\.[0-9]{1,3}\.label", key)}
    )
    act, _, number = form.get("do", "").removeprefix("stages.").partition(".")
    own = form.get("do", "").startswith("stages.") and act in ("add", "without", "up")
    if own and act == "without" and number.isdecimal():
        numbers = [each for each in numbers if each != int(number)]
    if own and act == "up" and number.isdecimal() and int(number) in numbers[1:]:
        at = numbers.index(int(number))
        numbers[at - 1 : at + 1] = [numbers[at], numbers[at - 1]]
    if own and act == "add" and len(numbers) < MOST_STAGES:
        numbers.append(max(numbers, default=-1) + 1)
    return [f"stages.{each}" for each in numbers] if numbers or own else None


def _stage(
    at: str, number: int, form: MultiDict[str, str], former: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    before = next(
        (str(each["where"]) for each in former if each["label"] == form.get(f"{at}.label", "").strip()), ""
    )
    before = before or (str(former[number]["where"]) if number < len(former) else "")
    where = condition_lines.read_joined(at, form, fields_of(form.get("collection", "")), before)
    return {"label": form.get(f"{at}.label", "").strip(), "where": where}


def _fields(name: str, document: Workspace, form: MultiDict[str, str]) -> Mapping[str, Field]:
    return (
        every_field(condition_groups(document, MOST_FIELDS))
        if name == "visible_if"
        else fields_of(form.get("collection", ""))
    )


def _groups(collection: str) -> Groups:
    return {"": fields_of(collection)}
