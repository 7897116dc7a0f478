"""The room `console.formats` under the name by which pages call it."""

from console.formats import *  # noqa: F403 (all that the room offers)
from console.formats import __all__ as __all__  # noqa: PLC0414 (offered again)
