"""Where in an answer by mail the person's own words end and our letter, which their mail program put below, begins.

Our letters name the word for ending messages, so that a repeated one must not be heard as said by them. Programs mark it differently: by `>`, by a line, by the
head of our letter in their language, by a sentence with its day, by parts of HTML with a name.
"""

import re
from collections.abc import Sequence

LINK = "/unsubscribe/msg_"
_LINE = re.compile(r"\s*(?:_{10,}|-{3,}[^-]{0,60}-{3,})\s*")
_SENDER = re.compile(
    r"\W*(?:from|von|de|van|da|od|från|fra|lähettäjä|nuo|no|saatja|від|от|kimden|feladó|από|差出人|发件人)\W{0,3}[:：].*",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\W*(?:subject|betreff|objet|onderwerp|oggetto|asunto|assunto|temat|předmět|ämne|emne|aihe|tema|temats|teema|тема|konu|tárgy|θέμα|件名|主题)\W{0,3}[:：].*",
    re.IGNORECASE,
)
_COLONS = (":", "：")
_MOST_HEAD = 8
_TAG = re.compile(r"<[^<>]{1,2000}>")
_QUOTING = (
    "<blockquote",
    "appendonsend",
    "divrplyfwdmsg",
    "reply-intro",
    "gmail_quote",
    "yahoo_quoted",
    "moz-cite-prefix",
    "protonmail_quote",
    "border-top:solid",
)
"""What stands in the tag with which programs begin a repeated letter."""
_LINK_HTML = re.compile(r"<a\b[^<>]{0,1000}/unsubscribe/[^<>]{0,1000}>[^<]{0,200}</a>", re.IGNORECASE)
_UNSEEN = re.compile(r"<[^<>]{1,2000}>|&nbsp;|\s")


def own_html(page: str) -> str:
    """The page to where our letter begins, and in any case without the link of ours."""
    begins = (
        tag.start()
        for tag in _TAG.finditer(page)
        if any(mark in tag[0].lower().replace(" ", "") for mark in _QUOTING)
    )
    own = page[: next(begins, len(page))]
    return _LINK_HTML.sub("", own if _UNSEEN.sub("", own) else page)


def own_words(text: str) -> str:
    """The text to where our letter begins; where nothing stands above that, all of it. Lines that a program marked as ours, or that have our link, are left out."""
    lines = [line for line in text.splitlines() if not line.startswith(">")]
    ours = max((place for place, line in enumerate(lines) if LINK in line), default=-1)
    end = next(
        (place for place in range(len(lines)) if _ours_begins(lines, place, linked=place < ours)), len(lines)
    )
    own = "\n".join(line for line in lines[:end] if LINK not in line).strip()
    return own or "\n".join(line for line in lines if LINK not in line).strip()


def _ours_begins(lines: Sequence[str], place: int, *, linked: bool) -> bool:
    """Whether the line, with those after it, introduces our letter; `linked`: our link stands below."""
    line, following = lines[place][:1000], lines[place + 1][:1000] if place + 1 < len(lines) else ""
    if _LINE.fullmatch(line):
        return linked
    if _SENDER.fullmatch(line):
        return any(_SUBJECT.fullmatch(each[:1000]) for each in lines[place + 1 : place + _MOST_HEAD])
    if not linked or sum(map(str.isdigit, line)) < len("26"):
        return False
    return line.rstrip().endswith(_COLONS) or ("@" in following and following.rstrip().endswith(_COLONS))
