"""What several runs that nobody holds will read, read for all of them at once: themselves, their keys, and their records as their accounts see them."""

from collections.abc import Sequence
from contextlib import suppress

from console import access, accounts, records, subjects
from console.db import read_ahead as ahead
from console.errors import ConsoleError
from console.runs.rows.run_store import load_each


def read_ahead(run_ids: Sequence[str]) -> None:
    """Have these runs and their records at hand for the jobs of this thread. What cannot be read now each says for itself."""
    loaded = load_each(run_ids)
    ahead.keep("run", {each.run.id: each for each in loaded})
    subjects.load(each.subject for each in loaded if each.subject is not None and not each.run.ended)
    keys: dict[tuple[str, str], list[str]] = {}
    for run in (each.run for each in loaded):
        if run.hands_off and not run.ended and run.collection is not None and run.record is not None:
            keys.setdefault((run.acts_for, run.collection), []).append(run.record)
    for (account, collection), wanted in keys.items():
        with suppress(ConsoleError):
            if records.collection(collection).personal_key:
                continue
            actor = accounts.actor_of_person(account, "sys:engine")
            found = records.named(collection, wanted, access.scope_for(actor, collection, "read"), None)
            ahead.keep("record", {(account, collection, key): record for key, record in found.items()})
