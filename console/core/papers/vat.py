"""VAT numbers of the European Union, the United Kingdom, Switzerland, Norway, Andorra, Brazil, Russia and Serbia, by python-stdnum.

Whether a number is registered only the register knows; check digits show typing errors.
"""

import re
from typing import Any

EXAMPLES = {
    "AD": "ADU132950X",
    "AT": "ATU13585627",
    "BE": "BE0428759497",
    "BG": "BG175074752",
    "BR": "BR45723174000110",
    "CH": "CHE107787577",
    "CY": "CY10259033P",
    "CZ": "CZ25123891",
    "DE": "DE136695976",
    "DK": "DK13585628",
    "EE": "EE100931558",
    "EL": "EL094259216",
    "ES": "ESA13585625",
    "FI": "FI20774740",
    "FR": "FR40303265045",
    "GB": "GB980780684",
    "HR": "HR33392005961",
    "HU": "HU12892312",
    "IE": "IE6433435F",
    "IT": "IT00743110157",
    "LT": "LT119511515",
    "LU": "LU15027442",
    "LV": "LV40003521600",
    "MT": "MT11679112",
    "NL": "NL004495445B01",
    "NO": "NO995525828MVA",
    "PL": "PL8567346215",
    "PT": "PT501964843",
    "RO": "RO18547290",
    "RS": "RS100010812",
    "RU": "RU7707083893",
    "SE": "SE123456789701",
    "SI": "SI50223054",
    "SK": "SK2022749619",
    "XI": "XI980780684",
}
"""An example of each country by the letters that begin a number; `XI` is Northern Ireland."""
OTHER_NAMES = {"CH": ("ch", "uid"), "EL": ("gr", "vat"), "NO": ("no", "orgnr"), "XI": ("gb", "vat")}
"""Country and module in python-stdnum, where a number is written otherwise than as the `vat` of its country has it."""
SUFFIXES = {"CH": r"(MWST|TVA|IVA|VAT)$", "NO": r"MVA$"}


def problem(text: str) -> str | None:
    """What is wrong with a number, None if nothing. Blanks, dots and hyphens are ignored; `GR` is accepted."""
    from stdnum.exceptions import InvalidComponent, InvalidFormat, InvalidLength, ValidationError
    from stdnum.util import get_cc_module

    plain = re.sub(r"[ .\-/]", "", text).upper()
    plain = (
        f"BR{plain}" if re.fullmatch(r"\d{14}", plain, re.ASCII) else plain
    )  # only Brazil writes no letters before the number
    letters = {"GR": "EL"}.get(plain[:2], plain[:2])
    if letters not in EXAMPLES:
        return f"A VAT number begins with the letters of its country, such as {EXAMPLES['DE']}."
    number = re.sub(SUFFIXES.get(letters, "$^"), "", plain if letters == "CH" else plain[2:])
    try:
        if not re.fullmatch(r"[A-Z0-9+*]+", number):
            raise InvalidFormat
        module: Any = get_cc_module(*OTHER_NAMES.get(letters, (letters.lower(), "vat")))
        module.validate(number)
    except (InvalidComponent, InvalidFormat, InvalidLength):
        return f"A VAT number of {letters} looks like {EXAMPLES[letters]}."
    except ValidationError:
        return "The check digits of this VAT number are wrong: look at it once more."
    return None
