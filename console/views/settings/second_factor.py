"""Set up or replace the person's second factor; new recovery codes; removing it."""

from collections.abc import Sequence

from flask import Blueprint, Response, flash, make_response, request
from markupsafe import Markup

from console.auth import accounts
from console.auth.accounts import factors
from console.core.actor import Actor
from console.views import frame
from console.views.forms import Field, Form
from console.views.settings import area

blueprint = Blueprint("second_factor", __name__, url_prefix="/settings/me/second-factor")


@blueprint.get("")
def show() -> Response:
    """Show the QR code, the same as text, and a box for the first code."""
    return _page()


@blueprint.post("")
def confirm() -> Response:
    """Set up the second factor and show the recovery codes, this once."""
    who = frame.actor()
    form = _form(who)
    return form.submit_to(lambda sent: _codes(factors.confirm(who, sent["code"]))) or _page(form)


@blueprint.post("/codes")
def codes() -> Response:
    """Replace the recovery codes with new ones."""
    return _codes(factors.renew_codes(frame.actor()))


@blueprint.post("/remove")
def remove() -> Response:
    """Remove the second factor."""
    factors.remove(frame.actor())
    flash("The second factor was removed")
    return frame.redirect_to("/settings/me")


@blueprint.post("/codes.txt")
def download() -> Response:
    """Download the codes that the page has just shown. The page sends them, because they are stored nowhere else."""
    kept = [word for word in request.form.get("codes", "")[:2000].split() if word.replace("-", "").isalnum()]
    lines = [
        "Handrail: recovery codes. Each signs you in once, in the place of the code of your telephone.",
        "",
        *kept,
        "",
    ]
    answer = make_response("\r\n".join(lines))
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="handrail-recovery-codes.txt"'
    return answer


def _form(who: Actor) -> Form:
    factor = accounts.factor_of(who.id)
    code = Field(
        "code",
        "Code",
        css="short",
        inputmode="numeric",
        autocomplete="one-time-code",
        max_length=20,
        required=True,
    )
    return Form(
        [code],
        submit="Replace" if factor else "Turn on",
        cancel="/settings/me" if factor or not accounts.must_have(who) else "",
        title="2. Enter the code that it shows",
        css="card pad form narrow",
    )


def _page(form: Form | None = None) -> Response:
    who = frame.actor()
    waiting = factors.begin(who)
    context = {
        "picture": Markup(waiting.svg),  # noqa: S704 (drawn here, of a text that was made here)
        "secret": " ".join(waiting.secret[at : at + 4] for at in range(0, len(waiting.secret), 4)),
        "factor": accounts.factor_of(who.id),
        "must_have": accounts.must_have(who),
        "form": form or _form(who),
    }
    return area.page(
        "settings/second_factor.html",
        "me",
        context,
        heading="Second factor",
        error=form.error if form else None,
    )


def _codes(codes: Sequence[str]) -> Response:
    return area.page("settings/recovery_codes.html", "me", {"codes": codes}, heading="Recovery codes")
