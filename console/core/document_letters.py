"""Fixed texts to people outside the company, in each language of a document request."""

from collections.abc import Mapping
from types import MappingProxyType

OUTSIDE: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "title": "Documents needed",
            "for": "For {name}",
            "until": "This link works until {until}. You can stop and come back to it.",
            "needed": "Needed",
            "optional": "If you have it",
            "missing": "Missing",
            "received": "Received",
            "progress": "{there} of {all} documents are here.",
            "takes": "{kinds}, at most {mb} MB each.",
            "choose": "Choose a file",
            "upload": "Send the file",
            "away": "Take away",
            "details": "Details",
            "save": "Save and come back later",
            "send": "Submit",
            "saved": "Saved. You can close this page and come back with the same link.",
            "wrong": "Not sent off yet: please look at what is marked below.",
            "done": "Thank you, everything has been sent off.",
            "done_more": "Nothing more is needed from you. If something is wrong, answer the letter that brought you here.",
            "link": "Send the documents here, no account is needed:",
            "letter_until": "The link works until {until}. It is for you alone: whoever has it can send documents in your name.",
            "reminder": "Reminder: {subject}",
            "still": "Still missing:",
            "is_missing": "{label} is missing.",
        },
        "de": {
            "title": "Unterlagen benötigt",
            "for": "Für {name}",
            "until": "Dieser Link gilt bis {until}. Sie können unterbrechen und später zurückkommen.",
            "needed": "Benötigt",
            "optional": "Falls vorhanden",
            "missing": "Fehlt",
            "received": "Eingegangen",
            "progress": "{there} von {all} Unterlagen sind da.",
            "takes": "{kinds}, je höchstens {mb} MB.",
            "choose": "Datei auswählen",
            "upload": "Datei senden",
            "away": "Entfernen",
            "details": "Angaben",
            "save": "Speichern und später weitermachen",
            "send": "Absenden",
            "saved": "Gespeichert. Sie können die Seite schließen und mit demselben Link zurückkommen.",
            "wrong": "Noch nicht abgesendet: bitte sehen Sie sich die markierten Stellen an.",
            "done": "Vielen Dank, alles ist abgesendet.",
            "done_more": "Sie müssen nichts weiter tun. Stimmt etwas nicht, antworten Sie bitte auf das Schreiben, mit dem Sie hierher kamen.",
            "link": "Senden Sie die Unterlagen hier, ein Konto ist nicht nötig:",
            "letter_until": "Der Link gilt bis {until}. Er ist nur für Sie: wer ihn hat, kann in Ihrem Namen Unterlagen senden.",
            "reminder": "Erinnerung: {subject}",
            "still": "Es fehlen noch:",
            "is_missing": "{label} fehlt.",
        },
    }
)
"""Language → name → text; every language has every name."""
