"""The case file of a run of 100 steps as a paper: processor time of all of it, against a bare WeasyPrint document of as many pages.

    python bench/case_file.py [--steps 100] [--rounds 3] [--profile]

The workflow is that of step.py, walked to `--steps` completed steps. Counted is the processor of this process and of the one that draws: reading the run,
its screens and proofs, the page, the PDF with its tags and attachments. The bare document has the words of the same pages in paragraphs, the same
typeface, no tags and no attachments. Bar: 5 s of processor.
"""

import argparse
import cProfile
import json
import pstats
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable
from html import escape

import rig
import step

BAR_S = 5.0
BARE = """
import json, sys
from weasyprint import HTML
told = json.load(sys.stdin)
made = HTML(string=told).render()
sys.stdout.write(str(len(made.pages)))
made.write_pdf()
"""


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor that the work takes, in this process and in those that it starts and waits for."""

    def now() -> float:
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    begin = now()
    work()
    return now() - begin


def bare(style: str, words: list[str]) -> int:
    """Draw the words as paragraphs; how many pages they took."""
    page = f"<html><head><style>{style}</style></head><body>{''.join(f'<p>{escape(line)}</p>' for line in words)}</body></html>"
    answer = subprocess.run([sys.executable, "-c", BARE], input=json.dumps(page), capture_output=True, text=True, check=True)
    return int(answer.stdout)


def main() -> int:
    """Walk, draw in turn, print, judge."""
    parser = argparse.ArgumentParser(description="The case file of a run of 100 steps.")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    with rig.console():
        from flask import g
        from pypdfium2 import PdfDocument

        from console import reports
        from console.activity import sequencing
        from console.app import create_app
        from console.views.run import case_file

        walker = step.Walker(step.prepare())
        for _ in range(asked.steps):
            walker.complete()
        app = create_app()
        pages: list[str] = []
        drawn: list[bytes] = []

        def ours() -> None:
            with app.test_request_context("/"):
                g.actor = walker.actor
                case = reports.case_file(walker.actor, walker.run_id, "pdf", ready=sequencing.seal, with_documents=False)
                pages.append(case_file.html(case, walker.actor))
                drawn.append(reports.paper(case, pages[-1]))

        ours()
        body = re.sub(r"<style.*?</style>", "", pages[0], flags=re.DOTALL)
        words = [line for line in (" ".join(part.split()) for part in re.split(r"<[^>]+>", body)) if line]
        count = len(PdfDocument(drawn[0]))
        longer = words
        while (there := bare(case_file._style(), longer)) < count:
            longer = longer + words
        a, b = rig.in_turn(asked.rounds, lambda: spent(ours), lambda: spent(lambda: bare(case_file._style(), longer)))
        took, theirs = statistics.median(a), statistics.median(b)
        print(f"{asked.steps} steps: {len(pages[0]) / 1000:.0f} KB of page, {len(drawn[0]) / 1000:.0f} KB of PDF, {count} pages")
        print(
            f"ours {took:.1f} s of processor, bare WeasyPrint of {there} pages {theirs:.1f} s, ratio {rig.ratio(a, b):.2f}; bar {BAR_S:g} s"
        )
        if asked.profile:
            watch = cProfile.Profile()
            watch.runcall(ours)
            pstats.Stats(watch, stream=sys.stdout).sort_stats("cumulative").print_stats(30)
    return 0 if took <= BAR_S else 1


if __name__ == "__main__":
    sys.exit(main())
