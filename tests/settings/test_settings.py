"""Settings are checked at the start, all at once, by name, and never repeat a value."""

import base64
import os
import threading
from pathlib import Path

import pytest

from console import settings
from console.settings import SETTINGS, SettingsError
from tests.tables import cases

KEY = bytes(range(32))
PLAIN = {"CONSOLE_ENV_FILE": os.devnull}
SERVER = "postgresql://console:hush@db/console"


def told(**environ: str) -> settings.Settings:
    return settings.read(PLAIN | environ)


@cases(
    ("name", "text", "field", "value"),
    [
        ("DATABASE_URL", SERVER, "database_url", SERVER),
        ("DATABASE_URL", "postgres://console@db/console", "database_url", "postgresql://console@db/console"),
        ("DATABASE_URL", "", "database_url", None),
        ("CONSOLE_DATA_DIR", "/srv/hand rail", "data_dir", Path("/srv/hand rail")),
        ("CONSOLE_BASE_URL", "https://ops.example.com/", "base_url", "https://ops.example.com"),
        ("CONSOLE_TRUSTED_PROXIES", "2", "trusted_proxies", 2),
        ("CONSOLE_RATE_LIMITS", "off", "rate_limits", ()),
        ("CONSOLE_RATE_LIMITS", "On", "rate_limits", (60, 1_000, 10_000)),
        ("CONSOLE_RATE_LIMITS", "120/min, 50000/day", "rate_limits", (120, 1_000, 50_000)),
        ("CONSOLE_IDLE_SAVE_MINUTES", "5", "idle_save_minutes", 5),
        ("CONSOLE_DEMO", "on", "demo", True),
    ],
)
def test_a_setting_is_read(name: str, text: str, field: str, value: object) -> None:
    assert getattr(told(**{name: text}), field) == value


@cases(
    ("name", "text"),
    [
        ("DATABASE_URL", "mysql://root@db/console"),
        ("DATABASE_URL", "secret-words"),
        ("DATABASE_URL", "postgresql://[broken"),
        ("CONSOLE_BASE_URL", "ops.example.com"),
        ("CONSOLE_BASE_URL", "https://"),
        ("CONSOLE_BASE_URL", "https://ops.example.com/?next=1"),
        ("CONSOLE_TRUSTED_PROXIES", "-1"),
        ("CONSOLE_TRUSTED_PROXIES", "10"),
        ("CONSOLE_TRUSTED_PROXIES", "٣"),
        ("CONSOLE_IDLE_SAVE_MINUTES", "0000"),
        ("CONSOLE_IDLE_SAVE_MINUTES", "1.5"),
        ("CONSOLE_DEMO", "maybe"),
        ("CONSOLE_SECRET_KEY", "short-secret"),
        ("CONSOLE_MASTER_KEY", "not-base64-!"),
        ("CONSOLE_MASTER_KEY", base64.b64encode(KEY[:31]).decode()),
        ("CONSOLE_SIGNING_KEY", KEY.hex() + "00"),
    ],
)
def test_an_ill_formed_setting_stops_the_start_with_its_name_and_without_its_value(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as stopped:
        told(**{name: text})
    assert stopped.value.message.startswith(f"{name} takes ")
    assert text not in stopped.value.message.removeprefix(name)


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as stopped:
        told(CONSOLE_DATA_DIRECTORY="x", CONSOLE_PORT="80", CONSOLE_TRUSTED_PROXIES="many", DATABASE_MIGRATION_URL=SERVER)
    assert [line.split()[0] for line in stopped.value.message.splitlines()] == [
        "CONSOLE_DATA_DIRECTORY",
        "CONSOLE_PORT",
        "CONSOLE_TRUSTED_PROXIES",
        "DATABASE_MIGRATION_URL",
    ]


def test_names_of_other_programs_are_none_of_ours() -> None:
    assert told(CONSOLER="x", PATH="/bin", PGHOST="elsewhere").embedded


@pytest.mark.parametrize("text", [KEY.hex(), KEY.hex().upper(), base64.b64encode(KEY).decode(), base64.b64encode(KEY).decode().rstrip("=")])
def test_a_key_is_hexadecimal_or_base64(text: str) -> None:
    assert told(CONSOLE_MASTER_KEY=text).master_key == KEY


def test_a_key_may_be_base64_for_urls() -> None:
    key = b"\xfb\xff" * 16
    assert told(CONSOLE_MASTER_KEY=base64.urlsafe_b64encode(key).decode()).master_key == key


class TestFiles:
    def test_a_mounted_secret_is_read_without_its_line_end(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("s" * 40 + "\n")
        assert told(CONSOLE_SECRET_KEY_FILE=str(tmp_path / "secret")).secret_key == "s" * 40

    def test_both_a_value_and_a_file_are_one_too_many(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match="CONSOLE_SECRET_KEY and CONSOLE_SECRET_KEY_FILE are both set"):
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


class TestEnvFile:
    def test_it_is_read_and_the_environment_wins(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text(
            "# ours\nexport CONSOLE_TRUSTED_PROXIES=1\nCONSOLE_DATA_DIR = '/srv/x # y'  # the folder\nCONSOLE_DEMO=on # for now\n\nOTHER=1\n"
        )
        given = settings.read({"CONSOLE_ENV_FILE": str(tmp_path / ".env"), "CONSOLE_TRUSTED_PROXIES": "3"})
        assert (given.trusted_proxies, given.data_dir, given.demo) == (3, Path("/srv/x # y"), True)

    def test_that_of_the_current_folder_is_found(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / ".env").write_text('CONSOLE_IDLE_SAVE_MINUTES="7"\n')
        monkeypatch.chdir(tmp_path)
        assert settings.read({}).idle_save_minutes == 7
        assert settings.read({}).data_dir == tmp_path / "data"

    def test_an_unknown_name_in_it_stops_the_start(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("CONSOLE_COLOUR=red\n")
        with pytest.raises(SettingsError, match="CONSOLE_COLOUR is not a setting"):
            settings.read({"CONSOLE_ENV_FILE": str(tmp_path / ".env")})

    @pytest.mark.parametrize("line", ["CONSOLE_DEMO", "=on", "CONSOLE DEMO=on", "1=2"])
    def test_a_line_that_is_no_setting_is_named_by_its_number(self, line: str) -> None:
        with pytest.raises(SettingsError, match="prod.env, line 2"):
            settings.parse_env(f"A=1\n{line}\n", "prod.env")


class TestKeys:
    def test_the_embedded_server_has_its_keys_made_once_in_private_files(self, tmp_path: Path) -> None:
        given, again = told(CONSOLE_DATA_DIR=str(tmp_path)), told(CONSOLE_DATA_DIR=str(tmp_path))
        given.check_keys()
        kept = {file.name: oct(file.stat().st_mode)[-3:] for file in (tmp_path / "keys").iterdir()}
        assert kept == {"secret_key": "600", "master_key": "600", "signing_key": "600"}
        assert oct((tmp_path / "keys").stat().st_mode)[-3:] == "700"
        assert (given.secret_key, given.master_key, given.signing_key) == (again.secret_key, again.master_key, again.signing_key)
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
        given = settings.read({"CONSOLE_ENV_FILE": str(tmp_path / ".env"), "CONSOLE_SIGNING_KEY": "", "DATABASE_URL": SERVER})
        with pytest.raises(SettingsError, match="CONSOLE_SIGNING_KEY is required"):
            assert given.signing_key

    def test_they_are_no_part_of_what_is_printed_of_the_settings(self) -> None:
        assert KEY.hex() not in repr(told(CONSOLE_MASTER_KEY=KEY.hex()))
        assert repr(KEY) not in repr(told(CONSOLE_MASTER_KEY=KEY.hex()))


@pytest.mark.parametrize(("address", "secure"), [("", False), ("http://ops.example.com", False), ("https://ops.example.com", True)])
def test_cookies_are_secure_where_people_come_by_https(address: str, *, secure: bool) -> None:
    assert told(CONSOLE_BASE_URL=address).secure_cookies is secure


@pytest.mark.parametrize(("demo", "limits", "limited"), [("off", "", True), ("on", "", False), ("on", "on", True), ("on", "9/min", True)])
def test_the_demo_does_not_limit_its_own_machine_unless_told_to(demo: str, limits: str, *, limited: bool) -> None:
    assert told(CONSOLE_DEMO=demo, CONSOLE_RATE_LIMITS=limits).own_machine_limited is limited


@pytest.mark.parametrize("limits", ["60", "0/min", "60/s", "-1/h", "60/min;1/h", "60/min,", "maybe"])
def test_rates_that_cannot_be_read_stop_the_start(limits: str) -> None:
    with pytest.raises(SettingsError, match="CONSOLE_RATE_LIMITS takes on, off, or how many requests"):
        told(CONSOLE_RATE_LIMITS=limits)


def test_every_setting_has_a_field_and_a_sentence() -> None:
    for setting in SETTINGS:
        assert setting.sentence.endswith(".")
        assert hasattr(told(), setting.field.removeprefix("given_"))
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
