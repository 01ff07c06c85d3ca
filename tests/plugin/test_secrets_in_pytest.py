"""Nothing that a run under apply writes or prints holds a personal value, the client secret or the token."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from dialproof_deploy.sandbox.serve import Sandbox
from tests.plugin.conftest import CONTACTS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

CANARIES = ("+15557770001", "15557770001", "Canary-Mail@example.org", "Wanted-Mail@example.org", "+15557770009")
OPTIONS = (
    "--dialproof-deploy=apply",
    "--dialproof-env=sandbox",
    "--dialproof-http-log=out/http.jsonl",
    "--dialproof-audit-export=out/audit.csv",
    "--dialproof-gate-report=out/gate.json",
    "--junitxml=out/junit.xml",
    "--log-file=out/debug.log",
    "--log-file-level=DEBUG",
    "-rA",
    "-vv",
    "--showlocals",
)
OWN = ("sandbox.json", "sandbox.sqlite", "sandbox.sqlite-wal", "sandbox.sqlite-shm")
"""Files of the embedded server itself, which keeps its credentials there."""


@pytest.fixture
def canaries(project: Path, pytester: pytest.Pytester) -> Path:
    """Put personal values into every place where a contact can have them; return where the token is kept."""
    edit(
        project / "customers.contactlist.yaml",
        "phone: {type: string, pii: true}",
        "phone: {type: string, phone: true}\n  customFields.mail: {type: string, pii: true}\n"
        "  mobile: {type: number, pii: true}",
    )
    text = CONTACTS.replace('phone: "+15551234567"', 'phone: "+15557770001", mobile: 15557770001')
    text = text.replace("leadAge: 200}", "leadAge: 200, mail: Canary-Mail@example.org}")
    text = text.replace(
        "      dial: true\n", "      dial: true\n      contact: {customFields.mail: Canary-Mail@example.org}\n"
    )
    text = text.replace("leadAge: 2}}", 'leadAge: 2}}\n    context: {phone: {number: "+15557770009", type: Home}}')
    (project / "premium.contacts.yaml").write_text(text, encoding="utf-8")
    # what only the process that deploys knows is written outside of the project
    token = pytester.path.parent / f"{pytester.path.name}-token"
    pytester.makeconftest(
        f"""
        import logging
        import pathlib
        from dialproof_deploy.api.token import TokenSource

        renew = TokenSource._renew

        def noting(self):
            renew(self)
            pathlib.Path({str(token)!r}).write_text(self._token)

        TokenSource._renew = noting

        def pytest_dialproof_deployed(result):
            logging.getLogger("house").warning("deployed %s", result)
        """
    )
    return token


@pytest.mark.parametrize("case", ["green", "red"])
def test_neither_files_nor_output_hold_them(
    project: Path, canaries: Path, run_apart: Run, case: str, workers: str
) -> None:
    """Green with a deploy, and red with the contact of every case in its failure text: all of it is searched."""
    root = project.parent
    with Sandbox.start(root / ".dialproof") as sandbox:
        secret = sandbox.client_secret
        if case == "red":
            edit(
                project / "premium.contacts.yaml",
                "mail: Canary-Mail@example.org}\n",
                "mail: Wanted-Mail@example.org}\n",
            )
            edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: []")
            edit(project / "premium.rules.yaml", "always: outcome.dial", "always: '!outcome.dial'")
        result = run_apart("rules", workers, *OPTIONS)
        assert result.ret == (1 if case == "red" else 0), result.stdout.str()
        result.stdout.fnmatch_lines(["deployed to sandbox: 2 writes*" if case == "green" else "*customFields.mail*"])
        if case == "red":
            result.assert_outcomes(failed=3, passed=7)
            run_apart("rules", workers, "--dialproof-deploy=plan", "--dialproof-env=sandbox", "-k", "nothing")
    forbidden = [*CANARIES, secret, base64.b64encode(f"{sandbox.client_id}:{secret}".encode()).decode()]
    forbidden.append(canaries.read_text(encoding="utf-8"))
    assert all(len(text) > 8 for text in forbidden)
    written = {
        path.relative_to(root).as_posix(): path.read_bytes().decode("utf-8", "replace")
        for path in root.rglob("*")
        if path.is_file() and path.name not in OWN and path.suffix != ".pyc"
    }
    del written["rules/premium.contacts.yaml"]
    expected = {"out/junit.xml", "out/gate.json", "out/debug.log", ".dialproof/audit/sandbox.jsonl"}
    if case == "green":
        expected |= {"out/audit.csv", "out/http.jsonl", ".dialproof/evidence.json"}
    assert expected <= written.keys()
    written["output"] = result.stdout.str() + result.stderr.str()
    assert [(name, text) for name, content in written.items() for text in forbidden if text in content] == []
