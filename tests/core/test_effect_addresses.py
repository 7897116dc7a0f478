"""Where a request of an action or a step may go: to the host that is written there, whatever an expression becomes."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given, strategies as st

from console.core import expressions
from console.core.effect_kinds import wrong_address
from console.core.effect_kinds.http import Http

GOOD = [
    "https://api.bank.example",
    "http://127.0.0.1:8080/pay",
    "https://api.bank.example/{{ record.id }}/pay?ref={{ run.id }}",
    "https://api.bank.example?ref={{ run.id }}",
    "https://[2001:db8::1]:8443/x",
    "https://bücher.example/x",
    "HTTPS://API.bank.example/x",
]
BAD = [
    "",
    "/",
    "x",
    "https://",
    "https:///x",
    "https:api.bank.example/x",
    "//api.bank.example/x",
    "ftp://api.bank.example/x",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "https://{{ record.host }}/x",
    "{{ record.url }}",
    "{{ record.scheme }}://api.bank.example/x",
    "https://api.{{ record.host }}/x",
    "https://api.bank.example{{ record.path }}",
    "https://api.bank.example:{{ record.port }}/x",
    "https://ana:word@api.bank.example/x",
    "https://api.bank.example@evil.example/x",
    "https://api.bank.example\\@evil.example/x",
    "https://api.bank.example/x#part",
    "https://api.bank.example:0/x",
    "https://api.bank.example:99999/x",
    "https://api.bank.example:pay/x",
    "https://[::1/x",
    "https://:443/x",
    "https://#{{ record.host }}",
    "https://api.bank.example .evil.example/x",
    "https://api.bank.example\\.evil.example/x",
    "https://api.bank.example\t/x",
    "https://api.bank.example\0/x",
    "https://api.bank.example%2f/x",
    "https://api.bank.example}}/x",
    "https://api\u200b.bank.example/x",
    "https://api.bank.example/{{ if record.x }}a{{ end }}",
]


@pytest.mark.parametrize("url", GOOD)
def test_an_address_with_a_host_of_its_own_is_taken(url: str) -> None:
    assert wrong_address(url) is None


@pytest.mark.parametrize("url", BAD)
def test_an_address_without_a_fixed_host_is_refused_in_words(url: str) -> None:
    assert wrong_address(url), url


PIECES = st.sampled_from(
    [
        "https",
        "http",
        "://",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "?",
        "#",
        "{{ x }}",
        "{{",
        "}}",
        "[",
        "]",
        "\t",
        "\n",
        " ",
        "api.example",
        "evil.example",
        ":80",
        "%2f",
        "é",
        "\u2100",
        "\0",
    ]
)
BECOMES = ("evil.example", "@evil.example/", "//evil.example/", "\\\\evil.example", "?", "#", ":99", "")


@given(
    st.one_of(
        st.lists(PIECES, max_size=8).map("".join),
        st.lists(PIECES, max_size=8).map(lambda some: "https://api.example" + "".join(some)),
    )
)
def test_whatever_an_expression_becomes_the_request_goes_to_the_same_host(url: str) -> None:
    """As bare text even: the product encodes it besides."""
    if wrong_address(url) is not None:
        return
    call = Http.model_validate(
        {"kind": "http", "name": "call", "summary": "Asks", "method": "GET", "url": url}
    )
    for text in BECOMES:
        filled = urlsplit(expressions.TEMPLATE.sub(lambda _, text=text: text, url))  # type: ignore[misc]
        assert f"{filled.scheme}://{filled.netloc}" == call.origin, text
    assert call.place.startswith("/")
    assert call.origin is not None
    assert not set(call.origin) & set("@\\ \t\n\0{}")
