"""Which identity papers, proofs and registers each customer has on file, and what is printed on those that are drawn."""

from datetime import date, timedelta
from random import Random
from typing import Any

from bench.demo import ownership, story_facts
from bench.demo.made_numbers import document_number
from bench.demo.profiles import Profile
from bench.demo.world import Paper, Row, World, dice, sha256_like
from console.demo import stories

DOCUMENTS = 4300
EXPIRED, EXPIRING = 63, 41
LIVE_IN_REVIEW = 40
OLDER_PROOFS = 60
IDENTITY = ("passport", "id_card", "residence_permit")
EXTENSION = {"passport": "png", "id_card": "png", "residence_permit": "png"}
MEDIA_TYPES = {"png": "image/png", "pdf": "application/pdf"}
ARCHIVED_PAGES = {"articles": 2}
REJECT_CODES = {
    "identity": ("unreadable", "expired", "name_mismatch"),
    "proof_of_address": ("too_old", "unreadable", "other"),
}


class Folder:
    """The documents on file while they are put there; ids are given in the order of putting."""

    def __init__(self, world: World, live: set[int]) -> None:
        self.world = world
        self.live = live
        self.rng = dice("documents")
        self.rows: list[Row] = []

    def put(
        self,
        customer: Row,
        doc_type: str,
        facts: dict[str, str],
        *,
        status: str,
        issued_on: date | None,
        **more: Any,
    ) -> Row:
        """A new row; a customer whose papers are live gets the paper drawn, others have it in the archive."""
        number = len(self.rows) + 1
        live = customer["id"] in self.live and status != "superseded"
        extension = EXTENSION.get(doc_type, "pdf")
        path = f"{customer['customer_no']}/{number}-{doc_type}.{extension}"
        row: Row = {
            "id": number,
            "customer_id": customer["id"],
            "party_id": more.get("party_id"),
            "doc_type": doc_type,
            "issuing_country": more.get("country"),
            "number": more.get("number"),
            "issued_on": issued_on,
            "expires_on": more.get("expires_on"),
            "file_path": path if live else None,
            "media_type": MEDIA_TYPES[extension],
            "sha256": sha256_like(self.rng),
            "pages": ARCHIVED_PAGES.get(doc_type, 1),
            "storage": "live" if live else "archive",
            "status": status,
            "reject_code": more.get("reject_code"),
            "checks": {"readable": "pass", "type": "pass"} if status == "accepted" else {},
            "uploaded_by": self.rng.choice(("customer", "customer", "olivia", "tom")),
            "uploaded_at": self._uploaded(customer, issued_on),
        }
        self.rows.append(row)
        if live:
            self.world.papers.append(
                Paper(f"kyc_document/{path}", doc_type, facts, row, facts.pop("holder", None))
            )
        return row

    def _uploaded(self, customer: Row, issued_on: date | None) -> Any:
        earliest = max(
            customer["opened_at"],
            self.world.moment((issued_on - self.world.today).days + 1)
            if issued_on
            else customer["opened_at"],
        )
        return min(earliest + timedelta(hours=self.rng.randrange(2, 200)), self.world.moment(-0.4))


def fill(world: World, profiles: dict[int, Profile]) -> None:
    """Rows of kyc_document, the papers of those that are live, and the documents that holdings were read from."""
    customers = [row for row in world.core["customer"] if row["kyc_status"] != "not_started"]
    folder = Folder(world, live_customers(profiles))
    expiry = _expiry(world, [row for row in customers if row["kind"] == "person"], folder.rng)
    for row in customers:
        if row["kind"] == "person":
            _identity(folder, row, expiry[row["id"]])
            _proof_of_address(folder, row)
    _story_papers(folder, {row["id"]: row for row in customers})
    companies = sorted(
        (row for row in customers if row["kind"] == "company"), key=lambda row: row["id"] not in folder.live
    )
    _company_papers(folder, companies)
    _older_proofs(folder, customers)
    world.core["kyc_document"] = folder.rows


def live_customers(profiles: dict[int, Profile]) -> set[int]:
    """Whose papers are drawn: stories, reviews overdue and due, and a part of those in review."""
    in_review = [profile.id for profile in profiles.values() if profile.status == "in_review"][
        :LIVE_IN_REVIEW
    ]
    return {
        profile.id for profile in profiles.values() if profile.story or profile.review in {"overdue", "due"}
    } | set(in_review)


def _expiry(world: World, persons: list[Row], rng: Random) -> dict[int, date]:
    """When each person's identity paper expires: so many are past it, so many nearly, the rest well before it."""
    dates = {row["id"]: world.day(rng.randrange(40, 3200)) for row in persons}
    dates[stories.ADAEZE] = world.day(-45)
    open_to = [
        row["id"]
        for row in persons
        if row["kyc_status"] in {"approved", "expired"} and row["id"] not in story_facts.CUSTOMERS
    ]
    rng.shuffle(open_to)
    for chosen in open_to[: EXPIRED - 1]:
        dates[chosen] = world.day(-rng.randrange(1, 300))
    for chosen in open_to[EXPIRED - 1 : EXPIRED - 1 + EXPIRING]:
        dates[chosen] = world.day(rng.randrange(1, 30))
    return dates


def _identity(folder: Folder, customer: Row, expires: date, owner: Row | None = None) -> None:
    """A passport, an identity card, or a residence permit of who has another nationality; of an owner where one is given."""
    rng = folder.rng
    nationality = owner["nationality"] if owner else customer["nationalities"][0]
    foreign = nationality != customer["residence_country"]
    kind = rng.choice(("passport", "passport", "residence_permit") if foreign else ("passport", "id_card"))
    if customer["id"] in {stories.ADAEZE, stories.TORE, stories.JURIJ} or owner:
        kind = "passport"
    given, family = _split(owner["name"]) if owner else (customer["given_names"], customer["family_name"])
    issuer = customer["residence_country"] if kind == "residence_permit" else nationality
    facts = _identity_facts(
        customer,
        kind,
        rng,
        issuer=issuer,
        nationality=nationality,
        given=given,
        family=family,
        expires=expires,
        owner=owner,
    )
    status, code = _status(customer, "identity", rng)
    issued = date.fromisoformat(facts["issued"])
    folder.put(
        customer,
        kind,
        facts,
        status=status,
        reject_code=code,
        issued_on=issued,
        expires_on=expires,
        country=issuer,
        number=facts["number"],
        party_id=owner["id"] if owner else None,
    )


def _identity_facts(
    customer: Row,
    kind: str,
    rng: Random,
    *,
    issuer: str,
    nationality: str,
    given: str,
    family: str,
    expires: date,
    owner: Row | None,
) -> dict[str, str]:
    birth = owner["birth_date"] if owner else customer["birth_date"]
    number = document_number(kind, rng)
    holder = {
        "number": number,
        "issuer": issuer,
        "nationality": nationality,
        "family": family,
        "given": given,
        "birth": birth,
        "expires": expires,
    }
    if kind == "passport":
        holder["number_off_by"] = 3 if customer["id"] == stories.TORE else 0
    else:
        holder["code"] = "I<" if kind == "id_card" else "IR"
    printed = "Lindquist" if customer["id"] == stories.TORE else family
    return {
        "title": kind.replace("_", " ").upper(),
        "issuer": issuer,
        "number": number,
        "family": printed,
        "given": given,
        "nationality": nationality,
        "birth": birth.isoformat(),
        "place": (None if owner else customer["birth_place"]) or "",
        "issued": (expires - timedelta(days=3652)).isoformat(),
        "expires": expires.isoformat(),
        "holder": holder,
    }


def _split(name: str) -> tuple[str, str]:
    given, _, family = name.partition(" ")
    return given, family


def _status(customer: Row, kind: str, rng: Random) -> tuple[str, str | None]:
    """Status and reject code of a document by where the customer stands."""
    if customer["id"] in story_facts.CUSTOMERS:
        return ("accepted" if kind == "identity" and customer["id"] != stories.TORE else "received"), None
    match customer["kyc_status"]:
        case "pending_documents" if rng.random() < 0.5:
            return "rejected", rng.choice(REJECT_CODES[kind])
        case "in_review" | "pending_documents":
            return "received", None
        case _:
            return "accepted", None


def _proof_of_address(folder: Folder, customer: Row) -> None:
    rng, address = folder.rng, customer["address"]
    fresh = customer["id"] in folder.live or customer["kyc_status"] in {"in_review", "pending_documents"}
    issued = (
        folder.world.day(-rng.randrange(12, 60))
        if fresh
        else customer["last_reviewed_at"].date() - timedelta(days=rng.randrange(5, 60))
    )
    status, code = _status(customer, "proof_of_address", rng)
    if fresh and status == "accepted":
        status = "received"
    supplier = rng.choice(("Stadtwerke", "City Energy", "Northern Water", "Fibre One", "Municipal Heat"))
    facts = {
        "title": rng.choice(("Electricity bill", "Water bill", "Internet bill", "Heating bill")),
        "issuer": f"{supplier}, {address['city']}",
        "lines": f"Customer: {customer['display_name']}\nAddress: {address['line1']}, {address['postcode']} {address['city']}, {address['country']}\n"
        f"Date: {issued.isoformat()}\nAccount: {rng.randrange(10**7):07d}",
        "table": f"Period|Amount\n{(issued - timedelta(days=30)).isoformat()} to {issued.isoformat()}|EUR {rng.randrange(2500, 18000) / 100:.2f}",
    }
    folder.put(customer, "proof_of_address", facts, status=status, reject_code=code, issued_on=issued)


def _story_papers(folder: Folder, customers: dict[int, Row]) -> None:
    """What explains the money of stories 1 and 3: a tax return and a payslip."""
    for number, doc_type, title, text in (
        (
            stories.JURIJ,
            "tax_return",
            "Income tax return",
            "Declared: business income from the import of used vehicles, EUR 41,300.",
        ),
        (stories.TORE, "payslip", "Payslip", "Gross pay: SEK 31,200. Paid out: SEK 24,180."),
    ):
        customer, issued = customers[number], folder.world.day(-40)
        lines = f"Name: {customer['display_name']}\nTax id: {customer['tax_id']}\nDate: {issued}"
        facts = {"title": title, "issuer": f"For {customer['display_name']}", "lines": lines, "text": text}
        folder.put(customer, doc_type, facts, status="received", issued_on=issued)


def _company_papers(folder: Folder, companies: list[Row]) -> None:
    """A full set for companies whose papers are live; for the others registers first, articles as far as the count goes."""
    people = {row["id"]: row for row in folder.world.core["party"]}
    party_of = {row["customer_id"]: row for row in people.values() if row["customer_id"]}
    held: dict[int, list[Row]] = {}
    for row in folder.world.core["ownership"]:
        if row["kind"] == "shares":
            held.setdefault(row["owned_id"], []).append(row)
    owners: dict[int, list[Row]] = {}
    for row in folder.world.core["beneficial_owner"]:
        owners.setdefault(row["customer_id"], []).append(people[row["party_id"]])
    owners[stories.HALCYON].append(next(row for row in people.values() if row["name"] == ownership.MAREK))
    directors = {
        row["company_id"]: people[row["person_id"]]["name"]
        for row in folder.world.core["officer"]
        if row["role"] == "director"
    }
    later = []
    for row in companies:
        party = party_of[row["id"]]
        stakes = [(people[one["owner_id"]]["name"], one) for one in held[party["id"]]]
        _register_extract(folder, row, directors[party["id"]], stakes)
        if row["id"] not in folder.live:
            later.append((row, stakes))
            continue
        _shareholder_register(folder, row, stakes)
        _articles(folder, row)
        for owner in owners.get(row["id"], []):
            _identity(folder, row, folder.world.day(folder.rng.randrange(60, 3000)), owner)
        if row["risk_band"] == "high" or row["id"] == stories.HALCYON:
            _bank_letter(folder, row)
    for row, stakes in later:
        _shareholder_register(folder, row, stakes)
    for row, _ in later:
        if len(folder.rows) < DOCUMENTS - OLDER_PROOFS:
            _articles(folder, row)


def _older_proofs(folder: Folder, customers: list[Row]) -> None:
    """Superseded proofs of address, up to the number of documents."""
    persons = [row for row in customers if row["kind"] == "person" and row["last_reviewed_at"]]
    for row in persons[: DOCUMENTS - len(folder.rows)]:
        issued = row["opened_at"].date() - timedelta(days=20)
        folder.put(row, "proof_of_address", {}, status="superseded", issued_on=issued)


def _issued(folder: Folder, customer: Row) -> date:
    if customer["id"] in folder.live or not customer["last_reviewed_at"]:
        return folder.world.day(-folder.rng.randrange(8, 70))
    found: date = customer["last_reviewed_at"].date() - timedelta(days=folder.rng.randrange(5, 70))
    return found


def _company_status(folder: Folder, customer: Row) -> str:
    return (
        "received"
        if customer["id"] in folder.live or customer["kyc_status"] in {"in_review", "pending_documents"}
        else "accepted"
    )


def _head(customer: Row) -> str:
    address = customer["address"]
    return (
        f"Company: {customer['display_name']}\nRegister no: {customer['register_no']}\nLegal form: {customer['legal_form']}\n"
        f"Seat: {address['line1']}, {address['postcode']} {address['city']}, {address['country']}\nRegistered on: {customer['registered_on']}"
    )


def _register_extract(folder: Folder, customer: Row, director: str, stakes: list[tuple[str, Row]]) -> None:
    """Directors, and the owners that the register names: in story 4 only one of the two."""
    named = (
        [name for name, _ in stakes][:1]
        if customer["id"] == stories.HALCYON
        else [name for name, stake in stakes if stake["percent"] > 25]
    )
    issued = _issued(folder, customer)
    table = "Role|Name\n" + "\n".join(
        [f"Director|{director}", *(f"Beneficial owner|{name}" for name in named)]
    )
    facts = {
        "title": "Extract from the commercial register",
        "issuer": f"Commercial register, {customer['residence_country']}",
        "lines": f"{_head(customer)}\nDate: {issued}",
        "table": table,
    }
    row = folder.put(
        customer,
        "register_extract",
        facts,
        status=_company_status(folder, customer),
        issued_on=issued,
        country=customer["residence_country"],
        number=customer["register_no"],
    )
    for _, stake in stakes:
        stake["source_document_id"] = row["id"]


def _shareholder_register(folder: Folder, customer: Row, stakes: list[tuple[str, Row]]) -> None:
    issued = _issued(folder, customer)
    table = "Holder|Percent|Since\n" + "\n".join(
        f"{name}|{stake['percent']}|{stake['since']}" for name, stake in stakes
    )
    facts = {
        "title": "Register of shareholders",
        "issuer": customer["display_name"],
        "lines": f"{_head(customer)}\nDate: {issued}",
        "table": table,
    }
    row = folder.put(
        customer, "shareholder_register", facts, status=_company_status(folder, customer), issued_on=issued
    )
    for _, stake in stakes:
        stake["source_document_id"] = row["id"]


def _articles(folder: Folder, customer: Row) -> None:
    issued = customer["registered_on"]
    capital = folder.rng.choice((2_500, 10_000, 18_000, 25_000, 100_000))
    text = (
        "1. The company has the name and seat stated above.\n2. Its purpose is trade and every business that serves it.\n"
        f"3. The share capital is EUR {capital:,}.\n4. The company is represented by its directors.\n\f"
        "5. Shares are transferred by written deed; the register of shareholders is kept by the directors.\n6. The financial year is the calendar year.\n7. Profits are shared by holdings."
    )
    facts = {
        "title": "Articles of association",
        "issuer": customer["display_name"],
        "lines": _head(customer),
        "text": text,
    }
    folder.put(customer, "articles", facts, status=_company_status(folder, customer), issued_on=issued)


def _bank_letter(folder: Folder, customer: Row) -> None:
    issued = _issued(folder, customer)
    text = f"We confirm that {customer['display_name']} has banked with us for {folder.rng.randrange(2, 9)} years. Its funds stem from trade; a dividend was paid to its holders last year."
    facts = {
        "title": "Bank letter",
        "issuer": "Harbour Street Bank",
        "lines": f"{_head(customer)}\nDate: {issued}",
        "text": text,
    }
    folder.put(customer, "bank_letter", facts, status="received", issued_on=issued)
