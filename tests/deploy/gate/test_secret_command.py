"""``secret_command`` of an environment, from its setting to the server."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from dialproof.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from dialproof_deploy.sandbox.serve import Sandbox


def test_a_command_gives_the_credentials(
    root: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A plan logs in with what the program of the environment prints; neither the terminal nor the log shows it."""
    for name in ("GENESYS_CLIENT_ID", "GENESYS_CLIENT_SECRET", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(root)
    printed = json.dumps({"client_id": sandbox.client_id, "client_secret": sandbox.client_secret})
    (root / "vault.py").write_text(f"print({printed!r})\n", encoding="utf-8")
    command = json.dumps([sys.executable, "vault.py"])
    text = f'[environments.staging]\nbase_url = "{sandbox.url}"\nsecret_command = {command}\n'
    (root / "dialproof.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(root.parent)
    assert main(["plan", "--project", "project", "--env", "staging", "--http-log", "http.jsonl"]) == 0
    assert "2 writes to cmp_123" in (shown := "".join(capsys.readouterr()))
    assert sandbox.client_secret not in shown + (root.parent / "http.jsonl").read_text(encoding="utf-8")
    (root / "vault.py").write_text("raise SystemExit(7)\n", encoding="utf-8")
    assert main(["plan", "--project", "project", "--env", "staging"]) == 2
    assert "ended with exit status 7" in capsys.readouterr().err
