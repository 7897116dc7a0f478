"""Numbers that accounts, papers and phones carry: bank codes that no bank has, phone ranges that regulators keep for fiction.

IBANs follow ISO 13616 with ISO/IEC 7064 MOD 97-10.
"""

from random import Random

from console.core.papers import vat


def customer_no(customer_id: int) -> str:
    """`C-10412` of a person, `C-20318` of a company."""
    return f"C-{10_000 + customer_id}" if customer_id <= 1400 else f"C-{20_000 + customer_id - 1400}"


def iban(country: str, account: str) -> str:
    """The IBAN of a national account number, with its two check digits."""
    digits = "".join(str(int(sign, 36)) for sign in f"{account}{country}00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


VAT_FORMS = {
    "CZ": "8#######",
    "ES": "A9#######",
    "FR": "##9########",
    "IE": "9######@",
    "IT": "9##########",
    "LT": "9######1#",
    "LV": "9##########",
    "NL": "9########B01",
    "PL": "9#########",
    "SE": "9#########01",
}
"""Forms of VAT numbers, # a digit and @ a letter: with a 9 in front, which hardly any country has given out. Other countries: nine digits."""


def vat_number(country: str, drawn: int) -> str:
    """A VAT number with the check digits of its country; the same for the same number that was drawn."""
    rng, form = Random(drawn), VAT_FORMS.get(country, "9########")
    while True:
        number = country + "".join(
            rng.choice("0123456789")
            if sign == "#"
            else rng.choice("ABCDEFGHIJKLMNOPQRSTUVW")
            if sign == "@"
            else sign
            for sign in form
        )
        if vat.problem(number) is None:
            return number


def document_number(kind: str, rng: Random) -> str:
    """A number of nine signs: a letter or two, then digits."""
    letters = rng.choice("CFGHJKLMNPRT") + ("X" if kind == "passport" else "")
    return letters + "".join(rng.choices("0123456789", k=9 - len(letters)))


def phone(country: str, rng: Random) -> str:
    """A number of a range kept for fiction: Ofcom, NANP, BNetzA or PTS; other countries get a German or British one."""
    place = country if country in {"GB", "US", "DE", "SE"} else rng.choice(("DE", "GB"))
    return {
        "GB": f"+44 20 7946 0{rng.randrange(1000):03d}",
        "US": f"+1 202 555 01{rng.randrange(100):02d}",
        "DE": f"+49 30 23125 {rng.randrange(1000):03d}",
        "SE": f"+46 70 174 06 {rng.randrange(5, 100):02d}",
    }[place]
