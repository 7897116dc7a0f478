"""Commands about the demo company."""

import gc
import sys

import click

demo = click.Group("demo", help="Fernwick Pay, the company to try the console with.")


@demo.command("load", epilog="Example: console demo load --reset")
@click.option(
    "--reset", is_flag=True, help="Start afresh: what was done in the demo is gone, its runs and log too."
)
@click.option("--bare", is_flag=True, help="Without past weeks: nobody has begun anything.")
def load(*, reset: bool, bare: bool) -> None:
    """Make the demo's databases, papers, people and workflows; nothing happens where they are."""
    from console.demo import load as load_demo
    from console.infra import settings
    from console.infra.settings import data_folder

    data_folder.prepare(settings.current().data_dir)
    gc.set_threshold(
        200_000, 20, 1000
    )  # a company of rows is made and kept: looking through it again and again takes a fifth of the time
    loaded = load_demo(settings.current().data_dir, reset, _progress, bare=bare)
    if not settings.current().embedded:
        from console.infra.db import fitness

        fitness.require()
    if loaded:
        _progress("Fernwick Pay is loaded\n")


@demo.command("provider", epilog="Example: console demo provider --port 8100")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1 (default 0: a free one)."
)
def provider(*, port: int) -> None:
    """Run the stand-in payment provider that the demo's actions ask, until Ctrl-C; prints its address. It keeps its refunds in the data folder."""
    from console.demo.provider import serve
    from console.infra import settings

    try:
        serve(settings.current().data_dir, port, click.echo)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} of 127.0.0.1 cannot be used ({error.strerror}): give another with --port."
        ) from error


def _progress(text: str) -> None:
    """One line that is written over on a terminal; elsewhere only what ends a line."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
    elif text.endswith("\n"):
        click.echo(text, nl=False, err=True)


commands: list[click.Command] = [demo]
