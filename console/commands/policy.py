"""Commands about rights."""

from pathlib import Path

import click

from console.auth import access
from console.auth.access.labels import all_titles
from console.auth.access.policy_words import right
from console.auth.access.rows import line
from console.core.actor import COMMAND_LINE
from console.core.errors import DefinitionError
from console.permissions import rule_drafts, simulator

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

policy = click.Group("policy", help="Who may do what.")


@policy.command("export", epilog="Example: console policy export > policies/roles.csv")
def export() -> None:
    """Print the rights of all roles and people, in the form of policies/roles.csv."""
    click.echo(access.export(access.all_rows()), nl=False)


@policy.command("import", epilog="Example: console policy import roles.csv --dry-run")
@click.argument("file", type=FILE)
@click.option("--dry-run", is_flag=True, help="Only print what would change, and for how many people.")
@click.option("--note", default="", help="Why, for those who read the versions.")
def import_(file: Path, dry_run: bool, note: str) -> None:
    """Make the rules of a file those in force, as one version. Who has which role stays, unless the file has lines of people."""
    change = rule_drafts.compare(file.read_text(encoding="utf-8"), file.name)
    names = all_titles()
    for sign, row in rule_drafts.lines(change, names):
        click.echo(f"{sign} {line(row)}")
    previewed = rule_drafts.preview(COMMAND_LINE, change)
    for effect in previewed.effects:
        more, less, other = (len(ids) for ids in (effect.gained, effect.lost, effect.otherwise))
        click.echo(f"  {right(effect.obj, effect.act, names)}: {more} more, {less} less, {other} otherwise")
    click.echo(
        f"{len(change.added)} to come, {len(change.removed)} to go; something changes for {previewed.touched} of {previewed.people} people"
    )
    if not dry_run:
        click.echo(
            f"published as version {rule_drafts.publish_file(COMMAND_LINE, change, note or f'Import of {file.name}')}"
        )


@policy.command("check", epilog="Example: console policy check roles.csv")
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Say what is wrong in a file of rules: lines, conditions, and names that this console does not know."""
    rows = access.parse(file.read_text(encoding="utf-8"), file.name)
    wrong = rule_drafts.problems(rows)
    for problem in wrong:
        click.echo(problem)
    if wrong:
        raise DefinitionError(f"{file.name}: {len(wrong)} {'problem' if len(wrong) == 1 else 'problems'}")
    click.echo(f"{file.name}: {len(rows)} rows, nothing wrong")


@policy.command("why", epilog="Example: console policy why olivia@example.com update collection:customer 17")
@click.argument("email")
@click.argument("act")
@click.argument("obj", metavar="OBJECT")
@click.argument("key", default="")
def why(email: str, act: str, obj: str, key: str) -> None:
    """Say whether a person may do something, which rule decided, and what would have to change."""
    answer = simulator.attempt(COMMAND_LINE, email, act, obj, key=key)
    click.echo(answer.said)
    if answer.deciding:
        click.echo(f"  decided by {answer.deciding.line}")
    for rule in answer.rules:
        values = ", ".join(f"{path} = {value}" for path, value in rule.values)
        click.echo(f"  {rule.line}: {rule.verdict}{f' ({values})' if values else ''}")
    for change in answer.change:
        click.echo(f"  {change}")


commands: list[click.Command] = [policy]
