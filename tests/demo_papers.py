"""A paper of one page with a word on it."""

from console.demo import printed_papers


def paper(word: str) -> bytes:
    """The bytes of a bill that names this place."""
    facts = {
        "title": "Electricity bill",
        "issuer": f"Works of {word}",
        "lines": f"Customer: Somebody\nAddress: {word}\nDate: 2026-10-20",
        "table": "Period|Amount\n2026-09-20 to 2026-10-20|EUR 118.20",
    }
    return printed_papers.paper(facts)[0]
