"""Columns that are called as secrets, and tables of settings whose rows are: their values are hidden."""

from typing import Any

from console.core.documents.collections import secret_fields
from console.core.documents.collections.field_guesses import parts_of
from tests.core.test_recognising import column, one
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
def test_a_table_of_settings_has_a_name_and_a_value(
    columns: list[str], found: tuple[str, str] | None
) -> None:
    assert secret_fields.pair((name, "text", parts_of(name)) for name in columns) == found


def test_amounts_and_numbers_are_no_values_of_settings() -> None:
    assert secret_fields.pair([("name", "text", ["name"]), ("value", "decimal", ["value"])]) is None


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
    assert secret_fields.holds_secret([("theme", "boost"), (name, value)]) is secret


@cases(
    ("name", "more", "hidden"),
    [
        ("password", {}, True),
        ("password_hash", {}, True),
        ("sessionToken", {}, True),
        ("salt", {}, True),
        ("api_key", {}, True),
        ("pw", {"form": "secret"}, True),
        ("password_changed_at", {"stored": "datetime"}, False),
        ("token_count", {"stored": "integer"}, False),
        ("hash_tags", {}, False),
        ("salted_nuts", {}, False),
        ("user_pass", {}, True),
        ("user_activation_key", {}, True),
        ("mot_de_passe", {}, True),
        ("contraseña", {}, True),
        ("Kundenkennwort", {}, True),
        ("userpassword", {}, True),
        ("mdp", {}, True),
        ("api_schluessel", {}, True),
        ("API-Schlüssel", {}, True),
        ("pin_code", {}, True),
        ("lizenz_key", {}, True),
        ("ZAPPLEUSERTOKEN", {}, True),
        ("boarding_pass", {}, False),
        ("密码", {}, True),
        ("كلمة_المرور", {}, True),
        ("Пароль", {}, True),
        ("şifre", {}, True),
        ("consumer_key", {}, True),
        ("客户", {}, False),
        ("value", {"form": "telling_rows"}, True),
        ("parola_chiave", {}, False),
        ("foreign_key", {}, False),
    ],
)
def test_secrets_are_hidden_with_a_reason(name: str, more: dict[str, Any], hidden: bool) -> None:
    found = one(column(name) | more).by_name[name]
    assert (found.hidden, bool(found.hidden_because)) == (hidden, hidden)
