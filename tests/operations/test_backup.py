"""Backup and restore: all that was is there again, what was erased is not, and whatever goes wrong leaves the present state as it was."""

import base64
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console import __version__, log, runs
from console.activity import integrity, sequencing
from console.commands.restore import restore as restore_command
from console.commands.verify import verify
from console.core.actor import Actor
from console.core.errors import Conflict
from console.infra import jobs, settings
from console.infra.db import dump, engine, fetch, server
from console.infra.processes import supervisor
from console.log import checkpoint, tree_heads
from console.operations import backup, doctor, erasure, restore, status
from console.operations.worker import Duty, Worker
from tests import warm
from tests.company import Company
from tests.databases import Server
from tests.operations.test_erasure import TEXTS, everything

pytestmark = pytest.mark.lengthy

CLI = Actor("system", "sys_cli", "Command line", session="sys:config")
ROOT = Path(backup.__file__).parents[2]


@pytest.fixture(autouse=True)
def alone(company: Company, server: Server) -> None:
    """Nobody else is connected to the company's database: a restore would not begin."""
    server.leave()


def yes(_: str) -> bool:
    return True


def checked() -> Result:
    """What `console verify` says of the log as it is now."""
    return CliRunner().invoke(verify, [])


def database() -> str:
    return str(engine.app_url().database)


def state() -> tuple[str, list[Any], list[str]]:
    """What must not change when a restore is refused: every row of the log, all that the tables tell, the files of the data folder."""
    names = sorted(path.name for path in settings.current().data_dir.glob("*") if path.is_file())
    return everything(), fetch("select id, leaf from console.event order by id"), names


@pytest.fixture(name="saved")
def fixture_saved(company: Company, tmp_path: Path) -> Path:
    """A backup of a company at work: an ended run about Adaeze, one about Tore that stands at its note."""
    company.finished("1")
    company.at("note", "2")
    backup.write(CLI, tmp_path / "one.zip")
    return tmp_path / "one.zip"


def test_the_whole_path(company: Company, saved: Path) -> None:
    """Work, backup, more work, an erasure, restore."""
    (open_run,) = [row[0] for row in fetch("select id from console.run where ended_at is null")]
    before = company.told(open_run)
    lost = company.finished("3")
    sequencing.catch_up()
    kept = sequencing.seal()
    held = settings.current().data_dir / sequencing.HEADS
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    assert any("Adaeze" in text for text in TEXTS)
    asked: list[str] = []

    def agree(words: str) -> bool:
        asked.append(words)
        return True

    done = restore.restore(CLI, saved, replace=True, agree=agree)
    assert (done.erased, done.lost > 10) == (1, True)
    assert asked == [f"{done.lost:,} events after position {done.size:,} are not in this backup."]
    assert fetch("select count(*) from console.run where id = %s", (lost,))[0][0] == 0
    assert [text for text in TEXTS if text in everything()] == []
    assert list(runs.rebuild(check=True)) == []
    assert company.told(open_run) == before
    company.answer(open_run)
    assert company.told(open_run)["current"]["step"] == "rate"
    sequencing.catch_up()
    assert fetch("select count(*) from console.log_pending")[0][0] == 0
    told = checked()
    assert (told.exit_code, " 0 erased" in told.output) == (0, False), told.output
    (note,) = [event for event in log.events_of("sys:config") if event.type == "log_restored"]
    assert status.last_backup() == done.made_at
    assert note.open == {
        "size": done.size,
        "lost": done.lost,
        "made_at": done.made_at,
        "erased": 1,
        "version": __version__,
    }
    aside = [path.read_text() for path in held.parent.glob("checkpoints-until-*.txt")]
    assert len(aside) == 1
    assert str(kept) in aside[0], "heads of what is lost are evidence, and stay"
    assert not server.exists(f"{database()}_restoring")
    assert not server.exists(f"{database()}_replaced")


def test_an_older_head_that_somebody_kept_tells_that_the_log_was_set_back(
    company: Company, saved: Path, tmp_path: Path
) -> None:
    (tmp_path / "early.txt").write_text(
        str(zipfile.ZipFile(saved).read("checkpoints.txt").decode().strip()) + "\n"
    )
    company.finished("3")
    sequencing.catch_up()
    (tmp_path / "late.txt").write_text(str(sequencing.seal()))
    restore.restore(CLI, saved, replace=True, agree=yes)
    company.finished("3")
    company.finished("1")
    assert CliRunner().invoke(verify, ["--since", str(tmp_path / "early.txt")]).exit_code == 0
    assert "re-signed" in CliRunner().invoke(verify, ["--since", str(tmp_path / "late.txt")]).output


def test_what_an_archive_holds(company: Company, saved: Path) -> None:
    assert oct(saved.stat().st_mode & 0o777) == "0o600"
    with zipfile.ZipFile(saved) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            "README.txt",
            "checkpoints.txt",
            "database.dump",
            "manifest.json",
            "manifest.sig",
        }
        told = json.loads(archive.read("manifest.json"))
        whole = b"".join(archive.read(name) for name in archive.namelist())
    assert (
        told["size"]
        == checkpoint.parse(told["checkpoint"]).checkpoint.size
        == fetch("select max(size) from console.checkpoint")[0][0]
    )
    assert {"format", "made_at", "console", "revision", "postgresql", "rights", "keys", "members"} <= set(
        told
    )
    given = settings.current()
    for key in (given.master_key, given.signing_key, given.secret_key.encode()):
        assert not {key, key.hex().encode(), base64.b64encode(key), base64.urlsafe_b64encode(key)} & {whole}
        assert key not in whole
    assert [event.type for event in log.events_of("sys:config")][-1] == "backup_made"
    sequencing.catch_up()
    assert str(status.last_backup()).startswith(told["made_at"][:10])
    found = {check["name"]: check for check in doctor.examine()["checks"]}
    assert found["backup"]["message"].endswith("0 days ago")
    with pytest.raises(Conflict, match="is there already"):
        backup.write(CLI, saved)
    assert not saved.with_name("one.zip.part").exists()
    assert company.people


def test_a_backup_without_room_leaves_nothing_and_says_so(company: Company, tmp_path: Path) -> None:
    company.finished("1")
    done = console("backup", str(tmp_path / "one.zip"), most_bytes=40_000)
    assert done.returncode == 1
    assert "cannot be written: File too large. Make room" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
    nowhere = console("backup", str(tmp_path / "none" / "one.zip"))
    assert "cannot be written: No such file or directory" in nowhere.stderr


def test_what_a_killed_backup_left_is_written_over(company: Company, tmp_path: Path) -> None:
    assert company.people
    (tmp_path / "one.zip.part").write_bytes(b"x" * 1_000_000)
    backup.write(CLI, tmp_path / "one.zip")
    assert (tmp_path / "one.zip").stat().st_size < 1_000_000
    assert zipfile.ZipFile(tmp_path / "one.zip").testzip() is None


def console(*arguments: str, most_bytes: int = 0, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, on the database of this test."""
    engine.dispose()

    def limit() -> None:
        if most_bytes:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    command = [sys.executable if most_bytes else warm.python(), "-P", "-m", "console", *arguments]
    told = os.environ | {"PYTHONPATH": str(ROOT)} | environ
    return subprocess.run(command, env=told, capture_output=True, text=True, check=False, preexec_fn=limit)


# Archives that are not restored.


def rewritten(saved: Path, change: Callable[[dict[str, bytes]], None], *, sign: bool = False) -> None:
    """The archive with other members; `sign` by somebody who has the signing key."""
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if sign:
        key = Ed25519PrivateKey.from_private_bytes(settings.current().signing_key)
        members["manifest.sig"] = base64.b64encode(key.sign(members["manifest.json"]))
    with zipfile.ZipFile(saved, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def stating(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members["manifest.json"] = json.dumps(json.loads(members["manifest.json"]) | changes).encode()

    return change


def other(name: str) -> Callable[[dict[str, bytes]], None]:
    """One bit of the member is another."""

    def change(members: dict[str, bytes]) -> None:
        data = bytearray(members[name])
        data[len(data) // 2] ^= 1
        members[name] = bytes(data)

    return change


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        del members[name]

    return change


BAD: dict[str, tuple[Callable[[dict[str, bytes]], None], bool, str]] = {
    "a bit of the dump": (other("database.dump"), False, "database.dump is not what it was"),
    "a bit of the heads": (other("checkpoints.txt"), False, "checkpoints.txt is not what it was"),
    "no dump": (without("database.dump"), False, "its files are not those of its manifest"),
    "a further file": (
        lambda members: members.update({"verify.py": b""}),
        False,
        "its files are not those of its manifest",
    ),
    "a path": (
        lambda members: members.update({"../keys/master_key": b"x"}),
        False,
        "its files are not those of its manifest",
    ),
    "another manifest": (stating(size=1), False, "its manifest is not what was signed"),
    "no manifest": (without("manifest.json"), False, "is no backup of this console"),
    "no signature": (without("manifest.sig"), False, "is no backup of this console"),
    "a manifest that is a list": (
        lambda members: members.update({"manifest.json": b"[]"}),
        False,
        "is no backup of this console",
    ),
    "a manifest without keys": (stating(keys={}), False, "is no backup of this console"),
    "a newer format": (stating(format=2), True, "Update this one first"),
    "a newer console": (stating(console="9.0.0"), True, "made by console 9.0.0"),
    "newer tables": (stating(revision="20991231_0000"), True, "tables 20991231_0000"),
}


def test_an_archive_that_is_not_what_was_made_is_refused(company: Company, saved: Path) -> None:
    assert company.people
    whole, before = saved.read_bytes(), state()
    other_head = stating(
        checkpoint=checkpoint.sign("handrail", 3, bytes(32), [settings.current().signing_key])
    )
    for case, (change, sign, said) in (
        BAD | {"another head": (other_head, True, "does not lead to it")}
    ).items():
        saved.write_bytes(whole)
        rewritten(saved, change, sign=sign)
        with pytest.raises(backup.BackupError) as refused:
            restore.restore(CLI, saved, replace=True, agree=yes)
        assert said in refused.value.message, case
        assert state() == before, case
        assert not server.exists(f"{database()}_restoring"), case
    for cut in (0, 10, 30_000, -200):
        saved.write_bytes(whole[:cut])
        with pytest.raises(backup.BackupError, match="is no backup"):
            restore.restore(CLI, saved, replace=True, agree=yes)
    saved.write_bytes(whole)
    assert restore.restore(CLI, saved, replace=True, agree=yes).verified


def test_a_log_that_was_edited_before_the_backup_is_found(company: Company, tmp_path: Path) -> None:
    """The archive is whole and signed; what is in it is not what was signed by the minute."""
    company.finished("1")
    sequencing.catch_up()
    sequencing.seal()
    with psycopg.connect(
        dump.libpq(engine.migration_url().difference_update_query(["options"])), autocommit=True
    ) as connection:
        connection.execute("alter table console.event disable trigger all")
        forged = "convert_to(replace(convert_from(body, 'UTF8'), '\"policy\":', '\"policy\":1'), 'UTF8')"
        connection.execute(
            f"update console.event set body = {forged}, leaf = sha256('\\x00'::bytea || {forged}) where run_seq = 4"
        )
    backup.write(CLI, tmp_path / "one.zip")
    before = state()
    with pytest.raises(backup.BackupError, match=r"The log in the backup does not hold: line \d+: edited"):
        restore.restore(CLI, tmp_path / "one.zip", replace=True, agree=yes)
    assert state() == before


def test_a_backup_from_before_a_change_of_the_key_wants_the_former_one(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONSOLE_SIGNING_KEY")
    monkeypatch.setenv("CONSOLE_DEMO", "on")  # the data folder keeps the key
    settings.current.cache_clear()
    company.finished("1")
    backup.write(CLI, tmp_path / "one.zip")
    before = tree_heads.verifier_keys()
    sequencing.change_key()
    company.finished("2")
    sequencing.sequence_and_sign()
    own = settings.current().own_signing_key
    assert own is not None
    (former,) = own.parent.glob("signing_key-*")
    with pytest.raises(backup.BackupError) as refused:
        restore.restore(CLI, tmp_path / "one.zip", replace=True, agree=yes)
    assert f"it is in {former}" in refused.value.message
    former.replace(own)
    settings.current.cache_clear()
    assert restore.restore(CLI, tmp_path / "one.zip", replace=True, agree=yes).lost > 10
    assert tree_heads.verifier_keys() == before
    assert integrity.look() is None
    sequencing.change_key()
    company.finished("2")
    sequencing.sequence_and_sign()
    assert integrity.look() is None
    assert checked().exit_code == 0


def test_it_asks_before_it_takes_anything_away(company: Company, saved: Path) -> None:
    before = state()
    with pytest.raises(Conflict) as refused:
        restore.restore(CLI, saved, agree=yes)
    assert refused.value.code == "not_empty"
    assert "--replace" in refused.value.message
    company.finished("3")
    said = CliRunner().invoke(restore_command, [str(saved), "--replace"])
    assert isinstance(said.exception, Conflict)
    assert "--accept-loss" in said.exception.message
    assert fetch("select count(*) from console.event")[0][0] > len(before[1])
    told = CliRunner().invoke(restore_command, [str(saved), "--replace", "--accept-loss"])
    assert told.exit_code == 0, told.output
    assert "It is live, and sending is paused" in told.output
    jobs.forget()
    assert jobs.paused_because() == "restored"


def test_not_while_somebody_is_at_work(company: Company, saved: Path) -> None:
    told = settings.current()
    (told.data_dir / "serving").mkdir(parents=True)
    note = told.data_dir / "serving" / "1.json"
    started = psutil.Process().create_time()
    place = supervisor.identity(told.data_dir)
    note.write_text(
        json.dumps(
            {
                "pid": os.getpid(),
                "started": started,
                "folder": place,
                "url": "http://127.0.0.1:1",
                "children": {},
            }
        )
    )
    with pytest.raises(
        Conflict, match=f"serves from this data folder .http://127.0.0.1:1.*kill {os.getpid()}"
    ):
        restore.restore(CLI, saved, replace=True, agree=yes)
    note.unlink()
    worker, there = Worker(), threading.Event()
    worker.duties = {
        "log": [Duty("be there", 0.05, there.set)]
    }  # a restore in this same process would take their connections from others
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert there.wait(30)
        with pytest.raises(Conflict, match="A worker is connected"):
            restore.restore(CLI, saved, replace=True, agree=yes)
    finally:
        worker.stop()
        thread.join(30)
    with (
        psycopg.connect(dump.libpq(engine.app_url())),
        pytest.raises(Conflict, match="others are connected to the database"),
    ):
        restore.restore(CLI, saved, replace=True, agree=yes)
    assert company.people


def test_two_at_once(company: Company, saved: Path) -> None:
    def again(_: str) -> bool:
        engine.dispose()
        done = console("restore", str(saved), "--replace", "--accept-loss")
        said.append(done.stderr)
        return True

    said: list[str] = []
    assert restore.restore(CLI, saved, replace=True, agree=again).verified
    assert "Another restore is at work" in said[0]
    assert company.people


@pytest.mark.parametrize(
    ("point", "live"), [("restore.loaded", False), ("restore.verified", False), ("restore.swapped", True)]
)
def test_killed_in_the_middle_one_of_the_two_is_live_and_a_second_try_works(
    company: Company, saved: Path, point: str, live: bool
) -> None:
    company.finished("3")
    before = state()
    killed = console("restore", str(saved), "--replace", "--accept-loss", HANDRAIL_FAULT=f"{point}=kill")
    assert killed.returncode == -signal.SIGKILL
    assert (state()[1] == before[1]) is not live
    assert checked().exit_code == 0
    again = console("restore", str(saved), "--replace", "--accept-loss")
    assert again.returncode == 0, again.stderr
    assert checked().exit_code == 0
    assert (
        company.told(fetch("select id from console.run where ended_at is null")[0][0])["current"]["step"]
        == "note"
    )
    assert not server.exists(f"{database()}_restoring")
    assert not server.exists(f"{database()}_replaced")


# Who is not to come back.


def test_erased_on_another_machine_by_its_list(company: Company, saved: Path, tmp_path: Path) -> None:
    """The present state knows nothing of it: neither its database nor its data folder."""
    sub = erasure.preview(CLI, "customer", "1").subject
    other_list = tmp_path / "erasures-of-b.jsonl"
    other_list.write_text(f'{{"subject": "sub_cut off\n{{"subject": "{sub}", "at": "x"}}')
    done = restore.restore(CLI, saved, replace=True, agree=yes, erasures=[other_list])
    assert done.erased == 1
    assert [text for text in TEXTS if text in everything()] == []
    assert sub in erasure.erased_subjects(), "the next restore knows by itself"
    assert company.people


def test_erased_and_the_list_is_gone_the_log_remembers(company: Company, saved: Path) -> None:
    erasure.erase(company.ines, "customer", "1", "She asked us to.")
    (settings.current().data_dir / erasure.LIST).unlink()
    assert restore.restore(CLI, saved, replace=True, agree=yes).erased == 1
    assert [text for text in TEXTS if text in everything()] == []


def test_a_run_about_an_erased_person_that_comes_back_ends(company: Company, saved: Path) -> None:
    (run_id,) = [row[0] for row in fetch("select id from console.run where ended_at is null")]
    runs.abort(company.olivia, run_id, revision=None, reason="He left.")
    erasure.erase(company.ines, "customer", "2", "He asked us to.")
    restore.restore(CLI, saved, replace=True, agree=yes)
    told = company.told(run_id)
    assert (told["status"], told["current"]) == ("cancelled", None)
    assert "Tore" not in everything()
    assert checked().exit_code == 0
    assert company.at("note", "2") != run_id


def test_a_hold_placed_after_the_backup_stays(company: Company, saved: Path) -> None:
    erasure.hold(CLI, "customer", "1", "Proceedings 4711")
    restore.restore(CLI, saved, replace=True, agree=yes)
    assert [(hold.key, hold.reason) for hold in erasure.holds(CLI)] == [("1", "Proceedings 4711")]
    with pytest.raises(Conflict, match="on hold"):
        erasure.erase(company.ines, "customer", "1", "She asked us to.")


# Other servers.
