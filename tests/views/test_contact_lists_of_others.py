"""Contacts from the lists that other products export, and what is asked where their columns do not tell."""

from typing import TYPE_CHECKING, Any

import pytest

from console import records
from console.auth import access, accounts
from console.core.scopes import unrestricted
from console.messaging import contacts
from console.messaging.imports import import_batches
from tests.conftest import web_app
from tests.tables import cases

if TYPE_CHECKING:
    from tests.views.conftest import Pages

from tests.views.test_contact_import import FILE, club, kept, posted, sent

__all__ = ["club"]

CRMS = {
    "HubSpot": (
        (
            '\ufeff"Record ID","First Name","Last Name","Email","Phone Number","Mobile Phone","Contact owner","Lifecycle Stage","Country/Region","Time Zone"\n'
            '"151","Zoë","Müller","zoe@hub.example","","+49 171 2345678","Gita Rao","Engaged","Germany","Europe/Berlin"\n'
        ),
        "utf-8",
        ("Zoë Müller", "zoe@hub.example", "+49 171 2345678", "DE", "Europe/Berlin"),
    ),
    "Salesforce": (
        (
            '"Salutation","First Name","Last Name","Account Name","Mailing Street","Mailing Country","Phone","Mobile","Email","Email Opt Out"\n'
            '"Mr.","Piotr","Nowak; Łukasz","ACME ""West""","ul. Długa 5\nDwór","Poland","12 345 67 89; 601 234 567","+48 601 234 567","p@sf.example","0"\n'
        ),
        "utf-8",
        ("Piotr Nowak; Łukasz", "p@sf.example", "+48 601 234 567", None, None),
    ),
    "Mailchimp": (
        '"Email Address","First Name","Last Name",Address,"Phone Number",Timezone,Country,TAGS\nbo@mc.example,Bo,Larsen,"12 High St, X",,Europe/Stockholm,SE,"""VIP"",""Lead"""\n',
        "utf-8",
        ("Bo Larsen", "bo@mc.example", None, "SE", "Europe/Stockholm"),
    ),
    "Zoho": (
        "Record Id,Contact Owner,First Name,Last Name,Full Name,Account Name,Email,Mailing Country\nz1,Gita,Mei,李,Dr Mei 李,Acme,mei@zo.example,UK\n",
        "utf-8",
        ("Dr Mei 李", "mei@zo.example", None, None, None),
    ),
    "Facebook": (
        (
            "id\tcreated_time\tform_name\tplatform\tfull_name\temail\tphone_number\tcountry\n"
            "l:123456789\t2026-11-20T10:11:12+01:00\tLead form\tfb\tLena Groß\tl@fb.example\tp:+4915112345678\tDE\n"
        ),
        "utf-16",
        ("Lena Groß", "l@fb.example", "+4915112345678", "DE", None),
    ),
    "Excel": (
        "sep=;\nName;Email;Country\nNora Berg;nora@xl.example;the Netherlands\n",
        "utf-16",
        ("Nora Berg", "nora@xl.example", None, "NL", None),
    ),
}


@pytest.mark.slow
@cases("crm", list(CRMS))
def test_the_export_of_a_crm_is_understood_as_it_is(club: "Pages", crm: str) -> None:
    text, encoding, person = CRMS[crm]
    plan, lines = import_batches.first_lines(club.company.olivia, kept(club.company, text.encode(encoding)))
    assert (
        tuple(lines[0].values.get(name) for name in ("name", "email", "phone", "country", "time_zone"))
        == person
    )
    assert [field.label for field in plan.untold if field.name != "stage"] == []


def test_what_no_column_tells_is_asked_once_for_all_on_the_page(club: "Pages") -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    where = sent(
        club,
        b"First Name,Last Name,Email Address,OPTIN_TIME\nBo,Larsen,bo@mc.example,2026-01-02 10:00:00\nMia,Berg,mia@mc.example,\n",
    )
    page = club.olivia.get(where)
    assert "Stage is needed." in page.text
    form = page.forms[-1]["fields"]
    asked = {**form, "do": "look", "t.all:stage": "enum", "v.all:stage": "new", "everyone": "sms"}
    looked = posted(club, where, asked)
    assert "Of the consent source and at must be known" in club.olivia.get(looked).text
    told = posted(
        club,
        looked,
        {
            **asked,
            "t.source": "text",
            "v.source": "newsletter",
            "t.at": "datetime",
            "v.at": "2026-01-02T10:00",
        },
    )
    assert "with 2 consents" in club.olivia.get(told).text
    posted(club, told, {"do": "import"})
    known = contacts.known_contact("contact", "8")
    assert (
        known.name,
        known.consent["sms"].given,
        known.consent["sms"].source,
        known.consent["call"].given,
    ) == (
        "Mia Berg",
        True,
        "newsletter",
        False,
    )


@pytest.mark.slow
def test_programs_import_contacts_and_read_what_became_of_each_line(club: "Pages") -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    company = club.company
    key = {"Authorization": f"Bearer {accounts.create_key('import', company.olivia.id).text}"}
    web, place = web_app().test_client(), "/api/v1/contacts/contact/imports"
    sent: dict[str, Any] = {
        "csv": "First Name,Last Name,Email Address,Segment\nBo,Larsen,bo@mc.example,new\nMia,Berg,sam@post.example,new\n",
        "columns": {"Segment": "stage"},
        "agreed": ["sms"],
        "consent": {"source": "form", "at": "2026-01-02T10:00:00Z"},
        "values": {"country": "SE"},
    }
    looked = web.post(place, json={**sent, "preview": True}, headers=key)
    counts = {
        "new": 1,
        "changed": 0,
        "same": 0,
        "refused": 1,
        "consents": 1,
        "withdrawn": 0,
        "opted_out": 0,
        "agreed_again": 0,
        "said_no": 0,
        "tags": 0,
    }
    assert (looked.status_code, looked.get_json()["counts"]) == (202, counts)
    noes = {
        "csv": "Name,Email,Stage,SMS,GDPR\nBo,bo@mc.example,new,no,1\n",
        "values": {"country": "SE"},
        "columns": {"SMS": "consent:sms"},
        "meanings": {"SMS": {"no": "no"}},
    }
    said = web.post(place, json={**noes, "preview": True}, headers=key).get_json()
    assert (said["counts"]["said_no"], said["unused"], said["perhaps_consent"]) == (1, ["GDPR"], ["GDPR"])
    done = web.post(place, json=sent, headers={**key, "X-Idempotency-Key": "march"}).get_json()
    assert (
        web.post(place, json=sent, headers={**key, "X-Idempotency-Key": "march"}).get_json()["id"]
        == done["id"]
    )
    told = web.get(f"{place}/{done['id']}", headers=key).get_json()
    assert (told["status"], told["counts"]["new"], told["columns"]) == (
        "done",
        1,
        {"1": "name", "2": "name", "3": "email", "4": "stage"},
    )
    for stranger in (company.mona, company.stan):
        foreign = {"Authorization": f"Bearer {accounts.create_key('foreign', stranger.id).text}"}
        assert {
            web.get(f"{place}/{done['id']}{part}", headers=foreign).status_code for part in ("", "/rows")
        } == {404}
        assert web.post(place, json={**sent, "preview": True}, headers=foreign).status_code in (403, 404), (
            "nor do they learn who opted out"
        )
    [left] = web.get(f"{place}/{done['id']}/rows", headers=key).get_json()["data"]
    assert (left["line"], left["reasons"]) == (3, ["Somebody with this Email is there already."])
    known = contacts.known_contact("contact", "7")
    assert (known.name, known.country, known.consent["sms"].source) == ("Bo Larsen", "SE", "form")
    wrong = web.post(place, json={**sent, "columns": {"Shoe": "stage", "Segment": "shoe"}}, headers=key)
    assert [each["field"] for each in wrong.get_json()["details"]] == ["columns.Shoe", "columns.Segment"]
    assert web.get(f"/api/v1/contacts/customer/imports/{done['id']}", headers=key).status_code == 404


def test_what_a_column_of_the_consent_leaves_empty_is_asked_once_for_all(club: "Pages") -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    lines = "\nZoë Müller,zoe@post.example,new,yes,,2026-05-01\nLiv Berg,liv@post.example,new,yes,fair,2026-05-02\n"
    where = f"/imports/{kept(club.company, 'Name,E-mail,Stage,SMS consent,Consent source,Consent date' + lines).id}"
    page = club.olivia.get(where)
    assert "Of the consent source must be known" in page.text
    typed = {
        **page.forms[-1]["fields"],
        "w.3": "yes",
        "m.3": "=yes",
        "do": "look",
        "t.source": "text",
        "v.source": "by phone",
    }
    club.olivia.get(posted(club, posted(club, where, typed), {"do": "import"}))
    found = {
        each.values["contact_id"]: each.values["source"]
        for each in records.page("consent", unrestricted("consent"), limit=50).rows
    }
    assert [found[key] for key in sorted(found)[-2:]] == ["by phone", "fair"]


def test_a_file_without_consent_says_that_nobody_will_be_reached(club: "Pages") -> None:
    told = "Nothing says who agreed to be reached"
    assert told not in club.olivia.get(sent(club, FILE.encode())).text, "who may add none"
    access.grant("operator", "collection:consent", ["create"], team="operations")
    where = sent(club, FILE.encode())
    assert told in club.olivia.get(where).text
    done = club.olivia.get(posted(club, where, {"do": "import"}))
    assert told in done.text


@cases(
    "heading, said, agreed",
    [
        ("SMS opt out", "1", 0),
        ("SMS opt out", "0", 1),
        ("SMS opt out", "", 1),
        ("Unsubscribed", "yes", 0),
        ("Unsubscribed", "no", 1),
        ("Unsubscribed at", "2026-01-02 10:00", 0),
        ("E-mail opt out", "1", 1),
        ("Favourite colour", "Yes", 1),
    ],
)
def test_who_opted_out_gets_no_consent_although_everybody_in_the_file_agreed(
    club: "Pages", heading: str, said: str, agreed: int
) -> None:
    access.grant("operator", "collection:consent", ["create"], team="operations")
    looked = kept(club.company, f"Name,Stage,{heading}\nBo,new,{said}\n")
    where = f"/imports/{looked.id}"
    form = club.olivia.get(where).forms[-1]["fields"]
    form |= {f"w.{number}": list(words) for number, words in looked.question.meanings.items()}
    form |= {
        f"m.{number}": [f"={meant}" for meant in words.values()]
        for number, words in looked.question.meanings.items()
    }
    again = posted(
        club,
        where,
        {
            **form,
            "do": "look",
            "everyone": "sms",
            "t.source": "text",
            "v.source": "fair",
            "t.at": "datetime",
            "v.at": "2026-01-02T10:00",
        },
    )
    page = club.olivia.get(again).text
    assert ("1 contact can be added" in page, "with 1 consent" in page) == (True, bool(agreed))
