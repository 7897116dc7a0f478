"""Tables of settings, whose rows are a name and a value: options, properties, meta data. Where a row's name says that its value is a secret, nobody sees
the column with the values until somebody says otherwise.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.core.documents.collections import field_guesses, treatment

NAMES = frozenset(
    {
        "name",
        "key",
        "property",
        "parameter",
        "variable",
        "setting",
        "option",
        "path",
        "schluessel",
        "schlüssel",
        "klucz",
        "clave",
    }
)
VALUES = frozenset({"value", "val", "wert", "valeur", "valor", "valore"})
"""Last words of columns with the names and with the values of settings."""
WRITTEN_IN_ONE = re.compile(
    r"(?:pass|pwd|pw|(?:private|secret|api|access|auth|nonce)[^a-z]?key|salt)$", re.IGNORECASE
)
"""Ends of names of settings that hold secrets and are written in one: `smtppass`, `bind_pw`, `recaptchaprivatekey`."""
HARMLESS = re.compile(
    r"\s*(?:-?[0-9]{0,6}(?:\.[0-9]+)?|true|false|yes|no|on|off|none|null|https?://[^\s:@]+|.{0,2})\s*",
    re.IGNORECASE | re.DOTALL,
)
"""Values that keep no secret, whatever they are called: `minimum_password_length` 8."""
QUOTED = re.compile(r'"([A-Za-z][\w.-]{2,60})"')
SECRET_FORMS = ("secret", field_guesses.TELLING_ROWS)
SOUGHT = "secrets_sought"
"""Key of a column with the values of settings whose rows were looked at, whether or not one was a secret."""
NOT_LOOKED = "Settings often hold passwords or keys, and nobody has looked yet whether these do: look at the data source again."
ENDS = tuple(VALUES)
KEYS = re.compile(
    r"\b(?:sk|rk)_(?:live|test)_\w{12,}|\bwhsec_\w{12,}|\bAKIA[A-Z0-9]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY"
)


def pair(columns: Iterable[tuple[str, str, Sequence[str]]]) -> tuple[str, str] | None:
    """The columns with the names and the values of settings; None where the table is none of settings. `columns`: name, kind of storage, and words of each."""
    texts = [(name, list(words)) for name, stored, words in columns if stored in ("text", "json")]
    for value, words in texts:
        if words and words[-1] in VALUES:
            named = [(name, own) for name, own in texts if own and own[-1] in NAMES]
            named.sort(key=lambda each: each[1][:-1] != words[:-1])
            if named:
                return named[0][0], value
    return None


def pair_of(structure: Mapping[str, Any]) -> tuple[str, str] | None:
    """As `pair`, of a stored structure. Views are not looked at."""
    columns = structure["columns"] if structure["kind"] == "table" else ()
    return pair(
        (column["name"], column["stored"], field_guesses.parts_of(column["name"])) for column in columns
    )


def unknown(structure: Mapping[str, Any], column: Mapping[str, Any]) -> bool:
    """Whether the column holds the values of settings, and nobody has looked yet whether any is a secret."""
    if SOUGHT in column or column.get("form") in SECRET_FORMS or not column["name"].lower().endswith(ENDS):
        return False
    return (found := pair_of(structure)) is not None and found[1] == column["name"]


def hidden_because(structure: Mapping[str, Any], column: Mapping[str, Any]) -> str | None:
    """Why nobody sees the column until somebody says otherwise; None where it holds no secret, as far as known."""
    return field_guesses.secret_because(column) or (NOT_LOOKED if unknown(structure, column) else None)


def holds_secret(rows: Iterable[Sequence[object]]) -> bool:
    """Whether any of these names and values is a secret: by its name, by the names inside its value, or by what the value begins with."""
    return any(
        value is not None
        and not HARMLESS.fullmatch(text := str(value))
        and (_secret(str(name)) or KEYS.search(text) or any(map(_secret, QUOTED.findall(text))))
        for name, value in rows
    )


def _secret(name: str) -> bool:
    return treatment.secret(name) or treatment.hashed(name) or WRITTEN_IN_ONE.search(name) is not None
