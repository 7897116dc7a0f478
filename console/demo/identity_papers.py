"""Identity papers as PNG: a plain layout without emblem, marked SPECIMEN, with the machine-readable zone in a fixed-width face."""

import io
from functools import cache

from PIL import Image, ImageDraw, ImageFont

SIZE = (880, 600)
INK, PALE, LINE, MARK, PAPER = (
    32,
    108,
    190,
    204,
    248,
)  # shades of grey: a colour picture takes twice as long to pack
FACES = {
    "text": ("Inter-Regular.ttf", "DejaVuSans.ttf"),
    "bold": ("Inter-Bold.ttf", "DejaVuSans-Bold.ttf"),
    "zone": ("DejaVuSansMono.ttf",),
}
ROWS = (
    ("Surname", "family"),
    ("Given names", "given"),
    ("Nationality", "nationality"),
    ("Date of birth", "birth"),
    ("Place of birth", "place"),
    ("Date of issue", "issued"),
    ("Date of expiry", "expires"),
)


def identity(facts: dict[str, str]) -> bytes:
    """The PNG of a passport or card: title, issuer and number above, the holder's facts beside a blank portrait, the zone below."""
    image = Image.new("L", SIZE, PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((8, 8, SIZE[0] - 9, SIZE[1] - 9), outline=LINE, width=2)
    draw.text((735, 250), "SPECIMEN", font=_face("bold", 40), fill=MARK, anchor="mm")
    draw.text((40, 36), facts["title"], font=_face("bold", 30), fill=INK)
    draw.text(
        (40, 76),
        f"{facts['issuer']}  ·  made-up issuer, not a real document",
        font=_face("text", 17),
        fill=PALE,
    )
    draw.text((SIZE[0] - 40, 36), facts["number"], font=_face("bold", 30), fill=INK, anchor="ra")
    _portrait(draw)
    for place, (label, name) in enumerate(ROWS):
        top = 140 + place * 40
        draw.text((280, top), label, font=_face("text", 15), fill=PALE)
        draw.text((430, top - 5), facts[name], font=_face("text", 23), fill=INK)
    _zone(draw, facts["zone"].split("\n"))
    stored = io.BytesIO()
    image.save(stored, "PNG", compress_level=3)
    return stored.getvalue()


def _portrait(draw: ImageDraw.ImageDraw) -> None:
    """The place of a portrait, with nobody in it."""
    draw.ellipse((100, 190, 180, 280), fill=LINE)
    draw.pieslice((60, 300, 220, 520), 180, 360, fill=LINE)
    draw.rectangle((41, 411, 239, 412), fill=PAPER)
    draw.rectangle((40, 130, 240, 410), outline=LINE, width=2)


def _zone(draw: ImageDraw.ImageDraw, lines: list[str]) -> None:
    """Two lines of 44 signs or three of 30, each over the whole width."""
    size = 29 if len(lines) == 2 else 34
    step = 44 if len(lines) == 2 else 42
    for place, line in enumerate(lines):
        draw.text((40, SIZE[1] - 34 - step * (len(lines) - place)), line, font=_face("zone", size), fill=INK)


@cache
def _face(kind: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The first face of a kind that is installed, else the one that comes with Pillow."""
    for name in FACES[kind]:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
