"""Names, amounts and days in plain English, for texts that are made before anybody is known who reads them: titles, reasons, mails."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from console.core.currencies import decimals, whole_units
from console.core.moments import READER_ZONE

RANGES = tuple(
    f"{of}{kind}" for of in ("int4", "int8", "num", "date", "ts", "tstz") for kind in ("range", "multirange")
)
"""Types of PostgreSQL with two ends."""
_RANGE = re.compile(r'([\[(])("[^"]*"|[^,"\[(]*),("[^"]*"|[^,"\])]*)([\])])')
_END = re.compile(r"(\d{4}-\d\d-\d\d)(?: [\d:.+-]+)?")
_UNMARKED = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "ß": "ss",
        "ı": "i",
        "đ": "d",
        "Đ": "D",
        "æ": "ae",
        "Æ": "Ae",
        "œ": "oe",
        "Œ": "Oe",
        "þ": "th",
        "Þ": "Th",
        "ð": "d",
        "Ð": "D",
    }
)
LONG_ID = 32
SPELLED_LARGE = 4
"""Letters of a word in capitals that may be an abbreviation: USD, SEPA. A longer one is a word: CANCELLED."""
ABBREVIATIONS = {
    word.lower(): word
    for word in (
        "AI",
        "AML",
        "API",
        "BIC",
        "CEO",
        "CPU",
        "CSRF",
        "CSS",
        "CSV",
        "CVE",
        "DNS",
        "DOB",
        "EAN",
        "EU",
        "FX",
        "GPS",
        "GTIN",
        "GUID",
        "HTML",
        "HTTP",
        "HTTPS",
        "IBAN",
        "ID",
        "IDs",
        "IMEI",
        "IMO",
        "IP",
        "ISBN",
        "ISIN",
        "ISO",
        "JSON",
        "JWT",
        "KYB",
        "KYC",
        "LEI",
        "MCC",
        "MLRO",
        "MRN",
        "MRZ",
        "OTP",
        "PDF",
        "PEP",
        "QR",
        "RFID",
        "SAR",
        "SEPA",
        "SKU",
        "SMS",
        "SQL",
        "SSH",
        "SSL",
        "SSN",
        "TIN",
        "TLS",
        "TOTP",
        "UBO",
        "URI",
        "URL",
        "UTC",
        "UUID",
        "VAT",
        "VIN",
        "VPN",
        "XML",
        "XSS",
        "eID",
    )
}
"""Words with special spelling in labels. "is", "no" and "us" are ordinary words and not included."""
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SYMBOLS: Mapping[str, str] = {"EUR": "€", "GBP": "£", "USD": "$", "JPY": "¥"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|\+00:00)?")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")


_CODE = re.compile(r"(?=.*-)[^a-z]*[A-Z][^a-z]*|[a-z]{2,3}[-_][A-Z]{2}")
_STEP = re.compile(r"(There is a step |leads back to |way back to |the edge to |[Tt]he step )(\w+)\b")
_ALONE = {"it": "IT", "no": "Number"}
"""Names that alone would be read as another word: the pronoun, the No of a yes-or-no question."""
_LETTER_WORD = re.compile(r"\b([Ee](?= mails?\b)|[Xx](?= rays?\b)|[Tt](?= shirts?\b)) ")
"""A letter that is the beginning of a word with a hyphen: "E-mail", "X-ray"; not that of "Service mail" or "Tax ray"."""
_NUMBERED = re.compile(r"(ean|gtin|isbn)([0-9]+)", re.IGNORECASE)


def _numbered(found: re.Match[str]) -> str:
    return f"{found[1].upper()}-{found[2]}"


def humanised(name: str) -> str:
    """A label from a name: "Customer no" for `customer_no`, "KYC case ID" for `kyc_case_id`, "First name" for `FirstName`.

    Words that somebody has set apart by blanks stay as they are written, and so do codes such as `FW-INT`.
    """
    if name.lower() in _ALONE:
        return _ALONE[name.lower()]
    if _CODE.fullmatch(name):
        return name
    if " " in name.strip():
        words = _apart(name)
    elif name.isupper() and ("_" in name or len(name) > SPELLED_LARGE):
        words = _apart(small(name))
    else:
        words = _apart(camel_split(name))
        words = [
            *words[:1],
            *(word.lower() if word[:1].isupper() and word[1:].islower() else word for word in words[1:]),
        ]
    text = (
        _LETTER_WORD.sub(
            r"\1-",
            " ".join(ABBREVIATIONS.get(word.lower(), _NUMBERED.sub(_numbered, word)) for word in words),
        )
        or name
    )
    return (
        text
        if words and (words[0].lower() in ABBREVIATIONS or _NUMBERED.fullmatch(words[0]))
        else ("İ" if name.startswith("İ") else text[:1].upper()) + text[1:]
    )


def camel_split(name: str) -> str:
    """Return the name with a blank before each word that begins with a capital, in any script: "order Status", "çıkış Depo"."""
    after = [*name[1:], ""]
    made = [
        f" {letter}"
        if letter.isupper()
        and (before.islower() or before.isdecimal() or (before.isupper() and then.islower()))
        else letter
        for before, letter, then in zip(["", *name], name, after, strict=False)
    ]
    return "".join(made)


def small(text: str) -> str:
    """A text in small letters, a Turkish İ as an i: Python makes it an i with a dot of its own."""
    return text.lower().replace("i\u0307", "i")


def _apart(name: str) -> list[str]:
    """The words of a name. A hyphen before another sign belongs to its word, as in "Import-/Export"."""
    return re.sub(r"_|-(?![^\w\s-])", " ", name).split()


def shortened_id(text: str) -> str:
    """The beginning and the end of a long id of random signs, which tell it from others: "003ede56…e150"; a short one as it is."""
    return f"{text[:8]}…{text[-4:]}" if len(text) >= LONG_ID else text


def named_reason(field: str, reason: str) -> str:
    """The reason with the setting that it is about: “Title” is too long, for "This is too long" at `steps[3].title`."""
    setting = re.sub(r"\[\d+\]$", "", field).rpartition(".")[2]
    return (
        re.sub(r"^This (?=(?:is|may|must|does|has) )", f"“{humanised(setting)}” ", reason)
        if setting
        else reason
    )


def with_titles(reason: str, title: Callable[[str], str]) -> str:
    """The reason with the title of each step that it names by its id; `title` gives "" for what is no step."""
    return _STEP.sub(lambda found: f"{found[1]}“{named}”" if (named := title(found[2])) else found[0], reason)


def roles_words(roles: Iterable[str]) -> str:
    """Any of the roles, inside a sentence: "buyer or procurement lead", "MLRO"; "" without one."""
    return " or ".join(role_name(role) for role in roles)


def with_article(words: str) -> str:
    """The words with "a" or "an" as they are spoken: "an operations lead", "an MLRO"; of an abbreviation the name of its first letter counts."""
    vowels = "AEFHILMNORSX" if words[:2].isupper() else "aeioAEIO"
    return f"{'an' if words[:1] in tuple(vowels) else 'a'} {words}"


def role_name(role: str) -> str:
    """A role inside a sentence: "operations lead", "MLRO"."""
    return uncapitalised(humanised(role.removeprefix("role:").lower()))


def uncapitalised(label: str) -> str:
    """A label inside a sentence: "customer no", "KYC case", "ID"; "sale order" of "Sale Order"."""
    words = label.split(" ")
    all_large = all(word[:1].isupper() for word in words)
    small = [word if word[1:2].isupper() else word[:1].lower() + word[1:] for word in words]
    return " ".join(small if all_large else [*small[:1], *words[1:]])


def day_words(value: Any) -> str | None:
    """The day of an ISO date or moment: "20 Nov 2026"; None if it is neither."""
    found = _DAY.fullmatch(str(value))
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    return None if day is None else f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def moment_words(value: Any) -> str | None:
    """The moment of an ISO moment, to the minute, with its zone where it has one: "20 Nov 2026, 14:05 UTC"; None if it is none."""
    found = _MOMENT.fullmatch(str(value))
    day = day_words(value) if found else None
    return None if found is None or day is None else f"{day}, {found[1]}{' UTC' if found[2] else ''}"


def there_and_then(value: Any) -> Any:
    """A moment of UTC as an ISO text on the clock of the person that the request is for, who needs no zone beside it; anything else as it is."""
    zone, found = READER_ZONE.get(), _MOMENT.fullmatch(str(value))
    if not zone or found is None or not found[2]:
        return value
    try:
        return datetime.fromisoformat(str(value)).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError):
        return value


def amount_words(value: Any, code: str | None, *, minor: bool) -> str | None:
    """An amount with its currency: "€1,250.00", "SEK 12.50"; None if it is no number or its currency is unknown."""
    places = decimals(code)
    number = None if places is None else whole_units(value, places if minor else 0)
    if number is None or places is None:
        return None
    digits = max(places, -int(number.as_tuple().exponent))
    sign = "-" if number < 0 else ""
    return f"{sign}{SYMBOLS.get(str(code), f'{code} ')}{abs(number):,.{digits}f}"


def range_words(value: Any) -> Any:
    """Ranges of PostgreSQL from its own text: "5 to before 10", "from 5", "before 10"; several of a multirange with commas between."""
    if not isinstance(value, str):
        return value
    if value in ("empty", "{}"):
        return "none"
    found = _RANGE.findall(value)
    return ", ".join(_one_range(*parts) for parts in found) if found else value


_SPANS = {"year": "year", "mon": "month", "day": "day"}
_SPAN = re.compile(r"([+-]?\d+) (year|mon|day)s?")
_CLOCK = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def interval_words(value: Any) -> Any:
    """An interval of PostgreSQL from its own text: "1 month 3 days 4 hours 30 minutes" of "1 mon 3 days 04:30:00"."""
    if not isinstance(value, str) or not re.fullmatch(rf"(?:(?:{_SPAN.pattern}|{_CLOCK.pattern}) ?)+", value):
        return value
    parts = [(number.lstrip("+"), _SPANS[unit]) for number, unit in _SPAN.findall(value)]
    for sign, *clock in _CLOCK.findall(value):
        shown = (part.lstrip("0").removesuffix(".") for part in clock)
        parts += [
            (f"{sign.strip('+')}{'0' * part.startswith('.')}{part}", unit)
            for part, unit in zip(shown, ("hour", "minute", "second"), strict=True)
            if part.strip("0.")
        ]
    return (
        " ".join(f"{number} {unit}{'' if number in ('1', '-1') else 's'}" for number, unit in parts)
        or "0 seconds"
    )


def _one_range(opens: str, low: str, high: str, closes: str) -> str:
    low, high = low.strip('"'), high.strip('"')
    start = f"{'' if opens == '[' else 'above '}{low}" if low else ""
    end = f"{'' if closes == ']' else 'before '}{high}" if high else ""
    if start and end:
        return f"{start} to {end}"
    if start:
        return f"from {start}" if opens == "[" else start
    return (f"up to {end}" if closes == "]" else end) if end else "any"


SPOKEN = {"interval": interval_words, **dict.fromkeys(RANGES, range_words)}
"""Native type of PostgreSQL → how its values are said in words."""


def spoken_range(value: Any) -> str:
    """A range as `range_words` has it, its ends as days in words: "1 Mar 2026 to before 3 Mar 2026"."""
    return _END.sub(lambda end: day_words(end[1]) or end[0], str(range_words(value)))


_CYRILLIC = "а a б b в v г g д d е e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ъ . ы y ь . э e ю yu я ya і i ї i є ie ґ g ў u ћ c ђ dj љ lj њ nj џ dz ј j ѕ dz"
_GREEK = (
    "α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o"
)
_LATIN = {
    ord(letter): ("" if latin == "." else latin)
    for pairs in (_CYRILLIC, _GREEK)
    for letter, latin in zip(*[iter(pairs.split())] * 2, strict=True)
}


def latinised(text: str) -> str:
    """A text in Latin letters without marks: "Заказы" is Zakazy, "Παραγγελία" Paraggelia. Letters of other scripts become their codes, such as u8ba2."""
    made = []
    for letter in unaccented(text):
        if letter.isascii() or not letter.isalpha():
            made.append(letter)
        elif ord(letter.lower()) in _LATIN:
            latin = _LATIN[ord(letter.lower())]
            made.append(latin if letter.islower() else latin.capitalize())
        else:
            made.append(f"u{ord(letter):x}")
    return "".join(made)


def unaccented(text: str) -> str:
    """A text without the marks of its letters: "Élève", "Żółć" and "Größe" are Eleve, Zolc and Grosse."""
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text.translate(_UNMARKED))
        if not unicodedata.combining(letter)
    )


def slug(text: str, joint: str = "-") -> str:
    """A text as an id may be: its Latin letters, small and without marks, and digits; empty for one of other letters."""
    return re.sub(r"[^a-z0-9]+", joint, unaccented(text).lower()).strip(joint)


def one_line(text: str, most: int) -> str:
    """What another program wrote, in one line of at most so many characters, without control characters and marks that reorder text."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
