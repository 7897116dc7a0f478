"""`console worker`: one more background worker, here or on another machine."""

import click


@click.command("worker", epilog="Example: console worker --concurrency 8")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    metavar="N",
    help="How many jobs are done at once.",
)
def worker(*, concurrency: int) -> None:
    """Do the work of the background until told to stop: automatic steps, timers, the order of the log, what a crash left. Any number may run."""
    from console.infra import settings, subjects
    from console.infra.db import fitness
    from console.infra.settings import data_folder
    from console.operations import worker as door

    data_folder.prepare(settings.current().data_dir)
    settings.current().check_keys()
    fitness.require()
    subjects.require_master_key()
    door.main(concurrency)


commands: list[click.Command] = [worker]
