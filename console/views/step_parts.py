"""Parts of a step's page that its type may draw itself: the blocks of `templates/steps/<type>.html`.

A part that the type has no block for is drawn as for every type, by `runner/<part>.html`. Types of other packages bring their template in their package.
"""

from typing import cast

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState
from jinja2 import ChoiceLoader, Environment, FunctionLoader, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from console import steps

PARTS = ("body", "fields", "waiting")
"""What stands before the form, live and in replay; what is filled in and chosen; what is shown while the step waits."""
KEPT = "console_step_templates"

blueprint = Blueprint("step_parts", __name__)


@pass_context
def step_part(context: Context, part: str) -> Markup:
    """The text of a part of the step `step_kind`, with all that the page knows."""
    environment = context.environment
    own = _own(environment, str(context.get("step_kind") or ""))
    if own is not None and part in own.blocks:
        text = "".join(own.blocks[part](own.new_context(context.get_all(), shared=True)))
    else:
        general = environment.get_template(f"runner/{part}.html")
        text = "".join(general.root_render_func(general.new_context(context.get_all(), shared=True)))
    return Markup(text)  # noqa: S704 (templates escape what they are given)


def _own(environment: Environment, kind: str) -> Template | None:
    """The template of the type, None where it has none; looked for once."""
    known: dict[str, Template | None] = getattr(environment, KEPT)
    if kind not in known:
        try:
            known[kind] = environment.get_template(f"steps/{kind}.html")
        except TemplateNotFound:
            known[kind] = None
    return known[kind]


def _extend(state: BlueprintSetupState) -> None:
    environment = cast(Flask, state.app).jinja_env
    ours = environment.loader
    environment.loader = ChoiceLoader([*([ours] if ours else []), FunctionLoader(steps.template)])
    environment.globals["step_part"] = step_part
    environment.extend(**{KEPT: {}})


blueprint.record_once(_extend)
