"""`console rebuild`: the rows of runs from the log again."""

import click

from console import runs


@click.command("rebuild", epilog="Example: console rebuild --check")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--check", is_flag=True, help="Only compare.")
@click.pass_context
def rebuild(context: click.Context, run_id: str | None, check: bool) -> None:
    """Make the rows of one run, or of all, what the log tells. Names each difference found, and then exits 1."""
    found = 0
    for difference in runs.rebuild(run_id, check=check):
        found += 1
        click.echo(str(difference))
    if not found:
        click.echo("The rows are what the log tells.")
        return
    click.echo(f"{found} {'difference' if found == 1 else 'differences'}{'' if check else ', mended'}.", err=True)
    context.exit(1)


commands = [rebuild]
