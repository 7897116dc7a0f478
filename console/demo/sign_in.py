"""One-click sign-in as a person of the demo: who is offered, and the password that demo.json keeps for them.

Nothing here opens a session. It hands an address and a password to the ordinary sign-in, so an installation whose data folder has no
demo.json with that password cannot be entered this way, whatever its settings say.
"""

from dataclasses import dataclass
from typing import Any

from console.demo import loading, staff
from console.infra import settings


@dataclass(frozen=True, slots=True)
class Card:
    """A person as the sign-in page offers them. `first` names the card; `good_for` is one sentence."""

    first: str
    name: str
    role: str
    team: str
    good_for: str


def cards() -> list[Card]:
    """The people of a demo that is loaded in this data folder, in the order of people.json; empty outside the demo."""
    known = _passwords()
    return (
        [
            Card(person["first"], person["name"], person["role"], person["team"], person["good_for"])
            for person in staff.listed()
            if person["email"] in known
        ]
        if known
        else []
    )


def credentials(first: str) -> tuple[str, str] | None:
    """(address, password) of the person with this first name; None where nobody is offered under it."""
    known = _passwords()
    email = (
        next((person["email"] for person in staff.listed() if person["first"] == first), "") if known else ""
    )
    return (email, known[email]) if email in known else None


def _passwords() -> dict[str, str]:
    """E-mail address → password, from demo.json; empty unless the console serves the demo and the note says that the load has finished."""
    given = settings.current()
    note: dict[str, Any] = loading.read_note(given.data_dir) if given.demo else {}
    people = note.get("people") if note.get("loaded") else None
    return {
        str(person["email"]): str(person["password"]) for person in people or () if person.get("password")
    }
