"""Remove tag: a run takes a tag away from its record, once, and its event is in the run. Rows and rights: tests/messaging/contacts/test_tags.py."""

from typing import Any

SMALLEST: dict[str, Any] = {"tag": "lead"}
TEXTS: list[tuple[dict[str, Any], list[str], list[str]]] = [({"tag": "{{ record.desk }}"}, [], ["tag"])]
# a tag is a word on the record for everybody who sees the record: what it is made of is told with it
MASKED: dict[str, Any] = {"tag": "{{ record.risk }}"}
