"""Commands about the demo company."""

import sys

import click

demo = click.Group("demo", help="Fernwick Pay, the company to try the console with.")


@demo.command("load", epilog="Example: console demo load --reset")
@click.option("--reset", is_flag=True, help="Start afresh: what was done in the demo is gone, its runs and log too.")
def load(*, reset: bool) -> None:
    """Make the demo's databases, papers, people and workflows; nothing happens where they are."""
    from console import settings
    from console.demo import load as load_demo

    loaded = load_demo(settings.current().data_dir, reset, _progress)
    if loaded:
        _progress("Fernwick Pay is loaded\n")


def _progress(text: str) -> None:
    """One line that is written over on a terminal; elsewhere only what ends a line."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
    elif text.endswith("\n"):
        click.echo(text, nl=False, err=True)


commands: list[click.Command] = [demo]
