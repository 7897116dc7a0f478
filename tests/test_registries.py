"""What a merge can thin out without a conflict: a job without a hand, a module that nobody registers, a name that nobody knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from console import queue
from console.app import create_app
from console.db.engine import transaction
from console.worker import Worker, handlers
from tests.conftest import Database

pytestmark = pytest.mark.daily

ROOT = Path(__file__).parent.parent
CONSOLE = ROOT / "console"


def modules(folder: Path, *, having: str = "") -> Iterator[tuple[Path, ast.Module]]:
    """The modules of the folder, those whose text has the pattern: to read a text takes a hundredth of taking it apart."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(having, text):
            yield path, ast.parse(text)


def test_each_job_has_one_function_in_one_pool_of_the_worker(clean: Database) -> None:
    assert set(handlers()) == queue.JOBS
    pools = [name for pool in Worker().dispatcher.pools for name in pool.handlers]
    assert sorted(pools) == sorted(queue.JOBS)


def test_a_job_without_a_function_stops_the_worker(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "JOBS", queue.JOBS | {"press_case_file"})
    with pytest.raises(LookupError, match="press_case_file"):
        Worker()


def test_a_job_that_no_worker_takes_is_not_put_in(clean: Database) -> None:
    with transaction() as connection, pytest.raises(ValueError, match="press_case_file"):
        queue.enqueue(connection, "press_case_file", "run_1")
    with pytest.raises(ValueError, match="press_case_file"):
        queue.enqueue_all([queue.Job("press_case_file", "run_1", "x")])
    with transaction() as connection:
        assert connection.execute(sa.text("select count(*) from queue.pgqueuer")).scalar_one() == 0


def test_jobs_are_put_in_by_their_names_alone() -> None:
    """No text of ours names a job but `console.queue`: a name that is typed twice is one that a merge can part."""
    named = {
        f"{path.relative_to(ROOT)}: {node.value!r}"
        for path, tree in modules(CONSOLE, having=r"(enqueue|Job)\(")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and re.search(r"(enqueue|Job)$", ast.unparse(call.func))
        for node in call.args
        if path.name != "jobs.py" and isinstance(node, ast.Constant) and node.value in queue.JOBS
    }
    assert not named


def test_no_test_takes_jobs_out_of_the_queue_by_itself() -> None:
    """Whoever does the worker's part by hand proves a worker that nobody has: `tests.jobs` asks the worker's own table."""
    mine = {"jobs.py", "test_registries.py"}
    playing = re.compile(
        r"delete from queue\.pgqueuer[^\"']*returning[^\"']*payload|read_ordered\(|proposals\.propose\(|bulk\.advance\(|runs\.follow\("
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0][:60]}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path.name not in mine
        for match in playing.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def blueprints() -> dict[str, str]:
    """Names of the blueprints that modules of `views/` make → the module."""
    return {
        str(call.args[0].value): str(path.relative_to(ROOT))
        for path, tree in modules(CONSOLE / "views", having=r"Blueprint\(")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "Blueprint" and isinstance(call.args[0], ast.Constant)
    }


def test_each_blueprint_is_registered(clean: Database) -> None:
    app = create_app()
    assert set(blueprints()) == set(app.blueprints)


LAW = {"evolve"}
"""What docs/explanation promises to whoever reads the rules: one event applied to one run, which `fold` does for many."""


def names_used(tree: ast.Module) -> Iterator[str]:
    """Names that code of the module uses: read, called, looked up or named in a text; importing it, and listing it as what the room offers, is no use."""
    listed = {
        id(entry)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"__all__", "OPEN_MODULES"}
        for entry in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in listed:
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            yield from re.findall(r"\w+", node.value)


def test_each_function_of_the_console_is_called_by_the_console() -> None:
    """What only tests call is what a merge has cut off, as it did with the reading of documents, or code that nobody needs."""
    used: set[str] = set()
    made: dict[str, str] = {}
    for path, tree in modules(CONSOLE):
        used.update(names_used(tree))
        made |= {
            node.name: f"{path.relative_to(ROOT)}: {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list and not isinstance(node, ast.ClassDef)
        }
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "migrations").rglob("*.py"), *(ROOT / "bin").iterdir()]:
        used.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    assert not sorted(place for name, place in made.items() if name not in used | LAW and not name.startswith("__"))
