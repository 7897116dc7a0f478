"""The pages for developers, followed to the letter in one copy of the tree: each new kind is made as its page says, is fine for `bin/lint`, and passes the tests that the page runs."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import pytest

from console import runs, steps, workflows
from console.views.app import create_app
from console.views.step_parts import PARTS
from tests.company import Company
from tests.support.engine import step
from tests.tables import cases
from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "developers").glob("add-*.md"))
COPIED = (
    ".ci",
    "actions",
    "bench",
    "bin",
    "console",
    "docs",
    "migrations",
    "policies",
    "requirements",
    "templates",
    "tests",
    "workflows",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "NOTICE",
    "README.md",
    "SECURITY.md",
    "pyproject.toml",
)
CACHE = ".import_linter_cache"
"""There where `bin/lint` was run before; a file that has changed since is read again."""
DOES = re.compile(
    r"^(?:Create `(?P<made>[^`]+)`|At the end of `(?P<ended>[^`]+)`, add|In `(?P<into>[^`]+)`, (?P<side>before|after) the line of `(?P<line>[^`]+)`, add):\n\n"
    r"```\w+\n(?P<text>.*?)```$|^```sh\n(?P<typed>.*?)```$",
    re.MULTILINE | re.DOTALL,
)
USED = """
from console.core.expressions import parse

def test_the_function_answers():
    assert parse("reverse('abc') == 'cba'").test({})

def test_the_table_is_there(database):
    from console.infra.db.engine import fetch
    assert fetch("select count(*) from console.weather") == [(0,)]
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of following pages: the files made, and the arguments of their calls of `bin/test`, both as paths in the tree."""

    made: list[str] = field(default_factory=list)
    tested: list[str] = field(default_factory=list)


def follow(page: Path, tree: Path, followed: Followed) -> None:
    """Do in `tree` what the page says. The tests and `bin/lint` are run later, once for all pages."""
    for deed in DOES.finditer(page.read_text(encoding="utf-8")):
        if deed["typed"] is not None:
            for line in deed["typed"].splitlines():
                _type(shlex.split(line), tree, followed)
        elif deed["made"] is not None:
            (tree / deed["made"]).parent.mkdir(parents=True, exist_ok=True)
            assert not (tree / deed["made"]).exists(), deed["made"]
            (tree / deed["made"]).write_text(deed["text"], encoding="utf-8")
            followed.made.append(deed["made"])
        elif deed["ended"] is not None:
            (file,) = tree.glob(deed["ended"].replace("…", "*"))
            file.write_text(file.read_text(encoding="utf-8") + deed["text"], encoding="utf-8")
        else:
            _insert(tree / deed["into"], deed["side"], deed["line"], deed["text"])
            followed.made.append(deed["into"])


def _type(words: list[str], tree: Path, followed: Followed) -> None:
    """Of `bin/fix` only what makes files: the text of a page has to be in form already."""
    if words[0] == "bin/test":
        followed.tested.extend(word for word in words[1:] if word != "-q" and word not in followed.tested)
    elif words[0] != "bin/lint":
        command = ["bin/schemas"] if words[0] == "bin/fix" else words
        subprocess.run([sys.executable, *command], cwd=tree, check=True, capture_output=True)


def _insert(file: Path, side: str, word: str, text: str) -> None:
    """Before or after the first line that begins with the word, leaving spaces and the bars and marks of a table aside."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.lstrip(" |`").startswith(word)) + (
        side == "after"
    )
    file.write_text("".join([*lines[:at], text, *lines[at:]]), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, with what the interpreter compiled and import-linter read of it already."""
    made = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns(".hypothesis"))
        else:
            shutil.copy(ROOT / name, made / name)
    if (ROOT / CACHE).exists():
        shutil.copytree(ROOT / CACHE, made / CACHE)
    return made


def run(tree: Path, *command: str) -> None:
    """Run a command of the virtual environment in the tree. Fails with what it printed."""
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_each_kind_is_made_as_its_page_says_and_works(tree: Path) -> None:
    followed = Followed()
    for page in PAGES:
        follow(page, tree, followed)
    tools = Path(sys.executable).parent
    python = [path for path in followed.made if path.endswith(".py")]
    templates = [path for path in followed.made if path.endswith(".html")]
    run(tree, str(tools / "ruff"), "check", "--quiet", "--no-cache", *python)
    run(tree, str(tools / "ruff"), "format", "--check", "--no-cache", *python)
    run(tree, str(tools / "djlint"), "--quiet", "--lint", *templates)
    run(tree, str(tools / "djlint"), "--quiet", "--check", *templates)
    run(tree, str(tools / "lint-imports"), "--no-logo")
    (tree / "tests" / "test_used.py").write_text(USED, encoding="utf-8")
    shown = [path for path in followed.made if path.startswith("tests/") and path not in followed.tested]
    assert [
        path for path in shown if not any(path.startswith(f"{folder}/") for folder in followed.tested)
    ] == ["tests/support/masked.py"]
    run(
        tree,
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "tests/test_used.py",
        *followed.tested,
    )


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The step type of the page as the installed package `acme_steps`, with its template and its entry point."""
    page = (ROOT / "docs" / "developers" / "add-a-step-type.md").read_text(encoding="utf-8")
    texts = {deed["made"]: deed["text"] for deed in DOES.finditer(page) if deed["made"]}
    entry = re.search(r"entry-points.\"console.steps\"\]\n(\w+) = \"(.+)\"", page)
    assert entry is not None
    files = {
        "acme_steps/__init__.py": "",
        "acme_steps/confirm.py": texts["console/steps/type_to_confirm.py"],
        "acme_steps/templates/steps/type_to_confirm.html": texts["templates/steps/type_to_confirm.html"],
        "acme_steps-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme-steps\nVersion: 1.0\n",
        "acme_steps-1.0.dist-info/entry_points.txt": f"[console.steps]\n{entry[1]} = {entry[2]}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(
        steps, "entry_points", metadata.entry_points
    )  # conftest keeps those of the installation
    steps.all_types.cache_clear()
    yield
    steps.all_types.cache_clear()
    for name in ("acme_steps", "acme_steps.confirm"):
        sys.modules.pop(name, None)


def test_a_type_of_another_package_is_drawn_by_the_template_that_it_brings(
    company: Company, acme: None
) -> None:
    made = [
        step("start", "start", "sure"),
        step("sure", "type_to_confirm", "end", {"field": "display_name"}),
        step("end", "end", None),
    ]
    workflows.import_file(
        {
            "format": 1,
            "slug": "sure",
            "title": "Sure",
            "collection": "customer",
            "team": "operations",
            "steps": made,
        },
        publish=True,
    )
    run_id = runs.start(company.olivia, "sure", "customer", "1", {})
    app = create_app()
    app.testing = True
    olivia = Pages(company, app).olivia
    page = olivia.get(f"/runs/{run_id}")
    assert "This cannot be undone" in page.text
    olivia.send(page, "/complete", v_typed="Adaeze Okonkwo-Bell")
    assert "Sure is done" in olivia.follow().text


def test_a_template_in_the_tree_belongs_to_a_step_type_and_has_known_parts() -> None:
    environment = create_app().jinja_env
    for file in (ROOT / "templates" / "steps").glob("*.html"):
        assert file.stem in steps.all_types(), (
            f"{file.name}: there is no step type of this name, so that nothing draws it"
        )
        unknown = set(environment.get_template(f"steps/{file.name}").blocks) - set(PARTS)
        assert not unknown, f"{file.name}: the blocks of a step type's template are {', '.join(PARTS)}"


@cases("page", PAGES, ids=lambda page: page.stem)
def test_a_page_makes_something_and_says_how_to_check_it(page: Path) -> None:
    deeds = list(DOES.finditer(page.read_text(encoding="utf-8")))
    assert any(deed["text"] for deed in deeds)
    assert any("bin/test " in (deed["typed"] or "") for deed in deeds)
