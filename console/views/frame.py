"""The frame of every page: what templates can call, and rendering of a page or one of its blocks.

A page and its fragments are one template: a plain GET renders all of it, an htmx request renders the named block.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote, urlencode

import nh3
from flask import Blueprint, Flask, Response, current_app, g, make_response, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.templating import Environment
from flask_htmx import HTMX
from jinja2.ext import Extension
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from console.auth import access, accounts
from console.core import media, moments, record_links, seen_before
from console.core.actor import Actor
from console.core.errors import Conflict, ConsoleError, Malformed
from console.core.plain_words import uncapitalised
from console.infra import jobs, settings
from console.infra.db.ids import new_id
from console.infra.jobs.background import Work
from console.views import formats

blueprint = Blueprint("frame", __name__)

MASKED = "••••••"
LONGEST_KEPT = 200
"""Instead of a title that the reader may not see."""

PROSE = {
    "a",
    "blockquote",
    "br",
    "code",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
PROSE_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
PROSE_SCHEMES = {"http", "https", "mailto"}
THEMES = frozenset({"light", "dark"})
COMPONENTS = {
    "badge": ("badge",),
    "panel": (
        "card_section",
        "crumb_link",
        "facts_list",
        "filter_chips",
        "page_links",
        "page_section",
        "record_crumbs",
        "table_frame",
    ),
    "notice": ("error_notice", "notice", "refusal_notice"),
    "form": (
        "form_token",
        "post_button",
        "submit",
        "script_button",
        "link_to",
        "choice_box",
        "error_line",
        "form_options",
        "form_entry",
        "form_field",
        "form_box",
        "form_error",
        "form_items",
        "dialog_form",
        "drawn_form",
        "hidden_fields",
        "search_box",
    ),
    "data_table": ("data_table",),
    "chart": ("chart",),
    "days": ("day_range",),
    "due": ("due_groups",),
    "drafts": ("version_table", "change_table", "draft_buttons"),
    "empty": ("empty",),
    "proposal": (
        "hint_badges",
        "hint_button",
        "hint_acts",
        "hint_why",
        "hint_second",
        "opens_sources",
        "hint_way",
    ),
    "field": ("field", "finds_records", "picked_key", "file_line", "box_refusal", "box_said"),
    "table": ("table",),
    "technical": ("technical",),
    "then_now": ("then_now",),
    "tile": ("tile",),
    "work": ("follow_work",),
}
"""File of `templates/components/` → its macros. Every template has them by name, so that a block that is drawn alone has them too; one that uses another comes after it."""
MACROS = {name: f"components/{file}.html" for file, macros in COMPONENTS.items() for name in macros}
"""Macro → its template. Names that no value of a page may have: it would stand in the macro's place, in this block and in all that are drawn with it."""

htmx = HTMX()
_markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable(["image"])


@dataclass(frozen=True, slots=True)
class Badge:
    """A state as a word, with a colour (`good`, `warn`, `bad`, `info`, `ai` or none), an optional icon, and what it says exactly on hover."""

    label: str
    tone: str = ""
    icon: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force as a sentence, and the address without it."""

    label: str
    href: str


_STATUS = {
    "running": Badge("In progress", "info"),
    "waiting_person": Badge("In progress", "info"),
    "waiting_time": Badge("Waiting", "", "clock"),
    "waiting_event": Badge("Waiting", "", "clock"),
    "saved": Badge("To Continue", "warn", "player-pause"),
    "completed": Badge("Done", "good", "check"),
    "aborted": Badge("Aborted", "", "x"),
    "cancelled": Badge("Cancelled", "", "x"),
    "failed": Badge("Failed", "bad", "alert-triangle"),
    "timed_out": Badge("Timed out", "bad", "alert-triangle"),
}


def status_badge(
    status: str,
    holder: str | None = None,
    viewer: str | None = None,
    names: Mapping[str, str] | None = None,
    *,
    ticket: bool = False,
) -> Badge:
    """Return the badge of a run: "With Ana" if somebody else holds it, "In an inbox" if it waits there."""
    if ticket and not holder:
        return Badge("In an inbox", "warn", "inbox")
    if status in ("running", "waiting_person") and holder and holder != viewer:
        name = (names or {}).get(holder) or "a colleague"
        return Badge(f"With {name.split()[0] if names and holder in names else name}", "info", "user")
    return _STATUS.get(status, Badge(status.replace("_", " ").capitalize()))


def actor() -> Actor:
    """Return who makes the request. `identity` sets it before every view, except on the open routes."""
    return cast(Actor, g.actor)


def look() -> formats.Look:
    """Return the reader's locale, zone and the time of the request. It is the same for the whole page."""
    if "look" not in g:
        who = g.get("actor")
        g.look = (
            replace(formats.Look.of(who), accounts=accounts.AccountNames())
            if who is not None
            else formats.Look()
        )
    return cast(formats.Look, g.look)


def midnight(given: Mapping[str, str], name: str, *, later: int = 0) -> datetime | None:
    """Return when the day that is given under the name begins in the reader's zone, so many days later; a moment with its zone as it is; None without one.

    Raises Malformed for neither.
    """
    if not given.get(name):
        return None
    try:
        if "T" in given[name] and (at := datetime.fromisoformat(given[name])).tzinfo is not None:
            return at
        day = date.fromisoformat(given[name]) + timedelta(days=later)
        return moments.midnight(day, look().zone)
    except (ValueError, OverflowError):
        raise Malformed(f"{given[name][:20]} is no day.", at=(name, "A day such as 2026-11-20.")) from None


def naming(
    named: Mapping[tuple[str, str], formats.Named], reader: formats.Look | None = None
) -> formats.Look:
    """Return the look with these records by name, each with its address."""
    before = reader or look()
    linked = {
        (collection, key): known
        if known.absent
        else replace(known, href=record_url(record_links.reference(collection, key)[0], known.key or key))
        for (collection, key), known in named.items()
    }
    return replace(before, records={**before.records, **linked}) if linked else before


def naming_of(screen: Mapping[str, Any], reader: formats.Look) -> formats.Look:
    """Return the look with the records that a screen of a run names. A title that is masked for the reader says so."""
    return naming(
        {
            (str(reference["collection"]), str(reference["key"])): formats.Named(
                str(reference["title"] or MASKED),
                "",
                bool(reference.get("absent")),
                str(reference.get("record") or ""),
            )
            for reference in screen.get("named") or ()
        },
        reader,
    )


def wants_fragment() -> bool:
    """Return whether htmx asks for a part of the page. Going back in the history restores the whole page."""
    return bool(htmx) and not htmx.history_restore_request


def page(
    template: str,
    context: Mapping[str, Any],
    *,
    blocks: Mapping[str, str] | None = None,
    status: int = 200,
    error: ConsoleError | None = None,
) -> Response:
    """Return the page, or for htmx the block for the element that it replaces; with the status of the error that it shows, if any.

    `blocks` maps the id of the target element to the name of a block; "*" is any other target. Without a match the whole page is sent.
    """
    name = None
    if blocks and wants_fragment():
        name = blocks.get(htmx.target or "", blocks.get("*"))
    answer = make_response(render(template, context, name), error.status if error else status)
    answer.headers["Vary"] = "HX-Request, HX-Target"
    return answer


def render(template: str, context: Mapping[str, Any], block: str | None = None) -> str:
    """Render a template, or one of its blocks, with the context that all templates use."""
    page_template, values = current_app.jinja_env.get_or_select_template(template), dict(context)
    if hidden := MACROS.keys() & values.keys():
        raise ValueError(
            f"{template} is given {', '.join(sorted(hidden))}, which is the name of a macro: no template could call it any more."
        )
    current_app.update_template_context(values)
    text = (
        page_template.render(values)
        if block is None
        else "".join(page_template.blocks[block](page_template.new_context(values)))
    )
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # a value may hold a NUL, a page may not


def poll_answer(work: Work, *, reload: bool = False) -> Response | None:
    """Return the answer to a page that follows work in the background, where it needs nothing drawn: because it shows all that is new, or is to `reload` at the end."""
    if not wants_fragment():
        return None
    if request.args.get("seen") == work.seen:
        return make_response("", 204)
    return make_response("", 200, {"HX-Refresh": "true"}) if reload and not work.followed else None


def redirect_to(to: str) -> Response:
    """Redirect after a successful change: 303 for a browser, an `HX-Redirect` for htmx."""
    if wants_fragment():
        answer = make_response("", 204)
        answer.headers["HX-Redirect"] = to
        return answer
    answer = make_response("", 303)
    answer.headers["Location"] = to
    return answer


def repeated_at(to: str) -> Response:
    """Have the browser send the same form to another address."""
    answer = make_response("", 307)
    answer.headers["Location"] = to
    return answer


segment, key_of = record_links.segment, record_links.key_of


def collection_url(collection: str, **query: Any) -> str:
    """Return the address of a list of records."""
    return with_query(f"/c/{quote(collection, safe='')}", query)


def record_url(collection: str, key: Any, **query: Any) -> str:
    """Return the address of a record."""
    return with_query(f"/c/{quote(collection, safe='')}/{segment(key)}", query)


def may_browse(collection: str) -> bool:
    """Return whether the reader may list the collection. Who may only read single records, as in a replay, has no page of them."""
    return access.can(actor(), None, f"collection:{collection}", "browse")


def record_link(collection: str, key: Any, title: str) -> Markup:
    """Return the title of a record as a link to it, or alone where the reader has no page of it."""
    return (
        Markup('<a href="{}">{}</a>').format(record_url(collection, key), title)
        if may_browse(collection)
        else escape(title)
    )


def run_url(run: str, rest: str = "", **query: Any) -> str:
    """Return the address of a run, or of one of its pages such as `replay` or `revise`."""
    return with_query(f"/runs/{quote(run, safe='')}" + (f"/{rest}" if rest else ""), query)


def present_address(**changes: Any) -> str:
    """Return the present address with these query parameters changed; None removes a parameter."""
    path, query = _address()
    written = [kept for name, kept in query if name not in changes]
    written += [parameter(name, value) for name, value in changes.items() if value is not None]
    return path + ("?" + "&".join(written) if written else "")


def parameter(name: str, value: Any) -> str:
    """Return a query parameter as it is written."""
    short = isinstance(value, str) and len(value) + len(name) <= LONGEST_KEPT
    return _short_parameter(name, value) if short else urlencode([(name, value)])


@lru_cache(maxsize=2048)
def _short_parameter(name: str, value: str) -> str:
    """Cached, because the heads, tabs and chips of a list write the same ones on each page."""
    return urlencode([(name, value)])


def _address() -> tuple[str, list[tuple[str, str]]]:
    """Return the present path and its query parameters, name → quoted. Cached for the request, because a page uses them about ten times."""
    environ = request.environ
    kept: tuple[str, list[tuple[str, str]]] | None = environ.get("console.address")
    if kept is None:
        written = [(name, parameter(name, value)) for name, value in request.args.items(multi=True)]
        kept = environ["console.address"] = (request.path, written)
    return kept


def with_query(path: str, query: Mapping[str, Any]) -> str:
    """Return the path with these query parameters; those that are None are left out."""
    given = {name: value for name, value in query.items() if value is not None}
    return path + ("?" + urlencode(given, doseq=True) if given else "")


def markdown(text: str) -> Markup:
    """Return the text of a workflow as HTML. Raw HTML is escaped, images are not loaded, and only tags for prose are allowed."""
    drawn = _markdown.render(text)
    return Markup(nh3.clean(drawn, tags=PROSE, attributes=PROSE_ATTRIBUTES, url_schemes=PROSE_SCHEMES))  # noqa: S704 (it was cleaned)


def prose(text: str, reader: formats.Look) -> Markup:
    """Return the text of a step as HTML: days as the reader writes them, and records by the names that they may know."""

    def name(collection: str, key: str) -> str | None:
        known = reader.records.get((collection, key))
        if known is None:
            return None
        return (
            record_links.escaped(known.title)
            if known.absent
            else record_links.link(collection, known.key or key, known.title)
        )

    return markdown(formats.in_words(record_links.with_names(text, name), reader))


def theme() -> str:
    """Return the theme that the person chose, or "" to follow the system."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in THEMES else ""


def dom_id(*parts: Any) -> str:
    """Return an id for an element from words that may contain any characters."""
    return "-".join(re.sub(r"[^A-Za-z0-9_]+", "_", str(part)) or "_" for part in parts)


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with what it counts: "1 line", "2,000 lines"; `several` where that is more than an s."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def filter_chips(said: Mapping[str, str]) -> list[Chip]:
    """Return a chip for each filter of the address: its name → what it says."""
    return [Chip(words, present_address(**{name: None, "after": None})) for name, words in said.items()]


def page_places(following: str | None, after: object) -> dict[str, str | None]:
    """Return where the pages of a list lead: `next` to the cursor that follows, `first` back, where it stands `after` one."""
    return {
        "next": present_address(after=following) if following else None,
        "first": present_address(after=None) if after else None,
    }


def _paused() -> datetime | None:
    return jobs.paused_at() if g.get("actor") is not None else None


class Templates(Environment):
    """Jinja's environment, in which an item of a mapping is what it holds and never a method of it: a field may be called `values` or `items`."""

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the item; else of anything but a mapping the attribute."""
        if not isinstance(obj, dict):
            return super().getitem(obj, argument)
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)


class Unindented(Extension):
    """Templates lose their indentation when they are read, which is a third of a page. What stands in `<pre>` keeps it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 (as Jinja calls it)
        """Return the text of a template without indentation: lines keep their numbers, and words their distance where Jinja takes the end of the line before."""
        return re.sub(
            r"(<pre\b.*?</pre>)|(?<=[%#]\})(\n )[ \t]*|\n[ \t]+",
            lambda found: found[1] or found[2] or "\n",
            source,
            flags=re.DOTALL,
        )


def _extend(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.jinja_env.add_extension(Unindented)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        here=present_address,
        record_url=record_url,
        collection_url=collection_url,
        may_browse=may_browse,
        record_link=record_link,
        run_url=run_url,
        theme=theme,
        dom_id=dom_id,
        over_run=wants_fragment,  # a dialog fetched by htmx covers the run's page; opened alone it is a plain form
        paused_at=_paused,
        paused_because=jobs.paused_because,
        initials=formats.initials,
        status_badge=status_badge,
        key_segment=segment,
        demo=lambda: settings.current().demo,
        once=once,
    )
    app.jinja_env.filters.update(
        when=lambda value: formats.when(value, look()),
        when_there=lambda value, zone: formats.when_there(value, zone, look()),
        zone_words=lambda zone: formats.zone_words(zone, look()),
        exactly=lambda value: formats.full_moment(value, look()),
        clock=lambda value: formats.clock(value, look()),
        markdown=markdown,
        bytes_words=media.size,
        role_words=formats.role_words,
        uncapitalised=uncapitalised,
        program_words=formats.label_of,
        unfolding=formats.unfolding,
        number="{:,}".format,
        counted=counted,
    )
    htmx.init_app(app)
    for file, macros in COMPONENTS.items():
        module = app.jinja_env.get_template(f"components/{file}.html").module
        app.jinja_env.globals.update({name: getattr(module, name) for name in macros})


def once() -> Markup:
    """Return the field of a form that makes something: a key by which a form that is sent again is known, and does nothing twice."""
    return Markup('<input type="hidden" name="once" value="{}">').format(new_id("form"))


def drawn_from(now: Any, wrong: ConsoleError | None = None) -> str:
    """Return the mark of what a form shows (`seen_before`): what it was drawn from at first, as long as nobody was told that it has changed since."""
    kept = request.form.get("drawn", "") if wrong is not None and not isinstance(wrong, Conflict) else ""
    return kept or seen_before.mark(now)


def begun_before() -> str | None:
    """Return the run that this form began when it was sent before, for a view that goes on with it."""
    begun: str | None = g.get("begun")
    return begun


blueprint.record_once(_extend)


@blueprint.app_context_processor
def _frame() -> dict[str, Any]:
    return {"me": g.get("actor"), "look": look()}
