"""Another signing key for the log: an event with both keys, a checkpoint signed by both, and what an auditor with the former key can still check. An hour of silence too."""

import base64
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from console import log
from console.activity import sequencing
from console.auth import accounts
from console.commands.activity import activity
from console.commands.key import key as key_command
from console.commands.seal import seal
from console.commands.verify import verify
from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra import settings
from console.infra.db import fetch
from console.log import checkpoint, tree_heads
from console.operations import doctor
from console.views.app import create_app
from tests import warm
from tests.company import Company
from tests.conftest import KEYS, Database

pytestmark = pytest.mark.lengthy

FRESH = bytes(range(32))
SOMEBODY = Actor("system", "sys_cli", "Command line", session="sys:tests")
Say = Callable[..., None]


@pytest.fixture(name="say")
def fixture_say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """A function that sets settings, or takes them away (None)."""

    def set_them(**values: str | None) -> None:
        for name, value in values.items():
            if value is None:
                monkeypatch.delenv(f"CONSOLE_{name}", raising=False)
            else:
                monkeypatch.setenv(f"CONSOLE_{name}", value)
        settings.current.cache_clear()

    return set_them


def happened() -> None:
    log.note(SOMEBODY, "process_started", open={"process": "test"})
    sequencing.catch_up()


def changed(*options: str) -> Result:
    return CliRunner().invoke(key_command, ["change", *options])


def of(seed: bytes) -> str:
    return str(checkpoint.verifier_key(sequencing.origin(), seed))


def exported(path: Path) -> Path:
    done = CliRunner().invoke(activity, ["export", "--out", str(path)])
    assert done.exit_code == 0, done.output
    return path


def checked(*arguments: object) -> int:
    return CliRunner().invoke(verify, [str(each) for each in arguments]).exit_code


def events_of(kind: str) -> list[tuple[int, dict[str, object]]]:
    """(place, what stands open in it) of the events of this kind."""
    return fetch(
        "select a.pos, convert_from(e.body, 'UTF8')::jsonb->'data'->'open' from console.activity a join console.event e on e.id = a.event"
        " where a.kind = %s order by a.pos",
        (kind,),
    )


def test_a_given_key_is_changed_with_an_event_and_a_checkpoint_by_both(
    company: Company, say: Say, tmp_path: Path
) -> None:
    company.finished()
    sequencing.catch_up()
    before = tmp_path / "before.txt"
    before.write_text(str(sequencing.seal()))
    former = of(settings.current().signing_key)
    say(NEW_SIGNING_KEY=base64.b64encode(FRESH).decode())
    done = changed()
    assert done.exit_code == 0, done.output
    double, new = tmp_path / "double.txt", of(FRESH)
    double.write_text(done.stdout)
    assert f"was {former}\nand is now {new}" in done.stderr
    assert "set CONSOLE_SIGNING_KEY to the new key" in done.stderr
    ((place, told),) = events_of("signing_key_changed")
    assert told == {"former": former, "key": new, "signed_by": 2}
    for each in (former, new):
        assert checkpoint.verified(done.stdout, each).size >= place
    assert (settings.current().data_dir / sequencing.HEADS).read_text().endswith(f"{done.stdout}\n")
    assert tree_heads.verifier_key() == new
    assert tree_heads.verifier_keys() == [new, former]

    company.started("2")
    sequencing.catch_up()
    with pytest.raises(Conflict, match="is not the one of the log's last checkpoint") as refused:
        sequencing.seal()
    assert new in refused.value.message
    (check,) = [each for each in doctor.examine()["checks"] if each["name"] == "signing key"]
    assert (
        check["ok"],
        check["fix"].startswith("After `console key change`, give this process the new key"),
    ) == (False, True)

    say(SIGNING_KEY=base64.b64encode(FRESH).decode(), NEW_SIGNING_KEY=None)
    after = checkpoint.parse(str(sequencing.seal()))
    assert [each.id for each in after.signatures] == [checkpoint.parse_key(new).id]
    archive = exported(tmp_path / "log.zip")
    assert checked(archive, "--key", new) == 0
    assert checked(archive, "--key", former) == 1
    assert checked(archive, "--key", former, "--since", double) == 0
    assert checked(archive, "--key", former, "--since", before) == 1
    assert checked(archive, "--key", former, "--key", new, "--since", before) == 0
    assert checked("--since", before) == 0
    assert checked() == 0


def test_the_api_answers_the_new_key(company: Company, say: Say) -> None:
    company.started()
    sequencing.catch_up()
    sequencing.seal()
    say(NEW_SIGNING_KEY=FRESH.hex())
    assert changed().exit_code == 0
    headers = {"Authorization": f"Bearer {accounts.create_key('tests', company.ada.id).text}"}
    client: FlaskClient = create_app().test_client()
    assert client.get("/api/v1/checkpoint/key", headers=headers).text.strip() == of(FRESH)


@pytest.fixture(name="own")
def fixture_own(clean: Database, say: Say) -> Path:
    """The file of a key that the data folder keeps, after one checkpoint; the demo keeps its keys there."""
    say(SIGNING_KEY=None, DEMO="on")
    happened()
    sequencing.seal()
    file = settings.current().own_signing_key
    assert file is not None
    return file


def test_a_key_of_the_data_folder_is_drawn_and_put_in_place(own: Path) -> None:
    former, text = settings.current().signing_key, own.read_text()
    done = changed()
    assert done.exit_code == 0, done.output
    assert "set CONSOLE_SIGNING_KEY" not in done.stderr
    assert settings.current().signing_key != former
    assert own.read_text() != text
    assert stat.S_IMODE(own.stat().st_mode) == 0o600
    kept = own.with_name(f"signing_key-{checkpoint.parse_key(of(former)).id.hex()}")
    assert sorted(own.parent.glob("signing_key*")) == [own, kept]
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (text, 0o600)
    assert tree_heads.verifier_keys() == [of(settings.current().signing_key), of(former)]
    happened()
    assert checkpoint.verified(
        str(sequencing.seal()), of(settings.current().signing_key)
    )  # the worker needs no new start


def test_a_key_of_the_data_folder_may_be_given(own: Path, say: Say) -> None:
    say(NEW_SIGNING_KEY=FRESH.hex())
    assert changed().exit_code == 0
    assert settings.current().signing_key == FRESH
    again = changed()
    assert again.exit_code == 0
    assert len(events_of("signing_key_changed")) == 1


CHANGE = "from console.activity import sequencing; sequencing.change_key()"


@pytest.mark.parametrize("point", ["key.noted", "key.signed"])
def test_a_change_that_was_killed_is_finished_by_the_next(own: Path, point: str) -> None:
    former = settings.current().signing_key
    done = subprocess.run(
        [warm.python(), "-c", CHANGE], env={**os.environ, "HANDRAIL_FAULT": f"{point}=kill"}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    drawn = own.with_name("signing_key.new").read_text()
    assert changed().exit_code == 0
    assert own.read_text() == drawn
    assert not own.with_name("signing_key.new").exists()
    keys = {str(told["key"]) for _, told in events_of("signing_key_changed")}
    assert keys == {of(settings.current().signing_key)}
    newest = tree_heads.newest()
    assert newest is not None
    for each in (of(former), of(settings.current().signing_key)):
        assert checkpoint.verified(newest[1], each)
    happened()
    assert sequencing.seal() is not None


def test_what_cannot_be_changed_says_why(clean: Database, say: Say) -> None:
    happened()
    sequencing.seal()
    told = changed()
    assert (told.exit_code, "CONSOLE_NEW_SIGNING_KEY" in str(told.exception)) == (1, True)
    say(NEW_SIGNING_KEY=KEYS["CONSOLE_SIGNING_KEY"])
    with pytest.raises(Conflict, match="The log has this key already"):
        sequencing.change_key()
    say(SIGNING_KEY=bytes(32).hex(), NEW_SIGNING_KEY=FRESH.hex())
    with pytest.raises(Conflict, match="is not the one of the log's last checkpoint"):
        sequencing.change_key()
    assert events_of("signing_key_changed") == []


def test_a_lost_key_is_replaced_and_said_to_be_lost(clean: Database, say: Say) -> None:
    happened()
    sequencing.seal()
    former = str(tree_heads.verifier_key())
    say(SIGNING_KEY=bytes(32).hex(), NEW_SIGNING_KEY=FRESH.hex())
    done = changed("--lost")
    assert done.exit_code == 0, done.output
    ((_, told),) = events_of("signing_key_changed")
    assert told == {"former": former, "key": of(FRESH), "signed_by": 1}
    assert len(checkpoint.parse(done.stdout).signatures) == 1
    assert checkpoint.verified(done.stdout, of(FRESH))


def test_a_change_waits_for_no_open_transaction(
    clean: Database, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencing.catch_up, "__defaults__", (0.1,))
    happened()
    sequencing.seal()
    say(NEW_SIGNING_KEY=FRESH.hex())
    with psycopg.connect(clean.admin_url) as open_one:
        open_one.execute("create table public.held (n integer)")
        with pytest.raises(Conflict, match="A transaction is open") as refused:
            sequencing.change_key()
    assert refused.value.code == "waiting"
    assert tree_heads.verifier_key() == of(settings.current().signing_key)
    assert sequencing.change_key().key == of(FRESH)


def test_the_name_of_the_log_stays_when_the_address_of_the_console_changes(clean: Database, say: Say) -> None:
    say(BASE_URL="https://ops.example/handrail")
    happened()
    sequencing.seal()
    say(BASE_URL="https://elsewhere.example")
    happened()
    assert str(sequencing.seal()).splitlines()[0] == sequencing.origin() == "ops.example/handrail"


def test_two_who_sign_at_once_sign_one_head(clean: Database) -> None:
    happened()
    code = "from console.activity import sequencing as o; print(o.seal() is not None)"
    both = [
        subprocess.Popen([warm.python(), "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert sorted(each.communicate()[0].strip() for each in both) == ["False", "True"]
    kept = (settings.current().data_dir / sequencing.HEADS).read_text()
    assert kept.count("\n\n") == 2


class TestSilence:
    def test_an_hour_without_news_is_noted_and_signed_once(self, clean: Database) -> None:
        happened()
        first = sequencing.keep_sealed()
        assert first is not None
        assert sequencing.keep_sealed() is None
        quiet = sequencing.keep_sealed(timedelta())
        assert quiet is not None
        old, new = (checkpoint.parse(note).checkpoint.size for note in (first, quiet))
        head = tree_heads.newest()
        assert head is not None
        ((place, told),) = events_of("silence_noted")
        assert (place, told["size"]) == (old + 1, old)
        assert new == old + 1 == head[0]
        assert sequencing.keep_sealed() is None

    def test_news_are_signed_without_another_event(self, clean: Database) -> None:
        happened()
        sequencing.keep_sealed()
        happened()
        assert sequencing.keep_sealed(timedelta()) is not None
        assert events_of("silence_noted") == []

    def test_an_empty_log_keeps_silent(self, clean: Database) -> None:
        assert sequencing.keep_sealed(timedelta()) is None
        assert CliRunner().invoke(seal).stdout == "The log is empty; there is nothing to sign.\n"
