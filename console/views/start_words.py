"""What a start by hand does, in a sentence: who acts in the run, and who holds it."""

from console import workflows
from console.auth import accounts
from console.core.documents.workflow import Workflow
from console.monitoring import unable_to_start


def start_words(document: Workflow, *, alone: bool) -> str:
    """Return in whose name the run goes by itself; for one that its starter holds a sentence only where it is all that the form says (`alone`)."""
    if document.run_as is None:
        return (document.description or "The run begins at once, and you hold it.") if alone else ""
    ident = accounts.service_accounts().get(document.run_as)
    name = accounts.names({ident}).get(ident) if ident else None
    return (
        f"The run goes by itself, in the name of {name or 'an account that is closed'}; you do not hold it."
    )


def about_start(workflow: str, document: Workflow, *, alone: bool) -> dict[str, str | None]:
    """Return what the form of a start says beside its fields: what it does, or why it cannot be done."""
    return {"does": start_words(document, alone=alone), "unable": unable_words(workflow)}


def unable_words(workflow: str) -> str | None:
    """Return why no run of this workflow (its id) can begin by itself at the moment; None where it can, or somebody holds its runs."""
    known = next((each for each in workflows.all_known() if each.id == workflow), None)
    return unable_to_start.unable_now(known) if known is not None else None
