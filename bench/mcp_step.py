"""The bar of the step mcp_task: its own work at most 40 ms beside what its server takes.

Run as `.venv/bin/python bench/mcp_step.py`. The server is `@modelcontextprotocol/server-everything` over HTTP. Measured is Execute to the next step of
the run: rights, schema, the call, events, commit. Taken off is what the same rounds waited for the server, request by request; the probe for the newer
protocol, which this server refuses, counts as ours. The protocol's own client is no reference: it loads the system's certificates at each start, 18 ms.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Mapping
from typing import Any

import rig  # the checkout on the path

from tests.servers import mcp_servers

ROUNDS, WARM, BAR_MS = 60, 10, 40.0
STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "call"}},
    {
        "id": "call",
        "type": "mcp_task",
        "title": "Call",
        "config": {"server": "everything", "tool": "echo"},
        "next": {"default": "look"},
    },
    {
        "id": "look",
        "type": "guidance",
        "title": "Look",
        "config": {"text": "Done."},
        "next": {"default": "end"},
    },
    {"id": "end", "type": "end", "title": "End", "config": {}, "next": {}},
]


def step(person: str) -> tuple[float, float]:
    """Milliseconds (from Execute to the next step, of these waited for the server)."""
    from console import runs
    from console.auth import accounts
    from console.infra.outbound import net

    waited, send = list[float](), net.send

    def timed(
        method: net.Method, url: str, body: bytes | None, headers: Mapping[str, str], **more: Any
    ) -> net.Answer:
        begin = time.perf_counter()
        answer = send(method, url, body, headers, **more)
        if b"server/discover" not in (body or b""):
            waited.append(time.perf_counter() - begin)
        return answer

    actor = accounts.actor_of_person(person, "ses_bench")
    run_id = runs.start(actor, "calling", None, None, {})
    net.send = timed
    try:
        begin = time.perf_counter()
        runs.complete(actor, run_id, runs.Submission("call", None, {"message": "hello"}))
        whole = time.perf_counter() - begin
    finally:
        net.send = send
    told = runs.get(actor, run_id).json
    if told["current"]["step"] != "look" or told["context"]["call"]["result"] != {"text": "Echo: hello"}:
        raise SystemExit(f"the tool was not called: the run stands at {told['current']}")
    return whole * 1_000, sum(waited) * 1_000


def main() -> int:
    """Measure, print, judge."""
    argparse.ArgumentParser(description="The step mcp_task beside its server.").parse_args()
    os.environ["CONSOLE_PRIVATE_HOSTS"] = "127.0.0.1"
    with rig.console(), mcp_servers.over_http() as url:
        from console import workflows
        from console.actions import connection_settings
        from console.auth import access, accounts
        from console.core.actor import COMMAND_LINE

        person = accounts.create_person("olivia@fernwick.example", role="operator", team="operations").person
        found = connection_settings.register(COMMAND_LINE, "everything", url=url)
        connection_settings.accept(COMMAND_LINE, "everything", list(found.offered))
        document = {"format": 1, "slug": "calling", "title": "Calling", "team": "operations", "steps": STEPS}
        workflows.import_file(document, publish=True)
        for act in ("see", "start", "resume"):
            access.grant("operator", "workflow:calling", [act])
        rounds = [step(person.id) for _ in range(WARM + ROUNDS)][WARM:]
    own = sorted(whole - waited for whole, waited in rounds)
    print(
        f"whole {statistics.median(whole for whole, _ in rounds):.1f} ms, of these own p95 {own[int(len(own) * 0.95)]:.1f} ms"
    )
    return 0 if rig.held("MCP step's own work", statistics.median(own), " ms", most=BAR_MS) else 1


if __name__ == "__main__":
    sys.exit(main())
