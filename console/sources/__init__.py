"""Connecting the company's databases: test, add, refresh, change, pause and remove data sources, and decide who may use them."""

from console.core.actor import SYSTEM
from console.records.connection_terms import Terms
from console.sources.addresses import composed, fields_of
from console.sources.advising import advised
from console.sources.changing import (
    BOUNDS,
    Consequences,
    change,
    consequences,
    pause,
    readdress,
    remove,
    resume,
)
from console.sources.difference import Difference, difference, look_again, look_at_noticed, take
from console.sources.likely_keys import Likely, likely
from console.sources.previewing import Preview, first_choice, hidden_fields, likelihood, previewed
from console.sources.source_store import (
    DOCUMENT_KEYS,
    GRANTABLE,
    GRANTED,
    ID,
    NAME,
    SourceHead,
    add,
    inspect,
    list_all,
    refresh,
    require_manager,
    source_of,
)
from console.sources.starting import begin, first_review
from console.sources.testing import Tested, attempt, demo_shop, suggested, try_source

OPEN_MODULES = frozenset({"addresses", "collections", "connecting", "contact_books", "repairs"})
