"""`console retention`: how long values are kept."""

import click

from console.operations import retention as keeping


@click.command("retention", epilog="Example: console retention --dry-run")
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
def retention(*, dry_run: bool) -> None:
    """Delete the values that are past the limits of CONSOLE_KEEP_…_DAYS; the events stay, and the log says what went. The worker does it once a day."""
    deletions = keeping.due_deletions() if dry_run else keeping.expire()
    for due in deletions:
        kept = f", {due.held:,} more are on hold (`console hold list`)" if due.held else ""
        click.echo(
            f"{due.category}, {due.days} days: values of {due.events:,} events {'would go' if dry_run else 'deleted'}{kept}"
        )
    if not deletions:
        click.echo(
            "No limit is set (CONSOLE_KEEP_RUNS_DAYS and others), or another process is at it: nothing to do."
        )


commands: list[click.Command] = [retention]
