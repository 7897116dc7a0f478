"""A run that goes round for ever, for the measurements that complete steps: viewflow.py and long_run.py.

One step is `runs.complete` of a form of two fields: rights judged, two chained events with sealed values, run and attempt rows, context, one commit.
"""

STEPS = [
    {"id": "start", "type": "start", "title": "Start", "config": {}, "next": {"default": "one"}},
    *(
        {
            "id": name,
            "type": "update_data",
            "title": name,
            "config": {
                "form": [
                    {"name": "note", "label": "Note", "type": "text"},
                    {"name": "level", "label": "Level", "type": "integer"},
                ]
            },
            "next": {"default": other},
        }
        for name, other in (("one", "two"), ("two", "one"))
    ),
]
DOCUMENT = {
    "format": 1,
    "slug": "bench",
    "title": "Bench",
    "collection": None,
    "team": "operations",
    "settings": {"visit_limit": 100000},
    "steps": STEPS,
}


def prepare() -> str:
    """A person who may work, and a workflow that goes round for ever (no check would publish it); answers the person's id."""
    import orjson
    import sqlalchemy as sa

    from console.auth import access, accounts
    from console.core.documents.workflow import read
    from console.infra.db import tables, transaction

    person = accounts.create_person("olivia@fernwick.example", role="operator", team="operations").person
    for act in ("see", "start", "resume"):
        access.grant("operator", "workflow:bench", [act])
    document = read(DOCUMENT)
    with transaction() as connection:
        connection.execute(
            sa.insert(tables.workflow).values(
                id="wf_bench", slug="bench", title="Bench", status="active", team="operations", live_version=1
            )
        )
        values = {
            "workflow": "wf_bench",
            "number": 1,
            "document": orjson.dumps(DOCUMENT),
            "hash": document.hash,
            "published_by": person.id,
        }
        connection.execute(sa.insert(tables.workflow_version).values(**values))
    return person.id


class Walker:
    """Completes the steps of one run, one after another."""

    def __init__(self, person: str) -> None:
        from console import runs
        from console.auth import accounts

        self.runs = runs
        self.actor = accounts.actor_of_person(person, "ses_bench")
        self.run_id = runs.start(self.actor, "bench", None, None, {})
        told = runs.get(self.actor, self.run_id).json
        self.revision, self.step = told["revision"], told["current"]["step"]

    def complete(self) -> None:
        """One step."""
        values = {"note": "what was typed into the form of this step", "level": 3}
        self.runs.complete(
            self.actor,
            self.run_id,
            self.runs.Submission(step=self.step, revision=self.revision, values=values),
        )
        self.revision += 1
        self.step = "two" if self.step == "one" else "one"
