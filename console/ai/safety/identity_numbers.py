"""Numbers that name a person, found by their form: of passports, national registers and tax offices, machine-readable lines, and birth dates.

A number without a word beside it counts where its own digits prove it: check digits and a day of the calendar, or letters in places. One that proves less counts
behind the word for it. Blanks, points, hyphens and line breaks inside make no difference.
Sources: python-stdnum for check digits; ICAO Doc 9303; `console.core.papers.vat` for tax numbers of companies.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from importlib import import_module
from typing import NamedTuple

from console.ai.safety import contact_details, written_values
from console.ai.safety.contact_details import Found, FoundKind
from console.core.papers import mrz, vat

LEAST, WIDEST = 8, 24  # letters and digits of a number
SHORTEST_ZONE, LONGEST_ZONE = 28, 140  # characters of a line of a zone, with blanks between them
NEAR = 34  # characters between a word and what it names

_PART_OF_NUMBER = r"(?:[A-Za-z]{0,10}[0-9][A-Za-z0-9]{0,23}|[A-Z]{1,6}(?![A-Za-z]))"
_RUN = re.compile(
    rf"(?<![A-Za-z0-9]){_PART_OF_NUMBER}(?:[\s.\-–—_/·]{{1,3}}{_PART_OF_NUMBER})*(?![A-Za-z0-9])", re.ASCII
)
_PART = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_LABEL = re.compile(
    r"(?<![^\W_])(?:passport|pass(?:nummer|-?nr)|reisepass(?:nummer)?|(?:personal)?ausweis(?:nummer|-?nr)?|identity (?:card|document|number|no)|id[ \-]?(?:card|number|no\b|nr)|national (?:id|identity|insurance)|"
    r"personal (?:code|number|no\b|id|identification)|personenkennziffer|asmens kodas|isikukood|personas kods|personnummer|f[oø]dselsnummer|cpr|henkil[oö]tunnus|steuer-?(?:id|nummer|identifikationsnummer)|"
    r"tax (?:id|number|no\b|payer|reference|identification)|(?-i:\bTIN\b)|(?-i:\bITIN\b)|(?-i:\bUTR\b)|(?-i:\bSSN\b)|social (?:security|insurance)|sozialversicherungs(?:nummer|-?nr)|(?-i:\bBSN\b)|burgerservicenummer|(?-i:\bNIF\b)|(?-i:\bNIE\b)|(?-i:\bDNI\b)|(?-i:\bCPF\b)|"
    r"(?-i:\bPESEL\b)|(?-i:\bNINO\b)|\bnhs (?:number|no)|(?-i:\bOIB\b)|(?-i:\bEGN\b)|(?-i:\bCNP\b)|(?-i:\bJMBG\b)|(?-i:\bPPS\b)|(?-i:\bPAN\b)|aadhaar|(?-i:\bSNILS\b)|(?-i:\bINN\b)|(?-i:\bCURP\b)|(?-i:\bSVNR\b)|(?-i:\bAHV\b)|codice fiscale|numero de (?:identidad|pasaporte)|num[eé]ro de (?:passeport|s[eé]curit[eé])|"
    r"driv(?:er|ing)'?s? ?licen[cs]e|f[uü]hrerschein(?:nummer)?|residence permit|visa (?:number|no)|green card|share code|voter'?s? id|paspoort|passaporto|pas[ae]port[aeu]?|passnummer|pass(?:in|i) numb?e?r(?:o)?|paso numeris|pases numurs|číslo (?:pasu|občanského průkazu)|dow[oó]d osobisty|személyi(?: igazolvány| szám)?|carte d(?:['’]|e )?identit(?:é|ate)|buletin|carta d['’ ]identità|cartão de cidadão|osobna iskaznica|"
    r"лична карта|(?-i:РНОКПП)|єдрпоу|ЕГН|ΑΦΜ|ΑΜΚΑ|ΑΔΤ|διαβατηρίου|ταυτότητας|kimlik no|pasaport|マイナンバー|旅券番号|身份证号?码?|護照|护照|주민등록번호|여권번호|هوية|الهوية|کد ملی|תעודת זהות|ת[\"״]ז|เลขประจำตัวประชาชน|आधार|(?-i:\bCCCD\b)|(?-i:\bNIK\b)|(?-i:\bAMKA\b)|(?-i:\bTFN\b)|document (?:number|no\b)|(?-i:\bNIN\b)|(?-i:\bDUI\b)|(?-i:\bIRD\b)|(?-i:\bHKID\b)|(?-i:\bCNIC\b)|iqama|emirates id|паспорт|паспорта|снилс|инн)",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?:(?<![A-Za-z0-9])[A-Z]{1,3} ?-?)?(?=[A-Za-z]{0,9}\d)[A-Za-z0-9]{1,20}(?:(?: ?[\-–./ ] ?|\n)(?=[A-Za-z]{0,9}\d)[A-Za-z0-9]{1,14}){0,8}",
    re.ASCII,
)
_AMOUNTS = re.compile(r"\d\.\d\d(?!\d).*\s|\s.*\d\.\d\d(?!\d)", re.DOTALL)
_DATES = re.compile(r"(?<!\d)(?:\d{4}[-./]\d\d[-./]\d\d|\d\d[-./]\d\d[-./]\d{4})(?!\d)", re.ASCII)
_BORN = re.compile(
    r"(?<![^\W_])(?:born|birth|date of birth|d\.?o\.?b\b|birthday|geboren|geb(?:\.|urtsdatum|urtstag)|n[eé]e? le|naissance|nacid[oa]|nacimiento|nat[oa] il|nascita|nascid[oa]|nascimento|urodz\w*|gim(?:imo|[eę]s|usi)\w*|"
    r"s[uü]nni\w*|f[oö]dd|f[oø]dt|f[oø]dsels\w*|syntynyt|syntym[aä]\w*|dzim\w*|narozen\w*|geboortedatum|рожд\w*|родил\w*)",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\n]+")
_ZONE = re.compile(
    r"(?<![A-Z0-9<])(?:(?=[A-Z0-9<]{0,45}(?:<<|KKKKK))[A-Z0-9<]{28,46}|D[1-9<][A-Z]{3}[A-Z0-9<]{24,25})(?![A-Z0-9<])",
    re.ASCII,
)
_TORN_ZONE = re.compile(
    r"(?<![A-Za-z0-9<])[A-Z0-9<](?:[ \t]{0,2}\n?[ \t]{0,2}[A-Z0-9<]){27,400}(?![a-z])", re.ASCII
)
FILLERS = "<<<"  # what a zone has that nothing else in capitals has: two stand in programs too
_SIX_DIGITS = re.compile(r"\d(?:\D{0,3}\d){4}", re.ASCII)


class Kind(NamedTuple):
    """A number of a register: how many letters and digits it has, how these are formed, and what proves it."""

    sizes: tuple[int, ...]
    form: re.Pattern[str]
    proves: Callable[[str], bool]


def numbers(text: str) -> Iterator[Found]:
    """Numbers that name a person or a tax payer. `text` has plain digits (`finding.readable`)."""
    if _SIX_DIGITS.search(text) is None:
        return
    for run in _RUN.finditer(text):
        parts = [(match.start(), match.end()) for match in _PART.finditer(text, run.start(), run.end())]
        yield from _in_run(text, parts)
    yield from _labelled(text)


def _labelled(text: str) -> Iterator[Found]:
    """The number that follows a word for such a number."""
    for label in _LABEL.finditer(text):
        for match in _BEHIND.finditer(text, label.end(), label.end() + NEAR + WIDEST):
            if match.start() > label.end() + NEAR:
                break
            if sum(sign.isdigit() for sign in match[0]) >= 5:
                yield Found(match.start(), match.end(), "id", _signs(match[0]))
                break


def _in_run(text: str, parts: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Numbers that begin and end with one of these parts, the longest first; what lies in one is not looked at again."""
    at = 0
    while at < len(parts):
        last, size = at, parts[at][1] - parts[at][0]
        while last + 1 < len(parts) and size + parts[last + 1][1] - parts[last + 1][0] <= WIDEST:
            last += 1
            size += parts[last][1] - parts[last][0]
        while last >= at and LEAST <= size <= WIDEST:
            start, end = parts[at][0], parts[last][1]
            if (kind := _proven(_signs(text[start:end]), text[start:end])) is not None:
                yield Found(start, end, kind, _signs(text[start:end]))
                at = last
                break
            size -= parts[last][1] - parts[last][0]
            last -= 1
        at += 1


def _signs(text: str) -> str:
    return "".join(sign for sign in text.upper() if sign.isalnum())


def _proven(signs: str, printed: str) -> FoundKind | None:
    """`id` or `tax` where the number proves itself; None where it could be any other."""
    if sum(sign.isdigit() for sign in signs) < 6:
        return None
    fitting = [kind for kind in _KINDS_BY_SIZE.get(len(signs), ()) if kind.form.fullmatch(signs)]
    if not fitting and len(signs) == len(printed) and not signs[:2].isalpha():
        return None
    if _AMOUNTS.search(printed) or _DATES.search(printed):
        return None
    if any(kind.proves(signs) for kind in fitting) or (
        len(signs) < len(printed) and any(form.fullmatch(printed) for form in PRINTED)
    ):
        return "id"
    if signs[:2].isalpha() and len(signs) >= 10 and vat.problem(signs) is None:
        return "tax"
    return None


def zones(text: str) -> Iterator[Found]:
    """Lines that machines read, whatever stands around them, and as one what was broken into other lines or set with blanks."""
    whole = [
        Found(line.start(), line.end(), "mrz", line[0])
        for line in _LINE.finditer(text)
        if SHORTEST_ZONE <= len(line[0]) <= LONGEST_ZONE
        and next(iter(mrz.zone_lines([line[0]])), None) is not None
    ]
    if "<<" in text or any(len(word) >= SHORTEST_ZONE and word.isupper() for word in text.split()):
        whole += [Found(match.start(), match.end(), "mrz", match[0]) for match in _ZONE.finditer(text)]
    torn = list(_torn_zones(text, whole)) if "<" in text else []
    yield from torn
    yield from (
        zone for zone in whole if not any(each.start <= zone.start and zone.end <= each.end for each in torn)
    )


def _torn_zones(text: str, whole: Sequence[Found]) -> Iterator[Found]:
    """Zones of which the lines that were found are a part at most, with the capitals around them."""
    for match in _TORN_ZONE.finditer(text):
        signs = "".join(match[0].split())
        known = sum(
            zone.end - zone.start
            for zone in contact_details.apart(whole)
            if match.start() <= zone.start and zone.end <= match.end()
        )
        if FILLERS in signs and len(signs) >= SHORTEST_ZONE and known < len(match[0].replace("\n", "")):
            yield Found(match.start(), match.end(), "mrz", signs)


def birth_dates(text: str) -> Iterator[Found]:
    """Days behind a word for being born."""
    labels = [match.end() for match in _BORN.finditer(text)]
    if not labels:
        return
    for start, end, days in written_values.days(text):
        if any(0 <= start - label <= NEAR for label in labels):
            yield Found(start, end, "date", min(days))


# -- what proves a number


def _day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _short_day(six: str, order: str = "ymd") -> bool:
    """Whether six digits are a day of some century."""
    pairs = dict(zip(order, (int(six[:2]), int(six[2:4]), int(six[4:6])), strict=True))
    return _day(2000, pairs["m"], pairs["d"])


def _valid_in(*modules: str) -> Callable[[str], bool]:
    """Whether one of these modules of python-stdnum takes the number."""
    return lambda signs: any(import_module(f"stdnum.{module}").is_valid(signs) for module in modules)


def _taiwan(signs: str) -> bool:
    first = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(signs[0]) + 10
    return (first // 10 + first % 10 * 9 + _weighted(signs[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


def _singapore(signs: str) -> bool:
    place = (_weighted(signs[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(signs[0], 0)) % 11
    return {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(signs[0], "XWUTRQPNMLK")[
        place
    ] == signs[8]


def _weighted(signs: str, weights: Sequence[int]) -> int:
    return sum(int(sign) * weight for sign, weight in zip(signs, weights, strict=True))


def _always(_: str) -> bool:
    return True


def _kind(form: str, proves: Callable[[str], bool], *sizes: int) -> Kind:
    return Kind(sizes, re.compile(form, re.ASCII), proves)


KINDS: tuple[Kind, ...] = (
    _kind(r"[1-6]\d{10}", _valid_in("lt.asmens", "ee.ik"), 11),
    _kind(r"\d{11}", _valid_in("pl.pesel"), 11),
    _kind(r"[0-7]\d{10}", _valid_in("no.fodselsnummer"), 11),
    _kind(r"[1-9]\d{10}", _valid_in("de.idnr"), 11),
    _kind(r"[1-9]\d{10}", _valid_in("tr.tckimlik"), 11),
    _kind(r"\d{11}", _valid_in("br.cpf"), 11),
    _kind(r"\d{11}", _valid_in("be.nn", "be.bis"), 11),
    _kind(r"\d{10}", _valid_in("bg.egn"), 10),
    _kind(r"\d{10}", _valid_in("cz.rc"), 10),
    _kind(r"(?:19|20)?\d{10}", _valid_in("se.personnummer"), 10, 12),
    _kind(r"[1-9]\d{12}", _valid_in("ro.cnp"), 13),
    _kind(r"\d{13}", _valid_in("za.idnr"), 13),
    _kind(r"[1-8]\d{14}", _valid_in("fr.nir"), 15),
    _kind(r"756\d{10}", _valid_in("ch.ssn"), 13),
    _kind(r"\d{12}", _valid_in("ru.inn"), 12),
    _kind(r"[1-9]\d{16}[0-9X]", _valid_in("cn.ric"), 18),
    _kind(r"\d{6}[A-F]\d{3}[0-9A-Y]", _valid_in("fi.hetu"), 11),
    _kind(r"(?:\d{8}|[XYZ]\d{7})[A-Z]", _valid_in("es.dni", "es.nie"), 9),
    _kind(r"\d{7}[A-W][A-IW]?", _valid_in("ie.pps"), 8, 9),
    _kind(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", _always, 9),
    _kind(r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", _always, 16),
    _kind(r"[A-Z]{5}\d{4}[A-Z]", _valid_in("in_.pan"), 10),
    _kind(r"(?:2[0347]|3[034])\d{9}", _valid_in("ar.cuit"), 11),
    _kind(r"\d{13}", _valid_in("si.emso"), 13),
    _kind(r"\d{11}", _valid_in("gr.amka"), 11),
    _kind(r"\d{10}", _valid_in("at.vnr"), 10),
    _kind(r"[A-Z][12]\d{8}", _taiwan, 10),
    _kind(r"[STFGM]\d{7}[A-Z]", _singapore, 9),
    _kind(r"[23]\d{6}(?:0[1-4]|1[1-9]|2[1-9]|3[1-5]|88)\d{5}", lambda signs: _short_day(signs[1:7]), 14),
    _kind(r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", _always, 18),
    _kind(r"[A-ZÑ&]{4}\d{6}[A-Z0-9]{3}", _always, 13),
)
"""Numbers that prove themselves, however they are printed."""
_KINDS_BY_SIZE = {
    size: tuple(kind for kind in KINDS if size in kind.sizes) for size in range(LEAST, WIDEST + 1)
}

PRINTED = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"(?!000|666)\d{3}[-–. ](?!00)\d{2}[-–. ](?!0000)\d{4}",  # United States
        r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-–]\d{4,5}",  # Denmark, Latvia
        r"(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+–]\d{3}[0-9A-Y]",  # Finland
        r"\d\d(?:[05][1-9]|[16][0-2])(?:0[1-9]|[12]\d|3[01])/\d{3,4}",  # Czechia, Slovakia
        r"\d{6}[-–][1-8]\d{6}",  # Korea
        r"[2-9]\d{3}[ \-]\d{4}[ \-]\d{4}",  # India
        r"\d{3}-\d{3}-\d{3}[ -]\d\d",  # Russia
        r"\d{3}\.\d{3}\.\d{3}-\d\d",  # Brazil
        r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d",  # Belgium
        r"\d{1,2}\.\d{3}\.\d{3}-[0-9kK]",  # Chile
        r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-\d\d-\d{4}",  # Malaysia
        r"[1-8]-\d{4}-\d{5}-\d\d-\d",  # Thailand
        r"784-(?:19|20)\d\d-\d{7}-\d",  # United Arab Emirates
        r"\d{5}-\d{7}-\d",  # Pakistan
    )
)
"""Numbers that nothing else is printed like."""
