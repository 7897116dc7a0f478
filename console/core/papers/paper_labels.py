"""English labels printed on documents (passports, cards, bills, register extracts, certificates, bank letters).

Labels with the same meaning have one name. An unknown label gets a name made of its words.
"""

import calendar
from collections.abc import Mapping

_BY_NAME: Mapping[str, str] = {
    "name": "name|full name|customer|customer name|account name|addressee",
    "family_name": "surname|family name|last name",
    "given_names": "given names|given name|first name|first names|forename|forenames",
    "birth_date": "date of birth|birth date|born|born on|dob",
    "birth_place": "place of birth|birthplace",
    "nationality": "nationality|citizenship",
    "number": "document no|document number|passport no|passport number|card no|card number|permit number",
    "issued_on": "date of issue|issue date|issued on|issued|date|dated|date of extract|extract date|invoice date|bill date|statement date",
    "expires_on": "date of expiry|expiry date|expires|expires on|expiration date|valid until|valid to|valid through|insured until|cover ends"
    "|end of cover|cover until|period ends",
    "issuer": "issued by|issuer|issuing authority|authority",
    "address": "address|registered office|registered address|seat",
    "legal_name": "company|company name|legal name|name of company|business name|firm|insured|policyholder|policy holder",
    "register_no": "register number|register no|registration number|registration no|company number|company no|registered under|commercial register",
    "vat_id": "vat id|vat no|vat number|vat registration number|vat identification number",
    "tax_id": "tax id|tax number|tax no",
    "iban": "iban|account number iban|account iban",
    "bic": "bic|swift|bic swift|swift code",
    "holder": "account holder|holder|holder of the account",
    "cover": "sum insured|cover|limit of cover|limit of indemnity|insured sum",
    "total": "total|amount due|total due",
    "policy_no": "policy number|policy no",
    "period": "period|billing period",
}
LABELS: Mapping[str, str] = {label: name for name, labels in _BY_NAME.items() for label in labels.split("|")}
"""Label in lower case → name."""

DATES = frozenset({"birth_date", "issued_on", "expires_on"})
AMOUNTS = frozenset({"cover", "total"})
MONTHS: Mapping[str, int] = {
    name.casefold(): number for number, name in enumerate(calendar.month_abbr) if name
}
"""The first three letters of a month → its number."""
