"""The time zones that a person may choose from."""

from functools import lru_cache
from zoneinfo import available_timezones

from console.views import formats, frame


def zone_choices(chosen: str) -> list[tuple[str, str]]:
    """Return the time zones as people speak of them, by their cities; UTC first, and before it the chosen one if it is unknown."""
    look = frame.look()
    named = sorted((formats.zone_words(zone, look), zone) for zone in _zones())
    known = {"UTC": "UTC"} | {zone: words for words, zone in named}
    return list((known if chosen in known else {chosen: formats.zone_words(chosen, look)} | known).items())


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return [
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    ]
