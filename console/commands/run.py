"""`console run start`: begin a run from the command line."""

import click

from console.auth import accounts
from console.automation import enrolments

run = click.Group("run", help="Runs of workflows.")


@run.command(
    "start", epilog="Example: console run start kyc-review customer 17 --user olivia@fernwick.example"
)
@click.argument("workflow")
@click.argument("collection")
@click.argument("key")
@click.option("--user", "email", required=True, help="E-mail of the person who starts it and holds it.")
@click.option(
    "--input",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A field of the start step; may be given several times.",
)
def start(workflow: str, collection: str, key: str, email: str, given: tuple[str, ...]) -> None:
    """Begin a run of WORKFLOW on the record KEY of COLLECTION, with the rights of a person. Prints the run's id."""
    person = accounts.person_of_email(email)
    values = dict(pair.partition("=")[::2] for pair in given)
    click.echo(
        enrolments.start(
            accounts.actor_of_person(person.id, f"cli:{person.id}"), workflow, collection, key, values
        )
    )


commands = [run]
