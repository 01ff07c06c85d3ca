"""No deploy and no rollback rests on an audit log that was changed, cut off or taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.errors import RefusedError
from tests.deploy.gate.conftest import RULES, statement_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dialproof_deploy.sandbox.serve import Sandbox
    from tests.deploy.gate.conftest import Make

LIST = ["rollback", "--env", "sandbox", "--list"]


def changed(log: Path) -> None:
    """Change a record in the middle."""
    lines = log.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"sandbox"', b'"sandbax"')
    log.write_bytes(b"".join(lines))


def cut_off(log: Path) -> None:
    """Take the last record away."""
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))


def taken_away(log: Path) -> None:
    """Delete the log and leave its head."""
    log.unlink()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (changed, r"sandbox.jsonl:2: record 2 is broken \(hash\)"),
        (cut_off, r"is broken \(truncated\): the log ends after record"),
        (taken_away, "the audit log is missing, although sandbox.head shows that there was one"),
    ],
)
def test_a_broken_chain_refuses(
    root: Path,
    deployer: Make,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], None],
    says: str,
) -> None:
    """Nothing is written, to the target or the log; it says where, and both ways out. Moved aside, a deploy goes on."""
    monkeypatch.chdir(root)
    deployer().deploy(statement_of(root))
    log = root / ".dialproof/audit/sandbox.jsonl"
    damage(log)
    before = log.read_bytes() if log.exists() else b""
    (root / "a.rules.yaml").write_text(RULES.replace("5000", "6000"), encoding="utf-8")
    for run in (lambda: deployer().deploy(statement_of(root)), lambda: deployer().rollback()):
        with pytest.raises(RefusedError, match=f"{says}(.|\n)*Restore sandbox.jsonl and sandbox.head .* or move both"):
            run()
    assert main(LIST) == 4
    assert "or move both aside" in capsys.readouterr().err
    assert (log.read_bytes() if log.exists() else b"") == before
    for file in (log, log.with_suffix(".head")):
        file.unlink(missing_ok=True)
    assert main(LIST) == 4
    assert "the audit log is missing, although" in capsys.readouterr().err
    assert deployer().deploy(statement_of(root)).writes == 1
    assert main(LIST) == 0


def test_a_line_that_a_crash_left_refuses_nothing(root: Path, deployer: Make, sandbox: Sandbox) -> None:
    """The next record keeps it aside."""
    log = deployer().deploy(statement_of(root)).audit_log
    log.write_bytes(log.read_bytes() + b'{"action":"upd')
    assert deployer().deploy(statement_of(root)).writes == 0
