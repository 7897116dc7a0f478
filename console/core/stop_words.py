"""Words by which somebody says that they want no more messages, by language. They withdraw consent at once."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

ALONE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "opt out", "revoke", "remove"}),
        "de": frozenset({"stopp", "abmelden", "abbestellen", "austragen", "widerruf", "ende"}),
        "fr": frozenset({"arret", "arreter", "desabonner", "desinscription", "desinscrire"}),
        "es": frozenset({"baja", "alto", "parar", "cancelar"}),
        "it": frozenset({"ferma", "disiscrivi", "cancellami"}),
        "pt": frozenset({"sair", "parar", "pare"}),
        "nl": frozenset({"afmelden", "uitschrijven"}),
        "sv": frozenset({"avsluta", "avregistrera"}),
        "da": frozenset({"afmeld", "slut"}),
        "no": frozenset({"avmeld", "slutt"}),
        "fi": frozenset({"lopeta", "peruuta"}),
        "pl": frozenset({"koniec", "wypisz", "rezygnuje"}),
        "lt": frozenset({"stabdyti", "atsisakau", "baigti"}),
        "lv": frozenset({"beigt", "atteikties"}),
        "et": frozenset({"lopeta", "loobun"}),
        "cs": frozenset({"konec", "odhlasit"}),
        "hu": frozenset({"leallitas", "leiratkozas"}),
        "ro": frozenset({"dezabonare", "opreste"}),
        "el": frozenset({"διακοπη"}),
        "ru": frozenset({"стоп", "отписаться", "отмена"}),
        "uk": frozenset({"стоп", "відписатися"}),
    }
)
"""Words that mean it as the whole message, by language; any of them counts in any language."""

FIRM = frozenset({"stop", "stopp", "stopall", "unsubscribe", "arret", "baja", "optout", "abmelden", "desabonner", "стоп"})
"""Those that mean it in a short message of at most four words, such as “Stop pls”."""

PHRASES = (
    *("unsubscribe", "dont call", "do not call", "dont text", "do not text", "dont message", "dont contact", "do not contact"),
    *("stop calling", "stop texting", "stop messaging", "stop contacting", "stop sending", "remove me from", "take me off", "opt me out"),
    *(
        "nicht mehr anrufen",
        "keine anrufe",
        "keine nachrichten mehr",
        "ne m appelez plus",
        "ne plus m appeler",
        "no me llames",
        "no llamar",
    ),
    *("no me escribas", "non chiamatemi", "nao me ligue", "niet meer bellen", "ring inte", "neskambinkite"),
)
"""Phrases that mean it anywhere in a message."""
_ALL = frozenset(word for words in ALONE.values() for word in words)
_POLITE = frozenset({"please", "pls", "plz", "bitte", "svp", "merci", "thanks", "thank", "you", "now", "all", "por", "favor", "gracias"})
MOST_WORDS = 4


def is_stop(text: str) -> bool:
    """Whether the message says that no more are wanted. Case, accents and punctuation do not matter."""
    plain = _plain(text)
    words = plain.split()
    if not words:
        return False
    bare = [word for word in words if word not in _POLITE]
    if plain in _ALL or " ".join(bare) in _ALL:
        return True
    if len(words) <= MOST_WORDS and words[0] in FIRM and len(bare) <= 1:
        return True
    return any(f" {phrase} " in f" {plain} " for phrase in PHRASES)


def _plain(text: str) -> str:
    """Small letters without accents, words with single blanks between them."""
    folded = unicodedata.normalize("NFKD", re.sub(r"(?<=\w)['’`´](?=t\b)", "", text.casefold()[:2000]))
    return " ".join(re.sub(r"[\W_]+", " ", "".join(letter for letter in folded if not unicodedata.combining(letter))).split())
