"""How long the tree over the log takes: a root after new events, and proofs at 1,000,000 events.

    python bench/tree.py [--leaves 1000000] [--new 10000] [--rounds 200]

Tiles are in memory: what a table adds is a read of the few tiles that are counted here. A cold proof finds no tile expanded.
"""

import argparse
import random
import statistics
import time
from hashlib import sha256

import rig  # noqa: F401  # the checkout on the path


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Milliseconds of roots and proofs.")
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=10_000, help="leaves added before a new root")
    parser.add_argument("--rounds", type=int, default=200, help="proofs of each kind")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    from tests.log.growing import Memory, Tiles, consistent, included

    given = arguments()
    store = Memory()
    tiles = Tiles(store)
    leaves = [sha256(number.to_bytes(8, "big")).digest() for number in range(given.leaves + given.new * 5)]
    tiles.append(leaves[: given.leaves])
    root = tiles.root()
    drawn = random.Random(1)
    figures: dict[str, list[float]] = {"inclusion, cold": [], "inclusion, warm": [], "consistency, cold": [], "consistency, warm": []}
    for _ in range(given.rounds):
        index, old = drawn.randrange(given.leaves), drawn.randrange(1, given.leaves)
        for name, warm in (("cold", tiles), ("warm", tiles)):
            reader = Tiles(store, given.leaves) if name == "cold" else warm
            begin = time.perf_counter()
            proof = reader.inclusion(index)
            middle = time.perf_counter()
            steps = reader.consistency(old)
            end = time.perf_counter()
            figures[f"inclusion, {name}"].append(middle - begin)
            figures[f"consistency, {name}"].append(end - middle)
        if not included(leaves[index], index, given.leaves, proof, root) or not consistent(old, tiles.root(old), given.leaves, root, steps):
            raise SystemExit("a proof does not hold")
    for name, took in figures.items():
        print(f"{name}: {statistics.median(took) * 1000:.3f} ms, worst {max(took) * 1000:.3f} ms (bar: 1 ms)")
    added = []
    for round_number in range(5):
        start = given.leaves + round_number * given.new
        begin = time.perf_counter()
        tiles.append(leaves[start : start + given.new])
        tiles.root()
        added.append(time.perf_counter() - begin)
    print(f"{given.new} new leaves and a root: {statistics.median(added) * 1000:.2f} ms (bar: 10 ms)")


if __name__ == "__main__":
    main()
