"""Commands about people."""

import click

from console import accounts

user = click.Group("user", help="People who may sign in.")


@user.command("create", epilog="Example: console user create ana@example.com --role lead --team operations --name 'Ana Ilić'")
@click.argument("email")
@click.option(
    "--role", required=True, help="A role of the policy: operator, lead, reviewer, auditor, developer, admin, or one of your own."
)
@click.option("--team", required=True, help="The team in which the role is held; made when it is not there.")
@click.option("--name", default="", help="As colleagues see it; without it, made from the address.")
def create(email: str, role: str, team: str, name: str) -> None:
    """Enter a person, and print the password that they sign in with for the first time: it is said only now."""
    made = accounts.create_person(email, role=role, team=team, name=name)
    click.echo(f"{made.person.email}  {made.password}  {made.person.name}, {role}, {made.person.teams[0]}")


@user.command("password", epilog="Example: console user password ana@example.com")
@click.argument("email")
def password(email: str) -> None:
    """Give a person a new password and print it: it is said only now. Wherever they are signed in, they are signed out."""
    person = accounts.person_of_email(email)
    click.echo(f"{person.email}  {accounts.set_password(person.id)}")


@user.command("disable", epilog="Example: console user disable ana@example.com")
@click.argument("email")
def disable(email: str) -> None:
    """Close an account: its sessions end, its keys open nothing. What the person did stays theirs in the log."""
    person = accounts.person_of_email(email)
    accounts.disable_person(person.id)
    click.echo(f"{person.email} can no longer sign in")


@user.command("list", epilog="Example: console user list")
def listing() -> None:
    """Everybody, with their roles."""
    for person in accounts.people():
        roles = ", ".join(role if team == "*" else f"{role} in {team}" for role, team in sorted(person.roles))
        click.echo(f"{person.email}  {person.name}  {roles or 'no role'}{'  closed' if person.disabled else ''}")


commands: list[click.Command] = [user]
