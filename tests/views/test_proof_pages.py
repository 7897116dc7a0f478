"""The auditor's page, and the badge that leads there: what was checked, the head, the key, and a kept head compared."""

from typing import TYPE_CHECKING

import psycopg
import pytest

from console.activity import integrity, sequencing
from console.auth import access, accounts
from console.infra import settings
from console.log import checkpoint, tree_heads
from tests.company import PASSWORD
from tests.conftest import web_app
from tests.views.conftest import Browser, signed_in

if TYPE_CHECKING:
    from tests.views.conftest import Pages

pytestmark = pytest.mark.lengthy


def sealed(pages: "Pages") -> str:
    """Everything placed, signed and checked; the newest head."""
    sequencing.catch_up()
    sequencing.seal()
    assert integrity.look() is None
    head = tree_heads.newest()
    assert head is not None
    return head[1]


def forged(pages: "Pages", statement: str) -> None:
    """As the superuser, with the triggers off."""
    from console.infra.db.engine import migration_url

    url = migration_url().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("reset role")
        connection.execute("alter table console.event disable trigger all")
        connection.execute("alter table console.event drop constraint event_leaf_is_hash")
        connection.execute(statement.encode())


def test_before_the_first_head_it_says_what_comes(pages: "Pages") -> None:
    page = pages.ada.get("/activity/proof")
    assert "Not verified yet" in page.text
    assert "signed within a minute of the first event" in page.text
    pages.ada.get("/activity/proof/checkpoint.txt", status=404)


def test_the_page_holds_what_an_auditor_needs(pages: "Pages") -> None:
    pages.company.finished()
    note = sealed(pages)
    page = pages.ada.get("/activity/proof")
    key = tree_heads.verifier_key()
    assert key is not None
    assert "Verified to" in page.text
    assert note.splitlines()[2] in page.text
    assert f"--key '{key}'" in page.text
    assert pages.ada.get("/activity/proof/checkpoint.txt").html == note
    assert 'filename="checkpoint-' in pages.ada.answer.headers["Content-Disposition"]
    assert "sha256" in pages.ada.get("/activity/proof/verify.py").html
    assert checkpoint.verified(note, key).origin == sequencing.origin()


def test_the_log_carries_the_badge_and_the_way_there(pages: "Pages") -> None:
    sealed(pages)
    page = pages.ada.get("/activity")
    assert "Verified to" in page.text
    assert "/activity/proof" in page.links


def test_places_outside_are_named_with_what_they_have(
    pages: "Pages", monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed(pages)
    assert "No place outside gets the checkpoints" in pages.ada.get("/activity/proof").text
    monkeypatch.setenv("CONSOLE_CHECKPOINT_WEBHOOK_URL", "https://audit.example/hidden/path")
    monkeypatch.setenv("CONSOLE_CHECKPOINT_WEBHOOK_SECRET", "A" * 32)
    settings.current.cache_clear()
    page = pages.ada.get("/activity/proof")
    assert [part in page.text for part in ("audit.example", "Has none yet", "hidden")] == [True, True, False]


def test_damage_is_said_on_both_pages(pages: "Pages") -> None:
    pages.company.finished()
    sealed(pages)
    forged(
        pages,
        "update console.event set leaf = sha256('x') where id = (select event from console.activity where pos = 3)",
    )
    assert str(integrity.look()).startswith("position 3, ")
    assert "Not in order" in pages.ada.get("/activity").text
    page = pages.ada.get("/activity/proof")
    assert "The log is not in order" in page.text
    assert "Position 3: the event was edited" in page.text
    assert "does not guard the log" in page.text
    assert [
        words
        for words in ("run_", "console rebuild")
        if words in page.text.split("What this console has checked")[0].split("The log is not in order")[1]
    ] == []


def test_a_kept_checkpoint_is_compared(pages: "Pages") -> None:
    kept = sealed(pages)
    pages.company.finished()
    sealed(pages)
    page = pages.ada.get("/activity/proof")
    fits = pages.ada.send(page, "/activity/proof", status=200, checkpoint=kept.replace("\n", "\r\n"))
    assert "The log still begins with exactly the" in fits.text
    size = kept.splitlines()[1]
    other = checkpoint.sign(sequencing.origin(), int(size), bytes(32), [settings.current().signing_key])
    longer = checkpoint.sign(sequencing.origin(), 10**6, bytes(32), [settings.current().signing_key])
    foreign = checkpoint.sign(sequencing.origin(), int(size), bytes(32), [bytes(32)])
    for note, words in (
        (other, "the log was changed since"),
        (longer, "events are missing at the end"),
        (foreign, "No key of this log"),
    ):
        assert words in pages.ada.send(page, "/activity/proof", status=200, checkpoint=note).text


@pytest.mark.parametrize("typed", ["", "something else", "a\n1\nb\n\n— c d\n", "x" * 70_000])
def test_what_is_no_checkpoint_is_said_at_its_field(pages: "Pages", typed: str) -> None:
    page = pages.ada.get("/activity/proof")
    wrong = pages.ada.send(page, "/activity/proof", status=422, checkpoint=typed)
    assert "This is no checkpoint" in wrong.text
    assert wrong.form("/activity/proof")["fields"]["checkpoint"].strip() == typed.strip()


def test_who_may_not_verify_is_not_let_in(pages: "Pages") -> None:
    for who in ("stan", "olivia", "mona"):
        for path in ("/activity/proof", "/activity/proof/checkpoint.txt", "/activity/proof/verify.py"):
            getattr(pages, who).get(path, status=403)
        browser = getattr(pages, who)
        browser.post("/activity/proof", {"csrf_token": browser.token, "checkpoint": "x"}, status=403)


def test_the_log_says_of_how_many_collections_nothing_is_listed(pages: "Pages") -> None:
    left_out = "is left out here and in exports"
    assert left_out not in pages.ada.get("/activity").text, "she may see both"
    access.grant("inspector", "activity", ["read"], "")
    access.grant("inspector", "collection:customer", ["read"], "")
    accounts.create_person(
        "ivo@fernwick.example", role="inspector", team="audit", name="Ivo", password=PASSWORD
    )
    access.refresh()
    page = Browser(signed_in(web_app(), "ivo")).get("/activity")
    assert f"What happened to records of 1 collection {left_out}" in page.text
