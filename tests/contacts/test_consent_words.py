"""What headings and cells of lists that others have written say about consent, in their languages."""

import io
from dataclasses import replace

import pytest

from console.contacts import consent_columns, consent_words, contact_files, import_batches, unused_columns
from console.contacts.consent_words import EVERY, NO, NOT, NOT_TOLD, WITHDRAWN, YES, compared_cell
from console.contacts.headings import plain
from console.core.documents.collections import Field
from console.errors import Invalid
from tests.company import Company
from tests.contacts.test_opted_out_lines import club
from tests.tables import cases

__all__ = ["club"]
CHANNELS = ("email", "sms", "call", "ai_call")


@cases("heading, channel", [
    ("Newsletter-Einwilligung", "email"), ("Einwilligung Telefon", "call"), ("Samtykke e-post", "email"), ("Acepta SMS", "sms"), ("Consentement e-mail", "email"),
    ("Acepta recibir correos", "email"), ("Toestemming e-mail", "email"), ("Согласие на email", "email"), ("Nyhetsbrev", "email"), ("Subscription status: Newsletter", "email"), ("SMS consent", "sms"),
    ("メルマガ配信", "email"), ("メール配信希望", "email"), ("短信订阅", "sms"), ("이메일 수신동의", "email"), ("E-posta izni", "email"), ("SMS İzni", "sms"), ("الموافقة على البريد الإلكتروني", "email"), ("Newsletter erwünscht", "email"), ("Anruf erlaubt", "call"),
    ("수신동의", None), ("İzin", None), ("Kontakt erlaubt", None), ("Emailable", None), ("Newsletter unerwünscht", None), ("メルマガ配信停止", None),
    ("E-Mail/SMS Einwilligung", None), ("Einwilligung", None), ("Datum der Einwilligung E-Mail", None), ("Einwilligung E-Mail Quelle", None), ("Unsubscribe newsletter", None), ("Newsletter abgemeldet", None),
])  # fmt: skip
def test_a_heading_says_who_agreed_to_one_channel_in_many_languages(heading: str, channel: str | None) -> None:
    assert consent_words.agreed(plain(heading), CHANNELS) == channel


@cases("heading, part", [
    ("Quelle der Einwilligung", "source"), ("Einwilligungsquelle", "source"), ("Origine du consentement", "source"), ("Origen del consentimiento", "source"), ("Bron toestemming", "source"), ("Kilde for samtykke", "source"), ("Źródło zgody", "source"),
    ("Datum der Einwilligung", "at"), ("Einwilligungsdatum", "at"), ("Zustimmung am", "at"), ("Date du consentement", "at"), ("Fecha de consentimiento", "at"), ("Data zgody", "at"), ("Дата согласия", "at"), ("GDPR date", "at"),
    ("Einwilligungstext", "text_version"), ("Version des Einwilligungstexts", "text_version"), ("Consent text", "text_version"), ("Einwilligung", None), ("Datum", None), ("Quelle", None), ("Date d'inscription", None), ("Datum des Widerrufs", None),
    ("Datum der Einwilligung E-Mail", None), ("Consent IP", None), ("Einwilligung nach Datum und Quelle", None),
])  # fmt: skip
def test_a_heading_says_what_is_known_about_a_consent_in_many_languages(heading: str, part: str | None) -> None:
    assert consent_words.told_beside(plain(heading)) == part


@cases("heading, channel", [
    ("Werbewiderspruch", EVERY), ("Abgemeldet am", EVERY), ("Reservert mot markedsføring", EVERY), ("Baja", EVERY), ("No contactar", EVERY), ("Désabonné le", EVERY), ("Opposition", EVERY),
    ("Keine Anrufe", "call"), ("Ne pas appeler", "call"), ("Refus SMS", "sms"), ("Nyhetsbrev avmeldt", "email"), ("Widerspruch E-Mail und SMS", EVERY), ("UNSUB_TIME", EVERY), ("CLEAN_TIME", "email"),
    ("Unsubscribe newsletter", "email"), ("Email hard bounce reason", "email"), ("Opted out of email: Marketing Information", "email"),
    ("HasOptedOutOfEmail", "email"), ("HasOptedOutOfSMS", "sms"), ("SMSOptOut", "sms"), ("Email_Opt_Out__c", "email"), ("HASOPTEDOUTOFEMAIL", "email"), ("DoNotCall", "call"), ("DONOTCALL", "call"), ("Do not allow Bulk Emails", "email"), ("Do not allow Phone Calls", "call"), ("donotbulkemail", "email"),
    ("E-Mails nicht zulassen", "email"), ("Telefonanrufe nicht zulassen", "call"), ("Do Not Text", "sms"), ("Prospect Do Not Email", "email"), ("smsOptOut", "sms"), ("isUnsubscribed", EVERY), ("DNC", EVERY), ("Black Listed", EVERY),
    ("Email Globally Unsubscribed", "email"), ("Marked email as spam", "email"), ("Do not send marketing materials", EVERY), ("HasOptedOutOfFax", None), ("Do Not Contact Reason", None), ("Do not allow Faxes", None),
    ("配信停止", EVERY), ("メルマガ配信停止", "email"), ("退订", EVERY), ("短信退订", "sms"), ("수신거부", EVERY), ("이메일 수신 거부", "email"), ("إلغاء الاشتراك", EVERY), ("Newsletter unerwünscht", "email"), ("Do not send", EVERY),
    ("EMAIL_BLOCKLISTED", "email"), ("Email Suppressions", "email"), ("SMS Suppressions", "sms"), ("Has hard bounced", "email"), ("*Bounced Hard", "email"), ("Confirmed Opt-Out Date", EVERY), ("Confirmed Opt-Out Reason", None), ("SMS_BLOCKLISTED", "sms"), ("UNSUB_REASON", None), ("Fax Opt Out", None), ("Phone No", None), ("No. Contact", None), ("Ring", None), ("Telefonnummer", None), ("Nombre", None),
])  # fmt: skip
def test_a_heading_says_who_wants_nothing_in_many_languages(heading: str, channel: str | None) -> None:
    assert consent_words.refused(plain(heading)) == channel


def test_a_cell_says_yes_no_or_nothing_in_many_languages_and_what_databases_write_for_nothing_is_no_opt_out() -> None:
    assert {compared_cell(cell) for cell in ("JA", "Oui", "sí", "WAHR", "VRAI", "Verdadero", "Opted-In", "subscribed", "påmeldt")} <= YES
    assert {compared_cell(cell) for cell in ("Nein", "NON", "Nei", "nej", "FALSCH", "faux", "нет", "0")} <= NOT - NOT_TOLD
    assert not consent_words.SUBSCRIBED & NO
    assert {compared_cell(cell) for cell in ("NULL", "\\N", "n/a", "", "0000-00-00 00:00:00")} <= NOT_TOLD
    assert {compared_cell(cell) for cell in ("Opted-out", "opt_out", "Abgemeldet", "Désabonné", "Baja", "avmeldt")} <= WITHDRAWN <= NO
    assert not YES & NO


@cases("cell, in_status, in_opt_out", [
    ("1.0", True, True), ("0.0", False, False), ("Do Not Allow", True, True), ("Allow", False, False), ("Nicht zulassen", True, True), ("Zulassen", False, False), ("Do not contact", True, True),
    ("Unsubscribed", True, True), ("yes", True, True), ("x", True, True), ("", False, False), ("no", False, False), ("Subscribed", False, False), ("Abonniert", False, False), ("not opted out", False, False),
    ("是", True, True), ("예", True, True), ("希望しない", True, True), ("希望する", False, None), ("退订", True, True), ("수신거부", True, True), ("동의", False, None), ("Hayır", False, False), ("Spam", True, True),
    ("Active", False, None), ("Aktiv", False, None), ("confirmed", False, None), ("Paused", None, True), ("yes, please", None, True), ("Too many mails", None, True), ("Cleaned", True, True), ("Hard bounced", True, True), ("Soft bounced", False, False), ("Not bounced", False, False), ("never", False, False), ("not unsubscribed", False, False), ("Valid", False, False), ("0%", False, False), ("Invalid", True, True), ("Suppressed", True, True), ("[]", False, False), ("checked", True, True),
])  # fmt: skip
def test_a_cell_says_whether_somebody_opted_out_or_nobody_knows(cell: str, in_status: bool | None, in_opt_out: bool | None) -> None:
    asked = {
        heading: consent_words.asks_who_refused(plain(heading)) for heading in ("Status", "Liste", "Opt-out", "Blocked", "Abgemeldet am")
    }
    assert list(asked.values()) == [False, False, True, True, True]
    assert (consent_words.opted_out(cell, asked=False), consent_words.opted_out(cell, asked=True)) == (in_status, in_opt_out)


@cases("cells, told", [
    (["Active", "Unsubscribed"], True), (["Active", "Active"], False), (["1", "0", "Spam"], False), (["Yes", "No", "Revoked"], False), (["Lead", "Customer", "Spam"], False), (["x", "Bounced"], False),
])  # fmt: skip
def test_a_column_of_states_says_who_left_unless_a_plain_yes_stands_in_it(cells: list[str], told: bool) -> None:
    assert consent_words.says_who_left("status", cells) is told


@cases("heading, cell", [
    ("メルマガ配信", "希望しない"), ("수신동의", "동의안함"), ("İzin", "Red"), ("الموافقة", "لا"), ("Werbung", "nein"), ("Kontakt erlaubt", "nein"), ("List status", "Spam"), ("Email Deliverability", "Bounced"), ("State", "Bounced"), ("Suppressed reason", "Complaint"), ("Suppressed reason", "Too many"),
    ("Emailable", "No"), ("Contactable", "No"), ("Privacy", "Decline"), ("deactivated", "03.03.2026"), ("Marketing allowed", "FALSE"), ("I agree to receive e-mail about offers", "false"), ("Would you like news by email?", "No"),
])  # fmt: skip
def test_a_column_that_may_say_who_wants_nothing_is_named(heading: str, cell: str) -> None:
    assert consent_words.may_be_about_consent(heading, [cell])
    assert not any(consent_words.may_be_about_consent(known, [cell]) for known in ("Colour", "電話番号") if cell in ("Red", "nein", "No"))
    assert not consent_words.may_be_about_consent("UNSUB_REASON", ["Too many"], told=True), "another column says who"


def test_columns_that_may_be_about_consent_are_told_and_named_before_everybody_is_said_to_have_agreed(company: Company) -> None:
    lines = b"name,email,stage,GDPR,Liste,MEMBER_RATING\nBo,bo@post.example,new,yes,Abgemeldet,2\n"
    found = import_batches.keep(company.olivia, "contact", io.BytesIO(lines))
    assert unused_columns.unused_columns(found.question, company.olivia.id) == (["GDPR", "Liste", "MEMBER_RATING"], ["GDPR", "Liste"])

    def send(told: dict[str, str]) -> import_batches.Import:
        same = {"everyone": ["sms"], "source": "fair"}
        return import_batches.send(
            company.olivia, "contact", io.BytesIO(lines), headings=told, match=None, change=False, same=same, preview=True
        )

    with pytest.raises(Invalid) as refused:
        send({"GDPR": ""})
    assert [each["field"] for each in refused.value.details] == ["columns.Liste"]
    assert send({"GDPR": "", "Liste": "optout:every"}).opted_out == 1


def test_who_opted_out_far_below_in_a_column_of_a_mailing_list_is_seen(company: Company) -> None:
    lines = "".join(f"N{n},n{n}@post.example,subscribed\n" for n in range(300))
    looked = import_batches.keep(
        company.olivia, "contact", io.BytesIO(f"Name,Email,List state\n{lines}Last,last@post.example,unsubscribed\n".encode())
    )
    assert (looked.question.columns["2"], looked.opted_out) == ("optout:every", 1)


def test_two_columns_of_when_they_agreed_do_not_shut_the_file_out(company: Company) -> None:
    lines = b"name,email,stage,SMS consent,consent source,consent date,OPTIN_TIME\nBo,bo@post.example,new,yes,fair,2026-05-01,2024-03-01 10:11:12\n"
    found = import_batches.keep(company.olivia, "contact", io.BytesIO(lines))
    assert (found.new, found.consents, contact_files.sample(found.question.file, company.olivia.id)[0][6]) == (1, 1, "OPTIN_TIME")


def test_a_file_in_german_tells_where_and_when_they_agreed(company: Company) -> None:
    lines = "name,email,stage,SMS-Einwilligung,Quelle der Einwilligung,Datum der Einwilligung\nBo,bo@post.example,new,Ja,Messe,03.11.2026\n"
    found = import_batches.keep(company.olivia, "contact", io.BytesIO(lines.encode()))
    assert (found.new, found.consents) == (1, 1)
    assert unused_columns.unused_columns(found.question, company.olivia.id) == ([], [])


@cases("zone, spelling, cell, at", [
    ("Europe/Vilnius", "day", "03.11.2026", "2026-11-02T22:00:00Z"), ("America/Denver", "day", "2026-11-03", "2026-11-03T07:00:00Z"),
    ("UTC", "month", "3.11.2026 10:00", "2026-11-03T10:00:00Z"), ("UTC", "day", "2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z"), ("UTC", "day", "soon", "soon"),
    ("Europe/Vilnius", "day", "2025-10-31 14:30", "2025-10-31T12:30:00Z"), ("Europe/Vilnius", "day", "2025-10-31T14:30:00+01:00", "2025-10-31T13:30:00Z"),
    ("Europe/Vilnius", "day", "2025-10-31 14:30:00 UTC", "2025-10-31T14:30:00Z"), ("UTC", "month", "10/31/2025", "2025-10-31T00:00:00Z"),
    ("UTC", "day", "31/10/2025", "2025-10-31T00:00:00Z"), ("UTC", "day", "05/06/2025", "2025-06-05T00:00:00Z"), ("UTC", "month", "05/06/2025", "2025-05-06T00:00:00Z"),
    ("UTC", "month", "10/31/2025 2:30 PM", "2025-10-31T14:30:00Z"), ("UTC", "month", "10/31/2025 12:05 a.m.", "2025-10-31T00:05:00Z"),
    ("UTC", "day", "2025/10/31", "2025-10-31T00:00:00Z"), ("UTC", "comma", "2025.10.31 9:05", "2025-10-31T09:05:00Z"), ("UTC", "day", "20251031", "2025-10-31T00:00:00Z"),
    ("UTC", "day", "31/13/2025", "31/13/2025"), ("Europe/Vilnius", "day", "01.01.0001", "01.01.0001"), ("America/Denver", "day", "31.12.9999 23:59", "31.12.9999 23:59"),
])  # fmt: skip
def test_days_and_times_of_a_consent_are_those_of_its_importer(zone: str, spelling: str, cell: str, at: str) -> None:
    """Else the page, which shows times of their zone, says the day before."""
    assert consent_columns._value(Field(name="agreed_at", label="Agreed", type="datetime", stored="datetime"), cell, spelling, zone) == at


def test_who_unsubscribed_an_hour_after_they_agreed_has_not_agreed(company: Company) -> None:
    olivia = replace(company.olivia, zone="Europe/Vilnius")
    head = "name,email,stage,SMS consent,consent source,consent date,unsubscribed at\n"
    for left, consents in (("2025-10-31 15:30", 0), ("2025-10-31 13:30", 1)):
        text = f"{head}Bo,bo@post.example,new,yes,fair,2025-10-31 14:30,{left}\n"
        assert import_batches.keep(olivia, "contact", io.BytesIO(text.encode())).consents == consents
