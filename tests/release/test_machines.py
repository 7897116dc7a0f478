"""Machines that die, freeze or have a wrong clock, and files that one takes and another reads: nothing is lost, done twice, or due at another time."""

import json
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyotp
import pytest

from tests.papers import pdf
from tests.release.machines import (
    FAIL_TIMEOUT_S,
    TASK,
    THIS,
    WALK,
    Client,
    Machines,
    Person,
    ask,
    balancer,
    debian,
    document,
    installation,
    started,
    until,
)

FILED = document(
    "filed",
    {
        "id": "file",
        "type": "decision",
        "title": "File it",
        "config": {
            "options": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
            "form": [{"name": "paper", "type": "file", "label": "Paper"}],
        },
    },
)
FILED["steps"][1]["next"] = {"yes": "end", "no": "end"}
del FILED["run_as"]
GUIDED = document("guided", {"id": "look", "type": "guidance", "title": "Look", "config": {"text": "Look."}})
del GUIDED["run_as"]
PAPER = pdf(text="Handed in at the first machine.")
SKEW_S = 60


class Walk:
    """The machines, their balancer and the keys of a lead and an operator."""

    def __init__(self, machines: Machines, url: str, lead: str, key: str) -> None:
        self.machines, self.url, self.lead, self.key = machines, url, lead, key


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """One installation for the tests of this module, each of which leaves every machine at work."""
    with installation() as machines:
        machines.primary.ask("alter role console createdb")
        machines.environ["CONSOLE_SANDBOX"] = "on"
        lead, key = machines.prepare(WALK, TASK, GUIDED, FILED, book=("--grant", "export"))
        machines.start()
        with balancer(machines) as url:
            yield Walk(machines, url, lead, key)
        machines.command("seal")
        assert ", complete;" in machines.command("verify")


def test_what_one_machine_takes_or_writes_another_reads(walk: Walk) -> None:
    first, second = walk.machines.webs
    run = started(first.url, walk.key, "filed", "filed")
    kept = upload(first.url, walk.key, run)
    headers = {"Authorization": f"Bearer {walk.key}"}
    content = urllib.request.Request(f"{second.url}/api/v1/files/{kept}/content", headers=headers)
    with urllib.request.urlopen(content, timeout=5) as answer:
        assert answer.read() == PAPER
    status, export = ask(first.url, walk.lead, "/collections/crm.contact/exports", {}, "export")
    assert status == 202, export
    exported = f"/exports/{export['id']}"
    assert until(lambda: ask(second.url, walk.lead, exported)[1]["status"] == "done")
    assert ask(second.url, walk.lead, f"{exported}/file")[0] == 200


def upload(url: str, key: str, run: str) -> str:
    """The id of a file that was handed in for a run."""
    form = "".join(
        f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("run", run), ("step", "file"), ("field", "paper"))
    )
    file = '--part\r\nContent-Disposition: form-data; name="file"; filename="paper.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    body = (form + file).encode() + PAPER + b"\r\n--part--\r\n"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "multipart/form-data; boundary=part"}
    with urllib.request.urlopen(
        urllib.request.Request(f"{url}/api/v1/files", body, headers), timeout=5
    ) as answer:
        return str(json.load(answer)["file"])


def test_a_web_host_that_loses_its_power_loses_no_request_that_is_sent_again(walk: Walk) -> None:
    first, _ = walk.machines.webs
    client = Client(walk.machines, walk.key, started(walk.url, walk.key, "looked-at", "guided"))
    client.start()
    time.sleep(3)
    first.signal(signal.SIGKILL)
    time.sleep(FAIL_TIMEOUT_S + 2)
    first.start().ready()
    time.sleep(FAIL_TIMEOUT_S)
    client.stop()
    assert until(lambda: tasks(walk) == len(client.runs))


def test_a_worker_that_comes_back_long_after_others_took_its_work_does_nothing_twice(walk: Walk) -> None:
    worker = walk.machines.workers[0]
    before = tasks(walk)
    runs = [started(walk.url, walk.key, f"frozen-{number}", "task") for number in range(20)]
    worker.signal(signal.SIGSTOP)
    runs += [started(walk.url, walk.key, f"thawed-{number}", "task") for number in range(20)]
    held = walk.machines.primary.ask("select count(*) from queue.pgqueuer where status = 'picked'")
    assert until(lambda: tasks(walk) == before + len(runs), 30), held
    # After a day the server has long ended its connections.
    ports = [each.laddr.port for process in worker.everything() for each in process.net_connections()]
    ended = walk.machines.primary.ask(
        f"select count(pg_terminate_backend(pid)) from pg_stat_activity where client_port in ({','.join(map(str, ports))})"
    )
    assert ended > 3
    worker.signal(signal.SIGCONT)
    more = [started(walk.url, walk.key, f"later-{number}", "task") for number in range(10)]
    assert until(lambda: tasks(walk) == before + len(runs + more))
    assert until(lambda: ask(walk.url, "", "/health")[1]["status"] == "running")
    time.sleep(3)
    assert tasks(walk) == before + len(runs + more)
    for other in walk.machines.workers[1:]:
        other.stop()
    assert started(walk.url, walk.key, "alone", "task")
    assert until(lambda: tasks(walk) == before + len(runs + more) + 1)
    for other in walk.machines.workers[1:]:
        other.start()


def test_a_clock_that_is_a_minute_off_moves_no_timer_and_signs_nobody_out(walk: Walk) -> None:
    right, wrong = walk.machines.webs
    folder = walk.machines.folder
    ahead = clock(folder, SKEW_S)
    for machine, environ in (
        (wrong, ahead),
        (walk.machines.workers[0], ahead),
        (walk.machines.workers[1], clock(folder, -SKEW_S)),
    ):
        machine.stop()
        machine.start(THIS, **environ)
    wrong.ready()
    for web in (wrong, right):
        run = started(web.url, walk.key, f"timed-{web.port}")
        left_s = "select extract(epoch from (waiting->>'until')::timestamptz - now())::float from console.run where id = '{}'"
        assert until(partial(waits, walk, run))
        assert 50 < walk.machines.primary.ask(left_s.format(run)) < 62
    person = Person(wrong.url, "olivia", walk.machines.passwords["olivia"])
    for web in (right, wrong, right):  # the cookie that one machine signed, at the other
        person.url = web.url
        assert "Sign in, Handrail" not in person.open("/approvals")[1]
    secret = second_factor(walk, person)
    for steps, web in enumerate((wrong, right)):
        again = Person(
            web.url, "olivia", walk.machines.passwords["olivia"], code=partial(code, walk, secret, steps)
        )
        assert "Sign in, Handrail" not in again.open("/approvals")[1]
    assert until(lambda: status(walk, run) == "completed", 90)
    for machine in (wrong, *walk.machines.workers[:2]):
        machine.stop()
        machine.start()
    wrong.ready()


OFF = """
#ifdef __aarch64__
#define CALL 113
#else
#define CALL 228
#endif
struct moment { long s, part; };
extern long syscall(long, ...);
int clock_gettime(int clock, struct moment *now) {
    int failed = syscall(CALL, (long)clock, now);
    if (!failed && (clock == 0 || clock == 5)) now->s += BY;
    return failed;
}
int gettimeofday(struct moment *now, void *zone) {
    clock_gettime(0, now);
    now->part /= 1000;
    return 0;
}
long time(long *at) {
    struct moment now;
    clock_gettime(0, &now);
    if (at) *at = now.s;
    return now.s;
}
"""
"""Loaded before the C library: the wall clock is off by `BY` seconds, and the clock by which processes wait is not (libfaketime breaks their waiting)."""


def clock(folder: Path, by_s: int) -> dict[str, str]:
    """What lets a machine's clock be off by so many seconds."""
    source, made = folder / "off.c", folder / f"off{by_s}.so"
    source.write_text(OFF)
    compiler = shutil.which("cc") or debian("tcc", "usr/bin/tcc")
    command = [compiler, "-shared", "-fPIC", "-nostdlib", f"-DBY={by_s}", source, "-o", made]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {"LD_PRELOAD": str(made)}


def second_factor(walk: Walk, person: Person) -> str:
    """Set one up; return its secret."""
    page = person.open("/settings/me/second-factor")[1]
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert found, page[-3000:]
    secret = found[1].replace(" ", "")
    assert person.send("/settings/me/second-factor", code=code(walk, secret, -1))[0] == 200
    return secret


def code(walk: Walk, secret: str, steps: int) -> str:
    """The code so many steps from now, by the clock of the database and never at the end of a step: each is taken once."""
    moment = "select extract(epoch from clock_timestamp())::float"
    if (past := walk.machines.primary.ask(moment) % 30) > 25:
        time.sleep(30 - past)
    return pyotp.TOTP(secret).generate_otp(int(walk.machines.primary.ask(moment) // 30) + steps)


def tasks(walk: Walk) -> int:
    return int(walk.machines.primary.ask("select count(*) from console.task"))


def waits(walk: Walk, run: str) -> bool:
    return status(walk, run) == "waiting_time"


def status(walk: Walk, run: str) -> str:
    return str(walk.machines.primary.ask(f"select status from console.run where id = '{run}'"))
