"""The only access to the users' databases: reflect, list, read and write records. Every read takes a scope, which limits what it returns."""

from console.records.catalogue import collection, collections, forget
from console.records.delete import delete
from console.records.insert import find_same, insert
from console.records.reader import Record
from console.records.record_pages import Order, Page, order_of
from console.records.record_reads import MOST_ROWS, count, estimate, get, page, related, sample, subject, titles, visible_keys
from console.records.related_values import leading
from console.records.stored import stored
from console.records.totals import Figure, totals
from console.records.write import WriteUnknown, compare, forms, write

__all__ = [
    "MOST_ROWS",
    "Figure",
    "Order",
    "Page",
    "Record",
    "WriteUnknown",
    "catalogue",
    "collection",
    "collections",
    "compare",
    "connect",
    "connection_terms",
    "count",
    "delete",
    "diagnosis",
    "estimate",
    "find_same",
    "forget",
    "forms",
    "get",
    "hooked",
    "insert",
    "leading",
    "order_of",
    "page",
    "portable",
    "record_keys",
    "reflect",
    "related",
    "relations",
    "sample",
    "sql_conditions",
    "stored",
    "subject",
    "titles",
    "totals",
    "visible_keys",
    "write",
]
