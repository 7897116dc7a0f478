"""The house by its own files: who may import what, and that nothing points to a text that is not here."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONSOLE = ROOT / "console"
RULES = {"console", "lark", "croniter", "pydantic", "pydantic_core", "stdnum"}


def imported(path: Path) -> Iterator[str]:
    """The packages that a module names in its imports, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_rules_import_the_standard_library_and_three_pure_packages_and_nothing_else() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((CONSOLE / "core").rglob("*.py"))
        for name in imported(path)
        if name not in sys.stdlib_module_names and name not in RULES
    }
    assert not found


WAYS_OUT = {
    "console/infra/outbound/net.py": "the way out over HTTP: judges every address",
    "console/infra/outbound/connections.py": "its connections, with one deadline for the whole exchange",
    "console/connectors/mcp_client.py": "hands `net` to the library of the protocol",
    "console/ai/transport.py": "hands these connections to the libraries of the makers of models",
    "console/ai/providers/anthropic.py": "hands that transport to the maker's library",
    "console/ai/providers/openai_compatible.py": "the same",
    "console/infra/outbound/mail.py": "the way out by mail, to the server of the settings",
    "console/infra/files/virus_scan.py": "clamd, by the settings",
    "console/infra/processes/supervisor.py": "asks its own web process whether it is there",
}
"""Modules that open a connection to somebody else by themselves; everybody else asks `console.infra.outbound.net`."""
TO_OTHERS = {"aiohttp", "httpcore2", "httpx2", "requests", "smtplib", "urllib3"}
NAMING = re.compile(rf"\b(?:{'|'.join(TO_OTHERS)})\b")
OPENING = re.compile(r"\b(?:create_connection|getaddrinfo|urlopen|HTTPS?Connection)\(")


def test_nobody_else_opens_a_connection_by_themselves() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in sorted(CONSOLE.rglob("*.py"))
        if OPENING.search(text := path.read_text(encoding="utf-8"))
        or (NAMING.search(text) and TO_OTHERS & set(imported(path)))
    }
    assert found == set(WAYS_OUT), (
        "ask console.infra.outbound.net: it judges every address before it connects"
    )


def test_the_notice_names_every_package_under_a_copyleft_licence() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    locked = re.findall(
        r"^([\w.-]+)==", (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    lacking = set()
    for name in locked:
        try:
            told = metadata(name)
        except PackageNotFoundError:
            continue  # for other systems than this
        named = [told[field] for field in ("License-Expression", "License") if field in told]
        licences = " ".join([*(text[:60] for text in named), *(told.get_all("Classifier") or [])])
        if re.search(r"GPL|MPL|Mozilla Public|EPL|CDDL", licences) and not re.search(
            rf"\b{re.escape(name)}\b", notice
        ):
            lacking.add(f"{name}: {licences[:80]}")
    assert not lacking


def tracked() -> list[Path]:
    told = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    return [ROOT / name for name in told.split("\0") if name]


def test_no_text_cites_what_is_not_in_the_repository() -> None:
    """Whoever reads a sentence here can follow it: documents that it names lie here, and nothing is known by the number of somebody's issue."""
    texts = [
        path
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".html", ".sql", ".js", ".css", ".csv", ".in"}
        and "vendor" not in path.parts
    ]
    known = {path.name for path in tracked()}
    named = re.compile(r"(?<![\w/.*<{-])((?:[\w-]+/)*[\w-]+\.md)\b")
    found = set()
    for path in texts:
        text = path.read_text(encoding="utf-8")
        found |= {
            f"{path.relative_to(ROOT)}: {name}"
            for name in named.findall(text)
            if name.rpartition("/")[2] not in known
        }
        found |= {f"{path.relative_to(ROOT)}: {name}" for name in re.findall(r"\b[Ii]ssue [A-Z]\b", text)}
    assert not {one for one in found if not one.startswith("tests/test_layout.py")}


def test_no_text_of_the_product_reads_like_a_stub() -> None:
    """What people read is searched for words that stand where something is missing."""
    stub = re.compile(
        r"\b(?i:not\s+implemented|coming\s+soon|to\s+be\s+done|lorem\s+ipsum|dummy\s+(?:data|value))\b|\b(?:TO[D]O|FIX[M]E|XX[X])\b"
    )
    texts = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "console")]
    assert not {
        f"{path.relative_to(ROOT)}: {word}"
        for path in texts
        for word in stub.findall(path.read_text(encoding="utf-8"))
    }


NO_NAMES = frozenset(
    [
        "one",
        "it",
        "he",
        "she",
        "they",
        "me",
        "us",
        "we",
        "this",
        "that",
        "these",
        "those",
        "here",
        "there",
        "told",
        "found",
        "said",
        "asked",
        "who",
        "what",
        "which",
        "mine",
        "ours",
        "of",
        "by",
        "as",
        "so",
        "all",
        "any",
        "some",
        "other",
        "others",
    ]
)


def test_functions_are_called_by_more_than_a_pronoun() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted(CONSOLE.rglob("*.py"))
        for name in re.findall(r"^(?:async )?def (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        if name.strip("_") in NO_NAMES or len(name) == 1
    }
    assert not found, "name the function by what it returns or does"


def test_waits_in_the_browser_are_functions() -> None:
    """A bare expression would be evaluated inside the page, where its policy forbids that as soon as the first look says no."""
    waiting = [
        (path, ast.parse(text))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if "wait_for_function" in (text := path.read_text(encoding="utf-8"))
    ]
    constants = {
        target.id: node.value.value
        for _, tree in waiting
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    bare = {
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in waiting
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wait_for_function"
        if not (
            isinstance(node.args[0], ast.JoinedStr)
            or "=>"
            in str(
                node.args[0].value
                if isinstance(node.args[0], ast.Constant)
                else constants.get(ast.unparse(node.args[0]))
            )
        )
    }
    assert not bare, "write it as a function: () => …"


FOLDERS_OF_TESTS = frozenset({"browser", "journeys", "release", "servers", "support"})
"""Folders of tests that are no package of the console: pages in a browser, walks through all of it, other people's systems, and what several packages share."""


def test_tests_lie_in_the_packages_of_what_they_test() -> None:
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    astray = {
        f"tests/{folder}"
        for folder in folders
        if str(folder) not in FOLDERS_OF_TESTS and not (CONSOLE / folder).is_dir()
    }
    assert not astray, "call the folder as the package in console/ is called"


def names_made(tree: ast.Module) -> Iterator[str]:
    """Names that a module makes itself, at its top and under an `if` or a `try` there, and those that it lists in `__all__`."""
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If | ast.Try) else [node]:
            match inner:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    yield inner.name
                case ast.Assign():
                    if ast.unparse(inner.targets[0]) == "__all__":
                        yield from ast.literal_eval(inner.value)
                    yield from (
                        name.id
                        for target in inner.targets
                        for name in ast.walk(target)
                        if isinstance(name, ast.Name)
                    )
                case ast.AnnAssign(target=ast.Name(id=name)):
                    yield name


def module_file(name: str) -> Path | None:
    """The file of a module of the console, or the `__init__` of a package; None for what is neither."""
    path = ROOT.joinpath(*name.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.exists()), None)


def imported_names() -> Iterator[tuple[Path, str, str]]:
    """File, module and name of each `from console… import name` of the console."""
    for path in sorted(CONSOLE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.ImportFrom)
                and node.module
                and node.module.partition(".")[0] == "console"
            ):
                yield from ((path, node.module, alias.name) for alias in node.names)


def test_a_name_is_imported_from_where_it_is_made_or_from_its_package() -> None:
    """A module offers what it makes, or lists; what it only imports is not its own, and would be gone with its last use there. A package offers what it imports."""
    made: dict[str, set[str]] = {}
    wrong = set()
    for path, module, name in imported_names():
        file = module_file(module)
        if file is None or file.name == "__init__.py" or module == "console.views.formats":
            continue
        if module not in made:
            made[module] = set(names_made(ast.parse(file.read_text(encoding="utf-8"))))
        if name not in made[module]:
            wrong.add(
                f"{path.relative_to(ROOT)}: {name} is not made in {module}: import it from the module that makes it"
            )
    assert not sorted(wrong)


def test_a_package_offers_only_what_somebody_takes() -> None:
    """Names that the `__init__` of a package imports: used there, or taken by another file of the product; a name that nobody takes leaves the list."""
    listing = re.compile(r"^from console\S* import (?:\([^)]*\)|.*)$", re.MULTILINE)
    files = [
        path
        for folder in ("console", "tests", "bench", "migrations")
        for path in (ROOT / folder).rglob("*.py")
    ]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    words = {path: set(re.findall(r"\w+", listing.sub("", text))) for path, text in texts.items()}
    taken: dict[str, set[str]] = {}
    for text in texts.values():
        for module, names in re.findall(r"^\s*from (console\S*) import (\([^)]*\)|.*)$", text, re.MULTILINE):
            taken.setdefault(module, set()).update(re.findall(r"\w+", names))
    unused = set()
    for init in sorted(CONSOLE.rglob("__init__.py")):
        package = ".".join(init.parent.relative_to(ROOT).parts)
        elsewhere = set().union(*(found for path, found in words.items() if path.parent != init.parent))
        for node in ast.parse(texts[init]).body:
            if (
                isinstance(node, ast.ImportFrom)
                and node.module
                and (node.module == package or node.module.startswith(f"{package}."))
            ):
                offered = {alias.asname or alias.name for alias in node.names}
                unused |= {
                    f"{init.relative_to(ROOT)}: {name}"
                    for name in offered - words[init] - taken.get(package, set()) - elsewhere
                }
    assert not sorted(unused)


def test_a_package_opens_only_modules_that_another_package_takes() -> None:
    """`OPEN_MODULES` is what others may reach into; a name that nobody takes any more leaves a init open."""
    texts = {path: path.read_text(encoding="utf-8") for path in CONSOLE.rglob("*.py")}
    takers = defaultdict[tuple[str, str], set[Path]](
        set
    )  # (end of a package's name, name behind the dot) or (package, name imported from it)
    for path, text in texts.items():
        for taken in re.findall(r"\b(\w+)\.(?=(\w+))", text):
            takers[taken].add(path)
        for package, names in re.findall(r"from (console\S*) import (\([^)]*\)|.*)", text):
            for name in re.findall(r"\w+", names):
                takers[package, name].add(path)
    wrong = []
    for init, text in texts.items():
        opened = re.search(r"^OPEN_MODULES = frozenset\(\s*(\{.*?\})\s*\)", text, re.DOTALL | re.MULTILINE)
        if init.name != "__init__.py" or opened is None:
            continue
        package = ".".join(init.parent.relative_to(ROOT).parts)
        for name in sorted(ast.literal_eval(opened[1])):
            found = takers[package.rpartition(".")[2], name] | takers[package, name]
            taken_outside = any(init.parent not in path.parents for path in found)
            wrong += (
                []
                if module_file(f"{package}.{name}") is not None and taken_outside
                else [f"{package}: {name}"]
            )
    assert wrong == []


def test_a_package_says_what_it_offers_once() -> None:
    """What an `__init__` imports, it offers: a second list beside it would have to be kept by hand."""
    assert not [
        str(init.relative_to(ROOT))
        for init in sorted(CONSOLE.rglob("__init__.py"))
        if re.search(r"^__all__\b", init.read_text(encoding="utf-8"), re.MULTILINE)
    ]
