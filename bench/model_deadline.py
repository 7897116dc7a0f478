"""How far beyond its deadline a call of a model may go, whatever the endpoint does, and what a call costs us beside the endpoint's own time.

    python bench/model_deadline.py [--seconds 1] [--threads 100]

The endpoint of the tests runs as a process of its own and stalls, drips byte by byte, sends a head without end, asks for an absurd wait, does not read, and
so on; each fault is asked for alone and by many threads at once, through the real SDK and through chat/completions. The bar: 0.2 s beyond the deadline. Then
the endpoint is well again, and what a good call takes is measured, one after the other.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from console.ai import calling, providers  # noqa: E402 (found by the line above)
from tests.ai.questions import AMOUNT, EVIDENCE, SYSTEM  # noqa: E402 (as above)

BAR_S = 0.2
FAULTS = ("stall", "drip", "slow_header", "slow", "http_529", "drop", "drop_mid_stream", "http_429")
KEY = "sk-of-the-bench"


@contextmanager
def endpoint() -> Iterator[str]:
    """The address of the endpoint, a process of its own."""
    command = [sys.executable, "-m", "tests.servers.model", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def fault(url: str, mode: str) -> None:
    """Have it fail so from now on; `well` ends that."""
    told = {
        "mode": mode,
        "times": None,
        "seconds": 30 if mode == "slow" else 0.05,
        "headers": {"retry-after": "4294967295"} if mode == "http_429" else {},
    }
    request = urllib.request.Request(f"{url}/_fault", json.dumps(told).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        answer.read()


def one(provider: providers.Asking, seconds: float) -> float:
    """How long a call took."""
    began = time.monotonic()
    with suppress(calling.CallFailed):
        calling.call(provider, SYSTEM, EVIDENCE, AMOUNT, seconds=seconds, max_tokens=500)
    return time.monotonic() - began


def many(provider: providers.Asking, seconds: float, threads: int) -> float:
    """The longest of calls that are made at once."""
    took: list[float] = []
    working = [threading.Thread(target=lambda: took.append(one(provider, seconds))) for _ in range(threads)]
    for thread in working:
        thread.start()
    for thread in working:
        thread.join()
    return max(took)


@contextmanager
def mute() -> Iterator[str]:
    """An address where connections are taken and nothing is ever read."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(200)
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def main() -> None:
    """Print what was found, and end with 1 where the bar was not kept."""
    parser = argparse.ArgumentParser(prog="model_deadline.py", description="How far beyond its deadline a call of a model may go.")
    parser.add_argument("--seconds", type=float, default=1.0, help="the deadline")
    parser.add_argument("--threads", type=int, default=100, help="calls at once")
    told = parser.parse_args()
    worst = 0.0
    with endpoint() as url, mute() as nobody:
        asked: list[providers.Asking] = [
            providers.provider(providers.anthropic.Config("claude-haiku-5-5", KEY, url, private=True)),
            providers.provider(providers.openai_compatible.Config("local-model", f"{url}/v1", KEY, private=True)),
        ]
        for provider in asked:
            for mode in FAULTS:
                fault(url, mode)
                alone, together = one(provider, told.seconds), many(provider, told.seconds, told.threads)
                worst = max(worst, alone - told.seconds, together - told.seconds)
                print(f"{provider.name:18} {mode:16} alone {alone:.3f} s, {told.threads} at once {together:.3f} s")
                fault(url, "well")
            took = [one(provider, 10) for _ in range(200)]
            print(
                f"{provider.name:18} well             median {statistics.median(took) * 1000:.1f} ms, 95th percentile {sorted(took)[190] * 1000:.1f} ms"
            )
        silent = providers.provider(providers.openai_compatible.Config("m", nobody, KEY, private=True))
        worst = max(worst, many(silent, told.seconds, told.threads) - told.seconds)
    print(f"longest beyond the deadline: {worst:.3f} s (bar {BAR_S} s)")
    sys.exit(worst > BAR_S)


if __name__ == "__main__":
    main()
