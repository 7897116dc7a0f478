"""The documentation says what the code has: every registry is walked, every link followed, every example read."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import click
import pytest

from console import __version__, sources, steps, workflows
from console.auth.access.rows import ACTS, POLICIES, parse
from console.cli import console
from console.core import blocks, expressions, filters
from console.core.documents import collections as core_collections, workflow_check
from console.core.documents.workflow import read
from console.core.events import KINDS
from console.core.expressions import functions
from console.core.forms import FormField
from console.core.run import FINAL, Attempt, Effect, Run, Status, commands, decisions, fold
from console.infra.processes.supervisor import main as serve
from console.infra.settings import NOT_VALUES, SETTINGS, Setting
from console.monitoring.reports import tables
from console.runs.views.view import as_json
from console.steps import effects
from console.views import assets
from console.workflows import Definition
from tests.conftest import KEYS
from tests.connector_pages import pages
from tests.contracts import package_map
from tests.tables import cases

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
REFERENCE = DOCS / "reference"
ADRS = sorted((DOCS / "adr").glob("*.md"))
MOST_PICTURE_BYTES = 250_000
MOST_WORDS_OF_A_CHANGE = 30
UNSET: list[Any] = [None, (), {}, frozenset()]


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """The page without code, in which nothing is a link."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", text(page), flags=re.DOTALL)


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text(page), flags=re.DOTALL)


def named(page: Path) -> set[str]:
    """Everything that stands as code in the page."""
    return set(re.findall(r"`([^`\n]+)`", text(page)))


def sections(page: Path) -> dict[str, str]:
    """Heading of the second level → what stands under it."""
    parts = re.split(r"^## (.+)$", text(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def links(page: Path) -> list[str]:
    return [
        target for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)) if not re.match(r"[a-z]+:", target)
    ]


def anchors(page: Path) -> set[str]:
    return {
        re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#{1,6} (.+)$", text(page), re.MULTILINE)
    }


@cases("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        to = page.parent / path if path else page
        assert to.exists(), target
        assert not anchor or anchor in anchors(to), target


def test_every_page_is_found_from_the_first_one() -> None:
    found, ahead = set(), [DOCS / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page not in found:
            found.add(page)
            ahead += [
                page.parent / target.partition("#")[0]
                for target in links(page)
                if target.partition("#")[0].endswith(".md")
            ]
    assert {page for page in PAGES if DOCS in page.parents and page not in ADRS} <= found
    assert {page.name for page in ADRS} == {page.name for page in (DOCS / "adr").iterdir()}


def test_the_readme_names_the_two_commands_and_shows_a_real_picture() -> None:
    readme = text(ROOT / "README.md")
    assert {"bin/demo", "bin/test"} <= {
        line.split()[0] for block in fenced(ROOT / "README.md", "sh") for line in block.splitlines() if line
    }
    assert "](docs/images/runner.png)" in readme
    assert all((ROOT / name).exists() for name in ("LICENSE", "NOTICE", "CHANGELOG.md", "CONTRIBUTING.md"))


def test_pictures_are_small_and_used() -> None:
    shown = {(page.parent / target).resolve() for page in PAGES for target in links(page)}
    pictures = sorted((DOCS / "images").iterdir())
    assert pictures
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.stat().st_size <= MOST_PICTURE_BYTES, picture.name
        assert picture.resolve() in shown, picture.name


@cases("page", ADRS, ids=lambda page: page.stem)
def test_a_decision_has_context_decision_consequences_and_status(page: Path) -> None:
    assert list(sections(page)) == ["Context", "Decision", "Consequences"]
    assert text(page).startswith(f"# {page.name[:4]} ")
    assert re.search(r"^Status: (accepted|superseded by \d{4}), \d{4}-\d\d-\d\d$", text(page), re.MULTILINE)


def test_decisions_are_numbered_once_and_code_cites_only_those_that_are_there() -> None:
    numbers = [page.name[:4] for page in ADRS]
    assert len(set(numbers)) == len(numbers) >= 7
    cited = {
        name
        for file in (ROOT / "console").rglob("*.py")
        for name in re.findall(r"docs/[\w/.-]+\.md", text(file))
    }
    assert cited
    assert [name for name in sorted(cited) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", ["run", "test", "uv"])
def test_every_dependency_has_its_reason(name: str) -> None:
    why = text(DOCS / "adr" / "0002-dependencies.md")
    wanted = [
        re.split("[=<>~]", line)[0]
        for line in text(ROOT / "requirements" / f"{name}.in").splitlines()
        if line and line[0] not in "#-"
    ]
    assert wanted
    assert [
        package for package in wanted if f"`{package}`" not in why and not package.startswith("types-")
    ] == []


def test_the_changelog_is_kept_in_its_form() -> None:
    log = text(ROOT / "CHANGELOG.md")
    unreleased, newest, *_ = re.findall(r"^## (.+)$", log, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert re.fullmatch(rf"{re.escape(__version__)} - \d{{4}}-\d\d-\d\d", newest)
    assert set(re.findall(r"^### (.+)$", log, re.MULTILINE)) <= {
        "Upgrading",
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }


def test_the_changelog_says_one_thing_a_line() -> None:
    released = text(ROOT / "CHANGELOG.md").partition("\n## ")[2]
    lines = [line for line in released.splitlines()[1:] if line and not line.startswith("#")]
    told = [line for line in lines if line.startswith("- ")]
    assert told
    assert [line for line in told if len(line.split()) > MOST_WORDS_OF_A_CHANGE] == []
    assert [line for line in lines if line.startswith(" ")] == []
    assert len(set(told)) == len(told)


def test_the_changelog_names_only_commands_that_are_there() -> None:
    called = re.findall(r"`console ([a-z][a-z -]*?)(?: [A-Z-].*?)?`", text(ROOT / "CHANGELOG.md"))
    assert called
    assert [
        words for words in called if not any(f"{name} ".startswith(f"{words} ") for name in COMMANDS)
    ] == []


@cases("kind", steps.all_types().values(), ids=lambda kind: kind.name)
def test_a_step_type_has_a_section_a_test_an_icon_and_a_title(kind: Any) -> None:
    told = named(REFERENCE / "steps.md")
    page = "docs/developers/add-a-step-type.md shows how"
    assert sections(REFERENCE / "steps.md").get(kind.name, "").strip(), (
        f"docs/reference/steps.md wants a section ## {kind.name}: {page}"
    )
    assert (ROOT / "tests" / "steps" / f"test_{kind.name}.py").exists(), (
        f"tests/steps/test_{kind.name}.py is missing: {page}"
    )
    assert_drawn(kind.icon)
    assert kind.title, f"{kind.name} wants a title, which people read"
    for name, field in kind.Config.model_fields.items():
        choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
        # where there is one answer only, there is nothing to say
        assert (field.alias or name) in told or len(choices) == 1, (
            f"docs/reference/steps.md says nothing of `{name}`, a setting of {kind.name}"
        )


def assert_drawn(name: str) -> None:
    """A name that the sprite lacks would be drawn as the icon for unknown types."""
    assert name in assets.drawn_icons(), (
        f"there is no icon {name}: take one of `icons` in console/static/vendor/vendor.toml, or name it there and run bin/vendor"
    )


@cases("name", effects.KINDS)
def test_a_kind_of_effect_is_done_documented_and_tested(name: str) -> None:
    page = "docs/developers/add-an-effect.md shows how"
    lacking = [
        part
        for part in ("perform", "recover", "check")
        if not callable(getattr(effects.KINDS[name], part, None))
    ]
    assert not lacking, f"console/steps/effects/{name}.py lacks {', '.join(lacking)}: {page}"
    assert f"| `{name}` |" in text(REFERENCE / "action-file.md"), (
        f"docs/reference/action-file.md wants a row for `{name}`: {page}"
    )
    tests = (ROOT / "tests" / "steps" / "effects").glob("*.py")
    assert any(f'"kind": "{name}"' in text(file) for file in tests), (
        f"tests/steps/effects/test_{name}.py is missing: {page}"
    )


@cases("name", blocks.KINDS)
def test_a_kind_of_block_is_drawn_described_and_shown(name: str) -> None:
    page = "docs/developers/add-a-block.md shows how"
    assert (ROOT / "templates" / "blocks" / f"{name}.html").is_file(), (
        f"templates/blocks/{name}.html is missing: {page}"
    )
    assert name in sections(REFERENCE / "content.md"), (
        f"docs/reference/content.md wants a section ## {name}: {page}"
    )
    assert f'"block": "{name}"' in text(REFERENCE / "content.json"), (
        f"docs/reference/content.json shows no {name}: {page}"
    )


def test_the_sample_of_blocks_is_fine() -> None:
    assert workflows.check(text(REFERENCE / "content.json").encode()) == []


@cases("name", tables.all_reports())
def test_a_report_has_a_row_a_test_and_an_icon(name: str) -> None:
    page = "docs/developers/add-a-report.md shows how"
    assert f"| `{name}` |" in text(REFERENCE / "reports.md"), (
        f"docs/reference/reports.md wants a row for `{name}`: {page}"
    )
    file = f"tests/monitoring/reports/test_{name.replace('-', '_')}.py"
    assert (ROOT / file).exists(), f"{file} is missing: {page}"
    assert_drawn(tables.all_reports()[name].icon)


def test_no_section_is_about_a_step_type_that_is_not_there() -> None:
    spare = sorted(set(sections(REFERENCE / "steps.md")) - set(steps.all_types()))
    assert not spare, (
        f"docs/reference/steps.md has sections about {', '.join(spare)}, and there is no such step type"
    )


@cases("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_stands_in_the_reference_with_its_sentence_and_default(setting: Setting) -> None:
    default = (
        "–"
        if setting.default in UNSET
        else "on"
        if setting.default is True
        else "off"
        if setting.default is False
        else str(setting.default)
    )
    rows = [
        line
        for line in text(REFERENCE / "settings.md").splitlines()
        if line.startswith(f"| `{setting.name}` |")
    ]
    wanted = rf"\| `{setting.name}` \| [^|]+ \| {re.escape(default)} \| {re.escape(setting.sentence)} \|"
    assert [bool(re.fullmatch(wanted, row)) for row in rows] == [True], (
        f"docs/reference/settings.md wants one row: | `{setting.name}` | what it takes | {default} | {setting.sentence} |"
    )


def test_the_documentation_names_no_setting_that_is_not_there() -> None:
    made = {
        name
        for page in (DOCS / "developers").glob("*.md")
        for name in re.findall(r"setting\(\s*\"(\w+)\"", text(page))
    }
    known = {setting.name for setting in SETTINGS} | NOT_VALUES | made
    told = {
        name.removesuffix("_FILE") if name not in known else name
        for page in PAGES
        for name in re.findall(r"\bCONSOLE_[A-Z_]+\b", text(page))
    }
    assert told - known == set()


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found, (*path, name))
    else:
        yield " ".join(path), command


COMMANDS = dict(leaves(console))


def options(name: str) -> set[str]:
    """Long options of the command; those of `serve` are the supervisor's."""
    if name == "serve":
        return set(re.findall(r"--[a-z-]+", text(ROOT / "console" / "infra" / "processes" / "supervisor.py")))
    return {
        option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")
    }


def test_each_command_has_a_section_and_each_section_a_command() -> None:
    assert list(sections(REFERENCE / "commands.md")) == sorted(COMMANDS)


@cases("name", COMMANDS)
def test_a_command_has_an_example_its_options_and_help(name: str) -> None:
    section = sections(REFERENCE / "commands.md")[name]
    assert re.search(rf"^```sh\nconsole {name}( |\n)", section, re.MULTILINE)
    if name != "serve":
        assert COMMANDS[name].help
        assert f"console {name}" in (COMMANDS[name].epilog or "")
        assert [option for option in options(name) if option not in section] == []


def test_serve_explains_itself(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["console serve", "--help"])
    with pytest.raises(SystemExit) as ended:
        serve()
    said = capsys.readouterr().out
    assert ended.value.code == 0
    section = sections(REFERENCE / "commands.md")["serve"]
    assert [
        option for option in re.findall(r"^  (--[a-z-]+)", said, re.MULTILINE) if option not in section
    ] == []


def told_commands() -> Iterator[tuple[str, str]]:
    """Every line of every example that calls the console: (page, what follows `console`)."""
    for page in PAGES:
        for block in fenced(page, "sh"):
            for line in block.splitlines():
                for call in re.findall(r"(?:^|\$\()(?:\.venv/bin/)?console ([^)|>]+)", line):
                    yield str(page.relative_to(ROOT)), call.partition("   #")[0].strip()


@cases(("page", "call"), sorted(set(told_commands())))
def test_every_command_in_an_example_exists_with_its_options(page: str, call: str) -> None:
    words = shlex.split(call)
    name = next(" ".join(words[:count]) for count in (2, 1) if " ".join(words[:count]) in COMMANDS)
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options(name)


def test_every_path_of_the_tree_that_is_named_is_there() -> None:
    tree = r"`((?:bin|bench|console|docs|migrations|policies|requirements|tests|workflows)/[\w./-]*[\w/]|\.ci/run)(?:[ `])"
    told = {(page.name, path) for page in PAGES for path in re.findall(tree, text(page))}
    assert told
    made = {path for page in PAGES for path in re.findall(r"^Create `([^`]+)`", text(page), re.MULTILINE)}
    absent = {(page, path) for page, path in told if not (ROOT / path).exists() and path not in made}
    assert absent == set()


def test_every_kind_of_event_stands_in_the_reference() -> None:
    lacking = sorted(set(KINDS) - named(REFERENCE / "events.md"))
    assert not lacking, (
        f"docs/reference/events.md lacks {', '.join(lacking)}: python -m tests.core.test_events writes it anew"
    )


def test_every_call_of_the_api_stands_in_the_reference_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.infra import settings
    from console.views import app

    for name, value in (KEYS | {"CONSOLE_DATA_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    settings.current.cache_clear()
    rules = list(app.create_app().url_map.iter_rules())
    settings.current.cache_clear()
    there = {
        f"{method} {re.sub(r'<(?:int:)?', '{', rule.rule.removeprefix('/api/v1')).replace('>', '}')}"
        for rule in rules
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    told = set(
        re.findall(
            r"^\| `((?:GET|POST|PATCH|PUT|DELETE) [^`?]+)` \|", text(REFERENCE / "api.md"), re.MULTILINE
        )
    )
    assert there
    assert told == there


def test_filters_stand_in_the_reference() -> None:
    assert set(filters.OPS) <= named(REFERENCE / "api.md")


@cache
def a_run() -> dict[str, Any]:
    """The JSON of a run that has just begun."""
    document = read((ROOT / "docs" / "how-to" / "check-customer.json").read_bytes())
    definition = Definition("wf_1", document.slug, document.title, 1, document.hash, document)
    begin = commands.Start("usr_1", "run_1", "operations", 1, "wf_1", "shop.customer", "1", None, {}, {})
    made = decisions.decide(
        commands.Plan(document, frozenset({"start", "end"})), Run(), begin, datetime(2026, 11, 20, tzinfo=UTC)
    )
    return as_json(fold(made), definition, None, None)


def test_every_key_of_a_run_stands_in_the_reference() -> None:
    told = named(REFERENCE / "shapes-of-runs.md")
    run = a_run()
    assert {*run, *run["current"], *run["attempts"][0]} <= told
    assert {*get_args(get_type_hints(Run)["status"])} == {*get_args(Status)} <= told
    assert {*get_args(get_type_hints(Attempt)["status"]), *get_args(get_type_hints(Effect)["status"])} <= told
    assert set(FormField("name", "Name").to_json()) <= told
    assert named(DOCS / "explanation" / "how-a-run-works.md") >= FINAL


def test_every_function_and_root_of_the_expressions_stands_in_the_reference() -> None:
    page = text(REFERENCE / "expressions.md")
    lacking = [name for name in functions.FUNCTIONS if f"`{name}(" not in page] + [
        name for name in functions.METHODS if f".{name}(" not in page
    ]
    lacking += [root for root in expressions.ROOTS if f"`{root}`" not in page]
    assert not lacking, (
        f"docs/reference/expressions.md says nothing of {', '.join(lacking)}: add-an-expression-function.md shows the row"
    )


def test_every_example_of_an_expression_can_be_read() -> None:
    lines = sections(REFERENCE / "expressions.md")
    examples = re.findall(r"```\n(.*?)```", text(REFERENCE / "expressions.md"), flags=re.DOTALL)[
        0
    ].splitlines()
    assert len(examples) == 3
    assert lines
    for line in examples:
        expressions.parse(line)


def told_expressions() -> Iterator[tuple[str, str]]:
    """Every expression in a JSON example, fenced or within a sentence: (page, expression)."""
    keys = "if|unless|when|where|filter|pass|computed|required_if"
    for page in PAGES:
        for found in re.findall(rf'"(?:{keys})": ("(?:[^"\\\n]|\\.)*")', text(page)):
            if "…" not in found and json.loads(found):
                yield str(page.relative_to(ROOT)), json.loads(found)


@cases(("page", "expression"), sorted(set(told_expressions())))
def test_every_expression_in_an_example_can_be_read(page: str, expression: str) -> None:
    expressions.parse(expression)


def test_every_type_and_key_of_a_collection_stands_in_the_reference() -> None:
    told = named(REFERENCE / "collections.md")
    assert told >= core_collections.FIELD_TYPES
    assert told >= sources.DOCUMENT_KEYS


def test_every_object_act_and_shipped_role_stands_in_the_reference() -> None:
    page = text(REFERENCE / "permissions.md")
    for kind, acts in ACTS.items():
        row = next(
            line for line in page.splitlines() if line.startswith("| `") and re.search(rf"`{kind}[`:]", line)
        )
        lacking = sorted(act for act in acts if f"`{act}`" not in row)
        assert not lacking, (
            f"docs/reference/permissions.md says nothing of {', '.join(lacking)} in the row of `{kind}`"
        )
    shipped = {
        row.sub.removeprefix("role:"): row
        for row in parse((POLICIES / "roles.csv").read_text(encoding="utf-8"))
        if row.obj == "workflow:*"
    }
    for role in shipped:
        may = {
            row.act
            for row in parse((POLICIES / "roles.csv").read_text(encoding="utf-8"))
            if (row.sub, row.obj) == (f"role:{role}", "workflow:*")
        }
        line = next(line for line in page.splitlines() if line.startswith(f"| `{role}` |"))
        assert set(re.search(r"workflow: ([a-z, ]+)", line)[1].replace(",", " ").split()) == may  # type: ignore[index]


@cases("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_in_json_is_json(page: Path) -> None:
    for block in fenced(page, "json"):
        if "…" not in block:
            json.loads(block)


def test_the_workflow_of_the_guide_is_fine_and_is_what_the_guide_shows() -> None:
    guide, file = DOCS / "how-to" / "write-a-workflow.md", DOCS / "how-to" / "check-customer.json"
    assert workflow_check.check(file.read_bytes(), steps.all_types(), None) == []
    document = json.loads(text(file))
    shown = [json.loads(block) for block in fenced(guide, "json")]
    frame_shown = next(part for part in shown if "slug" in part)
    assert frame_shown == document | {"steps": []}
    by_id = {step["id"]: step for step in document["steps"]}
    parts = [part for part in shown if "id" in part]
    assert len(parts) >= 4
    assert all(by_id[part["id"]] == part for part in parts)


def test_the_collection_document_of_the_guide_means_something() -> None:
    shown = next(
        document
        for block in fenced(DOCS / "how-to" / "connect-your-database.md", "json")
        if "table" in (document := json.loads(block))
    )
    sources.source_store._check_document("shop", shown)
    expressions.templates(shown["title"])
    assert {segment["filter"] for segment in shown["segments"]}
    for segment in shown["segments"]:
        expressions.parse(segment["filter"])
    assert shown["fields"].keys() <= {*shown["columns"], *shown["summary"]["sections"][0]["fields"]}


WORDS_OF_THE_PRODUCT = """
    action, activity log, approval, attempt, checkpoint, checkpoint delivery, clearance, collection, data source, decision, disclosure, effect,
    erase, event, head, hold, inbox, label, mask, proposal, publish, record, report, role, run, scope, seal, segment, step, take-over, team,
    ticket, trigger, version, workflow
"""


def test_the_glossary_is_in_order_and_says_each_word_once() -> None:
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|$", text(DOCS / "glossary.md"), re.MULTILINE)
    words = [word for word, _, _ in rows]
    assert words == sorted(words, key=lambda word: word.lower().replace("-", " ~"))
    assert len(words) == len(set(words))
    assert {*re.split(r",\s+", WORDS_OF_THE_PRODUCT.strip())} <= set(words)
    assert [word for word, meaning, _ in rows if len(meaning.split()) > MOST_WORDS_OF_A_CHANGE] == []


def test_each_connector_has_its_page_of_reference_as_its_file_says() -> None:
    folder = REFERENCE / "connectors"
    assert {page.name: text(page) for page in folder.iterdir()} == pages(), "run bin/fix"


def test_the_map_of_packages_is_that_of_the_tree() -> None:
    assert text(ROOT / "docs" / "developers" / "packages.md") == package_map(), "run bin/fix"
