"""Events of workflows that go live and of what starts them, as people read them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from console.formats.sentences.sentence_parts import Parts, in_brackets


def _published(parts: Parts) -> str:
    return "{who} published the workflow {workflow_named}{version}" + in_brackets(
        parts.count("failed_tests", "failed test", "failed tests")
    )


def _trigger_stopped(parts: Parts) -> str:
    return "{who} stopped a trigger that led to itself{text_trigger:: }" + in_brackets(
        parts.count("count", "time", "times")
    )


PUBLICATION: Mapping[str, str | Callable[[Parts], str]] = MappingProxyType(
    {
        "workflow_imported": "{who} imported the workflow {workflow_named}{version}",
        "workflow_published": _published,
        "workflow_tried": "{who} executed the draft of the workflow {workflow_named} as a test",
        "workflow_review_requested": "{who} asked for the workflow {workflow_named} to be published",
        "workflow_review_changes_requested": "{who} asked for changes of the workflow {workflow_named} before it is published{why}",
        "workflow_review_approved": "{who} approved publishing the workflow {workflow_named}{version}{why}",
        "workflow_review_withdrawn": "{who} withdrew the request to publish the workflow {workflow_named}",
        "workflow_review_void": "The request to publish the workflow {workflow_named} became void",
        "run_version_moved": "{who} moved {workflow}{on_record} to another version{why}",
        "trigger_stopped": _trigger_stopped,
    }
)
