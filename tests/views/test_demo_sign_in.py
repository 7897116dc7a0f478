"""Cards of the demo's people on the sign-in page: one press signs in, and nowhere but in a loaded demo on its own machine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from console.auth import accounts
from console.infra import settings
from tests.company import PASSWORD, Company
from tests.conftest import web_app
from tests.views.conftest import Page

NOTE = {
    "people": [{"email": "olivia@fernwick.example", "password": PASSWORD}],
    "loaded": {"at": "2026-11-20T09:00:00Z"},
}


@pytest.fixture
def folder(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The company's data folder as that of a loaded demo."""
    assert company
    monkeypatch.setenv("CONSOLE_DEMO", "on")
    settings.current.cache_clear()
    folder = settings.current().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "demo.json").write_text(json.dumps(NOTE))
    yield folder
    (folder / "demo.json").unlink(missing_ok=True)
    monkeypatch.undo()
    settings.current.cache_clear()


def press(
    client: FlaskClient, person: str, address: str = "127.0.0.1", host: str = "http://localhost"
) -> tuple[int, str]:
    """(status, where it leads) of pressing a person's card, with the token of the page."""
    at = {"environ_base": {"REMOTE_ADDR": address, "HTTP_ORIGIN": host}, "base_url": host}
    token = Page(client.get("/sign-in", **at).text).form("/sign-in")["fields"]["csrf_token"]
    answer = client.post("/sign-in/demo", data={"csrf_token": token, "person": person, "next": "/c"}, **at)
    return answer.status_code, answer.headers.get("Location", "")


def offered(client: FlaskClient, address: str = "127.0.0.1", host: str = "http://localhost") -> list[str]:
    """The people whose cards the page shows."""
    page = Page(client.get("/sign-in", environ_base={"REMOTE_ADDR": address}, base_url=host).text)
    return [told["value"] for told in page.with_attribute("name") if told["name"] == "person"]


@pytest.mark.usefixtures("folder")
def test_one_press_signs_in_and_is_an_ordinary_sign_in(company: Company) -> None:
    client = web_app().test_client()
    assert offered(client) == ["olivia"]
    assert press(client, "olivia") == (303, "/c")
    assert client.get("/c").status_code == 200
    assert [session.method for session in accounts.sessions_of(company.olivia)] == ["password"]
    assert offered(client) == [], "who is signed in is sent on"


def test_there_are_cards_only_in_a_loaded_demo_on_its_own_machine(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = web_app().test_client()
    assert offered(client, "203.0.113.7") == []
    assert press(client, "olivia", "203.0.113.7")[0] == 404
    assert offered(client, host="https://console.example") == [], "reached by a name: it is served to others"
    assert press(client, "nobody")[0] == 404
    assert client.post("/sign-in/demo", data={"person": "olivia"}).status_code == 403, (
        "another site cannot sign somebody in"
    )
    (folder / "demo.json").write_text(json.dumps(NOTE | {"loaded": None}))
    assert offered(client) == []
    (folder / "demo.json").unlink()
    assert (offered(client), press(client, "olivia")[0]) == ([], 404), "the setting alone opens nothing"
    (folder / "demo.json").write_text(json.dumps(NOTE))
    monkeypatch.setenv("CONSOLE_DEMO", "off")
    settings.current.cache_clear()
    assert (offered(client), press(client, "olivia")[0]) == ([], 404), "nor does the note alone"


@pytest.mark.usefixtures("folder")
def test_a_changed_password_takes_the_card_s_way_in(company: Company) -> None:
    accounts.set_password(company.olivia.id, "another long password here")
    assert press(web_app().test_client(), "olivia")[0] == 422
