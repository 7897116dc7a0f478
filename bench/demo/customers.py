"""Customers, their accounts and what went through these in twelve months."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bench.demo import made_numbers, name_lists, reference, risk, story_facts
from bench.demo.made_numbers import iban, phone
from bench.demo.profiles import Profile
from bench.demo.world import Row, World, dice, pick

REVIEW_MONTHS = {"low": 60, "medium": 36, "high": 12}
ACCOUNTS = 2150
BANK_CODE = "99999"
OCCUPATIONS = [
    "Accountant",
    "Architect",
    "Baker",
    "Carpenter",
    "Chef",
    "Cleaner",
    "Dentist",
    "Driver",
    "Electrician",
    "Engineer",
    "Florist",
    "Gardener",
    "Journalist",
    "Lawyer",
    "Librarian",
    "Mechanic",
    "Midwife",
    "Musician",
    "Nurse",
    "Optician",
    "Painter",
    "Paramedic",
    "Photographer",
    "Physiotherapist",
    "Plumber",
    "Receptionist",
    "Retired",
    "Student",
    "Teacher",
    "Translator",
    "Welder",
]
MAIL_DOMAINS = ("brief.example", "mail.example", "post.example", "inbox.example")


def fill(world: World, profiles: dict[int, Profile]) -> None:
    """Rows of customer, account and account_turnover."""
    rng = dice("customers")
    taken: set[str] = set()
    rows = [_customer(world, profile, rng, taken) for profile in profiles.values()]
    world.core["customer"] = rows
    accounts = _accounts(profiles, rows)
    world.core["account"] = accounts
    world.core["account_turnover"] = _turnover(world, profiles, rows, accounts)


def _customer(world: World, profile: Profile, rng: Random, taken: set[str]) -> Row:
    country = _residence(profile, rng)
    who = _company(world, country, rng, taken) if profile.company else _person(world, profile, country, rng)
    row: Row = {
        "id": profile.id,
        "customer_no": made_numbers.customer_no(profile.id),
        "kind": "company" if profile.company else "person",
        **who,
        "residence_country": country,
        "desk": "corporate" if profile.company else "retail",
        "language": name_lists.POOLS[country].language,
        **_relationship(world, profile, rng),
        **_review(world, profile, rng),
        "pep_status": profile.pep,
        "expected_monthly_minor": None if profile.status == "not_started" else _expected(profile, rng),
        "conditions": [],
        "monthly_limit_minor": None,
        "restriction_code": profile.restriction,
    }
    row["sector"] = _sector(profile, rng)
    if profile.story:
        _tell(row, profile.story, rng)
    if row["last_reviewed_at"] and row["last_reviewed_at"] < row["opened_at"]:
        row["opened_at"] = row["last_reviewed_at"] - timedelta(
            days=rng.randrange(2, 20), minutes=rng.randrange(200)
        )
    if row["registered_on"] and row["registered_on"] > row["opened_at"].date():
        row["registered_on"] = row["opened_at"].date() - timedelta(days=rng.randrange(30, 3000))
    row["updated_at"] = row["last_reviewed_at"] or row["opened_at"]
    return row


def _tell(row: Row, story: story_facts.StoryCustomer, rng: Random) -> None:
    """The story's facts over the drawn ones, and an address in its country."""
    row.update(story.facts)
    country = row["residence_country"]
    row["address"] = name_lists.address(country, rng)
    row["language"] = name_lists.POOLS[country].language
    row["tax_id"] = f"{country}{rng.randrange(10**9):09d}"
    domain = "halcyonharbour.example" if row["kind"] == "company" else "mail.example"
    row["email"] = name_lists.mailbox("office" if row["kind"] == "company" else row["display_name"], domain)
    row["phone"] = phone(country, rng)


def _residence(profile: Profile, rng: Random) -> str:
    if profile.high_risk:
        return pick(rng, name_lists.HIGH_RISK)
    if profile.company and profile.points.get("country") == 1:
        return pick(rng, name_lists.MEDIUM_RISK)
    return pick(rng, name_lists.RESIDENCE)


def _person(world: World, profile: Profile, country: str, rng: Random) -> Row:
    origin = pick(rng, name_lists.MEDIUM_RISK) if profile.points.get("country") == 1 else country
    given, family = name_lists.person(origin, rng)
    name = f"{given} {family}"
    return {
        "display_name": name,
        "given_names": given,
        "family_name": family,
        "name_original": name_lists.original(given, family),
        "birth_date": world.day(-rng.randrange(19 * 366, 84 * 365)),
        "birth_place": rng.choice(name_lists.POOLS[origin].towns)[0].replace("_", " "),
        "nationalities": [origin],
        "email": name_lists.mailbox(name, rng.choice(MAIL_DOMAINS)),
        "phone": phone(country, rng) if rng.random() < 0.8 else None,
        "tax_id": f"{country}{rng.randrange(10**9):09d}" if rng.random() < 0.9 else None,
        "address": name_lists.address(country, rng),
        "occupation": rng.choice(OCCUPATIONS),
        "legal_form": None,
        "register_no": None,
        "registered_on": None,
    }


def _company(world: World, country: str, rng: Random, taken: set[str]) -> Row:
    name, form = name_lists.company(country, rng, taken)
    slug = name_lists.mailbox(name.removesuffix(form).strip(), "").removesuffix("@").replace(".", "")
    return {
        "display_name": name,
        "given_names": None,
        "family_name": None,
        "name_original": None,
        "birth_date": None,
        "birth_place": None,
        "nationalities": [],
        "email": f"office@{slug}.example",
        "phone": phone(country, rng),
        "tax_id": f"{country}{rng.randrange(10**9):09d}",
        "address": name_lists.address(country, rng),
        "occupation": None,
        "legal_form": form,
        "register_no": f"{country}-{rng.randrange(10**8):08d}",
        "registered_on": world.day(-rng.randrange(2 * 365, 30 * 365)),
    }


def _relationship(world: World, profile: Profile, rng: Random) -> dict[str, Any]:
    """When and how the customer came, and what it uses; the product points say through which door."""
    points = profile.points.get("product", 1)
    crossing = points == 3
    channel = {0: "branch", 1: "remote_eid", 2: rng.choice(("remote_document", "partner"))}.get(
        points, rng.choice(("branch", "remote_eid", "partner"))
    )
    products = ["account"]
    if rng.random() < 0.8:
        products.append("card")
    if crossing:
        products.append("payouts_cross_border")
    if profile.company and rng.random() < 0.5:
        products.append("merchant")
    since = {"not_started": (1, 20), "in_review": (5, 60), "pending_documents": (10, 90)}.get(
        profile.status, (200, 700)
    )
    return {"opened_at": world.moment(-rng.uniform(*since)), "channel": channel, "products": products}


def _review(world: World, profile: Profile, rng: Random) -> dict[str, Any]:
    """Status, band and score, and the dates of the last and the next review."""
    found: dict[str, Any] = {
        "kyc_status": profile.status,
        "risk_band": profile.band,
        "risk_score": risk.score(profile.points) if profile.points else None,
        "last_reviewed_at": None,
        "next_review_at": None,
    }
    if profile.review == "none":
        if profile.status == "rejected":
            found["last_reviewed_at"] = world.moment(-rng.uniform(5, 300))
        return found
    months = REVIEW_MONTHS[str(profile.band)]
    offset = {"overdue": (-120, -1), "due": (1, 29), "later": (35, months * 30 - 10)}[profile.review]
    due = world.day(rng.randint(*offset))
    last = due - timedelta(days=round(months * 30.44))
    found["next_review_at"] = due
    found["last_reviewed_at"] = datetime.combine(last, time(9 + rng.randrange(8), rng.randrange(60)), UTC)
    return found


def _expected(profile: Profile, rng: Random) -> int:
    """Expected turnover a month in euro cents, round figures as customers state them."""
    return (
        rng.choice((20, 50, 80, 120, 200)) * 100_000
        if profile.company
        else rng.choice((800, 1200, 1500, 2000, 2500, 3500)) * 100
    )


def _sector(profile: Profile, rng: Random) -> str | None:
    points = profile.points.get("sector", 0)
    if not profile.company and points == 0:
        return None
    return rng.choice([code for code, (_, found) in reference.SECTORS.items() if found == points])


def _accounts(profiles: dict[int, Profile], customers: list[Row]) -> list[Row]:
    """One account for everybody whose review has begun, a second one for some."""
    rng = dice("accounts")
    held = [row for row in customers if row["kyc_status"] != "not_started"]
    second = rng.sample(
        [row for row in held if row["kyc_status"] == "approved" and row["id"] not in story_facts.CUSTOMERS],
        ACCOUNTS - len(held),
    )
    rows = []
    for number, row in enumerate(held + second):
        status = (
            "restricted"
            if profiles[row["id"]].restriction != "none"
            else "closed"
            if row["kyc_status"] == "rejected"
            else "open"
        )
        currency = "EUR" if number < len(held) else rng.choice(("EUR", "GBP", "USD"))
        rows.append(
            {
                "iban": iban("LT", f"{BANK_CODE}{10_000_000_000 + number * 7_919 % 89_999_999_999:011d}"),
                "customer_id": row["id"],
                "status": status,
                "opened_at": row["opened_at"],
                "balance_minor": 0
                if status == "closed"
                else rng.randrange(500, 4_000_000 if row["kind"] == "company" else 600_000),
                "currency": currency,
            }
        )
    return rows


def _turnover(
    world: World, profiles: dict[int, Profile], customers: list[Row], accounts: list[Row]
) -> list[Row]:
    """Twelve whole months an account; together they make the customer's ratio to what was expected, to the cent."""
    rng = dice("turnover")
    expected = {row["id"]: row["expected_monthly_minor"] for row in customers}
    home = {row["id"]: row["residence_country"] for row in customers}
    seen: set[int] = set()
    rows = []
    for account in accounts:
        customer = account["customer_id"]
        if account["status"] == "closed" or customer in seen:
            continue
        seen.add(customer)
        total = round(Decimal(str(profiles[customer].ratio)) * 12 * expected[customer])
        shares = [rng.uniform(0.7, 1.3) for _ in range(12)]
        paid = [int(total * share / sum(shares)) for share in shares]
        paid[-1] += total - sum(paid)
        for month, amount in zip(_months(world.today), paid, strict=True):
            countries = sorted(
                {home[customer], *rng.sample(("LT", "NL", "DE", "PL", "LV"), rng.randrange(1, 3))}
            )
            cash = int(amount * rng.choice((0, 0, 0, 0.02, 0.05, 0.1)))
            rows.append(
                {
                    "iban": account["iban"],
                    "month": month,
                    "in_minor": amount,
                    "out_minor": int(amount * rng.uniform(0.85, 1.02)),
                    "cash_minor": cash,
                    "payments": rng.randrange(3, 60),
                    "countries": countries,
                }
            )
    return rows


def _months(today: date) -> list[date]:
    """The first days of the twelve months before this one, oldest first."""
    months = []
    first = today.replace(day=1)
    for _ in range(12):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(first)
    return months[::-1]
