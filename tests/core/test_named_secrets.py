"""Tables of settings whose rows hold secrets by what they are called: their values are hidden."""

from typing import Any

from console.core.documents.collections import named_secrets
from console.core.documents.collections.recognising import parts_of
from tests.tables import cases


@cases(
    ("columns", "found"),
    [
        (["option_id", "option_name", "option_value", "autoload"], ("option_name", "option_value")),
        (["id", "plugin", "name", "value"], ("name", "value")),
        (["property", "property_value", "description"], ("property", "property_value")),
        (["key", "value", "updated_at"], ("key", "value")),
        (["umeta_id", "user_id", "meta_key", "meta_value"], ("meta_key", "meta_value")),
        (["configKey", "configValue"], ("configKey", "configValue")),
        (["scope", "path", "value"], ("path", "value")),
        (["id", "name", "price"], None),
        (["value", "unit"], None),
        (["id", "key"], None),
    ],
)
def test_a_table_of_settings_has_a_name_and_a_value(columns: list[str], found: tuple[str, str] | None) -> None:
    assert named_secrets.pair((name, "text", parts_of(name)) for name in columns) == found


def test_amounts_and_numbers_are_no_values_of_settings() -> None:
    assert named_secrets.pair([("name", "text", ["name"]), ("value", "decimal", ["value"])]) is None


@cases(
    ("name", "value", "secret"),
    [
        ("smtppass", "hunter2", True),
        ("mailserver_pass", "hunter2", True),
        ("bind_pw", "hunter2", True),
        ("mail.password", "hunter2", True),
        ("recaptchaprivatekey", "6LeIx", True),
        ("encryption.key", "9cyQ0qb", True),
        ("auth_salt", "a salt", True),
        ("session_tokens", "a:1:{}", True),
        ("woocommerce_stripe_settings", 'a:1:{s:10:"secret_key";s:7:"sk_live";}', True),
        ("payments", '{"client": 7, "apiToken": "abcdef"}', True),
        ("gateway", "sk_live_9x8a7b6c5d4e3f2a", True),
        ("minpasswordlength", "8", False),
        ("auth_signup.reset_password", "True", False),
        ("password_help", "https://shop.example/help", False),
        ("smtppass", "", False),
        ("smtppass", None, False),
        ("cron", 'a:1:{i:1764;s:1:"x";}', False),
        ("siteurl", "https://shop.example", False),
        ("compass_heading", "north", False),
        ("monkey", "banana", False),
    ],
)
def test_a_setting_is_a_secret_by_its_name_or_by_what_it_holds(name: str, value: Any, secret: bool) -> None:
    assert named_secrets.held([("theme", "boost"), (name, value)]) is secret
