"""The name, contact, logo and colours of the installation, as its e-mails, papers and pages without an account show them."""

import base64
import html
import re
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

from console.infra.db import engine as db
from console.infra.db.process_cache import ProcessCache

PRODUCT, LIGHT, DARK = "Handrail", "#2f5bea", "#7f9dff"
AA = 4.5
"""Source: WCAG 2.2, 1.4.3."""
_LIGHT_PAGE, _DARK_PAGE = "#f6f7f9", "#1d2128"
_LINK = re.compile(r"https?://[^\s<]+")


@dataclass(frozen=True, slots=True)
class Branding:
    """What was set; `light` and `dark` are the colour of buttons and links on pages of either theme, `logo` a PNG or JPEG."""

    name: str = PRODUCT
    contact: str = ""
    light: str = LIGHT
    dark: str = DARK
    logo: bytes = b""

    @property
    def named(self) -> bool:
        """Return whether it has a name of its own."""
        return self.name != PRODUCT

    @property
    def logo_type(self) -> str:
        """Return the media type of the logo."""
        return "image/png" if self.logo.startswith(b"\x89PNG") else "image/jpeg"

    @property
    def logo_url(self) -> str:
        """Return the logo as an address that holds it, "" without one."""
        return f"data:{self.logo_type};base64,{base64.b64encode(self.logo).decode()}" if self.logo else ""

    @property
    def sheet(self) -> str:
        """Return the style sheet with the colours and the logo."""
        colours = f":root{{--accent:light-dark({self.light},{self.dark})}}"
        return colours + (f".sender .logo{{background-image:url({self.logo_url})}}" if self.logo else "")

    @property
    def paper_sheet(self) -> str:
        """Return the style of a PDF: its title in the colour."""
        return f"h1{{color:{self.light}}}" if self.light != LIGHT else ""


def current() -> Branding:
    """Return what is set, at most a second old."""
    return _current.get()


def _read(_: object) -> Branding:
    row = db.fetch("select document, logo from console.branding")
    return Branding(**row[0][0], logo=bytes(row[0][1] or b"")) if row else Branding()


_current = ProcessCache(_read)
forget = _current.forget


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours such as #2f5bea, from 1 to 21. Source: WCAG 2.2, contrast ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def readable_shade(colour: str, *, dark: bool = False) -> str:
    """Return the colour itself where it can be read on pages of the theme, else the nearest shade of it that can."""
    page, end = (_DARK_PAGE, 255) if dark else (_LIGHT_PAGE, 0)
    parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    for step in range(101):
        mixed = "#" + "".join(f"{round(part + (end - part) * step / 100):02x}" for part in parts)
        if contrast(mixed, page) >= AA:
            return mixed
    raise AssertionError("black and white can be read")


def dress(message: EmailMessage) -> None:
    """Give an e-mail the sender's name, and one of plain text alone the logo, colour and contact; nothing where nothing is set."""
    ours = current()
    if ours == Branding():
        return
    sender = message["From"].addresses[0]
    if not sender.display_name:
        message.replace_header("From", Address(ours.name, addr_spec=sender.addr_spec))
    if message.get_content_type() != "text/plain":
        return
    text = message.get_content()
    message.set_content(
        "\n".join([text.rstrip(), "", "-- ", ours.name, *filter(None, [ours.contact])]) + "\n"
    )
    message.add_alternative(_as_html(text, ours), subtype="html")
    if ours.logo:
        body: Any = list(message.iter_parts())[1]
        body.add_related(
            ours.logo, "image", ours.logo_type.partition("/")[2], cid="<logo>", disposition="inline"
        )


def _as_html(text: str, ours: Branding) -> str:
    def linked(words: str) -> str:
        return _LINK.sub(
            lambda found: f'<a style="color:{ours.light}" href="{found[0]}">{found[0]}</a>', words
        )

    paragraphs = [
        linked(html.escape(part)).replace("\n", "<br>") for part in text.strip().split("\n\n") if part.strip()
    ]
    logo = '<img src="cid:logo" alt="" height="40"><br>' if ours.logo else ""
    head = f'<p style="border-bottom:3px solid {ours.light};padding-bottom:12px">{logo}<b>{html.escape(ours.name)}</b></p>'
    foot = f'<p style="color:#4b5361">{html.escape(ours.contact)}</p>' if ours.contact else ""
    body = "".join(f"<p>{part}</p>" for part in paragraphs)
    return f'<div style="font:15px/1.5 sans-serif;max-width:600px">{head}{body}{foot}</div>'
