"""The warning under which findings below the failing level reach pytest's summary."""

from __future__ import annotations

import pytest

__all__ = ["DialproofWarning"]


class DialproofWarning(pytest.PytestWarning):
    """A finding that does not fail its item; filter it with ``ignore::pytest_dialproof.warning.DialproofWarning``."""

    __module__ = "pytest_dialproof.warning"
