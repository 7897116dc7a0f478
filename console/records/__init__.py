"""The only door to the users' databases: reflect, list, read and write records. Whoever reads hands over the scope that it is judged by."""

from console.records.catalogue import collection, collections, forget
from console.records.delete import delete
from console.records.insert import insert, same
from console.records.leading import leading
from console.records.reader import Record
from console.records.select import (
    MOST_ROWS,
    Order,
    Page,
    count,
    estimate,
    get,
    order_of,
    page,
    related,
    sample,
    subject,
    titles,
    visible,
)
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
    "collection",
    "collections",
    "compare",
    "count",
    "delete",
    "estimate",
    "forget",
    "forms",
    "get",
    "insert",
    "leading",
    "order_of",
    "page",
    "related",
    "same",
    "sample",
    "stored",
    "subject",
    "titles",
    "totals",
    "visible",
    "write",
]
