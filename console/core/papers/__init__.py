"""Rules on documents: identity papers, bank accounts, VAT numbers, names, and checks of their values."""

OPEN_MODULES = frozenset(
    {"document_checks", "extracting", "iban", "mrz", "name_matching", "pages", "similarity", "vat"}
)
