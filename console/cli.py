"""The command `console`: finds the commands of `console.commands` by name, so that `console serve` does not load what `console source` needs."""

import importlib
import pkgutil
import sys
from typing import NoReturn

import click
import psycopg
import sqlalchemy.exc

from console import __version__, commands
from console.db import release, troubles
from console.errors import ConsoleError
from console.settings import data_folder


class Commands(click.Group):
    """One file per noun; a command is looked for in the file of its own name first, in all others then."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, by name."""
        del ctx
        return sorted({command.name for module in _modules() for command in _commands_of(module) if command.name})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, None where there is none of this name."""
        del ctx
        modules = _modules()
        for module in sorted(modules, key=lambda module: (module != cmd_name, module)):
            for command in _commands_of(module):
                if command.name == cmd_name:
                    return command
        return None


def _modules() -> list[str]:
    return [found.name for found in pkgutil.iter_modules(commands.__path__)]


def _commands_of(module: str) -> list[click.Command]:
    found: list[click.Command] = importlib.import_module(f"console.commands.{module}").commands
    return found


console = click.version_option(__version__, prog_name="console")(
    Commands(
        "console",
        help="Handrail: guided work on the records of your own databases, with a log of everything that was done.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    )
)


def main() -> NoReturn:
    """Run the command; what a person can act on is one line on standard error and a status other than 0."""
    release.refusing = True
    data_folder.be_private()
    try:
        console.main(prog_name="console", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConsoleError as error:
        click.echo(f"console: {_error_text(error)}", err=True)
        sys.exit(1)
    except (sqlalchemy.exc.DBAPIError, psycopg.Error) as error:
        click.echo(f"console: {_of_database(error)}", err=True)
        sys.exit(1)
    except UnicodeEncodeError:
        if not any("\ud800" <= char <= "\udfff" for char in "".join(sys.argv)):
            raise
        click.echo("console: an argument holds bytes that are no UTF-8 text", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("console: stopped", err=True)
        sys.exit(130)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left: `console … | head`
        sys.exit(1)
    except OSError as error:
        found = troubles.trouble_of(error)
        place = f" ({error.filename})" if error.filename else ""
        click.echo(f"console: {f'{found.message} {found.fix}.' if found else f'{error.strerror or error}{place}'}", err=True)
        sys.exit(1)
    sys.exit(0)


def _of_database(error: sqlalchemy.exc.DBAPIError | psycopg.Error) -> str:
    """What a fault of the console's own database comes to, in one line with the way out."""
    found, cause = troubles.trouble_of(error), getattr(error, "orig", None) or error
    said = (str(cause).strip().splitlines() or [type(cause).__name__])[0]
    if found is troubles.OTHER_TABLES:
        return "The console's tables are not there yet, or of another release: run `console migrate`."
    if found is troubles.DOWN:
        return f"The console's database does not answer: {said} (`console doctor` looks closer)"
    return f"{found.message} {found.fix}. ({said})" if found else f"The console's database refused: {said}"


def _error_text(error: ConsoleError) -> str:
    """The message and, where there are several things wrong, each on a line of its own."""
    details = [
        f"  {': '.join(str(part) for part in (detail.get('step'), detail.get('field'), detail.get('reason')) if part)}"
        for detail in error.details
    ]
    return "\n".join([error.message, *details])
