"""A draft as a workflow, as far as it can be shown."""

from collections.abc import Mapping
from typing import Any

from console.core.documents.workflow import FORMAT, Group, Settings, Step, Workflow


def sketched(document: Mapping[str, Any]) -> Workflow:
    """The unfinished document, which is in shape, as a workflow for pictures and lists. It is not valid and never runs."""
    steps = [
        Step.model_construct(
            id=step["id"],
            type=step["type"],
            title=step.get("title") or step["id"],
            description=step.get("description") or None,
            button=step.get("button") or None,
            completion="automatic" if step.get("completion") == "automatic" else "manual",
            roles=step.get("roles") or None,
            config=step.get("config") or {},
            next=step.get("next") or {},
            at=at if len(at := step.get("at") or []) == 2 else None,
        )
        for step in document["steps"]
    ]
    return Workflow.model_construct(
        format=FORMAT,
        slug=document.get("slug") or "",
        title=document.get("title") or document.get("slug") or "",
        description=document.get("description") or None,
        collection=document.get("collection") or None,
        team=document.get("team") or None,
        roles=document.get("roles") or [],
        segments=document.get("segments") or [],
        settings=Settings.model_validate({}),
        variables={},
        tables={},
        steps=steps,
        groups=[
            Group.model_construct(title=group.get("title") or "", steps=group.get("steps") or [])
            for group in document.get("groups") or []
        ],
    )
