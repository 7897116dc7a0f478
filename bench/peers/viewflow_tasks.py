"""Completes user tasks of a flow in viewflow, as its own task view does in a POST: lock, load, judge, keep what was typed, go on.

Runs in an environment of its own (viewflow.txt here), started by ../viewflow.py with the database's URL. Each line on standard
input is a number of seconds; the answer is a line with the tasks completed a second in them. Ends with its input.
"""

import sys
import time
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings
from django.core.management import call_command

NOTE = "what was typed into the form of this step"


def database(url: str) -> dict[str, object]:
    """Django's settings for a PostgreSQL URL whose socket folder stands in `?host=`."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": query.get("port", [str(parts.port or "")])[0],
        "CONN_MAX_AGE": None,
        "OPTIONS": {"server_side_binding": True},
    }


def configure(url: str) -> None:
    """Django with what viewflow needs, and its tables."""
    settings.configure(
        SECRET_KEY="for measuring only",
        USE_TZ=True,
        DATABASES={"default": database(url)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "viewflow",
            "viewflow.workflow",
            "rounds",
        ],
    )
    django.setup()
    call_command("migrate", verbosity=0)


class Rounds:
    """One process of the flow; its open task is completed again and again."""

    def __init__(self) -> None:
        from django import forms
        from django.contrib.auth.models import User
        from rounds.flows import Round
        from viewflow.workflow.models import Task

        class Form(forms.Form):
            note = forms.CharField(max_length=2000)
            level = forms.IntegerField()

        self.form, self.flow, self.tasks, self.users = Form, Round, Task, User
        self.user = User.objects.create(username="olivia")
        self.process = Round.start.run().pk

    def complete(self) -> None:
        """The open task: what `viewflow.workflow.flow.utils.wrap_view` and `UpdateProcessView` do, without the HTTP around them."""
        from django.db import transaction
        from django.shortcuts import get_object_or_404

        open_task = self.tasks.objects.filter(process_id=self.process, finished__isnull=True).values_list("pk", flat=True)[0]
        user = self.users.objects.get(pk=self.user.pk)
        with self.flow.lock(self.process), transaction.atomic():
            task = get_object_or_404(self.flow.task_class, pk=open_task)
            activation = task.flow_task.activation_class(task)
            if not task.flow_task.can_execute(user, task=task):
                raise PermissionError
            activation.start(None)
            form = self.form({"note": NOTE, "level": "3"})
            if not form.is_valid():
                raise ValueError(form.errors)
            activation.process.data = {**(activation.process.data or {}), task.flow_task.name: form.cleaned_data}
            activation.process.save()
            activation.execute()


def main() -> None:
    """Answer each line until there is none."""
    configure(sys.argv[1])
    rounds = Rounds()
    for _ in range(50):
        rounds.complete()
    print("ready", django.get_version(), flush=True)
    for line in sys.stdin:
        seconds, done, begin = float(line), 0, time.perf_counter()
        while (passed := time.perf_counter() - begin) < seconds:
            rounds.complete()
            done += 1
        print(done / passed, flush=True)


if __name__ == "__main__":
    main()
