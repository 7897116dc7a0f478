"""The verifier as it is called."""

from pathlib import Path
from typing import Any

import pytest

from console.log import verify
from tests.log.exports import Said, f


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """(exit code, what is printed) of the verifier for an export, or for the bytes of an archive."""

    def run(
        export: Any, *, key: str | None = f.VKEY, since: str | None = None, zipped: bool = False
    ) -> tuple[int, str]:
        if isinstance(export, bytes) or zipped:
            path = tmp_path / "export.zip"
            path.write_bytes(export if isinstance(export, bytes) else export.zipped())
        else:
            path = tmp_path / "export"
            for old in path.glob("*"):
                old.unlink()
            export.folder(path)
        arguments = [str(path), *(["--key", key] if key else [])]
        if since is not None:
            (tmp_path / "old").write_text(since)
            arguments += ["--since", str(tmp_path / "old")]
        code = verify.main(arguments)
        return code, capsys.readouterr().out.strip()

    return run
