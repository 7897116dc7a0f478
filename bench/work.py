"""The page *Work* and its API with 300,000 live runs, of which a tenth is the lead's own team's.

    python bench/work.py [--runs 300000]

Its own server in a temporary folder; the runs, approvals and tasks are made by SQL from one real run of each of twelve workflows. Measured is processor time, of this process and of its
connections in PostgreSQL, so that other load changes nothing. Asked are the first page, a deep one, each grouping, filters that find much and little, Home's
workload and the list of the API. Bar: each at most 300 ms.
"""

import argparse
import os
import re
import sys
import time
from typing import Any

import rig

BAR_MS, ROUNDS, TICKS = 300.0, 12, os.sysconf("SC_CLK_TCK")
WORKFLOWS, HOLDERS = 12, 40
PASSWORD = "a long enough bench password"
FILL = """
create table person (id integer primary key, name text not null);
insert into person select n, 'Person ' || n from generate_series(1, {rows}) n; analyze person;
"""
RUNS = """
insert into console.run select (jsonb_populate_record(r, jsonb_build_object(
    'id', 'run_' || lpad(n::text, 26, '0'), 'record', n::text, 'exclusive_key', null, 'start_key', null,
    'holder', case when n %% 3 > 0 then (select id from console.person where email = 'p' || n %% {holders} || '@example.org') end,
    'status', (array['waiting_person', 'waiting_person', 'waiting_event', 'saved'])[1 + n %% 4],
    'waiting', case when n %% 4 = 2 then '{{"for": "event"}}'::jsonb end,
    'team', case when n %% 10 = 0 then 'admin' else 'others' end,
    'due_at', case when n %% 7 > 0 then now() + (n %% 2000 - 400) * interval '1 hour' end,
    'created_at', now() - n * interval '1 minute', 'active_at', now() - n %% 5000 * interval '1 minute'))).*
from generate_series(1, {runs}) n join (select row_number() over (order by workflow) - 1 as place, run.* from console.run) numbered on numbered.place = n %% {workflows}
join console.run r on r.id = numbered.id
"""
APPROVALS = """
insert into console.approval (id, run, n, step, attempt, action, team, status, requested_by, requested_at, "values", wishes, decided, needs, roles, not_by)
select 'apr_' || id, id, 1, 'look', 1, 'x', team, 'open', 'usr_x', created_at, '{}', '[]', '[]', 1, '[]', '[]' from console.run where id like 'run_0%%' order by id limit 5000
"""
TASKS = """
insert into console.task (id, run, n, run_team, assignee, created_at, subject, kid, nonce, ct, due_on)
select 'tsk_' || id, id, 1, team, holder, created_at, 'none', 'none', '', '', current_date + 3 from console.run where id like 'run_0%%' order by id desc limit 5000
"""


def workflow(number: int) -> dict[str, Any]:
    """One of the workflows, of the lead's team."""
    look = {"id": "look", "type": "guidance", "title": "Look", "config": {"text": "Look."}}
    end = {"id": "end", "type": "end", "title": "End", "config": {"label": "Done"}, "next": {}}
    return {
        "format": 1,
        "slug": f"work-{number}",
        "title": f"Work {number}",
        "collection": "shop.person",
        "team": "admin",
        "settings": {"exclusive": False},
        "steps": [
            {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "look"}},
            look | {"next": {"default": "end"}},
            end,
        ],
    }


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description="The list of all work with many live runs.")
    parser.add_argument("--runs", type=int, default=300_000)
    told = parser.parse_args()
    with rig.console() as server:
        held = measured(server, told.runs)
    sys.exit(0 if held else 1)


def furnish(server: Any, runs_wanted: int) -> None:
    """The shop, the workflows, the lead, the holders and their work."""
    from console import runs, sources, workflows
    from console.auth import access, accounts

    server.sql("create database bench_shop")
    server.sql(FILL.replace("{rows}", str(runs_wanted)), "bench_shop")
    sources.add(
        "shop",
        server.url("postgres", "bench_shop"),
        documents=[{"id": "shop.person", "source": "shop", "table": "person", "title": "{{ record.name }}"}],
        may=rig.ALL_RIGHTS,
    )
    lead = accounts.create_person(
        "lead@example.org", role="admin", team="admin", name="Lea", password=PASSWORD
    )
    server.sql('insert into console.sign_in (document) values (\'{"second_factor": "off"}\')', "console")
    for number in range(HOLDERS):
        accounts.create_person(
            f"p{number}@example.org", role="admin", team="admin", name=f"Person {number}", password=PASSWORD
        )
    actor = accounts.actor_of_person(lead.person.id, "sys:bench")
    access.grant("admin", "workflow:*", ["see", "start", "resume", "assign"])
    access.refresh()
    for number in range(WORKFLOWS):
        workflows.import_file(workflow(number), publish=True, rights=False)
        runs.start(actor, f"work-{number}", "shop.person", "1", {})
    made = RUNS.format(holders=HOLDERS, runs=runs_wanted, workflows=WORKFLOWS).replace("%%", "%")
    server.sql(made, "console")
    for rows in (APPROVALS, TASKS, "analyze console.run", "analyze console.approval", "analyze console.task"):
        server.sql(rows.replace("%%", "%"), "console")


def signed_in() -> Any:
    """A client of the lead."""
    from console.views.app import create_app

    client = create_app().test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)
    assert found
    form = {"csrf_token": found[1], "email": "lead@example.org", "password": PASSWORD, "next": "/"}
    answer = client.post("/sign-in", data=form)
    assert answer.status_code == 303, answer.text
    return client


def processor_s() -> float:
    """Processor time of this process and of its connections to PostgreSQL, in seconds."""
    from console.infra.db.engine import fetch

    ticks = 0
    for (pid,) in fetch(
        "select pid from pg_stat_activity where backend_type in ('client backend', 'parallel worker')"
    ):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            after = file.read().rpartition(")")[2].split()
        ticks += int(after[11]) + int(after[12])
    return time.process_time() + ticks / TICKS


def measured(server: Any, runs_wanted: int) -> bool:
    """Print a line per page; whether the bar holds."""
    furnish(server, runs_wanted)
    client = signed_in()
    following = client.get("/work?due=later").text
    deep = re.search(r'href="(/work\?[^"]*after=[^"]+)"', following)
    assert deep, "there is no second page"
    (holder,) = re.findall(r"person=(usr_\w+)", client.get("/work?by=person").text)[:1]
    asked = {
        "first page by person": "/work",
        "by workflow": "/work?by=workflow",
        "by state": "/work?by=state",
        "by due": "/work?by=due",
        "deep": deep[1].replace("&amp;", "&"),
        "of one person": f"/work?person={holder}",
        "of one workflow and state": "/work?workflow=work-3&state=saved&by=due",
        "tickets, none": "/work?kind=ticket",
        "nobody's, overdue": "/work?person=none&due=overdue",
        "Home": "/",
    }
    good = []
    for name, path in asked.items():
        for _ in range(3):
            assert client.get(path).status_code == 200, path
        begin = processor_s()
        for _ in range(ROUNDS):
            client.get(path)
        took = (processor_s() - begin) / ROUNDS * 1000
        good.append(rig.held(f"Work, {name}, {runs_wanted:,} live runs", took, " ms", most=BAR_MS))
    return all(good)


if __name__ == "__main__":
    main()
