"""Commands about rights."""

import click

from console import access

policy = click.Group("policy", help="Who may do what.")


@policy.command("export", epilog="Example: console policy export > policies/roles.csv")
def export() -> None:
    """Print the rights of all roles and people, in the form of policies/roles.csv."""
    click.echo(access.export(access.all_rows()), nl=False)


commands: list[click.Command] = [policy]
