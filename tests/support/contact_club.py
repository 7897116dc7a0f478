"""A club of six contacts beside the small company: stages, consents in a table and in fields, one without a zone. Gita may change them, Stan sees none."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from console import sources
from console.auth import access
from tests.company import Company

SQL = """
create table contact (
    id integer primary key, name text not null, email text, phone text, country text, time_zone text, language text,
    stage text not null check (stage in ('new', 'engaged', 'lost')), owner text, worth numeric(10, 2), news text, news_at text);
create table consent (id integer primary key, contact_id integer not null references contact (id), channel text not null, state text not null, source text, text_version text, at text not null);
insert into contact values
    (1, 'Sam Whitfield', 'sam@post.example', '+1 202 555 0147', 'US', 'America/Denver', 'en', 'new', 'olivia', 100.50, 'yes', '2026-02-01'),
    (2, 'Ana Petrauskė', 'ana@post.example', null, 'LT', null, 'lt', 'new', 'olivia', 20, 'no', null),
    (3, 'Bram de Wit', null, '+31 20 794 6000', 'NL', 'Europe/Amsterdam', 'nl', 'engaged', null, null, null, null),
    (4, 'Greta Falk', 'Greta@Post.example', null, 'SE', 'Europe/Stockholm', 'sv', 'engaged', 'tom', 5, null, null),
    (5, 'Kenji Morita', 'kenji@post.example', null, 'JP', 'Asia/Tokyo', 'ja', 'engaged', 'tom', 7.25, null, null),
    (6, 'Stan Nobody', null, null, null, null, null, 'lost', null, null, null, null);
insert into consent values
    (1, 1, 'sms', 'given', 'web form', '2026-01', '2026-01-10T10:00:00Z'), (2, 1, 'call', 'given', 'phone', '2026-01', '2026-01-11T10:00:00Z'),
    (3, 1, 'sms', 'withdrawn', 'sms', '2026-01', '2026-03-01T10:00:00Z'), (4, 2, 'sms', 'given', 'web form', '2026-01', '2026-01-10T10:00:00Z'),
    (5, 2, 'sms', 'withdrawn', 'by mail', '2026-01', '2026-01-10T10:00:00Z'), (6, 3, 'phone', 'given', 'event', '2025-03', '2026-02-02T10:00:00Z');
"""
CONTACT: dict[str, Any] = {
    "id": "contact",
    "source": "club",
    "table": "contact",
    "label": "Contacts",
    "label_one": "Contact",
    "title": "{{ record.name }}",
    "subject": "self",
    "columns": ["name", "email", "stage", "owner", "worth"],
    "sort": "id",
    "search": ["name"],
    "fields": {"email": {"sensitive": True}, "worth": {"widget": "money", "currency": "EUR"}},
    "contact": {
        "name": "name",
        "email": "email",
        "phone": "phone",
        "zone": "time_zone",
        "language": "language",
        "country": "country",
        "owner": "owner",
        "stage": "stage",
        "consent": {
            "sms": {"table": "consent"},
            "call": {"table": "consent"},
            "ai_call": {"table": "consent", "is": "phone"},
            "email": {"field": "news", "at": "news_at"},
        },
    },
    "segments": [{"id": "engaged", "label": "Engaged", "filter": 'record.stage == "engaged"'}],
    "summary": {"badge": "stage", "sections": [{"label": "Who", "fields": ["name", "email", "stage"]}]},
}
CONSENT: dict[str, Any] = {
    "id": "consent",
    "source": "club",
    "table": "consent",
    "label": "Consents",
    "label_one": "Consent",
    "subject": "contact",
}


def found_club(company: Company) -> Path:
    """Connect the club; Olivia's role reads and changes contacts and reads consents. Returns the file of the source."""
    path = company.path.with_name("club.db")
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SQL)
    sources.add("club", f"sqlite:///{path}", documents=[CONTACT, CONSENT])
    access.grant("operator", "collection:contact", ["browse", "read", "update", "export"], team="operations")
    access.grant("operator", "collection:consent", ["browse", "read"], team="operations")
    access.grant("reviewer", "collection:contact", ["browse", "read"], team="operations")
    return path
