"""Kinds that are found by themselves: one file each in a folder, with one subclass of the folder's base."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel

K = TypeVar("K", bound=BaseModel)


def kinds_in(package: str, path: Iterable[str], base: type[K], named: str) -> Mapping[str, type[K]]:
    """Each kind by its name, sorted. `named` is the field that holds the name, which is that of the file.

    Raises TypeError for a file that holds no kind or two, or one of another name.
    """
    kinds: dict[str, type[K]] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(path) if module.name != "base"):
        module = importlib.import_module(f"{package}.{name}")
        classes = [
            member
            for _, member in inspect.getmembers(module, inspect.isclass)
            if member.__module__ == module.__name__
        ]
        made = [member for member in classes if issubclass(member, base)]
        if [kind.model_json_schema(by_alias=True)["properties"][named].get("const") for kind in made] != [
            name
        ]:
            raise TypeError(
                f"{module.__name__} holds one subclass of {base.__name__}, with `{named}: Literal[{name!r}]`."
            )
        kinds[name] = made[0]
    return MappingProxyType(kinds)
