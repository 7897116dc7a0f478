"""A scope: who may see which records, decided without a database."""

from datetime import UTC, datetime
from typing import Any

from console.core.expressions import parse
from console.core.scopes import Scope, none, whole
from tests.tables import cases

USER = {"id": "usr_1", "teams": ["ops"], "tags": {"desks": ["retail"]}}


def scope(*allow: str, deny: tuple[str, ...] = (), everything: bool = False) -> Scope:
    return Scope("customer", tuple(map(parse, allow)), tuple(map(parse, deny)), USER, everything=everything)


@cases(
    ("given", "values", "allowed"),
    [
        (none("customer"), {"desk": "retail"}, False),
        (whole("customer"), {}, True),
        (scope("record.desk in $currentUser.tags.desks"), {"desk": "retail"}, True),
        (scope("record.desk in $currentUser.tags.desks"), {"desk": "corporate"}, False),
        (scope("record.desk in $currentUser.tags.desks"), {"desk": None}, False),
        (scope("record.desk in $currentUser.tags.nothing"), {"desk": "retail"}, False),
        (scope("record.desk == 'x'", "record.desk == 'retail'"), {"desk": "retail"}, True),
        (scope("true", deny=("record.secret == true",)), {"secret": False}, True),
        (scope("true", deny=("record.secret == true",)), {"secret": True}, False),
        (scope("true", deny=("record.level > 3",)), {"level": None}, False),
        (scope(everything=True, deny=("record.owner == $currentUser.id",)), {"owner": "usr_1"}, False),
        (scope(everything=True, deny=("record.owner == $currentUser.id",)), {"owner": None}, True),
        (scope("record.due < today()"), {"due": "2026-01-01"}, True),
    ],
)
def test_allows(given: Scope, values: dict[str, Any], allowed: bool) -> None:
    assert given.allows(values, datetime(2026, 5, 31, tzinfo=UTC)) is allowed


def test_without_a_clock_what_looks_at_the_time_is_out() -> None:
    assert not scope("record.due < today()").allows({"due": "2026-01-01"})


def test_what_a_scope_is_called() -> None:
    assert none("c").nothing
    assert not none("c").unlimited
    assert whole("c").unlimited
    assert not whole("c").nothing
    assert not scope(everything=True, deny=("record.a",)).unlimited
    assert not scope("record.a").nothing
