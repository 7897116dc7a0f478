"""`console subject erase`: what is held about a person is made unreadable."""

import click
from sqlalchemy.exc import SQLAlchemyError

from console.core.actor import COMMAND_LINE
from console.infra.db import tidying
from console.operations import erasure

UNANSWERED = "Its data source does not answer, so nobody knows what the person is called: lists that people saved under the name stay. Better wait until it answers."

subject = click.Group("subject", help="People whose data the console holds.")


@subject.command(
    "erase", epilog="Example: console subject erase customer 17 --reason 'Asked by letter of 3 November'"
)
@click.argument("collection")
@click.argument("key")
@click.option("--reason", required=True, help="Why; kept in the log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(collection: str, key: str, reason: str, yes: bool) -> None:
    """Erase what is held about the person behind the record KEY of COLLECTION. The record itself stays: it is in your own database."""
    previewed = erasure.preview(COMMAND_LINE, collection, key)
    events, runs = (
        f"{many} {word}{'s' if many != 1 else ''}"
        for many, word in ((previewed.events, "event"), (len(previewed.runs), "run"))
    )
    warning = f"Gone would be the values of {events} and the texts of {runs}. Nobody can bring them back."
    if not previewed.answered:
        click.echo(UNANSWERED, err=True)
    if not yes:
        click.confirm(f"{warning} Erase?", abort=True, err=True)
    receipt = erasure.erase(COMMAND_LINE, collection, key, reason)
    _tidy()
    click.echo(
        f"erased {receipt.subject}: values of {receipt.events} events, texts of {receipt.runs} runs, {receipt.at}"
    )


@subject.command("tidy", epilog="Example: console subject tidy")
def tidy() -> None:
    """Let the database tidy up at once what was erased on pages: it does so by itself too, some time later."""
    if _tidy():
        click.echo(
            "tidied up: no row or sample of the tables has it; their pages are free to be written again, and may hold its bytes until then"
        )


def _tidy() -> bool:
    """Whether the database tidied up; where it could not, a line says so."""
    try:
        tidying.tidy()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        click.echo(
            f"The database could not tidy up now ({reason}); it does so by itself some time later.", err=True
        )
        return False
    return True


commands = [subject]
