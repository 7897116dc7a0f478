"""Messages by which somebody says that they want no more, which withdraws consent at once. The words are in `stop_words.csv`, each with its source."""

import csv
import re
import unicodedata
from itertools import product
from pathlib import Path

MOST_WORDS, SHORT = 4, 6
"""Words of a message that may begin with a firm word, such as “Stop pls”, and of one that may end with it, such as “No thanks, STOP”."""
_SENTENCE_ENDS = re.compile(r"[.!;(]|\s[-–—]")
_CLAUSE_ENDS = re.compile(r"[.,:!;()]|\s[-–—]")


def _texts(*kinds: str) -> frozenset[str]:
    """The texts of these kinds in the data file; alternatives stand between strokes, and `then` is what follows each of them.

    `word` means it as the whole message in any language, `firm` in a short message too, `sign` as the only sign of a message, `phrase` anywhere, `opening` where
    the message begins with it. `filler` changes nothing beside a word; `again` asks for messages as the whole message.
    """
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        rows = [
            (row["text"].split("|"), row["then"].split("|"))
            for row in csv.DictReader(file)
            if row["kind"] in kinds
        ]
    return frozenset(" ".join(words).strip() for row in rows for words in product(*row))


def is_stop(text: str) -> bool:
    """Whether the message says that no more are wanted, as a whole or in its first line, a name or a signature being below it.

    Case, accents, punctuation, marks that nobody sees, and a word said twice do not matter.
    """
    known, first = text[:2000], next((line for line in text[:2000].splitlines() if line.strip()), "")
    pictures = "".join(
        char for char in known if not char.isspace() and unicodedata.category(char) not in ("Cf", "Mn", "Sk")
    )  # without variants
    return (
        (bool(pictures) and SIGNS.issuperset(pictures))
        or _says_it(_plain(known))
        or _says_it(_plain(known, unseen=" "))
        or _is_the_word(_plain(first))
        or begins_with_stop(first)
        or _ends_with_stop(first)
    )


def begins_with_stop(line: str) -> bool:
    """Whether the first sentence is one of the firm words and nothing else, whatever comes after it, such as “STOP. I am not interested”."""
    return _plain(_SENTENCE_ENDS.split(line.lstrip("*.!;( -–—"), maxsplit=1)[0]) in FIRM


def _ends_with_stop(line: str) -> bool:
    """Whether a short answer says one of the firm words and nothing else at its end."""
    said = [plain for clause in _CLAUSE_ENDS.split(line) if (plain := _plain(clause))]
    return len(said) > 1 and said[-1] in FIRM and len(_plain(line).split()) <= SHORT


def asks_again(text: str) -> bool:
    """Whether the message says that messages are wanted again. That is no consent by itself: to what, only a person can note."""
    return _plain(text[:200]) in AGAIN


def _says_it(plain: str) -> bool:
    words, meant = plain.split(), _DENIED.sub("", plain)
    bare = _bare(words)
    firm = (
        0 < len(words) <= MOST_WORDS
        and words[0] in FIRM
        and len([word for word in bare if not word.isdecimal()]) <= 1
    )
    return (
        firm
        or _is_the_word(plain)
        or any(f" {phrase} " in f" {meant} " for phrase in PHRASES)
        or f"{plain} ".startswith(_OPENINGS)
    )


def _is_the_word(plain: str) -> bool:
    words = plain.split()
    spelled = "".join(words) if words and all(len(word) == 1 for word in words) else ""
    return plain in _ALL or spelled in _ALL or " ".join(_bare(words)) in _ALL


def _bare(words: list[str]) -> list[str]:
    """The words that matter, each once."""
    return list(dict.fromkeys(word for word in words if word not in _FILLERS))


def _plain(text: str, unseen: str = "") -> str:
    """Small letters without accents, words with single blanks between them; `unseen` is what stands for marks that nobody sees, such as a soft hyphen."""
    apart = unicodedata.normalize("NFKD", re.sub(r"(?<=\w)['’`´](?=t\b)", "", text)).casefold()
    seen = "".join(
        unseen if unicodedata.category(letter) == "Cf" else letter
        for letter in unicodedata.normalize("NFKD", apart)
    )
    return " ".join(
        re.sub(
            r"[\W_]+", " ", "".join(letter for letter in seen if not unicodedata.combining(letter))
        ).split()
    )


FIRM, _ALL = (frozenset(map(_plain, _texts(*kinds))) for kinds in (("firm",), ("word", "firm")))
PHRASES = sorted(_texts("phrase"), key=lambda text: (-len(text), text))
_OPENINGS = tuple(f"{text} " for text in _texts("opening"))
SIGNS, AGAIN, _FILLERS = (_texts(kind) for kind in ("sign", "again", "filler"))
_DENIED = re.compile(
    rf"(?<!you )(?<!they )\b(?:dont|do not) (?:(?:please|ever|want|wish|need|to|you) )*(?:{'|'.join(PHRASES)})\b"
    rf"|\b(?:i|we|they|he|she|(?:if|when|whenever|because|since) you) (?:dont|do not) (?:call|email|mail me|text|message|contact|write)\b"
    rf"|\b(?:dont|do not) (?:email|text|message) (?:the|a|an|this|that|my|our|it)\b"
)
"""A phrase that is denied: “please don't unsubscribe me”. “You do not unsubscribe me” is none."""
