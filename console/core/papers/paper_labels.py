"""Labels printed on documents (passports, cards, bills, register extracts, certificates, bank letters) in several languages.

Labels with the same meaning have one name. An unknown label gets a name made of its words.
"""

from collections.abc import Mapping

_BY_NAME: Mapping[str, str] = {
    "name": "name|full name|customer|customer name|account name|addressee|name des kunden|kunde|nom du client|klant|naam",
    "family_name": "surname|family name|last name|nachname|familienname|nom|achternaam|apellidos|cognome|efternamn",
    "given_names": "given names|given name|first name|first names|forename|forenames|vorname|vornamen|prénoms|prénom|voornamen|nombre|förnamn",
    "birth_date": "date of birth|birth date|born|born on|dob|geburtsdatum|geboren am|date de naissance|geboortedatum|födelsedatum",
    "birth_place": "place of birth|birthplace|geburtsort|lieu de naissance|geboorteplaats|födelseort",
    "nationality": "nationality|citizenship|staatsangehörigkeit|nationalité|nationaliteit|nationalitet",
    "number": "document no|document number|passport no|passport number|card no|card number|permit number|ausweisnummer|passnummer|numéro",
    "issued_on": "date of issue|issue date|issued on|issued|date|dated|date of extract|extract date|invoice date|bill date|statement date|datum"
    "|ausstellungsdatum|ausgestellt am|date de délivrance|afgiftedatum|utfärdad",
    "expires_on": "date of expiry|expiry date|expires|expires on|expiration date|valid until|valid to|valid through|insured until|cover ends"
    "|end of cover|cover until|period ends|gültig bis|date d'expiration|geldig tot|giltig till",
    "issuer": "issued by|issuer|issuing authority|authority|ausstellende behörde|autorité",
    "address": "address|registered office|registered address|seat|adresse|anschrift|sitz|siège|adres|adress",
    "legal_name": "company|company name|legal name|name of company|business name|firm|firma|dénomination|handelsnaam|insured|policyholder|policy holder",
    "register_no": "register number|register no|registration number|registration no|company number|company no|registered under|commercial register"
    "|handelsregister|registernummer|siren|kvk-nummer|kvk number|organisationsnummer",
    "vat_id": "vat id|vat no|vat number|vat registration number|vat identification number|ust-id|ust-idnr|umsatzsteuer-id|tva|btw-nummer|momsnummer",
    "tax_id": "tax id|tax number|tax no|steuernummer|steuer-id",
    "iban": "iban|account number iban|account iban",
    "bic": "bic|swift|bic swift|swift code",
    "holder": "account holder|holder|holder of the account|kontoinhaber|titulaire|rekeninghouder|kontohavare",
    "cover": "sum insured|cover|limit of cover|limit of indemnity|insured sum|deckungssumme|versicherungssumme|montant assuré",
    "total": "total|amount due|total due|gesamtbetrag|montant total|totaal|summa",
    "policy_no": "policy number|policy no|policennummer|versicherungsnummer",
    "period": "period|billing period|abrechnungszeitraum",
}  # fmt: skip
LABELS: Mapping[str, str] = {label: name for name, labels in _BY_NAME.items() for label in labels.split("|")}
"""Label in lower case → name."""

DATES = frozenset({"birth_date", "issued_on", "expires_on"})
AMOUNTS = frozenset({"cover", "total"})
MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "jan",
            "feb fév fev",
            "mar mär mrt",
            "apr avr",
            "may mai mei",
            "jun",
            "jul",
            "aug aoû aou",
            "sep",
            "oct okt",
            "nov",
            "dec dez déc",
        ),
        1,
    )
    for name in names.split()
}
"""The first three letters of a month → its number."""
