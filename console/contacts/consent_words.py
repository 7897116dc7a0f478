"""Words of consent in the languages of those who write lists: what a cell says, and which channel a heading asks about."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from console.contacts.headings import NOTHING, inner, part_of, plain
from console.core.contacting import CHANNELS
from console.core.documents.collections.consent_places import GIVEN

_TICK = re.compile(r"([01])[.,]0+\Z")


def compared_cell(cell: str) -> str:
    """A cell as it is compared: small letters, a blank for a stroke between two words, as in Opted-out, and a tick that a program took for an amount (1.0) as one."""
    return _TICK.sub(r"\1", re.sub(r"(?<=\w)[-_](?=\w)", " ", cell.strip().casefold()))


def _letters(text: str) -> str:
    """The letters of small ones without accents, as words of headings are compared; those of Korean each for itself."""
    parts = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ł", "l").replace("æ", "ae").replace("ı", "i"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def _plainly(*words: str) -> tuple[str, ...]:
    return tuple(_letters(word) for word in words)


def _compared_words(*words: str) -> frozenset[str]:
    return frozenset(compared_cell(word) for word in words)


AFFIRMED = _compared_words(
    "yes", "true", "1", "x", "y", "ja", "oui", "si", "sí", "tak", "taip", "on", "checked", "✓", "✔", "✅", "☑",
    "sim", "jes", "да", "так", "kyllä", "jah", "igen", "evet", "ano", "áno", "da", "jā", "はい", "是", "예", "네", "نعم", "כן", "ναι",
    "wahr", "vrai", "verdadero", "verdadeiro", "vero", "waar", "sann", "sant", "sand", "prawda",
)  # fmt: skip
"""A plain yes, to whatever the heading asks."""
SUBSCRIBED = _compared_words(
    "subscribed", "subscriber", "still subscribed", "resubscribed", "opt in", "opted in", "not opted out", "not unsubscribed", "allow", "allowed", "zulassen", "zugelassen", "abonniert", "angemeldet", "nicht abgemeldet", "abonné",
    "abonnée", "inscrit", "inscrite", "suscrito", "suscrita", "iscritto", "iscritta", "inscrito", "inscrita", "ingeschreven", "aangemeld", "påmeldt", "tilmeldt", "prenumererar", "подписан", "購読中", "配信中", "配信する", "受け取る", "订阅", "已订阅", "訂閱", "已訂閱", "수신", "구독", "구독중", "abone", "izinli", "مشترك",
)  # fmt: skip
"""Who is still on a list: in a column about opting out the opposite, whatever its heading."""
YES = AFFIRMED | SUBSCRIBED | _compared_words(
    *GIVEN, "given", "agreed", "accepted", "confirmed", "active", "aktiv", "actif", "activo", "activa", "attivo", "attiva", "ativo", "ativa", "actief", "aktivní", "aktywny", "активен",
    "erteilt", "einverstanden", "zugestimmt", "accepté", "aceptado", "akkoord", "samtykket", "gitt", "erwünscht", "gewünscht", "erlaubt", "gestattet", "希望する", "同意", "同意する", "同意済み", "許可", "接受", "已同意", "동의", "동의함", "onay", "onaylı", "onaylandı", "موافق", "مقبول",
)  # fmt: skip
NOT_TOLD = NOTHING | _compared_words("", "[]", "nil", "undefined", "\\n", "(no value)", "0000-00-00", "0000-00-00 00:00:00")
"""What stands in a column of which nothing is known, as databases and spreadsheets write it: neither yes nor no."""
NOT = NOT_TOLD | _compared_words(
    "no", "n", "false", "0", "unchecked", "nein", "non", "nee", "nie", "ne", "off", "☐", "✗", "✘", "nei", "nej", "não", "nao", "нет", "ні", "не", "ei", "nem", "hayır", "hayir", "nu", "nē",
    "いいえ", "否", "아니요", "아니오", "لا", "לא", "όχι", "falsch", "faux", "falso", "onwaar", "usann", "falskt", "falsk", "fałsz",
)  # fmt: skip
"""What stands in a column about opting out of who did not."""
WITHDRAWN = _compared_words(
    "withdrawn", "opted out", "opt out", "unsubscribed", "revoked", "complained", "spam complaint", "do not allow", "nicht zulassen", "do not contact", "do not e-mail", "do not email", "do not call", "user suppressed", "abgemeldet", "abbestellt", "widerrufen", "widersprochen", "désabonné", "désabonnée",
    "désinscrit", "désinscrite", "baja", "dado de baja", "dada de baja", "revocado", "disiscritto", "disiscritta", "revocato", "descadastrado", "afgemeld", "uitgeschreven",
    "ingetrokken", "avmeldt", "afmeldt", "frameldt", "trukket", "trukket tilbake", "reservert", "avanmäld", "wypisany", "wypisana", "отписан", "отписался", "отписалась", "spam", "complaint", "spam report", "reported spam", "reported as spam", "globally unsubscribed", "marked as spam", "abuse complaint", "nicht erwünscht", "unerwünscht", "untersagt",
    "希望しない", "配信停止", "配信しない", "受け取らない", "受信拒否", "配信拒否", "解除済み", "退订", "已退订", "退訂", "已退訂", "拒收", "수신거부", "수신 거부", "구독취소", "abonelikten çıktı", "istemiyor", "reddetti", "ألغى الاشتراك", "إلغاء الاشتراك", "لا يرغب",
)  # fmt: skip
"""What stands in a column about agreeing of who opted out: it takes back what they agreed to before. All else of NO only says that this file knows of no consent, unless whoever imports it says otherwise."""
CAME_BACK = _compared_words("bounced", "hard bounced", "hard bounce", "cleaned")
GONE = WITHDRAWN | CAME_BACK
"""What no list but one of a mailing says of somebody."""
BOUNCED = CAME_BACK | _compared_words("undeliverable", "invalid")
"""What stands in a column about opting out of whose mail came back for good: nobody reaches them by e-mail."""
BARRED = _compared_words("suppressed", "blocked", "blacklisted", "blocklisted", "junk")
"""The same of whom the program writes to no more. Elsewhere such a word may be about anything, as in “Blocked” of a task."""
REACHED = frozenset(f"{denied} {word}" for denied in ("not", "never", "nicht", "non") for word in WITHDRAWN | BOUNCED | BARRED) | _compared_words(
    "never", "valid", "deliverable", "delivered", "soft bounce", "soft bounced", "unblocked", "unsuppressed", "0%", "0 %",
)  # fmt: skip
"""What stands in a column about opting out of who is reached all the same. In a column about agreeing it says nothing."""
NO = NOT | WITHDRAWN | BOUNCED | BARRED | _compared_words(
    "not given", "non-subscribed", "nonsubscribed", "not subscribed", "never subscribed", "no consent", "archived", "abgelehnt", "pending", "declined", "decline", "nicht erteilt", "nicht erlaubt", "ikke gitt", "同意しない", "不可", "不同意", "未同意", "拒绝", "拒絕", "미동의", "동의안함", "동의 안함", "동의하지 않음", "거부", "izinsiz", "onaysız", "reddedildi", "غير موافق", "مرفوض",
)  # fmt: skip
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "email": ("email", "e mail", "mail", "newsletter"), "sms": ("sms", "text message", "text messages"), "call": ("call", "calls", "phone", "telephone", "phone calls"),
    "ai_call": ("ai call", "ai calls", "calls by an ai", "call by an ai"), "chat": ("chat",),
}  # fmt: skip
"""Channel → what its column may be called, with “consent” before or behind."""
SHAPES = (
    "{} consent", "consent {}", "consent to {}", "{} opt in", "opt in {}", "{} marketing consent", "{} marketing", "accepts {} marketing", "accepts {}", "{} subscription status",
    "{} marketing status", "{} permission", "{} ok", "{} allowed", "{} permitted", "{} agreed", "{} optin", "{} subscribed",
    "agreed to {}", "agrees to {}", "opted in to {}", "{} opted in", "subscribed to {}",
)  # fmt: skip
"""A heading that says who agreed, with a word for the channel."""
OPT_OUTS = (
    "{} opt out", "{} opt outs", "opt out {}", "opt out of {}", "opted out of {}", "has opted out of {}", "opted out {}", "unsubscribed from {}", "unsubscribed from all {}", "unsubscribed {}", "{} unsubscribed",
    "do not {}", "do not bulk {}", "no {}", "{} blocklisted", "{} blacklisted", "{} hard bounce reason", "{} hard bounced", "{} suppressions", "{} suppressed",
)  # fmt: skip
"""A heading that says who wants nothing of a channel, or is not reached there; a CRM writes which list it is behind it."""
EVERY = "every"
"""In place of a channel: all of them."""
OPT_OUTS_OF_EVERY = frozenset({
    "opt out", "opted out", "optout", "has opted out", "unsubscribe", "unsubscribed", "unsubscribed at", "unsubscribe date", "unsubscribed date", "unsubscribed on", "unsub time", "opt out date", "opted out at", "opted out date", "opted out on", "do not contact", "do not disturb", "no marketing", "do not market",
    "dnc", "blacklist", "blacklisted", "black listed", "is blacklisted", "blocklist", "blocklisted", "is blocklisted", "suppressed", "is suppressed", "do not send marketing materials", "do not send", "do not message", "do not market to", "do not solicit",
})  # fmt: skip
UNREACHABLE = frozenset({
    "clean time", "cleaned at", "bounced", "hard bounced", "bounced hard", "has hard bounced", "hard bounce", "hard bounces", "bounced at", "bounce date", "email address quarantined", "email invalid", "invalid email", "invalid email address", "marked email as spam", "spam complaint", "complained",
})  # fmt: skip
"""A heading of whose mail came back for good or was called unwanted, or when, as programs export those they no longer write to."""
MAILINGS = (
    "marketing status",
    "accepts marketing",
    "newsletter",
    "nyhetsbrev",
    "nyhedsbrev",
    "nieuwsbrief",
    "infolettre",
    "boletín",
    "boletim",
    "uutiskirje",
    "biuletyn",
)
AGREEING = (
    "consent", "optin", "einwillig", "zustimm", "erlaubnis", "anmeldung", "angemeldet", "accept", "accord", "autoris", "abonn", "inscri", "acept", "aceit", "autoriz", "suscri", "consens", "accett",
    "iscri", "toestemming", "akkoord", "inschrijving", "samtyk", "samtyck", "godkjen", "godkann", "pameld", "tilmeld", "tilladelse", "medgiv", "zgod", "suostumus", "sutik", "sutink", "piekrisan", "piekrit", "nousolek", "consimt", "acord", "souhlas", "suhlas", "hozzajarul", "soglasi",
    "согласи", "subscri", "permission", "gdpr", "dsgvo", "rgpd", "rodo", "erlaubt", "gestattet", "izin", "izni", "onay", "kvkk",
    *_plainly("erwünscht", "erwuenscht", "gewünscht", "同意", "購読", "配信", "受信許可", "オプトイン", "订阅", "訂閱", "동의", "수신동의", "수신여부", "구독", "موافق", "الموافق"),
)  # fmt: skip
"""Beginnings of words (without accents; longer ones also within a word) by which a heading says who agreed."""
REFUSING = (
    "optout", "unsub", "abgemeldet", "abmeld", "abbestell", "widerspr", "widerruf", "werbesperre", "kontaktsperre", "werbeverbot", "robinson", "desabonn", "desinscri", "opposition", "refus", "bloctel", "desuscri",
    "oposicion", "oposicao", "descadastr", "disiscri", "opposizione", "revoca", "afgemeld", "afmeld", "uitgeschreven", "uitschrijv", "bezwaar", "avmeld", "reservert", "reservasjon", "frameld", "frabed", "avregistr",
    "avanmal", "wypisan", "rezygnac", "sprzeciw", "markkinointikielto", "suoramarkkinointikielto", "atsisak", "nesutik", "nesutink", "nepiekri", "nesouhlas", "nesuhlas", "niezgod", "dezacord", "отпис", "отказ", "unerwunscht", "unerwuenscht",
    *_plainly(
        "配信停止", "配信拒否", "配信不要", "受信拒否", "購読解除", "購読停止", "オプトアウト", "連絡不可", "退订", "退訂", "取消订阅", "取消訂閱", "拒收", "拒绝", "勿扰", "勿擾", "수신거부", "거부", "구독취소", "구독해지", "수신차단",
    ),
)  # fmt: skip
"""The same of who wants nothing, or no more."""
MAYBE_AGREEING = frozenset({
    "werbung", "dialogmarketing", "emailable", "mailable", "contactable", "marketable", "deliverability", "privacy", "kontaktierbar", "reklam", "販促", "営業",
})  # fmt: skip
"""Words of headings that may ask whether somebody is written to; a yes there is no consent."""
MAYBE_ANSWERED = frozenset({
    "marketing", "allow", "allowed", "agree", "agrees", "agreed", "receive", "news", "offers", "updates", "promotions", "publicidad", "publicite", "angebote", "neuigkeiten", "infos", "kontakt", "kontaktaufnahme",
})  # fmt: skip
"""Words of headings that ask it where every cell of the column is a yes or a no: `Marketing allowed`, “I agree to receive offers”."""
_OF_ADDRESSES = frozenset({"verified", "valid", "has"})
"""Words of headings that ask about an address, and not about what may be sent there."""
_OF_STATUS = frozenset(
    {"status", "state", "subscription", "subscriber", "email", "mail", "member", "list", "contact", "marketing", "newsletter", "sms"}
)
"""Words of a heading that says how things stand with somebody, and no more."""
MAYBE_REFUSING = ("blacklist", "blocklist", "blocked", "suppress", "bounce", "stop", "dnc", "deactivat")
REFUSING_PHRASES = (
    "baja", "dado de baja", "fecha de baja", "fecha baja", "nicht kontaktieren", "kein kontakt", "keine werbung", "kein newsletter", "keine e mails", "keine anrufe", "nicht anrufen", "nicht anschreiben", "ne pas contacter", "ne pas appeler", "ne pas demarcher",
    "pas de", "no contactar", "no llamar", "no molestar", "no enviar", "no desea", "non contattare", "non chiamare", "niet bellen", "niet mailen", "niet benaderen", "niet contacteren", "geen",
    "abonelikten", "aramayin", "rahatsiz etmeyin", "kara liste", *_plainly("إلغاء الاشتراك", "عدم الاتصال", "عدم الإزعاج", "لا تتصل", "הסרה", "הוסר", "לא ליצור קשר"),
    "ikke kontakt", "ikke ring", "onsker ikke", "kontakta inte", "ring inte", "kontakt ikke", "ring ikke", "nao contatar", "nao contactar", "nao ligar", "nie kontaktowac", "nie dzwonic", "не звонить", "не беспокоить",
)  # fmt: skip
"""Whole headings, or what they begin with, that say the same."""
CHANNEL_WORDS: Mapping[str, tuple[str, ...]] = {
    "email": (
        "email", "mail", "mails", "emails", "mailen", "courriel", "courriels", "correo", "correos", "epost", "newsletter", "infolettre", "boletin", "boletim", "nyhetsbrev", "nyhedsbrev", "nieuwsbrief", "eposta", "eposti", "epasts", "epastu", "epastam", "epasta", "elpastas", "mailowa", "mailowy", "mailem", "sahkoposti", "uutiskirje", "naujienlaiskis", "naujienlaiskiai", "naujienlaiskiams", "jaunumi", "uudiskiri", *_plainly("メルマガ", "メール", "邮件", "郵件", "电子邮件", "電子郵件", "이메일", "메일", "뉴스레터", "البريد", "بريد", "bülten"),
    ),
    "sms": ("sms", "mms", "tekstbericht", *_plainly("短信", "簡訊", "문자")),
    "call": (
        "telefon", "telefonisch", "telefonische", "telephone", "telefono", "telefone", "telefoon", "phone", "anruf", "anrufe", "anrufen", "appel", "appels", "appeler", "llamada", "llamadas", "llamar", "chiamare", "chiamate", "bellen", "ring",
        "ringe", "ringes", "ligar", "dzwonic", "call", "calls", "opkald", "samtal", "oppringning", "ligacoes", "chamadas", "apel", "apeluri", "hovory", "volani", "skambuciai", "skambuciams", "skambuciais", "skambutis", "skambinti", "zvani", "zvaniem", "zvanit", "talrunis", "talruni",
        "helistamine", "helistamiseks", "koned", "puhelin", "puhelimitse", "soitot", "soitto",
        "arama", *_plainly("電話", "电话", "전화", "هاتف", "الهاتف"),
    ),
}  # fmt: skip
_AROUND = frozenset({
    "am", "an", "auf", "zu", "zum", "zur", "fur", "fuer", "per", "via", "von", "par", "por", "pour", "para", "a", "al", "aux", "til", "till", "tot", "voor", "pa", "om", "mot", "for", "de", "der", "des", "del", "den", "di", "du", "da", "do", "la", "le",
    "l", "d", "el", "les", "los", "las", "en", "in", "e", "o", "the", "to", "of", "na", "dnia", "s", "se", "so", "gauti", "naujienas", "naujienos", "pasiulymus", "sanemt", "saada", "saamiseks", "wysylke", "otrzymywanie", "kontaktni", "marketing", "werbung", "kontakt", "kontaktaufnahme", "markedsforing", "markedsføring", "marknadsforing", "publicidad",
    "publicite", "pub", "reklame", "reklam", "comercial", "commerciale", "commercial", "prospection", "erteilt", "mottak", "recevoir", "recibir", "erhalten", "ontvangen", "contact", "datum", "date", "fecha", "dato", "data",
    "time", "at", "on", "from", "all", "has", "been", "is", "status", "confirmed", "prospect", "global", "globally", "bulk", "and", "und", "et", "og", "och", "y", "i", "на", "pazarlama", "ticari", "ileti", *_plainly("수신", "광고", "마케팅", "여부", "على", "في", "الإلكتروني"),
})  # fmt: skip
_WHEN = frozenset({"am", "datum", "date", "fecha", "dato", "data", "dnia", "time", "at", "on"})
_CONSENTING = (
    "consent", "optin", "einwillig", "zustimm", "consens", "toestemming", "samtyk", "samtyck", "zgod", "suostumus", "sutik", "sutink", "piekrisan", "nousolek", "consimt", "souhlas", "suhlas", "hozzajarul", "согласи", "gdpr", "dsgvo", "rgpd", "rodo",
)  # fmt: skip
"""Of `AGREEING` what is said of nothing but a consent: an inscription or a subscription may be another."""
_BESIDE_CONSENT: Mapping[str, frozenset[str]] = {
    "source": frozenset({"source", "quelle", "herkunft", "avots", "allikas", "sursa", "ort", "origine", "origen", "fuente", "fonte", "origem", "bron", "kilde", "kalla", "zrodlo", "lahde", "saltinis", "zdroj", "forras", "источник"}),
    "text_version": frozenset({"text", "wortlaut", "fassung", "textversion", "version", "texte", "texto", "testo", "tekst", "tekstversie", "текст", "версия"}),
    "at": _WHEN | {"zeitpunkt", "pvm", "дата"},
}  # fmt: skip
"""What a table of consents holds beside → words (without accents) for it in a heading that names a consent too."""
_REASONS = frozenset({"reason", "grund", "raison", "motivo"})
_BESIDE = frozenset({"campaign", "title", "ip", "id", "fax"})
_REFUSED_BEFORE = re.compile(r"\b(?:do not (?:allow|bulk)|nicht zulassen|do not (?=call\b|phone\b|e ?mail\b|sms\b|contact\b)) ?")
"""What stands around the name of a channel that is not wanted."""
_WITHIN = 6
"""From how many letters on the beginning of a word is looked for within words, too: Newslettereinwilligung."""


def channel_by_heading(channels: Iterable[str]) -> dict[str, str]:
    """Heading (plain: small letters, one blank) of a column that says who agreed → the channel, of these."""
    words = [(word, channel) for channel in channels for word in HEADINGS[channel]]
    found = {shape.format(word): channel for word, channel in words for shape in SHAPES}
    return found | {words: channel for words in MAILINGS for channel in channels if channel == "email"}


def agreed(heading: str, channels: Iterable[str]) -> str | None:
    """The channel, of these, of which a column with this heading says who agreed to it, in whatever language."""
    by_heading = channel_by_heading(channels)
    if (known := by_heading.get(heading, by_heading.get(inner(heading)))) is not None:
        return known
    words = _words(heading)
    if not _begins_as(words, AGREEING) or _begins_as(words, REFUSING) or refused(heading) is not None or _WHEN.intersection(words):
        return None
    named = _channels(words)
    rest = [each for each in words if not _begins_as([each], AGREEING) and not _channels([each]) and each not in _AROUND]
    return next(iter(named)) if len(named) == 1 and not rest and named.issubset(channels) else None


def told_beside(heading: str) -> str | None:
    """What a column with this heading tells about a consent to whatever channel (`source`, `text_version` or `at`), in whatever language: “Quelle der Einwilligung”, “Einwilligungsdatum”."""
    words = _words(heading)
    if not _begins_as(words, _CONSENTING) or _begins_as(words, REFUSING) or _channels(words):
        return None
    named = {part for part, known in _BESIDE_CONSENT.items() if any(_ends_as(word, known) for word in words)}
    rest = [
        each for each in words
        if each not in _AROUND and not _begins_as([each], _CONSENTING) and not any(each in known for known in _BESIDE_CONSENT.values())
    ]  # fmt: skip
    return next(iter(named)) if len(named) == 1 and not rest else None


def _ends_as(word: str, known: Iterable[str]) -> bool:
    """Whether a word is one of these, or one of a consent that ends with it."""
    return word in known or (word.startswith(_CONSENTING) and word.endswith(tuple(each for each in known if len(each) > 2)))


def refused(heading: str) -> str | None:
    """The channel, or `EVERY`, of which a column with this heading says who wants nothing of it, in whatever language."""
    for channel in HEADINGS:
        told = [shape.format(word) for word in HEADINGS[channel] for shape in OPT_OUTS]
        if any(heading == each or (heading.startswith(f"{each} ") and each.startswith(("opted out", "unsubscribed"))) for each in told):
            return channel
        if len(heading) > _WITHIN and heading in {each.replace(" ", "") for each in told}:  # HASOPTEDOUTOFEMAIL, donotphone
            return channel
    if heading in OPT_OUTS_OF_EVERY or heading in UNREACHABLE:
        return EVERY if heading in OPT_OUTS_OF_EVERY else "email"
    words = _words(heading)
    joined = " ".join(words)
    named = _channels(words)
    if any(joined == each or joined.startswith(f"{each} ") for each in REFUSING_PHRASES):
        return next(iter(named)) if len(named) == 1 else EVERY
    rest = [each for each in words if not _begins_as([each], REFUSING) and not _channels([each]) and each not in _AROUND]
    if not _begins_as(words, REFUSING) or rest:
        return None
    return next(iter(named)) if len(named) == 1 else EVERY


def opted_out(cell: str, *, asked: bool) -> bool | None:
    """Whether a cell of a column about opting out says that they did; None where nobody knows. `asked`: the heading itself asks who wants nothing, so that a plain text answers it, and “Active” may be the opt-out."""
    word = compared_cell(cell)
    if word in NOT or word in SUBSCRIBED or word in REACHED:
        return False
    if says_plainly(cell):
        return True
    if word in YES:
        return None if asked else False
    return True if asked else None


def says_plainly(cell: str) -> bool:
    """Whether a cell that counts as an opt-out is a word for it, and no text of somebody's own such as “Too many mails”."""
    return compared_cell(cell) in AFFIRMED | WITHDRAWN | BOUNCED | BARRED


def has_bounced(cell: str) -> bool:
    """Whether a cell says that mail came back for good, which is about no other channel."""
    return compared_cell(cell) in BOUNCED


def says_who_left(heading: str, cells: Iterable[str]) -> bool:
    """Whether a column such as `Status` or `Email status` (plain) says who opted out or bounced: one of its cells does, half of its words are known, and none is a plain yes, which says there as well that all is in order."""
    words = {word for word in map(compared_cell, cells) if word not in NOT_TOLD}
    known = words & (YES | NO)
    return is_status(heading) and not words.isdisjoint(GONE) and words.isdisjoint(AFFIRMED) and len(known) * 2 >= len(words)


def is_status(heading: str) -> bool:
    """Whether a heading (plain) only asks how things stand with somebody."""
    words = set(heading.split())
    return words <= _OF_STATUS and not words.isdisjoint({"status", "state"})


def status_channel(heading: str) -> str:
    """The channel that the heading of such a column names, else `EVERY`."""
    named = _channels(_words(heading))
    return next(iter(named)) if len(named) == 1 else EVERY


def asks_who_refused(heading: str) -> bool:
    """Whether a heading (plain) asks who wants nothing, as `Opt-out` and `Blocked` do and `Status` does not."""
    return refused(heading) is not None or _begins_as(_words(heading), (*REFUSING, *MAYBE_REFUSING))


def may_be_about_consent(heading: str, cells: Iterable[str], *, told: bool = False) -> bool:
    """Whether a column seems to say who agreed or who wants nothing, so that whoever imports should look at it. `told`: another column says who wants nothing, so that reasons for it say nothing new."""
    words = _words(heading)
    beside = _BESIDE | (_REASONS if told else frozenset())
    asked = _begins_as(words, (*AGREEING, *REFUSING, *MAYBE_REFUSING)) or not MAYBE_AGREEING.isdisjoint(words)
    told_cells = {word for word in map(compared_cell, cells) if word not in NOT_TOLD}
    gone = not told_cells.isdisjoint(GONE)
    answered = (
        bool(told_cells)
        and told_cells <= YES | NO
        and part_of(heading) is None
        and _OF_ADDRESSES.isdisjoint(words)
        and (bool(_channels(words)) or not MAYBE_ANSWERED.isdisjoint(words))
    )
    return ((asked or answered) and not beside.intersection(words)) or refused(heading) is not None or gone


def _words(heading: str) -> list[str]:
    joined = _letters(plain(heading))
    joined = re.sub(r"\bopt(?:ed)? (in|out)s?\b", r"opt\1", _REFUSED_BEFORE.sub("optout ", joined.replace("do not text", "do not sms")))
    joined = re.sub(r"\bel (?:past(?:as|o|u|ui|ai|us)|laisk(?:as|us|u|ai|ais)|p)\b", "elpastas", joined)
    joined = re.sub(
        r"\b(?:correos? electronicos?|courriers? electroniques?|posta elettronica|correio eletronico|poczt[ae] elektroniczn[a-z]+|elektronisk post)\b",
        "email",
        joined,
    )
    return re.sub(r"\be (mails?|mailem|post|posta|posti|past[asu]|pastam)\b", r"e\1", joined).split()


def _begins_as(words: Iterable[str], beginnings: Iterable[str]) -> bool:
    known = tuple(beginnings)
    return any(word.startswith(known) or any(each in word for each in known if _is_looked_for_within(each)) for word in words)


def _is_looked_for_within(word: str) -> bool:
    """Whether a word is looked for within others: a long one, and those of languages that put no blanks between."""
    return len(word) >= _WITHIN or word >= "\u1100"


def _channels(words: Iterable[str]) -> set[str]:
    return {
        channel
        for channel in CHANNELS
        for word in words
        if any(word == each or (_is_looked_for_within(each) and each in word) for each in CHANNEL_WORDS.get(channel, ()))
    }
