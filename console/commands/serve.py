"""`console serve`: the command's words; the work is the supervisor's."""

import os
import sys

import click


@click.command(
    "serve", context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Serve pages and API, with a worker and the embedded database."""
    # In place of this process, not inside it: what the command line loaded would stay in memory for as long as the console serves.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", "console.infra.processes.supervisor", *arguments])  # noqa: S606 (a list, no shell, is what is wanted)


commands: list[click.Command] = [serve]
