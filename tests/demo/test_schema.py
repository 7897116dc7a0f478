"""What the two databases promise by themselves: labels, keys, checks, counters kept by triggers, and how ownership is counted."""

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from console.demo import filling
from console.demo.world import World
from console.infra.postgres import Embedded

Ask = Callable[..., list[tuple[Any, ...]]]


def test_every_table_and_column_has_a_label(core: Ask) -> None:
    silent = core(
        "select c.relname, a.attname from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
        " where n.nspname in ('public', 'fiu') and c.relkind in ('r', 'v')"
        " and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)"
    )
    assert silent == []


def test_schema_has_what_reflection_must_cope_with(core: Ask) -> None:
    assert core(
        "select count(*) > 20 from pg_type t join pg_namespace n on n.oid = typnamespace where typtype = 'e' and nspname in ('public', 'fiu')"
    ) == [(True,)]
    assert core(
        "select count(*) from pg_type t join pg_namespace n on n.oid = typnamespace where typtype = 'd' and nspname = 'public'"
    ) == [(2,)]
    assert {
        row[0]
        for row in core(
            "select distinct data_type from information_schema.columns where table_schema in ('public', 'fiu')"
        )
    } >= {
        "ARRAY",
        "USER-DEFINED",
        "jsonb",
        "bigint",
        "smallint",
        "numeric",
        "date",
        "timestamp with time zone",
        "boolean",
        "text",
        "character",
    }


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ("update customer set birth_date = null where id = 1", "person_has_birth_date"),
        ("update customer set legal_form = null where id = 1500", "company_is_registered"),
        ("update customer set customer_no = 'X-1' where id = 1", "customer_customer_no_check"),
        ("update customer set residence_country = 'XX' where id = 1", "customer_residence_country_fkey"),
        ("update customer set products = '{loan}' where id = 1", "customer_products_check"),
        ("update account set iban = 'no' where customer_id = 1", "account_iban_check"),
        ("update charge set amount_minor = 0 where id = 'ch_PriyaRaman180'", "charge_amount_minor_check"),
        ("update ownership set percent = 100.5 where owned_id = 1", "ownership_percent_check"),
        ("update refund set charge_id = 'ch_none'", "refund_charge_id_fkey"),
        ("update kyc_document set file_path = null where storage = 'live'", "live_has_file"),
        ("update credit set spent_minor = amount_minor + 1", "spent_within"),
        (
            "update screening_hit set status = 'false_positive', reason_code = null where id = 1",
            "decided_has_reason",
        ),
        ("delete from customer where id = 1", "fkey"),
    ],
)
def test_postgresql_refuses_what_cannot_be(core_url: str, change: str, refused: str) -> None:
    with psycopg.connect(core_url) as connection:
        with pytest.raises(psycopg.IntegrityError, match=refused):
            connection.execute(change)
        connection.rollback()


@pytest.mark.parametrize(
    ("change", "query", "before", "after"),
    [
        (
            "update ticket set status = 'solved' where id = 55021",
            "select open_requests from charge where id = 'ch_GretaFalk49'",
            1,
            0,
        ),
        (
            "delete from ticket_message where ticket_id in (select id from ticket where charge_id = 'ch_BramDeWit7490')",
            "select open_requests from charge where id = 'ch_BramDeWit7490'",
            2,
            2,
        ),
        (
            "insert into ticket (customer_id, kind, subject, channel, status, priority, created_at) values (633, 'kyc', 'Passport', 'form', 'open', 3, now())",
            "select open_kyc_tickets from customer where id = 633",
            0,
            1,
        ),
        (
            "update dispute set status = 'won' where charge_id = 'ch_OleksandraHnatiuk240'",
            "select open_disputes from charge where id = 'ch_OleksandraHnatiuk240'",
            1,
            0,
        ),
        (
            "update kyc_document set status = 'rejected' where customer_id = 518 and doc_type = 'passport'",
            "select count(identity_expires_on) from customer where id = 518",
            1,
            0,
        ),
    ],
)
def test_counters_follow_their_rows(core_url: str, change: str, query: str, before: int, after: int) -> None:
    with psycopg.connect(core_url) as connection:
        assert connection.execute(query).fetchone() == (before,)
        connection.execute(change)
        assert connection.execute(query).fetchone() == (after,)
        connection.rollback()


def test_remaining_falls_with_pending_and_succeeded_refunds_and_lost_chargebacks(core_url: str) -> None:
    remaining = "select remaining_minor from charge_refundable where charge_id = 'ch_PriyaRaman180'"
    refund = "insert into refund (id, charge_id, amount_minor, currency, status, reason, idempotency_key, requested_by, created_at) values ('re_{0}', 'ch_PriyaRaman180', 1000, 'EUR', '{0}', 'goodwill', '{0}', 'x', now())"
    with psycopg.connect(core_url) as connection:
        found = []
        for status in ("failed", "canceled", "pending", "succeeded"):
            connection.execute(refund.format(status))
            found.append((connection.execute(remaining).fetchone() or (None,))[0])
        assert found == [12_000, 12_000, 11_000, 10_000]
        connection.execute(
            "insert into dispute (id, charge_id, amount_minor, currency, stage, status, reason, is_charge_refundable, created_at) values ('dp_x', 'ch_PriyaRaman180', 18000, 'EUR', 'chargeback', 'lost', 'x', false, now())"
        )
        assert connection.execute(remaining).fetchone() == (-8_000,)
        connection.rollback()


def test_checks_before_a_refund_look_at_the_customer_and_say_no_reason(core_url: str) -> None:
    checks = "select on_hold, refunds_90d, refunded_90d_eur, opened_by_staff from refund_checks where charge_id = 'ch_KenjiMorita31250'"
    refund = (
        "insert into refund (id, charge_id, amount_minor, currency, status, reason, idempotency_key, requested_by, created_at)"
        " values ('re_{0}', 'ch_KenjiMorita48000', 10000, 'JPY', '{1}', 'goodwill', '{0}', 'x', now() - interval '{2} days')"
    )
    changes = (
        "update customer set restriction_code = 'legal' where id = 102",
        refund.format("a", "failed", 0),
        refund.format("b", "pending", 0) + ";" + refund.format("c", "succeeded", 89),
        refund.format("d", "succeeded", 91),
        "update ticket_message set author_kind = 'staff' where seq = 1 and ticket_id = (select id from ticket where charge_id = 'ch_KenjiMorita31250')",
        "update ticket set status = 'solved' where charge_id = 'ch_KenjiMorita31250'",
    )
    with psycopg.connect(core_url) as connection:
        found = [connection.execute(checks).fetchone()]
        for change in changes:
            connection.execute(change)
            found.append(connection.execute(checks).fetchone())
        connection.rollback()
    assert found == [
        (False, 0, 0, False),
        (True, 0, 0, False),
        (True, 0, 0, False),
        (True, 2, 122, False),
        (True, 2, 122, False),
        (True, 2, 122, True),
        (True, 2, 122, False),
    ]


def test_deep_chains_stop_and_ended_holdings_do_not_count(core_url: str) -> None:
    with psycopg.connect(core_url) as connection:
        [(party,)] = connection.execute("select id from party where customer_id = 1718").fetchall()
        connection.execute(
            "update ownership set until = current_date where owned_id = %s and percent = 60", (party,)
        )
        found = connection.execute(
            "select percent from ownership_effective where customer_id = 1718 order by 1"
        ).fetchall()
        assert found == [(Decimal("12.0000"),), (Decimal("28.0000"),)]
        connection.execute(
            "insert into party (id, kind, name, country) select 90000 + n, 'company', 'Layer ' || n, 'MU' from generate_series(0, 30) n"
        )
        connection.execute(
            "insert into ownership (owned_id, owner_id, kind, percent, since) select 90000 + n, 90001 + n, 'shares', 100, '2020-01-01' from generate_series(0, 29) n"
        )
        connection.execute(
            "insert into ownership (owned_id, owner_id, kind, percent, since) values (%s, 90000, 'shares', 60, '2020-01-01')",
            (party,),
        )
        [(name, layers)] = connection.execute(
            "select name, layers from ownership_effective join party on party.id = party_id where ownership_effective.customer_id = 1718 and percent = 60"
        ).fetchall()
        assert (name, layers) == ("Layer 19", 19)
        connection.rollback()


def test_sqlite_has_valid_references_and_checks(supply_file: Path) -> None:
    connection = sqlite3.connect(supply_file)
    assert connection.execute("pragma foreign_key_check").fetchall() == []
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    for change in (
        "update supplier set status = 'asleep' where id = 1",
        "update supplier_request set critical = 2",
        "update invoice set amount_minor = 0",
        "update contact set stage = 'gone'",
        "update consent set state = 'given'",
        "update supplier_bank_account set vop = 'perhaps'",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(change)
    connection.close()


def test_filling_leaves_nothing_when_a_row_cannot_be(pg: Embedded, changed: Callable[..., World]) -> None:
    broken = changed("charge", lambda row: row.update(customer_id=999_999))
    url = pg.create_database("fernwick_broken", "fernwick")
    try:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            filling.fill_postgresql(url, broken.core, lambda: None)
        with psycopg.connect(url) as connection:
            assert connection.execute(
                "select count(*) from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'public'"
            ).fetchone() == (0,)
    finally:
        pg.drop_database("fernwick_broken")
