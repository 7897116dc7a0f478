"""The process that draws a paper: `python -I press.py`, HTML on its standard input, PDF on its standard output.

It is started anew for each paper, with no environment, and gives itself limits before it reads the first byte. Nothing is fetched: no address, no file,
only what stands in the page itself as data. Imports nothing of the console.
"""

import resource
import sys

MEMORY = 2 << 30
CPU_S = 50


def limit() -> None:
    """From here on: so much memory and time, nothing written."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(what, (allowed, allowed))
        except (ValueError, OSError):  # macOS knows no limit of the address space
            continue


def main(page: str) -> bytes:
    """The PDF."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    closed = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    made: bytes = HTML(string=page, url_fetcher=closed).write_pdf()
    return made


if __name__ == "__main__":
    limit()
    sys.stdout.buffer.write(main(sys.stdin.buffer.read().decode()))
