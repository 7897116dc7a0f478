"""The twelve records with a story, and the ones that go through to the end plainly.

Their facts are oracles of the acceptance scenarios: what is written here is what people and tests find in the databases.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from console.demo.stories import ADAEZE, BRAM, GRETA, HALCYON, JURIJ, KENJI, OLEKSANDRA, PRIYA, TORE, YURI


@dataclass(frozen=True, slots=True)
class StoryCustomer:
    """A customer by its number: where it stands in the reviews, its risk points, and the facts of its row that are not drawn."""

    status: str
    band: str
    review: str
    points: dict[str, int]
    facts: dict[str, Any] = field(default_factory=dict)
    ratio: float = 1.0


def _points(**given: int) -> dict[str, int]:
    return dict.fromkeys(("country", "structure", "sector", "product", "activity", "pep", "media"), 0) | given


def _person(given: str, family: str, country: str, born: date, place: str, **facts: Any) -> dict[str, Any]:
    return {
        "given_names": given,
        "family_name": family,
        "display_name": f"{given} {family}",
        "residence_country": country,
        "nationalities": [country],
        "birth_date": born,
        "birth_place": place,
        "name_original": None,
        "sector": None,
        "restriction_code": "none",
        **facts,
    }


CUSTOMERS: dict[int, StoryCustomer] = {
    PRIYA: StoryCustomer(
        "approved",
        "low",
        "later",
        _points(product=1),
        _person(
            "Priya",
            "Raman",
            "IE",
            date(1991, 5, 17),
            "Cork",
            occupation="Physiotherapist",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    KENJI: StoryCustomer(
        "approved",
        "low",
        "later",
        _points(),
        _person(
            "Kenji",
            "Morita",
            "NL",
            date(1984, 9, 2),
            "Osaka",
            nationalities=["JP"],
            occupation="Sound engineer",
            channel="branch",
            products=["account", "card"],
        ),
    ),
    BRAM: StoryCustomer(
        "approved",
        "low",
        "later",
        _points(product=1),
        _person(
            "Bram",
            "de Wit",
            "NL",
            date(1978, 1, 29),
            "Utrecht",
            occupation="Carpenter",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    OLEKSANDRA: StoryCustomer(
        "approved",
        "low",
        "later",
        _points(country=1),
        _person(
            "Oleksandra",
            "Hnatiuk",
            "PL",
            date(1995, 12, 8),
            "Lviv",
            nationalities=["UA"],
            name_original="Гнатюк Олександра",
            occupation="Illustrator",
            channel="branch",
            products=["account", "card"],
        ),
    ),
    GRETA: StoryCustomer(
        "approved",
        "low",
        "later",
        _points(),
        _person(
            "Greta",
            "Falk",
            "SE",
            date(1969, 7, 21),
            "Uppsala",
            occupation="Librarian",
            channel="branch",
            products=["account", "card"],
        ),
    ),
    207: StoryCustomer(
        "approved",
        "low",
        "due",
        _points(product=1),
        _person(
            "Marta",
            "Kowalczyk",
            "PL",
            date(1987, 3, 11),
            "Gdańsk",
            occupation="Dental nurse",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    256: StoryCustomer(
        "approved",
        "low",
        "overdue",
        _points(),
        _person(
            "Lukas",
            "Brandt",
            "DE",
            date(1974, 10, 30),
            "Leipzig",
            occupation="Bus driver",
            channel="branch",
            products=["account", "card"],
        ),
    ),
    301: StoryCustomer(
        "approved",
        "low",
        "due",
        _points(product=1),
        _person(
            "Sofia",
            "Almeida",
            "PT",
            date(1993, 6, 4),
            "Porto",
            occupation="Teacher",
            channel="remote_eid",
            products=["account"],
        ),
    ),
    377: StoryCustomer(
        "approved",
        "low",
        "overdue",
        _points(),
        _person(
            "Emīls",
            "Ozols",
            "LV",
            date(1982, 2, 14),
            "Rīga",
            occupation="Electrician",
            channel="branch",
            products=["account", "card"],
        ),
    ),
    444: StoryCustomer(
        "approved",
        "low",
        "due",
        _points(product=1),
        _person(
            "Niamh",
            "Gallagher",
            "IE",
            date(1979, 8, 19),
            "Galway",
            occupation="Pharmacist",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    JURIJ: StoryCustomer(
        "approved",
        "medium",
        "overdue",
        _points(country=1, sector=3, product=3),
        _person(
            "Jurij",
            "Karavajev",
            "LT",
            date(1967, 11, 4),
            "Semey",
            nationalities=["KZ"],
            occupation="Importer",
            sector="used_vehicles",
            channel="branch",
            products=["account", "card", "payouts_cross_border"],
        ),
    ),
    YURI: StoryCustomer(
        "approved",
        "low",
        "due",
        _points(country=1, product=1),
        _person(
            "Yuri",
            "Karavayev",
            "LT",
            date(1991, 2, 17),
            "Kaunas",
            nationalities=["KZ"],
            occupation="Paramedic",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    ADAEZE: StoryCustomer(
        "approved",
        "low",
        "due",
        _points(product=1),
        _person(
            "Adaeze",
            "Okonkwo-Bell",
            "IE",
            date(1990, 4, 26),
            "Dublin",
            occupation="Landscape architect",
            channel="remote_eid",
            products=["account", "card"],
        ),
    ),
    TORE: StoryCustomer(
        "approved",
        "low",
        "overdue",
        _points(sector=1, product=2),
        _person(
            "Tore",
            "Lindqvist",
            "SE",
            date(1985, 1, 9),
            "Malmö",
            occupation="Online reseller",
            sector="retail_online",
            channel="remote_document",
            products=["account", "card"],
            expected_monthly_minor=250_000,
        ),
        ratio=3.8,
    ),
    HALCYON: StoryCustomer(
        "approved",
        "medium",
        "overdue",
        _points(country=1, structure=1, sector=1, product=3, activity=1),
        {
            "display_name": "Halcyon Harbour Trading B.V.",
            "residence_country": "NL",
            "legal_form": "B.V.",
            "register_no": "KVK 90318207",
            "sector": "wholesale",
            "channel": "partner",
            "products": ["account", "merchant", "payouts_cross_border"],
            "restriction_code": "none",
            "expected_monthly_minor": 12_000_000,
            "nationalities": [],
            "name_original": None,
        },
        ratio=2.1,
    ),
}
