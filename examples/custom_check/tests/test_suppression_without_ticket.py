"""The check finds what its cases say. Run it where the distribution is installed: ``pip install -e . && pytest``."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialproof.testing import CheckCase, load_cases

CASES = load_cases(Path(__file__).parent / "suppression-without-ticket.yaml")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: CheckCase, tmp_path: Path) -> None:
    """Exactly these findings, at exactly these places."""
    case.check(tmp_path)
