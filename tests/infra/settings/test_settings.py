"""Settings from files, and keys that are drawn. Each setting: test_settings_table.py."""

import os
import threading
from pathlib import Path

import pytest

from console.infra import settings
from console.infra.settings import SETTINGS, SettingsError

KEY = bytes(range(32))
PLAIN = {"CONSOLE_ENV_FILE": os.devnull}
SERVER = "postgresql://console:hush@db/console"


def told(**environ: str) -> settings.Settings:
    return settings.read(PLAIN | environ)


class TestFiles:
    def test_a_mounted_secret_is_read_without_its_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("s" * 40 + "\n")
        assert told(CONSOLE_SECRET_KEY_FILE=str(tmp_path / "secret")).secret_key == "s" * 40

    def test_both_a_value_and_a_file_are_one_too_many(self, tmp_path: Path) -> None:
        with pytest.raises(
            SettingsError, match="CONSOLE_SECRET_KEY and CONSOLE_SECRET_KEY_FILE are both set"
        ):
            told(CONSOLE_SECRET_KEY="s" * 40, CONSOLE_SECRET_KEY_FILE=str(tmp_path / "secret"))

    def test_a_file_that_cannot_be_read_is_named_by_its_setting(self, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        for file, reason in (("missing", "No such file"), ("binary", "not UTF-8"), (".", "directory")):
            with pytest.raises(SettingsError, match=f"CONSOLE_SECRET_KEY_FILE cannot be read: .*{reason}"):
                told(CONSOLE_SECRET_KEY_FILE=str(tmp_path / file))

    def test_what_a_file_holds_is_checked_too(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("short")
        with pytest.raises(SettingsError, match="^CONSOLE_SECRET_KEY_FILE takes at least 32"):
            told(CONSOLE_SECRET_KEY_FILE=str(tmp_path / "secret"))


class TestKeys:
    def test_the_embedded_server_has_its_keys_made_once_in_private_files(self, tmp_path: Path) -> None:
        given, again = told(CONSOLE_DATA_DIR=str(tmp_path)), told(CONSOLE_DATA_DIR=str(tmp_path))
        given.check_keys()
        kept = {file.name: oct(file.stat().st_mode)[-3:] for file in (tmp_path / "keys").iterdir()}
        assert kept == {"secret_key": "600", "master_key": "600", "signing_key": "600"}
        assert oct((tmp_path / "keys").stat().st_mode)[-3:] == "700"
        assert (given.secret_key, given.master_key, given.signing_key) == (
            again.secret_key,
            again.master_key,
            again.signing_key,
        )
        assert len({given.master_key, given.signing_key}) == 2
        assert len(given.master_key) == len(given.signing_key) == 32

    def test_many_at_once_get_the_same_key(self, tmp_path: Path) -> None:
        found: list[str] = []
        start = threading.Barrier(8)

        def ask() -> None:
            start.wait()
            found.append(settings.keep_secret(tmp_path / "keys" / "one"))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 8
        assert len(set(found)) == 1
        assert [file.name for file in (tmp_path / "keys").iterdir()] == ["one"]

    def test_a_server_of_ones_own_wants_ones_own_keys(self, tmp_path: Path) -> None:
        given = told(DATABASE_URL=SERVER, CONSOLE_DATA_DIR=str(tmp_path))
        with pytest.raises(SettingsError) as stopped:
            given.check_keys()
        assert [line.split()[0] for line in stopped.value.message.splitlines()] == [
            "CONSOLE_SECRET_KEY",
            "CONSOLE_MASTER_KEY",
            "CONSOLE_SIGNING_KEY",
        ]
        assert not (tmp_path / "keys").exists()

    def test_but_the_demo_does_not(self, tmp_path: Path) -> None:
        told(DATABASE_URL=SERVER, CONSOLE_DATA_DIR=str(tmp_path), CONSOLE_DEMO="on").check_keys()

    def test_an_empty_value_hides_what_the_file_says(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(f"CONSOLE_SIGNING_KEY={KEY.hex()}\n")
        given = settings.read(
            {"CONSOLE_ENV_FILE": str(tmp_path / ".env"), "CONSOLE_SIGNING_KEY": "", "DATABASE_URL": SERVER}
        )
        with pytest.raises(SettingsError, match="CONSOLE_SIGNING_KEY is required"):
            assert given.signing_key

    def test_they_are_no_part_of_what_is_printed_of_the_settings(self) -> None:
        assert KEY.hex() not in repr(told(CONSOLE_MASTER_KEY=KEY.hex()))
        assert repr(KEY) not in repr(told(CONSOLE_MASTER_KEY=KEY.hex()))


@pytest.mark.parametrize(
    ("address", "secure"), [("", False), ("http://ops.example.com", False), ("https://ops.example.com", True)]
)
def test_cookies_are_secure_where_people_come_by_https(address: str, *, secure: bool) -> None:
    assert told(CONSOLE_BASE_URL=address).secure_cookies is secure


@pytest.mark.parametrize(
    ("demo", "limits", "limited"),
    [("off", "", True), ("on", "", False), ("on", "on", True), ("on", "9/min", True)],
)
def test_the_demo_does_not_limit_its_own_machine_unless_told_to(
    demo: str, limits: str, *, limited: bool
) -> None:
    assert told(CONSOLE_DEMO=demo, CONSOLE_RATE_LIMITS=limits).own_machine_limited is limited


def test_every_setting_has_a_field_and_a_sentence() -> None:
    for setting in SETTINGS:
        assert setting.sentence.endswith(".")
        assert hasattr(told(), setting.field.removeprefix("given_"))
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
