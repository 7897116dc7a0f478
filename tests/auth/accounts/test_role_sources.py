"""Roles of an existing installation find out what gave them."""

from pathlib import Path
from typing import Any

import psycopg

from console.auth import access
from console.infra.db import engine as db
from tests.company import Company
from tests.conftest import Database

SCRIPT = Path(__file__).parents[3] / "migrations" / "sql" / "20261219_0690_role_sources.sql"
BEFORE = """
drop table console.role_source;
alter table console.identity drop column id, drop column email, drop column name, drop column withheld_at;
alter table console.session drop column identity, drop column provider_session;
alter table console.person_team drop column by_group;
alter table console.one_time drop constraint one_time_kind_check,
    add constraint one_time_kind_check check (kind in ('code', 'enrol', 'reset', 'letter', 'state', 'kept'));
"""


def sources(person_id: str) -> dict[tuple[str, str], set[str]]:
    with db.hot_engine().connect() as connection:
        grants = access.grants_of(person_id, connection)
    return {pair: {source.partition(":")[0] for source in given} for pair, given in grants.items()}


def test_what_groups_gave_before_the_upgrade_is_theirs_and_what_somebody_gave_stays_by_hand(
    database: Database, company: Company
) -> None:
    tom, stan = company.tom, company.stan
    [(name,)] = db.fetch("select current_database()", ())
    home = next(iter(tom.roles))
    with db.transaction() as connection:
        access.assign(
            tom.id, [*tom.roles, ("reviewer", "audit"), ("lead", "procurement")], connection=connection
        )  # as a sign-in did
    run: Any
    with psycopg.connect(database.admin_url, dbname=name, autocommit=True) as run:
        run.execute(BEFORE)
        run.execute("insert into console.team (id, name) values ('audit', 'Audit') on conflict do nothing")
        run.execute(
            "insert into console.person_team (person, team) values (%s, 'audit') on conflict do nothing",
            (tom.id,),
        )
        roles = [list(home), ["reviewer", "audit"], ["gone", "audit"]]
        row = ("https://login.example", "tom", tom.id, psycopg.types.json.Jsonb(roles))
        run.execute(
            "insert into console.identity (issuer, subject, person, roles) values (%s, %s, %s, %s)", row
        )
        run.execute(SCRIPT.read_text(encoding="utf-8"))
        (left,) = run.execute(
            "select array_agg(team order by team) from console.person_team where person = %s and by_group",
            (tom.id,),
        ).fetchone()
    assert sources(tom.id) == {
        home: {"identity", "hand"},
        ("reviewer", "audit"): {"identity"},
        ("lead", "procurement"): {"hand"},
    }
    assert sources(stan.id) == {pair: {"hand"} for pair in stan.roles}
    assert left == ["audit"]
