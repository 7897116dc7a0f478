"""Setting the name, contact, logo and colours of the installation: checked, so that words in the colours can be read, and logged."""

import hashlib
import re
from dataclasses import asdict, replace

import sqlalchemy as sa

from console import log
from console.auth import access
from console.core.actor import Actor
from console.core.errors import Invalid
from console.infra import branding, files
from console.infra.branding import Branding
from console.infra.db import engine as db
from console.infra.files import virus_scan

LOGO_KB = 200
LONGEST_NAME, LONGEST_CONTACT = 60, 200
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def change(
    actor: Actor, *, name: str, contact: str, light: str, dark: str, logo: tuple[str, bytes] | None
) -> Branding:
    """Set these; `logo` is (name, bytes) of a file, None leaves the one that is there, no bytes remove it.

    Raises NotAllowed, and Invalid with a detail per field.
    """
    access.require(actor, None, "source", "manage")
    before = branding.current()
    wanted = replace(
        before,
        name=" ".join(name.split()) or branding.PRODUCT,
        contact=" ".join(contact.split()),
        light=light.lower(),
        dark=dark.lower(),
    )
    problems = _problems(wanted)
    if logo is not None:
        try:
            wanted = replace(wanted, logo=_checked(*logo))
        except Invalid as refused:
            problems.append(("logo", refused.message))
    if problems:
        raise Invalid("Nothing was saved.", details=problems)
    if wanted != before:
        _store(actor, before, wanted)
    return wanted


def _problems(wanted: Branding) -> list[tuple[str, str]]:
    problems = []
    for field, text, longest in (
        ("name", wanted.name, LONGEST_NAME),
        ("contact", wanted.contact, LONGEST_CONTACT),
    ):
        if len(text) > longest or not text.isprintable():
            problems.append((field, f"Takes one line of at most {longest} characters."))
    for field, colour in (("light", wanted.light), ("dark", wanted.dark)):
        if not _COLOUR.fullmatch(colour):
            problems.append((field, f"Takes a colour such as {getattr(Branding(), field)}."))
        elif (shade := branding.readable_shade(colour, dark=field == "dark")) != colour:
            way = "lighter" if field == "dark" else "darker"
            problems.append(
                (
                    field,
                    f"Words in {colour} cannot be read on this theme. Take a {way} shade, such as {shade}.",
                )
            )
    return problems


def _checked(name: str, content: bytes) -> bytes:
    if not content:
        return b""
    if len(content) > LOGO_KB * 1000:
        raise Invalid(
            f"The logo has {len(content) // 1000} KB; at most {LOGO_KB} KB are taken. Save it smaller."
        )
    files.examine(content, name[:100], ("png", "jpeg"))
    virus_scan.scan(content, name[:100])
    return content


def _store(actor: Actor, before: Branding, wanted: Branding) -> None:
    old, new = _in_words(before), _in_words(wanted)
    changed = sorted(name for name in new if new[name] != old[name])
    document = {name: value for name, value in asdict(wanted).items() if name != "logo"}
    with db.transaction() as connection:
        connection.execute(
            sa.text(
                "insert into console.branding (document, logo) values (:document, :logo)"
                " on conflict (singleton) do update set document = excluded.document, logo = excluded.logo, changed_at = now()"
            ).bindparams(sa.bindparam("document", type_=sa.JSON)),
            {"document": document, "logo": wanted.logo or None},
        )
        log.note(
            actor,
            "branding_changed",
            open={"fields": changed},
            sealed={
                "old": {name: old[name] for name in changed},
                "new": {name: new[name] for name in changed},
            },
            chain="sys:config",
            connection=connection,
        )
    branding.forget()


def _in_words(shown: Branding) -> dict[str, str]:
    return {**asdict(shown), "logo": hashlib.sha256(shown.logo).hexdigest() if shown.logo else ""}
