"""What a person wrote in an answer, apart from our letter below it, and which mails are reports of a server."""

from datetime import UTC, datetime

import pytest

from console.core.stop_words import is_stop
from console.messaging.channels import mail_reports
from console.messaging.channels.base import Answer, Letter, Receipt
from console.messaging.providers.smtp import composed
from tests.tables import cases

OURS = "Hello Sam,\n\nshall we call?\n\nUnsubscribe: http://console.example/unsubscribe/msg_01m8bab7drej7s7b1yhynfyp4z.vVKH\n"
HEAD = "From: Fernwick Pay <hello@fernwick.example>\nSent: Thursday, 26 November 2026 07:58\nTo: Sam\nSubject: For Sam\n\n"
PAGE = (
    '<div>{0}</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> Fernwick Pay<br><b>Subject:</b> For Sam</div>'
    '<p>Hello Sam</p><p><a href="http://console.example/unsubscribe/msg_1.x">Unsubscribe</a></p>'
)
REPEATED = {
    "Outlook": f"{{0}}\n\n-----Original Message-----\n{HEAD}{OURS}",
    "Outlook of today": f"{{0}}\n\n________________________________\n{HEAD}{OURS}",
    "Outlook in German": f"{{0}}\n\nVon: Fernwick Pay\nGesendet: Donnerstag\nAn: Sam\nBetreff: For Sam\n\n{OURS}",
    "without marks": f"{{0}}\n\nOn 26 Nov 2026, at 07:58, Fernwick Pay <hello@fernwick.example> wrote:\n\n{OURS}",
    "over two lines": f"{{0}}\n\nOn Thu, Nov 26, 2026 at 7:58 AM Fernwick Pay\n<hello@fernwick.example> wrote:\n\n{OURS}",
    "Polish": f"{{0}}\n\nW dniu 26.11.2026 o 07:58, Fernwick Pay pisze:\n\n{OURS}",
    "marked": "{0}\n\n" + "".join(f"> {line}\n" for line in OURS.splitlines()),
    "a page": PAGE,
    "a page of a desktop": PAGE.replace(
        'id="appendonsend"', "style='border:none;border-top:solid #E1E1E1 1.0pt'"
    ),
    "a page without names": "{0}<br><br><p>Hello Sam</p><a href='http://console.example/unsubscribe/msg_1.x'>Unsubscribe</a>",
}


@pytest.mark.parametrize("form", REPEATED.values(), ids=REPEATED)
@cases("said", ["Yes, please call me at 10:00", "stop"])
def test_an_answer_is_what_they_wrote_and_not_our_letter_below_it(form: str, said: str) -> None:
    kind = "html" if form.startswith(("<", "{0}<")) else "plain"
    raw = f"From: sam@post.example\nSubject: Re: For Sam\nContent-Type: text/{kind}; charset=utf-8\n\n{form.format(said)}"
    answer = mail_reports.read(raw.encode())
    assert isinstance(answer, Answer)
    assert answer.text.startswith(said)
    assert "nsubscribe" not in answer.text
    assert is_stop(answer.text) is (said == "stop")


@cases(
    "said",
    [
        "Times at 10:00 and at ada@post.example:\n26 Nov\n27 Nov",
        "----------\nFrom: Vilnius\nTo: Riga\n26.11.2026:\nwindow",
        "Below\n> ours\nabove",
    ],
)
def test_words_of_their_own_are_not_cut(said: str) -> None:
    answer = mail_reports.read(f"From: sam@post.example\nContent-Type: text/plain\n\n{said}".encode())
    assert isinstance(answer, Answer)
    assert answer.text == said.replace("> ours\n", "")


def test_no_text_of_a_letter_begins_a_header_of_its_own_and_its_link_stands_as_it_is() -> None:
    texts = {
        "subject": "For Eve\r\nBcc: x@y.example\x00",
        "reply_to": "a@b.example\nBcc: x@y.example",
        "text": "Hello",
    }
    link = f"https://console.example/unsubscribe/msg_{'0' * 26}.{'x' * 64}"
    letter = Letter(
        "msg_" + "0" * 26, "email", "eve@post.example", texts, unsubscribe=link, at=datetime.now(UTC)
    )
    head = composed(letter, "Fernwick Pay <hello@fernwick.example>").as_bytes().partition(b"\n\n")[0].decode()
    told = [
        line
        for line in head.splitlines()
        if line.startswith(("Subject", "Reply-To", "Bcc", "List-Unsubscribe:"))
    ]
    assert told == [
        "Subject: For Eve Bcc: x@y.example",
        "Reply-To: a@b.example Bcc: x@y.example",
        f"List-Unsubscribe: <{link}>",
    ]


@cases(
    "subject, body, stops, shown",
    [
        ("=?utf-8?B?U1RPUA==?=", "", True, "STOP"),
        ("=?iso-8859-1?Q?Arr=EAt?=", "", True, "Arrêt"),
        ("=?utf-8?Q?D=C3=A9sabonner?=", "Envoyé de mon iPhone", True, "Désabonner\n\nEnvoyé de mon iPhone"),
        ("Unsubscribe", "-- \nSam", True, "Unsubscribe\n\n-- \nSam"),
        ("Re: Stop", "Yes, call me", False, "Yes, call me"),
        ("Cancel", "my order of Monday, please", False, "my order of Monday, please"),
        ("=?utf-8?B?U1RP?= =?undefined?Q?x?= =?idna?Q?y?=", "", False, "STO"),
        ("=?utf-8?B?U1RPU?=", "", False, "=?utf-8?B?U1RPU?="),
    ],
)
def test_a_subject_is_read_as_people_see_it_and_may_end_messages(
    subject: str, body: str, stops: bool, shown: str
) -> None:
    answer = mail_reports.read(
        f"From: sam@post.example\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}".encode()
    )
    assert isinstance(answer, Answer)
    assert (answer.text, is_stop(answer.text)) == (shown, stops)


REPORT = "From: {0}\nContent-Type: multipart/report; boundary=b\n\n--b\n\nIt was.\n--b\nContent-Type: message/{1}\n\nReporting-MTA: dns; m\n\n{2}\n\n--b\n{3}--b--\n"


def test_that_a_mail_was_read_is_nobody_s_answer() -> None:
    raw = REPORT.format(
        "sam@post.example",
        "disposition-notification",
        "Disposition: manual-action/MDN-sent-manually; displayed",
        "",
    )
    assert mail_reports.read(raw.encode()) is None


LETTER = f"Received: by mx.example\nMessage-ID: <msg_{'0' * 26}@a.example>\nTo: sam@post.example\n\nHello"
OF_OLD = {
    "qmail": f"Return-Path: <>\nFrom: MAILER-DAEMON@mx\nSubject: failure notice\n\nHi. This is the qmail-send program at mx.\nI'm afraid I wasn't able to deliver your message.\n\n<sam@post.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n{LETTER}",
    "Exim": f"X-Failed-Recipients: sam@post.example\nAuto-Submitted: auto-replied\nFrom: Mail Delivery System <Mailer-Daemon@mx>\nSubject: Mail delivery failed\n\nThis message was created automatically.\n\n  sam@post.example\n    host mx.example [192.0.2.1]: 550 no such user (#5.1.1)\n\n------ This is a copy of the message. ------\n\n{LETTER}",
}
OF_OLD |= {
    "GMX": f"Return-Path: <>\nFrom: GMX <mailer-daemon@gmx.example>\nAuto-Submitted: auto-replied\nSubject: Mail delivery failed\n\nThe following address failed:\n\nsam@post.example:\nhost mx.example: 550 no such user (#5.1.1)\n\n--- The header of the original message is following. ---\n\n{LETTER}",
    "Yahoo": f"From: MAILER-DAEMON@mail.example\nSubject: Failure Notice\n\nSorry, we were unable to deliver your message.\n\n<sam@post.example>:\n552: 1 mailbox not there (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n{LETTER}",
    "attached": f"From: postmaster@corp.example\nSubject: Undeliverable: Hello\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nYour message did not reach:\n 550 (#5.1.1)\n--b\nContent-Type: message/rfc822\n\n{LETTER}\n--b--",
}


@pytest.mark.parametrize("raw", OF_OLD.values(), ids=OF_OLD)
def test_a_report_in_words_is_a_report(raw: str) -> None:
    told = mail_reports.read(raw.encode())
    assert isinstance(told, Receipt)
    assert (told.handed.outcome, told.message_id, told.certain) == ("failed", "msg_" + "0" * 26, False)
    assert told.handed.reason.endswith("(#5.1.1)")
    assert not isinstance(mail_reports.read(raw.replace("msg_", "theirs_").encode()), Receipt), (
        "of a letter that is not ours"
    )


@cases(
    "head, body, shown",
    [
        ("text/plain; charset=iso-8859-1", "„Stop“ – Grüße".encode("cp1252"), "„Stop“ – Grüße"),
        ("text/plain", "Bitte löschen".encode("latin-1"), "Bitte löschen"),
        ("text/plain; charset=us-ascii", "Bitte löschen".encode(), "Bitte löschen"),
        ("text/plain; charset=gb2312", "请退订，謝謝".encode("gb18030"), "请退订，謝謝"),
        (
            "text/plain; charset=iso-2022-jp",
            "配信停止してください".encode("iso-2022-jp"),
            "配信停止してください",
        ),
        ("text/html; charset=windows-1251", "<p>Отпишите меня</p>".encode("cp1251"), "Отпишите меня"),
    ],
)
def test_an_answer_is_read_in_the_letters_that_programs_mean(head: str, body: bytes, shown: str) -> None:
    answer = mail_reports.read(
        f"From: sam@post.example\nSubject: Re: Hello\nContent-Type: {head}\n\n".encode() + body
    )
    assert isinstance(answer, Answer)
    assert answer.text == shown


CALENDAR = 'Content-Type: multipart/alternative; boundary="b"\n\n--b\nContent-Type: text/plain\n\n{0}\n--b\nContent-Type: text/calendar; method={1}\n\nBEGIN:VCALENDAR\n--b--\n'


@cases(
    "mail, answers",
    [
        ("Subject: Automatic reply: Your offer\n\nI am away until Monday.", False),
        ("Subject: =?utf-8?Q?R=C3=A9ponse_automatique_=3A_Offre?=\n\nJe suis absent.", False),
        ("Subject: Abwesenheitsnotiz: Ihr Angebot\n\nIch bin nicht da.", False),
        ("Subject: =?utf-8?q?Automatinis_atsakymas=3A?= Hello\n\nAtostogauju.", False),
        ("Subject: =?utf-8?q?Automatick=C3=A1_odpov=C4=9B=C4=8F=3A?= Hello\n\nNejsem tu.", False),
        ("Subject: =?utf-8?q?Otomatik_yan=C4=B1t=3A?= Hello\n\nYokum.", False),
        ("Subject: =?utf-8?q?R=C4=83spuns_automat=3A?= Hello\n\nSunt plecat.", False),
        ("Subject: Automaattinen vastaus: Hello\n\nPoissa.", False),
        ("Subject: Away\nPrecedence: auto-reply\n\nAway.", False),
        ("Subject: Accepted: Call on Monday\n" + CALENDAR.format("Sam has accepted.", "REPLY"), False),
        ("Subject: Call on Monday\n" + CALENDAR.format("Let us talk.", "REQUEST"), True),
        ("Subject: Re: Automatic reply: Your offer\n\nI am back now.", True),
        ("Subject: Automatic for the people\n\nYes, call me.", True),
        ("Subject: Declined: Call on Monday\n" + CALENDAR.format("STOP", "REPLY"), True),
    ],
)
def test_a_notice_that_somebody_is_away_or_took_a_meeting_is_no_answer(mail: str, answers: bool) -> None:
    """A run that waits for an answer would go on by it."""
    assert (mail_reports.read(f"From: sam@post.example\n{mail}".encode()) is not None) is answers
