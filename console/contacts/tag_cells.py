"""A column of tags in a file of contacts: how it is called, and which tags a cell holds."""

import re
from collections.abc import Sequence
from functools import lru_cache

from console.contacts import headings
from console.core.tag_names import MOST_ON_RECORD, clean, identity
from console.errors import Invalid

NAMES = (
    "tag", "tags", "tag names", "tag list", "customer tags", "contact tags", "subscriber tags", "lead tags", "member tags", "label", "labels", "categories",
    "etikett", "etiketten", "schlagwort", "schlagwörter", "schlagworte", "kategorien", "étiquette", "étiquettes", "libellés", "mots clés", "catégories",
    "etiqueta", "etiquetas", "categorías", "marcadores", "etichetta", "etichette", "labels tags", "trefwoorden", "tagi", "etykieta", "etykiety", "znaczniki",
    "žyma", "žymos", "žymės", "etiketės", "birkas", "etiķetes", "tagid", "sildid", "märksõnad", "taggar", "etiketter", "märkord", "mærker", "etiketer",
    "merkelapper", "stikkord", "tunnisteet", "tägit", "štítek", "štítky", "značky", "címke", "címkék", "etichete", "oznaka", "oznake", "етикети", "тег", "теги",
    "тэги", "метки", "ярлыки", "мітки", "ετικέτες", "etiket", "etiketler", "תגיות", "תוויות", "الوسوم", "وسوم", "العلامات", "タグ", "ラベル", "标签", "標籤", "태그", "แท็ก",
)  # fmt: skip
"""What a column of tags is called by programs and people, also where there is only one."""
SHOWN = 40
"""Characters of a tag that is told in a reason."""
_SEPARATORS = re.compile(r":::|[,;|\r\n，；、｜]")
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;|\r\n]|\Z)')
_LIST = re.compile(r'\s*\[\s*(".*")?\s*\]\s*', re.DOTALL)
"""A list as programs write it: ["VIP", "newsletter"]."""
_GROUP_OF_GOOGLE = "* "
"""Before the groups that Google puts every contact into, such as * myContacts."""


def is_tags(heading: str) -> bool:
    """Whether a column of this heading holds tags, also where a CRM writes “Person - Labels”."""
    words = headings.plain(heading)
    return words in _known() or headings.inner(words) in _known()


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    return frozenset(map(headings.plain, NAMES))


def read(cells: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """(the tags of these cells, each once, why some of them cannot be tags)."""
    names: dict[str, str] = {}
    wrong: list[str] = []
    for text in (text for cell in cells for text in parts(cell)):
        try:
            name = clean(text)
        except Invalid as invalid:
            wrong.append(f"Tag “{text[:SHOWN]}{'…' if len(text) > SHOWN else ''}”: {invalid.message}")
        else:
            names.setdefault(identity(name), name)
    if len(names) > MOST_ON_RECORD:
        wrong.append(f"It has {len(names)} tags, and a record has at most {MOST_ON_RECORD}.")
    return tuple(names.values()), list(dict.fromkeys(wrong))


def parts(cell: str) -> list[str]:
    """The texts of a cell that stand between commas, semicolons or strokes, or between quotation marks."""
    listed = _LIST.fullmatch(cell)
    rest = (listed[1] or "") if listed is not None else cell
    found, at = [], 0
    while at < len(rest):
        quoted = _QUOTED.match(rest, at)
        if quoted is not None:
            found.append(" ".join(part.strip() for part in quoted[1].replace('""', '"').split(",")))  # no tag has a comma here
            at = quoted.end()
            separator = _SEPARATORS.match(rest, at)
        else:
            separator = _SEPARATORS.search(rest, at)
            found.append(rest[at : separator.start() if separator is not None else len(rest)])
        at = separator.end() if separator is not None else len(rest) if quoted is None else at
    texts = (" ".join(text.split()) for text in found)
    return [text for text in texts if text and not text.startswith(_GROUP_OF_GOOGLE) and text.casefold() not in headings.NOTHING]
