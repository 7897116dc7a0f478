"""Files on pages and in the API: sent with a form or ahead of it, shown as pictures, given out to be kept, and closed to others."""

import io
from typing import Any
from urllib.parse import unquote

import pytest

from console.auth import accounts
from console.runs.commands import attachments
from tests.papers import evidence, pdf, picture
from tests.views.conftest import Page, Pages

pytestmark = pytest.mark.lengthy


def sent(pages: Pages, run_id: str, content: bytes = b"", name: str = "a.pdf") -> str:
    stored = attachments.attach(
        pages.company.olivia, run_id, step="note", field="evidence", name=name, content=content or pdf(3)
    )
    return stored.id


def chosen(*files: tuple[bytes, str]) -> dict[str, Any]:
    return {"u.evidence": [(io.BytesIO(content), name) for content, name in files]}


def fields(page: Page) -> dict[str, Any]:
    """What the form of the step sends by itself, but for the file that was not chosen."""
    told = dict(page.form("/complete")["fields"])
    told.pop("u.evidence", None)
    return {name: value for name, value in told.items() if name not in ("only", "away")}


def test_files_come_with_the_form_of_a_browser_without_script(pages: Pages) -> None:
    run_id = evidence(pages.company)
    path = f"/runs/{run_id}"
    page = pages.olivia.get(path)
    assert page.with_attribute("enctype")[0]["enctype"] == "multipart/form-data"
    refused = pages.olivia.post(f"{path}/complete", fields(page) | chosen((b"<html>", "a.pdf")), status=422)
    assert "web page or other markup" in refused.text
    kept = pages.olivia.post(
        f"{path}/complete", fields(page) | chosen((pdf(), "a.pdf"), (picture(), "b.jpg")) | {"only": "files"}
    )
    assert "a.pdf" not in kept.text
    again = pages.olivia.get(path)
    assert "a.pdf" in again.text
    assert "b.jpg JPEG picture" in again.text
    ids = [told["data-remove"] for told in again.with_attribute("data-remove")]
    assert len(ids) == 2
    values = [
        told["value"] for tag, told in again.attributes if tag == "input" and told.get("name") == "v.evidence"
    ]
    done = fields(again) | {"v.evidence": values, "away": ids[0]}
    pages.olivia.post(f"{path}/complete", done)
    assert [one["name"] for one in pages.company.told(run_id)["context"]["note"]["evidence"]] == ["b.jpg"]


def test_the_script_sends_files_ahead_and_takes_them_away(pages: Pages) -> None:
    run_id = evidence(pages.company)
    path, token = f"/runs/{run_id}/files", pages.olivia.token
    told = {"csrf_token": token, "step": "note", "field": "evidence"}
    line = pages.olivia.post(
        path, told | {"file": (io.BytesIO(pdf()), 'x"><script>.pdf')}, htmx="x", status=200
    )
    (hidden,) = [one for one in line.with_attribute("name") if one["name"] == "v.evidence"]
    assert "<script>" not in line.html
    pages.olivia.post(path, told | {"file": (io.BytesIO(b"<svg>"), "a.svg")}, htmx="x", status=422)
    assert "web page" in unquote(pages.olivia.answer.headers["X-Reason"])
    (button,) = line.with_attribute("data-remove")
    assert button["data-remove"] in hidden["value"]
    pages.olivia.post(path, told | {"away": button["data-remove"]}, htmx="x", status=200)
    assert attachments.files_of_draft(pages.company.olivia, run_id) == []


@pytest.mark.parametrize("name", ["a.pdf", "Prüfung ,;'.pdf", "a b.pdf"])
def test_a_file_is_given_out_to_be_kept_and_never_opened_in_place(pages: Pages, name: str) -> None:
    file_id = sent(pages, evidence(pages.company), pdf(text=name), name)
    answer = pages.olivia.client.get(f"/files/{file_id}/download")
    assert answer.data == pdf(text=name)
    kind, _, called = answer.headers["Content-Disposition"].partition("; filename*=UTF-8''")
    assert (kind, unquote(called)) == ("attachment", name)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


def test_who_may_not_see_the_run_gets_nothing_of_its_files(pages: Pages) -> None:
    run_id = evidence(pages.company)
    file_id = sent(pages, run_id)
    stranger = pages.app.test_client()
    for path in (f"/files/{file_id}", f"/files/{file_id}/page/1", f"/files/{file_id}/download"):
        pages.stan.get(path, status=404)
        assert stranger.get(path).headers["Location"].startswith("/sign-in")
    told = {
        "csrf_token": pages.stan.token,
        "step": "note",
        "field": "evidence",
        "file": (io.BytesIO(pdf()), "a.pdf"),
    }
    pages.stan.post(f"/runs/{run_id}/files", told, status=404)
    pages.stan.post(f"/runs/{run_id}/files", {"csrf_token": pages.stan.token, "away": file_id}, status=404)
    for ref in ("fil_x", "customer:tax_id:1", "nothing:path:1", "customer:none:1", "a:b", "%00"):
        pages.stan.get(f"/files/{ref}", status=404)


class Program:
    """A program with somebody's key."""

    def __init__(self, pages: Pages, name: str) -> None:
        self.client = pages.app.test_client()
        self.headers = {
            "Authorization": f"Bearer {accounts.create_key('tests', pages.company.people[name].id).text}"
        }

    def send(self, **more: Any) -> Any:
        return self.client.post("/api/v1/files", data=more, headers=self.headers)

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/files/{path}", headers=self.headers)


def test_a_program_sends_a_file_and_hands_it_in(pages: Pages) -> None:
    run_id = evidence(pages.company)
    olivia, stan = Program(pages, "olivia"), Program(pages, "stan")
    where = {"run": run_id, "step": "note", "field": "evidence"}
    made = olivia.send(**where, file=(io.BytesIO(pdf()), "a.pdf"))
    assert made.status_code == 201
    value = made.get_json()
    assert sorted(value) == ["bytes", "file", "media_type", "name", "sha256"]
    told = olivia.get(value["file"]).get_json()
    assert (told["run"], told["slot"], told["pages"], told["scanned"], told["sender"]) == (
        run_id,
        "evidence",
        1,
        False,
        None,
    )
    content = olivia.get(f"{value['file']}/content")
    assert (content.data, "attachment" in content.headers["Content-Disposition"]) == (pdf(), True)
    assert stan.get(value["file"]).status_code == stan.get(f"{value['file']}/content").status_code == 404
    assert stan.send(**where, file=(io.BytesIO(pdf()), "a.pdf")).status_code == 404
    assert pages.app.test_client().get(f"/api/v1/files/{value['file']}").status_code == 401
    run = pages.company.told(run_id)
    done = olivia.client.post(
        f"/api/v1/runs/{run_id}/complete",
        json={"step": "note", "revision": run["revision"], "values": {"evidence": [value]}},
        headers=olivia.headers,
    )
    assert done.status_code == 200, done.text


@pytest.mark.parametrize(
    ("sent_fields", "wrong"),
    [
        ({}, {"run", "step", "field", "file"}),
        ({"run": "run_x", "step": "note", "field": "evidence"}, {"file"}),
        (
            {"run": "run_x", "step": "note", "field": "evidence", "file": "text", "more": "x"},
            {"file", "more"},
        ),
    ],
)
def test_what_a_program_leaves_out_is_named(
    pages: Pages, sent_fields: dict[str, str], wrong: set[str]
) -> None:
    olivia = Program(pages, "olivia")
    answer = olivia.client.post(
        "/api/v1/files", data=sent_fields, headers=olivia.headers, content_type="multipart/form-data"
    )
    assert answer.status_code == 422
    assert wrong <= {detail["field"] for detail in answer.get_json()["details"]}
    assert olivia.client.post("/api/v1/files", json={}, headers=olivia.headers).status_code == 415
