"""Tags on pages and in the API: on a record, on ticked rows, in a list and its filter."""

from typing import TYPE_CHECKING, Any

import pytest

from console.auth import accounts
from console.browse import tags
from console.infra import jobs
from console.infra.db.engine import fetch
from tests.conftest import web_app
from tests.jobs import work_until_idle
from tests.support.contact_club import found_club

if TYPE_CHECKING:
    from tests.views.conftest import Page, Pages

TAGS = "/c/contact/1/tags"


@pytest.fixture
def club(pages: "Pages") -> "Pages":
    found_club(pages.company)
    return pages


def there() -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in fetch("select record, tag from console.record_tag order by 1, 2")]


def add(pages: "Pages", text: str, status: int = 303) -> "Page":
    return pages.olivia.send(pages.olivia.get(TAGS), TAGS, tag=text, status=status)


def test_a_tag_is_added_and_taken_away_beside_the_summary(club: "Pages") -> None:
    assert TAGS in [told.get("hx-get") for told in club.olivia.get("/c/contact/1").with_attribute("hx-get")]
    add(club, "Hot lead")
    page = club.olivia.get(TAGS)
    assert "Hot lead" in page.text
    assert "at most 60 characters" in add(club, "x" * 61, 422).text
    club.olivia.post(
        TAGS, {"csrf_token": page.form(TAGS)["fields"]["csrf_token"], "remove": "hot lead"}, status=303
    )
    assert there() == []
    tags.put(club.company.olivia, "contact", ["1"], "vip")
    seen = club.rosa.get(TAGS)
    assert "vip" in seen.text
    assert not [form for form in seen.forms if form["action"] == TAGS]
    club.stan.get(TAGS, status=404)


def test_ticked_rows_are_tagged_at_once_and_shown_beside_their_names(club: "Pages") -> None:
    listed = club.olivia.get("/c/contact?segment=")
    assert "/tags/of/contact" in listed.html
    page = club.olivia.get("/tags/of/contact?key=1&key=2")
    assert "Tag 2 records" in page.text
    sent = page.form("/tags/of/contact")["fields"] | {"key": ["1", "2"], "tag": "Spring <fair>", "way": "put"}
    assert "was put on 2" in club.olivia.post("/tags/of/contact", sent, status=200).text
    assert there() == [("1", "spring <fair>"), ("2", "spring <fair>")]
    whole = club.olivia.get("/tags/of/contact?all=1&segment=engaged")
    assert "/c/contact?segment=engaged" in whole.links, "also who does not go on comes back to the same list"
    assert "Tag 3 records" in whole.text
    assert "put on 3" in club.olivia.send(whole, "/tags/of/contact", tag="spring <fair>", status=200).text
    again = club.olivia.send(whole, "/tags/of/contact", tag="spring <fair>", way="take", status=200)
    assert "was taken away from 3" in again.text
    listed = club.olivia.get("/c/contact?segment=")
    assert listed.html.count("Spring &lt;fair&gt;</span>") == 2
    assert "a word or two" in club.olivia.send(page, "/tags/of/contact", tag=" ", status=422).text
    assert "No record is chosen" in club.olivia.get("/tags/of/contact", status=422).text
    club.stan.get("/tags/of/contact?key=1", status=404)
    club.rosa.send(club.rosa.get("/tags/of/contact?key=1"), "/tags/of/contact", tag="x", status=403)


def test_a_list_is_filtered_by_a_tag_from_the_sheet_and_says_so(club: "Pages") -> None:
    tags.put(club.company.olivia, "contact", ["2"], "lead")
    sheet = club.olivia.get("/c/contact?segment=&add_field=tags&pick=1")
    assert 'value="lead"' in sheet.html
    club.olivia.get("/c/contact?segment=&add_field=tags&add_op=eq&add_value=lead", status=303)
    page = club.olivia.get(club.olivia.answer.headers["Location"])
    assert "Tag is lead" in page.text
    assert "Ana Petrauskė" in page.text
    assert "Sam Whitfield" not in page.text


def test_tags_by_the_api(club: "Pages") -> None:
    client = web_app().test_client()

    def call(who: str, method: str, path: str = "", **sent: Any) -> tuple[int, Any]:
        key = accounts.create_key("tests", club.company.people[who].id).text
        answer = client.open(
            f"/api/v1/contacts/contact/1/tags{path}",
            method=method,
            headers={"Authorization": f"Bearer {key}"},
            **sent,
        )
        return answer.status_code, answer.get_json() if answer.data else None

    status, body = call("olivia", "POST", json={"tag": "Hot lead"})
    assert (status, body["tag"], body["by"]) == (201, "Hot lead", "Olivia")
    assert call("olivia", "POST", json={"tag": "hot LEAD"})[0] == 201
    assert [tag["tag"] for tag in call("rosa", "GET")[1]["data"]] == ["Hot lead"]
    assert call("rosa", "POST", json={"tag": "x"})[0] == 403
    assert [call("stan", method, path)[0] for method, path in (("GET", ""), ("DELETE", "/x"))] == [404, 404]
    status, body = call("olivia", "POST", json={"tag": "a,b"})
    assert (status, body["details"][0]["field"]) == (422, "tag")
    assert [call("olivia", "DELETE", "/hot%20lead")[0] for _ in range(2)] == [204, 204]
    assert there() == []


def test_more_than_are_tagged_at_once_are_looked_at_first_and_tagged_by_a_worker(
    club: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tags, "MOST_AT_ONCE", 2)
    where = "/tags/of/contact?all=1&segment="
    asked = club.olivia.get(where)
    assert (
        "Tag all of the list" in asked.text,
        "nothing is tagged" in asked.text,
        "Check" in asked.text,
    ) == (True, True, True)
    assert "a word or two" in club.olivia.send(asked, "/tags/of/contact", tag=" ", status=422).text
    club.rosa.send(club.rosa.get(where), "/tags/of/contact", tag="x", status=403)
    club.olivia.send(asked, "/tags/of/contact", tag="Spring  fair", way="put")
    looking = club.olivia.answer.headers["Location"]
    work_until_idle({jobs.BULK})
    page = club.olivia.get(looking)
    number = fetch("select count(*) from console.bulk_item")[0][0]
    assert (
        f"{number} can be tagged, 0 have it already, 0 cannot. Nothing is tagged yet." in page.text,
        f"Tag {number} contacts" in page.text,
    ) == (True, True)
    assert "The tag Spring fair is put on them, when you say so." in page.text
    assert there() == []
    club.olivia.send(page, looking, do="go")
    work_until_idle({jobs.BULK})
    assert f"{number} tagged" in club.olivia.get(looking).text
    assert {tag for _, tag in there()} == {"spring fair"}
    club.olivia.send(asked, "/tags/of/contact", tag="spring fair", way="take")
    away = club.olivia.answer.headers["Location"]
    work_until_idle({jobs.BULK})
    assert f"Untag {number} contacts" in club.olivia.get(away).text
    club.tom.get(away, status=404)
