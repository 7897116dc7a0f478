"""What others made and we serve is exactly what vendor.toml names; icons that are used are in the sprite."""

import hashlib
import re
import tomllib
from pathlib import Path

from console.views import assets
from tests.tables import cases

ROOT = Path(__file__).parent.parent.parent
LIST = ROOT / "console/static/vendor/vendor.toml"
PACKAGES = tomllib.loads(LIST.read_text())["package"]
FILES = [(package, file) for package in PACKAGES for file in package["files"]]


@cases(("package", "file"), FILES, ids=[f"{package['name']}/{file['path']}" for package, file in FILES])
def test_files_have_the_hash_that_is_written(package: dict[str, str], file: dict[str, str]) -> None:
    assert (
        hashlib.sha256((ROOT / package["folder"] / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    )


def test_nothing_else_lies_there_and_every_package_has_its_licence() -> None:
    there = {
        path
        for folder in (LIST.parent, ROOT / "tests/browser/vendor")
        for path in folder.rglob("*")
        if path.is_file()
    } - {LIST}
    assert there == {ROOT / package["folder"] / file["path"] for package, file in FILES}
    assert all(
        any(file["path"] == "LICENSE" for file in package["files"]) and package["licence"]
        for package in PACKAGES
    )


def test_what_only_tests_load_is_not_served() -> None:
    assert [
        package["name"] for package in PACKAGES if not package["folder"].startswith("console/static/vendor/")
    ] == ["axe-core"]


def test_every_icon_that_is_named_is_drawn() -> None:
    used = set()
    for path in [*(ROOT / "templates").rglob("*.html"), *(ROOT / "console/views").glob("*.py")]:
        used |= set(re.findall(r"icon\([\"']([a-z0-9-]+)", path.read_text()))
    assert used - assets.drawn_icons().keys() == set()


def test_every_colour_stands_in_the_tokens() -> None:
    raw = re.compile(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(")
    strays = {
        path.name: raw.findall(path.read_text())
        for path in (ROOT / "console/static/css").glob("*.css")
        if path.name != "tokens.css"
    }
    assert {name: found for name, found in strays.items() if found} == {}


@cases(
    "path",
    sorted((ROOT / "templates").rglob("*.html")),
    ids=lambda path: str(path.relative_to(ROOT / "templates")),
)
def test_templates_hold_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|hx-on|<script(?![^>]*\bsrc=)|<style|js:|javascript:", text)


def test_what_morphs_a_part_of_a_page_has_its_library_fetched_first() -> None:
    """Without it a part that is refreshed is put into itself, again and again."""
    tags = [
        tag
        for path in (ROOT / "templates").rglob("*.html")
        for tag in path.read_text(encoding="utf-8").split("<")
        if 'hx-swap="morph' in tag
    ]
    assert tags
    assert [tag for tag in tags if "data-loads" not in tag] == []


def test_what_loads_by_itself_names_the_part_that_it_replaces() -> None:
    """Without it the target is that of the page around it, which would be replaced as a whole."""
    tags = [
        tag
        for path in (ROOT / "templates").rglob("*.html")
        for tag in path.read_text(encoding="utf-8").split("<")
        if re.search(r"hx-(get|post)=", tag)
        and re.search(r'hx-trigger="[^"]*(load|every|revealed|intersect|toggle)', tag)
    ]
    assert tags
    assert [tag for tag in tags if "hx-target" not in tag] == []
