"""The screen, the workflows that are shipped and the docs use the trade's words: what is not said, and what is said instead."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.test_layout import ROOT, tracked

PHRASES = {
    r"out of your hands": "Done. Next in …",
    r"hand on to|for anybody to take": "Reassign, Release",
    r"when you press done|goes on\. this step": "nothing",
    r"\b(?:has|have|runs?|ticket) in hand\b|in hand\.|nobody[’']s hands": "Assigned, Unassigned",
    r"who holds what": "Workload",
    r"[\d}] by themselves": "automatic",
    r"ended today|ended lately": "Completed today, Recent runs",
    r"watch what happened": "Example replay",
    r"asked of you": "Tasks",
    r"waits since|why, or when due": "Waiting, Due",
    r"\bdays? (?:over|late|overdue)\b": "d overdue",
    r"reviews? (?:is )?overdue": "Review due: a fact of a record",
    r"decided before, alike": "Similar decisions",
    r"what was handed in": "Submitted values",
    r"second pair of eyes": "Four-eyes check",
    r"hits cleared|cleared by one that differs|cleared as somebody else|name came on a list": "False positives",
    r"persons and companies behind": "Related parties",
    r"chains? of holdings|company in the registers": "Ownership chain, Registry record",
    r"activity of twelve months|expected against actual": "12-month activity, Expected vs actual turnover",
    r"in and out at once|much cash": "Pass-through, Cash-intensive",
    r"set the band to": "Override rating",
    r"refund what remains": "Full refund",
    r"our house|house rules?|house text": "External, Variables, Prompt prefix",
    r"may it be refunded": "Refund policy",
    r"call them back|the call and the bank": "Callback verification, Bank verification",
    r"drop the request|\bsend off\b": "Cancel request, Submit",
    r"proposals at work|taken as proposed": "AI performance, Accepted unchanged",
    r"next firing": "Next run",
    r"waiting to begin|take everybody out|leaving and coming again": "Queued, Remove all, Exit and re-entry",
    r"came there|took this way": "entered, took this path",
    r"keep these days": "Save",
    r"close together": "Compact",
    r"choose the row": "Select the row",
    r"is told by its": "Match by",
    r"many are called|one is called": "Plural, Singular",
    r"is it you\?": "Confirm it's you",
    r"fits what you search for": "matches",
}
"""What is not said anywhere → what is said."""
LABELS = {
    "Told": "the verb of the step",
    "Seen": "the verb of the step",
    "Go on": "Continue",
    "Handed in": "Submitted",
    "Something happened": "Trigger event",
    "With you": "Assigned",
    "To decide": "Approvals",
    "Where it stands": "Step",
    "Papers": "Documents",
    "Letters": "E-mails",
    "Left": "Refundable, Exited",
    "Back before": "Already refunded",
    "By hand": "Manual",
    "What happened": "Runs, Timeline or Event",
    "Stands at": "Step",
    "In it": "Active",
    "Begun": "Started",
    "Acts as": "Runs as",
    "Whose": "Owner",
    "Who may do what": "Permissions",
    "Clearances": "Confidential access",
    "On and off": "AI switches",
    "What a model sees": "Redaction preview",
    "Keep": "Save",
    "Roomy": "Comfortable",
    "Row before": "Previous",
    "Look at it": "Preview",
    "Look again": "Update",
    "Needed": "Required",
    "Enum": "Choice",
    "Uuid": "ID",
    "Binary": "File",
    "Multi enum": "Choices",
}
"""What is no label → what is: a text that is nothing else, also between the stars of a page of the docs."""
_RULE = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES), re.IGNORECASE)


def texts(path: Path) -> Iterator[str]:
    """What people read of a file, piece by piece; at least that."""
    source = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".html":
            bare = re.sub(r"\{#.*?#\}", "", source, flags=re.DOTALL)
            for piece in re.split(r"<[^<>]*?>|\{%.*?%\}", bare, flags=re.DOTALL):
                yield from (" ".join(part.split()) for part in piece.split("{{"))
            yield from re.findall(r'"([^"]*)"', bare)
        case ".json":
            yield from _strings(json.loads(source))
        case ".md":
            bare = re.sub(r"```.*?```", "", source, flags=re.DOTALL)
            yield bare
            yield from re.findall(r"\*+([^*\n]+)\*+", bare)
        case ".py":
            tree = ast.parse(source)
            said = {
                id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)
            }  # docstrings, also of attributes
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
                    yield node.value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def test_screens_workflows_and_docs_use_the_trade_s_words() -> None:
    read = (
        ("templates", ".html"),
        ("console", ".py"),
        ("console/demo", ".json"),
        ("workflows", ".json"),
        ("actions", ".json"),
        ("workspaces", ".json"),
        ("docs", ".md"),
    )
    paths = {
        path
        for path in tracked()
        for folder, suffix in read
        if path.suffix == suffix and path.is_relative_to(ROOT / folder)
    }
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0] if found else text}"
        for path in sorted(paths)
        for text in texts(path)
        if (found := _RULE.search(text)) or text.strip() in LABELS
    ]
    assert not wrong, "\n".join(wrong)
