"""Scopes as SQL: the records that somebody may see, including the limit to visible subjects, as one condition."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from console.core.documents.collections import Collection
from console.core.errors import DefinitionError
from console.core.scopes import Scope, Subject
from console.records import catalogue
from console.records.dialects import Condition
from console.records.relations import Find
from console.records.sql_conditions import Compiler


def scope_condition(
    scope: Scope,
    collection: Collection,
    columns: Mapping[str, Any],
    now: datetime,
    find: Find = catalogue.find,
) -> Condition:
    """True for the records in the scope: `AND(OR(allow), subject in scope, NOT deny …)`; without an allow, none."""
    compiler = Compiler(collection, columns, {"currentUser": scope.attributes, "now": now}, find=find)
    allowed = (
        sa.true()
        if scope.everything
        else sa.or_(sa.false(), *(compiler.truth(item.node, positive=True) for item in scope.allow))
    )
    if scope.subject is not None:
        allowed = sa.and_(allowed, _subject_condition(scope.subject, compiler, now, find))
    if scope.alone:
        allowed = sa.or_(allowed, *(compiler.truth(item.node, positive=True) for item in scope.alone))
    return sa.and_(allowed, *(compiler.truth(item.node, positive=False) for item in scope.deny))


def _subject_condition(subject: Subject, compiler: Compiler, now: datetime, find: Find) -> Condition:
    """Condition that the record's subject is in its scope; false if the path cannot be followed."""
    if subject.scope.nothing:
        return sa.false()
    try:
        led = compiler.led(subject.path)
    except DefinitionError:
        return sa.false()
    return compiler.closed(scope_condition(subject.scope, led.collection, led.columns, now, find))
