"""`bin/release`: the same bytes twice, everything named with its hash and licence, signed by a key that anybody can check."""

import hashlib
import json
import re
import subprocess
import tarfile
import tomllib
from pathlib import Path

from console import __version__
from tests.release.conftest import ROOT, VERSION, Release, run


def test_its_checksums_hold_and_its_signature_is_that_of_the_key(release: Release, tmp_path: Path) -> None:
    listed = dict(line.split()[::-1] for line in (release.folder / "SHA256SUMS").read_text().splitlines())
    assert set(listed) == {file.name for file in release.folder.iterdir()} - {"SHA256SUMS", "SHA256SUMS.sig"}
    for name, digest in listed.items():
        assert hashlib.sha256((release.folder / name).read_bytes()).hexdigest() == digest
    signers = tmp_path / "signers"
    signers.write_text(f"release@handrail.example {release.key.with_suffix('.pub').read_text()}")
    check = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", "release@handrail.example"]
    check += ["-n", "handrail-release", "-s", str(release.folder / "SHA256SUMS.sig")]
    sums = (release.folder / "SHA256SUMS").read_bytes()
    assert subprocess.run(check, input=sums, capture_output=True, check=False).returncode == 0
    assert subprocess.run(check, input=sums + b"\n", capture_output=True, check=False).returncode != 0


def test_its_tag_version_and_changes_carry_one_name(release: Release) -> None:
    assert run("git", "tag", "--points-at", "HEAD", cwd=release.clone).strip() == f"v{VERSION}"
    assert f'__version__ = "{VERSION}"' in (release.clone / "console/__init__.py").read_text()
    changes = (release.clone / "CHANGELOG.md").read_text()
    assert "## Unreleased" not in changes
    section = changes.split(f"## {VERSION} - ")[1].split("\n## ")[0]
    assert "### Upgrading" in section


def test_the_docs_name_tag_and_files_as_they_are_made(release: Release) -> None:
    """`1.0.0` in the docs stands for any version."""
    made = {file.name for file in release.folder.iterdir()} | {f"handrail-{VERSION}-deploy"}
    tag = run("git", "tag", "--points-at", "HEAD", cwd=release.clone).strip()
    for page in ("how-to/install.md", "developers/make-a-release.md"):
        text = re.sub(r"\b1\.0\.0\b|(?<=[v-])VERSION\b", VERSION, (ROOT / "docs" / page).read_text())
        text = text.replace("v1.0.0", f"v{VERSION}")
        assert set(re.findall(r"(?<=`)v[\w.]+(?=`)", text)) == {tag}, page
        named = re.findall(rf"\bhandrail-{re.escape(VERSION)}(?:[\w.-]*\w)?", text)
        assert set(named) <= made, page
        assert "SECURITY.md#supported-versions" in text, page


def test_the_version_of_the_checkout_is_a_supported_one() -> None:
    told = (ROOT / "SECURITY.md").read_text().split("## Supported versions")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([\d.x]+) \| (.+) \|$", told, re.MULTILINE)
    major, minor = __version__.split(".")[:2]
    assert {f"{major}.{minor}", f"{major}.x"} & {version for version, _ in rows}
    assert all(re.search(r"\d+ months after|\d{4}-\d\d-\d\d", until) for _, until in rows)


def test_its_bill_of_materials_names_what_is_installed_and_what_is_vendored(release: Release) -> None:
    bill = json.loads(release.file(".cdx.json").read_text())
    component = bill["metadata"]["component"]
    assert (component["name"], component["version"]) == ("handrail", VERSION)
    named = {(each["name"].lower().replace("_", "-"), each["version"]) for each in bill["components"]}
    locked = re.findall(
        r"^([a-z0-9-]+)==([^ ;]+) \\$", release.file("-requirements.txt").read_text(), re.MULTILINE
    )
    vendored = tomllib.loads((ROOT / "console/static/vendor/vendor.toml").read_text())["package"]
    assert len(locked) > 90
    assert set(locked) <= named
    assert {(each["name"].lower(), each["version"]) for each in vendored} <= named
    assert str(release.clone.parent) not in release.file(".cdx.json").read_text()


def test_its_source_is_the_tree_and_its_deployment_the_files_of_deploy(release: Release) -> None:
    with tarfile.open(release.file(".tar.gz")) as source:
        held = {name.partition("/")[2] for name in source.getnames()}
    assert {"bin/demo", "LICENSE", "NOTICE", "SECURITY.md", "docs/README.md", "requirements/run.txt"} <= held
    with tarfile.open(release.file("-deploy.tar.gz")) as deployment:
        files = set(deployment.getnames())
    wanted = run("git", "ls-files", "deploy", cwd=release.clone).split()
    assert {f"handrail-{VERSION}-{name}" for name in wanted} <= files
