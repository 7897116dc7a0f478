"""Contact books: for who has no database of contacts, one of their own, on the console's server or where an address says.

It is a data source like any other, with the collections of contacts and of their consents, which are only added to.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from console import sources
from console.core.actor import Actor
from console.core.documents.collections import Collection
from console.core.errors import Conflict, ConsoleError, Invalid
from console.infra.db import engine, server

PREFIX = "handrail_"
STAGES = ("new", "contacted", "engaged", "qualified", "customer", "unresponsive", "lost")
CHANNELS = ("email", "sms", "call", "ai_call", "chat")
_TABLES = f"""
create table contact (
    id bigint generated always as identity primary key,
    name text not null check (name <> ''),
    email text,
    phone text,
    country text check (country ~ '^[A-Z]{{2}}$'),
    time_zone text,
    language text,
    stage text not null default 'new' check (stage in ({", ".join(f"'{each}'" for each in STAGES)})),
    owner text,
    source text,
    do_not_contact boolean not null default false,
    remarks text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index contact_email on contact (lower(email));
create index contact_phone on contact (phone);
create index contact_created on contact (created_at, id);
create index contact_updated on contact (updated_at, id);
create table consent (
    id bigint generated always as identity primary key,
    contact_id bigint not null references contact (id) on delete cascade,
    channel text not null check (channel in ({", ".join(f"'{each}'" for each in CHANNELS)})),
    state text not null check (state in ('given', 'withdrawn')),
    source text not null,
    text_version text,
    at timestamptz not null default now()
);
create index consent_contact on consent (contact_id, channel, at desc);
create function contact_touched() returns trigger language plpgsql as $$ begin new.updated_at := now(); return new; end $$;
create trigger contact_touched before update on contact for each row execute function contact_touched();
create function consent_never_changes() returns trigger language plpgsql as $$ begin raise exception 'consents are only added'; end $$;
create trigger consent_never_changes before update on consent for each row execute function consent_never_changes();
"""


def create(actor: Actor, name: str, may: Mapping[str, Sequence[str]], url: str = "") -> list[Collection]:
    """Make the book as the data source `name` and return its collections. `may`: role → acts, as for every source; `url` is an empty PostgreSQL
    database; without it one is made on the console's own server.

    Raises NotAllowed, Invalid naming the field, Conflict for a name in use, SourceDown.
    """
    sources.require_manager(actor)
    if not sources.NAME.fullmatch(name):
        raise _wrong("name", "A name begins with a letter and has letters, digits, - and _ only, at most 63.")
    if name in {head.name for head in sources.list_all()}:
        raise Conflict(f"There is a data source {name} already.", at=("name", "Choose another name."))
    if not may:
        raise _wrong("may", "Choose at least one role that may browse.")
    made = None if url else _new_database(name)
    address = _address(url) if made is None else made
    if address.get_backend_name() != "postgresql":
        raise _wrong("url", "A contact book is made in PostgreSQL: postgresql://user:password@host/database.")
    text = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        if made is None and (tested := sources.attempt(text)).trouble is not None:
            raise _wrong("url", tested.trouble.words)
        _make_tables(address)
        return sources.add(
            name,
            text,
            documents=[contact_document(name), consent_document(name)],
            chosen=["contact", "consent"],
            may=may,
            by=actor,
        )
    except ConsoleError:
        if made is not None and (admin := server.administrator()) is not None:
            server.drop(admin, str(made.database))  # it was made a moment ago, and holds nothing
        raise


def _address(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise _wrong(
            "url", "This is no database URL. It looks like postgresql://user:password@host/database."
        ) from None


def contact_document(name: str) -> dict[str, Any]:
    """The document of the contacts of the book `name`."""
    consent = {channel: {"table": f"{name}.consent"} for channel in CHANNELS}
    parts = {
        part: part
        for part in ("name", "email", "phone", "language", "country", "owner", "stage", "do_not_contact")
    }
    return {
        "id": f"{name}.contact",
        "source": name,
        "table": "contact",
        "label": "Contacts",
        "label_one": "Contact",
        "title": "{{ record.name }}",
        "subject": "self",
        "columns": ["name", "stage", "email", "phone", "country", "owner", "created_at"],
        "sort": "-created_at",
        "search": ["name", "email", "phone"],
        "contact": parts | {"zone": "time_zone", "consent": consent},
        "new": ["name", "email", "phone", "country", "time_zone", "language", "stage", "owner", "source"],
        "fields": {
            "email": {"type": "email", "format": "email"},
            "phone": {"type": "phone", "format": "phone"},
            "country": {"widget": "country"},
            "language": {"widget": "language"},
            "time_zone": {"widget": "zone"},
            "stage": {"widget": "badge"},
            "remarks": {"type": "long_text"},
            "created_at": {"label": "Created", "readonly": True},
            "updated_at": {"label": "Changed", "readonly": True},
        },
        "summary": {
            "badge": "stage",
            "sections": [
                {
                    "label": "Contact",
                    "fields": ["name", "email", "phone", "country", "time_zone", "language"],
                },
                {
                    "label": "Relationship",
                    "fields": ["stage", "owner", "source", "do_not_contact", "remarks"],
                },
                {"label": "Clock", "fields": ["created_at", "updated_at"]},
            ],
            "related": [
                {
                    "relation": f"{name}.consent",
                    "columns": ["channel", "state", "source", "text_version", "at"],
                }
            ],
        },
    }


def consent_document(name: str) -> dict[str, Any]:
    """The document of the consents of the book `name`."""
    return {
        "id": f"{name}.consent",
        "source": name,
        "table": "consent",
        "label": "Consents",
        "label_one": "Consent",
        "title": "{{ record.channel }} {{ record.state }}",
        "subject": "contact",
        "columns": ["contact_id", "channel", "state", "source", "text_version", "at"],
        "sort": "-at",
    }


def _new_database(name: str) -> URL:
    """The address of an empty database of the console's server. Raises Invalid where none of the console's roles may make one."""
    database, own = f"{PREFIX}{name}", engine.app_url()
    admin = server.administrator()
    if admin is None:
        raise _wrong(
            "url",
            "The console may not make databases on its server. Have an empty one made, and give its address here.",
        )
    if server.exists(database):
        raise _wrong(
            "name",
            f"The console's server has a database {database} already. Choose another name, or give its address if it is empty.",
        )
    server.create(admin, database, own.username or server.owner())
    return own.set(database=database)


def _make_tables(address: URL) -> None:
    """The tables of a book, all or none. Raises Invalid where there is a table of such a name."""
    plain = address.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=10) as connection:
            connection.execute("set statement_timeout = '20s'")
            connection.execute(_TABLES)
    except psycopg.errors.DuplicateTable as error:
        raise _wrong(
            "url",
            "This database has a table contact or consent already: connect it as a data source instead.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise _wrong(
            "url", "This role may not make tables there. Give one that owns the database."
        ) from error
    except psycopg.Error as error:
        line = (str(error).strip().splitlines() or ["no answer"])[0]
        raise _wrong("url", f"The database refused: {line}") from error


def _wrong(field: str, reason: str) -> Invalid:
    return Invalid(reason, at=field)
