"""Commands about the demo company."""

import gc
import os
import sys
from pathlib import Path

import click


@click.group("demo", invoke_without_command=True, epilog="Example: console demo --port 8100")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    help="The port on 127.0.0.1 (default 8000; 0: a free one).",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its databases, files and keys (default: CONSOLE_DATA_DIR, else data).",
)
@click.option("--reset", is_flag=True, help="Start afresh: what was done in the demo is gone.")
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
@click.pass_context
def demo(context: click.Context, *, port: int, data: Path | None, reset: bool, no_browser: bool) -> None:
    """Fernwick Pay, the company to try the console with: loaded, served, and who can sign in; until Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    if data is not None:
        os.environ["CONSOLE_DATA_DIR"] = str(data.absolute())
    wanted = [name for name, on in (("--reset", reset), ("--open", not no_browser)) if on]
    command = ["-P", "-m", "console.infra.processes.supervisor", "--demo", "--port", str(port), *wanted]
    # In place of this process: what the command line loaded would stay in memory for as long as the demo is served.
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606 (a list, no shell, is what is wanted)


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
    progress = _Progress()
    loaded = load_demo(settings.current().data_dir, reset, progress, bare=bare)
    if not settings.current().embedded:
        from console.infra.db import fitness

        fitness.require()
    if loaded:
        progress(100, "Fernwick Pay is loaded\n")


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


class _Progress:
    """One line that is written over on a terminal; elsewhere a line each 10 %, and what is to stay."""

    shown = -1

    def __call__(self, percent: int, text: str) -> None:
        """Say how far it is, and what comes next."""
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{percent} %  {text}", nl=False, err=True)
        elif text.endswith("\n") or percent // 10 > self.shown // 10:
            click.echo(f"{percent} %  {text.rstrip()}", err=True)
        self.shown = percent


commands: list[click.Command] = [demo]
