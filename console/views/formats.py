"""The room `console.formats` under the name by which pages call it."""

from console.formats import *  # noqa: F403 (all that the room offers)
