"""How many decimals the amounts of a currency have (ISO 4217), and amounts in its smallest unit.

CLDR, which names currencies, rounds some of them to what is paid in cash; amounts are stored by ISO 4217.
"""

import re
from decimal import Context, Decimal, InvalidOperation

_NONE = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_FOUR = frozenset(["CLF", "UYW"])
_TWO = frozenset(
    [
        "AED",
        "AFN",
        "ALL",
        "AMD",
        "ANG",
        "AOA",
        "ARS",
        "AUD",
        "AWG",
        "AZN",
        "BAM",
        "BBD",
        "BDT",
        "BGN",
        "BMD",
        "BND",
        "BOB",
        "BOV",
        "BRL",
        "BSD",
        "BTN",
        "BWP",
        "BYN",
        "BZD",
        "CAD",
        "CDF",
        "CHE",
        "CHF",
        "CHW",
        "CNY",
        "COP",
        "COU",
        "CRC",
        "CUC",
        "CUP",
        "CVE",
        "CZK",
        "DKK",
        "DOP",
        "DZD",
        "EGP",
        "ERN",
        "ETB",
        "EUR",
        "FJD",
        "FKP",
        "GBP",
        "GEL",
        "GHS",
        "GIP",
        "GMD",
        "GTQ",
        "GYD",
        "HKD",
        "HNL",
        "HRK",
        "HTG",
        "HUF",
        "IDR",
        "ILS",
        "INR",
        "IRR",
        "JMD",
        "KES",
        "KGS",
        "KHR",
        "KPW",
        "KYD",
        "KZT",
        "LAK",
        "LBP",
        "LKR",
        "LRD",
        "LSL",
        "MAD",
        "MDL",
        "MGA",
        "MKD",
        "MMK",
        "MNT",
        "MOP",
        "MRU",
        "MUR",
        "MVR",
        "MWK",
        "MXN",
        "MXV",
        "MYR",
        "MZN",
        "NAD",
        "NGN",
        "NIO",
        "NOK",
        "NPR",
        "NZD",
        "PAB",
        "PEN",
        "PGK",
        "PHP",
        "PKR",
        "PLN",
        "QAR",
        "RON",
        "RSD",
        "RUB",
        "SAR",
        "SBD",
        "SCR",
        "SDG",
        "SEK",
        "SGD",
        "SHP",
        "SLE",
        "SLL",
        "SOS",
        "SRD",
        "SSP",
        "STN",
        "SVC",
        "SYP",
        "SZL",
        "THB",
        "TJS",
        "TMT",
        "TOP",
        "TRY",
        "TTD",
        "TWD",
        "TZS",
        "UAH",
        "USD",
        "USN",
        "UYU",
        "UZS",
        "VED",
        "VES",
        "WST",
        "XCD",
        "XCG",
        "YER",
        "ZAR",
        "ZMW",
        "ZWG",
        "ZWL",
    ]
)
CODES = _NONE | _TWO | _THREE | _FOUR
BY_DECIMALS = {0: _NONE, 2: _TWO, 3: _THREE, 4: _FOUR}
LONGEST = 40
_CENTS = 2
_GROUPED = re.compile(r"\s*-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?\s*")
_EXACT = Context(prec=120)


def decimals(code: str | None) -> int | None:
    """The number of decimals; None for what is no currency."""
    return (
        0 if code in _NONE else 2 if code in _TWO else 3 if code in _THREE else 4 if code in _FOUR else None
    )


def ungrouped(typed: str, places: int | None) -> str:
    """The amount without its thousands separators: "12,500.50" is "12500.50". With three decimals a comma might part these: it stays, and is refused."""
    return (
        typed.replace(",", "")
        if places is not None and places <= _CENTS and _GROUPED.fullmatch(typed)
        else typed
    )


def whole_units(amount: object, places: int) -> Decimal | None:
    """An amount that is stored in smallest units, in whole ones: 12050 with 2 decimals is 120.50; None if it is no number."""
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return None
    if not number.is_finite() or len(number.as_tuple().digits) > LONGEST or abs(number.adjusted()) > LONGEST:
        return None
    return number.scaleb(-places, _EXACT)


def smallest_units(amount: str, places: int) -> int | None:
    """The reverse: "120.5" with 2 decimals is 12050. None if it is no number, or has more decimals than the currency."""
    number = whole_units(amount, -places)
    return int(number) if number is not None and number == number.to_integral_value() else None
