"""What a change of a few rules among many does, decided for every contact."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks import workload

__all__ = ["diff_of_edits"]

_OTHERWISE = {
    "greaterThan": "greaterThanOrEqual", "lessThan": "lessThanOrEqual", "in": "notIn", "equals": "notEquals",
    "beginsWith": "endsWith", "before": "after", "exists": "notExists",
}  # fmt: skip


def diff_of_edits(rules: int, edits: int, rounds: int) -> dict[str, object]:
    """Compare two campaigns that have been compiled: some rules of one have another operator in one condition."""
    from dialproof.analysis.comparison import Comparison
    from dialproof.analysis.difference import analyses_of
    from dialproof.config import load_config
    from dialproof.evaluate import Evaluator
    from dialproof.project import load_project
    from dialproof.source import paused_gc

    draw = random.Random(1)
    sides = []
    with tempfile.TemporaryDirectory() as name:
        workload.write_project(Path(name), rule_count=rules)
        file = Path(name, "some.rules.json")
        document = json.loads(file.read_text())
        changed = draw.sample(document["rules"], edits)
        for some in ([], changed):
            for rule in some:
                condition = draw.choice(rule["conditions"])
                condition["operator"] = _OTHERWISE[condition["operator"]]
            file.write_text(json.dumps(document))
            config = load_config(Path(name))
            sides.append(Evaluator(load_project(config).campaigns[0], config.semantics))
    seconds, found = [], set[str]()
    for _ in range(rounds):
        with paused_gc():
            start = time.perf_counter()
            relations = Comparison(*analyses_of(*sides), "preCall").relations()
            seconds.append(time.perf_counter() - start)
        found = {r.aspect.name for r in relations if r.name != "equal"}
    if not {f"rule {rule['name']}" for rule in changed} <= found:
        raise SystemExit("a rule that was changed acts on the same contacts")
    what = f"diff of {edits} edits in {rules:,} rules ({len(found)} of {len(relations):,} differ)"
    median = statistics.median(seconds)
    return {"what": what, "ours": median, "other": median, "ratio": 1.0, "target": "<= 5 s"}
