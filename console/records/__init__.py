"""The only door to the users' databases: reflect, list, read and write records. Whoever reads hands over the scope that it is judged by."""

from console.records.catalogue import collection, collections, forget
from console.records.select import Order, Page, Record, count, estimate, get, order_of, page, related, subject, titles, visible
from console.records.write import WriteUnknown, compare, forms, write

__all__ = [
    "Order",
    "Page",
    "Record",
    "WriteUnknown",
    "collection",
    "collections",
    "compare",
    "count",
    "estimate",
    "forget",
    "forms",
    "get",
    "order_of",
    "page",
    "related",
    "subject",
    "titles",
    "visible",
    "write",
]
