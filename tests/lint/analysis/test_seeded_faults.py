"""Faults in clean campaigns: each is found where it is, and nothing is found where nothing is."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from dialproof.checks.registry import checks_by_code
from tests.lint.analysis.faults import FAULTS, Fault
from tests.lint.analysis.generate import clean

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.findings import Finding

READING = (101, 102, 103, 105, 107, 108, 901)
EXACT = (*range(201, 205), *range(301, 309), *range(401, 404), *range(501, 509))
CODES = frozenset(f"DP{number}" for number in (*READING, *EXACT))
"""The checks that decide exactly, and whatever would mean that a campaign is not what it should be."""
CLEAN = 60
SEEDS = 12
"""Campaigns of each fault."""


def _found(findings: tuple[Finding, ...]) -> set[tuple[str, tuple[str, ...]]]:
    return {(f.code, f.rules) for f in findings if f.code in CODES}


@pytest.mark.parametrize("apart", [False, True], ids=["all act", "one acts"])
def test_nothing_is_found_in_a_clean_campaign(apart: bool, tmp_path: Path) -> None:
    """A campaign that is clean by the way it is made has no finding of any of the checks."""
    found = {seed: _found(clean(Random(seed), apart=apart).lint(tmp_path).findings) for seed in range(CLEAN)}
    assert {seed: each for seed, each in found.items() if each} == {}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_fault_is_found_where_it_is_and_nothing_else(fault: Fault, tmp_path: Path) -> None:
    """Recall and precision are 100 %: the findings are those of the fault, each at its rules."""
    missing: dict[int, object] = {}
    wrong: dict[int, object] = {}
    for seed in range(SEEDS):
        rng = Random(f"{fault} {seed}")
        drawn = clean(rng, apart=fault.apart[seed % len(fault.apart)])
        seeded = fault.put(rng, drawn)
        must = {(code, rules) for code, rules in seeded.must if code in checks_by_code()}
        found = _found(drawn.lint(tmp_path).findings)
        surplus = {f for f in found - must if not seeded.allows(*f)}
        missing |= {seed: must - found} if must - found else {}
        wrong |= {seed: surplus} if surplus else {}
    assert missing == {}
    assert wrong == {}
