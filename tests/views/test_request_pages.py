"""The page behind a link, and the asker's side of it: without an account, without script, and closed to whoever has no link."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from urllib3.filepost import encode_multipart_formdata

from console.documents import requests
from console.infra import settings
from tests.papers import asking, pdf, picture
from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy

IBAN = "LT459999900012345678"


def outsider(pages: Pages) -> FlaskClient:
    """Somebody's browser: no session, and what browsers send by themselves."""
    client = pages.app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


def link(pages: Pages, run_id: str) -> str:
    return "/request/" + requests.link(pages.company.olivia, run_id, "").rpartition("/")[2]


def form(**files: tuple[bytes, str]) -> dict[str, Any]:
    """What a browser without script sends of the files that were chosen."""
    return {f"u.{name}": (io.BytesIO(content), called) for name, (content, called) in files.items()}


TYPED = {"t.iban": "text", "v.iban": IBAN, "t.staff": "integer", "v.staff": "12"}


def test_the_whole_way_without_script(pages: Pages) -> None:
    run_id = asking(pages.company)
    path, browser = link(pages, run_id), outsider(pages)
    answer = browser.get(path)
    page = Page(answer.text)
    assert ("h1", "Papers of Adaeze Okonkwo-Bell") in page.headings
    assert "Register extract Missing" in page.text
    assert "Never asked for" not in page.text
    assert "0 of 2 documents are here." in page.text
    wrong = browser.post(path, data={**TYPED, "do": "send", **form(extract=(picture("PNG"), "x.pdf"))})
    assert wrong.status_code == 422
    assert "is a PNG picture, which is not taken here" in wrong.text
    half = browser.post(path, data={**TYPED, "v.iban": "", "do": "save", **form(extract=(pdf(), "x.pdf"))})
    assert (half.status_code, half.headers["Location"]) == (303, f"{path}?saved=1")
    assert "Saved. You can close this page" in browser.get(half.headers["Location"]).text
    refused = browser.post(path, data={**TYPED, "v.iban": "", "do": "send"})
    assert (refused.status_code, "IBAN is needed" in refused.text) == (422, True)
    assert "x.pdf" in refused.text
    done = browser.post(path, data={**TYPED, "do": "send"})
    assert done.status_code == 303
    assert "Thank you, everything has been sent off." in browser.get(path).text
    assert pages.company.told(run_id)["current"]["step"] == "rate"
    twice = browser.post(path, data={**TYPED, "do": "send"})
    assert (twice.status_code, twice.headers["Location"]) == (303, path)


def test_looking_changes_nothing_and_sets_no_cookie(pages: Pages) -> None:
    run_id = asking(pages.company)
    path, browser = link(pages, run_id), outsider(pages)
    before = pages.company.told(run_id)
    for _ in range(3):
        answer = browser.get(
            path, headers={"Sec-Fetch-Site": "cross-site", "User-Agent": "Slackbot-LinkExpanding 1.0"}
        )
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
    assert browser.head(path).status_code == 200
    assert pages.company.told(run_id) == before


def test_the_page_shows_nothing_of_the_run(pages: Pages) -> None:
    run_id = asking(pages.company)
    text = outsider(pages).get(link(pages, run_id)).text
    for private in (run_id, "IE123", "retail", "asking", "usr_", "Olivia", "12.50"):
        assert private not in text


@pytest.mark.parametrize(
    "path", ["/request/", "/request/x", f"/request/{'a' * 43}", f"/request/{'a' * 3000}", "/request/%00"]
)
def test_wrong_links_are_told_apart_by_nobody(pages: Pages, path: str) -> None:
    asking(pages.company)
    browser = outsider(pages)
    answer = browser.get(path)
    assert answer.status_code in (303, 404)
    if answer.status_code == 404:
        assert "This link is not in use" in answer.text or "Nothing here" in answer.text


def test_revoked_replaced_and_expired_links_say_the_same(pages: Pages) -> None:
    company, browser = pages.company, outsider(pages)
    revoked = asking(company)
    old = link(pages, revoked)
    requests.revoke(company.olivia, revoked, "Wrong address.")
    texts = {browser.get(old).text, browser.get("/request/never-was").text}
    requests.renew(company.olivia, revoked)
    texts.add(browser.get(old).text)
    assert len(texts) == 1
    assert browser.post(old, data={"do": "send"}).status_code == 404
    assert browser.post(f"{old}/files", data={"field": "extract"}).status_code == 404
    assert browser.get(link(pages, revoked)).status_code == 200


def test_forms_of_other_sites_are_refused(pages: Pages) -> None:
    path, browser = link(pages, asking(pages.company)), outsider(pages)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        assert browser.post(path, data={"do": "save", **TYPED}, headers=headers).status_code == 403


def test_large_bodies_are_taken_from_who_has_a_link_alone(pages: Pages) -> None:
    path, browser, big = (
        link(pages, asking(pages.company)),
        outsider(pages),
        b"\xff\xd8\xff" + b"0" * 3_000_000,
    )
    body, kind = encode_multipart_formdata({"field": "extract", "file": ("a.jpg", big)})
    for elsewhere, status in (("/request/nothing", 404), ("/request/nothing/files", 404), ("/sign-in", 413)):
        assert browser.post(elsewhere, data=body, content_type=kind).status_code == status
    answer = browser.post(f"{path}/files", data=body, content_type=kind)
    assert (answer.status_code, "not%20taken%20here" in answer.headers["X-Reason"]) == (422, True)


def test_one_file_of_the_script_and_away_again(pages: Pages) -> None:
    run_id = asking(pages.company)
    path, browser = link(pages, run_id), outsider(pages)
    line = browser.post(f"{path}/files", data={"field": "extract", "file": (io.BytesIO(pdf()), "<b>.pdf")})
    assert (line.status_code, "b .pdf" in line.text or "b.pdf" in line.text) == (200, True)
    (remove,) = Page(line.text).with_attribute("data-remove")
    assert browser.post(f"{path}/files", data={"away": remove["data-remove"]}).status_code == 200
    assert browser.post(f"{path}/files", data={"away": remove["data-remove"]}).status_code == 404
    assert browser.post(f"{path}/files", data={}).status_code == 422
    assert browser.post(path, data={"do": "save", "away": ["fil_x"]}).status_code == 303


def test_the_asker_sees_received_and_missing_and_the_link_once(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = asking(pages.company)
    path = f"/runs/{run_id}"
    page = pages.olivia.get(path)
    assert "0 of 2 received, 0 of 2 filled in" in page.text
    assert "copy the link and send it yourself" in page.text
    assert "/request/" not in page.text.replace(f"{path}/request/", "")
    shown = pages.olivia.send(page, f"{path}/request/link", status=200)
    address = link(pages, run_id)
    assert f"http://localhost{address}" in shown.text
    assert address not in pages.olivia.get(path).text
    pages.olivia.post(
        f"{path}/request/hand",
        {"csrf_token": pages.olivia.token, "wanted": "extract", "sender": "by mail"}
        | {"file": (io.BytesIO(pdf()), "a.pdf")},
    )
    page = pages.olivia.get(path)
    assert "entered by hand: by mail" in page.text
    refused = pages.olivia.send(page, f"{path}/request/revoke", status=422, reason="")
    assert "0 of 2 received" not in refused.text
    pages.olivia.send(page, f"{path}/request/revoke", reason="Enough.")
    assert "it leads nowhere" in pages.olivia.get(path).text
    pages.olivia.send(pages.olivia.get(path), f"{path}/request/renew")
    assert outsider(pages).get(link(pages, run_id)).status_code == 200
    monkeypatch.setenv("CONSOLE_BASE_URL", "https://console.example")
    settings.current.cache_clear()
    page = pages.olivia.get(path)
    assert ("IBAN Missing" in page.text, "Continue with these" in page.text) == (True, False)
    refused = pages.olivia.post(f"{path}/request/finish", {"csrf_token": pages.olivia.token}, status=422)
    assert "Still missing: IBAN." in refused.text
    outsider(pages).post(link(pages, run_id), data={**TYPED, "do": "save"})
    page = pages.olivia.get(path)
    assert ("IBAN Filled in, not sent off" in page.text, IBAN in page.text) == (True, False)
    pages.olivia.send(page, f"{path}/request/finish")
    assert pages.company.told(run_id)["current"]["step"] == "rate"
    pages.olivia.post(f"{path}/request/remind", {"csrf_token": pages.olivia.token}, status=422)
    pages.olivia.post(f"{path}/request/else", {"csrf_token": pages.olivia.token}, status=404)


@pytest.mark.parametrize("do", ["link", "remind", "renew", "revoke", "hand", "finish"])
def test_who_may_not_gets_nothing(pages: Pages, do: str) -> None:
    run_id = asking(pages.company)
    for who, status in ((pages.stan, 404), (pages.rosa, 403)):
        who.post(f"/runs/{run_id}/request/{do}", {"csrf_token": who.token, "reason": "x"}, status=status)
    assert outsider(pages).post(f"/runs/{run_id}/request/{do}").status_code in (303, 403)
    assert "Show the link" not in pages.rosa.get(f"/runs/{run_id}").text
