"""A run grown old against a young one, and how long the replay of a long run takes.

    python bench/long_run.py [--steps 10000] [--rounds 5] [--window 100] [--replays 5] [--profile]

The workflow is that of step.py: it goes round for ever, and its visit limit is 100,000. One run is walked to `--steps` completed
steps; on the way, at 10,000 events, its replay is timed at the first event, in the middle and at the end (bar: 0.3 s each). Then, in
each round, the steps 10 to 10 + `--window` of a new run and the next `--window` of the old one are taken in turn, one of each
(bar: the old one's median at most 1.1 times the young one's). Reading both runs as a page does (`runs.get`) is printed beside it. Python
looks for garbage as seldom as in the web process.
"""

import argparse
import cProfile
import functools
import os
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import rig
import step

WARM = 10
EVENTS = 10_000
BAR_STEP, BAR_REPLAY_MS = 1.1, 300.0


def milliseconds(work: Callable[[], Any]) -> float:
    """How long `work` takes once."""
    begin = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - begin) / 1e6


def walk(walker: step.Walker, count: int) -> step.Walker:
    """The walker after so many more steps."""
    for _ in range(count):
        walker.complete()
    return walker


def steps_in_turn(person: str, old: step.Walker, rounds: int, window: int) -> list[tuple[float, float]]:
    """(young, old) median milliseconds of a step, a pair for each round."""
    pairs = []
    for _ in range(rounds):
        young = walk(step.Walker(person), WARM)
        taken = rig.in_turn(
            window, lambda young=young: milliseconds(young.complete), lambda: milliseconds(old.complete)
        )
        pairs.append((statistics.median(taken[0]), statistics.median(taken[1])))
    return pairs


def reads_in_turn(person: str, old: step.Walker, rounds: int) -> tuple[float, float]:
    """(young, old) median milliseconds of `runs.get`."""
    young = walk(step.Walker(person), WARM)
    taken = rig.in_turn(
        rounds,
        *(
            functools.partial(milliseconds, lambda who=who: who.runs.get(who.actor, who.run_id))
            for who in (young, old)
        ),
    )
    return statistics.median(taken[0]), statistics.median(taken[1])


def replays(walker: step.Walker, times: int) -> dict[str, float]:
    """Median milliseconds of the replay at the first event, in the middle and at the end, taken in turn."""
    places = {"first": 1, "middle": EVENTS // 2, "end": EVENTS}
    taken = rig.in_turn(
        times,
        *(
            functools.partial(
                milliseconds, functools.partial(walker.runs.replay, walker.actor, walker.run_id, at)
            )
            for at in places.values()
        ),
    )
    return {name: statistics.median(found) for name, found in zip(places, taken, strict=True)}


def profiled(name: str, work: Callable[[], Any]) -> None:
    """Where the time goes, by the functions that take most of it themselves and with what they call."""
    watch = cProfile.Profile()
    watch.runcall(work)
    print(f"\n{name}")
    told = pstats.Stats(watch, stream=sys.stdout)
    told.sort_stats("cumulative").print_stats(30)
    told.sort_stats("tottime").print_stats(15)


def judge(pairs: Sequence[tuple[float, float]], replayed: dict[str, float]) -> bool:
    """Print the figures; whether both bars hold."""
    young, old = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = rig.ratio([pair[1] for pair in pairs], [pair[0] for pair in pairs])
    print(f"step of a young run {young:.2f} ms, of the old one {old:.2f} ms")
    good = [rig.held("the 10,000th step against the 10th", ratio, " ×", most=BAR_STEP)]
    good += [
        rig.held(f"replay of {EVENTS:,} events, {name}", took, " ms", most=BAR_REPLAY_MS)
        for name, took in replayed.items()
    ]
    return all(good)


def main() -> int:
    """Set up, walk, measure in turn, print, judge."""
    parser = argparse.ArgumentParser(
        description="The 10,000th step against the 10th; replay of 10,000 events."
    )
    parser.add_argument(
        "--steps", type=int, default=10_000, help="completed steps of the old run (at least 5,000)"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=int, default=100, help="steps of each run in a round")
    parser.add_argument("--replays", type=int, default=5, help="replays at each place")
    parser.add_argument(
        "--profile", action="store_true", help="print where a replay and a read spend their time"
    )
    told = parser.parse_args()
    with rig.console():
        person = step.prepare()
        old = walk(step.Walker(person), EVENTS // 2)
        replayed = replays(old, told.replays)
        if told.profile:
            profiled("replay at the end", lambda: old.runs.replay(old.actor, old.run_id, EVENTS))
        walk(old, max(0, told.steps - EVENTS // 2))
        pairs = steps_in_turn(person, old, told.rounds, told.window)
        print(
            f"{os.cpu_count()} cores, {told.rounds} rounds of {told.window} steps, old run of {told.steps:,} steps"
        )
        good = judge(pairs, replayed)
        young_ms, old_ms = reads_in_turn(person, old, told.replays)
        print(f"runs.get of the young run {young_ms:.1f} ms, of the old one {old_ms:.1f} ms")
        if told.profile:
            profiled("runs.get of the old run", lambda: old.runs.get(old.actor, old.run_id))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
