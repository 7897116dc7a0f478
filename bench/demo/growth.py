"""Contacts with their consents, tags, messages, calls and tasks; story 12."""

from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from bench.demo import name_lists
from bench.demo.made_numbers import phone
from bench.demo.world import Row, World, dice, pick, spread
from console.demo import stories

CONTACTS, CONSENTS, MESSAGES, CALLS, TASKS = 5000, 9800, 21_000, 6400, 1900
WITHOUT_ZONE, WITHOUT_CONSENT, WITHDRAWN = 300, 1100, 200
STAGES = {
    "new": 900,
    "contacted": 1500,
    "engaged": 800,
    "qualified": 500,
    "customer": 600,
    "unresponsive": 450,
    "lost": 250,
}
TAGS = [
    "lead",
    "welcomed",
    "dormant",
    "newsletter",
    "event-2025",
    "event-2026",
    "referral",
    "vip",
    "partner",
    "merchant",
    "travel",
    "music",
    "trial",
    "webinar",
    "price-question",
    "slow-payer",
    "feedback",
    "beta",
    "press",
    "student",
    "retail",
    "corporate",
    "call-morning",
    "call-evening",
]
ZONES = {
    "LT": "Europe/Vilnius",
    "NL": "Europe/Amsterdam",
    "DE": "Europe/Berlin",
    "PL": "Europe/Warsaw",
    "IE": "Europe/Dublin",
    "SE": "Europe/Stockholm",
    "GB": "Europe/London",
    "US": "America/New_York",
}
COUNTRIES = {"LT": 20, "NL": 18, "DE": 18, "PL": 9, "IE": 8, "SE": 8, "GB": 12, "US": 7}
CHANNELS = ("email", "sms", "call", "ai_call")
LABELS = {"interested": 20, "not_interested": 35, "call_back": 25, "wrong_person": 5, "opt_out": 5}


def fill(world: World) -> None:
    """Rows of the contact tables, contacts first."""
    rng = dice("growth")
    contacts = _contacts(world, rng)
    consents = _consents(world, contacts, rng)
    world.supply |= {
        "contact": contacts,
        "consent": consents,
        "tag": [{"id": number, "name": name} for number, name in enumerate(TAGS, 1)],
        "contact_tag": _tags(contacts, rng),
        "message": _messages(world, contacts, rng),
        "call": _calls(world, contacts, rng),
    }
    written = world.supply["message"]
    came = [row for row in written if row["direction"] == "in"]
    went = sorted(
        [*(row for row in written if row["direction"] == "out"), *world.supply["call"]],
        key=lambda row: row["at"],
    )
    for column, rows in (("last_inbound_at", came), ("last_outbound_at", went)):
        newest: dict[str, Row] = {row["contact_id"]: row for row in rows}
        for contact in contacts:
            contact[column] = newest[contact["id"]]["at"] if contact["id"] in newest else None
    world.supply["task"] = _tasks(world, contacts, rng)


def _contacts(world: World, rng: Random) -> list[Row]:
    stages = spread(STAGES, rng)
    sam = stages.index("contacted")
    stages[0], stages[sam] = stages[sam], stages[0]
    zoneless = set(rng.sample(range(1, CONTACTS), WITHOUT_ZONE))
    rows = []
    for place, stage in enumerate(stages):
        country = pick(rng, COUNTRIES)
        given, family = name_lists.person("GB" if country == "US" else country, rng)
        row: Row = {
            "id": str(UUID(int=rng.getrandbits(128), version=4)),
            "name": f"{given} {family}",
            "email": name_lists.mailbox(f"{given} {family}", "post.example") if rng.random() < 0.94 else None,
            "phone": phone(country, rng) if rng.random() < 0.85 else None,
            "country": country,
            "time_zone": None if place in zoneless else ZONES[country],
            "language": "en" if country in {"US", "GB", "IE"} else name_lists.POOLS[country].language,
            "stage": stage,
            "owner": "gita" if rng.random() < 0.6 else None,
            "source": rng.choice(("web", "web", "event", "referral", "import")),
            "customer_no": f"C-{10_000 + rng.randrange(1, 1400)}" if stage == "customer" else None,
            "last_inbound_at": None,
            "last_outbound_at": None,
            "created_at": world.moment(-rng.uniform(60, 900)),
        }
        rows.append(row)
    rows[0].update(
        id=stories.SAM,
        name="Sam Whitfield",
        email="sam.whitfield@post.example",
        phone="+1 202 555 0147",
        country="US",
        time_zone="America/Denver",
        language="en",
        stage="contacted",
        owner="gita",
        source="web",
        customer_no=None,
    )
    return rows


def _consents(world: World, contacts: list[Row], rng: Random) -> list[Row]:
    """So many contacts never gave any, so many withdrew what they gave; the rest gave one to four."""
    order = contacts[1:]
    rng.shuffle(order)
    withdrawn, given = (
        order[WITHOUT_CONSENT : WITHOUT_CONSENT + WITHDRAWN],
        order[WITHOUT_CONSENT + WITHDRAWN :],
    )
    counts = {row["id"]: 2 for row in withdrawn} | {row["id"]: 1 for row in given}
    left = CONSENTS - sum(counts.values()) - 3
    while left:
        chosen = rng.choice(given)["id"]
        if counts[chosen] < 4:
            counts[chosen] += 1
            left -= 1
    rows = [_consent(world, contacts[0], channel, "given", 20.0, rng) for channel in ("email", "sms", "call")]
    for row in withdrawn:
        rows += [
            _consent(world, row, "email", "given", 50.0, rng),
            _consent(world, row, "email", "withdrawn", 10.0, rng),
        ]
    for row in given:
        rows += [
            _consent(world, row, channel, "given", 30.0, rng) for channel in CHANNELS[: counts[row["id"]]]
        ]
    return [
        {"id": number, **row}
        for number, row in enumerate(
            sorted(rows, key=lambda row: (row["at"], row["contact_id"], row["channel"])), 1
        )
    ]


def _consent(world: World, contact: Row, channel: str, state: str, days: float, rng: Random) -> Row:
    basis = "existing_customer" if contact["stage"] == "customer" else "opt_in"
    return {
        "contact_id": contact["id"],
        "channel": channel,
        "state": state,
        "basis": basis,
        "text_version": rng.choice(("2025-03", "2026-01")),
        "source": rng.choice(("web form", "event", "phone")),
        "at": world.moment(-days - rng.uniform(0, 9)),
    }


def _tags(contacts: list[Row], rng: Random) -> list[Row]:
    pairs = {(stories.SAM, 1)}
    for contact in contacts[1:]:
        pairs |= {
            (contact["id"], tag) for tag in rng.sample(range(1, len(TAGS) + 1), rng.choice((0, 0, 1, 1, 2)))
        }
    return [{"contact_id": contact, "tag_id": tag} for contact, tag in sorted(pairs)]


def _messages(world: World, contacts: list[Row], rng: Random) -> list[Row]:
    """Oldest first; Sam's "Stop pls" came in an hour of the last evening, between call 1 and call 2."""
    rows = []
    for _ in range(MESSAGES - 2):
        contact = rng.choice(contacts[1:])
        inbound = rng.random() < 0.25
        status = (
            "delivered" if inbound else pick(rng, {"delivered": 80, "sent": 8, "failed": 5, "skipped": 7})
        )
        rows.append(
            {
                "contact_id": contact["id"],
                "channel": rng.choice(("email", "sms")),
                "direction": "in" if inbound else "out",
                "template": None
                if inbound
                else rng.choice(("welcome-1", "welcome-2", "re-engage-1", "offer")),
                "body": rng.choice(("Thanks, tell me more.", "Not now, maybe later.", "Who is this?"))
                if inbound
                else "Hello from Fernwick Pay.",
                "status": status,
                "skip_reason": rng.choice(("no consent", "quiet hours", "cap of three a week"))
                if status == "skipped"
                else None,
                "run_id": None,
                "at": _since_then(world, contact, 400, rng),
            }
        )
    sam = {
        "contact_id": stories.SAM,
        "channel": "sms",
        "status": "delivered",
        "skip_reason": None,
        "run_id": None,
    }
    rows += [
        {
            **sam,
            "direction": "out",
            "template": "welcome-1",
            "body": "Hi Sam, this is Fernwick Pay. May we call you tomorrow?",
            "at": world.moment(-3.1),
        },
        {**sam, "direction": "in", "template": None, "body": "Stop pls", "at": world.moment(-0.1)},
    ]
    order = (
        "contact_id",
        "channel",
        "direction",
        "template",
        "body",
        "status",
        "skip_reason",
        "run_id",
        "at",
    )
    rows.sort(key=lambda row: (row["at"], row["contact_id"]))
    return [{"id": number, **{column: row[column] for column in order}} for number, row in enumerate(rows, 1)]


def _since_then(world: World, contact: Row, days: float, rng: Random) -> datetime:
    """A moment of the last so many days at which the contact was known."""
    known = (world.moment(0) - contact["created_at"]) / timedelta(days=1)
    return world.moment(-rng.uniform(0.5, min(days, known)))


def _calls(world: World, contacts: list[Row], rng: Random) -> list[Row]:
    rows = []
    reachable = [contact for contact in contacts[1:] if contact["phone"]]
    for _ in range(CALLS - 1):
        outcome = pick(rng, {"answered": 38, "no_answer": 34, "voicemail": 20, "busy": 5, "failed": 3})
        answered, contact = outcome == "answered", rng.choice(reachable)
        rows.append(
            {
                "contact_id": contact["id"],
                "script": rng.choice("AB"),
                "attempt": rng.choice((1, 1, 2, 3)),
                "outcome": outcome,
                "label": pick(rng, LABELS) if answered else None,
                "seconds": rng.randrange(20, 400) if answered else rng.randrange(0, 40),
                "transcript": "Hello, I am an AI of Fernwick Pay. May I ask …" if answered else None,
                "run_id": None,
                "at": _since_then(world, contact, 300, rng),
            }
        )
    rows.append(
        {
            "contact_id": stories.SAM,
            "script": "A",
            "attempt": 1,
            "outcome": "no_answer",
            "label": None,
            "seconds": 28,
            "transcript": None,
            "run_id": None,
            "at": world.moment(-2.2),
        }
    )
    rows.sort(key=lambda row: (row["at"], row["contact_id"]))
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def _tasks(world: World, contacts: list[Row], rng: Random) -> list[Row]:
    """Follow-ups with contacts and suppliers; the one of story 10 tells what the mail asked for."""
    bank_change = (
        "Bank change by mail from accounts@alder-finch-print.example (known: alderfinch.example): new IBAN LT45 9999 9000 1234 5678, "
        'call back +44 20 7946 0999, "please before Friday"'
    )
    rows: list[Row] = [
        {
            "contact_id": None,
            "supplier_id": stories.ALDER_FINCH,
            "title": bank_change,
            "due_on": world.day(1),
            "assignee": "stan",
            "status": "open",
            "run_id": None,
        }
    ]
    for number in range(1, TASKS):
        supplier = number % 5 == 0
        done = rng.random() < 0.7
        rows.append(
            {
                "contact_id": None if supplier else rng.choice(contacts[1:])["id"],
                "supplier_id": rng.randrange(1, 420) if supplier else None,
                "title": rng.choice(
                    ("Renew insurance", "Ask for a new extract", "Check the contract end")
                    if supplier
                    else ("Call back", "Send the offer", "Ask for feedback")
                ),
                "due_on": world.today
                + timedelta(days=rng.randrange(-300, -1) if done else rng.randrange(-5, 60)),
                "assignee": rng.choice(("stan", "lena")) if supplier else "gita",
                "status": "done" if done else "open",
                "run_id": None,
            }
        )
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]
