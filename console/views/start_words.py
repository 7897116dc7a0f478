"""What a start by hand does, in a sentence: who acts in the run, and who holds it."""

from console import accounts
from console.core.documents.workflow import Workflow


def start_words(document: Workflow, *, alone: bool) -> str:
    """Return in whose name the run goes by itself; for one that its starter holds a sentence only where it is all that the form says (`alone`)."""
    if document.run_as is None:
        return (document.description or "The run begins at once, and you hold it.") if alone else ""
    ident = accounts.service_accounts().get(document.run_as)
    name = accounts.names({ident}).get(ident) if ident else None
    return f"The run goes by itself, in the name of {name or 'an account that is closed'}; you do not hold it."
