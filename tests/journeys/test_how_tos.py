"""The how-tos, typed as they stand: every block of a shell, every settings file, every file to import; and every label that they name is one of the product.

What stands for what only the reader has (hosts, addresses, passwords, keys) is `Typed.instead`, page by page; where a block is not typed, `elsewhere` says why.
"""

import json
import os
import re
import shlex
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from console import steps
from console.core.documents import workflow_check
from console.infra import settings
from tests.journeys.conftest import Demo, alone
from tests.journeys.documents import ROOT, Block, blocks, words
from tests.journeys.shells import Shell, beginnings

pytestmark = pytest.mark.slow

HOW_TOS = sorted(path.stem for path in (ROOT / "docs/how-to").glob("*.md"))
SETTING = re.compile(r"[A-Z_]+=\S.*")


@dataclass(frozen=True)
class Typed:
    """How a page is typed: what comes before it, what stands for what, what is answered to questions, which blocks are not typed here and why, what ends with another code."""

    before: str = ""
    instead: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[int, str] = field(default_factory=dict)
    elsewhere: Mapping[int, str] = field(default_factory=dict)
    ends: Mapping[int, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    """Files that the page shows: name → which of its blocks of JSON."""


BEA = {
    f"{verb} ana@example.com": f"{verb} bea@example.com"
    for verb in ("disable", "enable", "password", "remove")
}
EDITED = "p, role:reviewer, t:operations, collection:shop.purchase, browse, allow"
TYPED: dict[str, Typed] = {
    "add-code-of-your-own": Typed(
        elsewhere={
            0: "serves in the foreground: tests/sources/collections/test_collections_said.py and tests/views/test_collection_pages.py read such modules"
        }
    ),
    "add-people-and-roles": Typed(
        before="console user create bea@example.com --role operator --team operations --name 'Bea Horn'",
        instead={
            "invite ana@example.com": "invite cleo@example.com",
            **BEA,
            "malik@example.com": "malik@fernwick.example",
            "'Financial Crime'": "'Fraud Desk'",
            "financial_crime": "fraud_desk",
            "archive growth": "archive fraud_desk",
            "create nightly-report --user ana@example.com --expires 90d": "create nightly-report --user olivia@fernwick.example --expires 90d | tee key",
            "key_01jd…": r"$(sed 's/^cns_\(.*\)_.*/key_\1/' key)",
        },
    ),
    "archive-old-activity": Typed(
        instead={"/srv/archive": "archive"},
        elsewhere={
            2: "the demo has no month that is over, so nothing to attach: tests/activity/test_archive.py has one"
        },
    ),
    "back-up-and-restore": Typed(
        elsewhere=dict.fromkeys(range(7), "typed by test_a_backup_is_restored_as_the_page_says")
    ),
    "build-a-workspace": Typed(
        before="mkdir -p workspaces; console workspace export refund-desk > workspaces/refund-desk.json"
    ),
    "check-an-export": Typed(
        before="KEY=$(console apikey create exporting --user ada@fernwick.example); URL=http://127.0.0.1:8000; console seal > /dev/null",
        elsewhere={1: "typed by test_an_export_is_checked_as_the_page_says"},
    ),
    "connect-your-database": Typed(
        instead={
            "source add shop postgresql://reader:secret@db.example/shop --role operator --documents": "source add depot postgresql://reader:secret@db.example/shop --role operator --documents",
            "refresh shop --documents": "refresh depot --documents",
            '"shop': '"depot',
            '"label": "Customers"': '"label": "Buyers"',
            "source add shop": "source add store",
            "refresh shop": "refresh store",
            "change shop": "change store",
            "inspect shop": "inspect store",
        },
        files={"collections/depot.customer.json": 0},
    ),
    "erase-a-person": Typed(
        before="console hold place customer 901 --reason 'Looked at'; console hold release customer 901 --reason 'Done'",
        instead={"customer 17": "customer 901"},
        answers={0: "y\n"},
    ),
    "find-out-why": Typed(instead={"olivia@example.com": "olivia@fernwick.example"}),
    "give-rights": Typed(
        environment={"EDITOR": "./edit"},
        before=f"printf '#!/bin/sh\\necho {EDITED} >> \"$1\"\\n' > edit; chmod +x edit",
    ),
    "limit-how-long-values-are-kept": Typed(instead={"customer 17": "customer 902"}),
    "measure-proposals": Typed(
        before="printf 'Be strict.\\n' > stricter.txt",
        elsewhere={
            1: "asks a provider: tests/ai/proposals/test_evaluate.py has one",
            2: "asks a provider: tests/ai/proposals/test_evaluate.py has one",
        },
    ),
    "read-the-activity-log": Typed(
        before="KEY=$(console apikey create reading --user ada@fernwick.example); URL=http://127.0.0.1:8000"
    ),
    "restore-after-a-crash": Typed(),
    "run-in-production": Typed(
        elsewhere={
            0: "an administrator of another server: tests/test_cli.py",
            3: "serves in the foreground; its commands are typed in add-people-and-roles and restore-after-a-crash",
        },
    ),
    "send-checkpoints-outside": Typed(
        elsewhere={
            4: "typed by test_a_backup_is_restored_as_the_page_says, in the restored copy",
            5: "the same with a key of one's own: tests/activity/test_key_change.py",
        },
    ),
    "send-events-outside": Typed(
        before="KEY=$(console apikey create sending --user admin@fernwick.example); URL=http://127.0.0.1:8000"
    ),
    "shape-your-collections": Typed(),
    "sign-in-with-your-identity-provider": Typed(),
    "let-an-assistant-in": Typed(instead={"ana@example.com": "olivia@fernwick.example"}),
    "use-a-second-factor": Typed(
        elsewhere={0: "typed by test_a_second_factor_is_set_up_and_reset_as_the_page_says"}
    ),
    "use-an-ai-provider": Typed(
        elsewhere={
            0: "serves in the foreground; the settings are read by test_every_setting_of_a_block_is_taken"
        }
    ),
    "use-the-api": Typed(
        before=f"cp {ROOT}/docs/how-to/check-customer.json call-back.json",
        elsewhere=dict.fromkeys(range(8), "typed by test_the_calls_of_the_guide_are_answered"),
    ),
    "work-with-inboxes": Typed(files={"inboxes.json": 0}),
    "write-a-workflow": Typed(before=f"cp {ROOT}/docs/how-to/check-customer.json ."),
}


def page(name: str) -> str:
    """The path of a how-to."""
    return f"docs/how-to/{name}.md"


def is_settings(block: Block) -> bool:
    """Whether a block is a settings file: names and values alone."""
    return all(
        SETTING.fullmatch(line)
        and not line.startswith(("URL=", "KEY=", "RUN=", "JSON="))
        and " console " not in line
        for line in block.text.splitlines()
        if line.strip()
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this module types."""
    return tmp_path_factory.mktemp("how-tos")


@pytest.fixture(scope="module")
def shell(demo: Demo, folder: Path) -> Shell:
    """After the README's five things."""
    return beginnings(demo, folder)


def of(shell: Shell, name: str) -> Shell:
    """The shell for one page, in a folder of its own."""
    typed = TYPED[name]
    own = shell.folder / name
    own.mkdir(exist_ok=True)
    return Shell(shell.demo, own, {**typed.instead, **shell.instead}, typed.environment)


def test_what_is_not_typed_here_is_typed_where_it_says() -> None:
    here = Path(__file__).read_text(encoding="utf-8") + (
        Path(__file__).parent / "test_how_to_pages.py"
    ).read_text(encoding="utf-8")
    for name, typed in TYPED.items():
        for why in typed.elsewhere.values():
            files, tests, guides = (
                re.findall(r"tests/[\w/.]+", why),
                re.findall(r"\btest_\w+(?!\.py)\b", re.sub(r"tests/\S+", "", why)),
                re.findall(r"[a-z]+(?:-[a-z]+)+", why),
            )
            assert files or tests or set(guides) & set(TYPED) or "read by" in why, (name, why)
            assert all((ROOT / file).exists() for file in files), (name, why)
            assert all(f"def {test}" in here for test in tests), (name, why)


def test_every_how_to_with_a_block_for_a_shell_is_typed() -> None:
    with_blocks = {
        name for name in HOW_TOS if any(not is_settings(block) for block in blocks(page(name), "sh"))
    }
    assert set(TYPED) >= with_blocks
    assert set(TYPED) <= set(HOW_TOS)


@pytest.mark.parametrize("name", sorted(TYPED))
def test_a_how_to_can_be_typed_as_it_stands(shell: Shell, name: str) -> None:
    typed, here = TYPED[name], of(shell, name)
    if typed.before:
        begun = here.type(typed.before)
        assert begun.code == 0, begun.err
    for file, number in typed.files.items():
        (here.folder / file).parent.mkdir(exist_ok=True)
        (here.folder / file).write_text(here.read(blocks(page(name), "json")[number].text), encoding="utf-8")
    wrong = []
    for number, block in enumerate(blocks(page(name), "sh")):
        if number in typed.elsewhere or is_settings(block):
            continue
        with (
            alone(here.demo, "policy")
            if re.search(r"policy|console (source|user|team) |--role", block.text)
            else nullcontext()
        ):
            said = here.type(block.text, typed.answers.get(number, ""))
        if said.code != typed.ends.get(number, 0):
            wrong.append(f"{block.text}\nended with {said.code}:\n{said.out[-1500:]}\n{said.err[-1500:]}")
    assert not wrong, "\n\n".join(wrong)


def test_the_calls_of_the_guide_are_answered(shell: Shell, tmp_path: Path) -> None:
    name, own = "use-the-api", f"{time.monotonic_ns():x}"
    instead = {
        **shell.instead,
        "ana@example.com": f"dora-{own}@example.com",
        "curl -s ": "curl -sS --fail-with-body ",
        "order-4711": own,
        "Call back": f"Call back {own}",
        "records/1": "records/19",
        '"record": "2"': '"record": "19"',
        "call-back": f"call-back-{own}",
    }
    here = Shell(shell.demo, tmp_path, instead)
    made = here.type(
        f"console user create dora-{own}@example.com --role operator --team operations --name 'Dora Funk'; console user create lea-{own}@example.com --role lead --team operations"
    )
    assert made.code == 0, made.err
    mine = json.loads((ROOT / "docs/how-to/check-customer.json").read_text(encoding="utf-8")) | {
        "slug": f"call-back-{own}"
    }
    (tmp_path / f"call-back-{own}.json").write_text(json.dumps(mine), encoding="utf-8")
    answers = list[list[Any]]()
    for block in blocks(page(name), "sh"):
        edits = "/workflows/" in block.text
        said = here.type(
            f"KEPT=$KEY; KEY=$(console apikey create editing --user lea-{own}@example.com)\n{block.text}\nKEY=$KEPT"
            if edits
            else block.text
        )
        assert said.code == 0, (block.text, said.out, said.err)
        answers.append(values_of(said.out))
        if len(answers) == 4:
            instead["run_…"] = answers[3][0]["id"]
    me, lists, changed, begun, handed_in, workflow, again, told = answers
    assert me[0]["name"] == "Dora Funk"
    assert [len(one["data"]) > 0 for one in lists] == [True, True]
    assert all(one["values"]["status"] == "new" for one in lists[1]["data"])
    assert changed[0]["values"]["limit_amount"] == "300.00"
    assert (begun[0]["current"]["step"], begun[0]["revision"]) == ("purchases", 1)
    assert [one["status"] for one in handed_in] == ["waiting_person", "waiting_person", "completed"]
    assert workflow
    assert again[0]["rerun_of"] == begun[0]["id"]
    assert (tmp_path / "case.zip").read_bytes()[:2] == b"PK"
    assert told[0]["data"]
    assert told[1]["at"] == 4


def values_of(out: str) -> list[Any]:
    """The JSON values that stand in an output, one after another."""
    found, rest = list[Any](), out.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        found.append(value)
        rest = rest[end:].strip()
    return found


def test_every_setting_of_a_block_is_taken(tmp_path: Path) -> None:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    (tmp_path / "secret").write_text("a-secret-of-some-length\n", encoding="utf-8")
    (tmp_path / "webhook").write_text(f"whsec_{key}\n", encoding="utf-8")
    tried = 0
    for name in HOW_TOS:
        for block in blocks(page(name), "sh"):
            if not is_settings(block):
                continue
            told = settings.parse_env(block.text, name)
            for setting, value in told.items():
                if setting.endswith("_FILE"):
                    told[setting] = str(tmp_path / ("webhook" if "WEBHOOK" in setting else "secret"))
                elif value == "…":
                    told[setting] = key
                else:
                    told[setting] = value.replace("…", "x")
            read = settings.read({**told, "CONSOLE_ENV_FILE": os.devnull})
            assert read, name
            tried += 1
    assert tried >= 7


def test_a_backup_is_restored_as_the_page_says(shell: Shell, tmp_path: Path) -> None:
    name = "back-up-and-restore"
    make, daily, restore, again, resume, _, practise = blocks(page(name), "sh")
    made, asked = blocks(page(name), "text")
    folder = Shell(
        shell.demo,
        tmp_path,
        {
            "/srv/backups": str(tmp_path),
            "cp -a data/keys": f"cp -a {shell.demo.data}/keys",
            "/tmp/drill": str(tmp_path / "drill"),
        },
    )
    said = folder.type(make.text)
    assert said.code == 0, said.err
    assert re.search(
        r"monday\.zip: [\d.,]+ MB, a log of [\d,]+ signed events\. Keep apart from it: the master key \w+",
        " ".join(said.out.split()),
    )
    assert "a log of" in made.text
    assert folder.type(daily.text).code == 0
    assert folder.type(make.text).code == 1, "a file that is there is never written over"
    assert folder.type(practise.text.replace("rm -rf /tmp/drill", "")).code == 0
    elsewhere = Shell(shell.demo, tmp_path, folder.instead, {"CONSOLE_DATA_DIR": str(tmp_path / "drill")})
    refused = elsewhere.type(restore.text)
    assert refused.code == 1
    assert "--replace" in refused.err
    said = elsewhere.type(
        "console user list > /dev/null; console apikey create lost --user tom@fernwick.example; console seal"
    )
    assert said.code == 0, said.err
    said = elsewhere.type(
        f"script -qec {shlex.quote(again.text.strip().replace('/srv/backups', str(tmp_path)))} /dev/null",
        answers="y\n",
    )  # asked at a terminal alone
    assert said.code == 0, said.err
    told = " ".join((said.out + said.err).split())
    for line in asked.text.splitlines():
        assert re.search(pattern(line), told), (line, told)
    assert elsewhere.type(resume.text).code == 0
    said = elsewhere.type(blocks(page("send-checkpoints-outside"), "sh")[4].text)
    assert said.code == 0, said.err
    assert (tmp_path / "double-signed.txt").read_text(encoding="utf-8").count("— ") == 2
    assert folder.type(practise.text.splitlines()[-1]).code == 0
    assert not (tmp_path / "drill").exists()


def pattern(line: str) -> str:
    """A line of shown output, with any number, moment and word in place of its own."""
    shown = re.escape(line.partition(": y")[0])
    shown = re.sub(r"\d{4}\\?-\d\d\\?-\d\dT[\d:.\\]+Z", r"\\S+Z", shown)
    shown = re.sub(r"(?<!\\S\+)\d[\d,]*", r"[\\d,]+", shown)
    return shown.replace("events", "events?").replace("are", "(are|is)").replace(r"that\ came", r"that\ came")


def test_an_export_is_checked_as_the_page_says(shell: Shell, tmp_path: Path) -> None:
    _, check = blocks(page("check-an-export"), "sh")
    shown = blocks(page("check-an-export"), "text")[0].text.strip()
    here = Shell(shell.demo, tmp_path)
    said = here.type(
        "console seal > /dev/null; console activity export --format zip --out first.zip; unzip -q -o first.zip -d first; cp first/checkpoint last-checkpoint.txt; console apikey create one-more --user tom@fernwick.example; console seal"
    )
    assert said.code == 0, said.err
    said = here.type(
        'console activity export --format zip --out export.zip --since "$(sed -n 2p last-checkpoint.txt)"; cp first/verify.py .'
    )
    assert said.code == 0, said.err
    key = (tmp_path / "first/key").read_text(encoding="utf-8").strip()
    given = re.sub(r"'[^']*AQOh…'", f"'{key}'", check.text)
    assert given != check.text
    said = here.type(given)
    assert said.code == 0, said.out + said.err
    assert re.fullmatch(re.sub(r"\d+", r"\\d+", re.escape(shown)), said.out.strip())
    events = tmp_path / "first/events.jsonl"
    changed = events.read_bytes().replace(b"1", b"2", 1)
    events.write_bytes(changed)
    said = here.type(f"python first/verify.py first --key '{key}'")
    assert said.code == 1
    assert re.search("line 1: (edited|dropped|inserted)", said.out + said.err)


def test_every_step_that_a_how_to_shows_is_one_that_the_check_takes() -> None:
    checked = 0
    for name in HOW_TOS:
        for block in blocks(page(name), "json"):
            shown = json.loads(block.text) if block.text.startswith("{") else {}
            if not {"id", "type", "next"} <= shown.keys() or shown["type"] == "start":
                continue
            start = {
                "id": "start",
                "type": "start",
                "title": "Start",
                "config": {},
                "next": {"default": shown["id"]},
            }
            ends = [
                {"id": end, "type": "end", "title": end, "config": {}, "next": {}}
                for end in sorted(set(shown["next"].values()))
            ]
            frame = {
                "format": 1,
                "slug": "shown",
                "title": "Shown",
                "collection": "customer",
                "team": "operations",
                "roles": ["operator"],
            }
            file = json.dumps({**frame, "settings": {}, "variables": {}, "steps": [start, shown, *ends]})
            wrong = [
                problem.reason for problem in workflow_check.check(file.encode(), steps.all_types(), None)
            ]
            others = (
                "There is no step",
                "does not come before this one",
            )  # what the example takes from steps that it does not show
            assert [reason for reason in wrong if not any(other in reason for other in others)] == [], (
                name,
                shown["id"],
            )
            checked += 1
    assert checked >= 5


def test_the_action_of_the_guide_is_checked_and_read_in(shell: Shell, tmp_path: Path) -> None:
    name = "write-an-action"
    commands = [word for word in words(page(name), "code") if word.startswith("console action")]
    assert len(commands) == 2
    (tmp_path / "ticket.settle.json").write_text(blocks(page(name), "json")[0].text, encoding="utf-8")
    for command in commands:
        said = Shell(shell.demo, tmp_path).type(command)
        assert said.code == 0, (command, said.out, said.err)
