"""What the stand-in provider keeps, in `provider.db` of the data folder: the charges it took, refunds, holders of accounts, registered VAT numbers, answers by key."""

import json
import sqlite3
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

FILE = "provider.db"
CLOSE = 0.75
STRANGER = ("LT459999900012345678", "UAB Baltoji Banga")  # whose account the letter of the story names
SCHEMA = """
create table if not exists charge (id text primary key, amount integer not null, currency text not null, metadata text not null);
create table if not exists refund (id text primary key, charge text not null, amount integer not null, currency text not null, status text not null,
    reason text, failure_reason text, metadata text not null, key text, created integer not null);
create index if not exists refund_of on refund (charge);
create table if not exists answer (key text primary key, body blob not null, status integer, said text);
create table if not exists holder (iban text primary key, name text not null);
create table if not exists vat (id text primary key, name text not null);
"""
FORMS = frozenset(
    [
        "gmbh",
        "ag",
        "kg",
        "se",
        "bv",
        "nv",
        "sa",
        "sas",
        "sarl",
        "srl",
        "spa",
        "ltd",
        "limited",
        "llc",
        "inc",
        "plc",
        "uab",
        "sia",
        "oy",
        "ou",
        "oü",
        "ab",
        "as",
        "aps",
        "sro",
        "kft",
        "doo",
        "lda",
        "ltda",
        "sl",
        "pvt",
        "jsc",
        "sal",
        "tov",
        "ca",
        "sp",
        "z",
        "oo",
    ]
)
"""Legal forms of companies, which do not tell them apart."""


@contextmanager
def opened(data_dir: Path) -> Iterator[sqlite3.Connection]:
    """The file in one transaction, which writes are serialised by."""
    with closing(sqlite3.connect(data_dir / FILE, timeout=30, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.executescript(SCHEMA)
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def fill(
    data_dir: Path, tables: Mapping[str, list[dict[str, Any]]], supply: Mapping[str, list[dict[str, Any]]]
) -> None:
    """The provider as it stands on the day of loading: it knows what the company's own database says of it."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm"):
        (data_dir / name).unlink(missing_ok=True)
    with opened(data_dir) as db:
        charges = (
            (row["id"], row["amount_minor"], row["currency"], json.dumps(row["metadata"]))
            for row in tables["charge"]
        )
        db.executemany("insert into charge values (?, ?, ?, ?)", charges)
        refunds = (
            (
                row["provider_ref"] or row["id"],
                row["charge_id"],
                row["amount_minor"],
                row["currency"],
                row["status"],
                row["reason"],
                row["failure_reason"],
                "{}",
                None,
                int(row["created_at"].timestamp()),
            )
            for row in tables["refund"]
        )
        db.executemany("insert or ignore into refund values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", refunds)
        holders = (
            (row["iban"], row["holder"])
            for row in supply["supplier_bank_account"]
            if row["vop"] != "no_match" and row["iban"] != STRANGER[0]
        )
        asking = (
            (plain(row["iban"]), row["company_name"]) for row in supply["supplier_request"] if row["iban"]
        )
        db.executemany("insert or ignore into holder values (?, ?)", [*holders, *asking, STRANGER])
        numbers = ((plain(row["vat_id"]), row["legal_name"]) for row in supply["supplier"] if row["vat_id"])
        stated = (
            (plain(row["vat_id"]), row["company_name"]) for row in supply["supplier_request"] if row["vat_id"]
        )
        db.executemany("insert or ignore into vat values (?, ?)", [*numbers, *stated])


def plain(text: str) -> str:
    """Letters and digits alone, in capitals."""
    return "".join(character for character in text.upper() if character.isalnum())


def charge(db: sqlite3.Connection, charge_id: str) -> dict[str, Any] | None:
    """The charge with what was refunded of it, pending refunds too; None where it was not taken here."""
    row = db.execute("select amount, currency, metadata from charge where id = ?", (charge_id,)).fetchone()
    if row is None:
        return None
    spent = db.execute(
        "select coalesce(sum(amount), 0) from refund where charge = ? and status in ('succeeded', 'pending')",
        (charge_id,),
    ).fetchone()
    return {
        "id": charge_id,
        "amount": row[0],
        "currency": row[1].lower(),
        "metadata": json.loads(row[2]),
        "refunded": spent[0],
    }


def refunds(db: sqlite3.Connection, charge_id: str) -> list[dict[str, Any]]:
    """The refunds of a charge, newest first."""
    rows = db.execute(
        "select id, amount, currency, status, reason, failure_reason, metadata, created from refund where charge = ? order by created desc, id",
        (charge_id,),
    )
    return [
        {
            "id": row[0],
            "object": "refund",
            "charge": charge_id,
            "amount": row[1],
            "currency": row[2].lower(),
            "status": row[3],
            "reason": row[4],
            "failure_reason": row[5],
            "metadata": json.loads(row[6]),
            "created": row[7],
        }
        for row in rows
    ]


def add_refund(db: sqlite3.Connection, refund: Mapping[str, Any]) -> None:
    """Keep a refund as the provider's answer tells it."""
    db.execute(
        "insert into refund values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            refund["id"],
            refund["charge"],
            refund["amount"],
            refund["currency"],
            refund["status"],
            refund["reason"],
            refund["failure_reason"],
            json.dumps(refund["metadata"]),
            refund["key"],
            refund["created"],
        ),
    )


def fail_pending(db: sqlite3.Connection, before: datetime, simulated: str) -> None:
    """What was pending for long enough and was to fail has failed."""
    db.execute(
        "update refund set status = 'failed', failure_reason = 'expired_or_canceled_card' where status = 'pending' and created <= ? "
        "and json_extract(metadata, '$.simulate') = ?",
        (int(before.astimezone(UTC).timestamp()), simulated),
    )


def payee(db: sqlite3.Connection, iban: str, name: str) -> tuple[str, str | None]:
    """(match, close, no_match or not_possible; the holder's name where it is close)."""
    row = db.execute("select name from holder where iban = ?", (plain(iban),)).fetchone()
    if row is None:
        return "not_possible", None
    wanted, held = _core(name), _core(row[0])
    if wanted == held:
        return "match", None
    alike = SequenceMatcher(None, " ".join(wanted), " ".join(held)).ratio()
    return ("close", row[0]) if alike >= CLOSE else ("no_match", None)


def _core(name: str) -> list[str]:
    """The words of a name without accents, punctuation and legal form, in order."""
    bare = "".join(
        c
        for c in unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss").replace(".", ""))
        if not unicodedata.combining(c)
    )
    words = "".join(c if c.isalnum() else " " for c in bare).split()
    return sorted(word for word in words if word not in FORMS)
