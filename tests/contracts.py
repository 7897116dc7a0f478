"""Contracts that are read from the tree, so that no package is forgotten: `bin/lint` checks them with import-linter. And the map of packages."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, output

CONSOLE = Path(__file__).parent.parent / "console"
TOP_LAYERS = frozenset({"__main__", "cli", "commands", "static", "views"})
"""What may know that there is a web framework; everything else at the top is a service, a plug-in, a keeper or a rule."""
FRAMEWORKS = frozenset({"flask", "flask_login", "flask_wtf", "werkzeug"})

PAIRS = {"console.steps.effects": "console.core.effect_kinds"}
"""A folder of kinds, and the folder of the rules in which each kind has a second module of the same name: a kind may import its own."""


def offered(package: str) -> frozenset[str]:
    """The modules of a package that others may import whole: it names them in `OPEN_MODULES`. Functions and classes it offers by importing them."""
    path = CONSOLE.parent.joinpath(*package.split("."), "__init__.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and ast.unparse(node.targets[0]) == "OPEN_MODULES"
        ):
            return frozenset(ast.literal_eval(node.value.args[0]))
    return frozenset()


def past_the_door(importer: str, imported: str, packages: frozenset[str]) -> str | None:
    """The package that `importer` reaches past by importing `imported`, if it does: one that it does not stand in, and that does not offer this module."""
    parts = imported.split(".")
    for length in range(2, len(parts)):
        package = ".".join(parts[:length])
        inside = importer == package or importer.startswith(f"{package}.")
        folder, _, kind = importer.rpartition(".")
        if PAIRS.get(folder) == package and kind == parts[length]:
            continue
        if package in packages and not inside and parts[length] not in offered(package):
            return package
    return None


class PackagesContract(Contract):
    """Nobody imports a module of a package that the package's `OPEN_MODULES` does not name."""

    type_name = "packages"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Every import within `console` is looked at."""
        packages = frozenset(
            module
            for module in graph.modules
            if (CONSOLE.parent.joinpath(*module.split("."), "__init__.py")).exists()
        )
        wrong = sorted(
            (importer, imported, package)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.startswith("console.") and (package := past_the_door(importer, imported, packages))
        )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import."""
        for importer, imported, package in check.metadata["wrong"]:
            module = imported.removeprefix(f"{package}.").partition(".")[0]
            output.print_error(
                f"{importer} imports {imported}: name {module!r} in OPEN_MODULES of {package}, or import from {package} itself."
            )


class NoFrameworkContract(Contract):
    """Nothing but the doors imports the web framework."""

    type_name = "no_framework"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Direct imports only: what a door imports is the door's business."""
        wrong = sorted(
            (importer, imported)
            for importer in graph.modules
            if importer.startswith("console.") and importer.split(".")[1] not in TOP_LAYERS
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.partition(".")[0] in FRAMEWORKS
        )
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each import."""
        for importer, imported in check.metadata["wrong"]:
            output.print_error(
                f"{importer} imports {imported}: only {', '.join(sorted(TOP_LAYERS))} know the web framework."
            )


def package_map() -> str:
    """Return the page that lists every package by layer, from the top, with the first sentence of its docstring."""
    contracts = tomllib.loads((CONSOLE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"]
    lines = [
        "# Packages",
        "",
        "Written by `bin/fix` from `pyproject.toml` and the docstrings. Imports point downwards only; packages on one layer do not import each other.",
    ]
    lines += ["", "| layer | package | what it holds |", "| ---: | --- | --- |"]
    layers = contracts[0]["layers"]
    for number, layer in enumerate(layers):
        for name in layer.split(" | "):
            lines += [f"| {len(layers) - number} | {row}" for row in _rows(CONSOLE / name)]
    return "\n".join(lines) + "\n"


def _rows(path: Path) -> Iterator[str]:
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    sentence = (
        (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "")
        .split("\n\n")[0]
        .replace("\n", " ")
    )
    yield f"`{'/'.join(path.relative_to(CONSOLE).parts)}` | {sentence} |"
    for inner in sorted(path.glob("*/__init__.py")):
        yield from _rows(inner.parent)
