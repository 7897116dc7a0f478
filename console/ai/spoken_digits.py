"""Numbers of which somebody wrote each digit as a word, as people do who read one out: `four one one one`, `sieben eins eins`, `double seven`."""

import re

FEWEST = 4  # digits in a row from which words are a number
_BY_DIGIT = (
    "zero oh nought null nul zéro cero nolla noll nulis ноль нуль nula",
    "one eins een un uno um jeden один vienas yksi ett jedna",
    "two zwei zwo twee deux dos due dois dwa два du kaksi två dva",
    "three drei drie trois tres tre três trzy три trys kolme tři",
    "four vier quatre cuatro quattro quatro cztery четыре keturi neljä fyra čtyři",
    "five fünf fuenf vijf cinq cinco cinque pięć пять penki viisi fem pět",
    "six sechs zes seis sei sześć шесть šeši kuusi sex šest",
    "seven sieben zeven sept siete sette sete siedem семь septyni seitsemän sju sedm",
    "eight acht huit ocho otto oito osiem восемь aštuoni kahdeksan åtta osm",
    "nine neun negen neuf nueve nove dziewięć девять devyni yhdeksän nio devět",
)
_DIGITS = {word: str(digit) for digit, words in enumerate(_BY_DIGIT) for word in words.split()}
_TIMES = {"double": 2, "triple": 3}
_WORD = rf"(?:(?:{'|'.join(_TIMES)})[ \-])?(?:{'|'.join(sorted(_DIGITS, key=len, reverse=True))})"
_ONE = re.compile(rf"{_WORD}|\d", re.IGNORECASE)
_SEVERAL = re.compile(rf"(?<![^\W_]){_WORD}(?:[\s,.;/\-–]{{1,3}}(?:{_WORD}|\d)(?![^\W_])){{{FEWEST - 1},60}}", re.IGNORECASE)


def in_digits(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with digits in place of such words, and for each of its signs where it begins and ends in the text; two empty ones without such a number."""
    runs = list(_SEVERAL.finditer(text))
    if not runs:
        return "", []
    signs, places, at = list[str](), list[tuple[int, int]](), 0
    for run in runs:
        signs += text[at : run.start()]
        places += ((place, place + 1) for place in range(at, run.start()))
        for one in _ONE.finditer(text, run.start(), run.end()):
            *times, word = re.split(r"[ \-]", one[0].casefold())
            digits = _DIGITS.get(word, word) * _TIMES.get(times[0] if times else "", 1)
            signs += digits
            places += [one.span()] * len(digits)
        at = run.end()
    signs += text[at:]
    places += ((place, place + 1) for place in range(at, len(text)))
    return "".join(signs), places
