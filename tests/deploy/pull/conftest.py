"""A sandbox that holds rules, and an empty project to pull them into."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dialproof_deploy.sandbox.serve import Sandbox
from tests.deploy.drift.conftest import Somebody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the root of a project that has a configuration alone, as the current folder."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "dialproof.toml").write_text("", encoding="utf-8")
    monkeypatch.chdir(root)
    for name in ("DIALPROOF_SANDBOX_URL", "GENESYS_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def sandbox(project: Path) -> Iterator[Sandbox]:
    """Serve the sandbox of the project."""
    with Sandbox.start(project / ".dialproof") as running:
        yield running


@pytest.fixture
def somebody(sandbox: Sandbox) -> Iterator[Somebody]:
    """Return somebody who makes rules of the campaign cmp_1 by hand."""
    one = Somebody(sandbox, "cmp_1")
    yield one
    one.close()
