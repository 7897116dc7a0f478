"""What opens doors is found in base64 too, whole and nothing else; what only looks encoded stays."""

import base64
import json

import pytest

from console.ai import redaction, secret_forms
from console.ai.prompt import rendered
from console.ai.types import Source
from tests.ai.asks import KEY, ask

PLAIN = {
    "password in JSON": json.dumps({"user": "ana", "password": "hunter2!x"}),
    "password in words": "the password is Tr0ub4dor&3",
    "service account": json.dumps(
        {"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n"}
    ),
    "a known key": "AKIAIOSFODNN7EXAMPLE",
    "an address": "postgresql://app:s3cret-pw@db.internal/core",
    "a short one": "pwd: hunter2!x",
    "a config": "host=db\napi_key = 9f8a7b6c5d4e\n",
}


def encoded(text: str) -> list[str]:
    data = text.encode()
    twice = base64.b64encode(base64.b64encode(data))
    wrapped = base64.encodebytes(data * 1).decode().strip()
    return [
        base64.b64encode(data).decode(),
        base64.urlsafe_b64encode(data).decode().rstrip("="),
        twice.decode(),
        wrapped,
    ]


@pytest.mark.parametrize("plain", PLAIN)
def test_what_is_encoded_goes_whole(plain: str) -> None:
    for word in encoded(PLAIN[plain]):
        text = f"Our deploy settings: {word} as you asked."
        found = [one for one in secret_forms.secrets(text) if one.text == word]
        assert found, (plain, word)
        assert text[found[0].start : found[0].end] == word


def test_ordinary_text_in_base64_and_words_that_look_so_stay() -> None:
    for text in (
        base64.b64encode(b"Best regards, Ana").decode(),
        base64.b64encode(json.dumps({"city": "Vilnius"}).encode()).decode(),
        base64.b64encode(b"I forgot my password").decode(),
        "Donaudampfschifffahrtsgesellschaft",
        "internationalization/internationalisation",
        "https://example.com/some/long/path/to/a/page",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0b5c3e1e-6d6e-4a46-93f4-7a2f3a9e2d11",
    ):
        assert redaction.by_form(text) == [], text


def test_no_prompt_holds_it() -> None:
    word = encoded(PLAIN["password in JSON"])[0]
    made = rendered(ask(sources=(Source("s1", "record", "Note", {"note": f"Here you are: {word} thanks"}, trusted=False),)), KEY)
    assert word not in made.user
    assert "Here you are: " in made.user
