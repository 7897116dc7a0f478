"""Every HTML route in every circumstance: no session, no right, wrong method, foreign form, no token, a part for htmx or the whole page."""

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pytest
from werkzeug.test import TestResponse

from console import files, log, runs, subjects, workflows, workspaces
from console.actions import bulk
from console.work import notices, questions, tasks
from tests.company import DOCUMENT
from tests.conftest import Companies, web_app
from tests.papers import CHECKED, at_note, pdf, workflow
from tests.samples import sampled
from tests.services.acting import RATE, imported
from tests.services.engine import step
from tests.services.four_eyes import asking, requested
from tests.views.conftest import Browser, Pages

OURS = "http://localhost"
FOREIGN = ("https://evil.example", "http://localhost:81", "https://localhost", "http://localhost.evil.example", "null", "")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OWN_ACCOUNT = {
    *(
        f"/settings/me/{rest}"
        for rest in (
            "profile",
            "password",
            "disconnect",
            "sessions/<session_id>/end",
            "sessions/end-others",
            "second-factor",
            "second-factor/codes",
            "second-factor/codes.txt",
            "second-factor/remove",
        )
    ),
    *("/session", "/session/kept", "/session/returned", "/step-up", "/step-up/go-on"),
    *(
        "/sign-in/demo",
        "/sign-in/code",
        "/sign-in/out",
        "/sign-in/forgot",
        "/sign-in/new-password/<token>",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
    ),
}
"""What people do to their own account, and the ways in: tests/views/test_me_pages.py, test_second_factor.py, test_oidc.py and test_demo_sign_in.py."""

NO_PAGES = {
    *OWN_ACCOUNT,
    "/settings",
    "/files/<path:ref>/download",
    "/files/<path:ref>/page/<int:number>",
    "/health",
    "/health/pages",
    "/my-work",
    "/invitation/<token>",
    "/unsubscribe/<token>",
    "/hooks/<token>",
    "/channels/<kind>/<provider>/<token>",
    "/metrics",
    "/request/<token>",
    "/request/<token>/files",
    "/runs/<run_id>/case-file",
    "/runs/<run_id>/proposal",
    "/schema/action.json",
    "/schema/collection.json",
    "/schema/workspace.json",
    "/schema/workflow.json",
    "/sign-in",
    "/sign-out",
    "/static/<path:filename>",
    "/d",
    "/d/<slug>",
}
"""Files, what programs and scripts read (tests/views/test_proposal_pages.py, test_hooks.py), the door itself, which tests/views/test_sign_in.py walks, and the pages outside (test_request_pages.py, test_invitation_pages.py), and what
leads to a workspace (test_workspace_pages.py)."""


@dataclass(frozen=True)
class Route:
    """A route with a path that Olivia may see. `stan` is what Stan is answered, `part` the start of what htmx gets (None: the whole page)."""

    rule: str
    path: str
    methods: tuple[str, ...] = ("GET",)
    stan: int = 404
    part: str | None = None
    target: str = "elsewhere"
    status: int = 200


BUILDER = "/w/<slug>/edit"
RECORD, RUN, INBOX = "/c/<collection>/<path:part>", "/runs/<run_id>", "/inbox/<name>"
SIGNS_IN = "/settings/sign-in/of/<person_id>"
WORKFLOW = "/workflows/<slug>"
SHAPE, ROLES = "/settings/collections/<collection>", "/settings/roles"
ROUTES = [
    Route("/", "/", stan=200, part='<div class="day-now"', target="work"),
    Route("/settings/me", "/settings/me", stan=200),
    Route("/settings/sign-in", "/settings/sign-in", ("GET", "POST"), stan=403, status=403),
    Route(SIGNS_IN, "/settings/sign-in/of/usr_unknown", stan=403, status=403),
    *(
        Route(f"{SIGNS_IN}/{do}", f"/settings/sign-in/of/usr_unknown/{do}", ("POST",), stan=403, status=403)
        for do in ("password-link", "reset-factor", "end-sessions")
    ),
    Route("/settings/hooks", "/settings/hooks", stan=403, status=403),
    Route("/settings/ai", "/settings/ai", ("GET", "POST"), stan=403, status=403),
    Route("/settings/ai/test", "/settings/ai/test", ("POST",), stan=403, status=403),
    *(
        Route(f"/settings/ai/{page}", f"/settings/ai/{page}", ("GET", "POST"), stan=403, status=403)
        for page in ("purposes", "budgets", "switches", "house", "redaction")
    ),
    Route("/settings/ai/calls", "/settings/ai/calls", stan=403, status=403),
    Route("/settings/ai/calls/<call_id>", "/settings/ai/calls/aic_unknown", stan=403, status=403),
    Route("/settings/ai/calls/<call_id>/words", "/settings/ai/calls/aic_unknown/words", stan=403, status=403),
    Route("/w", "/w", stan=200),
    Route("/w/<slug>", "/w/desk"),
    Route("/w/<slug>/part/<part>", "/w/desk/part/people", part='<div class="part', target="part-people"),
    Route("/w/new", "/w/new", ("GET", "POST"), stan=403, status=403),
    Route(BUILDER, "/w/desk/edit", ("GET", "POST"), stan=403, status=403),
    Route(BUILDER + "/add", "/w/desk/edit/add?type=text", ("GET", "POST"), stan=403, status=403),
    Route(BUILDER + "/<part>", "/w/desk/edit/people", ("GET", "POST"), stan=403, status=403),
    Route("/w/<slug>/preview", "/w/desk/preview", stan=403, status=403),
    Route("/w/<slug>/changes", "/w/desk/changes", ("GET", "POST"), stan=403, status=403),
    Route("/w/<slug>/versions", "/w/desk/versions", ("GET", "POST"), stan=403, status=403),
    Route("/settings/collections", "/settings/collections", stan=403, status=403),
    Route(SHAPE, "/settings/collections/customer", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/preview", "/settings/collections/customer/preview", ("POST",), stan=403, status=403),
    Route(SHAPE + "/layout/<part>", "/settings/collections/customer/layout/list", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/segments", "/settings/collections/customer/segments", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/segments/new", "/settings/collections/customer/segments/new", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/segments/<segment>", "/settings/collections/customer/segments/vip", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/relations", "/settings/collections/customer/relations", stan=403, status=403),
    Route(SHAPE + "/relations/new", "/settings/collections/customer/relations/new", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/relations/<name>", "/settings/collections/customer/relations/account", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/merge", "/settings/collections/customer/merge", ("POST",), stan=403, status=403),
    Route(SHAPE + "/fields/<path:name>", "/settings/collections/customer/fields/email", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/new-field", "/settings/collections/customer/new-field", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/changes", "/settings/collections/customer/changes", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/versions", "/settings/collections/customer/versions", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/document", "/settings/collections/customer/document", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/document.json", "/settings/collections/customer/document.json", stan=403, status=403),
    Route(ROLES, "/settings/roles", ("GET", "POST"), stan=403, status=403),
    Route(ROLES + "/<role>", "/settings/roles/operator", stan=403, status=403),
    Route(ROLES + "/<role>/title", "/settings/roles/operator/title", ("POST",), stan=403, status=403),
    Route(ROLES + "/<role>/delete", "/settings/roles/operator/delete", ("POST",), stan=403, status=403),
    Route(ROLES + "/<role>/on", "/settings/roles/operator/on?object=collection:customer", ("GET", "POST"), stan=403, status=403),
    Route(ROLES + "/<role>/check", "/settings/roles/operator/check?object=collection:customer", ("POST",), stan=403, status=403),
    Route(ROLES + "/draft", "/settings/roles/draft", ("GET", "POST"), stan=403, status=403),
    Route(ROLES + "/draft/discard", "/settings/roles/draft/discard", ("POST",), stan=403, status=403),
    Route(ROLES + "/versions", "/settings/roles/versions", stan=403, status=403),
    Route(ROLES + "/versions/<int:number>/undo", "/settings/roles/versions/1/undo", ("POST",), stan=403, status=403),
    *(
        Route(
            rule,
            rule.replace("<person_id>", "usr_x").replace("<invitation_id>", "inv_x").replace("<team_id>", "operations"),
            methods,
            stan=403,
            status=403,
        )
        for rule, methods in (
            ("/settings/people", ("GET",)),
            ("/settings/people/people.csv", ("GET",)),
            ("/settings/people/invite", ("GET", "POST")),
            ("/settings/people/service-account", ("GET", "POST")),
            ("/settings/people/<person_id>/new-key", ("GET", "POST")),
            ("/settings/people/invitations/<invitation_id>", ("GET",)),
            ("/settings/people/invitations/<invitation_id>/resend", ("POST",)),
            ("/settings/people/invitations/<invitation_id>/revoke", ("POST",)),
            ("/settings/people/<person_id>", ("GET",)),
            ("/settings/people/<person_id>/roles", ("GET", "POST")),
            ("/settings/people/<person_id>/particulars", ("GET", "POST")),
            ("/settings/people/<person_id>/close", ("GET", "POST")),
            ("/settings/people/<person_id>/enable", ("POST",)),
            ("/settings/people/<person_id>/sessions", ("POST",)),
            ("/settings/people/<person_id>/keys", ("POST",)),
            ("/settings/people/<person_id>/runs", ("POST",)),
            ("/settings/teams", ("GET",)),
            ("/settings/teams/new", ("GET", "POST")),
            ("/settings/teams/<team_id>", ("GET", "POST")),
            ("/settings/teams/<team_id>/members", ("POST",)),
            ("/settings/teams/<team_id>/archive", ("POST",)),
            ("/settings/teams/<team_id>/copy", ("GET", "POST")),
        )
    ),
    Route("/settings/keys", "/settings/keys", stan=200),
    Route("/settings/keys/new", "/settings/keys/new", stan=200),
    Route("/settings/keys/all", "/settings/keys/all", stan=403, status=403),
    Route("/settings/keys/create", "/settings/keys/create", ("POST",), stan=422),
    Route("/settings/keys/<key_id>", "/settings/keys/key_none", status=404),
    Route("/settings/keys/<key_id>/revoke", "/settings/keys/key_none/revoke", ("POST",)),
    Route("/settings/access", "/settings/access", stan=403, status=403),
    Route("/settings/access/export.csv", "/settings/access/export.csv", stan=403, status=403),
    Route(
        "/settings/access/try",
        "/settings/access/try?person=olivia@fernwick.example&act=read&object=collection:customer",
        stan=403,
        status=403,
    ),
    Route(RECORD + "/why", "/c/customer/1/why", part='<section class="dialog'),
    Route(RUN + "/why", "/runs/{run}/why", part='<section class="dialog'),
    Route("/access-requests", "/access-requests", ("POST",), stan=422, status=422),
    Route("/settings/sources", "/settings/sources", stan=403, status=403),
    Route("/settings/sources/new", "/settings/sources/new", ("GET", "POST"), stan=403, status=403),
    Route("/settings/sources/book", "/settings/sources/book", ("GET", "POST"), stan=403, status=403),
    Route("/settings/sources/connect", "/settings/sources/connect", ("POST",), stan=403, status=403),
    Route("/settings/sources/<name>/connected", "/settings/sources/company/connected", stan=403, status=403),
    Route("/settings/sources/<name>/indexes", "/settings/sources/company/indexes", stan=403, status=403),
    Route("/settings/sources/<name>/first", "/settings/sources/company/first", ("POST",), stan=403, status=403),
    Route("/settings/sources/<name>", "/settings/sources/company", stan=403, status=403),
    Route("/settings/sources/<name>/test", "/settings/sources/company/test", ("POST",), stan=403, status=403),
    Route("/settings/sources/<name>/<any(pause, resume):word>", "/settings/sources/company/pause", ("POST",), stan=403, status=403),
    *(
        Route(f"/settings/sources/<name>/{part}", f"/settings/sources/company/{part}", ("GET", "POST"), stan=403, status=403)
        for part in ("address", "limits", "tables", "again", "remove")
    ),
    Route("/search", "/search?q=okonkwo", ("GET", "POST"), stan=200, part='<div class="hits-of"', target="found"),
    Route("/more", "/more", stan=200),
    Route("/pins", "/pins", ("POST",)),
    Route("/inbox", "/inbox", stan=200),
    Route(INBOX, "/inbox/desk"),
    Route(INBOX + "/next", "/inbox/desk/next", ("POST",)),
    Route(INBOX + "/take", "/inbox/desk/take", ("POST",)),
    Route(INBOX + "/assign", "/inbox/desk/assign", ("GET", "POST"), status=403),
    Route(INBOX + "/unassign", "/inbox/desk/unassign", ("POST",)),
    Route("/patterns", "/patterns", stan=200),
    Route("/c", "/c", stan=200),
    Route("/approvals", "/approvals?list=history", stan=200),
    Route("/approvals/<approval_id>", "/approvals/{approval}"),
    Route("/approvals/publishing/<review_id>", "/approvals/publishing/rev_none", ("GET", "POST"), status=404),
    Route("/approvals/<approval_id>/approve", "/approvals/{approval}/approve", ("POST",)),
    Route("/approvals/<approval_id>/ask", "/approvals/{approval}/ask", ("POST",)),
    Route("/approvals/<approval_id>/reply", "/approvals/{approval}/reply", ("POST",)),
    Route("/approvals/<approval_id>/reject", "/approvals/{approval}/reject", ("POST",)),
    Route("/activity", "/activity", stan=403, status=403),
    Route("/activity/proof", "/activity/proof", ("GET", "POST"), stan=403, status=403),
    Route("/activity/proof/checkpoint.txt", "/activity/proof/checkpoint.txt", stan=403, status=403),
    Route("/activity/proof/verify.py", "/activity/proof/verify.py", stan=403, status=403),
    Route("/tasks", "/tasks", stan=200),
    Route("/tasks/<task_id>/close", "/tasks/{task}/close", ("POST",)),
    Route("/answers/<question_id>", "/answers/{question}", ("GET", "POST")),
    Route("/notices", "/notices", stan=200),
    Route("/notices/read", "/notices/read", ("POST",), stan=303),
    Route("/notices/<notice_id>/read", "/notices/{notice}/read", ("POST",)),
    Route("/operations", "/operations", stan=403, status=403),
    Route("/operations/<word>", "/operations/pause", ("POST",), stan=403, status=403),
    Route("/operations/jobs/<int:job>/retry", "/operations/jobs/1/retry", ("POST",), stan=403, status=403),
    Route("/erasures/<subject>", "/erasures/sub_x", stan=403, status=403),
    Route("/activity/export", "/activity/export", stan=403, status=403),
    Route("/c/<collection>", "/c/customer", ("GET", "POST"), part='<div class="list"', target="list"),
    Route("/c/<collection>/view", "/c/customer/view", ("POST",)),
    Route("/chart/c/<collection>", "/chart/c/customer?of=risk"),
    Route("/import/c/<collection>", "/import/c/customer", ("GET", "POST"), status=404),
    Route("/board/c/<collection>", "/board/c/customer", ("GET", "POST"), part='<div class="board"', target="board"),
    Route("/export/c/<collection>", "/export/c/customer", ("POST",), status=403),
    Route("/exports/<export_id>", "/exports/exp_unknown", ("GET", "POST"), status=404),
    Route("/exports/<export_id>/file", "/exports/exp_unknown/file", status=404),
    Route(RECORD, "/c/customer/1"),
    Route(RECORD + "/menu", "/c/customer/1/menu", part='<div class="items"'),
    Route("/new/c/<collection>", "/new/c/customer", ("GET", "POST"), status=403),
    Route(RECORD + "/edit", "/c/customer/1/edit", ("GET", "POST")),
    Route(RECORD + "/delete", "/c/customer/1/delete", ("GET", "POST"), status=403),
    Route(RECORD + "/notes", "/c/customer/1/notes", ("GET", "POST"), part='<section class="sect notes"'),
    Route(RECORD + "/tags", "/c/customer/1/tags", ("GET", "POST"), part='<section class="sect tags"'),
    Route("/tags/of/<collection>", "/tags/of/customer?key=1", ("GET", "POST")),
    Route("/notes/<note_id>", "/notes/rnt_unknown", status=404),
    Route("/notes/<note_id>/remove", "/notes/rnt_unknown/remove", ("POST",), status=404),
    Route(RECORD + "/related", "/c/customer/1/related", part="<section"),
    Route(RECORD + "/related/<relation>", "/c/customer/1/related/account", part='<div class="scroll-x"'),
    Route(RECORD + "/edit/<name>", "/c/customer/1/edit/email", ("GET", "POST"), part='<div id="value-email"'),
    Route(RECORD + "/report/<slug>", "/c/customer/1/report/care-review", ("GET", "POST"), status=404),
    Route(RECORD + "/reveal/<name>", "/c/customer/1/reveal/email", ("GET", "POST"), status=404),
    Route("/settings/labels", "/settings/labels", ("GET", "POST"), stan=403, status=403),
    Route("/settings/labels/<grant>/<word>", "/settings/labels/clr_x/agree", ("POST",)),
    Route(RECORD + "/erase", "/c/customer/1/erase", ("GET", "POST"), stan=403, status=403),
    Route(RECORD + "/start/<slug>", "/c/customer/1/start/care-review", ("GET", "POST"), part="<form"),
    Route(RECORD + "/do/<action>", "/c/customer/1/do/customer.rate", ("GET", "POST"), part="<form"),
    Route("/bulk/of/<collection>", "/bulk/of/customer?action=customer.rate&key=1", ("GET", "POST")),
    Route("/bulk/<bulk_id>", "/bulk/{bulk}", ("GET", "POST"), part="<section"),
    Route(RUN, "/runs/{run}", part="<title>"),
    Route(RUN + "/complete", "/runs/{run}/complete", ("POST",)),
    Route(RUN + "/draft", "/runs/{run}/draft", ("POST",)),
    Route(RUN + "/proposal/<call_id>/feedback", "/runs/{run}/proposal/aic_unknown/feedback", ("POST",)),
    Route(RUN + "/save", "/runs/{run}/save", ("POST",)),
    Route(RUN + "/resume", "/runs/{run}/resume", ("POST",)),
    Route(RUN + "/take-over", "/runs/{run}/take-over", ("POST",)),
    Route(RUN + "/step-in", "/runs/{run}/step-in", ("POST",)),
    Route(RUN + "/release", "/runs/{run}/release", ("POST",)),
    Route(RUN + "/retry", "/runs/{run}/retry", ("POST",)),
    Route(RUN + "/check", "/runs/{run}/check", ("POST",)),
    Route(RUN + "/stop-trying", "/runs/{run}/stop-trying", ("POST",)),
    Route(RUN + "/files", "/runs/{run}/files", ("POST",)),
    Route(RUN + "/request/<do>", "/runs/{run}/request/finish", ("POST",)),
    Route("/files/<path:ref>", "/files/{file}"),
    Route(RUN + "/settle", "/runs/{run}/settle", ("POST",)),
    Route(RUN + "/abort", "/runs/{run}/abort", ("GET", "POST"), part="<form"),
    Route(RUN + "/escalate", "/runs/{run}/escalate", ("GET", "POST"), part="<form"),
    Route(RUN + "/assign", "/runs/{run}/assign", ("GET", "POST"), status=403),
    Route(RUN + "/leave", "/runs/{run}/leave", part="<form"),
    Route(RUN + "/revise", "/runs/{run}/revise?step=note", ("GET", "POST"), part="<form"),
    Route(RUN + "/replay", "/runs/{run}/replay", part='<div class="runner read-only', target="replay"),
    Route(RUN + "/propose", "/runs/{run}/propose", ("POST",)),
    Route(RUN + "/suggestion", "/runs/{run}/suggestion", ("POST",)),
    Route(RUN + "/supply", "/runs/{run}/supply?step=note", ("GET", "POST"), status=404),
    Route(RUN + "/checks", "/runs/{checked}/checks", part='<section class="card', target="checks"),
    Route(RUN + "/picture", "/runs/{run}/picture", part='<div class="picture-page', target="replay"),
    *(
        Route(f"/reports{part}", f"/reports{part.replace('<name>', 'runs-by-workflow')}", status=404)
        for part in ("", "/<name>", "/<name>.csv")
    ),
    Route("/workflows", "/workflows", stan=200),
    Route("/ai", "/ai", stan=403, status=403),
    Route("/ai/table.csv", "/ai/table.csv", stan=403, status=403),
    Route("/ai/cases", "/ai/cases", stan=403, status=403),
    Route("/ai/ladder/<slug>/<step>", "/ai/ladder/care-review/note", stan=404, status=404),
    Route("/ai/ladder/<slug>/<step>/<any(promote, back):word>", "/ai/ladder/care-review/note/back", ("POST",), stan=404, status=404),
    Route(WORKFLOW, "/workflows/care-review"),
    Route(WORKFLOW + "/switch", "/workflows/care-review/switch?to=paused", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/executions", "/workflows/care-review/executions"),
    Route(WORKFLOW + "/executions/<run_id>", "/workflows/care-review/executions/{run}"),
    Route(WORKFLOW + "/executions/<run_id>/retry", "/workflows/care-review/executions/{run}/retry", ("GET", "POST"), part="<form"),
    Route(WORKFLOW + "/incidents", "/workflows/care-review/incidents"),
    Route(
        WORKFLOW + "/incidents/<cause>/<any(retry, close):word>", "/workflows/care-review/incidents/none/retry", ("GET", "POST"), status=404
    ),
    Route(WORKFLOW + "/metrics", "/workflows/care-review/metrics"),
    Route(WORKFLOW + "/configuration", "/workflows/care-review/configuration", ("GET", "POST")),
    Route(WORKFLOW + "/due-time", "/workflows/care-review/due-time", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/alerts", "/workflows/care-review/alerts", ("POST",), status=403),
    Route(WORKFLOW + "/alerts/<alert_id>/remove", "/workflows/care-review/alerts/alr_none/remove", ("POST",), status=403),
    Route(WORKFLOW + "/enrolled", "/workflows/care-review/enrolled"),
    Route(WORKFLOW + "/enrolled/<lead_id>", "/workflows/care-review/enrolled/lead_unknown", ("GET", "POST"), status=404),
    Route(WORKFLOW + "/enrol", "/workflows/care-review/enrol", ("GET", "POST")),
    Route("/enrolments/<batch_id>", "/enrolments/enr_unknown", ("GET", "POST"), status=404),
    Route("/workflows/new", "/workflows/new", ("GET", "POST"), stan=403, status=403),
    *(
        Route(f"{WORKFLOW}/{do}", f"/workflows/care-review/{do}", ("GET", "POST"), status=403)
        for do in ("edit", "history", "publish", "move")
    ),
    Route(WORKFLOW + "/moves/<move_id>", "/workflows/care-review/moves/mov_none", status=403),
    Route(WORKFLOW + "/start", "/workflows/care-review/start", ("GET", "POST"), status=404),
    Route(WORKFLOW + "/triggers", "/workflows/care-review/triggers"),
    *(
        Route(f"{WORKFLOW}/triggers/<ident>/{do}", f"/workflows/care-review/triggers/none/{do}", ("POST",), status=403)
        for do in ("rotate", "secret", "switch")
    ),
    Route(RECORD + "/explorer", "/c/customer/1/explorer"),
    Route("/outbox", "/outbox", stan=403, status=403),
    Route("/outbox/<message_id>/outcome", "/outbox/msg_unknown/outcome", ("POST",), status=404),
    Route("/settings/me/absences", "/settings/me/absences", ("POST",), stan=422, status=422),
    Route("/settings/me/absences/<absence_id>/end", "/settings/me/absences/abs_none/end", ("POST",), status=404),
    Route("/settings/people/<person_id>/absences", "/settings/people/usr_none/absences", ("POST",), stan=403, status=403),
    Route(
        "/settings/people/<person_id>/absences/<absence_id>/end", "/settings/people/usr_none/absences/abs_none/end", ("POST",), status=404
    ),
    Route("/settings/webhooks", "/settings/webhooks", stan=403, status=403),
    Route("/settings/webhooks/new", "/settings/webhooks/new", ("GET", "POST"), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>", "/settings/webhooks/whk_none", stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>/change", "/settings/webhooks/whk_none/change", ("GET", "POST"), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>/switch", "/settings/webhooks/whk_none/switch", ("POST",), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>/test", "/settings/webhooks/whk_none/test", ("POST",), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>/secret", "/settings/webhooks/whk_none/secret", ("POST",), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>/remove", "/settings/webhooks/whk_none/remove", ("POST",), stan=403, status=403),
    Route(
        "/settings/webhooks/<webhook_id>/deliveries/<delivery_id>/redeliver",
        "/settings/webhooks/whk_none/deliveries/dlv_none/redeliver",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route("/settings/channels", "/settings/channels", stan=403, status=403),
    Route("/settings/channels/<kind>", "/settings/channels/email", ("POST",), stan=403, status=403),
    Route("/settings/channels/<kind>/test", "/settings/channels/email/test", ("POST",), stan=403, status=403),
]
Wrong = list[tuple[object, ...]]


@dataclass
class House:
    """The company with a run that Olivia holds at "Rate the risk", and a request of hers for approval."""

    pages: Pages
    run: str
    checked: str
    approval: str
    bulk: str
    file: str

    task: str
    question: str
    notice: str

    def all(self, method: str | None = None) -> list[tuple[Route, str]]:
        named = ("run", "checked", "approval", "bulk", "file", "task", "question", "notice")
        ids = {name: getattr(self, name) for name in named}
        return [(route, route.path.format(**ids)) for route in ROUTES if method is None or method in route.methods]

    def untouched(self) -> bool:
        told = self.pages.company.told(self.run)
        return (told["status"], told["current"]["step"], told["current"]["draft"]) == ("waiting_person", "rate", None)


@pytest.fixture(scope="module")
def template_house(companies: Companies) -> House:
    with companies.furnished("page_routes") as company:
        return furnished(Pages(company, web_app()))


@pytest.fixture
def house(companies: Companies, template_house: House) -> Iterator[House]:
    with companies.lent("page_routes") as company:
        yield replace(template_house, pages=Pages(company, web_app()))


def furnished(pages: Pages) -> House:
    """Something behind every route."""
    asking()
    _, approval = requested(pages.company, slug="asking", record="3")
    imported(RATE)
    olivia = pages.company.olivia
    rate = next(action for action in bulk.offered(olivia, "customer") if action.id == RATE["id"])
    chosen = bulk.chosen(olivia, "customer", rate, ["1"], None)
    many = bulk.begin(olivia, "customer", rate, chosen, {"risk": "low"})
    run = pages.company.at("rate")
    kept = files.put(subjects.subject_of("customer", "1"), pdf(), "a.pdf", ["pdf"], run=run, slot="paper", now=log.now())
    company = pages.company
    steps = [step("start", "start", "do"), step("do", "create_task", "ask", {"title": "Look", "assignee": "'olivia@fernwick.example'"}),
             step("ask", "human_input", "end", {"to": {"people": ["'olivia@fernwick.example'"]}, "question": "Right?"}), step("end", "end", None)]  # fmt: skip
    workflows.import_file(
        {"format": 1, "slug": "questioning", "title": "Asking", "collection": "customer", "team": "operations", "steps": steps},
        publish=True,
    )
    runs.start(company.mona, "questioning", "customer", "3", {})
    listed = [{"id": "people", "type": "collection", "collection": "customer"}]
    workspaces.create(company.ines, {"id": "desk", "title": "Desk", "teams": ["operations"], "components": listed})
    workspaces.publish(company.ines, "desk", 1)
    told = notices.notices_of(company.olivia)[0].id
    checked = workflow("checked", CHECKED)
    return House(
        pages,
        run,
        at_note(company, checked, "4"),
        approval,
        many,
        kept.id,
        tasks.tasks_of(company.olivia)[0].id,
        questions.open_for(company.olivia)[0].id,
        told,
    )


def ask(browser: Browser, path: str, method: str, **headers: str) -> TestResponse:
    return browser.client.open(path, method=method, data={"csrf_token": browser.token} if method != "GET" else None, headers=headers)


def whole(answer: TestResponse) -> bool:
    return answer.text.lstrip().startswith("<!DOCTYPE html>") and answer.text.count("<h1") == 1


def test_the_table_has_every_page(house: House) -> None:
    there = {
        (rule.rule, method)
        for rule in house.pages.app.url_map.iter_rules()
        if not rule.rule.startswith("/api/") and rule.rule not in NO_PAGES
        for method in (rule.methods or set()) & set(METHODS)
    }
    assert there == {(route.rule, method) for route in ROUTES for method in route.methods}


def test_without_a_session_every_page_leads_to_signing_in_and_back(house: House) -> None:
    stranger, wrong = house.pages.app.test_client(), Wrong()
    for route, path in house.all("GET"):
        answer = stranger.get(path)
        back = "" if path == "/" else path
        led = unquote(answer.headers.get("Location", ""))
        good = answer.status_code == 303 and led == ("/sign-in?next=" + back if back else "/sign-in") and "Customer" not in answer.text
        wrong += [] if good else [(route.rule, answer.status_code, led)]
        part = stranger.get(path, headers={"HX-Request": "true", "HX-Current-URL": f"{OURS}/c/customer?q=x"})
        good = part.status_code == 401 and part.headers["HX-Redirect"].startswith("/sign-in?next=/c/customer") and not part.data
        wrong += [] if good else [(route.rule, "htmx", part.status_code)]
    assert wrong == []


def test_without_a_session_no_form_does_anything(house: House) -> None:
    stranger, wrong = house.pages.app.test_client(), Wrong()
    token = re.search(r'csrf_token" value="([^"]+)', stranger.get("/sign-in").text)
    for route, path in house.all("POST"):
        for data in ({}, {"csrf_token": token[1] if token else ""}):
            answer = stranger.post(path, data=data, headers={"Origin": OURS})
            good = answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in") if data else answer.status_code == 403
            wrong += [] if good else [(route.rule, bool(data), answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_a_session_that_was_ended_is_none(house: House) -> None:
    olivia = house.pages.olivia
    cookie = olivia.client.get_cookie("console")
    olivia.post("/sign-out", {"csrf_token": olivia.token})
    assert cookie is not None
    olivia.client.set_cookie("console", cookie.value)
    assert {olivia.client.get(path).status_code for _, path in house.all("GET")} == {303}


def test_who_has_no_right_is_told_nothing_and_changes_nothing(house: House) -> None:
    stan, wrong = house.pages.stan, Wrong()
    for route, path in house.all():
        for method in route.methods:
            answer = ask(stan, path, method)
            leaks = any(word in answer.text for word in ("Adaeze", "adaeze", "Care review", "Rate the risk"))
            wrong += [] if answer.status_code == route.stan and not leaks else [(method, route.rule, answer.status_code, leaks)]
    assert wrong == []
    assert house.untouched()


def test_what_is_hidden_and_what_is_not_there_are_answered_alike(house: House) -> None:
    stan, wrong = house.pages.stan, Wrong()
    for route, path in house.all("GET"):
        if route.stan == 404:
            absent = path.replace("customer", "absent").replace(house.run, "run_absent")
            hidden, nothing = ask(stan, path, "GET"), ask(stan, absent, "GET")
            texts = [answer.text.replace(answer.headers["X-Request-Id"], "") for answer in (hidden, nothing)]
            wrong += [] if texts[0] == texts[1] and nothing.status_code == 404 else [(route.rule, nothing.status_code)]
    assert wrong == []


HERS = frozenset({"/notices/read", "/pins", "/search", "/c/customer/view"})
"""What is sent and changes nothing but how its sender sees things."""


def test_a_reviewer_looks_and_does_not_touch(house: House) -> None:
    rosa, wrong = house.pages.rosa, Wrong()
    for path in ("/c/customer", "/c/customer/1", "/c/customer/1/menu", f"/runs/{house.run}", f"/runs/{house.run}/replay"):
        page = rosa.get(path)
        forms = [form["action"] for form in page.forms if form["method"] == "post" and form["action"] not in HERS]
        wrong += [] if not forms and "/edit/" not in page.html and "/start/" not in page.html else [(path, forms)]
    for route, path in house.all("POST"):
        if path.partition("?")[0] in HERS:
            continue
        answer = ask(rosa, path, "POST")
        wrong += [] if answer.status_code in (403, 404, 409, 422) else [(route.rule, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_another_method_is_refused_and_the_right_ones_are_named(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    taken = house.pages.app.url_map.bind("localhost")
    for route, path in sampled(list(house.all())):
        for method in METHODS:
            if method not in route.methods and not taken.test(path.partition("?")[0], method):  # `/settings/keys/create` could be a key
                answer = ask(olivia, path, method)
                named = set(re.split(r",\s*", answer.headers.get("Allow", ""))) - {"HEAD", "OPTIONS"}
                good = answer.status_code == 405 and named >= set(route.methods) and method not in named and whole(answer)
                wrong += [] if good else [(method, route.rule, answer.status_code, named)]
    assert wrong == []
    assert house.untouched()


def test_a_form_without_the_token_does_nothing(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in sampled(list(house.all("POST"))):
        for data in ({}, {"csrf_token": ""}, {"csrf_token": "forged"}, {"csrf_token": house.pages.tom.token}):
            answer = olivia.client.post(path, data=data | {"revision": "1", "step": "rate", "reason": "x"})
            good = answer.status_code == 403 and "too old to send anything" in answer.text and whole(answer)
            wrong += [] if good else [(route.rule, data, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_a_form_from_another_site_does_nothing_though_it_knows_the_token(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in sampled(list(house.all("POST"))):
        for origin in FOREIGN:
            answer = ask(olivia, path, "POST", Origin=origin)
            wrong += [] if answer.status_code == 403 and "another site" in answer.text else [(route.rule, origin, answer.status_code)]
        for site in ("cross-site", "same-site"):
            answer = ask(olivia, path, "POST", **{"Sec-Fetch-Site": site, "Origin": OURS})
            wrong += [] if answer.status_code == 403 else [(route.rule, site, answer.status_code)]
    assert wrong == []
    assert house.untouched()


def test_the_token_may_travel_in_a_header(house: House) -> None:
    olivia = house.pages.olivia
    revision = str(house.pages.company.told(house.run)["revision"])
    answer = olivia.client.post(f"/runs/{house.run}/save", data={"revision": revision}, headers={"X-CSRFToken": olivia.token})
    assert answer.status_code == 303
    assert house.pages.company.told(house.run)["status"] == "saved"


def test_a_get_is_the_whole_page_and_htmx_gets_its_part(house: House) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in house.all("GET"):
        plain = ask(olivia, path, "GET")
        wrong += [] if plain.status_code == route.status and whole(plain) else [(route.rule, "plain", plain.status_code)]
        told = {"HX-Request": "true", "HX-Target": route.target}
        part = ask(olivia, path, "GET", **told)
        if route.status != 200:
            good = "<html" not in part.text and ("Nothing here" if route.status == 404 else "Not allowed") in part.text
        else:
            good = part.text.lstrip().startswith(route.part) and "<html" not in part.text if route.part else whole(part)
        wrong += [] if good and part.status_code == route.status else [(route.rule, "part", part.status_code, part.text[:80])]
        restored = ask(olivia, path, "GET", **told, **{"HX-History-Restore-Request": "true"})
        wrong += [] if whole(restored) else [(route.rule, "restored", restored.text[:80])]
        for answer in (plain, part, restored):
            kept = (
                answer.headers["Cache-Control"] == "no-store" and "HX-Request" in answer.headers["Vary"] and answer.mimetype == "text/html"
            )
            wrong += [] if kept else [(route.rule, dict(answer.headers))]
    assert wrong == []


def test_what_is_asked_for_with_head_is_answered_without_a_body(house: House) -> None:
    for route, path in sampled(list(house.all("GET"))):
        answer = house.pages.olivia.client.head(path)
        assert (answer.status_code, answer.data) == (route.status, b""), route.rule
    assert house.untouched()


def test_looking_with_head_starts_nothing_though_nothing_is_asked(house: House) -> None:
    silent = deepcopy(DOCUMENT) | {"slug": "silent-review", "title": "Silent review"}
    silent["steps"][0]["config"] = {}
    workflows.import_file(silent, publish=True)
    assert house.pages.olivia.client.head("/c/customer/2/start/silent-review").status_code == 200
    assert [head.workflow_title for head in runs.on_record(house.pages.company.olivia, "customer", "2")] == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"revision": ""},
        {"revision": "x"},
        {"revision": "-1"},
        {"revision": "9" * 40},
        {"revision": "1", "step": "\0"},
        {"step": "nothing"},
    ],
)
def test_forms_that_make_no_sense_are_refused_in_words(house: House, form: dict[str, str]) -> None:
    olivia, wrong = house.pages.olivia, Wrong()
    for route, path in house.all("POST"):
        if route.rule.startswith("/runs/") and route.status == 200:
            for headers in ({}, {"HX-Request": "true", "HX-Target": "run"}):
                answer = olivia.client.post(path, data=form | {"csrf_token": olivia.token}, headers=headers)
                good = answer.status_code in (400, 404, 409, 422) and answer.mimetype == "text/html" and "Traceback" not in answer.text
                wrong += [] if good else [(route.rule, headers, answer.status_code)]
    assert wrong == []
    assert house.untouched()


@pytest.mark.parametrize(
    "path", ["/c/customer/%00", "/c/%00", "/runs/%00", "/c/customer/" + "9" * 3000, "/c/customer/1/edit/%2e%2e", "/runs/run_%F0%9F%98%80", "/c/customer/1%0d%0aX-Evil:1",
             "/c/customer/1/related/%3Cscript%3E", "/c/customer/1/start/..%2f..", "/c//customer", "//evil.example/c", "/c/customer/"]
)  # fmt: skip
def test_odd_addresses_are_not_there(house: House, path: str) -> None:
    answer = house.pages.olivia.client.get(path)
    assert answer.status_code in (301, 303, 308, 400, 404), path
    assert "X-Evil" not in answer.headers
    assert "<script>" not in answer.text
    assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "\t//evil.example",
        "/%0d%0aX: 1",
        "data:x",
    ],
)
def test_no_form_leads_away_from_here(house: House, to: str) -> None:
    company, olivia = house.pages.company, house.pages.olivia
    page = olivia.get(f"/runs/{house.run}/leave", status=200)
    assert olivia.client.get(f"/runs/{house.run}/leave", query_string={"to": to}).status_code == 200
    olivia.post(f"/runs/{house.run}/save", page.form("/save")["fields"] | {"to": to})
    led = olivia.answer.headers["Location"]
    assert led.startswith("/")
    assert not led.startswith(("//", "/\\"))
    assert "\n" not in led
    runs.resume(company.olivia, house.run, revision=company.told(house.run)["revision"])
    olivia.post(
        f"/runs/{house.run}/abort",
        {"csrf_token": olivia.token, "revision": str(company.told(house.run)["revision"]), "reason": "x", "to": to},
    )
    assert olivia.answer.headers["Location"].startswith("/")
    assert "evil.example" not in olivia.answer.headers["Location"].split("?")[0].replace("/\\", "//")[:2]
