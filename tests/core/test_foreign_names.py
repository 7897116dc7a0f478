"""Columns and slugs of foreign databases that are secrets by their form."""

from console.core.documents.collections import field_guesses
from tests.core.test_recognising import cases


@cases(
    ("values", "form"),
    [
        (["$P$Babcdefghijklmnopqrstuvwxyz0123"] * 3, "secret"),
        (["$wp$2y$10$abcdefghijklmnopqrstuv"] * 3, "secret"),
        (["$P$Babcdefghijklmnopqrstuvwxyz0123", "$P$Babcdefghijklmnopqrstuvwxyz0456", "letmein"], "secret"),
        (["sha1$ab12$" + "0" * 40] * 2, "secret"),
        (["Price $P$ and more", "a text"], None),
        (["2026-11-20", "2026-11-21"], "day"),
    ],
)
def test_secrets_are_known_by_their_form(values: list[str], form: str | None) -> None:
    assert field_guesses.form_of(values, "any") == form
