"""The zone of a data source's clocks in forms."""

from console.records import source_zones
from console.views import formats, frame
from console.views.settings.people import Choice
from console.views.settings.zone_choices import zone_choices


def read(text: str) -> str:
    """Return the zone as it is kept: nothing for UTC."""
    return "" if text in source_zones.IN_UTC else text


def known(text: str) -> str:
    """Return the zone as it is kept, nothing for one that there is not."""
    return read(text) if text in source_zones.zones() else ""


def choices(chosen: str, server: str = "") -> tuple[list[Choice], list[Choice]]:
    """Return the likely zones, UTC first, each with why it is likely, and all the others."""
    chosen = chosen or "UTC"
    look = frame.look()
    said = {"UTC": "UTC", server: "the clock of the server", look.zone: "yours"}
    likely = [
        Choice(zone, zone if zone == "UTC" else f"{formats.zone_words(zone, look)}: {why}", zone == chosen)
        for zone, why in said.items()
        if zone
    ]
    return likely, [choice for choice in zone_choices(chosen) if choice.value not in said]
