"""What can be told from papers: identity documents, bank accounts, VAT numbers, names, and the rules that check them."""

__all__ = ["document_checks", "extracting", "iban", "mrz", "name_matching", "pages", "similarity", "vat"]
