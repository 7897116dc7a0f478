"""What a form says of an amount that is kept in the smallest unit of a currency in another column."""

from console import access, records, sources
from tests.company import DOCUMENTS, Company

HINT = "write it as it is stored, in the smallest unit"


def asked(company: Company, currency: str | None, *names: str) -> str:
    """What stands below the amount of an invoice in this currency, in a form with these columns."""
    company.sql("create table invoice (id integer primary key, amount_minor integer, currency text)")
    company.sql("insert into invoice values (1, 18000, ?)", currency)
    amount = {"type": "integer", "widget": "money", "currency": "currency", "minor": True}
    invoice = {"id": "invoice", "source": "company", "table": "invoice", "label": "Invoices", "fields": {"amount_minor": amount}}
    sources.refresh("company", [*DOCUMENTS, invoice])
    access.grant("operator", "collection:invoice", ["browse", "read", "update"], team="operations")
    scope = access.scope_for(company.olivia, "invoice", "update")
    form = records.forms(records.collection("invoice"), list(names), records.get("invoice", "1", scope), scope)
    return next(field.help or "" for field in form if field.name == "amount_minor")


def test_where_the_currency_is_asked_beside_it_the_amount_is_typed_in_whole_units(company: Company) -> None:
    assert HINT not in asked(company, "EUR", "amount_minor", "currency")


def test_where_nobody_says_the_currency_the_amount_is_typed_as_it_is_stored(company: Company) -> None:
    assert HINT in asked(company, None, "amount_minor")
