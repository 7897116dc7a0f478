"""Parts of a step's page that its type may render itself: the blocks of `templates/steps/<type>.html`.

A part without such a block is rendered by `runner/<part>.html`. Step types of other packages bring their own templates.
"""

from typing import cast

from flask import Blueprint, Flask, current_app
from flask.blueprints import BlueprintSetupState
from jinja2 import ChoiceLoader, Environment, FunctionLoader, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from console import steps
from console.views import blocks

PARTS = ("body", "fields", "waiting")
"""What stands before the form, live and in replay; what is filled in and chosen; what is shown while the step waits."""
KEPT = "console_step_templates"

blueprint = Blueprint("step_parts", __name__)


@pass_context
def step_part(context: Context, part: str) -> Markup:
    """Return the HTML of a part of the step `step_kind`, with the page's context."""
    environment = context.environment
    template = _own(environment, str(context.get("step_kind") or ""))
    if template is not None and part in template.blocks:
        text = "".join(template.blocks[part](template.new_context(context.get_all(), shared=True)))
    else:
        general = environment.get_template(f"runner/{part}.html")
        text = "".join(general.root_render_func(general.new_context(context.get_all(), shared=True)))
    return Markup(text)  # noqa: S704 (templates escape what they are given)


def has_own_part(kind: str, part: str) -> bool:
    """Return whether the step type renders this part itself."""
    template = _own(current_app.jinja_env, kind)
    return template is not None and part in template.blocks


def _own(environment: Environment, kind: str) -> Template | None:
    """Return the template of the step type, None if it has none; cached."""
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
    environment.globals["block_sheets"] = blocks.sheets
    environment.extend(**{KEPT: {}})


blueprint.record_once(_extend)
