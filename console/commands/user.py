"""Commands about people."""

import click

from console.auth import accounts
from console.infra import settings

user = click.Group("user", help="People who may sign in.")


@user.command(
    "create",
    epilog="Example: console user create ana@example.com --role lead --team operations --name 'Ana Ilić'",
)
@click.argument("email")
@click.option(
    "--role",
    required=True,
    help="A role of the policy: operator, lead, reviewer, auditor, developer, admin, or one of your own.",
)
@click.option("--team", required=True, help="The team in which the role is held; made when it is not there.")
@click.option("--name", default="", help="As colleagues see it; without it, made from the address.")
@click.option(
    "--service", is_flag=True, help="A service account: nobody signs in to it, runs and API keys act as it."
)
def create(email: str, role: str, team: str, name: str, service: bool) -> None:
    """Enter a person, and print the password that they sign in with for the first time: it is said only now."""
    if service:
        account = accounts.create_service_account(
            email, [(role, accounts.team_id(team))], name=name, makes_team=True
        )
        click.echo(f"{account.email}  {account.name}, {role}, {account.teams[0]}")
        return
    created = accounts.create_person(email, role=role, team=team, name=name)
    click.echo(
        f"{created.person.email}  {created.password}  {created.person.name}, {role}, {created.person.teams[0]}"
    )


@user.command("invite", epilog="Example: console user invite ana@example.com --role lead --team operations")
@click.argument("email")
@click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    help="A role; given several times, each in the team beside it, or all in the one that is named.",
)
@click.option("--team", "teams", required=True, multiple=True, help="The team in which the role is held.")
def invite(email: str, roles: tuple[str, ...], teams: tuple[str, ...]) -> None:
    """Invite somebody to choose a name and a password of their own. Prints the link, said only now, or where mail goes out that it went."""
    if len(teams) not in (1, len(roles)):
        raise click.BadParameter("takes one team, or as many as there are roles", param_hint="--team")
    places = teams * len(roles) if len(teams) == 1 else teams
    sent = accounts.invite(accounts.COMMAND_LINE, email, zip(roles, places, strict=True))
    if sent.mailed:
        click.echo(f"An invitation went to {sent.email}")
        return
    if sent.trouble:
        click.echo(f"The letter did not go out: {sent.trouble}", err=True)
    base = settings.current().base_url
    if base is None:
        click.echo(
            "CONSOLE_BASE_URL is not set: put the address of the console before what follows", err=True
        )
    click.echo(f"{base or ''}{sent.path}")


@user.command("enable", epilog="Example: console user enable ana@example.com")
@click.argument("email")
def enable(email: str) -> None:
    """Open a closed account again, with the roles that it had."""
    person = accounts.person_of_email(email)
    accounts.enable_person(accounts.COMMAND_LINE, person.id)
    click.echo(f"{person.email} can sign in again")


@user.command("remove", epilog="Example: console user remove ana@example.com --confirm 'CONFIRM REMOVE'")
@click.argument("email")
@click.option("--confirm", required=True, help="CONFIRM REMOVE, as it stands here.")
def remove(email: str, confirm: str) -> None:
    """Take an account away: its address is free again. What the person did stays in the log under their name."""
    person = accounts.person_of_email(email)
    accounts.remove_person(accounts.COMMAND_LINE, person.id, confirm)
    click.echo(f"{person.email} is removed")


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


@user.command("reset-factor", epilog="Example: console user reset-factor ana@example.com")
@click.argument("email")
def reset_factor(email: str) -> None:
    """Take away the second factor of who has lost telephone and recovery codes; their sessions end. Make sure first who is asking."""
    person = accounts.person_of_email(email)
    accounts.reset_factor(accounts.COMMAND_LINE, person.id)
    click.echo(f"{person.email} signs in without a second factor, and sets up a new one where it is required")


@user.command("list", epilog="Example: console user list")
def listing() -> None:
    """Everybody, with their roles."""
    for person in accounts.people():
        roles = ", ".join(role if team == "*" else f"{role} in {team}" for role, team in sorted(person.roles))
        state = ("  service account" if person.service else "") + (
            "  removed" if person.removed else "  closed" if person.disabled else ""
        )
        click.echo(f"{person.email or '–'}  {person.name}  {roles or 'no role'}{state}")


commands: list[click.Command] = [user]
