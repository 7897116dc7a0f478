"""The list of `sale` in Django admin, Flask-Admin, sqladmin and, of a SQLite file with the same rows, Datasette: 50 a page, all twelve columns.

Runs in an environment of its own (admin_lists.txt here), started by ../admin_lists.py with the database's URL. Each line on standard input names a product and
a page; the answer is a line with the median milliseconds of processor that a request takes of this process, in which there is no server.
"""

import asyncio
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session
from viewflow_tasks import database

TIMES, PAGE = 8, 50
COLUMNS = ("id", "customer", "email", "city", "status", "amount", "quantity", "paid", "sold_on", "created_at", "reference", "note")


class Base(DeclarativeBase):
    """What the two of SQLAlchemy are told."""


def by_django(url: str) -> Callable[[int], bytes]:
    """Django admin with its defaults."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        SECRET_KEY="for measuring only",
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="django_urls",
        STATIC_URL="/static/",
        DATABASES={"default": database(url)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions", "messages")],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        f"django.{name}" for name in ("template.context_processors.request", "contrib.auth.context_processors.auth", "contrib.messages.context_processors.messages")
                    ]
                },
            }
        ],
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.db import models
    from django.test import Client
    from django.urls import path

    kinds = {"amount": models.DecimalField(max_digits=12, decimal_places=2), "quantity": models.IntegerField(), "paid": models.BooleanField()}
    kinds |= {"id": models.BigIntegerField(primary_key=True), "sold_on": models.DateField(), "created_at": models.DateTimeField(), "reference": models.UUIDField()}
    meta = type("Meta", (), {"app_label": "auth", "db_table": "sale", "managed": False})
    fields = {name: kinds.get(name) or models.TextField(null=True) for name in COLUMNS}
    sale = type("Sale", (models.Model,), {"__module__": __name__, "Meta": meta, **fields})
    admin.site.register(sale, type("SaleAdmin", (admin.ModelAdmin,), {"list_display": COLUMNS, "list_per_page": PAGE, "ordering": ("id",)}))
    sys.modules["django_urls"] = type(sys)("django_urls")
    sys.modules["django_urls"].urlpatterns = [path("admin/", admin.site.urls)]  # type: ignore[attr-defined]
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return lambda page: client.get(f"/admin/auth/sale/?p={page}").content


def by_flask_admin(engine: sa.Engine, model: Any) -> Callable[[int], bytes]:
    """Flask-Admin."""
    from flask import Flask
    from flask_admin import Admin
    from flask_admin.contrib.sqla import ModelView

    app = Flask("peer")
    app.secret_key = "for measuring only"
    view = type("SaleView", (ModelView,), {"column_list": COLUMNS, "column_default_sort": "id", "page_size": PAGE})
    Admin(app).add_view(view(model, Session(engine), endpoint="sale", url="/sale"))
    client = app.test_client()
    return lambda page: client.get(f"/sale/?page={page - 1}").data


def by_sqladmin(engine: sa.Engine, model: Any) -> Callable[[int], bytes]:
    """sqladmin."""
    from sqladmin import Admin, ModelView
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    app = Starlette()
    shown = {"column_list": [getattr(model, name) for name in COLUMNS], "page_size": PAGE, "page_size_options": [PAGE]}
    admin = Admin(app, engine)
    admin.add_view(type(ModelView)("SaleAdmin", (ModelView,), shown, model=model))
    client = TestClient(app)
    client.__enter__()
    return lambda page: client.get(f"/admin/sale/list?page={page}&pageSize={PAGE}").content


def by_datasette(url: str) -> Callable[[int], bytes]:
    """Datasette over a SQLite file, which pages by keyset as we do."""
    from datasette.app import Datasette

    with sqlite3.connect("sale.db") as made, psycopg.connect(url) as connection, connection.cursor("rows") as rows:
        made.execute(f"create table sale (id integer primary key, {', '.join(COLUMNS[1:])})")
        rows.itersize = 20_000
        rows.execute(f"select {', '.join(name if name in ('id', 'quantity') else name + '::text' for name in COLUMNS)} from sale order by id")
        made.executemany(f"insert into sale values ({', '.join('?' * len(COLUMNS))})", rows)
    shown = Datasette(["sale.db"], settings={"default_page_size": PAGE})
    loop = asyncio.new_event_loop()
    return lambda page: loop.run_until_complete(shown.client.get(f"/sale/sale?_size={PAGE}&_next={(page - 1) * PAGE}")).content


def main(url: str) -> None:
    """Answer each line."""
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    types = {"id": sa.BigInteger(), "amount": sa.Numeric(12, 2), "quantity": sa.Integer(), "paid": sa.Boolean(), "sold_on": sa.Date(), "reference": sa.Uuid()}
    columns = {name: sa.Column(types.get(name) or (sa.DateTime(timezone=True) if name == "created_at" else sa.Text()), primary_key=name == "id") for name in COLUMNS}
    model = type("Sale", (Base,), {"__tablename__": "sale", **columns})
    asked = {"sqladmin": by_sqladmin(engine, model), "flask-admin": by_flask_admin(engine, model), "django": by_django(url), "datasette": by_datasette(url)}
    print("ready", *asked, flush=True)
    for line in sys.stdin:
        name, page = line.split()
        times = []
        for _ in range(TIMES):
            begin = time.process_time()
            shown = asked[name](int(page))
            times.append((time.process_time() - begin) * 1000)
            assert str((int(page) - 1) * PAGE + 2).encode() in shown, f"{name} shows another page: {shown[:300]!r}"
        print(statistics.median(times), flush=True)


main(sys.argv[1])
