"""Telephone numbers as people write them: several in one field, with remarks and extensions. Letters are never taken for digits, as they are on the keys of a telephone."""

import re

FEWEST = 5
"""Digits of the shortest text between two strokes that is a number by itself, and not the beginning or the end of one."""
_BRACKETS = re.compile(r"[(\[{（［【<][^()\[\]{}（）［］【】<>]*[)\]}）］】>]")
_LABEL = re.compile(r"[^\W\d_][^:]*:")
_START = re.compile(r"[+＋]?\d")
_EXTENSION = re.compile(
    r"(?:e?xt(?:ensi(?:on|ón))?n?|ｅ?ｘｔｎ?|доб|anexo|durchwahl|dw|[xｘ]|int|ｉｎｔ)[:.．=]?[\s-]*\d{1,9}(?!\d)",
    re.IGNORECASE,
)
_APART = re.compile(
    r"[;,|\n]|:::|\s+or\s+|\s(?:oder|und|and|bzw\.?|ou|et|o|y|e|oppure|of|en|lub|albo|i|arba|ir|eller|och|og|или|и|або)\s+(?=[+＋(\d])",
    re.IGNORECASE,
)


def digits_in(text: str) -> int:
    """How many digits the text has."""
    return sum(map(str.isdecimal, text))


def fields_apart(text: str) -> list[str]:
    """The numbers of a field, without remarks in brackets; those between strokes still stand together."""
    return _APART.split(_without_brackets(text))


def plain_number(text: str) -> tuple[str, bool]:
    """(the number without letters, its extension and the remark behind it; whether what was cut off may be the rest of the number, as in 1-800-FLOWERS).

    Empty where there is none.
    """
    label = _LABEL.match(text.strip())
    text = (
        text.strip()
        if label is None or digits_in(text.strip()[label.end() :]) < FEWEST
        else text.strip()[label.end() :]
    )
    first = _START.search(text)
    if first is None or (_EXTENSION.match(text) and digits_in(text) < FEWEST):
        return "", False
    letter = next((place for place in range(first.start(), len(text)) if text[place].isalpha()), None)
    return text[first.start() : letter].strip(), letter is not None and _EXTENSION.match(text, letter) is None


def _without_brackets(text: str) -> str:
    """The text without words in brackets, but for those between digits, as in +1 (FLO) 555 1234: they stand for some."""

    def cut(found: re.Match[str]) -> str:
        before, behind = text[: found.start()], _APART.split(text[found.end() :].replace("/", ","))[0]
        between = digits_in(before) and digits_in(behind)
        return found[0] if between or not any(map(str.isalpha, found[0])) else " "

    return _BRACKETS.sub(cut, text)
