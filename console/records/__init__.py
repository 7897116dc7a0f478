"""The only access to the users' databases: reflect, list, read and write records. Every read takes a scope, which limits what it returns."""

from console.records.catalogue import collection, collections, forget
from console.records.change_states import change_state
from console.records.changes_made import Changed, note_change, noted_changes
from console.records.delete import delete, on_delete
from console.records.insert import distinct_together, filled_by_database, find_same, insert
from console.records.insert_many import insert_many, insert_with, reasons, refusals_of_new
from console.records.log_references import log_reference, reference_in_log, require_plain_key
from console.records.quick_search import Hits
from console.records.reader import Record
from console.records.record_keys import key_of_value, key_words, value_of_key
from console.records.record_pages import MOST_SORTED, Order, Page, order_of
from console.records.record_reads import (
    MOST_ROWS,
    count,
    estimate,
    every,
    get,
    named_alike,
    page,
    records_by_key,
    related,
    related_count,
    sample,
    segments_of,
    subject,
    titles,
    visible_keys,
)
from console.records.rehearsal import rehearsed
from console.records.related_lists import related_lists, related_numbers
from console.records.related_values import leading, sight_of
from console.records.sampling import share_of_keys
from console.records.sql_segments import KeySelect
from console.records.sql_tables import Chosen
from console.records.stored import stored
from console.records.totals import Figure, totals
from console.records.value_counts import ValueCounts, value_counts
from console.records.write import WriteUnknown, alike, compare, forms, refusals_of_change, write

OPEN_MODULES = frozenset(
    {
        "catalogue",
        "connect",
        "connection_terms",
        "consents_told",
        "delete",
        "diagnosis",
        "former_fields",
        "function_fields",
        "governing",
        "grouped",
        "hooks",
        "index_advice",
        "indexes",
        "list_starts",
        "portable_address",
        "preview",
        "quick_search",
        "record_keys",
        "reflect",
        "refusals",
        "rehearsal",
        "related_lists",
        "relations",
        "sampling",
        "search",
        "source_zones",
        "sql_conditions",
        "sql_question",
        "sql_segments",
        "titled_orders",
        "write",
    }
)
