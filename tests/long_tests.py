"""Which tests are long: `tests/long_tests.txt`, made of what pytest says of a run in which every case was tried.

    bin/test -n 3 --whole --durations=0 --durations-min=0.3 > report.txt; .venv/bin/python -m tests.long_tests report.txt

A line is the seconds of the longest case, with what was prepared for it, and the id without the case. A test that is not in the file is tried every day.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")
MINIMUM_S = 0.4
"""What takes longer, on a machine with two cores and nothing else to do, is long."""


def read() -> dict[str, float]:
    """Seconds by id."""
    lines = (line.split(maxsplit=1) for line in FILE.read_text("utf-8").splitlines())
    return {test: float(seconds) for seconds, test in lines}


def measured(report: str) -> dict[str, float]:
    """Seconds of the longest case of each test in a report of pytest's durations, what takes no longer than `MINIMUM_S` left out."""
    cases = defaultdict[str, float](float)
    for seconds, case in re.findall(r"^([\d.]+)s (?:setup|call|teardown) +(\S.*)$", report, re.MULTILINE):
        cases[case] += float(seconds)
    tests = dict[str, float]()
    for case, seconds_of_case in cases.items():
        test = case.partition("[")[0]
        tests[test] = max(tests.get(test, 0), seconds_of_case)
    return {test: seconds for test, seconds in sorted(tests.items()) if seconds > MINIMUM_S}


def main() -> None:
    """Write the file anew from the report that is named."""
    found = measured(Path(sys.argv[1]).read_text("utf-8"))
    FILE.write_text("".join(f"{seconds:.1f} {test}\n" for test, seconds in found.items()), "utf-8")
    print(f"{len(found)} long tests")


if __name__ == "__main__":
    main()
