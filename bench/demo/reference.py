"""Currencies, exchange rates, country risk and sectors: the tables that the others point to.

The country levels are a starting table for a made-up company, not a statement of today's lists.
"""

from datetime import timedelta
from decimal import Decimal

from babel import Locale

from bench.demo.world import Row, World, dice

EXPONENTS = {
    "EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "SEK": 2, "PLN": 2, "KWD": 3, "BHD": 3, "CHF": 2, "DKK": 2, "NOK": 2, "CZK": 2, "HUF": 2, "RON": 2,
}  # fmt: skip
EUR_PER_UNIT = {
    "EUR": "1", "JPY": "0.0061", "USD": "0.92", "GBP": "1.17", "SEK": "0.088", "PLN": "0.23", "KWD": "2.99", "BHD": "2.44",
    "CHF": "1.05", "DKK": "0.134", "NOK": "0.086", "CZK": "0.04", "HUF": "0.0025", "RON": "0.2",
}  # fmt: skip
RATE_DAYS = 400

PROHIBITED = frozenset(["KP", "IR", "MM"])
HIGH = frozenset(["AO", "CD", "HT", "KE", "LA", "LB", "NP", "SS", "SY", "VE", "VN", "YE"])
LOW = frozenset([
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI",
    "ES", "SE", "LI", "GB", "CH", "NO", "IS", "US", "CA", "JP", "AU", "NZ", "SG",
])  # fmt: skip
COUNTRIES = ["AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW"]  # fmt: skip

SECTORS: dict[str, tuple[str, int]] = {
    "accounting": ("Accounting and tax advice", 1), "advertising": ("Advertising", 0), "agriculture": ("Agriculture", 0), "antiques": ("Art and antiques", 3),
    "architecture": ("Architecture", 0), "bakery": ("Bakeries", 0), "bicycles": ("Bicycles", 0), "building": ("Building trades", 1), "car_hire": ("Car hire", 1),
    "charity": ("Charities", 2), "cleaning": ("Cleaning", 1), "clothing": ("Clothing", 0), "company_services": ("Company formation and trust services", 3),
    "crypto": ("Crypto-asset services", 3), "dental": ("Dental practice", 0), "education": ("Education", 0), "electronics": ("Electronics", 1),
    "energy": ("Energy", 1), "event_tickets": ("Event tickets", 1), "fitness": ("Fitness", 0), "food_wholesale": ("Food wholesale", 1), "forwarding": ("Freight forwarding", 2),
    "furniture": ("Furniture", 0), "gambling": ("Gambling", 3), "health_food": ("Food supplements", 1), "hospitality": ("Restaurants and hotels", 1), "it_services": ("IT services", 0),
    "jewellery": ("Jewellery and precious metals", 3), "logistics": ("Logistics", 1), "media": ("Media", 0), "money_services": ("Money services", 3), "print": ("Printing", 0),
    "property": ("Property agents", 2), "retail_online": ("Online retail", 1), "scrap_metal": ("Scrap metal", 2), "software": ("Software", 0), "travel": ("Travel agents", 1),
    "used_vehicles": ("Used vehicles, import and export", 3), "wholesale": ("Wholesale trade", 1), "yachts": ("Yachts and berths", 2),
}  # fmt: skip


def fill(world: World) -> None:
    """Rows of currency, fx_rate, country_risk and sector."""
    names = {row["code"]: row["name"] for row in _currencies()}
    world.core["currency"] = [{"code": code, "exponent": EXPONENTS[code], "name": names[code]} for code in EXPONENTS]
    world.core["fx_rate"] = _rates(world)
    world.core["country_risk"] = _countries(world)
    world.core["sector"] = [{"code": code, "name": name, "points": points} for code, (name, points) in SECTORS.items()]


def level(country: str) -> str:
    """The risk level of a country: low, medium, high or prohibited."""
    if country in PROHIBITED:
        return "prohibited"
    if country in HIGH:
        return "high"
    return "low" if country in LOW else "medium"


def _currencies() -> list[Row]:
    english = Locale("en").currencies
    return [{"code": code, "name": str(english[code])} for code in EXPONENTS]


def _rates(world: World) -> list[Row]:
    """Today's rate is fixed; the days before wander within two percent of it."""
    rng = dice("fx_rate")
    rows = []
    for currency, today in EUR_PER_UNIT.items():
        drift = 0.0
        for back in range(RATE_DAYS):
            if back and currency != "EUR":
                drift = max(-0.02, min(0.02, drift + rng.uniform(-0.003, 0.003)))
            rate = Decimal(today) * (1 + Decimal(f"{drift:.6f}"))
            rows.append({"day": world.today - timedelta(days=back), "currency": currency, "eur_per_unit": rate.quantize(Decimal("1e-8"))})
    return rows


def _countries(world: World) -> list[Row]:
    english = Locale("en").territories
    reasons = {
        "low": "Equivalent rules and supervision",
        "medium": "No finding either way",
        "high": "Strategic deficiencies named by an international body",
        "prohibited": "Outside our appetite",
    }
    rows = []
    for code in COUNTRIES:
        found = level(code)
        rows.append(
            {
                "code": code, "name": str(english[code]), "level": found, "reason": reasons[found], "source": "House list, made up",
                "as_of": world.day(-20),
            }
        )  # fmt: skip
    return rows
