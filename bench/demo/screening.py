"""Watch lists, screenings with their hits, risk assessments, and the confidential cases."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.demo import name_lists, risk, story_facts
from bench.demo.ownership import MAREK
from bench.demo.profiles import Profile
from bench.demo.world import Row, World, dice, pick, sha256_like, spread
from console.demo import stories

LISTS = {
    "FW-SAN": ("Fernwick consolidated sanctions", "sanctions"),
    "FW-PEP": ("Politically exposed persons", "pep"),
    "FW-INT": ("Internal list", "internal"),
}
ENTRIES = {"FW-SAN": 700, "FW-PEP": 400, "FW-INT": 100}
ALIASES, RUNS, ASSESSMENTS, CASES = 2900, 2600, 3400, 14
HITS = {"open": 64, "false_positive": 770, "needs_more": 21, "true_match": 5}
PARTY_RUNS, SUPPLIER_RUNS = 500, 100
REASONS = (
    "dob_mismatch",
    "nationality_mismatch",
    "birth_place_mismatch",
    "different_id",
    "address_mismatch",
    "name_only_common",
    "already_cleared",
)
PROGRAMMES = {
    "FW-SAN": ("ARMS-2", "CYBER-1", "FINANCE-4", "TRADE-7"),
    "FW-PEP": ("National", "Regional", "Family"),
    "FW-INT": ("Fraud", "Chargebacks"),
}
KARAVAYEV, DVORACEK = 1, 701
ALL_COUNTRIES = name_lists.RESIDENCE | name_lists.MEDIUM_RISK | name_lists.HIGH_RISK


def fill(world: World, profiles: dict[int, Profile]) -> None:
    """Rows of the watch lists, of screening_run and screening_hit, of risk_assessment and of fiu.sar_case."""
    rng = dice("screening")
    world.core["watchlist"] = [
        {
            "code": code,
            "name": name,
            "kind": kind,
            "version": f"{world.day(-3):%Y.%m.%d}",
            "imported_at": world.moment(-2.8),
        }
        for code, (name, kind) in LISTS.items()
    ]
    entries = _entries(world, rng)
    world.core["watchlist_entry"] = entries
    world.core["watchlist_alias"] = _aliases(entries, rng)
    runs = _runs(world, rng)
    world.core["screening_hit"] = _hits(world, profiles, runs, entries, rng)
    world.core["screening_run"] = runs
    world.core["risk_assessment"] = _assessments(world, profiles)
    world.core["fiu.sar_case"] = _cases(world, profiles)


def _entries(world: World, rng: Random) -> list[Row]:
    rows: list[Row] = []
    taken: set[str] = set()
    for code, count in ENTRIES.items():
        for number in range(1, count + 1):
            country = pick(rng, ALL_COUNTRIES)
            company = rng.random() < 0.15
            given, family = name_lists.person(country, rng)
            name = name_lists.company(country, rng, taken)[0] if company else f"{family.upper()} {given}"
            born = world.day(-rng.randrange(30 * 366, 85 * 365))
            rows.append(
                {
                    "id": len(rows) + 1,
                    "list": code,
                    "uid": f"{code}-{number:04d}",
                    "kind": "company" if company else "person",
                    "name": name,
                    "birth_dates": []
                    if company
                    else [born.isoformat() if rng.random() < 0.8 else str(born.year)],
                    "birth_place": None
                    if company
                    else rng.choice(name_lists.POOLS[country].towns)[0].replace("_", " "),
                    "nationalities": [country],
                    "ids": [],
                    "programme": rng.choice(PROGRAMMES[code]),
                    "version": rng.randrange(1, 6),
                    "delisted_on": world.day(-rng.randrange(30, 900)) if rng.random() < 0.03 else None,
                }
            )
    rows[KARAVAYEV - 1].update(
        kind="person",
        name="KARAVAYEV Yuriy Alekseyevich",
        birth_dates=["1967-11-04"],
        birth_place="Semipalatinsk",
        nationalities=["KZ"],
        ids=[{"kind": "passport", "number": "N07714402"}],
        programme="TRADE-7",
        version=4,
        delisted_on=None,
    )
    rows[DVORACEK - 1].update(
        kind="person",
        name="DVOŘÁČEK Marek",
        birth_dates=["1966-09-23"],
        birth_place="Olomouc",
        nationalities=["CZ"],
        ids=[{"kind": "note", "number": "Husband of Helena Dvořáčková, deputy minister"}],
        programme="Family",
        version=2,
        delisted_on=None,
    )
    return rows


def _aliases(entries: list[Row], rng: Random) -> list[Row]:
    aliases = {
        KARAVAYEV: [
            ("Караваев Юрий Алексеевич", "cyrillic", "strong"),
            ("Karavaev Yuri", "latin", "strong"),
            ("Karavajev Yurij", "latin", "weak"),
        ],
        DVORACEK: [("Marek Dvoracek", "latin", "strong"), ("M. Dvořáček", "latin", "weak")],
    }
    names_of: dict[int, list[tuple[str, str, str]]] = {
        row["id"]: aliases.get(row["id"]) or [_alias(row["name"], 0, rng)] for row in entries
    }
    left = ALIASES - sum(len(found) for found in names_of.values())
    open_to = [row for row in entries if row["id"] not in aliases]
    while left:
        row = rng.choice(open_to)
        if len(names_of[row["id"]]) < 6:
            names_of[row["id"]].append(_alias(row["name"], len(names_of[row["id"]]), rng))
            left -= 1
    return [
        {"entry": entry, "seq": seq, "name": name, "script": script, "quality": quality}
        for entry, found in names_of.items()
        for seq, (name, script, quality) in enumerate(found, 1)
    ]


def _alias(name: str, seq: int, rng: Random) -> tuple[str, str, str]:
    """Another spelling: Cyrillic where known, turned round, with an initial, or a spelling slip."""
    family, _, given = name.partition(" ")
    cyrillic = name_lists.original(given, family.title())
    if seq == 0 and cyrillic:
        return cyrillic, "cyrillic", "strong"
    match seq:
        case 0:
            return f"{given} {family.title()}".strip(), "latin", "strong"
        case 1:
            return f"{family.title()} {given[:1]}.", "latin", "weak"
    letter = rng.randrange(1, max(2, len(given) - 1))
    return f"{given[:letter]}{given[letter - 1 : letter]}{given[letter:]} {family.title()}", "latin", "weak"


def _runs(world: World, rng: Random) -> list[Row]:
    """The last screening of every customer whose review has begun, of owners, of suppliers, and some earlier ones."""
    versions = {code: f"{world.day(-3):%Y.%m.%d}" for code in LISTS}
    customers = [row for row in world.core["customer"] if row["kyc_status"] != "not_started"]
    subjects: list[tuple[str, int, datetime, str]] = [
        (
            "customer",
            row["id"],
            row["last_reviewed_at"] or row["opened_at"],
            "periodic" if row["last_reviewed_at"] else "new",
        )
        for row in customers
    ]
    owners = {row["party_id"]: row["verified_at"] for row in world.core["beneficial_owner"]}
    marek = next(row["id"] for row in world.core["party"] if row["name"] == MAREK)
    chosen = [marek, *[party for party in owners if party != marek][: PARTY_RUNS - 1]]
    subjects += [("party", party, owners.get(party) or world.moment(-3), "periodic") for party in chosen]
    subjects += [
        ("supplier", number, world.moment(-rng.uniform(5, 700)), "new")
        for number in range(1, SUPPLIER_RUNS + 1)
    ]
    earlier = [row for row in customers if row["last_reviewed_at"]][: RUNS - len(subjects)]
    subjects += [("customer", row["id"], row["opened_at"], "new") for row in earlier]
    by_time = sorted(subjects, key=lambda subject: (subject[2], subject[0], subject[1]))
    return [
        {
            "id": number,
            "subject_kind": kind,
            "subject_ref": str(ref),
            "reason": reason,
            "list_versions": versions if at > world.moment(-4) else dict.fromkeys(LISTS, f"{at:%Y.%m.%d}"),
            "subject_hash": sha256_like(rng),
            "hits": 0,
            "at": at,
        }
        for number, (kind, ref, at, reason) in enumerate(by_time, 1)
    ]


def _hits(
    world: World, profiles: dict[int, Profile], runs: list[Row], entries: list[Row], rng: Random
) -> list[Row]:
    """So many of each status: open ones where a review stands open, true ones at those that were refused for it. Plain stories have none."""
    last: dict[tuple[str, str], Row] = {(run["subject_kind"], run["subject_ref"]): run for run in runs}
    customers = {row["id"]: row for row in world.core["customer"]}
    of_customers = {
        number: last["customer", str(number)]
        for number in profiles
        if ("customer", str(number)) in last and number not in story_facts.CUSTOMERS
    }
    marek = str(next(row["id"] for row in world.core["party"] if row["name"] == MAREK))
    hits = [
        _hit(
            last["customer", str(stories.JURIJ)],
            entries[KARAVAYEV - 1],
            0.934,
            {"name": "Караваев Юрий Алексеевич", "birth_date": "same", "nationality": "same"},
        ),
        _hit(
            last["customer", str(stories.YURI)],
            entries[KARAVAYEV - 1],
            0.912,
            {"name": "KARAVAYEV Yuriy Alekseyevich", "birth_date": "different", "nationality": "same"},
        ),
        _hit(
            last["party", marek],
            entries[DVORACEK - 1],
            0.968,
            {"name": "Marek Dvoracek", "birth_date": "same", "nationality": "same"},
        ),
    ]
    reviewing = [
        number
        for number, found in profiles.items()
        if number in of_customers and (found.review in {"overdue", "due"} or found.status == "in_review")
    ]
    waiting = [number for number, found in profiles.items() if found.status == "pending_documents"]
    refused = [number for number, found in profiles.items() if found.band == "prohibited"] + [
        next(number for number, found in profiles.items() if found.pep == "pep")
    ]
    reviewed = [number for number in of_customers if customers[number]["last_reviewed_at"]]
    rng.shuffle(reviewing)
    rng.shuffle(reviewed)
    cleared = reviewed + reviewed[: max(0, HITS["false_positive"] - len(reviewed))]
    spots = (
        [(number, "open") for number in reviewing[: HITS["open"] - len(hits)]]
        + [(number, "needs_more") for number in waiting[: HITS["needs_more"]]]
        + [(number, "true_match") for number in refused]
        + [(number, "false_positive") for number in cleared[: HITS["false_positive"]]]
    )
    rows = hits + [
        _drawn_hit(of_customers[number], status, customers[number], entries, rng) for number, status in spots
    ]
    by_id = {run["id"]: run for run in runs}
    for number, row in enumerate(rows, 1):
        row["id"] = number
        if row["status"] == "open":
            _found_by_new_list(world, by_id[row["run_id"]], number)
    for run_id, count in _count(rows).items():
        runs[run_id - 1]["hits"] = count
    return rows


def _found_by_new_list(world: World, run: Row, number: int) -> None:
    """A hit that nobody has decided yet came with the newest import of the lists."""
    run.update(
        reason="list_update",
        at=world.moment(-2.7 + number / 1000),
        list_versions={code: f"{world.day(-3):%Y.%m.%d}" for code in LISTS},
    )


def _count(hits: list[Row]) -> dict[int, int]:
    counted: dict[int, int] = {}
    for hit in hits:
        counted[hit["run_id"]] = counted.get(hit["run_id"], 0) + 1
    return counted


def _hit(
    run: Row, entry: Row, score: float, matched: dict[str, Any], status: str = "open", **decided: Any
) -> Row:
    blank = dict.fromkeys(("reason_code", "note", "cleared_by", "second_by", "carried_from_id", "decided_at"))
    return {
        "id": 0,
        "run_id": run["id"],
        "entry_id": entry["id"],
        "entry_version": entry["version"],
        "score": score,
        "matched_on": matched,
        "status": status,
        **(blank | decided),
    }


def _drawn_hit(run: Row, status: str, customer: Row, entries: list[Row], rng: Random) -> Row:
    entry = rng.choice(entries)
    score = round(rng.uniform(0.93, 0.99) if status == "true_match" else rng.uniform(0.7, 0.93), 3)
    matched = {
        "name": entry["name"],
        "birth_date": "same" if status == "true_match" else rng.choice(("different", "year only")),
        "nationality": rng.choice(("same", "different")),
    }
    decided: dict[str, Any] = {}
    if status in {"false_positive", "true_match"}:
        clearer, second = rng.sample(("olivia", "tom", "mona"), 2)
        decided = {
            "reason_code": "confirmed_identity" if status == "true_match" else rng.choice(REASONS),
            "cleared_by": clearer,
            "second_by": second if score >= 0.9 else None,
            "decided_at": (customer["last_reviewed_at"] or run["at"])
            + timedelta(minutes=rng.randrange(5, 600)),
        }
    return _hit(run, entry, score, matched, status, **decided)


def _assessments(world: World, profiles: dict[int, Profile]) -> list[Row]:
    """The assessment that a customer's band stands on, and earlier ones with points of their time."""
    rng = dice("assessments")
    rows: list[Row] = []
    customers = {row["id"]: row for row in world.core["customer"] if row["risk_band"]}
    for number, customer in customers.items():
        profile = profiles[number]
        at = customer["last_reviewed_at"] or customer["opened_at"]
        floor = "sanctions" if profile.band == "prohibited" else risk.floor_reason(profile.points)
        rows.append(_assessment(number, at, profile.points, str(profile.band), floor, rng))
    older = [number for number, customer in customers.items() if customer["last_reviewed_at"]]
    while len(rows) < ASSESSMENTS:
        number = rng.choice(older)
        points = dict(profiles[number].points) | {
            "activity": rng.choice((0, 0, 1)),
            "media": 0,
            "sector": rng.choice((0, 1)),
        }
        at = customers[number]["opened_at"] - timedelta(days=rng.randrange(0, 2), hours=rng.randrange(24))
        rows.append(_assessment(number, at, points, risk.band(points), risk.floor_reason(points), rng))
    rows.sort(key=lambda row: (row["at"], row["customer_id"]))
    return [{"id": number, **row} for number, row in enumerate(rows, 1)]


def _assessment(
    customer: int, at: datetime, points: risk.Points, band: str, floor: str | None, rng: Random
) -> Row:
    return {
        "customer_id": customer,
        "at": at,
        "model_version": risk.MODEL_VERSION,
        "points": points,
        "score": risk.score(points),
        "band": band,
        "floor_reason": floor,
        "override_band": None,
        "override_reason": None,
        "assessor": rng.choice(("olivia", "tom", "mona")),
        "approver": "mona" if band in {"high", "prohibited"} else None,
    }


def _cases(world: World, profiles: dict[int, Profile]) -> list[Row]:
    rng = dice("cases")
    suspects = [
        number
        for number, profile in profiles.items()
        if profile.band in {"high", "prohibited"} and not profile.story
    ]
    since = {
        row["id"]: (world.moment(0) - row["opened_at"]) / timedelta(days=1) for row in world.core["customer"]
    }
    rows = []
    for number, (customer, decision) in enumerate(
        zip(rng.sample(suspects, CASES), spread({"open": 3, "no_report": 5, "report": 6}, rng), strict=True),
        1,
    ):
        opened = world.moment(-rng.uniform(4, min(500, since[customer])))
        decided = None if decision == "open" else opened + timedelta(days=rng.randrange(1, 9))
        filed = decided + timedelta(days=1) if decided and decision == "report" else None
        rows.append(
            {
                "id": number,
                "customer_id": customer,
                "opened_at": opened,
                "source": rng.choice(("internal_report", "monitoring", "mlro")),
                "reporter": rng.choice(("olivia", "tom", "monitoring")),
                "narrative": rng.choice(
                    (
                        "Money in and out again within hours, several times a week.",
                        "Cash deposits just under the limit at four branches.",
                        "The stated employer does not know the customer.",
                    )
                ),
                "indicators": rng.sample(
                    ("rapid_in_out", "cash_intensive", "structuring", "false_documents", "unusual_countries"),
                    2,
                ),
                "decision": decision,
                "decided_by": "malik" if decided else None,
                "decided_at": decided,
                "filed_at": filed,
                "fiu_reference": f"FIU-{rng.randrange(10**6):06d}" if filed else None,
                "review_at": filed.date() + timedelta(days=90) if filed else None,
            }
        )
    return rows
