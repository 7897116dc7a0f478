"""Each template of an ordinary business becomes a workflow of a table that knows none of its words, and runs to its end."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from console import records, runs, sources, workflows
from console.auth import access
from console.authoring.builder import template_binding
from console.authoring.builder.template_binding import Template, bind, match
from console.infra.postgres import Embedded
from console.records import connect
from console.work import approvals
from tests.company import WORKING, Company

COLUMNS = {"text": "text", "money": "numeric(12, 2)", "date": "date", "enum": "text"}
ODD = ("zeta", "ypsilon", "xi", "omega")
"""Names of columns that say nothing."""
STARTS = ("see", "start", "resume")


@pytest.fixture
def url(pg: Embedded) -> Iterator[str]:
    pg.drop_database("templates")
    pg.sql("create database templates")
    yield pg.url("postgres", "templates")
    connect.dispose()
    pg.drop_database("templates")


def made_table(url: str, template: Template) -> dict[str, str]:
    """Role → column of a new table with the sample, in which states have other words."""
    columns = dict(zip((role.name for role in template.fields), ODD, strict=False))
    kinds = {
        role.name: COLUMNS[next(kind for kind in COLUMNS if kind in role.types)] for role in template.fields
    }
    shown = ", ".join(f"{columns[role.name]} {kinds[role.name]}" for role in template.fields)
    given = {columns[name]: value for name, value in template.sample.items()}
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"create table quux (nr integer primary key, {shown})")
        connection.execute(
            sa.text(
                f"insert into quux (nr, {', '.join(given)}) values (1, {', '.join(f':{name}' for name in given)})"
            ),
            given,
        )
    engine.dispose()
    return columns


def stored_row(url: str) -> dict[str, Any]:
    """The record as the database has it."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        row = dict(connection.execute(sa.text("select * from quux")).mappings().one())
    engine.dispose()
    return row


@pytest.mark.parametrize("name", sorted(template_binding.templates()))
def test_a_template_is_bound_published_and_run_to_its_end(company: Company, url: str, name: str) -> None:
    template = template_binding.templates()[name]
    columns = made_table(url, template)
    sources.add("odd", url, may={"operator": WORKING, "operations_lead": WORKING})
    access.refresh()
    collection = records.collection("odd.quux")
    assert match(company.olivia, template, collection).collection == "odd.quux"
    states = {name: title for role in template.fields for name, title in role.choices.items()}
    assert not states or not match(company.olivia, template, collection, columns).sure, (
        "a text takes what somebody says"
    )
    binding = match(company.olivia, template, collection, columns | states)
    assert binding.sure
    assert dict(binding.columns) == columns
    document = bind(template, binding, "operations_lead") | {"slug": name, "team": "operations"}
    workflows.import_file(document, publish=True, rights=False)
    for role in ("operator", "operations_lead"):
        access.grant(role, f"workflow:{name}", STARTS, team="operations")
    run_id = runs.start(company.olivia, name, "odd.quux", "1")
    for _ in range(20):
        company.work()
        if (told := company.told(run_id))["current"] is None:
            break
        step = told["current"]["step"]
        if waiting := approvals.to_review(company.mona).lines:
            runs.approve(company.mona, waiting[0].id)
            continue
        given: Any = template.answers[step]
        typed = dict(given) if isinstance(given, dict) else {"outcome": given}
        outcome = typed.pop("outcome", None)
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step=step, revision=told["revision"], values=typed, outcome=outcome),
        )
    assert (told["status"], told["attempts"][-1]["step"]) == ("completed", template.ends)
    stored = stored_row(url)
    assert {role.name for role in template.fields if role.choices} <= {
        role.name for role in template.fields if stored[columns[role.name]] in role.choices.values()
    }
