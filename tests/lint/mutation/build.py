"""Campaigns that are mutated without cases, so that every mutant is proved equal or shown on a contact."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.config import Config, Semantics
from dialproof.evaluate import Evaluator
from dialproof.model.rules import RulesFile
from dialproof.mutation.run import MutationRun, mutate
from dialproof.project import Project
from dialproof.source import read_source

if TYPE_CHECKING:
    from dialproof.project import Campaign


def in_a_file(built: Campaign) -> Campaign:
    """Return a campaign whose rules stand in a file."""
    source = read_source(Path("r.rules.yaml"), "r.rules.yaml", b"campaign: c\nrules:\n  - name: a\n")
    file = RulesFile("r.rules.yaml", built.ids, None, "c", built.hit_policy, False, built.rules, (), source)
    return replace(built, files=(file,))


def without_cases(built: Campaign, semantics: Semantics | None = None) -> MutationRun:
    """Return the mutation run of a campaign that has no cases."""
    built = in_a_file(built)
    config = Config(Path(os.devnull), semantics=semantics or Semantics())
    project = Project(config, {}, {}, {}, (built,), {}, (), {})
    return mutate(project, built, Evaluator(built, config.semantics), 5000)
