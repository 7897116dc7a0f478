"""`console rebuild`: what is derived from the log made from it again: the rows of runs, the list of events, the tree over them."""

from itertools import chain

import click

from console import runs
from console.activity import integrity, sequencing
from console.automation import enrolments


@click.command("rebuild", epilog="Example: console rebuild --check")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--check", is_flag=True, help="Only compare.")
@click.pass_context
def rebuild(context: click.Context, run_id: str | None, check: bool) -> None:
    """Make the rows of one run, or of all with the list of events and the tree over them, what the log tells. Names each difference found, and then exits 1."""
    differences = 0
    whole = [] if run_id else integrity.rebuild(sequencing.COMMAND_LINE, check=check)
    for difference in chain(
        whole, runs.rebuild(run_id, check=check), [] if run_id else enrolments.counts.rebuild(check=check)
    ):
        differences += 1
        click.echo(str(difference))
    if not differences:
        click.echo("The rows are what the log tells.")
        return
    click.echo(
        f"{differences} {'difference' if differences == 1 else 'differences'}{'' if check else ', mended'}.",
        err=True,
    )
    context.exit(1)


commands = [rebuild]
