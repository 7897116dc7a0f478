"""`console doctor`: what is missing or misconfigured, and how to mend it."""

import json
import sys

import click


@click.command("doctor", epilog="Example: console doctor --format json")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json also tells the database's URLs, with passwords.",
)
def doctor(form: str) -> None:
    """Look at settings, folder, keys, database and processes; ends with 1 if something has to be mended."""
    from console.infra.db import release
    from console.operations import doctor as surgery

    release.refusing = False  # it says so itself, among the rest
    checks = surgery.examine()
    if form == "json":
        click.echo(json.dumps(checks, indent=1, ensure_ascii=False))
    else:
        for check in checks["checks"]:
            click.echo(
                f"{'ok  ' if check['ok'] else 'MEND'}  {check['name']}: {check['message']}"
                + (f"\n      {check['fix']}" if check["fix"] else "")
            )
    sys.exit(0 if checks["ok"] else 1)


commands: list[click.Command] = [doctor]
