"""Whether the tests still find 30 faults that this project once had, or almost had: one line each, put back into a copy of the checkout.

    python bench/faults.py [--only TEXT]

Each is tried by the tests named with it, which must fail. The bar: all are found. A line that is no longer there says so, and counts as not found.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import rig

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    "actions",
    "bench",
    "bin",
    "console",
    "docs",
    "migrations",
    "policies",
    "requirements",
    "templates",
    "tests",
    "workflows",
    "workspaces",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """`was` in the file becomes `becomes`; `tests` are paths below tests/."""

    file: str
    was: str
    becomes: str
    tests: str


FAULTS = (
    # who may approve, and who caused it
    Fault(
        "core/run/duties.py",
        "or person in behind.get(CAUSED, ()):",
        "and person not in behind.get(CAUSED, ()):",
        "core work/test_who_caused_it.py",
    ),
    Fault(
        "core/run/duties.py",
        "return who is not None and (who == person or",
        "return who is not None and (False or",
        "core",
    ),
    Fault("access/narrowing.py", "return not self.assistant and (", "return (", "access"),
    Fault(
        "access/narrowing.py",
        'if self.acts is not None and f"{kind}.{act}" not in self.acts:',
        "if False:",
        "access",
    ),
    Fault("access/index.py", "return not self.barred and (self.free or", "return (self.free or", "access"),
    Fault(
        "access/index.py",
        "return allowed and not any(condition.test(roots) for condition in self.deny)",
        "return allowed",
        "access",
    ),
    Fault("core/run/moves.py", "if run.holder != by:", "if False:", "core"),
    Fault("core/run/decisions.py", "        raise stale_form()", "        pass", "core"),
    Fault(
        "views/security.py",
        "    if not same_origin():",
        "    if False:",
        "views/test_page_routes.py views/test_security.py",
    ),
    Fault(
        "accounts/sessions.py",
        "and s.ended_at is null and p.disabled_at is null",
        "and p.disabled_at is null",
        "accounts views/test_page_routes.py",
    ),
    # who is reached
    Fault("core/contacting.py", "if contact.do_not_contact:", "if False:", "core"),
    Fault("core/contacting.py", "not each.given and each.withdrawn_at is not None:", "False:", "core"),
    Fault("core/contacting.py", "    if opens > now:", "    if False:", "core"),
    Fault("core/contacting.py", "    if isinstance(capped, Skip):", "    if False:", "core"),
    Fault(
        "core/signatures.py",
        'return "" if abs(late) <= TOLERANCE.total_seconds() else',
        'return "" if late else',
        "core views/test_hooks.py views/test_hooks_signing_senders.py",
    ),
    Fault(
        "integrations/net.py",
        "if not (meant or private(name, port)) and not all(",
        "if False and not all(",
        "integrations",
    ),
    # what is stored is what is logged
    Fault(
        "records/write.py",
        'if "old" in change and not alike(collection, field, change["old"], theirs[name]):',
        "if False:",
        "records effects",
    ),
    Fault("log/verify.py", "if count != (total :=", "if False and (total :=", "log"),
    Fault("log/verify.py", 'if complete and tree.root() != log["root"]:', "if False:", "log"),
    Fault(
        "activity/exports.py",
        "if isinstance(cell, str) and cell.startswith(FORMULA) else cell",
        "if False else cell",
        "activity",
    ),
    Fault(
        "runs/rows/run_store.py",
        "else [as_stored(event) for event in events]",
        "else list(events)",
        "runs/rows",
    ),
    Fault(
        "views/api/idempotency.py",
        "    if not claimed or done_before is not None:",
        "    if False:",
        "views/test_idempotency.py",
    ),
    Fault(
        "core/run/settling.py", 'return bool(effect.request.get("irreversible") or', "return bool(", "core"
    ),
    Fault("runs/rows/recent_runs.py", "revision not in (None, loaded.run.revision)", "False", "runs/rows"),
    # what leaves, and what is shown
    Fault("ai/contact_details.py", "and luhn.is_valid(digits):", "and False:", "ai"),
    Fault(
        "access/index.py",
        "Hidden(unreadable, unreadable | {name for name, _ in denied})",
        "Hidden(frozenset(), frozenset())",
        "access",
    ),
    Fault("log/masking.py", '        masked.append(f"{path}.{name}")', "        pass", "log"),
    Fault(
        "core/expressions/operands.py", "return value if value.is_finite() else None", "return value", "core"
    ),
    Fault("core/schedule.py", "for fold in (0, 1))", "for fold in (1, 1))", "core"),
    Fault(
        "runs/engine/advancing.py",
        "    if waits and workflows.paused(definition):",
        "    if False:",
        "runs/engine workflows",
    ),
)


def found(tree: Path, fault: Fault) -> bool:
    """Whether a test fails with the fault."""
    file = tree / "console" / fault.file
    text = file.read_text(encoding="utf-8")
    if text.count(fault.was) != 1:
        print(f"the line is there {text.count(fault.was)} times", end=": ")
        return False
    file.write_text(text.replace(fault.was, fault.becomes), encoding="utf-8")
    try:
        paths = [f"tests/{path}" for path in fault.tests.split()]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *paths]
        done = subprocess.run(
            command,
            cwd=tree,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": "0"},
            check=False,
        )
        return done.returncode == 1
    finally:
        file.write_text(text, encoding="utf-8")


def main() -> int:
    """Copy the checkout, and try one after another."""
    parser = argparse.ArgumentParser(description="Faults that the tests have to find.")
    parser.add_argument("--only", default="", help="faults whose file or line has this text")
    only = parser.parse_args().only
    chosen = [fault for fault in FAULTS if only in fault.file or only in fault.was]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        tree = Path(folder) / "tree"
        for name in COPIED:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "NOTICE", "LICENSE", "CONTRIBUTING.md"):
            shutil.copy(ROOT / name, tree / name)
        for fault in chosen:
            print(f"{fault.file}: {fault.was.strip()[:80]}", end=": ", flush=True)
            good = found(tree, fault)
            missed += not good
            print("found" if good else "NOT FOUND", flush=True)
    return 0 if rig.held(f"faults that the tests miss, of {len(chosen)}", missed, most=0) else 1


if __name__ == "__main__":
    sys.exit(main())
