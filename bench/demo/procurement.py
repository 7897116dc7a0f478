"""Suppliers: requests, their papers, bank accounts, invoices, contracts and signatures; stories 10 and 11."""

from datetime import date, timedelta
from random import Random
from typing import Any

from bench.demo import name_lists
from bench.demo.made_numbers import iban, phone, vat_number
from bench.demo.world import Paper, Row, World, dice, sha256_like, spread
from console.demo import stories

REQUESTS, SUPPLIERS, ACCOUNTS, DOCUMENTS, INVOICES, CONTRACTS, LINES, SIGNATURES = (
    240,
    420,
    470,
    1500,
    2600,
    380,
    1120,
    560,
)
BRIGHT_WATER_IBAN = "DE71999999999876543210"
REQUEST_STATUSES = {"new": 12, "onboarding": 34, "done": 180, "refused": 14}
SUPPLIER_STATUSES = {"active": 340, "onboarding": 34, "blocked": 8, "archived": 38}
MISTYPED_VAT = 80
INSURANCE_EXPIRED, INSURANCE_EXPIRING = 9, 17
CATEGORIES = ("it", "logistics", "marketing", "facilities", "professional", "print")
TIER_PAPERS = {
    "A": ("register_extract", "vat_certificate", "insurance", "bank_letter", "dpa", "code_of_conduct"),
    "B": ("register_extract", "vat_certificate", "insurance", "bank_letter"),
    "C": ("vat_certificate", "bank_letter"),
}
REQUESTS_TOLD: dict[int, dict[str, Any]] = {
    231: {
        "company_name": "Pixelwerk Druck GmbH",
        "country": "DE",
        "category": "print",
        "est_annual_eur": "4200.00",
        "critical": False,
        "personal_data": False,
        "requester": "Gita Rao",
        "website": "https://pixelwerk-druck.example",
        "vat_id": "DE 318 442 900",
        "iban": iban("DE", "999999990000231001"),
    },
    232: {
        "company_name": "Northlight Facility Services B.V.",
        "country": "NL",
        "category": "facilities",
        "est_annual_eur": "8600.00",
        "critical": False,
        "personal_data": False,
        "requester": "Mona Verbeek",
        "website": "https://northlight-facility.example",
        "vat_id": "NL 8621 4477 2B01",
        "iban": iban("DE", "999999990000232002"),
    },
    233: {
        "company_name": "Halyard IT Consulting OÜ",
        "country": "EE",
        "category": "it",
        "est_annual_eur": "38000.00",
        "critical": False,
        "personal_data": False,
        "requester": "Ines Carvalho",
        "website": "https://halyard-it.example",
        "vat_id": "EE 102 233 445",
        "iban": iban("LT", "9999900000233003"),
    },
    234: {
        "company_name": "Kopparberg Kurir AB",
        "country": "SE",
        "category": "logistics",
        "est_annual_eur": "6900.00",
        "critical": False,
        "personal_data": False,
        "requester": "Tom Jansen",
        "website": "https://kopparbergkurir.example",
        "vat_id": "SE 5590 1234 6801",
        "iban": iban("DE", "999999990000234004"),
    },
    240: {
        "company_name": "Brightwater Logistik GmbH",
        "country": "DE",
        "category": "logistics",
        "est_annual_eur": "64000.00",
        "critical": False,
        "personal_data": False,
        "requester": "Tom Jansen",
        "website": "https://brightwater.example",
        "vat_id": "DE 299 884 104",
        "iban": "DE71 9999 9999 9876 5432 10",
    },
}


def fill(world: World) -> None:
    """Rows of the supplier tables in the order that foreign keys ask for, and the papers of suppliers being onboarded."""
    rng = dice("procurement")
    requests = _requests(world, rng)
    suppliers = _suppliers(world, requests, rng)
    contracts = _contracts(world, suppliers, rng)
    world.supply |= {
        "supplier_request": requests,
        "supplier": suppliers,
        "supplier_bank_account": _accounts(world, suppliers, rng),
        "supplier_document": _documents(world, suppliers, rng),
        "invoice": [],
        "contract": contracts,
        "contract_line": _lines(contracts, rng),
        "signature": _signatures(world, contracts, rng),
    }
    world.supply["invoice"] = _invoices(world, world.supply["supplier_bank_account"], rng)


def _requests(world: World, rng: Random) -> list[Row]:
    """Oldest first; the newest are new, stories among them."""
    done = spread(
        {status: count for status, count in REQUEST_STATUSES.items() if status in {"done", "refused"}}, rng
    )
    statuses = done + ["onboarding"] * REQUEST_STATUSES["onboarding"] + ["new"] * REQUEST_STATUSES["new"]
    taken: set[str] = set()
    rows = []
    for number, status in enumerate(statuses, 1):
        country = rng.choice(list(name_lists.RESIDENCE))
        yearly = rng.choice((900, 2400, 5200, 9800, 14_000, 36_000, 80_000, 260_000))
        row: Row = {
            "id": number,
            "requester": rng.choice(("Gita Rao", "Mona Verbeek", "Tom Jansen", "Ines Carvalho")),
            "company_name": name_lists.company(country, rng, taken)[0],
            "country": country,
            "category": rng.choice(CATEGORIES),
            "est_annual_eur": f"{yearly}.00",
            "critical": rng.random() < 0.08,
            "personal_data": rng.random() < 0.15,
            "website": None,
            "vat_id": None,
            "iban": None,
            "status": status,
            "supplier_id": None,
            "created_at": world.moment(-0.3 - (REQUESTS - number) * 2.9 + rng.random()),
        }
        rows.append(row | REQUESTS_TOLD.get(number, {}))
    return rows


def tier(request: Row) -> str:
    """A from €250,000 a year or when critical or with personal data, B from €10,000, C below."""
    yearly = float(request["est_annual_eur"])
    if yearly >= 250_000 or request["critical"] or request["personal_data"]:
        return "A"
    return "B" if yearly >= 10_000 else "C"


def _suppliers(world: World, requests: list[Row], rng: Random) -> list[Row]:
    """One per request that went on, and older ones without a request."""
    onboarding = [row for row in requests if row["status"] in {"onboarding", "done"}]
    left = dict(SUPPLIER_STATUSES)
    taken = {row["company_name"] for row in requests}
    places = [
        number
        for number in range(1, SUPPLIERS + 1)
        if number not in {stories.BRIGHT_WATER_SUPPLIER, stories.ALDER_FINCH}
    ]
    requested = dict(zip(places[-len(onboarding) :], onboarding, strict=True))
    others = spread(
        left | {"onboarding": 0, "active": left["active"] - 2 - (len(onboarding) - left["onboarding"])}, rng
    )
    rows = []
    for number in range(1, SUPPLIERS + 1):
        request = requested.get(number)
        if number in {stories.BRIGHT_WATER_SUPPLIER, stories.ALDER_FINCH}:
            rows.append(_story_supplier(world, number))
            continue
        status = (
            ("onboarding" if request["status"] == "onboarding" else "active") if request else others.pop()
        )
        row = _supplier(world, number, status, request, rng, taken)
        rows.append(row)
        if request:
            request["supplier_id"] = number
    return rows


def _supplier(
    world: World, number: int, status: str, request: Row | None, rng: Random, taken: set[str]
) -> Row:
    country = request["country"] if request else rng.choice(list(name_lists.RESIDENCE))
    name = request["company_name"] if request else name_lists.company(country, rng, taken)[0]
    slug = name_lists.mailbox(name.rsplit(" ", 1)[0], "").removesuffix("@").replace(".", "")
    return {
        "id": number,
        "legal_name": name,
        "trade_name": name.split(" ", 1)[0] if rng.random() < 0.2 else None,
        "register_no": f"{country}-{rng.randrange(10**7):07d}",
        "vat_id": _vat_id(country, number, rng.randrange(10**9)),
        "country": country,
        "address": name_lists.address(country, rng),
        "website": f"https://{slug}.example",
        "main_email": f"accounts@{slug}.example",
        "main_phone": phone(country, rng),
        "tier": tier(request) if request else rng.choice(("A", "B", "B", "C", "C", "C")),
        "status": status,
        "owner": rng.choice(("stan", "lena")),
        "request_id": request["id"] if request else None,
        "activated_at": None if status == "onboarding" else world.moment(-rng.uniform(40, 1500)),
        "screening_status": "none" if status == "onboarding" else "hit" if status == "blocked" else "clear",
    }


def _vat_id(country: str, supplier: int, drawn: int) -> str:
    """A valid VAT number; a few have one with a mistyped digit, for the nightly check to find."""
    valid = vat_number(country, drawn)
    return (
        f"{valid[:-3]}{(int(valid[-3]) + 1) % 10}{valid[-2:]}"
        if supplier % MISTYPED_VAT == 0 and valid[-3].isdigit()
        else valid
    )


def _story_supplier(world: World, number: int) -> Row:
    """Story 10, whose bank data somebody wants to change by mail, or the known company of story 11."""
    common = {
        "id": number,
        "status": "active",
        "owner": "stan",
        "request_id": None,
        "screening_status": "clear",
        "country": "DE",
        "tier": "B",
    }
    if number == stories.ALDER_FINCH:
        own = {
            "legal_name": "Alder & Finch Print GmbH",
            "trade_name": "Alder & Finch",
            "register_no": "HRB 118204",
            "vat_id": "DE301774520",
            "website": "https://alderfinch.example",
            "address": {"line1": "Lindenallee 14", "city": "Leipzig", "postcode": "04109", "country": "DE"},
            "main_email": "accounts@alderfinch.example",
            "main_phone": "+49 30 23125 147",
        }
    else:
        own = {
            "legal_name": "Bright Water Logistics GmbH",
            "trade_name": "Brightwater",
            "register_no": "HRB 204417",
            "vat_id": "DE299884104",
            "website": "https://brightwater.example",
            "address": {"line1": "Hafenstraße 3", "city": "Hamburg", "postcode": "20095", "country": "DE"},
            "main_email": "accounts@brightwater.example",
            "main_phone": "+49 30 23125 088",
        }
    activated = world.moment(-620 if number == stories.ALDER_FINCH else -910)
    order = (
        "id",
        "legal_name",
        "trade_name",
        "register_no",
        "vat_id",
        "country",
        "address",
        "website",
        "main_email",
        "main_phone",
        "tier",
        "status",
        "owner",
        "request_id",
        "activated_at",
        "screening_status",
    )
    row: Row = common | own | {"activated_at": activated}
    return {column: row[column] for column in order}


def _accounts(world: World, suppliers: list[Row], rng: Random) -> list[Row]:
    """An active account for each active supplier, a retired or proposed second one for some; those being onboarded have none."""
    known = [row for row in suppliers if row["status"] != "onboarding"]
    ibans = {
        stories.ALDER_FINCH: stories.ALDER_FINCH_IBAN,
        stories.BRIGHT_WATER_SUPPLIER: BRIGHT_WATER_IBAN,
    }
    rows = [
        _account(world, row, ibans.get(row["id"]) or _iban(row["country"], rng), "active", rng)
        for row in known
    ]
    alder = next(row for row in suppliers if row["id"] == stories.ALDER_FINCH)
    rows.append(
        _account(world, alder, stories.FOREIGN_IBAN, "proposed", rng)
        | {
            "vop": "no_match",
            "created_at": world.moment(-1.3),
            "called_back_by": None,
            "activated_by": None,
            "bic": None,
        }
    )
    rows += [
        _account(world, row, _iban(row["country"], rng), "proposed", rng)
        for row in rng.sample([row for row in known if row["id"] not in ibans], 6)
    ]
    rest = [row for row in known if row["id"] not in ibans]
    while len(rows) < ACCOUNTS:
        rows.append(_account(world, rng.choice(rest), _iban("DE", rng), "retired", rng))
    return rows


def _iban(country: str, rng: Random) -> str:
    """Of bank codes that do not exist: 99999999 in Germany, 99999 in Lithuania; other countries' suppliers bank in one of the two."""
    if country == "LT":
        return iban("LT", f"99999{rng.randrange(10**11):011d}")
    return iban("DE", f"99999999{rng.randrange(10**10):010d}")


def _account(world: World, supplier: Row, number: str, status: str, rng: Random) -> Row:
    proposed = status == "proposed"
    created = world.moment(-rng.uniform(1, 9)) if proposed else supplier["activated_at"]
    return {
        "supplier_id": supplier["id"],
        "iban": number,
        "holder": supplier["legal_name"],
        "bic": f"FWTE{number[:2]}XX",
        "status": status,
        "vop": rng.choice(("match", "match", "match", "close", "not_possible")),
        "entered_by": "stan@fernwick.example",
        "called_back_by": None if proposed else "lena@fernwick.example",
        "activated_by": None if proposed else "petra@fernwick.example",
        "first_payment_after": None if proposed else created.date() + timedelta(days=2),
        "created_at": created,
    }


def _documents(world: World, suppliers: list[Row], rng: Random) -> list[Row]:
    """What the tier asks for; insurances of active suppliers expire as the description counts. Those being onboarded have theirs drawn."""
    rows: list[Row] = []
    insured = [row for row in suppliers if row["status"] == "active" and row["tier"] in {"A", "B"}]
    rng.shuffle(insured)
    ends: dict[int, date] = {
        row["id"]: world.day(-rng.randrange(1, 60)) for row in insured[:INSURANCE_EXPIRED]
    }
    ends |= {
        row["id"]: world.day(rng.randrange(1, 30))
        for row in insured[INSURANCE_EXPIRED : INSURANCE_EXPIRED + INSURANCE_EXPIRING]
    }
    for row in suppliers:
        onboarding = row["status"] == "onboarding"
        for kind in TIER_PAPERS[row["tier"]]:
            if not (onboarding and rng.random() < 0.25):
                rows.append(_document(world, row, kind, ends.get(row["id"]), rng, len(rows) + 1))
    signed = [row for row in suppliers if row["status"] in {"active", "blocked", "archived"}]
    while len(rows) < DOCUMENTS:
        kind = "contract_signed" if len(rows) % 3 else "code_of_conduct"
        rows.append(_document(world, signed[len(rows) % len(signed)], kind, None, rng, len(rows) + 1))
    return rows


def _document(world: World, supplier: Row, kind: str, ends: date | None, rng: Random, number: int) -> Row:
    onboarding = supplier["status"] == "onboarding"
    issued = world.day(-rng.randrange(3, 60)) if onboarding else world.day(-rng.randrange(61, 900))
    expires = (ends or world.day(rng.randrange(65, 360))) if kind == "insurance" else None
    cover = {"A": 5_000_000, "B": 1_000_000}.get(supplier["tier"]) if kind == "insurance" else None
    path = f"SUP-{supplier['id']:04d}/{number}-{kind}.pdf"
    status = "received" if onboarding else "expired" if expires and expires < world.today else "accepted"
    row: Row = {
        "id": number,
        "supplier_id": supplier["id"],
        "kind": kind,
        "issued_on": issued,
        "expires_on": expires,
        "cover_eur": cover,
        "file_path": path if onboarding else None,
        "sha256": sha256_like(rng),
        "status": status,
        "checks": {} if onboarding else {"readable": "pass"},
    }
    if onboarding:
        world.papers.append(
            Paper(f"supplier_document/{path}", kind, _facts(supplier, kind, issued, expires, cover), row)
        )
    return row


def _facts(supplier: Row, kind: str, issued: date, expires: date | None, cover: int | None) -> dict[str, str]:
    titles = {
        "register_extract": "Extract from the commercial register",
        "vat_certificate": "Certificate of VAT registration",
        "insurance": "Certificate of insurance",
        "bank_letter": "Bank letter",
        "dpa": "Data processing terms",
        "code_of_conduct": "Supplier code of conduct",
    }
    address = supplier["address"]
    lines = f"Company: {supplier['legal_name']}\nRegister no: {supplier['register_no']}\nVAT id: {supplier['vat_id']}\nSeat: {address['line1']}, {address['postcode']} {address['city']}, {address['country']}\nDate: {issued}"
    if expires:
        lines += f"\nInsured until: {expires}\nCover: EUR {cover:,}"
    return {
        "title": titles[kind],
        "issuer": supplier["legal_name"],
        "lines": lines,
        "text": "Issued on request of Fernwick Pay.",
    }


def _invoices(world: World, accounts: list[Row], rng: Random) -> list[Row]:
    active = [row for row in accounts if row["status"] == "active"]
    rows: list[Row] = [
        {
            "id": "INV-2611-0482",
            "supplier_id": stories.ALDER_FINCH,
            "amount_minor": 4_820_000,
            "currency": "EUR",
            "due_on": world.day(6),
            "status": "open",
            "iban_on_invoice": stories.FOREIGN_IBAN,
        }
    ]
    statuses = spread({"paid": 2150, "approved": 180, "open": 250, "held": INVOICES - 2581}, rng)
    for number, status in enumerate(statuses, 1):
        account = rng.choice(active)
        due = world.day(-rng.randrange(1, 700)) if status == "paid" else world.day(rng.randrange(-10, 45))
        rows.append(
            {
                "id": f"INV-{due:%y%m}-{10_000 + number}",
                "supplier_id": account["supplier_id"],
                "amount_minor": rng.randrange(4_000, 1_200_000),
                "currency": "EUR",
                "due_on": due,
                "status": status,
                "iban_on_invoice": account["iban"] if rng.random() < 0.9 else None,
            }
        )
    return rows


def _contracts(world: World, suppliers: list[Row], rng: Random) -> list[Row]:
    known = [row for row in suppliers if row["status"] in {"active", "archived", "blocked"}]
    statuses = spread({"signed": 300, "signing": 8, "draft": 10, "expired": 48, "terminated": 14}, rng)
    rows = []
    for number, status in enumerate(statuses, 1):
        supplier = known[number % len(known)]
        ends = (
            world.day(-rng.randrange(5, 400))
            if status in {"expired", "terminated"}
            else world.day(rng.randrange(20, 900))
        )
        rows.append(
            {
                "id": number,
                "supplier_id": supplier["id"],
                "title": f"{rng.choice(('Framework', 'Service', 'Supply', 'Maintenance'))} agreement {supplier['legal_name']}",
                "starts_on": ends - timedelta(days=730),
                "ends_on": ends,
                "value_eur": f"{rng.choice((3, 6, 9, 15, 30, 60, 120)) * 1000}.00",
                "auto_renew": rng.random() < 0.4,
                "notice_days": rng.choice((30, 60, 90)),
                "status": status,
            }
        )
    return rows


def _lines(contracts: list[Row], rng: Random) -> list[Row]:
    counts = {row["id"]: 2 for row in contracts}
    while (left := LINES - sum(counts.values())) > 0:
        for chosen in rng.sample(list(counts), min(left, len(counts))):
            counts[chosen] += 1
    return [
        {
            "contract_id": contract,
            "line_no": line,
            "description": rng.choice(
                ("Service fee", "Delivery", "Licence", "Material", "Hotline", "Travel")
            ),
            "unit": rng.choice(("month", "piece", "hour", "day")),
            "price_minor": rng.randrange(500, 90_000),
            "currency": "EUR",
        }
        for contract, count in counts.items()
        for line in range(1, count + 1)
    ]


def _signatures(world: World, contracts: list[Row], rng: Random) -> list[Row]:
    """Ours and the supplier's on the same document before it starts, as many as there are; older contracts were signed elsewhere."""
    rows: list[Row] = []
    signed = [row for row in contracts if row["status"] in {"signed", "expired", "terminated"}]
    for contract in signed[: SIGNATURES // 2]:
        digest = sha256_like(rng)
        for party, name, role in (
            ("us", "Lena Urbonaitė", "Procurement lead"),
            ("supplier", " ".join(name_lists.person("DE", rng)), "Managing director"),
        ):
            at = world.moment(min((contract["starts_on"] - world.today).days, 0) - rng.uniform(1, 20))
            rows.append(
                {
                    "id": len(rows) + 1,
                    "contract_id": contract["id"],
                    "party": party,
                    "signer_name": name,
                    "signer_role": role,
                    "method": rng.choice(("wet_ink", "simple", "advanced", "qualified")),
                    "document_sha256": digest,
                    "signed_at": at,
                    "evidence": {"pages": rng.randrange(2, 12)},
                }
            )
    return rows
