"""The zone of a data source's clocks in forms."""

from console.records import source_zones
from console.views import formats, frame
from console.views.forms import Field
from console.views.settings.zone_choices import zone_choices


def read(text: str) -> str:
    """Return the zone as it is kept: nothing for UTC."""
    return "" if text in source_zones.IN_UTC else text


def zone_name(text: str) -> str:
    """Return the zone as it is kept, nothing for one that there is not."""
    return read(text) if text in source_zones.zones() else ""


def field(chosen: str, more: str, server: str = "") -> Field:
    """Return the field of the zone: the likely zones, UTC first, each with why it is likely, and all the others."""
    look = frame.look()
    said = {"UTC": "UTC", server: "the clock of the server", look.zone: "yours"}
    likely = [
        (zone, zone if zone == "UTC" else f"{formats.zone_words(zone, look)}: {why}")
        for zone, why in said.items()
        if zone
    ]
    others = [choice for choice in zone_choices(chosen or "UTC") if choice[0] not in said]
    hint = "For times that it keeps without a zone: 12:30 in the database means 12:30 there. Everybody sees them in their own zone."
    return Field(
        "zone",
        "Time zone of its clocks",
        "select",
        f"{hint} {more}",
        {"Likely": likely, "All": others},
        css="short",
    )
