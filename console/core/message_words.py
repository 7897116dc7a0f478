"""Fixed words in messages and pages for people outside, by language; English where the language is not here."""

from collections.abc import Mapping
from types import MappingProxyType

_EN: Mapping[str, str] = MappingProxyType(
    {
        "unsubscribe": "Unsubscribe",
        "ai": "Hello, this is an automated call by an AI assistant.",
        "title": "Your messages",
        "lead": "Choose what you no longer want to get. It takes effect at once.",
        "email": "E-mail",
        "sms": "SMS",
        "call": "Calls",
        "ai_call": "Calls by an AI",
        "ended": "You get none",
        "end": "End the chosen ones",
        "all": "End all messages",
        "done": "Done. You will not get these messages any more.",
        "none": "Nothing is ended yet: tick what you no longer want to get, or end all messages.",
        "gone": "This link is not in use.",
        "wait": "Too many wrong links from your address. Wait half a minute and open yours again.",
    }
)
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": _EN,
        "de": {
            "unsubscribe": "Abmelden",
            "ai": "Guten Tag, dies ist ein automatischer Anruf eines KI-Assistenten.",
            "title": "Ihre Nachrichten",
            "lead": "Wählen Sie aus, was Sie nicht mehr erhalten möchten. Ihre Auswahl gilt sofort.",
            "email": "E-Mail",
            "sms": "SMS",
            "call": "Anrufe",
            "ai_call": "Anrufe durch eine KI",
            "ended": "Abbestellt",
            "end": "Auswahl abbestellen",
            "all": "Alles abbestellen",
            "done": "Erledigt. Sie erhalten diese Nachrichten nicht mehr.",
            "none": "Noch ist nichts abbestellt: Wählen Sie aus, was Sie nicht mehr erhalten möchten, oder bestellen Sie alles ab.",
            "gone": "Dieser Link ist ungültig.",
            "wait": "Zu viele ungültige Links von Ihrer Adresse. Warten Sie eine halbe Minute und öffnen Sie Ihren Link noch einmal.",
        },
        "fr": {
            "unsubscribe": "Se désabonner",
            "ai": "Bonjour, il s’agit d’un appel automatisé passé par un assistant IA.",
            "title": "Vos messages",
            "lead": "Choisissez ce que vous ne souhaitez plus recevoir. Votre choix prend effet immédiatement.",
            "email": "E-mail",
            "sms": "SMS",
            "call": "Appels",
            "ai_call": "Appels passés par une IA",
            "ended": "Vous n’en recevez plus",
            "end": "Ne plus recevoir la sélection",
            "all": "Ne plus rien recevoir",
            "done": "C’est fait. Vous ne recevrez plus ces messages.",
            "none": "Rien n’a encore changé : cochez ce que vous ne souhaitez plus recevoir, ou choisissez « Ne plus rien recevoir ».",
            "gone": "Ce lien n’est pas valide.",
            "wait": "Trop de liens non valides depuis votre adresse. Patientez une demi-minute, puis rouvrez le vôtre.",
        },
        "lt": {
            "unsubscribe": "Atsisakyti pranešimų",
            "ai": "Sveiki, jums automatiškai skambina dirbtinio intelekto asistentas.",
            "title": "Jūsų pranešimai",
            "lead": "Pažymėkite, ko nebenorite gauti. Pasirinkimas įsigalioja iš karto.",
            "email": "El. laiškai",
            "sms": "SMS žinutės",
            "call": "Skambučiai",
            "ai_call": "Dirbtinio intelekto skambučiai",
            "ended": "Nebegaunate",
            "end": "Atsisakyti pažymėtų",
            "all": "Atsisakyti visų pranešimų ir skambučių",
            "done": "Atlikta. To, ko atsisakėte, nebegausite.",
            "none": "Kol kas nieko neatsisakėte: pažymėkite, ko nebenorite gauti, arba atsisakykite visų pranešimų ir skambučių.",
            "gone": "Ši nuoroda negalioja.",
            "wait": "Iš jūsų adreso atverta per daug negaliojančių nuorodų. Palaukite pusę minutės ir vėl atverkite savąją.",
        },
        "es": {
            "unsubscribe": "Darse de baja",
            "ai": "Hola, esta es una llamada automática de un asistente de IA.",
        },
        "it": {
            "unsubscribe": "Annulla iscrizione",
            "ai": "Buongiorno, questa è una chiamata automatica di un assistente IA.",
        },
        "nl": {"unsubscribe": "Afmelden", "ai": "Hallo, u wordt automatisch gebeld door een AI-assistent."},
        "pl": {"unsubscribe": "Wypisz się", "ai": "Dzień dobry, to automatyczne połączenie od asystenta AI."},
        "sv": {
            "unsubscribe": "Avregistrera dig",
            "ai": "Hej, det här är ett automatiskt samtal från en AI-assistent.",
        },
    }
)


def words_in(language: str | None) -> Mapping[str, str]:
    """The words in this language, each in English where it is not here."""
    return {**_EN, **_WORDS.get((language or "en").lower()[:2], {})}


def whole_language(language: str | None) -> str:
    """The language in which a whole page is shown to who reads this one."""
    asked = (language or "en").lower()[:2]
    return asked if "title" in _WORDS.get(asked, {}) else "en"


def announced(script: str, language: str | None) -> str:
    """The script of a call that says in its first sentence that an AI calls. Source: Regulation (EU) 2024/1689 art. 50(1)."""
    first = script.replace("!", ".").replace("?", ".").partition(".")[0].casefold()
    said = any(
        word in f" {first} ".replace(",", " ")
        for word in (
            " ai ",
            " ai-",
            " a.i",
            "artificial intelligence",
            " ki ",
            "ki-",
            " ia ",
            "künstliche",
            "dirbtini",
            "robot",
        )
    )
    return script if said else f"{words_in(language)['ai']} {script}".strip()
