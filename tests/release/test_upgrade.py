"""0.5.0 becomes this release while people work: two web hosts and three workers, one after the other, behind a balancer that is asked all the time; and the way back."""

import time
from typing import Any

from tests.release.machines import (
    FAIL_TIMEOUT_S,
    TASK,
    WALK,
    Client,
    Machines,
    Program,
    ask,
    balancer,
    document,
    former_release,
    installation,
    started,
    until,
)
from tests.servers import outside

FORMER = "1ec72e5d0"
"""The commit of 0.5.0."""
LINES = 8_000
"""Of the import: more than is done when the workers are stopped."""


GUIDED = document("guided", {"id": "look", "type": "guidance", "title": "Look", "config": {"text": "Look."}})
ASKED = document(
    "asked",
    {"id": "ok", "type": "approval", "title": "Approve", "config": {"text": "Yes?", "roles": ["lead"]}},
)
MAILED = document(
    "mailed",
    {
        "id": "mail",
        "type": "email",
        "title": "Write",
        "config": {"subject": "Hello", "body": "Hello {{ record.name }}"},
    },
    collection="crm.contact",
)
for guided in (GUIDED, ASKED):
    del guided["run_as"]


def upgrade(machines: Machines) -> None:
    """As docs/how-to/run-on-several-machines.md says it: the workers end, one web host brings the tables to their form, then the others."""
    for web in machines.webs:
        web.stop()
        web.start().ready()
        time.sleep(FAIL_TIMEOUT_S)
    for worker in machines.workers:
        worker.start()
    assert until(lambda: machines.webs[0].get("/health")[0] == 200), machines.workers[0].log.read_text()


def test_work_goes_on_while_one_machine_after_the_other_gets_the_new_release() -> None:
    former = former_release(FORMER)
    with installation() as machines, outside.smtp() as mail:
        mail.reply = "451 later"
        machines.primary.ask("alter role console createdb")
        machines.environ |= {
            "DATABASE_URL": machines.primary.url("console"),  # 0.5.0 takes one host
            "CONSOLE_SANDBOX": "off",
            "CONSOLE_SMTP_URL": f"smtp://127.0.0.1:{mail.port}?tls=off",
            "CONSOLE_MAIL_FROM": "walk@example.com",
        }
        lead, key = machines.prepare(WALK, TASK, GUIDED, ASKED, MAILED, book=(), program=former)
        machines.start(former)
        with balancer(machines) as url:
            people = "".join(f"P{number},p{number}@post.example,new,yes,fair\n" for number in range(LINES))
            csv = f"name,email,stage,email consent,consent source\n{people}"
            contacts = "/contacts/crm.contact/imports"
            status, sent = ask(url, lead, contacts, {"csv": csv}, "import", 30)
            assert status == 202, sent
            mailed = []
            for number in range(3):
                body = {"workflow": "mailed", "collection": "crm.contact", "record": str(number + 1)}
                mailed.append(ask(url, key, "/runs", body, f"mailed-{number}")[1]["id"])
            guided, asked = (started(url, key, slug, slug) for slug in ("guided", "asked"))
            waiting = [started(url, key, f"timer-{number}") for number in range(5)]
            assert until(lambda: _messages(machines) == 3)
            for worker in machines.workers:
                worker.stop()
            mail.reply = "250 taken"
            assert ask(url, lead, f"{contacts}/{sent['id']}")[1]["status"] == "running"
            half = ask(url, lead, f"{contacts}/{sent['id']}")[1]["done"]
            assert 0 < half < LINES
            machines.command("backup", str(machines.folder / "before.zip"), program=former)

            client = Client(machines, key, guided)
            client.start()
            upgrade(machines)
            client.stop()

            look = ask(url, key, f"/runs/{guided}")[1]
            assert (look["status"], look["current"]["step"]) == ("waiting_person", "look")
            done = {"step": "look", "revision": look["revision"], "values": {}}
            assert ask(url, key, f"/runs/{guided}/complete", done, "look")[1]["status"] == "completed"
            (approval,) = ask(url, lead, "/approvals")[1]["data"]
            assert ask(url, lead, f"/approvals/{approval['id']}/approve", {}, "yes")[0] == 200
            everything = {guided, asked, *waiting, *mailed, *client.runs}
            assert len(everything) == 10 + len(client.runs)
            assert until(lambda: not _live(machines), 150), _live(machines)
            assert until(lambda: ask(url, lead, f"{contacts}/{sent['id']}")[1]["status"] == "done")
            assert machines.primary.ask("select count(*) from console.run where status = 'completed'") == len(
                everything
            )
            walks = len(waiting) + len(client.runs)
            assert machines.primary.ask("select count(*) from console.task") == walks
            written = sorted(message["to"] for message in mail.messages if message["subject"] == "Hello")
            assert written == [f"p{number}@post.example" for number in range(3)]
            for table in ("contact", "consent"):
                assert machines.primary.ask(f"select count(*) from {table}", _book(machines)) == LINES
            machines.command("seal")
            assert ", complete;" in machines.command("verify")
        way_back(machines, former)


def way_back(machines: Machines, former: Program) -> None:
    """The former release refuses the changed tables, and serves again what it had backed up."""
    machines.stop()
    web, worker = machines.webs[0], machines.workers[0]
    web.start(former)
    assert web.process is not None
    assert web.process.wait(60) != 0
    assert "of a newer release" in web.log.read_text()
    machines.command(
        "restore", str(machines.folder / "before.zip"), "--replace", "--accept-loss", program=former
    )
    for machine in (web, worker):
        machine.start(former)
    web.ready()
    assert until(lambda: web.get("/health")[1].get("paused_because") == "restored")
    machines.command("resume", "--reason", "Walked", program=former)
    assert until(lambda: not [status for _, status in _live(machines) if status == "waiting_time"], 150)
    machines.command("seal", program=former)
    assert ", complete;" in machines.command("verify", program=former)


def _live(machines: Machines) -> Any:
    return machines.primary.ask(
        "select json_agg(json_build_array(id, status)) from console.run where ended_at is null"
    )


def _messages(machines: Machines) -> Any:
    return machines.primary.ask("select count(*) from console.message where tries > 0")


def _book(machines: Machines) -> str:
    return str(machines.primary.ask("select datname from pg_database where datname like '%crm%'"))
