"""The command `console`: finds the commands of `console.commands` by name, so that `console serve` does not load what `console source` needs."""

import ast
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import NoReturn

import click

from console import __version__, commands
from console.core.errors import ConsoleError
from console.infra.db import release
from console.infra.settings import data_folder
from console.infra.subscribers import connect_at_first_use


class Commands(click.Group):
    """One file per command, by its name: only the file of the command that is called is imported, and none for the list of all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, by name."""
        del ctx
        return [found.name.replace("_", "-") for found in pkgutil.iter_modules(commands.__path__)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, None where there is none of this name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: list[click.Command] = importlib.import_module(
            f"console.commands.{cmd_name.replace('-', '_')}"
        ).commands
        return next(command for command in found if command.name == cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands with their first words, as their files say them."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(len(name) for name in names)
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, click.Command(name, help=_help_of(name)).get_short_help_str(room)) for name in names]
            )


def _help_of(name: str) -> str:
    """What a command says of itself, read from its file without importing it: the `help` of its group, or the docstring of its function."""
    source = Path(commands.__path__[0], f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(
                value=ast.Call(
                    func=ast.Attribute(attr="Group"), args=[ast.Constant(value=str(said)), *_], keywords=given
                )
            ) if said == name:
                return next(
                    str(ast.literal_eval(keyword.value)) for keyword in given if keyword.arg == "help"
                )
            case ast.FunctionDef(
                decorator_list=[
                    ast.Call(
                        func=ast.Attribute(attr="command" | "group"), args=[ast.Constant(value=str(said)), *_]
                    ),
                    *_,
                ]
            ) if said == name:
                return ast.get_docstring(node) or ""
            case _:
                pass
    return ""


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
    connect_at_first_use(_subscribe)
    data_folder.be_private()
    try:
        console.main(prog_name="console", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ConsoleError as error:
        click.echo(f"console: {_error_text(error)}", err=True)
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
        from console.infra.db import troubles

        found = troubles.trouble_of(error)
        place = f" ({error.filename})" if error.filename else ""
        click.echo(
            f"console: {f'{found.message} {found.fix}.' if found else f'{error.strerror or error}{place}'}",
            err=True,
        )
        sys.exit(1)
    except Exception as error:
        if not _of_database(error):
            raise
        click.echo(f"console: {_database_text(error)}", err=True)
        sys.exit(1)
    sys.exit(0)


def _subscribe() -> None:
    from console.operations import wiring

    wiring.connect()


def _of_database(error: Exception) -> bool:
    """Whether the error comes from a database. The drivers are imported only if a command has used one."""
    import psycopg
    import sqlalchemy.exc

    return isinstance(error, (sqlalchemy.exc.DBAPIError, psycopg.Error))


def _database_text(error: Exception) -> str:
    """What a fault of the console's own database comes to, in one line with the way out."""
    from console.infra.db import troubles

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
