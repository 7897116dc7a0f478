"""Commands about absences."""

from datetime import datetime

import click

from console.auth import accounts
from console.auth.accounts import absences
from console.auth.accounts.absences import Absence
from console.core.errors import NotFound
from console.work import substitutions

absence = click.Group("absence", help="Days on which people are away, and who stands in for them.")
DAY = click.DateTime(formats=["%Y-%m-%d"])


@absence.command(
    "plan",
    epilog="Example: console absence plan ana@example.com --first 2027-01-11 --last 2027-01-22 --substitute mona@example.com",
)
@click.argument("email")
@click.option("--first", required=True, type=DAY, help="The first day, in the person's own time zone.")
@click.option("--last", required=True, type=DAY, help="The last day, itself included.")
@click.option("--substitute", required=True, help="The address of who stands in; they get no right by it.")
def plan(email: str, first: datetime, last: datetime, substitute: str) -> None:
    """Say when a person is away and who stands in: what asks for the person is told to the substitute too."""
    person = accounts.person_of_email(email)
    kept = absences.plan(
        accounts.COMMAND_LINE, person.id, first=first.date(), last=last.date(), substitute=substitute
    )
    click.echo(_line(kept))
    if left := substitutions.undecidable(accounts.COMMAND_LINE, person.id, kept.substitute):
        click.echo(
            f"{kept.substitute_name} may not give the approvals that are asked for in: {', '.join(left)}"
        )


@absence.command("list", epilog="Example: console absence list ana@example.com")
@click.argument("email", required=False)
def listing(email: str | None) -> None:
    """Present and coming absences of a person; without one, everybody who is away now."""
    found = (
        absences.people_away().values()
        if email is None
        else absences.absences_of(accounts.COMMAND_LINE, accounts.person_of_email(email).id)
    )
    for each in sorted(found, key=lambda one: (one.first, one.person_name)):
        click.echo(_line(each))


@absence.command("end", epilog="Example: console absence end ana@example.com --first 2027-01-11")
@click.argument("email")
@click.option(
    "--first",
    type=DAY,
    help="The first day of the absence; without it, the one that is under way or comes next.",
)
def end(email: str, first: datetime | None) -> None:
    """Take an absence back, or end it early: from now on nothing goes to the substitute."""
    person = accounts.person_of_email(email)
    known = absences.absences_of(accounts.COMMAND_LINE, person.id)
    found = next((each for each in known if first is None or each.first == first.date()), None)
    if found is None:
        raise NotFound(f"{person.email} has no such absence: console absence list {person.email}")
    absences.take_back(accounts.COMMAND_LINE, found.id)
    click.echo(f"{found.person_name} is no longer away from {found.first} to {found.last}")


def _line(found: Absence) -> str:
    return f"{found.first}  {found.last}  {found.person_name}  {found.substitute_name} stands in"


commands: list[click.Command] = [absence]
