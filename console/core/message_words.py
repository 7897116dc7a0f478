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
    }
)
_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": _EN,
        "de": {
            "unsubscribe": "Abmelden",
            "ai": "Guten Tag, dies ist ein automatischer Anruf eines KI-Assistenten.",
            "title": "Ihre Nachrichten",
            "lead": "Wählen Sie, was Sie nicht mehr erhalten möchten. Es gilt sofort.",
            "email": "E-Mail",
            "sms": "SMS",
            "call": "Anrufe",
            "ai_call": "Anrufe durch eine KI",
            "ended": "Sie erhalten keine",
            "end": "Gewählte beenden",
            "all": "Alle Nachrichten beenden",
            "done": "Erledigt. Sie erhalten diese Nachrichten nicht mehr.",
            "none": "Noch ist nichts beendet: Kreuzen Sie an, was Sie nicht mehr erhalten möchten, oder beenden Sie alle Nachrichten.",
            "gone": "Dieser Link ist nicht in Gebrauch.",
        },
        "fr": {
            "unsubscribe": "Se désabonner",
            "ai": "Bonjour, ceci est un appel automatique d’un assistant IA.",
            "title": "Vos messages",
            "lead": "Choisissez ce que vous ne souhaitez plus recevoir. Cela prend effet immédiatement.",
            "email": "E-mail",
            "sms": "SMS",
            "call": "Appels",
            "ai_call": "Appels par une IA",
            "ended": "Vous n’en recevez pas",
            "end": "Arrêter ceux choisis",
            "all": "Arrêter tous les messages",
            "done": "C’est fait. Vous ne recevrez plus ces messages.",
            "none": "Rien n’est encore arrêté : cochez ce que vous ne souhaitez plus recevoir, ou arrêtez tous les messages.",
            "gone": "Ce lien n’est pas utilisé.",
        },
        "lt": {
            "unsubscribe": "Atsisakyti",
            "ai": "Sveiki, tai automatinis dirbtinio intelekto asistento skambutis.",
            "title": "Jūsų pranešimai",
            "lead": "Pasirinkite, ko nebenorite gauti. Tai įsigalioja iš karto.",
            "email": "El. paštas",
            "sms": "SMS",
            "call": "Skambučiai",
            "ai_call": "Dirbtinio intelekto skambučiai",
            "ended": "Jų negaunate",
            "end": "Atsisakyti pasirinktų",
            "all": "Atsisakyti visų pranešimų",
            "done": "Atlikta. Šių pranešimų daugiau negausite.",
            "none": "Dar nieko neatsisakyta: pažymėkite, ko nebenorite gauti, arba atsisakykite visų pranešimų.",
            "gone": "Ši nuoroda nenaudojama.",
        },
        "es": {"unsubscribe": "Darse de baja", "ai": "Hola, esta es una llamada automática de un asistente de IA."},
        "it": {"unsubscribe": "Annulla iscrizione", "ai": "Buongiorno, questa è una chiamata automatica di un assistente IA."},
        "nl": {"unsubscribe": "Afmelden", "ai": "Hallo, dit is een automatische oproep van een AI-assistent."},
        "pl": {"unsubscribe": "Wypisz się", "ai": "Dzień dobry, to automatyczne połączenie od asystenta AI."},
        "sv": {"unsubscribe": "Avsluta utskick", "ai": "Hej, det här är ett automatiskt samtal från en AI-assistent."},
    }
)


def words_in(language: str | None) -> Mapping[str, str]:
    """The words in this language, each in English where it is not here."""
    return {**_EN, **_WORDS.get((language or "en").lower()[:2], {})}


def announced(script: str, language: str | None) -> str:
    """The script of a call that says in its first sentence that an AI calls. Source: Regulation (EU) 2024/1689 art. 50(1)."""
    first = script.replace("!", ".").replace("?", ".").partition(".")[0].casefold()
    said = any(
        word in f" {first} ".replace(",", " ")
        for word in (" ai ", " a.i", "artificial intelligence", " ki ", "ki-", " ia ", "künstliche", "dirbtinio intelekto", "robot")
    )
    return script if said else f"{words_in(language)['ai']} {script}".strip()
