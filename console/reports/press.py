"""The program that draws a paper: HTML on its standard input, PDF on its standard output. It runs under the limits of `console.files.confined`.

Nothing is fetched: no address, no file, only what stands in the page itself as data. Imports nothing of the console.
"""

import sys


def main(page: str) -> bytes:
    """The PDF."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    closed = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    made: bytes = HTML(string=page, url_fetcher=closed).write_pdf()
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(main(sys.stdin.buffer.read().decode()))
