"""Commands about secrets that steps and actions show to other systems."""

import sys

import click

from console.actions import secret_settings
from console.core.actor import COMMAND_LINE

secret = click.Group("secret", help="Secrets that steps and actions show to other systems.")


@secret.command("list", epilog="Example: console secret list")
def list_() -> None:
    """Every secret by name: where it may go, and what names it. None is shown."""
    for each in secret_settings.list_secrets(COMMAND_LINE):
        kept = "" if each.secret.kept else "  in the settings of the server"
        used = f"  used by {', '.join(each.used_by)}" if each.used_by else "  not used"
        click.echo(f"{each.secret.name}  {' '.join(each.secret.hosts) or 'nowhere'}{used}{kept}")
    for name, users in secret_settings.missing(COMMAND_LINE).items():
        click.echo(f"{name}  is not there, and {', '.join(users)} cannot do without it")


@secret.command("set", epilog="Example: console secret set bank --hosts api.bank.example < bank.key")
@click.argument("name")
@click.option("--hosts", required=True, help="Where it may go, with commas between.")
@click.option("--keep", is_flag=True, help="Keep the secret and only take hosts away; nothing is read.")
def set_(name: str, hosts: str, keep: bool) -> None:
    """Set the secret NAME from the first line of the standard input. It is sealed, and nobody is shown it again."""
    text = "" if keep else sys.stdin.readline().strip()
    if not keep and not text:
        raise click.UsageError("The secret is read from the standard input, and nothing came.")
    secret_settings.save(COMMAND_LINE, name, text, hosts)
    click.echo(f"{name} is set")


@secret.command("delete", epilog="Example: console secret delete bank")
@click.argument("name")
def delete(name: str) -> None:
    """Remove the secret NAME. What names it cannot ask the other system any more."""
    secret_settings.remove(COMMAND_LINE, name)
    click.echo(f"{name} is removed")


commands: list[click.Command] = [secret]
