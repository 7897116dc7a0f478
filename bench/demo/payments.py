"""Charges of the in-app shop with their refunds, disputes and credits."""

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from bench.demo import story_facts
from bench.demo.profiles import Profile
from bench.demo.reference import EUR_PER_UNIT, EXPONENTS
from bench.demo.world import Row, World, dice, lognormal, pick, spread, token
from console.demo import stories

CHARGES = 20_000
STATUSES = {"succeeded": 18_840, "failed": 860, "uncaptured": 180, "pending": 120}
CURRENCIES = {"EUR": 14_200, "GBP": 2_400, "USD": 1_800, "SEK": 600, "PLN": 500, "JPY": 400, "KWD": 100}
MEDIAN_EUR, SIGMA, LARGEST_EUR = 42.0, 1.215, Decimal(4900)
REFUNDS = {"succeeded": 1060, "failed": 41, "pending": 34, "canceled": 15}
PARTIAL = 437
DISPUTES = {
    "lost": 37,
    "won": 22,
    "under_review": 14,
    "needs_response": 11,
    "warning_closed": 7,
    "warning_needs_response": 5,
}
OPEN_DISPUTE = frozenset({"under_review", "needs_response", "warning_needs_response"})
CREDITS = 210
ITEMS: dict[str, tuple[str, ...]] = {
    "subscription": ("Fernwick Music", "Fernwick News", "Fernwick Fitness"),
    "dated_ticket": ("Fernwick Concert", "Fernwick Museum", "Fernwick Match"),
    "travel": ("Fernwick Rail", "Fernwick Ferry", "Fernwick Bus"),
    "goods": ("Fernwick Shop", "Fernwick Books", "Fernwick Garden"),
    "fee": ("Fernwick Card fee",),
}
ITEM_WEIGHTS = {"goods": 38, "subscription": 24, "dated_ticket": 20, "travel": 14, "fee": 4}
FAILURES = ("expired_or_canceled_card", "lost_or_stolen_card", "declined", "insufficient_funds")


def _story(
    number: int,
    charge_id: str,
    amount: int,
    days: float,
    *,
    currency: str = "EUR",
    item: str = "goods",
    **metadata: str,
) -> dict[str, Any]:
    return {
        "id": charge_id,
        "customer_id": number,
        "amount_minor": amount,
        "currency": currency,
        "days": days,
        "item_kind": item,
        "metadata": metadata,
    }


STORY_CHARGES = (
    _story(stories.PRIYA, stories.PRIYA_CHARGE, 18_000, -26, simulate="ok"),
    _story(stories.KENJI, stories.KENJI_YEN, 48_000, -19, currency="JPY", item="dated_ticket", simulate="ok"),
    _story(stories.KENJI, stories.KENJI_DINAR, 31_250, -18, currency="KWD", item="travel", simulate="ok"),
    _story(stories.BRAM, stories.BRAM_CHARGE, 7_490, -9, simulate="timeout_after_commit"),
    _story(stories.OLEKSANDRA, stories.OLEKSANDRA_CHARGE, 24_000, -31, simulate="charge_disputed"),
    _story(stories.OLEKSANDRA, stories.OLEKSANDRA_SIBLING, 9_600, -31, simulate="ok"),
    _story(stories.GRETA, stories.GRETA_CHARGE, 4_900, -7, item="subscription", simulate="ok"),
    _story(207, stories.PLAIN_CHARGES[0], 4_250, -6, simulate="ok"),
    _story(301, stories.PLAIN_CHARGES[1], 1_890, -5, item="subscription", simulate="ok"),
    _story(444, stories.PLAIN_CHARGES[2], 6_400, -8, simulate="ok"),
    _story(256, stories.PLAIN_CHARGES[3], 2_990, -11, simulate="ok"),
)
STORY_IDS = tuple(story["id"] for story in STORY_CHARGES)


def fill(world: World, profiles: dict[int, Profile]) -> None:
    """Rows of charge, refund, dispute and credit; charges by id, the others are kept off the charges whose refund is asked for."""
    charges = _charges(world, profiles)
    world.core["charge"] = charges
    rng = dice("after charges")
    free = [
        row
        for row in charges
        if row["status"] == "succeeded"
        and row["id"] not in STORY_IDS
        and row["captured_at"] < world.moment(-20)
    ]
    rng.shuffle(free)
    world.core["dispute"] = _disputes(world, charges, free, rng)
    world.core["refund"] = _refunds(world, free, rng)
    world.core["credit"] = _credits(world, free, rng)


def in_euro(row: Row) -> Decimal:
    """The amount of a charge in euro at today's rate."""
    return Decimal(row["amount_minor"]).scaleb(-EXPONENTS[row["currency"]]) * Decimal(
        EUR_PER_UNIT[row["currency"]]
    )


def _charges(world: World, profiles: dict[int, Profile]) -> list[Row]:
    rng = dice("charges")
    left, currencies = dict(STATUSES), dict(CURRENCIES)
    for story in STORY_CHARGES:
        left["succeeded"] -= 1
        currencies[story["currency"]] -= 1
    count = CHARGES - len(STORY_CHARGES)
    euros = lognormal(count, MEDIAN_EUR, SIGMA, rng)
    buyers = _buyers(profiles, count, rng)
    rows = [_told_charge(world, story, rng) for story in STORY_CHARGES]
    known = Known(world, sorted(set(buyers)), "buyers known by then")
    for euro, status, currency, buyer in zip(
        euros, spread(left, rng), spread(currencies, rng), buyers, strict=True
    ):
        amount = max(
            1,
            round(
                min(Decimal(euro), LARGEST_EUR) / Decimal(EUR_PER_UNIT[currency]) * 10 ** EXPONENTS[currency]
            ),
        )
        age = rng.uniform(0.1, 6) if status in {"pending", "uncaptured"} else rng.uniform(2, 399)
        charge_id, payer = f"ch_{token(rng)}", known.by(world.moment(-age), buyer)
        rows.append(
            _charge(world, charge_id, payer, amount, currency, status, -age, pick(rng, ITEM_WEIGHTS), rng)
        )
    return rows


class Known:
    """Who was a customer at a moment: nobody pays or writes before they were one."""

    def __init__(self, world: World, customers: list[int], part: str) -> None:
        self._since = {row["id"]: row["opened_at"] for row in world.core["customer"]}
        self._longest = sorted(customers, key=lambda number: self._since[number])[: len(customers) // 2]
        self._rng = dice(part)

    def by(self, at: datetime, customer: int) -> int:
        """The customer, or one of those who have been one for longest, where the customer was none yet."""
        return customer if self._since[customer] <= at else self._rng.choice(self._longest)


def _buyers(profiles: dict[int, Profile], count: int, rng: Random) -> list[int]:
    """Who pays: persons mostly, some of them often."""
    able = [
        number
        for number, profile in profiles.items()
        if profile.status not in {"not_started", "rejected"} and number not in story_facts.CUSTOMERS
    ]
    weights = [rng.expovariate(1) * (0.3 if number > 1400 else 1) for number in able]
    return rng.choices(able, weights=weights, k=count)


def _told_charge(world: World, story: dict[str, Any], rng: Random) -> Row:
    row = _charge(
        world,
        story["id"],
        story["customer_id"],
        story["amount_minor"],
        story["currency"],
        "succeeded",
        story["days"],
        story["item_kind"],
        rng,
    )
    card = {
        "method": "card",
        "card_brand": "visa",
        "card_last4": f"{4242 if story['id'] == stories.PRIYA_CHARGE else rng.randrange(1000, 9999)}",
    }
    return row | card | {"metadata": row["metadata"] | story["metadata"]}


def _charge(
    world: World,
    charge_id: str,
    customer: int,
    amount: int,
    currency: str,
    status: str,
    days: float,
    item: str,
    rng: Random,
) -> Row:
    created = world.moment(days)
    captured = created + timedelta(seconds=rng.randrange(2, 90)) if status == "succeeded" else None
    method = pick(rng, {"card": 74, "wallet": 16, "sepa_debit": 10 if currency == "EUR" else 0})
    carded = method != "sepa_debit"
    delivered = (
        captured + timedelta(hours=rng.randrange(1, 72))
        if captured and item in {"goods", "subscription", "fee"}
        else None
    )
    return {
        "id": charge_id,
        "customer_id": customer,
        "amount_minor": amount,
        "currency": currency,
        "status": status,
        "captured_at": captured,
        "method": method,
        "card_brand": rng.choice(("visa", "mastercard", "mastercard", "visa", "amex")) if carded else None,
        "card_last4": f"{rng.randrange(10_000):04d}" if carded else None,
        "descriptor": rng.choice(ITEMS[item]),
        "item_kind": item,
        "delivered_at": min(delivered, world.moment(-0.05)) if delivered else None,
        "provider_ref": None if status == "failed" else f"pi_{token(rng, 18)}",
        "metadata": {"order": f"FW-{rng.randrange(10**8):08d}"},
        "created_at": created,
    }


def redate(world: World, row: Row, days: float) -> None:
    """Move a succeeded charge to another day, its capture and delivery with it."""
    shift = world.moment(days) - row["created_at"]
    for column in ("created_at", "captured_at", "delivered_at"):
        if row[column]:
            row[column] = min(row[column] + shift, world.moment(-0.02))


def _disputes(world: World, charges: list[Row], free: list[Row], rng: Random) -> list[Row]:
    """One dispute a charge; an inquiry leaves the charge refundable, a chargeback does not."""
    by_id = {row["id"]: row for row in charges}
    left = DISPUTES | {
        "needs_response": DISPUTES["needs_response"] - 1,
        "warning_needs_response": DISPUTES["warning_needs_response"] - 1,
    }
    rows = [
        _dispute(world, by_id[stories.OLEKSANDRA_CHARGE], "needs_response", "product_not_received", rng),
        _dispute(
            world, by_id[stories.OLEKSANDRA_SIBLING], "warning_needs_response", "product_not_received", rng
        ),
    ]
    rows[0]["evidence_due_at"] = world.moment(5.75)
    for status in spread(left, rng):
        charge = free.pop()
        if status in OPEN_DISPUTE:
            redate(world, charge, -rng.uniform(18, 50))
        reason = rng.choice(
            (
                "product_not_received",
                "fraudulent",
                "product_unacceptable",
                "duplicate",
                "subscription_canceled",
            )
        )
        rows.append(_dispute(world, charge, status, reason, rng))
    return rows


def _dispute(world: World, charge: Row, status: str, reason: str, rng: Random) -> Row:
    created = min(
        charge["created_at"] + timedelta(days=rng.randrange(8, 40)), world.moment(-rng.uniform(1, 6))
    )
    inquiry = status.startswith("warning")
    due = (
        world.moment(rng.randrange(2, 12) + 0.75)
        if status in {"needs_response", "warning_needs_response"}
        else created + timedelta(days=10)
    )
    return {
        "id": f"dp_{token(rng)}",
        "charge_id": charge["id"],
        "amount_minor": charge["amount_minor"],
        "currency": charge["currency"],
        "stage": "inquiry" if inquiry else "chargeback",
        "status": status,
        "reason": reason,
        "is_charge_refundable": inquiry,
        "evidence_due_at": due,
        "created_at": created,
    }


def _refunds(world: World, free: list[Row], rng: Random) -> list[Row]:
    """Partial and whole refunds, one a charge; story 5 has sixty euro back already."""
    left = REFUNDS | {"succeeded": REFUNDS["succeeded"] - 1}
    statuses = spread(left, rng)
    partial = spread({"yes": PARTIAL - 1, "no": len(statuses) - PARTIAL + 1}, rng)
    rows = [
        {
            "id": "re_PriyaRaman60",
            "charge_id": stories.PRIYA_CHARGE,
            "amount_minor": 6_000,
            "currency": "EUR",
            "status": "succeeded",
            "reason": "not_as_described",
            "failure_reason": None,
            "idempotency_key": "demo:priya:60",
            "provider_ref": f"re_{token(rng)}",
            "requested_by": "tom",
            "created_at": world.moment(-12.4),
            "settled_at": world.moment(-12.3),
        }
    ]
    for status, part in zip(statuses, partial, strict=True):
        charge = free.pop()
        while charge["amount_minor"] < 10:
            charge = free.pop()
        amount = (
            max(1, int(charge["amount_minor"] * rng.uniform(0.1, 0.9)))
            if part == "yes"
            else charge["amount_minor"]
        )
        requested_at = min(
            charge["created_at"] + timedelta(days=rng.uniform(1, 50)), world.moment(-rng.uniform(1, 9))
        )
        if status == "pending":
            requested_at = world.moment(-rng.uniform(0.3, 14))
        settled = (
            min(requested_at + timedelta(hours=rng.randrange(1, 60)), world.moment(-0.1))
            if status != "pending"
            else None
        )
        rows.append(
            {
                "id": f"re_{token(rng)}",
                "charge_id": charge["id"],
                "amount_minor": amount,
                "currency": charge["currency"],
                "status": status,
                "reason": rng.choice(
                    (
                        "withdrawal",
                        "not_received",
                        "not_as_described",
                        "duplicate",
                        "cancelled",
                        "price_error",
                        "goodwill",
                    )
                ),
                "failure_reason": rng.choice(FAILURES) if status == "failed" else None,
                "idempotency_key": f"refund:{token(rng, 20)}",
                "provider_ref": None if status == "canceled" else f"re_{token(rng)}",
                "requested_by": rng.choice(("olivia", "tom", "mona")),
                "created_at": requested_at,
                "settled_at": settled,
            }
        )
    return rows


def _credits(world: World, free: list[Row], rng: Random) -> list[Row]:
    rows = []
    for number in range(1, CREDITS + 1):
        charge = free.pop()
        given = max(charge["created_at"], world.moment(-380)) + timedelta(days=rng.uniform(0.5, 9))
        amount = rng.choice((500, 1000, 1500, 2000, 2500))
        rows.append(
            {
                "id": number,
                "customer_id": charge["customer_id"],
                "charge_id": charge["id"] if rng.random() < 0.8 else None,
                "amount_minor": amount,
                "currency": "EUR",
                "expires_on": given.date() + timedelta(days=365),
                "spent_minor": rng.choice((0, 0, amount, amount // 2)),
                "idempotency_key": f"credit:{token(rng, 20)}",
                "created_at": given,
            }
        )
    return rows
