"""Kinds of effects as an action's document writes them: one file each in this folder, found by itself.

How a kind is done stands in `console/effects/` under the same name. A file here holds one subclass of `Kind`, whose `kind` is the name of the file.
"""

import importlib
import inspect
import operator
import pkgutil
from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator

from console.core.effect_kinds.base import Kind, Sentence, Writes, text_of
from console.core.effect_kinds.http import HEADER_PATTERN, LONGEST_S, Follow, Http, wrong_address
from console.core.effect_kinds.sql_delete import SqlDelete
from console.core.effect_kinds.sql_insert import SqlInsert
from console.core.effect_kinds.sql_write import SqlWrite


def _discover() -> dict[str, type[Kind]]:
    """Each kind by its name. Raises TypeError for a file that holds none, or one of another name."""
    found: dict[str, type[Kind]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"):
        module = importlib.import_module(f"{__name__}.{name}")
        made = [
            one for _, one in inspect.getmembers(module, inspect.isclass) if issubclass(one, Kind) and one.__module__ == module.__name__
        ]
        if [one.model_json_schema(by_alias=True)["properties"]["kind"].get("const") for one in made] != [name]:
            raise TypeError(f"{module.__name__} holds one subclass of Kind, with `kind: Literal[{name!r}]`.")
        found[name] = made[0]
    return found


KINDS: Mapping[str, type[Kind]] = MappingProxyType(_discover())
if TYPE_CHECKING:
    Effect = Kind
else:
    Effect: Any = Annotated[reduce(operator.or_, KINDS.values()), Discriminator("kind")]

__all__ = [
    "HEADER_PATTERN",
    "KINDS",
    "LONGEST_S",
    "Effect",
    "Follow",
    "Http",
    "Kind",
    "Sentence",
    "SqlDelete",
    "SqlInsert",
    "SqlWrite",
    "Writes",
    "text_of",
    "wrong_address",
]
