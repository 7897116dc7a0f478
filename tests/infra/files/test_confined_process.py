"""Programs that open what others made run under limits from their first line, and those limits stand in one place."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from console.infra.files import page_pictures
from console.infra.files.confined_process import Confined
from console.monitoring.reports.case_file import _press

ROOT = Path(__file__).parents[3]
PROBE = """
import json, os, resource, sys
try:
    open("written", "wb", buffering=0).write(b"x")
    wrote = True
except OSError:
    wrote = False
told = [resource.getrlimit(what)[0] for what in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)]
print(json.dumps([told, wrote, sys.argv[1:], sys.stdin.read(), sorted(set(os.environ) - {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}), "console" in sys.modules]))
"""


@pytest.mark.parametrize("kind", [page_pictures._draw, _press], ids=["draw", "press"])
def test_a_program_is_under_its_limits_before_its_first_line(
    kind: Confined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONSOLE_MASTER_KEY", "secret")
    (tmp_path / "probe.py").write_text(PROBE)
    limits, wrote, arguments, given, environment, ours = json.loads(
        replace(kind, program=tmp_path / "probe.py").ask(b"told", ["one", "two"])
    )
    assert limits == [kind.memory, kind.cpu_s, kind.writes, 0]
    assert (wrote, arguments, given, ours) == (bool(kind.writes), ["one", "two"], "told", False)
    assert environment == (["TMPDIR"] if kind.writes else []), "of its own, and gone afterwards"


def test_no_other_module_has_limits_of_its_own() -> None:
    using = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "console").rglob("*.py")
        if "RLIMIT" in path.read_text(encoding="utf-8")
    }
    assert using == {"console/infra/files/confined_process.py"}, (
        "start the program with console.infra.files.confined_process.Confined: it has the limits"
    )
