"""Who is the primary changes: it dies in mid-run and the standby takes over, or it lives on beside the promoted one. Nothing is lost, done twice, or written to a stale one."""

import signal
import time

from tests.release.machines import WALK, WEB, Machine, ask, installation, started, until

BACK_S = 15
"""How long it may take until everything goes on, after the standby was promoted."""
DONE_S = 240
"""How long runs may take that wait for a minute."""
EVENTS = "select count(*) from console.event"


def test_work_goes_on_at_the_promoted_standby_and_nothing_is_written_to_the_former_primary() -> None:
    with installation() as machines:
        _, key = machines.prepare(WALK)
        machines.start()
        web, other = machines.webs
        urls = [web.url, other.url]
        runs = [started(urls[number % WEB], key, f"walk-{number}") for number in range(10)]
        machines.primary.kill()
        assert {ask(url, key, "/me")[0] for url in urls} <= {0, 503}
        machines.standby.promote()
        promoted = time.monotonic()
        again = [started(urls[number % WEB], key, f"walk-{number}") for number in range(18)]
        assert again[:10] == runs
        assert until(lambda: web.get("/health")[1].get("status") == "running", BACK_S)
        assert time.monotonic() - promoted < BACK_S

        machines.primary.start()  # both take changes, and the former one stands first in DATABASE_URL
        stale = machines.primary.ask(EVENTS)
        for machine in (web, machines.workers[0]):
            machine.stop()
            machine.start()
        web.ready()
        again.append(started(web.url, key, "walk-18"))

        machines.standby.kill()  # the former one alone is left
        assert until(lambda: _codes(web) == {"stale_primary"}, 30)
        status, body = ask(web.url, key, "/runs", {"workflow": "walk"}, "walk-19")
        assert (status, body["code"]) == (503, "stale_primary")
        status, page = web.get("/sign-in")
        assert (status, "another server was promoted" in page) == (503, True)
        assert web.get("/health/pages")[0] == 503
        web.stop()
        web.start()  # started anew, it still knows
        assert until(lambda: "another server was promoted" in web.log.read_text())
        web.signal(signal.SIGKILL)

        machines.standby.start()
        web.start().ready()
        again.append(started(web.url, key, "walk-19"))
        left = set(again[:18])
        while left:
            assert time.monotonic() - promoted < DONE_S, [
                ask(web.url, key, f"/runs/{run}")[1] for run in left
            ]
            left -= {run for run in left if ask(web.url, key, f"/runs/{run}")[1]["status"] == "completed"}
            time.sleep(1)
        assert machines.primary.ask(EVENTS) == stale
        assert machines.standby.ask("select count(*) from console.run") == 20
        assert machines.standby.ask("select count(distinct run) from console.task") >= len(again[:18])
        assert machines.standby.ask("select count(*) - count(distinct run) from console.task") == 0
        machines.command("seal")
        assert ", complete;" in machines.command("verify")


def _codes(web: Machine) -> set[str]:
    return {problem["code"] for problem in web.get("/health")[1].get("problems", ())}
