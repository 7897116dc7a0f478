"""A month in which proposals were at work, for pages that show figures."""

from datetime import timedelta
from typing import Any

from tests.support.call_figures import call


def month(company: Any) -> None:
    """Sixty steps over four weeks: most taken, some changed, some hidden, some without a proposal, some by two people in a hurry."""
    for number in range(60):
        ago = timedelta(days=number % 28, hours=number % 7, minutes=number)
        by = "olivia" if number % 3 else "tom"
        outcome = "edited" if number % 9 == 4 else "small_edit" if number % 13 == 5 else "accepted"
        took = 1.4 if by == "tom" and number % 6 == 0 else 20 + number % 30
        told: dict[str, Any] = {
            "by": by,
            "ago": ago,
            "took": took,
            "opened": 0 if by == "tom" else 1 + number % 2,
        }
        if number % 11 == 7:
            call(
                company,
                status="failed",
                code="timeout" if number % 2 else "overloaded",
                ms=None,
                cost=None,
                **told | {"took": 70},
            )
        elif number % 11 == 8:
            call(company, {"note": "ignored", "count": ("ignored", "medium")}, manual=True, **told)
        elif number % 8 == 3:
            call(
                company,
                {
                    "note": "blind_equal",
                    "count": ("blind_equal" if number % 5 else "blind_different", "medium"),
                },
                mode="blind",
                **told | {"took": 66},
            )
        else:
            call(
                company,
                {
                    "note": outcome,
                    "count": ("accepted" if number % 4 else "cleared", "medium"),
                    "extra": "dropped:not_in_source",
                },
                **told,
            )
