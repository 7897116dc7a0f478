"""Days on which people are away, and who stands in for them, as JSON."""

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from pydantic import Field

from console.auth.accounts import absences
from console.core.errors import NotFound
from console.views.api.operation import Done, Example, Paged, Sent, named, operation, page_of, read
from console.views.api.shapes import AbsenceKept, AbsencePlanned, Listed
from console.views.browse.list_filters import day_of
from console.work import substitutions

blueprint = Blueprint("api_absences", __name__, url_prefix="/api/v1/people/<person_id>/absences")

PERSON = {"person_id": "usr_01j0000000000000000000000a"}


class NewAbsence(Sent):
    """Days on which the person is away, both ends included, in their own zone."""

    first: str = Field(description="The first day, as 2026-12-21")
    last: str = Field(description="The last day")
    substitute: str = Field(description="Address of whoever stands in; they get no right by it")


def _kept(_done: Done) -> dict[str, Any]:
    """Return the absence as it is now. Raises NotFound where it was taken back since."""
    sent, person = read(NewAbsence), named("person_id")
    for absence in absences.absences_of(g.actor, person):
        if absence.first == day_of(sent.first):
            return _with_undecidable(absence)
    raise NotFound("The absence was taken back since.")


def _with_undecidable(kept: absences.Absence) -> dict[str, Any]:
    """Return the absence with the approvals that nobody gives meanwhile."""
    return {**kept.to_json(), "undecidable": substitutions.undecidable(g.actor, kept.person, kept.substitute)}


@blueprint.get("")
@operation(
    "listAbsences", "own", Listed[AbsencePlanned], query=Paged, refuses=(403,), example=Example(PERSON)
)
def every(person_id: str) -> ResponseReturnValue:
    """Present and coming absences of a person, the next first: one's own, or of others for those who manage people."""
    return page_of(absences.absences_of(g.actor, person_id))


@blueprint.post("")
@operation(
    "planAbsence",
    "own",
    {201: AbsenceKept},
    body=NewAbsence,
    again=_kept,
    example=Example(
        PERSON,
        body={"first": "2027-01-11", "last": "2027-01-22", "substitute": "mona@fernwick.example"},
    ),
)
def plan(person_id: str) -> ResponseReturnValue:
    """Say when a person is away and who stands in: of oneself, or of others for those who manage people. 409 `away_already`."""
    sent = read(NewAbsence)
    made = absences.plan(
        g.actor, person_id, first=day_of(sent.first), last=day_of(sent.last), substitute=sent.substitute
    )
    return _with_undecidable(made), 201


@blueprint.delete("/<absence_id>")
@operation(
    "takeBackAbsence",
    "own",
    {204: None},
    example=Example(PERSON | {"absence_id": "abs_01j0000000000000000000000a"}),
)
def take_back(person_id: str, absence_id: str) -> ResponseReturnValue:
    """Take an absence back, or end it early."""
    absences.take_back(g.actor, absence_id, person_id)
    return "", 204
