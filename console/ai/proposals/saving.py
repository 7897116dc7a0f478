"""Changing the settings of the AI: judged, checked, tried with one tiny call, kept as a new version, and noted with what was before. The key is in no event."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import sqlalchemy as sa
from pydantic import ValidationError

from console import log
from console.ai import probe, providers
from console.ai.proposals import options, provider_breaker
from console.ai.proposals.options import Current
from console.ai.proposals.settings_document import PURPOSES, HouseText, Options, Prices, read
from console.auth import access
from console.auth.accounts.recent_confirmation import require_recent
from console.core.actor import Actor
from console.core.documents.json_shape import model_errors
from console.core.errors import Conflict, Invalid
from console.infra import subjects
from console.infra.db.engine import fetch, transaction
from console.infra.settings import AI

MOST_NOTE = 500
ADDRESS = ("provider", "model", "base_url")
TRIED = (*ADDRESS, "key", "purposes")
AT: Mapping[str, str] = {
    "auth": "key",
    "no_key": "key",
    "billing": "key",
    "model_not_found": "model",
    "connection": "base_url",
    "malformed": "base_url",
}
"""Code of a failed try → the field that has most to do with it; all others are said at the provider."""

_INSERT = sa.text(
    "insert into console.ai_setting (version, at, by, note, document) values (:version, :at, :by, :note, cast(:document as jsonb))"
)
_LOCKED = sa.text("select number from console.version where name = 'ai' for update")
_COUNTED = sa.text("update console.version set number = number + 1 where name = 'ai'")
_VERSIONS = "select version, at, by, note, document from console.ai_setting where version < %s order by version desc limit %s"
_ANYTHING = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Version:
    """A document that was saved, and what of it differed from the one before: names of its parts."""

    current: Current
    changed: tuple[str, ...]


def require(actor: Actor) -> None:
    """Nothing, for who sets up the AI. Raises NotAllowed."""
    access.require(actor, None, "ai", "manage")


def change(
    actor: Actor,
    changes: Mapping[str, Any],
    *,
    base: int,
    note: str = "",
    key: str | None = None,
    drop_key: bool = False,
    untried: bool = False,
) -> int:
    """Save these parts of the document, of which version `base` was on the screen; the number of the new version, of the old one where nothing differs.

    `key` is a new key in plain text, None: as it was, unless provider or address changed. `untried`: save without asking the provider first.
    Raises NotAllowed, Conflict where somebody else saved in between, Invalid with one detail per field.
    """
    require(actor)
    before = options.newest()
    if before.version != base:
        raise _overtaken(before)
    wanted = _changed_document(before, changes, key, drop_key=drop_key)
    changed = differing(before.document, wanted, new_key=bool(key))
    if not changed:
        return before.version
    if before.from_environment and (given := sorted({*ADDRESS, "key"} & set(changed))):
        raise Invalid(
            "Provider, model, key and base URL are given by the environment.",
            details=[(name, "This is given by the environment of the machine.") for name in given],
        )
    if {*ADDRESS, "key"} & set(changed):
        require_recent(actor)
    if not untried and set(TRIED) & set(changed):
        _require_working(wanted)
    return _save_version(actor, before, wanted, changed, note.strip()[:MOST_NOTE])


def try_settings(actor: Actor, changes: Mapping[str, Any], key: str | None = None) -> probe.Probed:
    """One tiny call with what is in force, with these parts changed for it: nothing is kept but that it was tried. Raises NotAllowed, Invalid."""
    require(actor)
    before = options.newest()
    if before.from_environment:
        ai_now = before.ai
    else:
        if changes or key:
            require_recent(actor)
        wanted = _changed_document(before, changes, key)
        ai_now = AI(wanted.provider, wanted.model, options.open_key(wanted), wanted.base_url)
    config = providers.config(ai_now, private=before.from_environment)
    found = probe.probe(config)
    if found.ok:
        provider_breaker.answered(config)
    told_of = {
        "provider": ai_now.provider,
        "model": found.model or ai_now.model,
        "ok": found.ok,
        "code": found.code,
        "ms": found.ms,
    }
    log.note(
        actor,
        "ai_tested",
        open={name: value for name, value in told_of.items() if value is not None},
        chain="sys:config",
    )
    return found


def versions(actor: Actor, *, below: int | None = None, limit: int = 50) -> list[Version]:
    """Documents that were saved, newest first, each with what it changed. Raises NotAllowed."""
    require(actor)
    rows = [
        Current(read(document), version, at, by, note)
        for version, at, by, note, document in fetch(_VERSIONS, (below or _ANYTHING, limit + 1))
    ]
    former = [*(row.document for row in rows[1:]), Options()]
    return [
        Version(row, tuple(differing(earlier, row.document, new_key=row.document.key != earlier.key)))
        for row, earlier in zip(rows, former, strict=False)
    ][:limit]


def house_texts(actor: Actor) -> list[Current]:
    """The newest 50 texts of the house, newest first, as the version that brought it. Raises NotAllowed."""
    require(actor)
    every = (
        "select distinct on ((document->'house'->>'number')::integer) version, at, by, note, document from console.ai_setting"
        " where (document->'house'->>'number')::integer > 0 order by (document->'house'->>'number')::integer desc, version limit %s"
    )
    return [
        Current(read(document), version, at, by, note)
        for version, at, by, note, document in fetch(every, (50,))
    ]


def differing(before: Options, after: Options, *, new_key: bool = False) -> list[str]:
    """Names of the parts that differ; of the key, which is sealed anew each time, whether a new one was given or it went."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    names = [name for name in new if name != "key" and old[name] != new[name]]
    return sorted([*names, *(["key"] if new_key or bool(before.key) != bool(after.key) else [])])


def _changed_document(
    before: Current, changes: Mapping[str, Any], key: str | None, *, drop_key: bool = False
) -> Options:
    """The document as it is to be. Raises Invalid with one detail per field."""
    kept = before.document
    document = kept.model_dump(mode="json") | {
        name: value for name, value in changes.items() if name != "key"
    }
    try:
        wanted = Options.model_validate(document)
    except ValidationError as error:
        details = [
            (".".join(str(part) for part in spot.place), spot.reason) for spot in model_errors(error, Options)
        ]
        raise Invalid("Nothing was saved: some entries cannot be used.", details=details) from None
    wanted = wanted.model_copy(
        update={
            "prices": _priced(kept, wanted),
            "house": _numbered(kept, wanted),
            "key": _key(kept, wanted, key, drop_key),
        }
    )
    if problems := [] if before.from_environment else list(_missing(wanted)):
        raise Invalid("Nothing was saved: something is missing.", details=problems)
    return wanted


def _priced(kept: Options, wanted: Options) -> Prices:
    """The table with its number: a new one where it differs."""
    given = wanted.prices.model_copy(update={"number": kept.prices.number})
    return given if given == kept.prices else given.model_copy(update={"number": kept.prices.number + 1})


def _numbered(kept: Options, wanted: Options) -> HouseText:
    given = wanted.house.model_copy(update={"number": kept.house.number})
    return given if given == kept.house else given.model_copy(update={"number": kept.house.number + 1})


def _key(kept: Options, wanted: Options, key: str | None, drop: bool) -> str | None:
    """The sealed key: a new one, the former one where it goes to the same place as before, else none."""
    if wanted.provider == "rules" or drop:
        return None
    if key:
        if not (key.isascii() and key.isprintable() and " " not in key and len(key) <= 4000):
            raise Invalid("Nothing was saved.", at=("key", "A key has printable characters without spaces."))
        return options.seal_key(key, wanted.provider, wanted.base_url)
    same = (kept.provider, kept.base_url) == (wanted.provider, wanted.base_url)
    return kept.key if same and options.open_key(kept) else None


def _missing(wanted: Options) -> Iterable[tuple[str, str]]:
    """A detail for each setting that is missing."""
    if wanted.provider == "anthropic" and not wanted.key:
        yield ("key", "Enter the key: it goes with provider and address, and is not taken over from others.")
    if wanted.provider == "openai_compatible":
        if not wanted.base_url:
            yield ("base_url", "Enter the address of the endpoint, up to and with /v1.")
        if not wanted.model:
            yield ("model", "Enter the name of the model.")
    if not wanted.on and not wanted.reason:
        yield ("reason", "Say why it is off: people are shown this where a proposal would be.")


def _require_working(wanted: Options) -> None:
    """Raises Invalid where a tiny call of any model that is named does not come to a fitting answer."""
    ai_wanted = AI(wanted.provider, wanted.model, options.open_key(wanted), wanted.base_url)
    current = options.newest()
    ai_wanted = current.ai if current.from_environment else ai_wanted
    models = {None: "model"} | {
        wanted.purpose(name).model: f"purposes.{name}.model"
        for name in PURPOSES
        if wanted.purpose(name).model and ai_wanted.provider != "rules"
    }
    for model, field in models.items():
        found = probe.probe(
            providers.config(
                ai_wanted if model is None else replace(ai_wanted, model=model),
                private=current.from_environment,
            )
        )
        if not found.ok:
            at = AT.get(found.code or "", "provider") if model is None else field
            raise Invalid(f"Nothing was saved: {found.message}", code="not_working", at=(at, found.message))


def _save_version(actor: Actor, before: Current, wanted: Options, changed: list[str], note: str) -> int:
    old, new = before.document.told(), wanted.told()
    number = before.version + 1
    with transaction() as connection:
        connection.execute(_LOCKED)
        latest = connection.execute(
            sa.text("select coalesce(max(version), 0) from console.ai_setting")
        ).scalar_one()
        if latest != before.version:
            raise _overtaken(options.newest())
        row = {"version": number, "at": log.now(), "by": actor.id, "note": note}
        connection.execute(_INSERT, row | {"document": orjson.dumps(wanted.model_dump(mode="json")).decode()})
        connection.execute(_COUNTED)
        names = [name for name in changed if name != "key" or old["key"] != new["key"]]
        sealed = {"old": {name: old[name] for name in names}, "new": {name: new[name] for name in names}} | (
            {"note": note} if note else {}
        )
        log.note(
            actor,
            "ai_changed",
            open={"version": number, "fields": changed},
            sealed=sealed,
            subject=subjects.subject_of("ai", "settings"),
            chain="sys:config",
            connection=connection,
        )
    options.forget()
    return number


def _overtaken(latest: Current) -> Conflict:
    return Conflict(
        "Somebody saved these settings in the meantime. Nothing was saved; what you typed is below, beside what is in force now.",
        code="overtaken",
        at=("version", f"{latest.version}"),
    )
