"""The whole API against its own description, by schemathesis, as who does the work and who administers: no fault of the server, nothing undocumented, nobody without a key.

The suite sends a few requests to every operation. `HANDRAIL_FUZZ=N` sends N to each, and walks from answer to answer for as long:
`HANDRAIL_FUZZ=100 python -m pytest tests/views/test_api_fuzzed.py`.
"""

import contextlib
import os
from typing import Any

import pytest
import schemathesis
import schemathesis.core.failures
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings as budget
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.generation.stateful import run_state_machine_as_test
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from console import runs
from console.auth import accounts
from console.views.app import create_app
from tests.company import Company

pytestmark = pytest.mark.slow

MANY = int(os.environ.get("HANDRAIL_FUZZ", "0"))
WHO = ("mona", "ines")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
BUDGET = budget(
    max_examples=MANY or 1,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    derandomize=not MANY,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(name="house", scope="module")
def fixture_house(module_company: Company) -> Company:
    """The company with a run at a step, a saved one, and one that is over."""
    module_company.at("note", "1")
    saved = module_company.at("note", "4")
    runs.save(module_company.olivia, saved, revision=module_company.told(saved)["revision"])
    module_company.finished("2", "tom")
    return module_company


@pytest.fixture(name="web", scope="module")
def fixture_web(house: Company) -> Flask:
    """Its web application, as it is served."""
    assert house.people
    return create_app()


@pytest.fixture(name="schema", scope="module")
def fixture_schema(web: Flask) -> Any:
    """The description as the application gives it out."""
    return schemathesis.openapi.from_wsgi("/api/openapi.json", web)


def known(house: Company) -> dict[str, list[str]]:
    """What path parameters are filled with every other time, so that a call gets further than to 404."""
    found, _ = runs.find(house.mona)
    return {
        "collection": ["customer", "account"],
        "key": ["1", "4", "LT459999900012345678"],
        "run_id": [head.id for head in found],
        "workflow_id": ["care-review"],
        "name": ["desk"],
        "number": ["1"],
    }


def aimed(house: Company, case: Any, there: dict[str, list[str]], number: int) -> Any:
    """The case with what is there in its path; with the revision that the run has, so that a command is judged and not only compared."""
    for name in case.path_parameters or {}:
        if there.get(name):
            case.path_parameters[name] = there[name][number % len(there[name])]
    found = runs.head(house.mona, str((case.path_parameters or {}).get("run_id", "")))
    if found is not None and isinstance(case.body, dict) and isinstance(case.body.get("revision"), int):
        case.body = case.body | {"revision": found.revision}
    return case


def cases_of(operation: Any, mode: GenerationMode) -> list[Any]:
    """Some requests to the operation: such as the description allows, or such as it forbids."""
    made: list[Any] = []

    @BUDGET
    @given(operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        made.append(case)

    with contextlib.suppress(Unsatisfiable):  # an operation that takes nothing cannot be sent anything wrong
        collect()
    return made


@pytest.mark.parametrize("who", [*WHO, None])
def test_every_operation_keeps_its_word(house: Company, schema: Any, who: str | None) -> None:
    headers = (
        {"Authorization": f"Bearer {accounts.create_key('fuzz', house.people[who].id).text}"} if who else {}
    )
    there, faults, sent = known(house), list[str](), 0
    seen: set[int] = set()
    for each in schema.get_all_operations():
        operation = each.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for number, case in enumerate(cases_of(operation, mode)):
                sent += 1
                answer = (aimed(house, case, there, sent) if number % 2 == 0 else case).call(headers=headers)
                try:
                    case.validate_response(answer, checks=CHECKS)
                except (schemathesis.core.failures.FailureGroup, AssertionError) as error:
                    faults += [
                        f"{who} {operation.label}: {fault}" for fault in getattr(error, "exceptions", [error])
                    ]
                seen.add(answer.status_code)
                if who is None and answer.status_code not in (
                    401,
                    404,
                ):  # 404: an address that leads nowhere, such as a version that is no number
                    faults.append(f"{operation.label}: {answer.status_code} without a key")
    assert sent > 100
    assert {200, 404} <= seen if who else True
    assert faults == []


def test_from_answer_to_answer(house: Company, schema: Any) -> None:
    """What an answer links to is called with what stood in it."""
    headers = {"Authorization": f"Bearer {accounts.create_key('fuzz', house.mona.id).text}"}
    machine = schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc, valid-type]
        """A program that follows the links of the description."""

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            case.validate_response(response, checks=CHECKS)

    run_state_machine_as_test(Walk, settings=budget(BUDGET, max_examples=MANY or 4, stateful_step_count=12))
