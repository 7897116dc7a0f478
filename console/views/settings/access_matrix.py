"""Permissions: the matrix of roles and rights, one person's part of it, and the simulator."""

from typing import Any

from flask import Blueprint, Response, request

from console.auth import access, accounts
from console.auth.access import policy_words
from console.auth.access.labels import all_titles
from console.auth.access.rows import ACTS, EVERY, WHOLE
from console.core import expressions
from console.core.errors import ConsoleError, Invalid, NotAllowed
from console.permissions import matrix, simulator
from console.views import downloads, frame
from console.views.forms import Form
from console.views.settings import area

blueprint = Blueprint("access_matrix", __name__, url_prefix="/settings/access")

TITLES = {
    "collection": "Collections",
    "action": "Actions",
    "workflow": "Workflows",
    "inbox": "Inboxes",
    "account": "Service accounts",
    "label": "Confidential access",
    "console": "The console",
}
MOST_PEOPLE = 2_000
CHOOSE = [("", "Choose")]
LINES = 50
"""Objects on a page of the matrix."""


@blueprint.get("")
def show() -> Response:
    """The matrix: `?kind=` of objects, `?team=`, `?q=` part of a name, `?person=` for one person's rights, `?changes=1` with the last change."""
    access.require(frame.actor(), None, "policy", "manage")
    filters = {
        name: request.args.get(name, "").strip() for name in ("kind", "team", "q", "person", "changes")
    }
    kind = filters["kind"] if filters["kind"] in matrix.KINDS else matrix.KINDS[0]
    people = [person for person in accounts.people() if not person.disabled]
    teams = accounts.teams()
    team = filters["team"] if filters["team"] in {team.id for team in teams} else ""
    person = next(
        (
            person
            for person in people
            if filters["person"] in (person.id, person.email, person.name) and filters["person"]
        ),
        None,
    )
    query = {"place": team, "q": filters["q"], "person": person.id if person else ""}
    table = matrix.table(frame.actor(), kind, **query, begin=(area.page_number() - 1) * LINES, most=LINES)
    if not table.lines and table.total:  # a page after the last one
        table = matrix.table(
            frame.actor(), kind, **query, begin=(table.total - 1) // LINES * LINES, most=LINES
        )
    context = {
        "matrix": table,
        "pager": area.pager(table.total, LINES),
        "kinds": [
            (name, TITLES[name], frame.present_address(kind=name, page=None), name == kind)
            for name in matrix.KINDS
        ],
        "teams": teams,
        "people": people[:MOST_PEOPLE],
        "person": person,
        "told": filters | {"kind": kind, "team": team},
        "unknown": filters["person"] if filters["person"] and person is None else "",
        "act_words": policy_words.act,
        "changed_at": None
        if person or kind == "label"
        else lambda column, line: _rules_address(column, line, team),
        "said": lambda row: policy_words.rule(row, table.names),
        "names": {person.id: person.name for person in accounts.people()},
        "export": frame.with_query(
            "/settings/access/export.csv", {"team": team or None, "person": person.id if person else None}
        ),
    }
    return area.page("settings/access.html", "access", context)


def _rules_address(column: matrix.Column, line: matrix.Line, team: str) -> str:
    """Return where the role's rules on the object are changed: in the team that is looked at, those on the console itself everywhere."""
    place = EVERY if line.obj in WHOLE or not team else f"t:{team}"
    return frame.with_query(f"{column.href}/on", {"object": line.obj, "place": place})


@blueprint.get("/export.csv")
def export() -> Response:
    """Download the whole matrix as CSV."""
    access.require(frame.actor(), None, "policy", "manage")
    team, person = request.args.get("team", ""), request.args.get("person", "")
    lines = list(matrix.as_csv(frame.actor(), place=team, person=person))
    query = {name: value for name, value in (("team", team), ("person", person)) if value}
    return downloads.csv_text(frame.actor(), "rights.csv", "".join(lines), len(lines) - 1, filter=query)


@blueprint.get("/try")
def attempt() -> Response:
    """The simulator: `?person=` an id or an address, `?act=`, `?object=`, `?record=` a key, `?run=` an id, `?amount=` and such as `input.<name>=`."""
    access.require(frame.actor(), None, "policy", "manage")
    question = {
        name: request.args.get(name, "").strip() for name in ("person", "act", "object", "record", "run")
    }
    typed = {
        name.removeprefix("input."): _typed(value)
        for name, value in request.args.items()
        if name.startswith("input.") and value.strip()
    }
    names = all_titles()
    tried: simulator.Tried | None = None
    error: ConsoleError | None = None
    if question["person"] and question["object"] and question["act"]:
        try:
            tried = simulator.attempt(
                frame.actor(),
                question["person"],
                question["act"],
                question["object"],
                key=question["record"],
                run=question["run"],
                typed=typed or None,
            )
        except NotAllowed:
            raise
        except ConsoleError as refused:
            error = refused
    elif any(question.values()):
        error = ConsoleError("Say who, what and on what.")
    rows, inputs = access.all_rows(), _inputs(question["object"])
    acts = {kind: policy_words.offered(kind) for kind in ACTS if kind != "field" and kind not in WHOLE}
    acts["the console"] = sorted({act for kind in WHOLE for act in ACTS[kind]}, key=policy_words.act)
    values = question | {f"input.{name}": request.args.get(f"input.{name}", "") for name in inputs}
    context: dict[str, Any] = {
        "form": Form(
            [],
            values,
            "Try",
            method="get",
            css="card pad form",
            submit_more={"data-key": "ctrl+enter"},
            error=error,
        ),
        "inputs": inputs,
        "tried": tried,
        "people": [(person.email, person.name) for person in accounts.people() if not person.disabled][
            :MOST_PEOPLE
        ],
        "objects": {"": CHOOSE}
        | {
            TITLES[kind]: [
                (obj, _capitalised(names.object(obj)))
                for obj in matrix.objects(frame.actor(), kind, rows, names)
            ]
            for kind in matrix.KINDS
        },
        "acts": {"": CHOOSE}
        | {
            kind.capitalize(): [(act, _capitalised(policy_words.act(act))) for act in offered]
            for kind, offered in acts.items()
        },
    }
    return area.page(
        "settings/try.html",
        "access",
        context,
        heading="Try",
        status=422 if isinstance(error, Invalid) else 200,
    )


def _capitalised(words: str) -> str:
    return words[:1].upper() + words[1:]


def _inputs(obj: str) -> list[str]:
    """Return the fields of the action's form that its rules' conditions use."""
    texts = {row.expression for row in access.all_rows() if row.obj == obj and row.expression}
    return sorted(
        {
            path[1]
            for text in texts
            for path in expressions.paths(expressions.parse(text))
            if path[0] == "input" and len(path) > 1
        }
    )


def _typed(value: str) -> Any:
    """Return the text of a box, as a number if it is one."""
    plain = value.strip()
    return int(plain) if plain.lstrip("-").isdigit() and len(plain) < 16 else plain
