"""What of a field a model may get: what follows from its name and type, what a document may say, and what nothing changes."""

from typing import Any

from console.core.documents.collections import Stored, assemble, treatment
from console.core.documents.collections.collection_document import read
from console.core.documents.collections.document_check import check
from tests.tables import cases


def column(name: str, stored: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "stored": stored, "nullable": True, "native": stored, "comment": None} | more


COLUMNS = [
    column("id", "integer"),
    column("email"),
    column("phone"),
    column("iban"),
    column("birth_date", "date"),
    column("name"),
    column("notes"),
    column("api_token"),
    column("amount", "decimal"),
]
STRUCTURE = {
    "schema": None,
    "table": "t",
    "kind": "table",
    "dialect": "sqlite",
    "key": ["id"],
    "columns": COLUMNS,
    "foreign_keys": [],
}


def made(document: dict[str, Any]) -> dict[str, str]:
    collection = assemble([Stored("a", "s", STRUCTURE, {"id": "a", "source": "s", "table": "t"} | document)])[
        "a"
    ]
    return {field.name: field.ai for field in (*collection.stored_fields, *collection.computed_fields)}


@cases(
    "name, stored, secret",
    [
        ("password", "text", True),
        ("password_hash", "text", True),
        ("userPassword", "text", True),
        ("passwd", "text", True),
        ("api_key", "text", True),
        ("apiKey", "text", True),
        ("APIKey", "text", True),
        ("private_key", "binary", True),
        ("webhook_secret", "text", True),
        ("secrets", "json", True),
        ("reset_token", "text", True),
        ("tokens", "array", True),
        ("recovery_codes", "array", True),
        ("card_cvc", "text", True),
        ("otp", "text", True),
        ("credentials", "json", True),
        ("token_uuid", "uuid", True),
        ("token_count", "integer", False),
        ("password_changed_at", "datetime", False),
        ("key", "text", False),
        ("country_code", "text", False),
        ("secretary", "text", False),
        ("tokenised", "text", False),
        ("password_id", "text", False),
        ("token_type", "text", False),
        ("apical_keystone", "text", False),
        ("pin", "text", True),
        ("card_pin", "text", True),
        ("pin_board", "text", False),
        ("", "text", False),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, stored: str, secret: bool) -> None:
    assert treatment.secret(name, stored) is secret


@cases(
    "name, kind, more, usual",
    [
        ("mail", "email", {}, "masked"),
        ("mobile", "phone", {}, "masked"),
        ("account", "text", {"form": "iban"}, "masked"),
        ("account", "text", {"widget": "iban"}, "masked"),
        ("payout_iban", "text", {}, "masked"),
        ("IBAN", "text", {}, "masked"),
        ("birth_date", "date", {}, "masked"),
        ("dateOfBirth", "date", {}, "masked"),
        ("dob", "date", {}, "masked"),
        ("birth_dates", "array", {}, "full"),
        ("birth_place", "text", {"personal": True}, "full"),
        ("notes", "long_text", {"personal": True}, "masked"),
        ("notes", "long_text", {}, "full"),
        ("name", "text", {"personal": True}, "full"),
        ("tax_id", "text", {"sensitive": True}, "masked"),
        ("amount", "money", {}, "full"),
        ("born_on", "date", {}, "masked"),
        ("date", "date", {}, "full"),
    ],
)
def test_what_is_usual_follows_from_type_and_name(
    name: str, kind: str, more: dict[str, Any], usual: str
) -> None:
    assert treatment.usual(name, kind, **more) == usual


@cases(
    "said, usual, closed, counts",
    [
        (None, "full", False, "full"),
        (None, "masked", False, "masked"),
        ("hash", "full", False, "hash"),
        ("full", "masked", False, "full"),
        ("never", "full", False, "never"),
        ("allow", "masked", False, "full"),
        ("ask", "full", False, "masked"),
        ("odd", "masked", False, "masked"),
        ("full", "full", True, "never"),
        (None, "full", True, "never"),
        ("allow", "full", True, "never"),
    ],
)
def test_what_counts(said: str | None, usual: treatment.Ai, closed: bool, counts: str) -> None:
    assert treatment.treatment_for(said, usual, closed=closed) == counts


@cases(
    "several, least",
    [
        ([], "full"),
        (["full", "full"], "full"),
        (["full", "masked"], "masked"),
        (["hash", "masked"], "hash"),
        (["never", "full"], "never"),
    ],
)
def test_of_several_the_strictest_counts(several: list[treatment.Ai], least: str) -> None:
    assert treatment.least(several) == least


def test_a_collection_about_persons_without_a_word() -> None:
    assert made({"subject": "self"}) == {
        "id": "full",
        "email": "masked",
        "phone": "masked",
        "iban": "masked",
        "birth_date": "masked",
        "name": "full",
        "notes": "masked",
        "api_token": "never",
        "amount": "full",
    }


def test_a_document_decides_but_not_of_secrets() -> None:
    says = {name: {"ai": "full"} for name in ("email", "api_token", "notes")} | {"name": {"ai": "hash"}}
    found = made({"fields": says})
    assert {name: found[name] for name in says} == {
        "email": "full",
        "api_token": "never",
        "notes": "full",
        "name": "hash",
    }


def test_what_is_computed_is_as_closed_as_what_it_is_made_of() -> None:
    says = {
        "domain": {"computed": "record.email"},
        "age": {"computed": "record.birth_date", "ai": "full"},
        "double": {"computed": "record.amount * 2"},
        "leak": {"computed": "record.api_token", "ai": "full"},
    }
    found = made({"fields": says})
    assert {name: found[name] for name in says} == {
        "domain": "masked",
        "age": "full",
        "double": "full",
        "leak": "never",
    }


def test_documents_of_before_are_read_in_todays_words() -> None:
    told = {
        "id": "a",
        "source": "s",
        "table": "t",
        "fields": {"email": {"ai": "allow"}, "name": {"ai": "ask"}, "notes": {"ai": "never"}},
    }
    assert {name: said["ai"] for name, said in read(told).to_json()["fields"].items()} == {
        "email": "full",
        "name": "masked",
        "notes": "never",
    }
    assert made({"fields": told["fields"]})["email"] == "full"
    assert not check(told, STRUCTURE)


@cases(
    "name, said, fine",
    [
        ("email", "full", True),
        ("api_token", "never", True),
        ("api_token", "full", False),
        ("api_token", "masked", False),
        ("email", "always", False),
        ("email", 3, False),
    ],
)
def test_a_document_is_told_what_cannot_be(name: str, said: Any, fine: bool) -> None:
    found = check({"id": "a", "source": "s", "table": "t", "fields": {name: {"ai": said}}}, STRUCTURE)
    assert (not found) is fine
    assert fine or found[0].place[:3] == ("fields", name, "ai")
