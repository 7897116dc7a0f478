"""The way back in, for who has locked themselves out."""

import click

from console.auth import accounts

sign_in = click.Group("sign-in", help="How people sign in.")


@sign_in.command("open", epilog="Example: console sign-in open")
def open_again() -> None:
    """Let passwords in again, from every network: for when nobody gets in any more. Everything else stays as it is, and it is noted."""
    accounts.open_again(accounts.COMMAND_LINE)
    click.echo(
        "Passwords open the console again, from every network. Settings, Sign-in says how it should be"
    )


commands: list[click.Command] = [sign_in]
