"""What another system said, as a tree of names: JSON, XML or a form, looked at by the path of a field such as `messages.0.id`.

Of XML the elements within the outermost one are the names, an attribute is `@name`; names are without their namespace. Numbers stay as they were written.
"""

import json
import re
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import parse_qsl

FIELD = re.compile(r"[^\s.=*]{1,100}(?:\.[^\s.=*]{1,100}){0,9}")
MOST_FIELDS = 1_000
DEEPEST = 50


def tree_of(text: str) -> Any:
    """The tree of a JSON or XML text; None for any other."""
    bare = text.lstrip("\ufeff \t\r\n")
    try:
        if bare[:1] in ("{", "["):
            return json.loads(bare, parse_float=str, parse_int=str)
        if bare[:1] == "<" and "<!DOCTYPE" not in bare.upper() and "<!ENTITY" not in bare.upper():  # which may grow without end
            return _of_element(ET.fromstring(bare), 0)  # noqa: S314 (it declares no entities)
    except (ValueError, RecursionError, ET.ParseError, LookupError):
        return None
    return None


def form_of(text: str) -> dict[str, str]:
    """The fields of a form, of two with one name the first. Raises ValueError for too many."""
    return dict(reversed(parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS)))


def at(tree: Any, path: str) -> str | None:
    """What stands at the path; None where nothing does. A list without a number in the path means its first entry."""
    found = walk(tree, path)
    while isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict):
        found = found.get("#text")
    if isinstance(found, bool):
        return "true" if found else "false"
    return None if found is None or isinstance(found, list) else str(found)


def walk(tree: Any, path: str) -> Any:
    """The part of the tree at the path, or None. A name with dots in it is found as it is, too."""
    for name in path.split(".") if not (isinstance(tree, dict) and path in tree) else [path]:
        if isinstance(tree, list):
            if name.isdecimal() and name.isascii() and len(name) < 5:
                tree = tree[int(name)] if int(name) < len(tree) else None
                continue
            tree = tree[0] if tree else None
        elif name == "0" and tree is not None and not (isinstance(tree, dict) and "0" in tree):
            continue  # XML has no lists of one
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree


def typed_words(text: str) -> frozenset[str]:
    """Words with commas or lines between, in small letters."""
    return frozenset(word.strip().casefold() for word in re.split(r"[,\n]", text) if word.strip())


def _of_element(element: ET.Element, depth: int) -> Any:
    if depth > DEEPEST:
        return None
    text = (element.text or "").strip()
    made: dict[str, Any] = {f"@{_bare(name)}": value for name, value in element.attrib.items()}
    for child in element:
        name, value = _bare(child.tag), _of_element(child, depth + 1)
        if isinstance(before := made.get(name), list):
            before.append(value)
        else:
            made[name] = [before, value] if name in made else value
    return made | ({"#text": text} if text else {}) if made or depth == 0 else text


def _bare(name: Any) -> str:
    return str(name).rpartition("}")[2]
