"""What the redaction lets through: secrets by their form and withheld values in disguises, and texts without any that it changes.

    python bench/redaction.py [--values 40] [--seed 1] [--list]

Everything is generated: no value is anybody's. *Leaked* is what a model could read; *changed* is a harmless text that lost a word.
"""

import argparse
import base64
import random
import string
from collections.abc import Callable

import rig  # noqa: F401  # the checkout on the path

PASSWORDS = ("Sommer2024!", "Hunter2xx", "hallo123", "Tr1cky-horse!", "correct-horse-77")
SAID = (
    "My password is {}", "password: {}", "Passwort lautet {}", "Mein Kennwort ist {}", "mot de passe : {}", "le mot de passe est {}",
    "la contraseña es {}", "contraseña: {}", "my login: anna / {}", "login anna, password {}", "Zugangsdaten: anna / {}", "the PIN code is {}",
)  # fmt: skip
KEYS = ("api key {}", "token: {}", "secret {}", "the key is {}", "{} is the key", "access key {}", "Schlüssel: {}", "clé {}", "clave {}")
HARMLESS = (
    "The password was changed yesterday, says the customer.", "Please reset my password.", "He forgot his PIN and asks for a new card.",
    "The key is under the mat.", "This is the key question of the review.", "Das Passwort wurde zurückgesetzt.", "Her login works again.",
    "Le mot de passe a été changé.", "La contraseña no funciona.", "Invoice INV-2024-00817 of 3 November 2024 over 1,250.00 EUR.",
    "The token of appreciation arrived.", "No secret: the meeting is at 14:30.", "Order 4711 was shipped by DHL on 2024-11-03.",
    "The checksum d41d8cd98f00b204e9800998ecf8427e matches.", "Commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes it.",
    "The well-known step-by-step guide is out-of-date.", "Sommer2024 is the name of our campaign.",
)  # fmt: skip
DISGUISES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "letters apart": " ".join,
    "upper case": str.upper,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64, backwards": lambda value: base64.b64encode(value.encode()).decode()[::-1],
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "backwards": lambda value: value[::-1],
}


def arguments() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description="Leaked, and harmlessly changed.")
    parser.add_argument("--values", type=int, default=40, help="withheld values that are disguised, and keys that are drawn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true", help="name each that leaked or was changed")
    return parser.parse_args()


def withheld(value: str, text: str) -> str:
    """The text as a model gets it where the record has this value in a field that is never sent."""
    from console.ai.redaction import Redactor
    from console.ai.types import Source

    record = Source("s1", "record", "", {"badge": value}, trusted=True, treatments={"badge": "never"})
    redactor = Redactor(b"bench")
    redactor.learn([record, Source("s2", "record", "", {"note": text}, trusted=False)])
    return redactor.text(text)


def main() -> None:
    """Try everything and print the counts."""
    from console.ai.redaction import redacted

    given = arguments()
    draw = random.Random(given.seed)
    names = [
        "".join(draw.choices(string.ascii_uppercase, k=2)) + "-" + "".join(draw.choices(string.digits, k=6)) for _ in range(given.values)
    ]
    hexes = [draw.randbytes(size).hex() for size in (16, 32) for _ in range(given.values // 8)]
    base32s = [base64.b32encode(draw.randbytes(20)).decode() for _ in range(given.values // 8)]
    spoken = [(form.format(secret), secret) for form in SAID for secret in PASSWORDS]
    spoken += [(form.format(secret), secret) for form in KEYS for secret in (*hexes, *base32s)]
    groups = {"passwords and keys in words": [(text, secret in redacted(f"Hello, {text} . Thanks.", {}).text) for text, secret in spoken]}
    bare = [f"{secret} and thanks" for secret in base32s]
    groups["base32 keys without a word"] = [(text, text[:20] in redacted(text, {}).text) for text in bare]
    for how, disguise in DISGUISES.items():
        texts = [(f"Note that {disguise(value)} was said.", disguise(value), value) for value in names]
        groups[f"withheld value, {how}"] = [(text, hidden in withheld(value, text)) for text, hidden, value in texts]
    for group, tried in groups.items():
        leaked = [text for text, leaks in tried if leaks]
        print(f"{group:<36} leaked {len(leaked):>4} of {len(tried)}")
        print(*(f"    {text}" for text in leaked if given.list), sep="\n", end="\n" if given.list and leaked else "")
    changed = [text for text in HARMLESS if redacted(text, {}).text != text]
    print(f"{'texts without a secret':<36} changed {len(changed):>3} of {len(HARMLESS)}")
    print(*(f"    {text}" for text in changed if given.list), sep="\n", end="\n" if given.list and changed else "")


if __name__ == "__main__":
    main()
