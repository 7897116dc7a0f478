"""Browsers of the small company's people, without a screen: they sign in, follow links and send the forms that a page holds."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.company import PASSWORD, Company
from tests.conftest import web_app

VOID = frozenset({"input", "br", "meta", "link", "hr", "img", "use"})


class Page(HTMLParser):
    """What tests ask of a page: its text, headings, links, and the forms with what they would send. It is read when the first of them is asked for."""

    text: str
    links: list[str]
    headings: list[tuple[str, str]]
    attributes: list[tuple[str, dict[str, str]]]
    forms: list[dict[str, Any]]

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html

    def __getattr__(self, name: str) -> Any:
        if name not in Page.__annotations__ or "links" in vars(self):
            raise AttributeError(name)
        self.links, self.headings, self.attributes, self.forms = [], [], [], []
        self._words: list[str] = []
        self._open: list[str] = []
        self._select = self._area = ""
        self._option = False
        self.feed(self.html)
        self.text = " ".join("".join(self._words).split())
        return getattr(self, name)

    def updatepos(self, i: int, j: int) -> int:
        """Nobody asks in which line something stands."""
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.attributes.append((tag, told))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag == "form":
            self.forms.append(
                {"method": told.get("method", "get"), "action": told.get("action", ""), "fields": {}}
            )
        if self.forms and "form" in self._open:
            self._control(tag, told)

    def _control(self, tag: str, told: dict[str, str]) -> None:
        fields = self.forms[-1]["fields"]
        ticked = told.get("type") not in ("checkbox", "radio") or "checked" in told
        if tag == "input" and told.get("name") and ticked:
            fields[told["name"]] = told.get("value", "")
        if tag == "select":
            self._select = told["name"]
            fields.setdefault(told["name"], "")
        if tag == "option" and "selected" in told:
            fields[self._select] = told.get("value", "")
            self._option = "value" not in told
        if tag == "textarea":
            self._area = told["name"]
            fields[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                continue
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.forms[-1]["fields"][self._area] += data.removeprefix("\n")
        if self._option:
            self.forms[-1]["fields"][self._select] = data.strip()
            self._option = False
        if not {"script", "style"} & set(self._open):
            self._words.append(data)
        if self._open and self._open[-1] in ("h1", "h2", "h3") and data.strip():
            self.headings.append((self._open[-1], data.strip()))

    def form(self, action: str) -> dict[str, Any]:
        """The form that is sent to this path (or one that ends so)."""
        return next(form for form in self.forms if form["action"].endswith(action))

    def with_attribute(self, name: str) -> list[dict[str, str]]:
        """Attributes of every element that has this one."""
        return [told for _, told in self.attributes if name in told]


class Browser:
    """Somebody who is signed in. `htmx` asks as the library does, for the element of that id."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.answer: TestResponse

    def get(self, path: str, htmx: str | None = None, status: int = 200) -> Page:
        """The page, which must come with this status."""
        self.answer = self.client.get(path, headers=_headers(htmx))
        assert self.answer.status_code == status, self.answer.text[-2000:]
        return Page(self.answer.text)

    def send(
        self, page: Page, action: str, htmx: str | None = None, status: int = 303, **values: Any
    ) -> Page:
        """Send a form of the page with some values of its fields replaced (`v_risk` for `v.risk`, `may_admin` for `may.admin`); None leaves a field out."""
        form = page.form(action)
        changed = {re.sub(r"^(v|may)_", r"\1.", name): value for name, value in values.items()}
        data = {name: value for name, value in (form["fields"] | changed).items() if value is not None}
        return self.post(form["action"], data, htmx, status)

    def post(self, path: str, data: dict[str, Any], htmx: str | None = None, status: int = 303) -> Page:
        """Send data as a form."""
        self.answer = self.client.post(path, data=data, headers=_headers(htmx))
        assert self.answer.status_code == status, f"{self.answer.status_code} {self.answer.text[-2000:]}"
        return Page(self.answer.text)

    def follow(self) -> Page:
        """Where the last answer led."""
        return self.get(self.answer.headers["Location"])

    @property
    def token(self) -> str:
        """A token for a form that no page showed: from the smallest page with a form."""
        return str(self.get("/step-up").form("/step-up")["fields"]["csrf_token"])


def _headers(htmx: str | None) -> dict[str, str]:
    return {} if htmx is None else {"HX-Request": "true", "HX-Target": htmx}


def signed_in(app: Flask, name: str) -> FlaskClient:
    """A client with the session of somebody who gave their password."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    told = Page(client.get("/sign-in").text).form("/sign-in")["fields"]
    assert (
        client.post(
            "/sign-in", data=told | {"email": f"{name}@fernwick.example", "password": PASSWORD}
        ).status_code
        == 303
    )
    return client


class Pages:
    """The company and its web application; `pages.olivia` is her browser."""

    def __init__(self, company: Company, app: Flask) -> None:
        self.company, self.app = company, app
        self._browsers: dict[str, Browser] = {}

    def __getattr__(self, name: str) -> Browser:
        if name not in self._browsers:
            self._browsers[name] = Browser(signed_in(self.app, name))
        return self._browsers[name]


@pytest.fixture
def pages(company: Company) -> Pages:
    """The pages of the small company."""
    return Pages(company, web_app())
