"""Words by which somebody says that they want no more messages, by language. They withdraw consent at once."""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

ALONE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "en": frozenset(
            {
                "stop",
                "stopall",
                "unsubscribe",
                "cancel",
                "end",
                "quit",
                "optout",
                "opt out",
                "revoke",
                "remove",
                "remove me",
                "leave me alone",
            }
        ),
        "de": frozenset({"stopp", "stoppen", "abmelden", "abbestellen", "austragen", "widerruf", "ende"}),
        "fr": frozenset({"arret", "arreter", "arretez", "arrete", "desabonner", "desabonnez moi", "desinscription", "desinscrire"}),
        "es": frozenset({"baja", "alto", "parar", "cancelar"}),
        "it": frozenset({"ferma", "disiscrivi", "cancellami"}),
        "pt": frozenset({"sair", "parar", "pare"}),
        "nl": frozenset({"afmelden", "uitschrijven", "stoppen"}),
        "sv": frozenset({"avsluta", "avregistrera", "stoppa"}),
        "da": frozenset({"afmeld", "slut"}),
        "no": frozenset({"avmeld", "slutt"}),
        "fi": frozenset({"lopeta", "peruuta"}),
        "pl": frozenset({"koniec", "wypisz", "wypisz mnie", "rezygnuje", "rezygnacja"}),
        "lt": frozenset({"stabdyti", "stabdykit", "stabdykite", "atsisakau", "atsisakyti", "baigti", "nebesiuskite"}),
        "lv": frozenset({"beigt", "atteikties", "atteikt", "partraukt"}),
        "et": frozenset({"lopeta", "lopetage", "loobun", "peata"}),
        "cs": frozenset({"konec", "odhlasit", "zrusit"}),
        "hu": frozenset({"leallitas", "leiratkozas"}),
        "ro": frozenset({"dezabonare", "opreste"}),
        "tr": frozenset({"dur", "ret", "iptal", "abonelikten cık", "abonelikten cik"}),
        "el": frozenset({"διακοπη", "στοπ"}),
        "ru": frozenset({"стоп", "отписаться", "отмена"}),
        "uk": frozenset({"стоп", "відписатися", "відмова"}),
        "bg": frozenset({"стоп", "спри", "отписване"}),
        "sk": frozenset({"koniec", "odhlasit", "zrusit"}),
        "hr": frozenset({"odjava", "odjavi", "prestani"}),
        "sl": frozenset({"odjava", "prenehaj"}),
        "ar": frozenset({"توقف", "ايقاف", "إيقاف", "الغاء", "إلغاء", "قف"}),
        "he": frozenset({"הסר", "הסירו", "הסרה", "עצור"}),
        "zh": frozenset({"退订", "退訂", "停止", "取消"}),
        "ja": frozenset({"停止", "配信停止", "解除", "ストップ"}),
        "ko": frozenset({"수신거부", "중지", "정지", "그만"}),
        "hi": frozenset({"रोकें", "बंद करें"}),
        "th": frozenset({"หยุด", "ยกเลิก"}),
        "vi": frozenset({"huy", "tu choi"}),
        "id": frozenset({"berhenti", "batal", "stop sms"}),
    }
)
"""Words that mean it as the whole message, by language; any of them counts in any language."""

SIGNS = frozenset("\N{OCTAGONAL SIGN}\N{NO ENTRY}\N{NO ENTRY SIGN}")
"""Pictures that mean it where a message is nothing else, once or more often."""

FIRM = frozenset({"stop", "stopp", "stopall", "unsubscribe", "arret", "baja", "optout", "abmelden", "desabonner", "стоп"})
"""Those that mean it in a short message of at most four words, such as “Stop pls”."""

_MAILS = "emails|e mails|mails|messages|texts|sms|calls"


def _each(begins: str, ends: str) -> tuple[str, ...]:
    """Each beginning, of those with a stroke between them, with each end; `{not}` is written in two ways."""
    written = (begin.replace("{not}", negated) for begin in begins.split("|") for negated in ("dont", "do not"))
    return tuple(f"{begin} {end}" for begin in dict.fromkeys(written) for end in ends.split("|"))


PHRASES = (
    *("unsubscribe", "dont call", "do not call", "dont text", "do not text", "dont message", "dont contact", "do not contact"),
    *("stop calling", "stop texting", "stop messaging", "stop contacting", "stop sending", "remove me from", "take me off", "opt me out"),
    *("stop emailing", "stop e mailing", "stop mailing", "stop writing me", "stop writing to me"),
    *("no more texts", "no more calls", "no more emails", "no more sms", "keine sms mehr", "keine mails mehr", "keine e mails mehr"),
    *(
        "nicht mehr anrufen",
        "keine anrufe",
        "keine nachrichten mehr",
        "ne m appelez plus",
        "ne plus m appeler",
        "no me llames",
        "no llamar",
    ),
    *("dont email", "do not email", "dont mail me", "do not mail me", "dont write me", "dont write to me", "do not write to me"),
    *_each("{not} want any more|{not} send me any more|{not} send me|no more", _MAILS),
    *_each("{not} want your|{not} want these|stop the|stop your|stop these", _MAILS),
    *_each("never", "email me|text me|call me|contact me|message me|write me|write to me"),
    *_each(
        "no longer wish to receive|no longer want to receive|{not} want to receive any more|{not} want to receive",
        f"{_MAILS}|these|this|them|any|your|such|further|marketing|anything|newsletters",
    ),
    *("stop spamming", "remove my email", "remove my number", "delete me from", "delete my number"),
    *("nicht mehr anschreiben", "mir nicht mehr schreiben", "bitte nicht mehr schreiben", "schreiben sie mir nicht mehr"),
    *("schreibt mir nicht mehr", "nicht mehr kontaktieren", "kontaktieren sie mich nicht mehr", "keine werbung mehr", "aus dem verteiler"),
    *("keine weiteren mails", "keine weiteren e mails", "keine weiteren nachrichten"),
    *_each(
        "ne plus m envoyer|ne m envoyez plus|ne souhaite plus recevoir|ne veux plus recevoir|veux plus recevoir|souhaite plus recevoir",
        "vos|votre|ces|rien|aucun|aucune|de mails|de mail|d emails|d e mails|de messages|de sms|de courriels|de newsletter|de publicite",
    ),
    *("ne plus m ecrire", "ne m ecrivez plus", "ne me contactez plus", "arretez de m ecrire", "arretez de m envoyer"),
    *_each(
        "no me envien mas|no me envie mas|no me envies mas|no quiero recibir mas|no quiero mas",
        "correos|mensajes|emails|e mails|sms|nada|publicidad|promociones|ofertas",
    ),
    *("no me escriban", "dejen de escribirme", "darme de baja", "denme de baja"),
    *_each(
        "non mandatemi piu|non inviatemi piu|non voglio piu ricevere|non voglio piu",
        "email|e mail|mail|messaggi|sms|niente|nulla|pubblicita",
    ),
    *("non scrivetemi piu",),
    *_each(
        "nao me envie mais|nao quero mais receber|nao quero receber mais|nao quero mais",
        "emails|e mails|mensagens|sms|nada|isto|isso|publicidade",
    ),
    *("geen mails meer", "geen e mails meer", "geen berichten meer", "geen sms meer", "stop met mailen"),
    *("prosze nie pisac", "nie piszcie do mnie", "prosze nie wysyłac", "mnie wypisac"),
    *("daugiau nerasyti", "daugiau neberasyti", "neberasykite", "daugiau nerasykite", "nerasykite man", "nerasykit man", "nebesiuskite"),
    *_each("nebenoriu gauti", "jusu|laisku|zinuciu|sms|el|reklamos|pasiulymu|naujienlaiskio|naujienlaiskiu"),
    *("isbraukite mane", "больше не пишите", "не пишите мне", "отпишите меня", "удалите меня"),
    *("mich abmelden", "no me escribas", "non chiamatemi", "nao me ligue", "niet meer bellen", "ring inte", "neskambinkite"),
)
"""Phrases that mean it anywhere in a message."""
_TOLD = "(?:no more|keine|keine weiteren|geen) (?:e )?[a-z]+"
_DENIED = re.compile(
    rf"(?<!you )(?<!they )\b(?:dont|do not) (?:(?:please|ever|want|wish|need|to|you) )*(?:{'|'.join(each for each in PHRASES if not each.startswith('no more'))})\b"
    rf"|\b(?:i|we|they|he|she|(?:if|when|whenever|because|since) you) (?:dont|do not) (?:call|email|mail me|text|message|contact|write)\b"
    rf"|\b(?:dont|do not) (?:email|text|message) (?:the|a|an|this|that|my|our|it)\b"
    rf"|(?<!to )\b(?:get|got|getting|receive|received|have|had|are|were) {_TOLD}\b"
    rf"|\b(?:bekomme|bekam|erhalte|erhielt|habe|haben|hatte|kamen|kommen|heb|hebben|krijg|kreeg|ontvang|ontving)"
    rf"(?: (?!gesagt|gebeten|bitte|gezegd|gevraagd)[a-z]+){{0,3}} {_TOLD}(?: (?:mehr|meer))?\b"
    rf"|\b{_TOLD} meer (?:gehad|gekregen|missen)\b"
)
"""A phrase that is denied: “please don't unsubscribe me”, or that only tells of something: “I get no more emails”. “You do not unsubscribe me” is none."""
_POLITE = frozenset(
    {
        "please",
        "pls",
        "plz",
        "bitte",
        "svp",
        "merci",
        "thanks",
        "thank",
        "you",
        "now",
        "all",
        "por",
        "favor",
        "gracias",
        "this",
        "it",
        "sms",
        "mms",
        "au",
        "pub",
        "ok",
        "okay",
        "reply",
    }
)
"""Words beside it that change nothing; `pub` is what French networks ask for, `au` stands before their number."""
AGAIN = frozenset(
    {
        "start",
        "unstop",
        "restart",
        "subscribe",
        "resubscribe",
        "opt in",
        "optin",
        "anmelden",
        "wieder anmelden",
        "reprendre",
        "alta",
        "старт",
    }
)
"""Words of who wants messages again, as the whole message."""
MOST_WORDS = 4
_SENTENCE_ENDS = re.compile(r"[.!;(]|\s[-–—]")
SHORT = 6
"""Words of an answer that may end with the word, behind a comma or a stop: “No thanks, STOP”."""
_CLAUSE_ENDS = re.compile(r"[.,:!;()]|\s[-–—]")


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
    firm = 0 < len(words) <= MOST_WORDS and words[0] in FIRM and len([word for word in bare if not word.isdecimal()]) <= 1
    return firm or _is_the_word(plain) or any(f" {phrase} " in f" {meant} " for phrase in PHRASES)


def _is_the_word(plain: str) -> bool:
    words = plain.split()
    spelled = "".join(words) if words and all(len(word) == 1 for word in words) else ""
    return plain in _ALL or spelled in _ALL or " ".join(_bare(words)) in _ALL


def _bare(words: list[str]) -> list[str]:
    """The words that matter, each once."""
    return list(dict.fromkeys(word for word in words if word not in _POLITE))


def _plain(text: str, unseen: str = "") -> str:
    """Small letters without accents, words with single blanks between them; `unseen` is what stands for marks that nobody sees, such as a soft hyphen."""
    apart = unicodedata.normalize("NFKD", re.sub(r"(?<=\w)['’`´](?=t\b)", "", text)).casefold()
    seen = "".join(unseen if unicodedata.category(letter) == "Cf" else letter for letter in unicodedata.normalize("NFKD", apart))
    return " ".join(re.sub(r"[\W_]+", " ", "".join(letter for letter in seen if not unicodedata.combining(letter))).split())


_ALL = frozenset(_plain(word) for words in ALONE.values() for word in words)
