"""A draft as a workflow, as far as it can be shown."""

from collections.abc import Mapping
from typing import Any

from console.core.documents.workflow import FORMAT, Group, Settings, Step, Workflow


def sketched(document: Mapping[str, Any]) -> Workflow:
    """The unfinished document as a workflow for pictures and lists: wrong values are left out. It is not valid and never runs."""
    steps = [
        Step.model_construct(
            id=step["id"],
            type=step["type"],
            title=_text(step.get("title")) or step["id"],
            description=_text(step.get("description")) or None,
            button=_text(step.get("button")) or None,
            completion="automatic" if step.get("completion") == "automatic" else "manual",
            roles=_texts(step.get("roles")) or None,
            config=dict(step.get("config") or {}),
            next={outcome: to for outcome, to in (step.get("next") or {}).items() if isinstance(to, str)},
            at=at if isinstance(at := step.get("at"), list) and len(at) == 2 and all(isinstance(each, int) for each in at) else None,
        )
        for step in document["steps"]
    ]
    groups = document.get("groups")
    return Workflow.model_construct(
        format=FORMAT,
        slug=_text(document.get("slug")),
        title=_text(document.get("title")) or _text(document.get("slug")),
        description=_text(document.get("description")) or None,
        collection=_text(document.get("collection")) or None,
        team=_text(document.get("team")) or None,
        roles=_texts(document.get("roles")),
        segments=_texts(document.get("segments")),
        settings=Settings.model_validate({}),
        variables={},
        tables={},
        steps=steps,
        groups=[
            Group.model_construct(title=_text(group.get("title")), steps=_texts(group.get("steps")))
            for group in (groups if isinstance(groups, list) else [])
            if isinstance(group, Mapping)
        ],
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
