"""Help: the documentation as pages of the console. Links lead to pages, headings have anchors, pictures are sent, and words find their section."""

import re
from html.parser import HTMLParser

import pytest

from console.core.errors import NotFound
from console.views.help import manual
from tests.views.conftest import Pages


class Parts(HTMLParser):
    """The tags of a page that the console's policy is about, its ids and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.add(tag)
        self.names.update(given)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("href", "src") if name in given]


def ids(name: str) -> set[str]:
    return set(Parts(manual.page(name).html).ids)


def test_every_link_and_picture_of_every_page_leads_somewhere() -> None:
    followed = 0
    for name in manual.names():
        for link in Parts(manual.page(name).html).links:
            path, _, anchor = link.partition("#")
            if path.startswith("/help/"):
                to = path.removeprefix("/help/")
                assert to in manual.names() or manual.file(to), (name, link)
                followed += 1
            else:
                to = name
                assert not path or re.match(r"(https?|mailto):", path), (name, link)
            assert not anchor or path.startswith("http") or anchor in ids(to), (name, link)
    assert followed > len(manual.names())


def test_a_page_holds_prose_alone() -> None:
    for name in manual.names():
        parts = Parts(manual.page(name).html)
        assert not parts.tags & {"script", "style", "form", "input", "iframe", "svg", "link"}
        assert parts.names <= {"href", "title", "src", "alt", "id", "start", "rel"}
        assert len(parts.ids) == len(set(parts.ids)), name


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("install", ("how-to/install",)),
        ("how do I install it", ("how-to/install",)),
        ("backup", ("how-to/back-up-and-restore",)),
        ("restore after a crash", ("how-to/restore-after-a-crash",)),
        ("SMS", ("how-to/set-up-an-sms-gateway",)),
        ("second facter", ("how-to/use-a-second-factor",)),
        ("erasing a person", ("how-to/erase-a-person",)),
        ("console verify", ("reference/commands", "how-to/check-an-export")),
        ("import contacts", ("how-to/work-with-contacts",)),
    ],
)
def test_words_find_the_page_about_them_first(words: str, first: tuple[str, ...]) -> None:
    assert manual.search(words)[0].section.page in first


def test_what_is_found_shows_the_sentence_with_the_words_marked_and_nothing_of_it_as_html() -> None:
    hit = manual.search("CONSOLE_DATA_DIR")[0]
    assert "<mark>CONSOLE_DATA_DIR</mark>" in hit.sentence
    drawn = [hit.sentence for words in ("svg", "block", "html") for hit in manual.search(words)]
    assert not any(Parts(sentence).tags - {"mark"} for sentence in drawn)
    assert manual.search("") == manual.search("qzxwv") == manual.search("!?") == []


@pytest.mark.parametrize(
    "name", ["nothing", "../pyproject", "how-to", "how-to/install.md", "images", "../policies/roles.csv"]
)
def test_what_is_no_page_of_the_documentation_is_not_there(name: str) -> None:
    assert manual.file(name) is None
    with pytest.raises(NotFound):
        manual.page(name)


def test_whoever_is_signed_in_reads_help_and_nobody_else(pages: Pages) -> None:
    stranger = pages.app.test_client()
    addresses = ("/help", "/help?q=install", "/help/how-to/install", "/help/images/runner.png")
    assert [stranger.get(address).status_code for address in addresses] == [303] * len(addresses)
    answers = {address: pages.stan.client.get(address, buffered=True) for address in addresses}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers["/help/images/runner.png"].data.startswith(b"\x89PNG")
    pages.stan.get("/help/policies/roles.csv", status=404)


def test_help_opens_from_every_page_and_answers_a_question(pages: Pages) -> None:
    assert "/help" in pages.olivia.get("/").links
    start = pages.olivia.get("/help")
    assert "Your first review" in start.text
    found = pages.olivia.get("/help?q=restore+after+a+crash")
    page = pages.olivia.get(next(link for link in found.links if link.startswith("/help/")))
    assert ("h1", "Restore after a crash") in page.headings
    shown = pages.olivia.client.get("/help/how-to/use-the-api", base_url="http://localhost:8431")
    assert "URL=http://localhost:8431" in shown.text
    assert "127.0.0.1:8000" not in shown.text
    nothing = pages.olivia.get("/help?q=<script>alert(1)</script>qzxwv")
    assert "<script>alert" not in pages.olivia.answer.text
    assert nothing.form("/help")["fields"]["q"] == "<script>alert(1)</script>qzxwv"
