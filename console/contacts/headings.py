"""What a column of somebody else's list of contacts is, by its heading, and how its cells are spelled here: names of countries, zones, shortened numbers."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from console.contacts.windows_zones import windows_zone
from console.core import schedule
from console.core.documents.collections import Collection, Field
from console.formats import phone_text

GIVEN, MIDDLE, FAMILY = "given", "middle", "family"
USUAL: Mapping[str, tuple[str, ...]] = {
    "name": (
        "name", "full name", "contact", "contact name", "display name", "saved name", "vollständiger name", "anzeigename", "naam", "nombre completo", "nom complet", "nom et prénom", "imię i nazwisko", "vardas pavardė",
        "氏名", "名前", "お名前", "имя и фамилия", "ф и о", "фио", "полное имя", "контакт", "контактное лицо", "ім я та прізвище", "піб", "ονοματεπώνυμο", "ad soyad",
        "adı soyadı", "isim", "שם מלא", "שם", "الاسم", "الاسم الكامل", "姓名", "联系人", "이름", "성명", "ชื่อ นามสกุล", "nome completo", "nome e cognome", "jméno a příjmení",
        "namn", "navn", "nimi", "név", "vārds uzvārds", "nume complet",
    ),
    GIVEN: (
        "first name", "firstname", "given name", "forename", "fname", "first", "vorname", "prénom", "prenom", "prénoms", "nombre", "voornaam", "imię", "nome", "förnamn", "vardas",
        "名", "имя", "ім я", "име", "όνομα", "ad", "adı", "שם פרטי", "الاسم الأول", "jméno", "meno", "keresztnév", "utónév", "prenume", "ime", "vārds", "eesnimi",
        "etunimi", "fornavn", "primeiro nome", "prénom usuel",
    ),
    MIDDLE: ("middle name", "additional name", "tussenvoegsel", "infix", "отчество", "по батькові"),
    FAMILY: (
        "last name", "lastname", "family name", "surname", "lname", "last", "nachname", "familienname", "nom de famille", "nom", "apellido", "apellidos", "achternaam", "nazwisko",
        "cognome", "sobrenome", "efternamn", "pavardė", "姓", "фамилия", "прізвище", "επώνυμο", "soyad", "soyadı", "שם משפחה", "اسم العائلة", "الاسم الأخير", "příjmení",
        "priezvisko", "vezetéknév", "családnév", "nume", "nume de familie", "prezime", "priimek", "uzvārds", "perekonnanimi", "perenimi", "sukunimi", "etternavn",
        "efternavn",
    ),
    "email": (
        "email", "e mail", "mail", "emails", "e mails", "email address", "e mail address", "e mail adresse", "courriel", "correo", "correo electrónico", "adres e mail",
        "adresse électronique", "emailadresse", "mailadresse", "e mailadres", "emailadres", "mailadres", "メールアドレス", "メール", "el paštas", "el pašto adresas", "электронная почта", "эл почта",
        "адрес электронной почты", "почта", "имейл", "електронна пошта", "ел пошта", "ηλεκτρονικό ταχυδρομείο", "e posta", "eposta", "e posta adresi", "דואל", "דוא ל",
        "אימייל", "البريد الإلكتروني", "بريد إلكتروني", "邮箱", "电子邮件", "電子郵件", "이메일", "อีเมล", "e mailová adresa", "e mail cím", "email cím", "adresă de e mail", "el p", "el p adresas", "e pašto adresas", "e pašta adrese", "e posti aadress", "e mailadresse", "adres email", "adres mailowy", "dirección de correo", "correo electronico", "indirizzo email", "indirizzo e mail",
        "endereço de email", "mejladress", "e postadresse", "sähköpostiosoite", "emailová adresa", "adresa de email", "adresă email",
        "e pasts", "secondary email", "sekundäre e mail adresse", "e post", "epost", "e postadress", "sähköposti", "posta elettronica", "endereço de e mail", "imel", "e naslov",
    ),
    "phone": (
        "mobile", "mobile phone", "text reminder", "phone mobile", "mobile number", "cell", "cell phone", "sms phone number", "sms phone", "mobiltelefon", "handy", "portable", "móvil",
        "mobiel", "komórka", "mobil", "mobilnummer", "handynummer", "telefon mobil", "tel mobil", "téléphone portable", "téléphone mobile", "tél portable", "携帯電話",
        "携帯電話番号", "携帯", "мобильный", "мобильный телефон", "мобільний телефон", "мобилен телефон", "κινητό", "κινητό τηλέφωνο", "cep telefonu", "cep", "טלפון נייד",
        "נייד", "الجوال", "رقم الجوال", "الهاتف المحمول", "手机", "手机号", "手機", "휴대폰", "휴대전화", "มือถือ", "mobilní telefon", "telemóvel", "celular", "cellulare",
        "mobilusis telefonas", "mob tel", "mob telefonas", "mobilus tel", "mobilus telefonas", "mob nr", "tel mob", "mob", "mobile no", "mobile nr", "cell no", "handy nr", "mobil nr", "mobilnr",
        "mobiltelefonnr", "mobil tel", "mob telefon", "tel kom", "tel komórkowy", "telefon komórkowy", "numer komórki", "nr komórki", "numer telefonu komórkowego", "tél mobile", "tel móvil", "teléfono móvil", "número de móvil", "móvil celular", "teléfono celular", "tel cellulare",
        "telefono cellulare", "numero di cellulare", "cell numero", "mobiele telefoon", "mobiel nummer", "mobiele nummer", "gsm", "gsm nummer", "telefone celular", "número de telemóvel", "mob tālr", "mobilais tālr", "mobilā tālruņa numurs", "mobiiltelefon", "mobiilinumber", "mobiil", "mobiltlf",
        "mobilnummer", "tlf mobil", "matkapuhelinnumero", "kännykkä", "mobilní číslo", "mobilní tel", "mobil č", "telefon mobilní", "număr de mobil", "nr mobil", "mobiltelefonszám", "matkapuhelin", "mobilais tālrunis", "mobiltelefonnummer", "phone", "telephone", "phone no", "telephone no", "tel no", "phone number", "phones", "phone numbers", "tel", "telefon",
        "telefonnummer", "rufnummer", "téléphone", "tél", "numéro de téléphone", "teléfono", "telefono", "telefoon", "telefonas", "電話番号", "電話", "nr tel", "nr telefonu", "telefono nr", "telefono numeris", "tālr", "tālruņa numurs", "telefoninumber", "tlf", "tlf nr", "telefonnr", "puh", "puh nr", "număr de telefon", "nr telefon", "numéro tél",
        "número de teléfono", "número de telefone", "telefoonnummer", "numero telefono", "číslo telefonu", "tel č", "tel nr", "tel numeris",
        "телефон", "номер телефона", "номер телефону", "τηλέφωνο", "telefon numarası", "טלפון", "מספר טלפון", "الهاتف", "رقم الهاتف", "هاتف", "电话", "電話號碼", "전화", "전화번호",
        "โทรศัพท์", "telefonní číslo", "telefonszám", "tālrunis", "puhelin", "puhelinnumero", "telefone", "numer telefonu", "numero di telefono", "sms",
    ),
    "zone": ("time zone", "timezone", "zone", "tz", "zeitzone", "fuseau horaire", "タイムゾーン", "часовой пояс", "strefa czasowa", "zona horaria", "laiko juosta", "laika josla", "ajavöönd", "tidszon", "tidszone", "tidssone", "aikavyöhyke", "tijdzone", "fuso orario",
        "fuso horário", "časové pásmo", "fus orar"),
    "country": (
        "country", "country code", "country region", "cc", "land", "land region", "pays", "país", "paese", "kraj", "šalis", "国", "国名", "страна", "країна", "държава",
        "χώρα", "ülke", "מדינה", "ארץ", "البلد", "الدولة", "国家", "國家", "국가", "ประเทศ", "země", "krajina", "ország", "țară", "ţară", "țara", "država", "zemlja", "valsts",
        "riik", "maa",
    ),
    "language": (
        "language", "lang", "locale", "sprache", "langue", "idioma", "taal", "言語", "язык", "мова", "език", "γλώσσα", "dil", "שפה", "اللغة", "语言", "語言", "언어", "język",
        "kalba", "jazyk", "nyelv", "limbă", "limba", "jezik", "valoda", "keel", "kieli", "språk", "sprog", "lingua",
    ),
    "owner": ("owner", "account owner", "contact owner", "contact owner full name", "account owner full name", "lead owner full name", "owner full name", "owner name", "sales owner", "besitzer", "kontaktbesitzer", "lead owner", "record owner", "zuständig", "zuständiger mitarbeiter", "kontaktinhaber", "propriétaire du contact", "propietario del contacto",
        "proprietario del contatto", "proprietário do contato", "eigenaar", "opiekun", "atsakingas", "atsakingas asmuo", "atsakingas darbuotojas", "atbildīgais", "vastutaja", "vastuuhenkilö", "ansvarig", "ansvarlig", "responsável", "responsable", "responsabile", "odpovědná osoba",
        "responsabil"),
    "stage": ("stage", "status", "lifecycle stage", "pipeline stage", "phase", "vertriebsphase", "étape", "statut", "fase", "etapa", "estado del contacto", "estado del lead", "etapa do funil", "stadium", "etap", "būsena", "statusas", "etapas", "stadija", "statuss", "posms", "staatus",
        "etapp", "stadie", "fas", "tila", "vaihe", "stav", "fáze", "stadiu", "ステータス", "段階"),
    "do_not_contact": ("do not contact", "do not disturb"),
}  # fmt: skip
"""Part of a contact → headings by which it is known beside its own name and label, the best first. A name may stand in three columns."""
NAME_PARTS = (GIVEN, MIDDLE, FAMILY)
HALF_NAMES = frozenset({"name", "naam", "namn", "navn"})
"""Headings of a family name beside a column of given names, as in “Name;Vorname”, or of a given name beside one of family names."""
UNKNOWN = 1_000
_AROUND = frozenset({
    "person", "primary", "main", "address", "residence", "mailing", "billing", "home", "work", "business", "other", "private",
    "personal", "preferred", "default", "value", "number", "1", "2", "3", "privat", "geschäftlich", "the", "of", "adresse", "primäre", "invitee", "your",
})  # fmt: skip
"""Words that say which of several it is, not what."""
_LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "lt", "ja")
_MORE_LANGUAGES = (
    "sv",
    "da",
    "nb",
    "fi",
    "et",
    "lv",
    "pt",
    "cs",
    "sk",
    "sl",
    "hr",
    "hu",
    "ro",
    "bg",
    "el",
    "tr",
    "ru",
    "uk",
    "ar",
    "he",
    "fa",
)
_ALSO = {
    "united states of america": "US", "great britain": "GB", "england": "GB", "scotland": "GB", "holland": "NL", "czech republic": "CZ", "hong kong": "HK", "turkey": "TR",
    "viet nam": "VN", "russian federation": "RU", "republic of korea": "KR", "korea": "KR", "korea, republic of": "KR", "wales": "GB", "northern ireland": "GB",
    "d": "DE", "a": "AT", "f": "FR", "i": "IT", "e": "ES", "b": "BE", "l": "LU", "h": "HU", "s": "SE", "n": "NO", "p": "PT", "fl": "LI", "eeuu": "US", "ee uu": "US", "slovak republic": "SK",
    "britain": "GB", "america": "US", "uae": "AE", "ksa": "SA", "ger": "DE", "oesterreich": "AT", "eire": "IE", "republic of ireland": "IE", "ivory coast": "CI",
    "macedonia": "MK", "bosnia": "BA", "bosnia herzegovina": "BA", "el": "GR", "burma": "MM", "swaziland": "SZ", "vatican": "VA", "palestine": "PS", "dr congo": "CD", "taiwan, province of china": "TW",
    "iran, islamic republic of": "IR", "moldova, republic of": "MD", "tanzania, united republic of": "TZ", "bolivia, plurinational state of": "BO",
    "venezuela, bolivarian republic of": "VE", "macao": "MO", "brunei darussalam": "BN", "syrian arab republic": "SY", "lao people's democratic republic": "LA",
    "السعودية": "SA", "الامارات": "AE", "امريكا": "US", "الولايات المتحدة الامريكية": "US", "بريطانيا": "GB", "انجلترا": "GB", "هولندا": "NL", "سوريا": "SY",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@")
"""What follows the apostrophe that exports put before a text which a spreadsheet would take for a formula."""
NOTHING = frozenset({"-", "–", "n/a", "#n/a", "#nv", "null", "none", "nan", "k.a."})
"""What programs and people write into a cell of which they know nothing."""
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Between two words of which only the capital letter says that they are two."""
_WIDE = {0xFF01 + step: 0x21 + step for step in range(94)} | {0x3000: " "}
_ADDRESS = re.compile(r"(?:mailto:)?([^\s<>,;:|/()\"@]+@[^\s<>,;:|/()\"'@]+)", re.IGNORECASE)
"""An address among others, whatever stands between them."""
_STROKE_BETWEEN = re.compile(r"\s/\s")
"""A stroke without blanks stands within a number too."""
LONGEST = 1_000
"""Characters of the longest cell that may hold addresses, numbers, or the name of a country, language or zone: to look through a longer one could take very long."""
_MAIL = re.compile(r"(?:[^<>@]*<)?(?:mailto:)?([^<>\s,;:@]+@[^<>\s,;:/|@]+)>?", re.IGNORECASE)
_KIND = re.compile(r"\A[^\W\d_]+\.?:\s*(?=[+\d(])")
_LANGUAGE_LETTERS = re.compile(r"([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*(?:[.@].*)?")
_BEHIND_LANGUAGE = re.compile(r"\s*(?:\([^()]*\)| [-–] .*|,.*)$")
"""The region behind the name of a language."""
_COUNTRY_LETTERS = re.compile(r"[^()]+\(([A-Za-z]{2})\)|([A-Z]{2}) ?[-–:] ?[^()]+")
"""Germany (DE), DE - Germany."""
_ZONE_WITHIN = re.compile(r"[a-z]+(?:/[a-z0-9_+-]+)+")
_DECIMAL = re.compile(r"(\+?\d{7,})\.0+")
_SHORTENED = re.compile(r"\d[.,]?\d*[eE]\+?\d{1,2}|#{3,}")


def plain(heading: str) -> str:
    """A heading as it is compared: small letters, one blank between words, also where programs write them as HasOptedOutOfEmail or Email_Opt_Out__c."""
    return " ".join(re.findall(r"\w+", _JOINED.sub(" ", heading.removesuffix("__c").replace("İ", "i")).casefold().replace("_", " ")))


@lru_cache(maxsize=1)
def _known() -> Mapping[str, tuple[str | None, int]]:
    return {plain(words): (part, rank) for part, known in USUAL.items() for rank, words in enumerate(known)}


def part_of(heading: str) -> str | None:
    """Which part of a contact a column is by usual words, also where a CRM writes “Person - Phone - Work”."""
    words = plain(heading)
    return _known().get(words, _known().get(inner(words), (None, 0)))[0]


def rank(heading: str) -> int:
    """Which of several columns for one part counts first: the lowest. Of a name, that is the given name."""
    words = plain(heading)
    part, place = _known().get(words, _known().get(inner(words), (None, UNKNOWN)))
    if part == "name":  # one that is only half a name stands behind the given one and before the family name
        return place + NAME_PARTS.index(FAMILY)
    return UNKNOWN if part == FAMILY else NAME_PARTS.index(part) if part in NAME_PARTS else place


def inner(words: str) -> str:
    """The words of a heading without those that only say which of several it is."""
    return " ".join(word for word in words.split() if word not in _AROUND)


def fields_of(collection: Collection, named: Sequence[str], fields: Sequence[Field]) -> dict[int, Field]:
    """Number of a column → the field that its heading names, by its own words or by usual ones."""
    own = {plain(name): item for item in fields for name in (item.label, item.name)}
    by_name = {item.name: item for item in fields}
    found: dict[int, Field] = {}
    usual: dict[str, list[int]] = {}
    for number, heading in sorted(enumerate(named), key=lambda each: (rank(each[1]), each[0])):
        item, part = own.get(plain(heading)), part_of(heading)
        if item is not None and item not in found.values():
            found[number] = item
        elif part is not None:
            usual.setdefault(part, []).append(number)
    half = (GIVEN in usual) != (FAMILY in usual)
    taken = {item.name for number, item in found.items() if not (half and _is_half_name(named[number]))}
    for part in USUAL:  # a whole name stands before its parts
        into = "name" if part in NAME_PARTS else part
        item = by_name.get(getattr(collection.contact, into, None) or "")
        if item is None or part not in usual or (item.name in taken and into not in ("email", "phone")):
            continue
        found |= dict.fromkeys(usual[part] if into in ("email", "phone") else usual[part][:1], item)
        if part == "name" and not (half and _is_half_name(named[usual[part][0]])):
            taken.add(item.name)
    return found


def _is_half_name(heading: str) -> bool:
    return inner(plain(heading)) in HALF_NAMES


def country_code(cell: str) -> str:
    """The two letters of a country that is named in a usual language or by three letters; the cell itself where there is none such."""
    if len(cell) > LONGEST:
        return cell
    words = _country_words(cell)
    if words.upper() in _codes():
        return words.upper()
    if (known := _countries().get(words)) is not None:
        return known
    apart = _COUNTRY_LETTERS.fullmatch(cell.strip())
    if apart is not None and (letters := (apart[1] or apart[2]).upper()) in _codes():
        return letters
    behind, _, before = words.partition(", ")  # Korea, South
    return _countries().get(f"{before} {behind}") or _more_countries().get(words) or (cell.upper() if len(cell) == len("DE") else cell)


def _country_words(name: str) -> str:
    """The name of a country as names are compared: without accents, points and hyphens."""
    plainly = "".join(letter for letter in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(letter))
    words = plainly.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").replace("-", " ").replace(".", "").replace("&", "and")
    return " ".join("republic" if word == "rep" else word for word in words.split()).removeprefix("the ")


def is_country(cell: str) -> bool:
    """Whether these are the two letters of a country."""
    return cell in _codes()


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    from babel.core import get_global

    return frozenset(code for code in get_global("territory_zones") if len(code) == len("DE")) | {"XK"}


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    from babel import Locale
    from babel.core import get_global

    codes = _codes()
    found = {_country_words(name): those[0] for name, those in get_global("territory_aliases").items() if those[0] in codes}
    for language in reversed(_LANGUAGES):
        found |= {_country_words(str(name)): code for code, name in Locale(language).territories.items() if code in codes}
    return found | _ALSO


@lru_cache(maxsize=1)
def _more_countries() -> Mapping[str, str]:
    """Names of countries in further languages; read only where a name is known in none of the usual ones, for they take 20 MB."""
    from babel import Locale

    codes = _codes()
    return {
        _country_words(str(name)): code
        for language in _MORE_LANGUAGES
        for code, name in Locale(language).territories.items()
        if code in codes
    }


def language_code(cell: str) -> str:
    """The two letters of a language that is named in itself or in a usual language, or by letters with a region or a script behind; the cell itself where there is none such."""
    if len(cell) > LONGEST:
        return cell
    from babel.core import get_global

    names = _language_names()
    if (known := names.get(cell.casefold()) or names.get(_BEHIND_LANGUAGE.sub("", cell).casefold())) is not None:
        return known
    letters = _LANGUAGE_LETTERS.fullmatch(cell)
    code = letters[1].lower() if letters is not None else ""
    shorter = str(get_global("language_aliases").get(code, code)).partition("_")[0]
    return next((each for each in (shorter, code) if each in names.values()), cell)


@lru_cache(maxsize=1)
def _language_names() -> Mapping[str, str]:
    from babel import Locale

    return {
        str(name).casefold(): code
        for within in reversed(_LANGUAGES)
        for code, name in Locale(within).languages.items()
        if len(code) == len("de")
    }


def address(cell: str) -> str:
    """The address alone of what a mail program or a web page writes around it, as in Ada <ada@post.example>; of several the first."""
    if len(cell) > LONGEST:
        return cell
    cell = narrow(cell)
    found = _MAIL.fullmatch(first_of(cell))
    return found[1] if found is not None else next(iter(several_addresses(cell)), first_of(cell))


def several_addresses(cell: str) -> list[str]:
    """The e-mail addresses of a cell that holds more than one, whatever stands between them; nothing of any other."""
    each = list(dict.fromkeys(told.lstrip("'") for told in _ADDRESS.findall(cell))) if cell.count("@") > 1 and len(cell) <= LONGEST else []
    return each if len(each) > 1 else []


def addresses_in(cell: str) -> tuple[str, ...]:
    """All addresses that stand in a cell, in their order, also with names around them; the cell as `address` reads it where there is no second one."""
    return tuple(several_addresses(narrow(cell))) or ((address(cell),) if cell else ())


def narrow(cell: str) -> str:
    """A cell with the wide letters and digits of East Asian keyboards (ｔａｒｏ＠) as usual ones."""
    return cell.translate(_WIDE)


def with_name(told: str, cell: str) -> str:
    """A name with a further part of it; of a whole name and a part that stands in it the whole one."""
    parts, more = set(told.split()), set(cell.replace(",", " ").split())
    if parts < more:
        return cell
    return told if more < parts and told.endswith(cell) else f"{told} {cell}".strip()


def first_of(cell: str) -> str:
    """The first of several values that Google writes into one cell."""
    return cell.partition(" ::: ")[0].strip()


def as_compared(value: object) -> str:
    """What a value is compared by: without regard to case, nor to how a domain spells its letters (xn--… or ü). What stands before the @ counts as it is, dots too."""
    text = unicodedata.normalize("NFC", str(value)).strip() if value not in (None, "") else ""
    before, at, domain = text.rpartition("@")
    domain = domain.lower()
    return f"{before.casefold()}@{_domains(domain)[0] if 'xn--' in domain else domain}" if at else text.casefold()


def spellings(value: Any) -> set[Any]:
    """The ways in which databases may have a value that stands in a file."""
    if not isinstance(value, str):
        return {value}
    before, at, domain = value.lower().rpartition("@")
    other = _domains(domain) if at and ("xn--" in domain or not domain.isascii()) else ()
    return {value, value.lower(), *(f"{before}@{name}" for name in other)}


def _domains(domain: str) -> tuple[str, str]:
    """The domain with its letters, and as machines write it; as it is where it is none."""
    from email_validator import EmailNotValidError, validate_email  # of those who need it: most addresses are plain

    try:
        known = validate_email(f"x@{domain}", check_deliverability=False)
    except EmailNotValidError:
        return domain, domain
    return known.domain, known.ascii_domain or domain


def number(cell: str) -> str:
    """A telephone number without the .0 of a program that took it for an amount, without the p:, tel: or whatsapp: that programs and links write before it, and without a remark; of several the first."""
    if len(cell) > LONGEST:
        return cell
    return phone_text.without_remark(_DECIMAL.sub(r"\1", _KIND.sub("", first_of(narrow(cell)))))


def numbers_in(cell: str) -> tuple[str, ...]:
    """All telephone numbers that stand in a cell, in their order; the cell as `number` reads it where there is no second one."""
    if len(cell) > LONGEST:
        return (cell,)
    cell = narrow(cell)
    parts = [part.strip() for field in phone_text.fields_apart(cell) for part in _STROKE_BETWEEN.split(field)]
    several = tuple(dict.fromkeys(number(part) for part in parts if phone_text.digits_in(part) >= phone_text.FEWEST))
    return several if len(several) > 1 else (number(cell),) if cell else ()


_AREAS = ("Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
"""Below which zones are called by cities."""


def zone_name(cell: str) -> str:
    """The name of a time zone however its letters and its stroke are written, of what Windows calls it or shows in its lists, of one that stands among other words, and of a city; the cell itself where there is none such."""
    if len(cell) > LONGEST:
        return cell
    words = cell.casefold().replace("_slash_", "/")
    known = _zones().get(words.replace(" ", "_")) or windows_zone(cell)
    known = known or next((_zones()[name] for name in _ZONE_WITHIN.findall(words) if name in _zones()), None)
    cities = [] if known else [zone for zone in schedule.zones_of(words) if zone.startswith(_AREAS)]
    return known or (cities[0] if len(cities) == 1 else cell)


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def is_shortened(cell: str) -> bool:
    """Whether a spreadsheet has made a long number of it, as 4.71235E+10, or had no room for it: the digits are lost."""
    return _SHORTENED.fullmatch(cell) is not None


def shortened(label: str, cell: str) -> str:
    """Why a line is left out whose telephone number is such."""
    return f"A spreadsheet has shortened {label} to {cell}: the last digits are lost. Make the column text there."
