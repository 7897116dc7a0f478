"""What a column holds and what names a record, by names and by what a sample of values looked like. Only a default: a document says otherwise.

`form_of` reads a sample when a source is connected; its one word is stored with the structure, never a value. Everything else here is pure too and
runs whenever the collections are assembled.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from console.core import translations
from console.core.documents.collections import treatment
from console.core.plain_words import camel_split, small

FEWEST, MOST_STATES, LONGEST_STATE = 10, 12, 30
"""Values that a sample needs to show a status; distinct values and letters of one that a status has at most."""

FORMS: Mapping[str, re.Pattern[str]] = {
    "secret": re.compile(
        r"\$(?:2[abxy]|argon2(?:id|i|d)|scrypt|pbkdf2[\w-]*|[1567y]|apr1|sha1|wp\$2y)\$.+"
        r"|\$[PHS]\$[./\w]{20,}|(?:sha1|md5)\$\w+\$[0-9a-f]{32,}|(?:pbkdf2_sha\d+|bcrypt_sha256|argon2|scrypt)[$:].+|\{S?SHA(?:256|512)?\}.+"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*|eyJ[\w-]{8,}\.eyJ[\w-]+\.[\w-]*|(?:sk|rk|whsec)_(?:live_|test_)?\w{16,}|gh[pousr]_\w{30,}|AKIA[A-Z0-9]{16}"
    ),
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,24}"),
    "picture": re.compile(r"https?://\S+\.(?:png|jpe?g|gif|webp|svg|avif)(?:\?\S*)?", re.IGNORECASE),
    "url": re.compile(r"https?://\S+", re.IGNORECASE),
    "colour": re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE),
    "phone": re.compile(r"\+[1-9][0-9 ()./-]{6,22}"),
    "day": re.compile(
        r"(?:\d\d?([./-])\d\d?\1(?:\d\d){1,2}|\d{4}([./-])\d\d?\2\d\d?)(?:[ T,]+\d\d?:\d\d(?::\d\d)?)?"
    ),
    "alpha2": re.compile(r"[A-Z]{2}"),
    "figures": re.compile(r"[<>≤≥~]?\s*-?[0-9]+[.,][0-9]+"),
    "uuid": re.compile(r"[0-9a-f]{8}(-?)(?:[0-9a-f]{4}\1){3}[0-9a-f]{12}", re.IGNORECASE),
}
"""Form → what every text of a sample must match (half of them, for secrets); the first that fits counts."""
COLOURED = re.compile(r"#[0-9]*[a-f]|colou?r|hex|tint|shade", re.IGNORECASE)
"""What tells colours from numbers behind a hash: a letter among their digits, or their name."""
TIMED = re.compile(
    r"time|date|^day$|creat|modif|chang|clock|access|login|start|end|expir|last|since|until|deadline|seen|stamp|epoch|^(?:joined|registered|published|posted|sent|placed|born|ts)$|_(?:at|on|ts)(?:_(?:ms|us|utc))?$",
    re.IGNORECASE,
)
COUNTED = {
    "julian": (2_400_000, 2_500_000),
    **{
        way: (500_000_000 * part, 4_000_000_000 * part)
        for way, part in (("unix", 1), ("unix_ms", 1_000), ("unix_us", 1_000_000))
    },
}
"""Names of columns with moments, and the numbers in which programs keep them: Julian days; seconds since 1970, thousandths and millionths of them."""
TELLING_ROWS = "telling_rows"
"""Form of the values of a table of settings, some of which are secrets: see `named_secrets`."""
OUTLIER = "outlier"
"""Key of a column that was sampled: the value of many rows that lies far outside the others, as `{"value", "rows", "of"}`; None without one."""
DAYS, MIDNIGHT = "days", "midnight"
"""Form of a column whose moments without a zone are all midnights, and the native type of a field that shows their days in every zone."""
MIDNIGHTS = re.compile(r"\d{4}-\d\d-\d\d[ T]00:00(?::00(?:\.0+)?)?")

MONEY = frozenset(
    {
        "amount",
        "price",
        "cost",
        "costs",
        "fee",
        "fees",
        "total",
        "subtotal",
        "balance",
        "salary",
        "wage",
        "freight",
        "revenue",
        "budget",
        "tax",
        "paid",
        "payment",
        "refund",
        "refunded",
        "deposit",
        "rent",
        "turnover",
        "income",
        "debt",
        "credit",
    }
)
CENTS = ("minor", "cents", "cent")
PER_CENT = frozenset({"percent", "percentage", "pct"})
RATE, RATED = "rate", frozenset({"tax", "interest", "commission", "conversion"})
"""A rate of these is a part of something; others, as of currencies, are not."""
SHARES = PER_CENT | {"discount", "vat", "share", "margin", "probability", "confidence"}
STATES = frozenset({"status", "state", "stage", "phase", "priority", "severity", "outcome", "level"})
CODE_ENDINGS = frozenset(
    [
        "reason",
        "cause",
        "code",
        "type",
        "kind",
        "category",
        "class",
        "method",
        "mode",
        "channel",
        "origin",
        "source",
        "result",
        "resolution",
    ]
)
FLAGS = frozenset({"is", "has", "was", "can"})
"""First words of integer columns that hold truth values: `is_active` with 0 and 1."""
FLAG_NAMES = frozenset(
    {
        "active",
        "enabled",
        "disabled",
        "deleted",
        "archived",
        "closed",
        "done",
        "paid",
        "locked",
        "blocked",
        "verified",
        "confirmed",
        "public",
        "private",
        "visible",
        "hidden",
        "published",
        "required",
        "discontinued",
        "suspended",
        "cancelled",
        "canceled",
    }
)
"""Whole names of such columns."""
WORKED = frozenset({"by", "assignee", "assessor", "approver", "reviewer", "requester"})
"""Last words of columns that hold the account of who did something: where somebody here has that account, their name is shown."""
WRITTEN = frozenset({"created", "creation", "inserted", "updated", "modified", "changed", "deleted"})
BOOKKEEPING = WRITTEN | {"create", "write", "update", "uid"}
"""Words of columns that say when a row was written; and by whom."""
CURRENCY_COLUMNS = ("currency", "currency_code", "currencycode", "iso_currency")
FEWEST_MARKED, MARKED = 4, 0.8
"""How many columns, and which part of a table's, begin with its mark."""
NUMBERS = frozenset(
    {"number", "no", "nr", "code", "sku", "reference", "ref", "slug", "username", "login", "abbr", "symbol"}
)
"""Last words of columns that tell records apart where there is no name."""
OF_PLACES = frozenset(
    {"area", "country", "currency", "language", "post", "postal", "province", "region", "state", "zip"}
)
"""Words of codes that many records share: they say where something is, not which it is."""


DIGITS = frozenset(
    {
        "gtin",
        "gtin8",
        "gtin12",
        "gtin13",
        "gtin14",
        "ean",
        "ean8",
        "ean13",
        "isbn",
        "isbn13",
        "issn",
        "upc",
        "barcode",
        "imei",
        "zip",
        "postcode",
        "year",
    }
)
"""Words of columns whose numbers are codes: they are written without separators, as is a number whose name says so."""


@lru_cache(maxsize=16_384)
def parts_of(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters: `orderStatus`, `ORDER_STATUS` and "order status" are order and status."""
    return tuple(small(word) for word in re.split(r"[\W_]+", camel_split(name)) if word)


def snaked(name: str) -> str:
    """A name in small letters with `_` between its words: `DueDate` and "Due date" are due_date."""
    return "_".join(parts_of(name))


def form_of(values: Sequence[Any], name: str) -> str | None:
    """The form that all values of a sample have (none of them null); None without one. `name`: of the column, where form alone does not tell."""
    if not values:
        return None
    if translations.kept_in(values):
        return "translations"
    if all(isinstance(value, str) for value in values):
        texts = [value.strip() for value in values if value.strip()]
        if texts and 2 * sum(bool(FORMS["secret"].fullmatch(text)) for text in texts) >= len(texts):
            return "secret"  # also beside accounts that are closed, or older and in clear text
        if texts and all(map(_holds_json, texts)):
            return "json"
        found = next(
            (
                form
                for form, pattern in FORMS.items()
                if texts and all(pattern.fullmatch(text) for text in texts)
            ),
            None,
        )
        if found == "colour" and not COLOURED.search(name + "".join(texts)):
            found = None  # numbers of orders: #001001
        return found or ("states" if _states(texts) else None)
    numbers = [float(value) for value in values if not isinstance(value, str | bool) and _number(value)]
    counting = _counting(numbers) if len(numbers) == len(values) >= FEWEST // 2 and any(numbers) else None
    if counting and (
        timed(name) or (counting == "julian" and all(isinstance(value, float) for value in values))
    ):
        return counting
    words = set(parts_of(name))
    if named_flag(parts_of(name)) and len(numbers) == len(values) and {*numbers} <= {0, 1}:
        return "flag"
    if (
        len(numbers) != len(values)
        or not (SHARES & words or (RATE in words and RATED & words))
        or not any(numbers)
    ):
        return None
    if all(0 <= number <= 1 for number in numbers) and any(number % 1 for number in numbers):
        return "fraction"
    return "percent" if all(0 <= number <= 100 for number in numbers) and PER_CENT & words else None


def all_midnights(values: Sequence[Any]) -> bool:
    """Whether these are moments without a zone, and all of them midnights: days in a column that has room for a time."""
    texts = [value.isoformat(" ") if isinstance(value, datetime) else str(value) for value in values]
    return len(texts) >= FEWEST // 2 and all(map(MIDNIGHTS.fullmatch, texts))


def named_flag(words: Sequence[str]) -> bool:
    """Whether a name with these words says that a column holds yes or no."""
    return bool(FLAGS & set(words[:1])) or "_".join(words) in FLAG_NAMES


def timed(name: str) -> bool:
    """Whether a column of this name may hold moments: `created`, `placed_at`, `paidAtMs`."""
    return TIMED.search(name) is not None or TIMED.search(snaked(name)) is not None


def _counting(numbers: Sequence[float]) -> str | None:
    """How numbers count moments, if all do so in one way; 0 is none."""
    fitting = (
        way
        for way, (least, most) in COUNTED.items()
        if all(number == 0 or least < number < most for number in numbers)
    )
    return next(fitting, None)


def _holds_json(text: str) -> bool:
    """Whether a text is an object or a list in JSON."""
    try:
        return text[:1] in ("{", "[") and isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def _states(texts: Sequence[str]) -> bool:
    return (
        len(texts) >= FEWEST
        and len(set(texts)) <= MOST_STATES
        and all(len(text) <= LONGEST_STATE for text in texts)
    )


def _number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def look(column: Mapping[str, Any], called: Mapping[str, str]) -> dict[str, Any]:
    """`type`, `widget`, `currency` and `minor` of a column as far as name and form tell; `called` are the `column_words` of its table."""
    form, words, stored = column.get("form"), parts_of(called[column["name"]]), str(column["stored"])
    if stored in ("integer", "decimal"):
        return _of_number(column, form, words, called)
    if form == "translations":
        return {"widget": form}
    native = column.get("native")
    if native == "xml":
        return {"widget": "code"}
    if stored != "text":
        return {}
    if "json" in (native, form):
        return {"widget": "json"}
    if "iban" in words:
        return {"widget": "iban"}
    if WORKED & set(words[-1:]) and form in (None, "states"):
        return {"widget": "person"}
    match form:
        case "email" | "phone" | "url":
            return {"type": form}
        case "picture":
            return {"type": "url"}
        case "colour":
            return {"widget": "colour"}
        case "states" if {*words[-1:]} & (STATES | CODE_ENDINGS):
            return {"widget": "badge" if words[-1] in STATES else "word"}
    return {}


def _of_number(
    column: Mapping[str, Any], form: str | None, words: Sequence[str], called: Mapping[str, str]
) -> dict[str, Any]:
    if form == "flag" and column["stored"] == "integer":
        return {"type": "boolean"}
    if form in ("percent", "fraction", *COUNTED):
        return {"widget": form}
    if column["stored"] == "integer" and (
        DIGITS & set(words) or NUMBERS & set(words[-1:]) or words[-1].endswith("id")
    ):
        return {"widget": "plain"}
    if not amount(str(column["stored"]), words):
        return {}
    plain = [word for word in words if word not in CENTS]
    currency = next((name for name, word in called.items() if word.lower() in CURRENCY_COLUMNS), None)
    if len(plain) < len(words):
        return {"widget": "money", "minor": True} | ({"currency": currency} if currency else {})
    if column["stored"] != "decimal" or (currency is None and (column.get("scale") or 2) > 4):
        return {}
    return {"type": "money"} | ({"widget": "money", "currency": currency} if currency else {})


def amount(stored: str, words: Sequence[str]) -> bool:
    """Whether a column whose name has these words holds amounts of money."""
    plain = [word for word in words if word not in CENTS]
    named = MONEY & {*plain[-1:], *plain[:1]} or (
        words[-1:] in (("cents",), ("cent",)) and words[-2:-1] != ("per",)
    )
    return (
        stored in ("integer", "decimal")
        and bool(named)
        and not {"count", "id", "qty", "quantity", RATE} & set(words)
    )


CODE_WORDS: Mapping[str, tuple[int, frozenset[str]]] = {
    "country": (
        2,
        frozenset({"country", "countries", "nationality", "nationalities", "citizenship", "citizenships"}),
    ),
    "language": (2, frozenset({"language", "languages"})),
    "currency": (3, frozenset({"currency", "currencies", *CURRENCY_COLUMNS})),
}
"""Widget for codes → their length, and the last word of names of columns that hold them."""


def coded(name: str, column: Mapping[str, Any]) -> dict[str, Any]:
    """The widget of a column that holds codes of countries, languages or currencies, by its name and length, or by its name and `_code`."""
    words = (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
        .lower()
        .rstrip("0123456789")
        .removesuffix("_code")
        .removesuffix("_id")
        .split("_")
    )
    if column["stored"] not in ("text", "array") or column.get("uncoded"):
        return {}
    long = column.get("max_length")
    found = (
        widget
        for widget, (length, last) in CODE_WORDS.items()
        if words[-1] in last and (long in (None, length) or (column.get("form") == "alpha2" and length == 2))
    )
    return {"widget": widget} if (widget := next(found, None)) else {}


def uncoded(column: Mapping[str, Any], texts: Sequence[str]) -> bool:
    """Whether most of these texts of a column that is called as one with codes are none: names of countries, of which a form must not make codes."""
    widget, filled = coded(column["name"], column).get("widget"), [text for text in texts if text]
    codes = re.compile(
        r"[A-Za-z]{2}"
        if widget == "country"
        else r"[A-Za-z]{3}"
        if widget == "currency"
        else r"[A-Za-z]{2,3}(?:[-_]\w+)*"
    )
    return (
        widget is not None
        and bool(filled)
        and 2 * sum(bool(codes.fullmatch(text)) for text in filled) <= len(filled)
    )


NAMED_TYPES = (
    (re.compile(r"(.*_)?e?mail(_address)?"), "email"),
    (re.compile(r"(.*_)?(phone|mobile|telephone)(_no|_number)?"), "phone"),
    (re.compile(r"(.*_)?(url|website|homepage)"), "url"),
    (re.compile(r"(.*_)?(notes?|body|narrative|description|comments?|transcript)"), "long_text"),
)


def shown_as(column: Mapping[str, Any], *, listed: bool) -> str:
    """The field type of a column without one in the document."""
    stored = "date" if column.get("form") == DAYS else str(column["stored"])
    if stored == "text":
        if listed:
            return "enum"
        named = next(
            (kind for pattern, kind in NAMED_TYPES if pattern.fullmatch(snaked(column["name"]))), "text"
        )
        return "long_text" if column.get("long") else named
    if stored == "array" and listed:
        return "multi_enum"
    return stored


def kept_as(column: Mapping[str, Any], kind: str) -> str:
    """The kind of a column shown as `kind`; a document may declare text as days, moments or JSON (SQLite has no such types)."""
    stored = str(column["stored"])
    said = {
        "date": "date",
        "datetime": "datetime",
        "time": "time",
        "json": "json",
        "uuid": "uuid",
        "boolean": "boolean",
    }.get(kind)
    declared = said and stored in {"text", "integer"} and (kind != "boolean" or stored == "integer")
    return said if said and (declared or (kind == "date" and column.get("form") == DAYS)) else stored


def is_change_mark(
    structure: Mapping[str, Any], changes: Mapping[str, Any], column: Mapping[str, Any]
) -> bool:
    """Whether SQLite keeps a moment here, which has no type for one: changes are found by this text."""
    named = column["name"] in {changes.get(place) for place in ("column", "created", "deleted")}
    return named and structure["dialect"] == "sqlite" and column["stored"] == "text"


def secret_because(column: Mapping[str, Any]) -> str | None:
    """Why nobody sees the column until somebody says otherwise; None where it holds no secret."""
    if column.get("form") == "secret":
        return "Its values look like hashes of passwords, keys or tokens."
    if column.get("form") == TELLING_ROWS:
        return "Rows of it hold passwords, keys or tokens, by what they are called."
    name, stored = column["name"], str(column["stored"])
    if treatment.secret(name, stored) or treatment.hashed(name, stored):
        return "Its name says that it holds a password, hash, key or token."
    return None


def table_words(table: str) -> str:
    """The name of a table with these columns, without what says that it is one: `tbl_staff`, `vwSales`, `mv_daily`."""
    found = re.match(r"(?i:tbl|tb|lkp|vw)[_ -]+(?=.)|(?i:t|v|mv)_(?=[^\W\d])|(?:tbl|vw)(?=[A-Z])", table)
    return table[found.end() :] if found else table


def column_words(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The names of a table's columns without the short mark of the table that nearly all of them begin with: `kd_name` and `kd_ort` of customers."""
    names = [column["name"] for column in columns]
    mark = common_mark(names)
    return {name: name.removeprefix(mark) for name in names}


def common_mark(names: Sequence[str]) -> str:
    """The short mark that nearly all names begin with, where they differ without it too: `wp_` of the tables of a WordPress; "" without one."""
    marks = Counter(found[0] for name in names if (found := re.match(r"[A-Za-z]{1,5}_(?=[A-Za-z])", name)))
    mark, times = max(marks.items(), key=lambda each: each[1], default=("", 0))
    own = (
        times >= FEWEST_MARKED
        and times >= len(names) * MARKED
        and len({name.removeprefix(mark).lower() for name in names}) == len(names)
    )
    return mark if own else ""


def numbers(name: str) -> bool:
    """Whether a column of this name tells records apart: `order_no`, not `postal_code`."""
    return bool(NUMBERS & set(parts_of(name)[-1:])) and OF_PLACES.isdisjoint(parts_of(name))


def zone_of(structure: Mapping[str, Any], column: Mapping[str, Any], stored: str) -> str:
    """The source's zone for a column whose moments have none; MySQL's `timestamp` and the clock of SQLite itself are always in UTC."""
    fixed = column.get("utc") or (structure["dialect"] == "mysql" and column.get("native") == "timestamp")
    spans = str(column.get("native") or "").startswith(
        ("tsrange", "tstzrange", "tsmultirange", "tstzmultirange")
    )
    return (
        ""
        if fixed or not (stored == "datetime" or spans or column.get("items") == "datetime")
        else str(structure.get("zone") or "")
    )
