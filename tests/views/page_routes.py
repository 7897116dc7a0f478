"""Every HTML route, with what two people are answered: Olivia, who may see it, and Stan, who may not."""

from dataclasses import dataclass

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
        "/sign-in/oidc/connect",
        "/sign-in/oidc/connect/confirm",
        "/sign-in/oidc/backchannel-logout",
    ),
}
"""What people do to their own account, and the ways in: tests/views/test_me_pages.py, test_second_factor.py, test_oidc.py, test_identities.py and test_demo_sign_in.py."""

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
    "/mcp",
    "/channels/<kind>/<provider>/<token>",
    "/metrics",
    "/request/<token>",
    "/request/<token>/files",
    "/runs/<run_id>/case-file",
    "/runs/<run_id>/proposal",
    "/schema/<name>.json",
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
RECORD, RUN, INBOX = "/c/<collection>/<part>", "/runs/<run_id>", "/inbox/<name>"
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
        for do in ("password-link", "reset-factor", "end-sessions", "disconnect", "replace-identity")
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
    Route("/w/<slug>/preview/<part>", "/w/desk/preview/people", stan=403, status=403),
    Route("/w/<slug>/changes", "/w/desk/changes", ("GET", "POST"), stan=403, status=403),
    Route("/w/<slug>/versions", "/w/desk/versions", ("GET", "POST"), stan=403, status=403),
    Route("/settings/collections", "/settings/collections", stan=403, status=403),
    Route(SHAPE, "/settings/collections/customer", ("GET", "POST"), stan=403, status=403),
    Route(SHAPE + "/preview", "/settings/collections/customer/preview", ("POST",), stan=403, status=403),
    Route(
        SHAPE + "/layout/<part>",
        "/settings/collections/customer/layout/list",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/segments", "/settings/collections/customer/segments", ("GET", "POST"), stan=403, status=403
    ),
    Route(
        SHAPE + "/new-segment",
        "/settings/collections/customer/new-segment",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/segments/<segment>",
        "/settings/collections/customer/segments/vip",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/contacts", "/settings/collections/customer/contacts", ("GET", "POST"), stan=403, status=403
    ),
    Route(SHAPE + "/relations", "/settings/collections/customer/relations", stan=403, status=403),
    Route(
        SHAPE + "/new-relation",
        "/settings/collections/customer/new-relation",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/relations/<name>",
        "/settings/collections/customer/relations/account",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(SHAPE + "/merge", "/settings/collections/customer/merge", ("POST",), stan=403, status=403),
    Route(
        SHAPE + "/fields/<path:name>",
        "/settings/collections/customer/fields/email",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/new-field",
        "/settings/collections/customer/new-field",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        SHAPE + "/changes", "/settings/collections/customer/changes", ("GET", "POST"), stan=403, status=403
    ),
    Route(
        SHAPE + "/versions", "/settings/collections/customer/versions", ("GET", "POST"), stan=403, status=403
    ),
    Route(
        SHAPE + "/document", "/settings/collections/customer/document", ("GET", "POST"), stan=403, status=403
    ),
    Route(SHAPE + "/document.json", "/settings/collections/customer/document.json", stan=403, status=403),
    Route(ROLES, "/settings/roles", ("GET", "POST"), stan=403, status=403),
    Route(ROLES + "/<role>", "/settings/roles/operator", stan=403, status=403),
    Route(
        ROLES + "/requests/<request_id>",
        "/settings/roles/requests/rrq_1",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(ROLES + "/<role>/title", "/settings/roles/operator/title", ("POST",), stan=403, status=403),
    Route(ROLES + "/<role>/delete", "/settings/roles/operator/delete", ("POST",), stan=403, status=403),
    Route(
        ROLES + "/<role>/on",
        "/settings/roles/operator/on?object=collection:customer",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        ROLES + "/<role>/check",
        "/settings/roles/operator/check?object=collection:customer",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(ROLES + "/draft", "/settings/roles/draft", ("GET", "POST"), stan=403, status=403),
    Route(ROLES + "/draft/discard", "/settings/roles/draft/discard", ("POST",), stan=403, status=403),
    Route(ROLES + "/versions", "/settings/roles/versions", stan=403, status=403),
    Route(
        ROLES + "/versions/<int:number>/undo",
        "/settings/roles/versions/1/undo",
        ("POST",),
        stan=403,
        status=403,
    ),
    *(
        Route(
            rule,
            rule.replace("<person_id>", "usr_x")
            .replace("<invitation_id>", "inv_x")
            .replace("<team_id>", "operations"),
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
    Route(
        "/settings/sources/new/<connecting_id>",
        "/settings/sources/new/con_unknown",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route("/settings/sources/book", "/settings/sources/book", ("GET", "POST"), stan=403, status=403),
    Route("/settings/sources/connect", "/settings/sources/connect", ("POST",), stan=403, status=403),
    Route("/settings/sources/<name>/connected", "/settings/sources/company/connected", stan=403, status=403),
    Route(
        "/settings/sources/<name>/relations",
        "/settings/sources/company/relations",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route("/settings/sources/<name>/indexes", "/settings/sources/company/indexes", stan=403, status=403),
    Route(
        "/settings/sources/<name>/first", "/settings/sources/company/first", ("POST",), stan=403, status=403
    ),
    Route("/settings/sources/<name>", "/settings/sources/company", stan=403, status=403),
    Route("/settings/sources/<name>/test", "/settings/sources/company/test", ("POST",), stan=403, status=403),
    Route(
        "/settings/sources/<name>/<any(pause, resume):word>",
        "/settings/sources/company/pause",
        ("POST",),
        stan=403,
        status=403,
    ),
    *(
        Route(
            f"/settings/sources/<name>/{part}",
            f"/settings/sources/company/{part}",
            ("GET", "POST"),
            stan=403,
            status=403,
        )
        for part in ("address", "limits", "tables", "again", "remove")
    ),
    Route(
        "/search", "/search?q=okonkwo", ("GET", "POST"), stan=200, part='<div class="hits-of"', target="found"
    ),
    Route("/pick", "/pick", ("POST",)),
    Route("/more", "/more", stan=200),
    Route("/pins", "/pins", ("POST",)),
    Route("/work", "/work", stan=200),
    Route("/work/views", "/work/views", ("POST",), stan=422, status=422),
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
    Route("/import/c/<collection>", "/import/c/customer", ("GET", "POST"), status=403),
    Route("/imports/<import_id>", "/imports/imp_unknown", ("GET", "POST"), status=404),
    Route("/imports/<import_id>/refused", "/imports/imp_unknown/refused", status=404),
    Route(
        "/board/c/<collection>",
        "/board/c/customer",
        ("GET", "POST"),
        part='<div class="board"',
        target="board",
    ),
    Route("/export/c/<collection>", "/export/c/customer", ("POST",), status=403),
    Route("/exports/<export_id>", "/exports/exp_unknown", ("GET", "POST"), status=404),
    Route("/exports/<export_id>/again", "/exports/exp_unknown/again", ("POST",), status=404),
    Route("/exports/<export_id>/file", "/exports/exp_unknown/file", status=404),
    Route(RECORD, "/c/customer/1"),
    Route(RECORD + "/menu", "/c/customer/1/menu", part='<div class="items"'),
    Route("/new/c/<collection>", "/new/c/customer", ("GET", "POST"), status=403),
    Route(RECORD + "/edit", "/c/customer/1/edit", ("GET", "POST")),
    Route(RECORD + "/delete", "/c/customer/1/delete", ("GET", "POST"), status=403),
    Route(RECORD + "/notes", "/c/customer/1/notes", ("GET", "POST"), part='<section class="sect notes"'),
    Route(RECORD + "/notes/people", "/c/customer/1/notes/people?q=m", part='<li role="option"'),
    Route(RECORD + "/tags", "/c/customer/1/tags", ("GET", "POST"), part='<section class="sect tags"'),
    Route(RECORD + "/reaching", "/c/customer/1/reaching", ("GET", "POST"), status=404),
    Route(RECORD + "/write", "/c/customer/1/write", ("GET", "POST"), status=404),
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
    Route("/bulk/<bulk_id>", "/bulk/{bulk}", ("GET", "POST"), part="<title>"),
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
    Route(RUN + "/<any(abort, cancel):act>", "/runs/{run}/abort", ("GET", "POST"), part="<form"),
    Route(RUN + "/escalate", "/runs/{run}/escalate", ("GET", "POST"), part="<form"),
    Route(RUN + "/assign", "/runs/{run}/assign", ("GET", "POST"), status=403),
    Route(RUN + "/leave", "/runs/{run}/leave", part="<form"),
    Route(RUN + "/revise", "/runs/{run}/revise?step=note", ("GET", "POST"), part="<form"),
    Route(RUN + "/replay", "/runs/{run}/replay", part="<title>", target="replay"),
    Route(RUN + "/propose", "/runs/{run}/propose", ("POST",)),
    Route(RUN + "/suggestion", "/runs/{run}/suggestion", ("POST",)),
    Route(RUN + "/supply", "/runs/{run}/supply?step=note", ("GET", "POST"), status=404),
    Route(
        RUN + "/checks",
        "/runs/{checked}/checks",
        part='<link rel="stylesheet" href="/static/css/checks',
        target="checks",
    ),
    Route(RUN + "/picture", "/runs/{run}/picture", part="<title>", target="replay"),
    *(
        Route(f"/reports{part}", f"/reports{part.replace('<name>', 'runs-by-workflow')}", status=404)
        for part in ("", "/<name>", "/<name>.csv", "/<name>.pdf")
    ),
    Route("/workflows", "/workflows", stan=200),
    Route("/ai", "/ai", stan=403, status=403),
    Route("/ai/table.csv", "/ai/table.csv", stan=403, status=403),
    Route("/ai/cases", "/ai/cases", stan=403, status=403),
    Route("/ai/ladder/<slug>/<step>", "/ai/ladder/care-review/note", stan=404, status=404),
    Route(
        "/ai/ladder/<slug>/<step>/<any(promote, back):word>",
        "/ai/ladder/care-review/note/back",
        ("POST",),
        stan=404,
        status=404,
    ),
    Route("/workflows/lately", "/workflows/lately", stan=200),
    Route(WORKFLOW, "/workflows/care-review"),
    Route(WORKFLOW + "/whose", "/workflows/care-review/whose", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/duplicate", "/workflows/care-review/duplicate", ("POST",), status=403),
    Route(WORKFLOW + "/firings", "/workflows/care-review/firings"),
    Route(WORKFLOW + "/switch", "/workflows/care-review/switch?to=paused", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/executions", "/workflows/care-review/executions"),
    Route(WORKFLOW + "/executions/<run_id>", "/workflows/care-review/executions/{run}"),
    Route(
        WORKFLOW + "/executions/<run_id>/retry",
        "/workflows/care-review/executions/{run}/retry",
        ("GET", "POST"),
        part="<form",
    ),
    Route(WORKFLOW + "/incidents", "/workflows/care-review/incidents"),
    Route(
        WORKFLOW + "/incidents/<cause>/<any(retry, close, answer):word>",
        "/workflows/care-review/incidents/none/retry",
        ("GET", "POST"),
        status=404,
    ),
    Route(WORKFLOW + "/metrics", "/workflows/care-review/metrics"),
    Route(WORKFLOW + "/configuration", "/workflows/care-review/configuration", ("GET", "POST")),
    Route(WORKFLOW + "/due-time", "/workflows/care-review/due-time", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/variables", "/workflows/care-review/variables", ("POST",), status=403),
    Route(WORKFLOW + "/alerts", "/workflows/care-review/alerts", ("POST",), status=403),
    Route(WORKFLOW + "/alerts/<alert_id>", "/workflows/care-review/alerts/alr_none", ("POST",), status=403),
    Route(
        WORKFLOW + "/alerts/<alert_id>/remove",
        "/workflows/care-review/alerts/alr_none/remove",
        ("POST",),
        status=403,
    ),
    Route(WORKFLOW + "/enrolled", "/workflows/care-review/enrolled"),
    Route(
        WORKFLOW + "/enrolled/<lead_id>",
        "/workflows/care-review/enrolled/lead_unknown",
        ("GET", "POST"),
        status=404,
    ),
    Route(WORKFLOW + "/enrol", "/workflows/care-review/enrol", ("GET", "POST")),
    Route(WORKFLOW + "/take-out", "/workflows/care-review/take-out", ("GET", "POST"), status=403),
    Route(
        WORKFLOW + "/taken-out/<act_id>",
        "/workflows/care-review/taken-out/out_unknown",
        ("GET", "POST"),
        status=403,
    ),
    Route("/enrolments/<batch_id>", "/enrolments/enr_unknown", ("GET", "POST"), status=404),
    Route("/workflows/new", "/workflows/new", ("GET", "POST"), stan=403, status=403),
    *(
        Route(f"{WORKFLOW}/{do}", f"/workflows/care-review/{do}", ("GET", "POST"), status=403)
        for do in ("ask", "edit", "edit/example", "history", "publish", "move", "schedule", "test")
    ),
    Route(WORKFLOW + "/filled/<trigger>", "/workflows/care-review/filled/none", ("GET", "POST"), status=403),
    Route(WORKFLOW + "/ask/<turn_id>/state", "/workflows/care-review/ask/bld_none/state", status=403),
    Route(WORKFLOW + "/test/past", "/workflows/care-review/test/past", status=403),
    Route(WORKFLOW + "/test/contacts", "/workflows/care-review/test/contacts", status=403),
    Route(WORKFLOW + "/moves/<move_id>", "/workflows/care-review/moves/mov_none", status=403),
    Route(WORKFLOW + "/start", "/workflows/care-review/start", ("GET", "POST"), status=404),
    Route(WORKFLOW + "/triggers", "/workflows/care-review/triggers"),
    *(
        Route(
            f"{WORKFLOW}/triggers/<ident>/{do}",
            f"/workflows/care-review/triggers/none/{do}",
            ("POST",),
            status=403,
        )
        for do in ("again", "rotate", "secret", "switch")
    ),
    Route(RECORD + "/explorer", "/c/customer/1/explorer"),
    Route("/outbox", "/outbox", stan=403, status=403),
    Route("/outbox/strangers", "/outbox/strangers", ("POST",), stan=403, status=403),
    Route("/outbox/<message_id>/outcome", "/outbox/msg_unknown/outcome", ("POST",), status=404),
    Route("/outbox/<message_id>/answer", "/outbox/msg_unknown/answer", ("POST",), status=404),
    Route("/settings/me/absences", "/settings/me/absences", ("POST",), stan=422, status=422),
    Route(
        "/settings/me/absences/<absence_id>/end", "/settings/me/absences/abs_none/end", ("POST",), status=404
    ),
    Route(
        "/settings/people/<person_id>/absences",
        "/settings/people/usr_none/absences",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/people/<person_id>/absences/<absence_id>/end",
        "/settings/people/usr_none/absences/abs_none/end",
        ("POST",),
        status=404,
    ),
    Route("/settings/secrets", "/settings/secrets", ("GET", "POST"), stan=403, status=403),
    Route(
        "/settings/secrets/<name>/remove", "/settings/secrets/none/remove", ("POST",), stan=403, status=403
    ),
    Route("/settings/webhooks", "/settings/webhooks", stan=403, status=403),
    Route("/settings/webhooks/new", "/settings/webhooks/new", ("GET", "POST"), stan=403, status=403),
    Route("/settings/webhooks/<webhook_id>", "/settings/webhooks/whk_none", stan=403, status=403),
    Route(
        "/settings/webhooks/<webhook_id>/change",
        "/settings/webhooks/whk_none/change",
        ("GET", "POST"),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/webhooks/<webhook_id>/switch",
        "/settings/webhooks/whk_none/switch",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/webhooks/<webhook_id>/test",
        "/settings/webhooks/whk_none/test",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/webhooks/<webhook_id>/secret",
        "/settings/webhooks/whk_none/secret",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/webhooks/<webhook_id>/remove",
        "/settings/webhooks/whk_none/remove",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route(
        "/settings/webhooks/<webhook_id>/deliveries/<delivery_id>/redeliver",
        "/settings/webhooks/whk_none/deliveries/dlv_none/redeliver",
        ("POST",),
        stan=403,
        status=403,
    ),
    Route("/settings/channels", "/settings/channels", stan=403, status=403),
    Route("/settings/channels/<kind>", "/settings/channels/email", ("POST",), stan=403, status=403),
    Route(
        "/settings/channels/sms/gateway", "/settings/channels/sms/gateway", ("POST",), stan=403, status=403
    ),
    Route("/settings/channels/<kind>/test", "/settings/channels/email/test", ("POST",), stan=403, status=403),
    Route("/settings/hours", "/settings/hours", ("GET", "POST"), stan=403, status=403),
    Route("/settings/hours/leads", "/settings/hours/leads", ("POST",), stan=403, status=403),
]
