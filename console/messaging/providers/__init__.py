"""The ways out, one file each: the kinds of messages and who carries them."""

import importlib
import logging
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from console.core.errors import ConsoleError, OutcomeUnknown
from console.messaging.channels.base import Handed, Letter, Provider

_log = logging.getLogger(__name__)
ENTRY_POINT = "console.channels"


@cache
def every() -> tuple[Provider, ...]:
    """All providers: those of other packages first, then ours in the order of their files."""
    made: list[Provider] = [point.load()() for point in entry_points(group=ENTRY_POINT)]
    for module in pkgutil.iter_modules(__path__):
        name = f"{__name__}.{module.name}"
        kinds = [
            entry
            for entry in vars(importlib.import_module(name)).values()
            if isinstance(entry, type) and entry.__module__ == name
        ]
        made += [kind() for kind in kinds if issubclass(kind, Provider)]
    return tuple(made)


def provider_of(kind: str) -> Provider:
    """Who carries messages of this kind now: one of another package stands before ours, one that is set up on a page before others, and of several the first that is set up. Raises KeyError."""
    able = sorted(
        (provider for provider in every() if provider.kind == kind), key=lambda provider: provider.by_page
    )
    if not able:
        raise KeyError(kind)
    foreign = [provider for provider in able if not type(provider).__module__.startswith(f"{__name__}.")]
    ready = [provider for provider in foreign or able if not provider.missing()]
    return next((provider for provider in ready if provider.by_page), (ready or able)[0])


def provider_by_name(kind: str, name: str) -> Provider | None:
    """The provider of this name, also where another one carries new messages now; None where there is none."""
    return next((provider for provider in every() if (provider.kind, provider.name) == (kind, name)), None)


def looked_up(provider: Provider, letter: Letter, provider_id: str | None) -> Handed | None:
    """What the provider knows of a message. Raises IntegrationError, OutcomeUnknown: also where its answer makes the plug-in fail, or it would be looked up for ever."""
    try:
        return provider.find(letter, provider_id or "")
    except ConsoleError:
        raise
    except Exception as error:
        _log.exception("look-up of message %s", letter.id)
        raise OutcomeUnknown("What the provider answered cannot be read.") from error
