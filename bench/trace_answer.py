"""An answer's way from the page to the log: the files of `console/` whose functions are handed what was typed, on the demo.

    python bench/trace_answer.py [--stays]

Loads the demo into a temporary folder, signs Olivia in, starts a KYC review and posts the form of a step with the test client. `sys.setprofile` notes
each call into `console/` of which an argument holds the typed text, until the step is committed. Printed are the files in the order in which the answer
comes to them first, how many there are, and how many stays: how often the answer is handed from one file to another. Behind it the same of all calls,
and up to the page of the next step.
"""

import argparse
import sys
from dataclasses import dataclass, field, fields, is_dataclass
from html.parser import HTMLParser
from pathlib import Path
from types import FrameType
from typing import Any

import rig

FILES, STAYS = 20, 60
DEPTH = 4
COMMIT = ("runs/store/run_store.py", "_commit")
"""The function that commits the step: file, name."""
TYPED = "A family business, known for long"
CONSOLE = Path(__file__).resolve().parent.parent / "console"


class Form(HTMLParser):
    """What the form of a run's page sends, as its boxes stand."""

    def __init__(self, page: bytes, action: str) -> None:
        super().__init__()
        self.action, self.inside = action, False
        self.values: dict[str, str] = {}
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the named boxes between the form's tags."""
        told = dict(attrs)
        if tag == "form":
            self.inside = told.get("action") == self.action
        name = told.get("name")
        if self.inside and name and tag in ("input", "textarea") and told.get("type") != "checkbox":
            self.values[name] = told.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        """The form ends."""
        self.inside = self.inside and tag != "form"


@dataclass
class Way:
    """Files that were entered, a file once for each stay: with the answer in hand, and at all. `ends`: how long both were at the commit."""

    carrying: list[str] = field(default_factory=list)
    every: list[str] = field(default_factory=list)
    ends: tuple[int, int] | None = None

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        code = frame.f_code
        if (
            self.ends is None
            and event == "return"
            and code.co_filename == f"{CONSOLE}/{COMMIT[0]}"
            and code.co_name == COMMIT[1]
        ):
            self.ends = len(self.carrying), len(self.every)
        if event != "call" or not code.co_filename.startswith(f"{CONSOLE}/") or code.co_name.startswith("<"):
            return
        name = code.co_filename[len(str(CONSOLE)) + 1 :]
        if self.every[-1:] != [name]:
            self.every.append(name)
        names = [
            each for each in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if each != "self"
        ]
        if self.carrying[-1:] != [name] and any(_holds(frame.f_locals.get(each), DEPTH) for each in names):
            self.carrying.append(name)


def _holds(value: Any, depth: int) -> bool:
    """Whether the typed text is in the value, in a collection or in a field of an object of ours."""
    if isinstance(value, str):
        return TYPED in value
    if isinstance(value, bytes):
        return TYPED.encode() in value
    if depth == 0:
        return False
    if isinstance(value, dict):
        return any(_holds(each, depth - 1) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(each, depth - 1) for each in value)
    if is_dataclass(value):
        return any(_holds(getattr(value, each.name, None), depth - 1) for each in fields(value))
    return False


def main() -> int:
    """Load, post, print, judge."""
    parser = argparse.ArgumentParser(description="An answer's way from the page to the log.")
    parser.add_argument("--stays", action="store_true", help="print every stay, not only each file once")
    options = parser.parse_args()
    with rig.console():
        way = _traced()
    assert way.ends is not None, "nothing was committed"
    carrying, every = way.carrying[: way.ends[0]], way.every[: way.ends[1]]
    print(*(carrying if options.stays else dict.fromkeys(carrying)), sep="\n")
    files, stays = len(set(carrying)), len(carrying)
    print(f"the answer until the commit: {files} files, {stays} stays (bars: {FILES} and {STAYS})")
    print(
        f"all calls until the commit: {len(set(every))} files; until the page of the next step: {len(set(way.every))}"
    )
    return 0 if files <= FILES and stays <= STAYS else 1


def _traced() -> Way:
    """The way of one answer, on a demo loaded for it. A first answer is posted before, so that no import and no cold cache counts."""
    import os

    from console import demo
    from console.auth import accounts
    from console.demo import loading, stories
    from console.infra.db.engine import fetch
    from console.views.app import create_app

    folder = Path(os.environ["CONSOLE_DATA_DIR"])
    demo.load(folder)
    person = next(each for each in loading.read_note(folder)["people"] if each["email"].startswith("olivia"))
    client = create_app().test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    form = Form(client.get("/sign-in").data, "/sign-in").values
    answer = client.post("/sign-in", data=form | {"email": person["email"], "password": person["password"]})
    assert answer.status_code == 303, answer.text
    way = Way()
    (person_id,) = fetch("select id from console.person where email = %s", (person["email"],))[0]
    actor = accounts.actor_of_person(str(person_id), "ses_bench")
    for customer, traced in zip(stories.PLAIN, (False, True), strict=False):
        path, sent = _at_step(client, actor, customer)
        if traced:
            sys.setprofile(way.note)
        try:
            answer = client.post(
                f"{path}/complete", data=sent, headers={"HX-Request": "true", "HX-Target": "runner"}
            )
        finally:
            sys.setprofile(None)
        assert answer.status_code == 200, answer.text
    return way


def _at_step(client: Any, actor: Any, customer: int) -> tuple[str, dict[str, str]]:
    """(address, form) of a new review of the customer at the step *Check each document*, whose form has one text box."""
    from console import runs

    run_id = runs.start(actor, "kyc-review", "customer", str(customer), {"reason": "periodic"})
    runs.advance(run_id)
    path = f"/runs/{run_id}"
    for _ in range(10):
        sent = Form(client.get(path).data, f"{path}/complete").values
        if sent.get("step") == "check_docs":
            break
        client.post(f"{path}/complete", data=sent)
    assert sent["step"] == "check_docs", sent
    return path, {name: TYPED if name == "v.remark" else value for name, value in sent.items()}


if __name__ == "__main__":
    sys.exit(main())
