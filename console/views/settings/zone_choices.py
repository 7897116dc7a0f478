"""The time zones that a person may choose from."""

from functools import lru_cache
from zoneinfo import available_timezones

from console.views import formats, frame
from console.views.settings.people import Choice


def zone_choices(chosen: str) -> list[Choice]:
    """Return the time zones as people speak of them, by their cities; UTC first."""
    look = frame.look()
    named = sorted((formats.zone_words(zone, look), zone) for zone in _zones())
    known = [Choice(zone, words, zone == chosen) for words, zone in [("UTC", "UTC"), *named]]
    return known if any(choice.chosen for choice in known) else [Choice(chosen, formats.zone_words(chosen, look), True), *known]


@lru_cache(maxsize=1)
def _zones() -> list[str]:
    return [zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))]
