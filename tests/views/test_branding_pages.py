"""Settings, System: the name, logo and colours of the installation, where they show, what is refused, and who must not set them."""

import io
from email.message import EmailMessage
from typing import Any

from console.infra import branding
from console.infra.branding import Branding, contrast, readable_shade
from console.infra.db.engine import fetch
from tests.papers import REQUEST, asking, pdf, picture
from tests.tables import cases
from tests.views.conftest import Pages
from tests.views.test_request_pages import form, link, outsider

SET = {"name": "Fernwick Pay", "contact": "help@fernwick.example", "light": "#7a1f5c", "dark": "#f0a6d8"}
PATH = "/settings/system"


def sent(pages: Pages, status: int, logo: tuple[bytes, str] | None = None, **changes: str) -> str:
    """The answer to the form of the page."""
    file = {"logo": (io.BytesIO(logo[0]), logo[1])} if logo else {}
    data: dict[str, Any] = {**SET, **changes, **file, "csrf_token": pages.ines.token}
    return pages.ines.post(PATH, data, status=status).html


def test_who_may_not_manage_data_sources_neither_sees_nor_sets_it(pages: Pages) -> None:
    pages.olivia.get(PATH, status=403)
    pages.olivia.post(PATH, {**SET, "csrf_token": pages.olivia.token}, status=403)
    assert branding.current() == Branding()


def test_people_without_an_account_see_whom_a_page_is_from(pages: Pages) -> None:
    stranger = outsider(pages)
    assert "/brand.css" not in stranger.get("/sign-in").text
    sent(pages, 303, (picture("PNG"), "logo.png"))
    sheet = stranger.get("/brand.css")
    assert (sheet.status_code, sheet.mimetype) == (200, "text/css")
    assert ":light-dark(#7a1f5c,#f0a6d8)" in sheet.text
    assert "url(data:image/png;base64," in sheet.text
    run_id = asking(pages.company)
    for path in ("/sign-in", link(pages, run_id), "/unsubscribe/nothing", "/request/nothing"):
        text = stranger.get(path).text
        assert all(words in text for words in ("Fernwick Pay", "help@fernwick.example", "/brand.css?v="))
    assert fetch(
        "select from console.event where convert_from(body, 'UTF8')::json->>'type' = 'branding_changed'"
    )
    sent(pages, 303, remove="on")
    assert (branding.current().name, branding.current().logo) == (SET["name"], b"")


@cases(
    "changes, logo, said",
    [
        ({"light": "#ffcc00"}, None, "Take a darker shade, such as #"),
        ({"dark": "#30304a"}, None, "Take a lighter shade, such as #"),
        ({"light": "red;}body{display:none"}, None, "Takes a colour such as"),
        ({}, (b"<svg onload=alert(1)>", "logo.png"), "is not taken here"),
        ({}, (b'<?xml version="1.0"?><svg/>', "logo.svg"), "is not taken here"),
        ({}, (pdf(), "logo.pdf"), "is not taken here"),
        ({}, (picture("PNG")[:60], "logo.png"), "The picture is damaged"),
        ({}, (picture("PNG") + b"x" * 200_000, "logo.png"), "at most 200 KB"),
        ({"name": "x" * 61}, None, "at most 60 characters"),
    ],
)
def test_what_cannot_be_read_or_shown_is_refused(
    pages: Pages, changes: dict[str, str], logo: tuple[bytes, str] | None, said: str
) -> None:
    assert said in sent(pages, 422, logo, **changes)
    assert branding.current() == Branding()


def test_a_shade_that_is_offered_can_be_read() -> None:
    for colour in ("#ffcc00", "#ffffff", "#000000", "#30304a", "#7f7f7f"):
        assert contrast(readable_shade(colour), "#f6f7f9") >= 4.5
        assert contrast(readable_shade(colour, dark=True), "#1d2128") >= 4.5
    assert readable_shade("#7a1f5c") == "#7a1f5c"
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54


def test_an_e_mail_says_whom_it_is_from(pages: Pages) -> None:
    letter = EmailMessage()
    letter["From"], letter["To"] = "kyc@fernwick.example", "adaeze@customers.example"
    letter.set_content("Hello <b>,\n\nsee https://console.example/request/x\n")
    branding.dress(letter)
    assert (str(letter["From"]), letter.get_content_type()) == ("kyc@fernwick.example", "text/plain")
    sent(pages, 303, (picture("PNG"), "logo.png"))
    branding.dress(letter)
    assert str(letter["From"]) == "Fernwick Pay <kyc@fernwick.example>"
    text, drawn = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert drawn is not None
    assert "-- \nFernwick Pay\nhelp@fernwick.example" in text.get_content()
    assert '<a style="color:#7a1f5c" href="https://console.example/request/x">' in drawn.get_content()
    assert "Hello &lt;b&gt;," in drawn.get_content()
    assert [part.get_content_type() for part in letter.walk()][-1] == "image/png"


def test_an_iban_that_a_rule_asks_for_is_checked_before_it_is_sent_off_and_a_receipt_is_given(
    pages: Pages,
) -> None:
    rule = {"if": "iban(steps.note.iban)", "message": "No IBAN"}
    fields = [{**REQUEST["form"][0], "must": [rule]}, REQUEST["form"][1]]
    path, browser = link(pages, asking(pages.company, form=fields)), outsider(pages)
    assert 'data-iban="This is no complete IBAN' in browser.get(path).text
    typed = {"t.iban": "text", "v.iban": "LT459999900012345679", "do": "send"}
    wrong = browser.post(path, data={**typed, **form(extract=(pdf(), "x.pdf"))})
    assert (wrong.status_code, "This is no complete IBAN: compare it" in wrong.text) == (422, True)
    browser.post(path, data={**typed, "v.iban": "LT45 9999 9000 1234 5678"})
    receipt = browser.get(path).text
    assert all(words in receipt for words in ("Receipt", "Reference", "req_", "Register extract: x.pdf"))
