"""Rules on documents: identity papers, bank accounts, VAT numbers, names, and checks of their values."""

__all__ = ["document_checks", "extracting", "iban", "mrz", "name_matching", "pages", "similarity", "vat"]
