"""What a merge can thin out without a conflict: a job without a hand, a module that nobody registers, a name that nobody knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from console.infra import jobs
from console.infra.db.engine import transaction
from console.operations.worker import Worker, handlers
from console.views.app import create_app
from tests.conftest import Database

ROOT = Path(__file__).parent.parent
CONSOLE = ROOT / "console"


def modules(folder: Path, *, having: str = "") -> Iterator[tuple[Path, ast.Module]]:
    """The modules of the folder, those whose text has the pattern: to read a text takes a hundredth of taking it apart."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(having, text):
            yield path, ast.parse(text)


def test_each_job_has_one_function_in_one_pool_of_the_worker(clean: Database) -> None:
    assert set(handlers()) == jobs.JOBS
    pools = [name for pool in Worker().dispatcher.pools for name in pool.handlers]
    assert sorted(pools) == sorted(jobs.JOBS)


def test_a_job_without_a_function_stops_the_worker(clean: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOBS", jobs.JOBS | {"press_case_file"})
    with pytest.raises(LookupError, match="press_case_file"):
        Worker()


def test_a_job_that_no_worker_takes_is_not_put_in(clean: Database) -> None:
    with transaction() as connection, pytest.raises(ValueError, match="press_case_file"):
        jobs.enqueue(connection, "press_case_file", "run_1")
    with pytest.raises(ValueError, match="press_case_file"):
        jobs.enqueue_all([jobs.Job("press_case_file", "run_1", "x")])
    with transaction() as connection:
        assert connection.execute(sa.text("select count(*) from queue.pgqueuer")).scalar_one() == 0


def test_jobs_are_put_in_by_their_names_alone() -> None:
    """No text of ours names a job but `console.infra.jobs`: a name that is typed twice is one that a merge can part."""
    named = {
        f"{path.relative_to(ROOT)}: {node.value!r}"
        for path, tree in modules(CONSOLE, having=r"(enqueue|Job)\(")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and re.search(r"(enqueue|Job)$", ast.unparse(call.func))
        for node in call.args
        if path.name != "jobs.py" and isinstance(node, ast.Constant) and node.value in jobs.JOBS
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
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).split(".")[-1] == "Blueprint"
        and isinstance(call.args[0], ast.Constant)
    }


def test_each_blueprint_is_registered(clean: Database) -> None:
    app = create_app()
    assert set(blueprints()) == set(app.blueprints)


LAW = {"console.core.run.evolve.evolve"}
"""What docs/explanation promises to whoever reads the rules: one event applied to one run, which `fold` does for many."""
DEMO = "console.demo."
"""The demo plays a worker while it is made: what it calls is not called by that."""
BY_NAME = re.compile(
    r"console\.steps\.effects\.\w+\.(?:perform|recover|check)|console\.formats\.\w+\.\w+|console\.records\.hooks\.(?:action|computed|segment)|console\.views\.server\.application"
)
"""What is asked for by its name: of a kind of effect, as a filter of templates, by code of others, by the server of pages."""
BY_TOOLS = {
    "console.ai.providers.forget",
    "console.core.documents.workflow_schema.schema",
    "console.ai.proposals.waits.start",
    "console.records.indexes.forget",
    "console.infra.clock.move_clock",
    "console.log.tree.complete_subtrees",
    "console.sources.changing.readdress",
}
"""What only tests, `bin/schemas` and the making of the demo call."""


def dotted(node: ast.expr) -> str:
    """`a.b.c`; empty where it begins with anything but a name."""
    if isinstance(node, ast.Attribute):
        return f"{before}.{node.attr}" if (before := dotted(node.value)) else ""
    return node.id if isinstance(node, ast.Name) else ""


class Names:
    """The names of all modules and where they lead: `tasks.pick_up` in the worker is `console.work.tasks.pick_up`, whatever else is called so."""

    def __init__(self) -> None:
        self.modules = {
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): tree
            for path, tree in modules(CONSOLE)
        }
        self.made = {
            f"{module}.{node.name}": node
            for module, tree in self.modules.items()
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        self.here = {module: dict(self._names(module, tree)) for module, tree in self.modules.items()}

    def _names(self, module: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                yield from ((name.asname or name.name, f"{node.module}.{name.name}") for name in node.names)
            elif isinstance(node, ast.Import):
                yield from (
                    (
                        name.asname or name.name.partition(".")[0],
                        (name.asname and name.name) or name.name.partition(".")[0],
                    )
                    for name in node.names
                )
        yield from (
            (node.name, f"{module}.{node.name}")
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        )

    def made_at(self, name: str) -> str:
        """Where a name that a room offers was made."""
        for _ in range(8):
            module, _, last = name.rpartition(".")
            onward = self.here.get(module, {}).get(last, name)
            if name in self.made or onward == name:
                return name
            name = onward
        return name

    def meant(self, module: str, text: str) -> frozenset[str]:
        """The functions that `a.b.c` in the module may be or pass."""
        first, *parts = text.split(".")
        reached, found = {self.here[module][first]}, set[str]()
        for part in [*parts, ""]:
            reached = {end for name in reached for end in (name, self.made_at(name))}
            found |= reached & self.made.keys()
            reached = {f"{name}.{part}" for name in reached}
        return frozenset(found)

    def used(self) -> dict[str, set[str]]:
        """Function → the functions, classes or statements of modules that name it."""
        users: dict[str, set[str]] = {}
        for module, tree in self.modules.items():
            for top in tree.body:
                if isinstance(top, ast.Assign) and ast.unparse(top.targets[0]) in {"__all__", "OPEN_MODULES"}:
                    continue
                own = f"{module}.{getattr(top, 'name', '')}"
                for text in {
                    dotted(node) for node in ast.walk(top) if isinstance(node, ast.Name | ast.Attribute)
                }:
                    if self.here[module].get(text.partition(".")[0], "").startswith("console"):
                        for name in self.meant(module, text) - {own}:
                            users.setdefault(name, set()).add(own)
        return users


@pytest.fixture(scope="module")
def names() -> Names:
    return Names()


@pytest.fixture(scope="module")
def users(names: Names) -> dict[str, set[str]]:
    return names.used()


def test_each_function_of_the_console_is_called_by_the_console(
    names: Names, users: dict[str, set[str]]
) -> None:
    """What only tests call is what a merge has cut off, as it did with the reading of documents, or code that nobody needs."""
    functions = {
        name
        for name, node in names.made.items()
        if isinstance(node, ast.FunctionDef) and not node.decorator_list
    }
    used = {
        name
        for name, by in users.items()
        if name.startswith(DEMO) or any(not user.startswith(DEMO) for user in by)
    }
    alone = {
        name
        for name in functions - used - LAW - BY_TOOLS
        if not BY_NAME.fullmatch(name) and ".__" not in name
    }
    assert not alone
    assert set(names.made) >= BY_TOOLS | LAW, "an exception that is gone"


def test_a_duty_that_a_merge_takes_out_is_missed(users: dict[str, set[str]]) -> None:
    """The test above finds it, as hardly any duty is asked for elsewhere; those that are stand in the test below."""
    duty = "console.operations.worker.duties"
    elsewhere = {
        name
        for name, by in users.items()
        if duty in by and any(not user.startswith(DEMO) for user in by - {duty})
    }
    assert elsewhere == {
        "console.automation.triggers.source_events.look",
        "console.automation.triggers.trigger_rows.synchronise",
        "console.automation.enrolments.leaving.finish_left",
        "console.operations.retention.expire",
        "console.operations.worker.Duty",
    }


def test_duties_that_are_methods_or_that_others_ask_for_too_are_in_the_table(clean: Database) -> None:
    named = {duty.name for line in Worker().duties.values() for duty in line}
    assert named >= {
        "release",
        "sequence",
        "expire",
        "triggers of versions",
        "sources",
        "listeners",
        "exits",
        "runs of who left",
    }
