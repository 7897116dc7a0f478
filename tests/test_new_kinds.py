"""The pages for developers, followed to the letter in a copy of the tree: each new kind is made as its page says, used by the test that the page shows, and passes every guard."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from console import runs, steps, workflows
from console.app import create_app
from console.views.step_parts import PARTS
from tests.company import Company
from tests.services.engine import step
from tests.tables import cases
from tests.views.conftest import Pages

pytestmark = pytest.mark.rotating

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs" / "developers").glob("add-*.md"))
COPIED = (
    ".ci", "actions", "bench", "bin", "console", "docs", "migrations", "policies", "requirements", "templates", "tests", "workflows",
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "NOTICE", "README.md", "pyproject.toml",
)  # fmt: skip
DOES = re.compile(
    r"^(?:Create `(?P<made>[^`]+)`|At the end of `(?P<ended>[^`]+)`, add|In `(?P<into>[^`]+)`, before the line of `(?P<line>[^`]+)`, add):\n\n"
    r"```\w+\n(?P<text>.*?)```$|^```sh\n(?P<typed>.*?)```$",
    re.MULTILINE | re.DOTALL,
)
GUARDS = (
    "tests/test_docs.py", "tests/test_migrations.py", "tests/test_settings_table.py::test_every_reader_of_a_setting_is_in_both_tables",
    "tests/core/test_expression_functions.py::test_every_function_and_method_is_in_these_tables", "tests/core/test_expression_functions.py::test_functions_with_what_fits_and_what_does_not",
    "tests/core/test_workflow_document.py::test_the_published_schema_is_that_of_the_models", "tests/core/test_action_document.py::test_the_schema_is_that_of_the_model",
    "tests/services/test_masked_places.py::test_every_place_of_every_type_of_step_holds_the_hidden_field",
    "tests/services/test_runs_consequences.py::test_what_is_told_before_is_what_is_done[type_to_confirm]",
    "tests/core/test_blocks.py", "tests/services/test_masked_places.py::test_every_place_of_every_kind_of_block_holds_the_hidden_field",
    *(f"tests/steps/test_contract.py::{name}[type_to_confirm]" for name in (
        "test_a_type_says_what_it_is", "test_settings_are_closed_described_and_have_a_schema", "test_a_type_answers_every_question_with_the_smallest_settings",
        "test_completing_gives_one_of_the_outcomes_and_values_that_are_json", "test_a_step_for_people_refuses_a_name_that_is_not_in_its_form",
        "test_what_a_step_is_shown_does_not_depend_on_the_second",
    )),
)  # fmt: skip
USED = """
import os
from console import settings
from console.core.expressions import parse

def test_the_setting_is_read_and_the_function_answers():
    assert settings.read({"CONSOLE_ENV_FILE": os.devnull, "CONSOLE_BANNER": "TEST"}).banner == "TEST"
    assert parse("reverse('abc') == 'cba'").test({})

def test_the_table_is_there(database):
    from console.db.engine import fetch
    assert fetch("select count(*) from console.weather") == [(0,)]
"""


def follow(page: Path, tree: Path) -> list[str]:
    """Do in `tree` what the page says; the paths of the tests that it made."""
    made = []
    for deed in DOES.finditer(page.read_text(encoding="utf-8")):
        if deed["typed"] is not None:
            _type(deed["typed"], tree)
        elif deed["made"] is not None:
            (tree / deed["made"]).parent.mkdir(parents=True, exist_ok=True)
            assert not (tree / deed["made"]).exists(), deed["made"]
            (tree / deed["made"]).write_text(deed["text"], encoding="utf-8")
            made += [deed["made"]] if deed["made"].startswith("tests/") else []
        elif deed["ended"] is not None:
            (file,) = tree.glob(deed["ended"].replace("…", "*"))
            file.write_text(file.read_text(encoding="utf-8") + deed["text"], encoding="utf-8")
        else:
            _insert(tree / deed["into"], deed["line"], deed["text"])
    return made


def _type(commands: str, tree: Path) -> None:
    """What makes files is typed; tests are run all at once, and what `bin/fix` does to the form of files is left to who commits."""
    for line in commands.splitlines():
        words = shlex.split(line)
        command = {"bin/fix": ["bin/schemas"], "bin/test": []}.get(words[0], words)
        if command:
            subprocess.run([sys.executable, *command], cwd=tree, check=True, capture_output=True)


def _insert(file: Path, word: str, text: str) -> None:
    """Before the first line that begins with the word, leaving spaces and the bars and marks of a table aside."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.lstrip(" |`").startswith(word))
    file.write_text("".join([*lines[:at], text, *lines[at:]]), encoding="utf-8")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree, without pictures and what is made by running it."""
    made = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy(ROOT / name, made / name)
    return made


def test_each_kind_is_made_as_its_page_says_and_works(tree: Path) -> None:
    tests = [path for page in PAGES for path in follow(page, tree)]
    assert {
        "tests/blocks/test_tally.py",
        "tests/steps/test_type_to_confirm.py",
        "tests/effects/test_log_line.py",
        "tests/reports/test_people_by_team.py",
    } == set(tests)
    (tree / "tests" / "test_used.py").write_text(USED, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests, "tests/test_used.py", *GUARDS]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


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
    monkeypatch.setattr(steps, "entry_points", metadata.entry_points)  # conftest keeps those of the installation
    steps.all_types.cache_clear()
    yield
    steps.all_types.cache_clear()
    for name in ("acme_steps", "acme_steps.confirm"):
        sys.modules.pop(name, None)


def test_a_type_of_another_package_is_drawn_by_the_template_that_it_brings(company: Company, acme: None) -> None:
    made = [step("start", "start", "sure"), step("sure", "type_to_confirm", "end", {"field": "display_name"}), step("end", "end", None)]
    workflows.import_file(
        {"format": 1, "slug": "sure", "title": "Sure", "collection": "customer", "team": "operations", "steps": made}, publish=True
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
        assert file.stem in steps.all_types(), f"{file.name}: there is no step type of this name, so that nothing draws it"
        unknown = set(environment.get_template(f"steps/{file.name}").blocks) - set(PARTS)
        assert not unknown, f"{file.name}: the blocks of a step type's template are {', '.join(PARTS)}"


@cases("page", PAGES, ids=lambda page: page.stem)
def test_a_page_makes_something_and_says_how_to_check_it(page: Path) -> None:
    deeds = list(DOES.finditer(page.read_text(encoding="utf-8")))
    assert any(deed["text"] for deed in deeds)
    assert any("bin/test " in (deed["typed"] or "") for deed in deeds)
