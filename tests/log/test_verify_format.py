"""The single file of the verifier, and the document of the format: its example is computed anew."""

import ast
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from console.log import body, checkpoint, tree, verify
from tests.log.exports import WHOLE, Said, f
from tests.log.test_verify import EVENTS, VALUES

FORMAT = Path(__file__).resolve().parents[2] / "docs" / "reference" / "log-format.md"


def test_the_verifier_is_one_file_that_needs_nothing_but_python(tmp_path: Path) -> None:
    source = Path(verify.__file__).read_text()
    assert len(source.splitlines()) <= 460
    for item in ast.walk(ast.parse(source)):
        names = (
            [alias.name for alias in item.names]
            if isinstance(item, ast.Import)
            else [item.module or ""]
            if isinstance(item, ast.ImportFrom)
            else []
        )
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)
    (tmp_path / "verify.py").write_text(source)
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            str(tmp_path / "verify.py"),
            str(WHOLE.folder(tmp_path / "export")),
            "--key",
            f.VKEY,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout.split(",")[0], done.stderr) == (0, "verified 300 events", "")


def test_the_events_of_the_format_are_those_that_the_console_writes() -> None:
    for line in WHOLE.lines:
        assert verify.TAIL.fullmatch(line, line.rfind(b'}},"id":"'))
    event = orjson.loads(WHOLE.lines[0])
    assert set(event) | {"label"} == set(
        re.findall(r"^\| `(\w+)` \|", FORMAT.read_text().split("## Body")[1].split("##")[0], re.MULTILINE)
    )


def block(heading: str) -> str:
    """The fenced text after these words."""
    found = re.search(
        re.escape(heading) + r"[^\n]*\n(?:[^`\n][^\n]*\n)*\n```\w+\n(.*?)```", FORMAT.read_text(), re.DOTALL
    )
    assert found, heading
    return found[1]


@pytest.fixture
def example() -> dict[str, bytes]:
    """The files of the export in the document."""
    texts = {
        name: block(f"\n`{name}`").encode()
        for name in ("events.jsonl", "values.jsonl", "checkpoint", "key", "proofs.json")
    }
    return texts | {"leaves": bytes.fromhex(block("\n`leaves`, in hexadecimal:"))}


def test_the_example_of_the_format_is_computed_anew(example: dict[str, bytes]) -> None:
    text, lines = FORMAT.read_text(), example["events.jsonl"].splitlines()
    leaves = [hashlib.sha256(b"\x00" + line).digest() for line in lines]
    assert f"bodies of {len(lines[0])}, {len(lines[1])} and {len(lines[2])} bytes" in text
    assert [body.canonical(orjson.loads(line)) for line in lines] == lines
    assert b"".join(leaves) == example["leaves"]
    assert f"first two is `{tree.root(leaves[:2]).hex()}`, of all three `{tree.root(leaves).hex()}`" in text
    assert orjson.loads(lines[2])["prev"] == leaves[0].hex()
    assert example["checkpoint"].decode() == checkpoint.sign(f.ORIGIN, 3, tree.root(leaves), [f.SEED])
    assert block("when the log had one event:") == checkpoint.sign(f.ORIGIN, 1, leaves[0], [f.SEED])
    key = checkpoint.verifier_key(f.ORIGIN, f.SEED)
    assert f"its public key `{key.public.hex()}`, its id `{key.id.hex()}`" in text
    assert example["key"].decode() == f"{key}\n"
    steps = [item.hex() for item in tree.consistency(1, 3, tree.complete_subtrees(leaves))]
    assert orjson.loads(example["proofs.json"])["consistency"] == {"from": 1, "proof": steps}
    part = orjson.loads(block("and this `proofs.json`:"))
    assert part["inclusion"] == [
        [item.hex() for item in tree.inclusion(place - 1, 3, tree.complete_subtrees(leaves))]
        for place in part["positions"]
    ]
    values = [orjson.loads(line) for line in example["values.jsonl"].splitlines()]
    assert [body.canonical(value) for value in values] == example["values.jsonl"].splitlines()
    sealed = orjson.loads(lines[2])["data"]["sealed"]
    assert body.commitment(bytes.fromhex(values[1]["salt"]), values[1]["value"]) == sealed["reason"]
    masked = re.search(r"its salt is `(\w+)` and its value\s+`([^`]+)`, which gives `(\w+)`", text)
    assert masked
    assert (
        hashlib.sha256(bytes.fromhex(masked[1]) + masked[2].encode()).hexdigest()
        == masked[3]
        == sealed["values/limits"]
    )


def test_the_example_of_the_format_is_verified(example: dict[str, bytes], said: Said) -> None:
    old = block("when the log had one event:")
    whole = f.Export((), (), b"", {}, "", extra=example)
    assert said(whole, since=old)[1].startswith(
        "verified 3 events, complete; values: 2 shown, 0 erased, 0 expired, 1 masked; unchanged since"
    )
    lines, leaves = example["events.jsonl"].splitlines(keepends=True), example["leaves"]
    part = example | {
        "events.jsonl": lines[0] + lines[2],
        "leaves": leaves[:32] + leaves[64:],
        "proofs.json": block("and this `proofs.json`:").encode(),
    }
    assert said(replace(whole, extra=part))[1].startswith(
        "verified 2 events, chosen from 3; no chain here has a gap"
    )


def test_every_kind_of_fault_is_in_the_documents() -> None:
    named = {kind for _, _, kind in (*EVENTS.values(), *VALUES.values())} | {"re-signed"}
    for page in (FORMAT, FORMAT.parents[1] / "how-to" / "check-an-export.md"):
        text = page.read_text()
        assert all(kind in text for kind in named)
