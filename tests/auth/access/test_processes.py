"""Rights as other processes follow them: a real second process, in the middle of a run and of an export."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from console import permissions, runs
from console.activity import exports, sequencing
from console.activity.exports import ExportQuery
from console.auth import access, accounts
from console.auth.access import policy_store
from console.auth.access.rows import Row
from console.core.actor import Actor
from console.core.errors import Conflict, NotAllowed, NotFound
from console.infra.db.engine import transaction
from console.permissions import role_rules
from console.permissions.role_rules import Rule
from tests import warm
from tests.company import Company

OBJ = "collection:customer"
ASKS = """
import sys
from console.auth import access
from console.core.actor import Actor
for line in sys.stdin:
    who, act = line.split()
    print(access.can(Actor("user", who), None, "collection:account", act), access.current_version(), flush=True)
"""
PATIENCE_S = 20.0


@contextmanager
def another() -> Iterator["subprocess.Popen[str]"]:
    """A process of its own over the same database, which answers questions."""
    told = subprocess.Popen(
        [warm.python(), "-c", ASKS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield told
    finally:
        told.communicate(timeout=PATIENCE_S)


def answer(process: "subprocess.Popen[str]", actor: Actor, act: str) -> tuple[bool, int]:
    """(whether the actor may, the version that said so) as the other process sees it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{actor.id} {act}\n")
    process.stdin.flush()
    allowed, version = process.stdout.readline().split()
    return allowed == "True", int(version)


def until(process: "subprocess.Popen[str]", actor: Actor, act: str, allowed: bool) -> int:
    """The version under which the other process gives this answer; it has to, sooner or later."""
    end = time.monotonic() + PATIENCE_S
    while (told := answer(process, actor, act))[0] is not allowed:
        assert time.monotonic() < end
        time.sleep(0.02)
    return told[1]


def test_another_process_follows_a_publication_and_a_lost_notice_and_keeps_the_old_one_of_a_broken_row(
    company: Company,
) -> None:
    rosa = company.rosa
    with another() as process:
        assert answer(process, rosa, "export")[0] is False
        role_rules.edit(
            company.ines,
            "reviewer",
            "t:operations",
            "collection:account",
            [Rule("allow", ("browse", "read", "export"))],
            {},
        )
        number = permissions.publish(company.ines, permissions.preview(company.ines).version)
        assert until(process, rosa, "export", True) == number
        with transaction() as connection:  # without a notice: the comparison alone finds it
            connection.execute(
                sa.text("delete from console.policy where sub = 'role:reviewer' and act = 'export'")
            )
            connection.execute(
                sa.text("update console.version set number = number + 1 where name = 'policy'")
            )
        assert until(process, rosa, "export", False) == number + 1
        with transaction() as connection:
            connection.execute(
                sa.text(
                    "insert into console.policy (ptype, sub, dom, obj, act) values ('p', 'role:reviewer', '*', 'collection:account', 'raed')"
                )
            )
            connection.execute(
                sa.text("update console.version set number = number + 1 where name = 'policy'")
            )
        for _ in range(3):
            time.sleep(policy_store.COMPARE_S / 2)
            assert answer(process, rosa, "read") == (True, number + 1)


@pytest.mark.usefixtures("company")
def test_a_person_whom_another_process_made_a_moment_ago_has_their_roles_at_once() -> None:
    made = accounts.create_person("late@example.com", role="reviewer", team="operations", name="Late").person
    (given,) = [row for row in policy_store.current().index.rows if row.sub == f"user:{made.id}"]
    with transaction() as connection:
        policy_store.write(connection, removed=[given])
    access.refresh()
    assert accounts.actor_of_person(made.id).roles == frozenset()
    with transaction() as connection:
        policy_store.write(connection, added=[given])
    assert accounts.actor_of_person(made.id).role_names == ["reviewer"]


def taken(*gone: Row) -> None:
    """Rules taken away, in force here at once."""
    with transaction() as connection:
        policy_store.write(connection, removed=gone)
    access.refresh()


def test_a_right_taken_away_ends_the_open_run_for_who_lost_it(company: Company) -> None:
    run_id = company.at("rate")
    told = company.told(run_id)
    place, condition = "t:operations", "record.desk in $currentUser.tags.desks"
    taken(Row("p", "role:operator", place, OBJ, "update", "allow", condition))
    with pytest.raises(NotAllowed):
        runs.complete(
            company.olivia,
            run_id,
            runs.Submission(step="rate", revision=told["revision"], values={"risk": "low"}),
        )
    assert company.sql("select risk from customer where id = 1") == [(None,)]
    assert "complete" not in company.told(run_id).get("can", [])
    taken(*(Row("p", "role:operator", "*", "workflow:*", act) for act in ("see", "start", "resume")))
    with pytest.raises(NotFound):
        runs.get(company.olivia, run_id)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An export of many pages, whose rights are looked at before each."""
    monkeypatch.setattr(exports, "PAGE", 5)
    monkeypatch.setattr(exports, "TABLE_PAGE", 5)
    monkeypatch.setattr(exports, "JUDGED_EVERY_S", -1.0)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("gone", ["right", "scope", "nothing"])
def test_a_right_taken_away_ends_an_export_in_the_middle(company: Company, form: str, gone: str) -> None:
    company.finished("1")
    company.finished("2")
    export = exports.begin(company.ada, ExportQuery(form=form), ready=sequencing.catch_up)
    parts = export.parts()
    next(parts)
    if gone == "right":
        taken(Row("p", "role:auditor", "*", "activity", "export"))
    elif gone == "scope":
        access.grant("auditor", "collection:customer", ["export"])
        with transaction() as connection:
            policy_store.write(
                connection,
                added=[Row("p", "role:auditor", "*", OBJ, "read", "deny", "record.desk == 'corporate'")],
            )
        access.refresh()
    else:
        access.grant("reviewer", "collection:account", ["export"], team="operations")
    if gone == "nothing":
        assert sum(1 for _ in parts) > 2
        return
    with pytest.raises(NotAllowed if gone == "right" else Conflict):
        list(parts)
