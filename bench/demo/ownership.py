"""Who stands behind the company customers: holders, layers of companies, officers and the beneficial owners found so far."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from bench.demo import name_lists
from bench.demo.profiles import AT_THE_THRESHOLD, Profile
from bench.demo.world import Row, World, dice
from console.demo import stories

PARTIES, HOLDINGS, OFFICERS, OWNERS = 1900, 1750, 820, 1020
LAYERED, DEEP_LAYERS, CIRCLE = 60, 3, 2
NOMINEES = 15
SPLITS: dict[int, tuple[tuple[str, ...], ...]] = {
    1: (("100",),),
    2: (("50", "50"), ("60", "40"), ("70", "30"), ("51", "49"), ("80", "20"), ("66.6667", "33.3333")),
    3: (
        ("42", "34", "24"),
        ("60", "22", "18"),
        ("45", "33", "22"),
        ("33.3334", "33.3333", "33.3333"),
        ("51", "30", "19"),
    ),
    4: (("40", "30", "20", "10"), ("55", "15", "15", "15"), ("30", "28", "22", "20")),
}
MAREK = "Marek Dvořáček"
THRESHOLD_SPLIT = ("50.0000", "25.0000", "15.0000", "10.0000")


@dataclass(slots=True)
class Registry:
    """Parties and what ties them, while they are made; ids are given in the order of making."""

    world: World
    rng: Random
    parties: list[Row] = field(default_factory=list)
    holdings: list[Row] = field(default_factory=list)
    officers: list[Row] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    def company(self, name: str, country: str, register_no: str, customer_id: int | None = None) -> int:
        """The id of a new company."""
        return self._add(
            kind="company", name=name, country=country, register_no=register_no, customer_id=customer_id
        )

    def layer(self) -> int:
        """The id of a new company that only holds others."""
        country = self.rng.choice(("NL", "LT", "DE", "IE", "EE", "MT", "CY"))
        name, _ = name_lists.company(country if country in name_lists.POOLS else "IE", self.rng, self.taken)
        return self.company(
            name.replace(" ", " Holding ", 1), country, f"{country}-{self.rng.randrange(10**8):08d}"
        )

    def person(self, country: str) -> int:
        """The id of a new person of that country."""
        given, family = name_lists.person(country, self.rng)
        born = self.world.day(-self.rng.randrange(24 * 366, 78 * 365))
        return self._add(
            kind="person",
            name=f"{given} {family}",
            name_original=name_lists.original(given, family),
            birth_date=born,
            nationality=country,
            country=country,
        )

    def named(self, name: str, country: str, nationality: str, born: date) -> int:
        """The id of a person whose name a story knows."""
        return self._add(kind="person", name=name, birth_date=born, nationality=nationality, country=country)

    def hold(
        self, owned: int, owner: int, percent: str | Decimal, kind: str = "shares", since: date | None = None
    ) -> None:
        """`owner` holds that much of `owned`."""
        since = since or self.world.day(-self.rng.randrange(100, 4000))
        self.holdings.append(
            {
                "owned_id": owned,
                "owner_id": owner,
                "kind": kind,
                "percent": Decimal(percent),
                "since": since,
                "until": None,
                "source_document_id": None,
            }
        )

    def officer(self, company: int, person: int, role: str) -> None:
        """`person` is director, signatory or nominee director of `company`."""
        since = self.world.day(-self.rng.randrange(60, 3000))
        self.officers.append(
            {"company_id": company, "person_id": person, "role": role, "since": since, "until": None}
        )

    def _add(self, **facts: object) -> int:
        number = len(self.parties) + 1
        blank: Row = dict.fromkeys(
            ("name_original", "birth_date", "nationality", "register_no", "customer_id")
        )
        columns = (
            "kind",
            "name",
            "name_original",
            "birth_date",
            "nationality",
            "country",
            "register_no",
            "customer_id",
        )
        row = blank | facts
        self.parties.append({"id": number, **{column: row[column] for column in columns}})
        return number


def fill(world: World, profiles: dict[int, Profile]) -> None:
    """Rows of party, ownership, officer and beneficial_owner."""
    registry = Registry(world, dice("holdings"))
    companies = [row for row in world.core["customer"] if row["kind"] == "company"]
    registry.taken.update(row["display_name"].removesuffix(f" {row['legal_form']}") for row in companies)
    party_of = {
        row["id"]: registry.company(
            row["display_name"], row["residence_country"], row["register_no"], row["id"]
        )
        for row in companies
    }
    _halcyon(registry, party_of[stories.HALCYON])
    others = [row for row in companies if row["id"] != stories.HALCYON]
    people = _people_per_company(registry, others, profiles)
    _tie(registry, others, profiles, party_of, people)
    _votes(registry)
    _more_officers(registry, others, profiles, party_of, people)
    world.core["party"] = registry.parties
    world.core["ownership"] = registry.holdings
    world.core["officer"] = registry.officers
    world.core["beneficial_owner"] = _owners(world, registry, party_of)


def _halcyon(registry: Registry, company: int) -> None:
    """Story 4: 60 % direct, 40 % over three companies; effective 72 and 28."""
    johanna = registry.named("Johanna van den Berg", "NL", "NL", date(1971, 3, 8))
    noordzee = registry.company("Noordzee Invest B.V.", "NL", "KVK 81190442")
    larkspur = registry.company("Larkspur Holdings Ltd", "MU", "MU C118204")
    brightmoor = registry.company("Brightmoor Ltd", "MU", "MU C096657")
    marek = registry.named(MAREK, "CZ", "CZ", date(1966, 9, 23))
    for owned, owner, percent in (
        (company, johanna, "60"),
        (company, noordzee, "40"),
        (noordzee, johanna, "30"),
        (noordzee, larkspur, "70"),
        (larkspur, brightmoor, "100"),
        (brightmoor, marek, "100"),
    ):
        registry.hold(owned, owner, percent)
    registry.officer(company, johanna, "director")


def _people_per_company(
    registry: Registry, companies: list[Row], profiles: dict[int, Profile]
) -> dict[int, int]:
    """How many persons stand behind each company, one to four, so that the number of parties comes out."""
    deep = sum(profiles[row["id"]].deep for row in companies)
    layers = deep * DEEP_LAYERS + LAYERED + CIRCLE
    left = PARTIES - len(registry.parties) - layers
    people = {row["id"]: 1 for row in companies}
    left -= len(people)
    plain = [row["id"] for row in companies if not profiles[row["id"]].deep]
    for chosen in plain[:AT_THE_THRESHOLD]:
        people[chosen] = 4
        left -= 3
    while left:
        chosen = registry.rng.choice(plain[AT_THE_THRESHOLD:])
        if people[chosen] < 4:
            people[chosen] += 1
            left -= 1
    return people


def _tie(
    registry: Registry,
    companies: list[Row],
    profiles: dict[int, Profile],
    party_of: dict[int, int],
    people: dict[int, int],
) -> None:
    """Holders and a director for every company: direct, over one company, over three, at the threshold, or in a circle."""
    plain = [row for row in companies if not profiles[row["id"]].deep]
    at_threshold = {row["id"] for row in plain[:AT_THE_THRESHOLD]}
    single = [row["id"] for row in plain[AT_THE_THRESHOLD:] if people[row["id"]] == 1]
    circular = single[0]
    layered = set(single[1 : LAYERED + 1])
    for row in companies:
        company, home = party_of[row["id"]], row["residence_country"]
        home = home if home in name_lists.POOLS else "NL"
        holders = [registry.person(home) for _ in range(people[row["id"]])]
        registry.officer(company, holders[0], "director")
        if profiles[row["id"]].deep:
            _chain(registry, company, holders[0], DEEP_LAYERS)
        elif row["id"] in layered:
            _chain(registry, company, holders[0], 1)
        elif row["id"] == circular:
            _circle(registry, company, holders[0])
        else:
            split = (
                THRESHOLD_SPLIT if row["id"] in at_threshold else registry.rng.choice(SPLITS[len(holders)])
            )
            for holder, percent in zip(holders, split, strict=True):
                registry.hold(company, holder, percent)


def _chain(registry: Registry, company: int, person: int, layers: int) -> None:
    """`person` holds the company over that many others, each held by more than half."""
    owned = company
    for _ in range(layers):
        layer = registry.layer()
        registry.hold(owned, layer, registry.rng.choice(("100", "100", "90", "85", "80")))
        owned = layer
    registry.hold(owned, person, "100")


def _circle(registry: Registry, company: int, person: int) -> None:
    """Two companies that hold each other beside a person."""
    first, second = registry.layer(), registry.layer()
    registry.hold(company, person, "60")
    registry.hold(company, first, "40")
    registry.hold(first, second, "100")
    registry.hold(second, first, "100")


def _votes(registry: Registry) -> None:
    """Votes as well as shares for as many holdings as it takes."""
    shares = list(registry.holdings)
    for held in registry.rng.sample(shares, HOLDINGS - len(shares)):
        registry.hold(held["owned_id"], held["owner_id"], held["percent"], "votes", held["since"])


def _more_officers(
    registry: Registry,
    companies: list[Row],
    profiles: dict[int, Profile],
    party_of: dict[int, int],
    people: dict[int, int],
) -> None:
    """Nominee directors of deep structures, then signatories: second holders, else the director signs."""
    directors = {row["company_id"]: row["person_id"] for row in registry.officers}
    deep = [party_of[row["id"]] for row in companies if profiles[row["id"]].deep][:NOMINEES]
    nominee = directors[party_of[companies[0]["id"]]]
    for company in deep:
        if company != party_of[companies[0]["id"]]:
            registry.officer(company, nominee, "nominee_director")
    for row in registry.rng.sample(companies, OFFICERS - len(registry.officers)):
        company = party_of[row["id"]]
        registry.officer(company, directors[company] + (1 if people[row["id"]] > 1 else 0), "signatory")


def effective(holdings: list[Row]) -> dict[int, dict[int, Decimal]]:
    """Owned company -> holder at the end of a chain -> percent, as the view ownership_effective counts it; circles are left out."""
    direct: dict[int, list[tuple[int, Decimal]]] = {}
    for held in holdings:
        if held["kind"] == "shares":
            direct.setdefault(held["owned_id"], []).append((held["owner_id"], held["percent"]))

    def ends(owned: int, share: Decimal, path: tuple[int, ...]) -> list[tuple[int, Decimal]]:
        found = []
        for owner, percent in direct.get(owned, []):
            if owner in path:
                continue
            part = share * percent / 100
            found += ends(owner, part, (*path, owner)) if owner in direct else [(owner, part)]
        return found

    result: dict[int, dict[int, Decimal]] = {}
    for owned in direct:
        sums: dict[int, Decimal] = {}
        for owner, part in ends(owned, Decimal(100), (owned,)):
            sums[owner] = sums.get(owner, Decimal(0)) + part
        result[owned] = sums
    return result


def _owners(world: World, registry: Registry, party_of: dict[int, int]) -> list[Row]:
    """Beneficial owners on file: more than 25 %; then, up to the count, persons who control otherwise. Story 4 has only Johanna."""
    reviewed = {row["id"]: row["last_reviewed_at"] for row in world.core["customer"]}
    rows = []
    for number, (customer, owner, percent, basis) in enumerate(_known_owners(registry, party_of), 1):
        last = reviewed[customer]
        differs = customer != stories.HALCYON and registry.rng.random() < 0.2
        rows.append(
            {
                "id": number,
                "customer_id": customer,
                "party_id": owner,
                "effective_percent": None if basis == "senior_manager" else percent,
                "basis": basis,
                "in_register": ("different" if differs else "yes") if last else "not_checked",
                "pep_status": "none",
                "verified_at": last,
                "verified_by": registry.rng.choice(("olivia", "mona")) if last else None,
            }
        )
    return rows


def _known_owners(registry: Registry, party_of: dict[int, int]) -> list[tuple[int, int, Decimal, str]]:
    """(customer, party, percent, basis) of so many owners, those with more than 25 % before the others."""
    shares = effective(registry.holdings)
    people = {row["id"]: row["name"] for row in registry.parties if row["kind"] == "person"}
    large: list[tuple[int, int, Decimal, str]] = []
    small: list[tuple[int, int, Decimal, str]] = []
    for customer, company in party_of.items():
        for owner, exact in shares[company].items():
            percent = exact.quantize(Decimal("0.0001"))
            if owner not in people or people[owner] == MAREK:
                continue
            if customer == stories.HALCYON:
                percent = Decimal("60.0000")  # what the register shows: the direct stake alone
            if percent > 25:
                large.append((customer, owner, percent, "ownership"))
            else:
                small.append(
                    (
                        customer,
                        owner,
                        percent,
                        registry.rng.choice(("voting", "other_means", "senior_manager")),
                    )
                )
    return (large + small)[:OWNERS]
