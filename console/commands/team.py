"""Commands about teams."""

import click

from console.auth import accounts
from console.auth.accounts import teamwork

team = click.Group("team", help="Teams: whom people work with, and where roles are held.")


@team.command("create", epilog="Example: console team create 'Financial Crime' --lead malik@example.com")
@click.argument("name")
@click.option("--description", default="", help="What the team is there for, in a sentence.")
@click.option("--lead", default="", help="The address of who leads it; it gives no right.")
def create(name: str, description: str, lead: str) -> None:
    """Make a team, and print the id by which files and rules name it."""
    click.echo(teamwork.create(accounts.COMMAND_LINE, name, description, lead))


@team.command("rename", epilog="Example: console team rename financial_crime 'Financial Crime and Fraud'")
@click.argument("team_id")
@click.argument("name")
def rename(team_id: str, name: str) -> None:
    """Call a team otherwise. Its id stays, and with it every file and rule that names it."""
    teamwork.change(accounts.COMMAND_LINE, team_id, name=name)
    click.echo(f"{team_id} is called {name.strip()}")


@team.command("list", epilog="Example: console team list")
def listing() -> None:
    """Every team: id, name, how many members, workflows and inboxes it has."""
    for each, sizes in teamwork.list_teams(accounts.COMMAND_LINE):
        archived = "  archived" if each.archived else ""
        sized = (
            (sizes.members, "member", "members"),
            (sizes.workflows, "workflow", "workflows"),
            (sizes.inboxes, "inbox", "inboxes"),
        )
        counts = ", ".join(f"{count} {singular if count == 1 else many}" for count, singular, many in sized)
        click.echo(f"{each.id}  {each.name}  {counts}{archived}")


@team.command("archive", epilog="Example: console team archive growth")
@click.argument("team_id")
def archive(team_id: str) -> None:
    """Put a team away; what was done in it stays. It must have no live run, workflow or inbox, and nobody in it."""
    teamwork.archive(accounts.COMMAND_LINE, team_id)
    click.echo(f"{team_id} is archived")


commands: list[click.Command] = [team]
