"""Whether a text from outside reads like instructions to a model: orders in several languages, forged roles and tool calls, and hidden writing.

The scan decides nothing about a value; it sets a flag and names the source, whatever the model says of it. What it knows are forms of words: it is one
fence among several, and not the one that keeps values out (that is `guard`).
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from console.ai.safety import injection_phrases, readings
from console.ai.safety.comparable_words import LOOKALIKES
from console.ai.safety.literal_quotes import scalars
from console.core.proposal_types import Ask, FieldSpec, Source

LONGEST = 60_000  # characters of a source that are looked at: more of it is in no prompt
LONGEST_TEXT = 20_000  # characters of one text
LONGEST_QUOTE = 120
LEAST_NAME = 3  # characters of a field's name from which "set NAME to" counts
WALL = 400  # signs of base64 without a blank
MOST_HIDDEN = 3  # marks without width inside words, above which they are no accident

_TAG = re.compile("(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0020-\U000e007e]")
_TURNED = re.compile("[\u202d\u202e]")
_BETWEEN = re.compile(
    "(?<=[A-Za-z\u00c0-\u024f0-9])[\u200b-\u200d\u2060\ufeff\u00ad\u180e]+(?=[A-Za-z\u00c0-\u024f0-9])"
)
_HARMLESS_COMMENT = re.compile(
    r"\s*(?:\[if|<!\[endif|\[endif|/\*|@|startfragment|endfragment|\w+[-:][\w-]+(?:\s|$)|/?wp:|begin \w+$|end \w+$)",
    re.IGNORECASE,
)
_BLOCK = re.compile(
    r"<(?:br|/?p|/?div|/?li|/?tr|/?td|/?h\d|/?ul|/?ol|/?table|/?body|/?html)\b[^>]{0,500}>", re.IGNORECASE
)
_MARKUP = re.compile(r"<!--|-->|</?[a-zA-Z][^<>]{0,500}>")
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_][ ._*\-|\n]{1,6}){7,200}[^\W\d_](?!\w)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_IMAGE = re.compile(r"data:image/[a-z+]{2,10};base64,[A-Za-z0-9+/=\s]{20,}", re.IGNORECASE)
_JOINED = (
    "ignoreall",
    "ignoreyour",
    "ignoreprevious",
    "ignoretheabove",
    "disregard",
    "systemprompt",
    "previousinstruction",
    "approvethis",
    "markasverified",
    "overriderules",
)
_ASSIGNING = ("set ", "overwrite", "assign", "fill", "force")
_MIXED = re.compile(r"(?<!\w)(?=\w*[a-z])(?=\w*[\u0370-\u04ff\u0261\u0269])\w{1,60}")
_UNDECOMPOSED = str.maketrans(
    {
        "ł": "l",
        "ø": "o",
        "đ": "d",
        "ı": "i",
        "æ": "ae",
        "œ": "oe",
        "ð": "d",
        "þ": "th",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
    }
)
_ROLE = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id|begin_of_text)\|?>|\[/?inst\]|<</?sys>>"
    r"|</?(?:system|assistant|instructions?|prompt|tool_result|function_results?|human|antml:\w+|system_prompt|thinking|tool_call|tool_use|invoke)\b[^<>]{0,100}>"
    r"|[\"']role[\"']\s*:\s*[\"'](?:system|assistant|developer|tool)[\"']|\{\{\s*[#/]?(?:system|assistant|user|instructions?)\b"
    r"|</source>|<source id=|</form>\s*<instruction|<now>"
    r"|(?:^|\n)\s*#{2,4} ?(?:instructions?|system|assistant|human|new task)\b ?:?"
    r"|(?:^|\n)\s*(?:human|###\s*user) ?: ?\S"
    r"|\b(?:begin|start|end) (?:of )?(?:system|hidden|new) (?:prompt|instructions?|message)\b",
    re.IGNORECASE,
)
_ROLE_LINE = re.compile(
    rf"(?:^|\n|[\[(*_{{\"'])\s*(?:system|assistant|developer|ai)(?: (?:prompt|message|instructions?|note))?[\])*_\"']{{0,4}} ?: ?[\"'*]{{0,3}}(?:please )?(?:{injection_phrases.VERBS}|the (?:user|operator|assistant|amount|decision)|new |all |from now|this (?:is|document|request))"
)
_FORGED = re.compile(
    r"[\"'](decision|confidence|rationale|decline_reason|fields|tool_calls?|function_call|tool_use|arguments|tool)[\"']\s*:"
)
ORDINARY = frozenset({"decision", "confidence"})
"""Names that results of other systems have as well."""
_EXFIL = re.compile(r"!\[[^\]\n]{0,200}\]\(\s*https?://[^)\s]{1,2000}", re.IGNORECASE)


_DISGUISE = re.compile(
    r"[i1!]gn[o0]r[e3](?:[ _+-]|\.(?=\w)|%20)|d[i1]sr[e3]g[a4]rd|pr[e3]v[i1][o0]us[_-]|[i1]nstruct[i1][o0]n|[o0]v[e3]rr[i1]d[e3]|[a4]ppr[o0]v[e3][_-]"
)
_JOINTS = re.compile(r"[_+-]|(?<=\w)\.(?=\w)")
_LEET = re.compile(r"(?<![\w.,])(?=\w*[a-z])[a-z0134578]{4,}(?!\w)")
_DIGITS = str.maketrans("0134578", "oieastb")
_FORGERIES = (
    (_ROLE, "a forged role", ("<", "[", "##", "human", "prompt", "instruction", "message", "role", "{{")),
    (_ROLE_LINE, "a forged role", ("system", "assistant", "developer", "ai")),
    (_EXFIL, "an image that would carry data away", ("![",)),
)
_WORD = re.compile(r"[^\W_]+")


class Sign(NamedTuple):
    """Something that reads like an instruction: what it is, and the words."""

    what: str
    quote: str


def field_names(fields: Iterable[FieldSpec]) -> tuple[str, ...]:
    """Names and labels of the fields in small letters, but for those too short to tell an order by."""
    return tuple(
        sorted(
            {
                text.casefold()
                for spec in fields
                for text in (spec.name, spec.label)
                if len(text) >= LEAST_NAME
            }
        )
    )


def suspicious(ask: Ask, sent: frozenset[str] | None = None) -> dict[str, Sign]:
    """Ids of the untrusted sources that read like instructions, with the first sign of each; of `sent` ones where these are known."""
    names = field_names(ask.fields)
    signs = {}
    for source in ask.sources:
        if (
            not source.trusted
            and (sent is None or source.id in sent)
            and (sign := first_sign(text_of(source), names)) is not None
        ):
            signs[source.id] = sign
    return signs


def suspicious_form(fields: Iterable[FieldSpec]) -> bool:
    """Whether a field that another system wrote reads like instructions; to say what is set to what is what its help is for."""
    return any(
        sign.what != injection_phrases.ASSIGN
        for spec in fields
        if spec.foreign
        for text in (spec.name, spec.label, spec.help, *(part for option in spec.options for part in option))
        for sign in signs(text)
    )


def place(ask: Ask, source: Source) -> tuple[str | None, str | None]:
    """(the name in a source's data under which the first sign stands, its words); None where no single one holds it."""
    names = field_names(ask.fields)
    for name, value in source.data.items():
        if (
            source.treatments.get(name) != "never"
            and (sign := first_sign(text_of(replace(source, title="", data={name: value})), names))
            is not None
        ):
            return name, sign.quote
    return None, None


def text_of(source: Source) -> str:
    """All words of a source, with its title and the names of its data; what a model never gets is left out."""
    texts, room = [source.title[:LONGEST_TEXT]], LONGEST
    for name, value in scalars(
        {name: value for name, value in source.data.items() if source.treatments.get(name) != "never"}
    ):
        if isinstance(value, str) and room > 0:
            texts += (
                [value[: min(room, LONGEST_TEXT)]]
                if " " not in name
                else [name, value[: min(room, LONGEST_TEXT)]]
            )
            room -= min(len(value), LONGEST_TEXT)
    texts += [key for key in islice(_keys(source.data), 2000) if " " in key]
    return "\n\n".join(texts)


def _keys(value: object, depth: int = 0) -> Iterator[str]:
    """Names inside the data: whoever wrote it may have chosen them, too."""
    if isinstance(value, dict) and depth < 12:
        for name, entry in value.items():
            yield str(name)[:1000]
            yield from _keys(entry, depth + 1)
    elif isinstance(value, (list, tuple)) and depth < 12:
        for entry in value[:1000]:
            yield from _keys(entry, depth + 1)


def first_sign(text: str, names: tuple[str, ...] = ()) -> Sign | None:
    """The first sign found, None for an ordinary text. `names` are fields of the form: "set NAME to …" is an order there."""
    return next(signs(text, names), None)


def signs(text: str, names: tuple[str, ...] = ()) -> Iterator[Sign]:
    """Every sign: hidden writing first, then forged roles and tool calls, then orders in words."""
    text = text[:LONGEST]
    if not text.isascii():
        yield from _hidden(text)
    if "<!--" in text:
        yield from _comments(text)
    folded = fold(text)
    yield from _forged(folded)
    yield from _orders(folded, names)
    if (plain := _undisguised(folded)) != folded:
        yield from _orders(plain, ())
    yield from _spaced(folded)
    yield from _encoded(text, names)


def _hidden(text: str) -> Iterator[Sign]:
    if match := _TAG.search(text):
        hidden = "".join(chr(ord(sign) - 0xE0000) for sign in text if "\U000e0020" <= sign <= "\U000e007e")
        yield Sign("invisible letters", hidden[:LONGEST_QUOTE] or match[0])
    if match := _TURNED.search(text):
        yield Sign("letters that are shown in another order", _quote(text, match.start(), match.end()))
    if len(between := _BETWEEN.findall(text)) > MOST_HIDDEN and not all(
        set(mark) <= {"\u00ad"} for mark in between
    ):
        yield Sign("marks without width inside words", _quote(text, 0, 1))


def _comments(text: str) -> Iterator[Sign]:
    for start, end in _between(text, "<!--", "-->"):
        inside = text[start + 4 : end - 3]
        words = re.findall(r"[^\W\d_]{2,}", inside)
        if len(words) >= 3 and not _HARMLESS_COMMENT.match(inside) and "{" not in inside:
            yield Sign("a comment that nobody sees", " ".join(inside.split())[:LONGEST_QUOTE])


def _between(text: str, opening: str, closing: str) -> Iterator[tuple[int, int]]:
    """Stretches from an opening to the next closing, both included."""
    end = 0
    while (start := text.find(opening, end)) >= 0 and (stop := text.find(closing, start)) >= 0:
        end = stop + len(closing)
        yield start, end


def _forged(folded: str) -> Iterator[Sign]:
    for pattern, what, cues in _FORGERIES:
        if any(cue in folded for cue in cues) and (match := pattern.search(folded)):
            yield Sign(what, _quote(folded, match.start(), match.end()))
    forged = {match[1] for match in _FORGED.finditer(folded)}
    if (len(forged) >= 2 and not forged <= ORDINARY) or forged & {
        "tool_calls",
        "tool_call",
        "function_call",
        "tool_use",
    }:
        yield Sign("a forged answer or tool call", ", ".join(sorted(forged)))


def _orders(folded: str, names: tuple[str, ...]) -> Iterator[Sign]:
    heads = {word[: injection_phrases.LETTERS_OF_HEAD] for word in _WORD.findall(folded)}
    for phrase in injection_phrases.EVERY:
        if phrase.heads is not None and phrase.heads.isdisjoint(heads):
            continue
        for stem in phrase.stems:
            if stem in folded:
                break
        else:
            continue
        if not any(word in folded for word in phrase.also):
            continue
        for match in phrase.pattern.finditer(folded):
            around = folded[match.start() : match.end() + injection_phrases.AROUND]
            if phrase.unless is None or not phrase.unless.search(around):
                yield Sign(phrase.what, _quote(folded, match.start(), match.end()))
                break
    if names and any(verb in folded for verb in _ASSIGNING) and (order := _assignment(names).search(folded)):
        yield Sign(injection_phrases.ASSIGN, _quote(folded, order.start(), order.end()))


@lru_cache(maxsize=256)
def _assignment(names: tuple[str, ...]) -> re.Pattern[str]:
    """The order "set NAME to …" and its like, for the fields of this form."""
    called = "|".join(sorted((re.escape(fold(name)) for name in names), key=len, reverse=True))
    return re.compile(
        injection_phrases.ORDER
        + rf"(?:set|overwrite|assign|fill(?: in)?|force) (?:the |field |value of )*[\"'`]?(?:{called})[\"'`]? ?(?:field |value )?(?:to|=|:|with|as|at)(?!\w)"
    )


def _undisguised(folded: str) -> str:
    """A text with digits read as the letters that they stand for, and words that are joined taken apart, where it may hide an order so."""
    if not _DISGUISE.search(folded):
        return folded
    return _JOINTS.sub(" ", _LEET.sub(lambda match: match[0].translate(_DIGITS), folded.replace("%20", " ")))


def _spaced(text: str) -> Iterator[Sign]:
    """Words written letter by letter."""
    if sum(len(word) == 1 for word in _WORD.findall(text)) < 8:
        return
    for match in _SPACED.finditer(text):
        joined = re.sub(r"[^a-z]", "", match[0].casefold())
        if any(word in joined for word in _JOINED):
            yield Sign("words written letter by letter", match[0][:LONGEST_QUOTE])


def _encoded(text: str, names: tuple[str, ...]) -> Iterator[Sign]:
    """Base64 that hides an order, and walls of it that no person wrote."""
    if max((len(word) for word in text.split()), default=0) < 40:
        return
    bare = _IMAGE.sub(" ", text) if "data:image" in text else text
    for start, end in reversed(list(_between(bare, "-----BEGIN ", "-----END "))):
        bare = bare[:start] + " " + bare[end:]
    for match in list(_BASE64.finditer(bare))[:50]:
        decoded = readings.decoded(match[0][:8000])
        if decoded and (
            sign := next(_orders(fold(decoded), names), None) or next(_forged(fold(decoded)), None)
        ):
            yield Sign("an encoded order", sign.quote)
        elif (
            len(match[0]) >= WALL
            and len(set(match[0])) > 16
            and "://" not in bare[max(0, match.start() - 300) : match.start()].split(" ")[-1]
        ):
            yield Sign("a wall of encoded data", match[0][:40])


def fold(text: str) -> str:
    """A text as it is compared: small letters without accents, markup and hidden marks; lookalike letters in their Latin form; one blank at most."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _MARKUP.sub(_markup_kept, _BLOCK.sub("\n", text))
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = (
            "".join(sign for sign in text if unicodedata.category(sign) not in {"Mn", "Cf"})
            if not text.isascii()
            else text
        )
    text = text.casefold().translate(_UNDECOMPOSED) if not text.isascii() else text.lower()
    if not text.isascii():
        text = _MIXED.sub(lambda match: match[0].translate(LOOKALIKES), text)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _markup_kept(match: re.Match[str]) -> str:
    """Markup that forges a role stays to be seen; other markup may stand in the middle of a word and goes."""
    return match[0] if _ROLE.search(match[0]) else ""


def _quote(text: str, start: int, end: int) -> str:
    return " ".join(text[max(0, start) : end + 40].split())[:LONGEST_QUOTE]
