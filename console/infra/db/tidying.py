"""Rows that were deleted or changed leave their former bytes in the database's pages until it tidies up; here it does so at once."""

import sqlalchemy as sa

from console.infra.db import engine, timelines

TABLES = (
    *(
        "ai_cache",
        "ai_feedback",
        "ai_field",
        "ai_prompt",
        "answer",
        "approval",
        "attempt",
        "builder_turn",
        "bulk",
        "case_question",
        "clearance",
        "document_request",
        "draft",
        "effect",
    ),
    *(
        "event_value",
        "file",
        "hold",
        "message",
        "notice",
        "question",
        "record_note",
        "record_tag",
        "rights_request",
        "run",
        "run_context",
        "run_move",
        "shown",
        "subject",
        "task",
        "workflow",
        "workflow_review",
    ),
)
"""Tables that hold what people typed or saw, or the keys that it is under."""


def tidy() -> None:
    """Vacuum and analyze them, as the role that owns them. Raises SQLAlchemyError where that role cannot be reached."""
    owner = timelines.create_engine(engine.migration_url(), isolation_level="AUTOCOMMIT")
    try:
        with owner.connect() as connection:
            for table in TABLES:
                connection.execute(sa.text(f"vacuum (analyze) console.{table}"))
    finally:
        owner.dispose()
