"""`console worker`: one more background worker, here or on another machine."""

import click


@click.command("worker", epilog="Example: console worker")
def worker() -> None:
    """Do the work of the background until told to stop: the order of the log, idle runs, what a crash left. Any number may run."""
    from console import settings, worker as door

    settings.current().check_keys()
    door.main()


commands: list[click.Command] = [worker]
