"""Questions about a case: answered from what the asker may see, with sources, by search without a model."""

from typing import TYPE_CHECKING

import pytest

from console.ai import cases
from console.ai.cases import Place
from console.core.errors import Invalid, NotFound
from tests.company import Company
from tests.papers import CHECKED, at_note, workflow


def test_without_a_model_search_finds_lines_with_their_sources(company: Company) -> None:
    workflow("checked", CHECKED)
    run = at_note(company, "checked", "1")
    asked = cases.ask(company.olivia, Place(run=run), "What is the email of the customer?")
    made = cases.question(company.olivia, asked)
    assert not made.pending
    assert (made.by, made.why) == ("search", "No model is configured here.")
    print(made.sentences)
    assert "adaeze@customers.example" in made.sentences[0]["source"]["quote"]
