"""Every address that sends a file is in the activity log afterwards, unless what it sends is nobody's data."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from console import runs
from console.auth import access, accounts
from console.infra.db.engine import fetch
from tests.company import Company
from tests.conftest import web_app
from tests.views.conftest import Pages

pytestmark = pytest.mark.slow

NOTED = {
    "report_pages.as_csv": ("mona", "/reports/runs-by-workflow.csv?days=7", "table_exported"),
    "report_pages.as_paper": ("ada", "/reports/what-was-decided.pdf", "table_exported"),
    "at_work.table": ("mona", "/ai/table.csv", "table_exported"),
    "at_work.figures": ("mona", "/ai/figures.csv", "table_exported"),
    "people.export": ("ines", "/settings/people/people.csv?q=tom", "table_exported"),
    "access_matrix.export": ("ines", "/settings/access/export.csv", "table_exported"),
    "activity.export": ("ada", "/activity/export?format=csv", "log_exported"),
    "api_activity.export": ("ada", "/api/v1/activity-logs/export", "log_exported"),
    "case_file.take": ("mona", "/runs/{run}/case-file?format=zip", "case_file_made"),
    "api_runs.case_file": ("mona", "/api/v1/runs/{run}/case-file", "case_file_made"),
}
"""Endpoint → who asks, for what, and the kind of event."""
ELSEWHERE = {
    "files.download": "tests/views/test_file_pages.py",
    "api_files.content": "tests/views/test_file_pages.py",
    "api_collections.export_file": "tests/views/test_list_files.py",
    "list_export.fetch": "tests/views/test_list_files.py",
    "contact_import.refused": "tests/views/test_contact_import.py",
    "second_factor.download": "the person's own codes, made in the same request, which is an event",
    "proof.verifier": "a public program",
    "proof.head": "a signed head of the log, without anybody's data",
    "collection_settings.download": "a definition, without anybody's data",
}


def sends_a_file(view: Callable[..., Any]) -> bool:
    """Whether a view sends an attachment, by itself or by a function of the views that it calls, of its module or another one."""
    waiting, seen = [inspect.unwrap(view)], set[Callable[..., Any]]()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        if any(
            isinstance(node, ast.Constant) and node.value == "Content-Disposition" for node in ast.walk(tree)
        ):
            return True
        waiting += called_views(function, tree)
    return False


def called_views(function: Callable[..., Any], tree: ast.AST) -> list[Callable[..., Any]]:
    """The functions of the views that the text of this one names, as `name` or `module.name`."""
    known = vars(sys.modules[function.__module__])
    named = [known.get(node.id) for node in ast.walk(tree) if isinstance(node, ast.Name)]
    named += [
        getattr(known.get(node.value.id), node.attr, None)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and inspect.ismodule(known.get(node.value.id))
    ]
    return [
        each for each in named if inspect.isfunction(each) and each.__module__.startswith("console.views")
    ]


def files_of(app: Flask) -> set[str]:
    return {name for name, view in app.view_functions.items() if sends_a_file(view)}


def test_every_address_that_sends_a_file_is_known_here() -> None:
    found = files_of(web_app())
    assert found == NOTED.keys() | ELSEWHERE.keys(), sorted(found ^ (NOTED.keys() | ELSEWHERE.keys()))


@pytest.mark.parametrize("endpoint", NOTED)
def test_what_was_downloaded_is_in_the_log(company: Company, endpoint: str) -> None:
    who, address, kind = NOTED[endpoint]
    address = address.format(run=company.started())
    person = company.people[who]
    before = fetch("select coalesce(max(id), 0) from console.event")[0][0]
    if address.startswith("/api/"):
        key = {"Authorization": f"Bearer {accounts.create_key('take', person.id).text}"}
        answer = web_app().test_client().get(address, headers=key)
        assert (answer.status_code, bool(answer.data)) == (200, True)
    else:
        browser = getattr(Pages(company, web_app()), who)
        browser.answer = browser.client.get(address)
        assert (browser.answer.status_code, bool(browser.answer.data)) == (200, True)
        assert "attachment" in browser.answer.headers["Content-Disposition"]
    bodies = [bytes(row[0]) for row in fetch("select body from console.event where id > %s", (before,))]
    assert any(f'"type":"{kind}"'.encode() in body for body in bodies)


def test_a_report_counts_the_runs_of_records_in_scope_alone(company: Company) -> None:
    from console.monitoring.reports import tables

    company.started("1")
    company.started("3")
    runs.start(company.olivia, "care-review", "customer", "2", {"why": "periodic"})
    access.grant("operator", "workflow:care-review", ["assign"], team="operations")
    counted = {
        name: [
            row[1]
            for row in tables.get(company.people[name], "runs-by-workflow").rows(company.people[name], 30)
        ]
        for name in ("mona", "olivia", "tom")
    }
    assert counted == {"mona": [3], "olivia": [3], "tom": [2]}
    in_hand = {
        name: [
            row[6]
            for row in tables.get(company.people[name], "work-by-person").rows(company.people[name], 30)
        ]
        for name in counted
    }
    assert in_hand == counted
