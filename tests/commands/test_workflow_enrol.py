"""`console workflow enrol`: a file of contacts enrolled from the command line, with who is left out and why."""

import threading
from pathlib import Path

from click.testing import CliRunner

from console import workflows
from console.automation import enrolments
from console.commands.workflow import workflow
from tests.automation.enrolments.test_enrolments import LEADS
from tests.company import Company
from tests.jobs import work_until_idle

RUNNER = CliRunner()


def test_a_file_is_looked_at_and_enrolled_with_who_is_left_out_and_why(
    company: Company, tmp_path: Path
) -> None:
    workflows.import_file(LEADS, publish=True, rights=False)
    file, out = tmp_path / "leads.csv", tmp_path / "out.csv"
    file.write_bytes("Name;Phone\r\nZoë;+370 600 00001\r\nBen;x\r\nZoë;+370 600 00001\r\n".encode("utf-16"))
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            work_until_idle({"enrol"})

    worker = threading.Thread(target=work)
    worker.start()
    try:
        asked = ["enrol", "call-leads", str(file), "--user", company.olivia.email]
        seen = RUNNER.invoke(workflow, [*asked, "--preview"])
        assert "1 would be enrolled, 1 in already, 1 left out of 3" in seen.output
        done = RUNNER.invoke(workflow, [*asked, "--left-out", str(out)])
    finally:
        over.set()
        worker.join()
    assert (done.exit_code, "1 enrolled, 1 in already, 1 left out of 3" in done.output) == (0, True), (
        done.output
    )
    lines = out.read_text().splitlines()
    assert lines[:2] == ["Line,Why", "3,This is no telephone number: write it like +353 1 234 5678."]
    assert lines[2] == "4,Stands in the list before: one place for both."
    [lead] = enrolments.places.page(company.olivia, enrolments.find("call-leads")).rows
    assert lead.title == "Zoë"
    stranger = RUNNER.invoke(workflow, ["enrol", "call-leads", str(file), "--user", company.stan.email])
    assert stranger.exit_code != 0, "who may not start it enrols nobody"
