"""The page that a developer would write instead: Flask, Flask-Login, Flask-WTF and SQLAlchemy, served by granian as ours is.

One POST does what a completed step does with us: the session is read and judged, the token of the form checked, the right looked up, the run locked and its
revision compared, the form validated, what was typed kept under a key of its own (AES-256-GCM), two events written that are chained by hash, the attempt
closed and the next one opened, all in one transaction; then the panel of the run is drawn anew from the database: the way taken, the form, what was typed
before, the last events. Nothing else is there: no scopes, no workflow that can be changed, no replay, no idempotency, no proposals.
"""

import hashlib
import json
import os
import secrets
from datetime import UTC, datetime
from typing import Any

import flask
import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask_login import LoginManager, UserMixin, current_user, login_required
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

KEY = hashlib.sha256(b"a key of the subject").digest()
STEPS = ("one", "two")
PANEL = """<section id="runner"><ol>{% for attempt in attempts %}<li class="{{ attempt.status }}"><b>{{ attempt.step }}</b> {{ attempt.status }}
<time datetime="{{ attempt.entered_at.isoformat() }}">{{ attempt.entered_at.strftime('%d %b %H:%M') }}</time> {{ people.get(attempt.by, '') }}</li>{% endfor %}</ol>
<form method="post" action="/runs/{{ run.id }}/complete" hx-post="/runs/{{ run.id }}/complete" hx-target="#runner"><h2>{{ run.step }}</h2>
<input type="hidden" name="csrf_token" value="{{ token }}"><input type="hidden" name="step" value="{{ run.step }}"><input type="hidden" name="revision" value="{{ run.revision }}">
{% for name, label, value in fields %}<label for="f-{{ name }}">{{ label }}</label><input id="f-{{ name }}" name="v.{{ name }}" value="{{ value }}" aria-describedby="h-{{ name }}">
<p id="h-{{ name }}">{{ label }} of this step</p>{% endfor %}<button type="submit">Done</button><button name="save" type="submit">Save</button></form>
<dl>{% for name, value in context.items() %}<dt>{{ name }}</dt><dd>{{ value }}</dd>{% endfor %}</dl>
<ul>{% for event in events %}<li>{{ event.kind }} {{ event.at.strftime('%d %b %H:%M:%S') }} {{ people.get(event.actor, '') }}</li>{% endfor %}</ul></section>"""


class Base(DeclarativeBase):
    """Tables of the page."""


class Person(UserMixin, Base):  # type: ignore[misc]
    """Who signs in."""

    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]


class SignIn(Base):
    """A session, known by the hash of its token."""

    __tablename__ = "sign_in"
    token: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[int]
    seen_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Right(Base):
    """What a role may do."""

    __tablename__ = "allowed"
    role: Mapped[str] = mapped_column(primary_key=True)
    object: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str] = mapped_column(primary_key=True)


class Run(Base):
    """One pass."""

    __tablename__ = "run"
    id: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[str]
    step: Mapped[str]
    holder: Mapped[int]
    revision: Mapped[int]
    seq: Mapped[int]
    head: Mapped[str]
    updated_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


class Attempt(Base):
    """A step that was entered."""

    __tablename__ = "attempt"
    run: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str]
    status: Mapped[str]
    by: Mapped[int | None]
    entered_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    typed: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)


class Event(Base):
    """What happened, chained by hash, with the values beside it."""

    __tablename__ = "event"
    run: Mapped[int] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    actor: Mapped[int]
    at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))
    body: Mapped[bytes]
    leaf: Mapped[str]
    sealed: Mapped[bytes | None]


def engine() -> sa.Engine:
    """The database of the page."""
    return sa.create_engine(os.environ["PEER_URL"], pool_size=4)


def fill(runs: int) -> tuple[str, list[int]]:
    """Tables, one person with a session, so many runs at their first step; (the session's token, ids of the runs)."""
    made, token, now = engine(), secrets.token_urlsafe(32), datetime.now(UTC)
    Base.metadata.create_all(made)
    with Session(made) as session:
        session.add_all([
            Person(id=1, name="Olivia Kask", role="operator"),
            SignIn(token=hashlib.sha256(token.encode()).hexdigest(), person=1, seen_at=now),
            Right(role="operator", object="workflow:bench", act="complete"),
        ])
        session.add_all(Run(id=one, status="waiting_person", step="one", holder=1, revision=0, seq=0, head="", updated_at=now) for one in range(1, runs + 1))
        session.add_all(Attempt(run=one, n=1, step="one", status="open", by=None, entered_at=now, typed=None) for one in range(1, runs + 1))
        session.commit()
    made.dispose()
    return token, list(range(1, runs + 1))


def create_app() -> flask.Flask:
    """The application of a web worker."""
    app = flask.Flask("flask_step")
    app.config.update(SECRET_KEY=os.environ["PEER_SECRET"], WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False)
    CSRFProtect(app)
    logins, made, panel = LoginManager(app), engine(), app.jinja_env.from_string(PANEL)

    @logins.user_loader  # type: ignore[untyped-decorator]
    def load(token: str) -> Person | None:
        found = hashlib.sha256(token.encode()).hexdigest()
        person: Person | None = flask.g.session.scalar(sa.select(Person).join(SignIn, SignIn.person == Person.id).where(SignIn.token == found))
        return person

    @app.before_request
    def opened() -> None:
        flask.g.session = Session(made)

    @app.teardown_request
    def closed(_error: BaseException | None) -> None:
        flask.g.session.close()

    @app.get("/enter/<token>")
    def enter(token: str) -> str:
        flask.session["_user_id"], flask.session["_fresh"] = token, True
        return str(generate_csrf())

    @app.post("/runs/<int:run_id>/complete")
    @login_required  # type: ignore[untyped-decorator]
    def complete(run_id: int) -> str:
        session: Session = flask.g.session
        if session.get(Right, (current_user.role, "workflow:bench", "complete")) is None:
            flask.abort(403)
        run = session.get(Run, run_id, with_for_update=True)
        if run is None or run.holder != current_user.id:
            flask.abort(404)
        told = flask.request.form
        if str(run.revision) != told["revision"] or run.step != told["step"]:
            flask.abort(409)
        typed = {"note": told["v.note"].strip(), "level": int(told["v.level"])}
        if not typed["note"] or len(typed["note"]) > 1000 or not 0 <= typed["level"] <= 10:
            flask.abort(422)
        now, following = datetime.now(UTC), STEPS[run.step == "one"]
        attempt = session.scalars(sa.select(Attempt).where(Attempt.run == run_id).order_by(Attempt.n.desc()).limit(1)).one()
        attempt.status, attempt.by, attempt.typed = "done", current_user.id, typed
        session.add(Attempt(run=run_id, n=attempt.n + 1, step=following, status="open", by=None, entered_at=now, typed=None))
        for kind, values in (("step_completed", typed), ("step_entered", None)):
            write(session, run, kind, current_user.id, now, values)
        run.step, run.revision, run.updated_at = following, run.revision + 1, now
        session.commit()
        attempts = session.scalars(sa.select(Attempt).where(Attempt.run == run_id).order_by(Attempt.n.desc()).limit(100)).all()
        events = session.scalars(sa.select(Event).where(Event.run == run_id).order_by(Event.seq.desc()).limit(15)).all()
        context = {each.step: each.typed for each in reversed(attempts) if each.typed}
        people = {person.id: person.name for person in session.scalars(sa.select(Person).where(Person.id.in_({event.actor for event in events})))}
        fields = [(name, name.title(), "") for name in ("note", "level")]
        return panel.render(run=run, attempts=attempts, events=events, context=context, people=people, fields=fields, token=generate_csrf())

    return app


def write(session: Session, run: Run, kind: str, actor: int, now: datetime, values: dict[str, Any] | None) -> None:
    """One event of the chain."""
    run.seq += 1
    salts = {name: secrets.token_hex(16) for name in values or {}}
    marks = {name: hashlib.sha256(bytes.fromhex(salts[name]) + json.dumps(value).encode()).hexdigest() for name, value in (values or {}).items()}
    body = json.dumps({"run": run.id, "seq": run.seq, "kind": kind, "actor": actor, "at": now.isoformat(), "prev": run.head, "sealed": marks}, sort_keys=True).encode()
    run.head = hashlib.sha256(b"\0" + body).hexdigest()
    nonce = secrets.token_bytes(12)
    sealed = nonce + AESGCM(KEY).encrypt(nonce, json.dumps({"salts": salts, "values": values}).encode(), run.head.encode()) if values else None
    session.add(Event(run=run.id, seq=run.seq, kind=kind, actor=actor, at=now, body=body, leaf=run.head, sealed=sealed))


def serve(port: int, workers: int) -> None:
    """Granian as the console has it."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian("peers.flask_step:create_app", factory=True, address="127.0.0.1", port=port, interface=Interfaces.WSGI, workers=workers, blocking_threads=4, log_enabled=False).serve()
