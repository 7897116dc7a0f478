"""Names in letters of the Latin alphabet, in each of the ways in which passports, lists and libraries write them."""

import itertools
import unicodedata

MOST = 24
SPELLINGS: dict[str, tuple[str, ...]] = {
    "а": ("a",),
    "б": ("b",),
    "в": ("v",),
    "г": ("g", "h"),
    "д": ("d",),
    "е": ("e", "ye"),
    "ё": ("e", "yo"),
    "ж": ("zh", "z"),
    "з": ("z",),
    "и": ("i", "y"),
    "й": ("i", "y", "j"),
    "к": ("k",),
    "л": ("l",),
    "м": ("m",),
    "н": ("n",),
    "о": ("o",),
    "п": ("p",),
    "р": ("r",),
    "с": ("s",),
    "т": ("t",),
    "у": ("u",),
    "ф": ("f",),
    "х": ("kh", "h", "ch"),
    "ц": ("ts", "c"),
    "ч": ("ch", "c"),
    "ш": ("sh", "s"),
    "щ": ("shch", "sc"),
    "ъ": ("",),
    "ы": ("y",),
    "ь": ("",),
    "э": ("e",),
    "ю": ("yu", "iu", "ju"),
    "я": ("ya", "ia", "ja"),
    "і": ("i",),
    "ї": ("yi", "i"),
    "є": ("ye", "ie"),
    "ґ": ("g",),
    "ў": ("u",),
}
ALIKE = (
    ("yu", "ju"),
    ("iu", "ju"),
    ("ya", "ja"),
    ("ia", "ja"),
    ("ye", "e"),
    ("ie", "e"),
    ("je", "e"),
    ("yo", "e"),
    ("ij", "i"),
    ("iy", "i"),
    ("yj", "i"),
    ("kh", "h"),
    ("zh", "z"),
    ("sh", "s"),
    ("ch", "c"),
    ("ts", "c"),
    ("w", "v"),
    ("y", "i"),
    ("j", "i"),
)
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "ı": "i"}


def latin(text: str) -> list[str]:
    """The name in small Latin letters without accents: one spelling where it is Latin already, else those in use, at most 24."""
    words = "".join(character if character.isalnum() else " " for character in text.casefold()).split()
    return [
        " ".join(spelling) for spelling in itertools.islice(itertools.product(*map(_spellings, words)), MOST)
    ]


def sound(text: str) -> str:
    """A Latin spelling in the one form that is common to all ways of writing it."""
    for long, short in ALIKE:
        text = text.replace(long, short)
    return "".join(letter for letter, _ in itertools.groupby(text))


def _spellings(word: str) -> list[str]:
    ways = [SPELLINGS.get(letter, (_bare(letter),)) for letter in word]
    if not any(letter in SPELLINGS for letter in word):
        return ["".join(way[0] for way in ways)]
    longest = max(len(way) for way in ways)
    return list(
        dict.fromkeys("".join(way[min(number, len(way) - 1)] for way in ways) for number in range(longest))
    )


def _bare(letter: str) -> str:
    plain = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    return "".join(LETTERS.get(part, part) for part in plain)
