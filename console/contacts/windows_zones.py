"""Time zones as Windows, Outlook and Dynamics name them: by an id (W. Europe Standard Time), or by what their lists show, an offset and places.

Other languages show other names of the same places; of those a place that a zone is called by tells it, where the offset is that of the zone.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

PLACES: Mapping[str, str] = {
    "International Date Line West": "Dateline", "Aleutian Islands": "Aleutian", "Hawaii": "Hawaiian", "Marquesas Islands": "Marquesas", "Alaska": "Alaskan",
    "Baja California": "Pacific Standard Time (Mexico)", "Tijuana, Baja California": "Pacific Standard Time (Mexico)", "Pacific Time (US & Canada)": "Pacific",
    "Arizona": "US Mountain", "Chihuahua, La Paz, Mazatlan": "Mountain Standard Time (Mexico)", "La Paz, Mazatlan": "Mountain Standard Time (Mexico)",
    "Mountain Time (US & Canada)": "Mountain", "Yukon": "Yukon", "Central America": "Central America", "Central Time (US & Canada)": "Central",
    "Easter Island": "Easter Island", "Guadalajara, Mexico City, Monterrey": "Central Standard Time (Mexico)", "Saskatchewan": "Canada Central",
    "Bogota, Lima, Quito": "SA Pacific", "Bogota, Lima, Quito, Rio Branco": "SA Pacific", "Chetumal": "Eastern Standard Time (Mexico)",
    "Eastern Time (US & Canada)": "Eastern", "Haiti": "Haiti", "Havana": "Cuba", "Indiana (East)": "US Eastern", "Turks and Caicos": "Turks And Caicos",
    "Asuncion": "Paraguay", "Atlantic Time (Canada)": "Atlantic", "Caracas": "Venezuela", "Cuiaba": "Central Brazilian",
    "Georgetown, La Paz, Manaus, San Juan": "SA Western", "Santiago": "Pacific SA", "Newfoundland": "Newfoundland", "Araguaina": "Tocantins",
    "Brasilia": "E. South America", "Cayenne, Fortaleza": "SA Eastern", "City of Buenos Aires": "Argentina", "Buenos Aires": "Argentina", "Greenland": "Greenland",
    "Montevideo": "Montevideo", "Punta Arenas": "Magallanes", "Saint Pierre and Miquelon": "Saint Pierre", "Salvador": "Bahia", "Azores": "Azores",
    "Cabo Verde Is": "Cape Verde", "Cape Verde Is": "Cape Verde", "Coordinated Universal Time": "UTC", "Dublin, Edinburgh, Lisbon, London": "GMT",
    "Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London": "GMT", "Monrovia, Reykjavik": "Greenwich", "Sao Tome": "Sao Tome", "Casablanca": "Morocco",
    "Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna": "W. Europe", "Belgrade, Bratislava, Budapest, Ljubljana, Prague": "Central Europe",
    "Brussels, Copenhagen, Madrid, Paris": "Romance", "Sarajevo, Skopje, Warsaw, Zagreb": "Central European", "West Central Africa": "W. Central Africa",
    "Windhoek": "Namibia", "Amman": "Jordan", "Athens, Bucharest": "GTB", "Athens, Bucharest, Istanbul": "GTB", "Beirut": "Middle East", "Cairo": "Egypt",
    "Chisinau": "E. Europe", "Damascus": "Syria", "Gaza, Hebron": "West Bank", "Harare, Pretoria": "South Africa",
    "Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius": "FLE", "Helsinki, Kiev, Riga, Sofia, Tallinn, Vilnius": "FLE", "Jerusalem": "Israel", "Juba": "South Sudan",
    "Kaliningrad": "Kaliningrad", "Khartoum": "Sudan", "Tripoli": "Libya", "Baghdad": "Arabic", "Istanbul": "Turkey", "Kuwait, Riyadh": "Arab", "Minsk": "Belarus",
    "Moscow, St Petersburg": "Russian", "Moscow, St Petersburg, Volgograd": "Russian", "Nairobi": "E. Africa", "Volgograd": "Volgograd", "Tehran": "Iran",
    "Abu Dhabi, Muscat": "Arabian", "Astrakhan, Ulyanovsk": "Astrakhan", "Baku": "Azerbaijan", "Izhevsk, Samara": "Russia Time Zone 3",
    "Port Louis": "Mauritius", "Saratov": "Saratov", "Tbilisi": "Georgian", "Yerevan": "Caucasus", "Kabul": "Afghanistan", "Ashgabat, Tashkent": "West Asia",
    "Astana": "Qyzylorda", "Qyzylorda": "Qyzylorda", "Ekaterinburg": "Ekaterinburg", "Islamabad, Karachi": "Pakistan", "Chennai, Kolkata, Mumbai, New Delhi": "India",
    "Sri Jayawardenepura": "Sri Lanka", "Kathmandu": "Nepal", "Bishkek": "Central Asia", "Dhaka": "Bangladesh", "Omsk": "Omsk", "Yangon (Rangoon)": "Myanmar",
    "Bangkok, Hanoi, Jakarta": "SE Asia", "Barnaul, Gorno-Altaysk": "Altai", "Hovd": "W. Mongolia", "Krasnoyarsk": "North Asia", "Novosibirsk": "N. Central Asia",
    "Tomsk": "Tomsk", "Beijing, Chongqing, Hong Kong, Urumqi": "China", "Irkutsk": "North Asia East", "Kuala Lumpur, Singapore": "Singapore", "Perth": "W. Australia",
    "Taipei": "Taipei", "Ulaanbaatar": "Ulaanbaatar", "Eucla": "Aus Central W.", "Chita": "Transbaikal", "Osaka, Sapporo, Tokyo": "Tokyo", "Pyongyang": "North Korea",
    "Seoul": "Korea", "Yakutsk": "Yakutsk", "Adelaide": "Cen. Australia", "Darwin": "AUS Central", "Brisbane": "E. Australia", "Canberra, Melbourne, Sydney": "AUS Eastern",
    "Guam, Port Moresby": "West Pacific", "Hobart": "Tasmania", "Vladivostok": "Vladivostok", "Lord Howe Island": "Lord Howe", "Bougainville Island": "Bougainville",
    "Chokurdakh": "Russia Time Zone 10", "Magadan": "Magadan", "Norfolk Island": "Norfolk", "Sakhalin": "Sakhalin", "Solomon Is, New Caledonia": "Central Pacific",
    "Anadyr, Petropavlovsk-Kamchatsky": "Russia Time Zone 11", "Auckland, Wellington": "New Zealand", "Fiji": "Fiji", "Chatham Islands": "Chatham Islands",
    **{f"Coordinated Universal Time{hours}": f"UTC{hours}" for hours in ("-11", "-09", "-08", "-02", "+12", "+13")},
    "Nuku'alofa": "Tonga", "Samoa": "Samoa", "Kiritimati Island": "Line Islands",
}  # fmt: skip
"""What the lists of Windows show behind the offset → its id, without the “Standard Time” that most end with."""
SPOKEN: Mapping[str, str] = {
    "Europe_Western": "Europe/Lisbon", "Europe_Central": "Europe/Berlin", "Europe_Eastern": "Europe/Helsinki", "America_Eastern": "America/New_York",
    "America_Central": "America/Chicago", "America_Mountain": "America/Denver", "America_Pacific": "America/Los_Angeles", "India": "Asia/Kolkata", "Japan": "Asia/Tokyo",
}  # fmt: skip
"""Times with a name of their own in each language, such as Mitteleuropäische Zeit → a zone that has them."""
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "lt", "lv", "et", "ja", "sv", "da", "nb", "fi", "pt", "cs", "sk", "hu", "ro")
_OFFSET = re.compile(r"\((?:UTC|GMT)\s*(?:([+\-−])\s*(\d{1,2})(?::?(\d\d))?)?\)\s*", re.IGNORECASE)
_WINTER, _SUMMER = datetime(2024, 1, 15), datetime(2024, 7, 15)  # noqa: DTZ001 (times of the zones themselves)


def windows_zone(cell: str) -> str | None:
    """The time zone that Windows names so, by its id or as its lists show it; None where there is none such."""
    by_id = _ids().get(" ".join(cell.casefold().split()))
    if by_id is not None:
        return by_id
    offset = _OFFSET.match(cell.strip())
    shown = _compared(cell.strip()[offset.end() :] if offset is not None else cell)
    if (known := _places().get(shown)) is not None:
        return known
    return _by_city(shown, offset) if offset is not None else _by_place().get(shown) or _spoken().get(shown)


def _by_city(shown: str, offset: re.Match[str]) -> str | None:
    """The zone that one of the places names, if its time without summer time is so far from UTC."""
    sign, hours, minutes = offset.groups()
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (1 if sign in (None, "+") else -1)
    named = (_cities().get(place.strip().replace(" ", "_")) for place in shown.split(","))
    return next((zone for zone in named if zone is not None and _standard_offset(zone) == ahead), None)


def _standard_offset(zone: str) -> timedelta | None:
    told = [each for moment in (_WINTER, _SUMMER) if (each := moment.replace(tzinfo=ZoneInfo(zone)).utcoffset()) is not None]
    return min(told, default=None)


def _compared(shown: str) -> str:
    plainly = "".join(letter for letter in unicodedata.normalize("NFKD", shown.casefold()) if not unicodedata.combining(letter))
    return " ".join(plainly.replace(".", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


@lru_cache(maxsize=1)
def _ids() -> Mapping[str, str]:
    from babel.core import get_global

    known = available_timezones()
    return {name.casefold(): zone for name, zone in get_global("windows_zone_mapping").items() if zone in known}


@lru_cache(maxsize=1)
def _places() -> Mapping[str, str]:
    ids = _ids()
    named = {
        _compared(shown): ids.get(f"{windows} standard time".casefold()) or ids.get(windows.casefold()) for shown, windows in PLACES.items()
    }
    return {shown: zone for shown, zone in named.items() if zone is not None}


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    """The last part of the name of a zone → the zone: paris → Europe/Paris."""
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "US/", "Canada/")))
    return {zone.rpartition("/")[2].casefold(): zone for zone in zones}


@lru_cache(maxsize=1)
def _by_place() -> Mapping[str, str]:
    """A place by itself, as Zendesk and Freshsales write it → the zone that is called by it, else the one zone in whose list it stands."""
    from babel.core import get_global

    told: dict[str, set[str]] = {}
    for shown, zone in _places().items():
        for place in shown.split(","):
            told.setdefault(place.strip(), set()).add(zone)
    listed = {place: next(iter(zones)) for place, zones in told.items() if len(zones) == 1}
    known = get_global("zone_territories")
    return listed | {name.replace("_", " "): zone for name, zone in _cities().items() if zone in known}


@lru_cache(maxsize=1)
def _spoken() -> Mapping[str, str]:
    from babel import Locale

    return {
        _compared(str(name)): zone
        for language in reversed(LANGUAGES)
        for metazone, zone in SPOKEN.items()
        for name in Locale(language).meta_zones.get(metazone, {}).get("long", {}).values()
    }
