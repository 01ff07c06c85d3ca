"""What the tests of targets share: see target_fakes.py, which they import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

# The folder has no package of its own, and its helpers are imported whichever way pytest is started.
sys.path.insert(0, str(Path(__file__).parent))

from target_fakes import Clock


@pytest.fixture
def clock() -> Clock:
    """Return a clock that only the test moves."""
    return Clock()
