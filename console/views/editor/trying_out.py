"""`/workflows/<slug>/edit/example`: what the expressions and texts of a step come to on an example, a run or a record that the reader chooses."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request

from console import workflows
from console.core import expressions
from console.core.errors import Invalid, NotFound
from console.core.expressions import ExpressionError
from console.core.origins import Way, ways
from console.core.speaking import fill_text
from console.runs.simulation import examples
from console.views import formats, frame
from console.views.editor.value_form import written
from console.views.editor.values_in_words import words_of
from console.views.formats import Kind, label_of

blueprint = Blueprint("workflow_example", __name__, url_prefix="/workflows")

MOST_TEXTS = 60
NOTHING = "Nothing: this example has no value here."
OF_EACH = "Judged for each record that is read, where “record” is that one."
OF_RUN = "A record alone does not tell: choose a run, which knows what its steps gave."
GAP = "\n\nSomething that is filled in is empty on this example."


@blueprint.get("/<slug>/edit/example")
def offered(slug: str) -> Response:
    """The examples to choose from: runs of the workflow, and records."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    found = [
        {
            "id": ident,
            "label": f"{title}, run of {formats.text(Kind('', '', 'datetime'), began, frame.look())}"
            if began
            else title,
        }
        for ident, title, began in examples.choices(actor, draft)
    ]
    return jsonify({"examples": found})


@blueprint.post("/<slug>/edit/example")
def results(slug: str) -> Response:
    """What each of `texts` (a JSON list of {"id", "text", "kind": "expression", "value", "each", "template" or "lines"}) comes to on `example`."""
    actor = frame.actor()
    draft = workflows.open_draft(actor, slug)
    try:
        given = json.loads(request.form.get("texts", "[]"))
        texts = [(str(each["id"]), str(each["text"]), str(each["kind"])) for each in given[:MOST_TEXTS]]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Invalid("The texts cannot be read.") from None
    try:
        roots = examples.roots(actor, draft, request.form.get("example", ""), _ways(texts))
    except NotFound:
        raise NotFound("The example is not there any more. Choose another one.") from None
    titles = {step["id"]: str(step.get("title") or step["id"]) for step in draft.document["steps"]}
    return jsonify(
        {
            "results": [
                {"id": ident, **_result(text, kind, roots, titles)}
                for ident, text, kind in texts
                if text.strip()
            ]
        }
    )


def _ways(texts: Sequence[tuple[str, str, str]]) -> set[Way]:
    found = set[Way]()
    for _, text, kind in texts:
        with suppress(ExpressionError):
            found |= set(ways(text, template=kind == "template"))
    return found


def _result(text: str, kind: str, roots: dict[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    """`words` (empty for a text in which nothing is filled in), and `wrong` where the text cannot be read or has a gap."""
    try:
        if kind == "template":
            gaps = expressions.lacks(text, roots)
            return {
                "words": (fill_text(text, roots) + (GAP if gaps else "")) if "{{" in text else "",
                "wrong": gaps,
            }
        if kind == "value":
            return {"words": _value_words(written(text), roots, titles), "wrong": False}
        if kind == "lines":
            said = [_value_words(line.strip(), roots, titles) for line in text.splitlines() if line.strip()]
            return {"words": "\n".join(said), "wrong": False}
        return {
            "words": (_each_words if kind == "each" else _value_words)(text, roots, titles),
            "wrong": False,
        }
    except ExpressionError:
        return {"words": "It cannot be read yet.", "wrong": True}


def _each_words(text: str, roots: dict[str, Any], titles: Mapping[str, str]) -> str:
    """What the records that are read are compared with: which of them it leaves nobody can tell before they are read."""
    beside = sorted(
        {
            ".".join(path)
            for path in expressions.paths(expressions.parse(text))
            if path[0] not in ("record", "item")
        }
    )
    compared = [
        f"{label_of(place.rpartition('.')[2])}: {_value_words(place, roots, titles)}"
        for place in beside
        if "$" not in place
    ]
    return "\n".join([OF_EACH, *compared])


def _value_words(text: str, roots: dict[str, Any], titles: Mapping[str, str]) -> str:
    """The value in words. What only a step itself knows, such as the answer that is checked, no example has."""
    found = expressions.parse(text)
    later = sorted({path[0] for path in expressions.paths(found)} - roots.keys() - {"$currentUser"})
    if "record" in roots and "steps" not in roots and {"steps", "input", "run"} & set(later):
        return OF_RUN
    if later:
        return f"Known only at the step itself: it reads {' and '.join(later)}."
    undone = [
        path[1]
        for path in expressions.paths(found)
        if path[0] == "steps" and path[1:] and path[1] not in roots["steps"]
    ]
    if undone:
        return f"Known once “{titles.get(undone[0], undone[0])}” is done, which it is not in this example."
    value = found.evaluate(roots)
    return NOTHING if value is None else words_of(value)
