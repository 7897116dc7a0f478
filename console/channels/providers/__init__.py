"""The ways out, one file each: the kinds of messages and who carries them."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from console.channels.base import Provider

ENTRY_POINT = "console.channels"


@cache
def every() -> Mapping[str, Provider]:
    """The provider of each kind. One of another package stands before ours."""
    made: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(__path__):
        for entry in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(entry, type) and issubclass(entry, Provider) and entry.__module__ == f"{__name__}.{module.name}":
                made[entry.kind] = entry()
    for point in entry_points(group=ENTRY_POINT):
        foreign: type[Provider] = point.load()
        made[foreign.kind] = foreign()
    return MappingProxyType(made)


def provider_of(kind: str) -> Provider:
    """The provider of this kind. Raises KeyError."""
    return every()[kind]


__all__ = ["ENTRY_POINT", "every", "http_call", "provider_of", "twilio_sms"]
