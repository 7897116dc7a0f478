"""Signed heads of the log: what an outsider who kept one can check, and what the database refuses to forget."""

from collections.abc import Iterator

import psycopg
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from console.activity import sequencing
from console.auth import accounts
from console.commands.seal import seal
from console.infra import settings
from console.infra.db import fetch
from console.infra.db.engine import migration_url
from console.log import checkpoint, tree, tree_heads
from tests.company import Company
from tests.conftest import web_app
from tests.log.growing import consistent, included


def leaves() -> list[bytes]:
    """Leaves in the order of their places, straight from the tables."""
    return [
        bytes(row[0])
        for row in fetch(
            "select e.leaf from console.activity a join console.event e on e.id = a.event order by a.pos"
        )
    ]


def test_a_head_is_the_root_over_every_event_in_order(company: Company) -> None:
    company.finished()
    sequencing.catch_up()
    note = sequencing.seal()
    assert note is not None
    key = tree_heads.verifier_key()
    assert key is not None
    head = checkpoint.verified(note, key)
    everything = leaves()
    assert (head.size, head.root) == (len(everything), tree.root(everything))
    assert head.origin == sequencing.origin()


def test_nothing_new_is_not_signed_twice(company: Company) -> None:
    company.started()
    sequencing.catch_up()
    first = sequencing.seal()
    assert sequencing.seal() is None
    company.started("2")
    sequencing.catch_up()
    second = sequencing.seal()
    assert first is not None
    assert second is not None
    sizes = [checkpoint.parse(note).checkpoint.size for note in (first, second)]
    assert sizes == sorted(set(sizes))
    kept = (settings.current().data_dir / sequencing.HEADS).read_text()
    assert kept == f"{first}\n{second}\n"


def test_a_later_head_is_consistent_with_an_earlier_one(company: Company) -> None:
    notes = []
    for record in ("1", "2", "3"):
        company.finished(record)
        sequencing.catch_up()
        notes.append(sequencing.seal())
    old, new = (checkpoint.parse(str(note)).checkpoint for note in (notes[0], notes[-1]))
    with tree_heads.grown() as grown:
        proof = grown.consistency(old.size, new.size)
        proofs = [grown.inclusion(index, new.size) for index in range(0, new.size, 7)]
    assert consistent(old.size, old.root, new.size, new.root, proof)
    everything = leaves()
    for number, proof in enumerate(proofs):
        assert included(everything[number * 7], number * 7, new.size, proof, new.root)


def test_an_empty_log_has_nothing_to_sign(clean: object) -> None:
    assert clean
    assert sequencing.seal() is None
    assert tree_heads.newest() is None
    told = CliRunner().invoke(seal)
    assert (told.exit_code, told.stdout) == (0, "The log is empty; there is nothing to sign.\n")


def test_the_command_prints_the_newest_head(company: Company) -> None:
    company.started()
    told = CliRunner().invoke(seal)
    assert told.exit_code == 0
    assert checkpoint.parse(told.stdout).checkpoint.size == len(leaves())
    again = CliRunner().invoke(seal)
    assert again.stdout == told.stdout


def test_heads_can_be_neither_changed_nor_taken_away(company: Company) -> None:
    company.started()
    sequencing.catch_up()
    sequencing.seal()
    url = migration_url().set(drivername="postgresql").render_as_string(hide_password=False)
    for statement in (
        "update console.checkpoint set note = 'x'",
        "delete from console.checkpoint",
        "truncate console.checkpoint",
    ):
        with psycopg.connect(url) as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute(statement)


@pytest.fixture(name="web")
def fixture_web(company: Company) -> Iterator[FlaskClient]:
    """The API over the company."""
    assert company.people
    with web_app().test_client() as client:
        yield client


def test_the_api_gives_head_and_key_to_who_may_read_the_log(company: Company, web: FlaskClient) -> None:
    headers = {
        name: {"Authorization": f"Bearer {accounts.create_key('tests', company.people[name].id).text}"}
        for name in ("ada", "ines", "olivia", "stan")
    }
    for path in ("/api/v1/checkpoint", "/api/v1/checkpoint/key"):
        assert web.get(path).status_code == 401
        for stranger in ("olivia", "stan"):
            assert web.get(path, headers=headers[stranger]).status_code == 403
        assert web.get(path, headers=headers["ada"]).status_code == 404
    sequencing.catch_up()
    note = sequencing.seal()
    for reader in ("ada", "ines"):
        told = web.get("/api/v1/checkpoint", headers=headers[reader])
        assert (told.status_code, told.mimetype, told.text) == (200, "text/plain", note)
        key = web.get("/api/v1/checkpoint/key", headers=headers[reader]).text.strip()
        assert checkpoint.verified(told.text, key).size == len(leaves())
