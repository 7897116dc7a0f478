"""Words that end messages, and the size of an SMS."""

import pytest

from console.core.sms_text import size_of
from console.core.stop_words import asks_again, is_stop
from tests.tables import cases


@cases("text", [
    "STOP", "Stop pls", "stopp!", "ARRÊT", "Baja.", "unsubscribe", "please unsubscribe me", "Don't call me again", "don’t call",
    "Opt out", "STOP ALL", "Please stop", "abmelden bitte", "I said: stop calling me!!", "СТОП", "S\u200bTOP", "ST\u00adOP", "STOP\u200bplease",
    "𝐒𝐓𝐎𝐏", "🅂🅃🄾🄿", "S.T.O.P.", "Stop! Stop!", "STOP 🛑", "STOP SMS", "STOP 36180", "Stop this", "stop\n\nSent from my iPhone", "Stop!\nJonas",
    "Why do you not unsubscribe me?", "You don't unsubscribe me!", "Don't unsubscribe me, no: unsubscribe", "I don't want this, unsubscribe me",
    "STOP. I am not interested", "Stop! Who is this?", "STOP - Jonas", "Stop (sorry)", "Please remove me", "No more texts, please", "Keine SMS mehr!",
    "Stoppa", "Στοπ", "STOP au 36111", "Leave me alone", "No thanks, stop", "No thanks. STOP", "Nein danke, STOP", "Ok stop", "Hi, STOP", "ne, stop", "Reply STOP",
    "No thanks, please stop emailing me.", "Ich möchte mich abmelden",
    "Arrêtez", "stoppen", "İPTAL", "Wypisz mnie", "Nebesiųskite", "LÕPETAGE",
    "I don't want any more emails from you.", "Please do not email me again", "I no longer wish to receive these.", "Bitte nicht mehr anschreiben.",
    "Merci de ne plus m'envoyer de mails", "Je ne souhaite plus recevoir vos messages", "Por favor, no me envíen más correos", "Non mandatemi più email",
    "Prašau daugiau nerašyti", "Labas, neberašykite man", "Geen mails meer a.u.b.", "Não quero mais receber isto",
    "I don't want no more texts", "No more messages please", "Please stop the emails", "Do not send me emails", "Never email me again", "Bitte nicht mehr kontaktieren", "Keine Werbung mehr",
    "Ich möchte keine E-Mails mehr erhalten", "Ne me contactez plus", "Arrêtez de m'envoyer des SMS", "Dejen de escribirme", "Quiero darme de baja", "Non voglio più ricevere email",
    "Não quero receber mais emails", "Ik wil geen mails meer ontvangen", "Proszę mnie wypisać", "Nerašykite man daugiau", "Больше не пишите", "You do not email me again!",
    "🛑", "⛔️ 🚫", "退订", "توقف", "إلغاء", "הסר", "수신거부", "रोकें", "หยุด", "HỦY",
])  # fmt: skip
def test_these_end_messages(text: str) -> None:
    assert is_stop(text)


@cases(
    "text",
    [
        "",
        "...",
        "Stop by the office tomorrow",
        "I get off at Main Street, next stop",
        "Yes, do go on, there is no need for you to stop",
        "Ich will mich nicht abmelden",
        "I can't stop writing poems",
        "Ok",
        "Can we cancel my appointment?",
        "The end is near",
        "Yes, call me",
        "bus stop at five",
        "please don't stop",
        "Stop 5 pm\nat the bus",
        "STOP please don't stop",
        "Stop-over in Riga?",
        "Stop, look and listen",
        "Non-stop. Thank you",
        "👍",
        "✋",
        "please don't unsubscribe me",
        "I do not want to unsubscribe",
        "Don’t ever stop sending these",
        "I don't want you to remove me from the list",
        "I don't want any more coffee, but send me the offer",
        "Do not send me any more details by post, e-mail is fine",
        "Nebenoriu laukti, rašykite",
        "Please stop by our office",
        "I don't want any more delays with my order",
        "No more questions, thanks",
        "If you do not email me the invoice by Friday I cannot pay",
        "They do not email me back",
        "We do not call it that",
        "Please do not email the contract to my old address",
        "I no longer want to receive paper invoices",
        "I get no more emails from you, why?",
        "Ich kann heute nicht mehr schreiben, bis morgen",
        "Ich bekomme keine Mails mehr von Ihnen, warum?",
        "Ich habe keine weiteren Nachrichten bekommen",
        "Je veux plus recevoir le colis jeudi",
        "Ne m'envoyez plus la facture par la poste",
        "No me envíen más de dos unidades",
        "Non mandatemi più di due pacchi",
        "Ik heb geen mails meer ontvangen sinds maandag",
        "Nebenoriu gauti prekės, ar galima grąžinti?",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not is_stop(text)


@cases("text, again", [("START", True), (" unstop! ", True), ("Start date?", False), ("STOP", False), ("", False)])
def test_who_wants_messages_again_is_heard_as_that_and_as_nothing_else(text: str, again: bool) -> None:
    assert (asks_again(text), again and is_stop(text)) == (again, False)


@pytest.mark.parametrize(
    ("text", "segments", "plain"),
    [("", 1, True), ("a" * 160, 1, True), ("a" * 161, 2, True), ("€" * 80, 1, True), ("€" * 81, 2, True), ("ż" * 70, 1, False),
     ("ż" * 71, 2, False), ("😀" * 35, 1, False), ("😀" * 36, 2, False), ("a" * 152 + "€" + "a" * 160, 3, True)],
)  # fmt: skip
def test_segments_are_counted_as_networks_do(text: str, segments: int, plain: bool) -> None:
    size = size_of(text)
    assert (size.segments, size.plain) == (segments, plain)
