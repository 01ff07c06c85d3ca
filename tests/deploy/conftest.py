"""What the tests of the deploy side share."""

from __future__ import annotations

import pytest

from dialproof_deploy import redact


@pytest.fixture(autouse=True)
def own_redactor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test the process's registry of secrets empty: a secret of one must not blot out texts of another."""
    for name, empty in vars(redact.Redactor()).items():
        if name != "_lock":
            monkeypatch.setattr(redact._REGISTRY, name, empty)
