"""The gate as a pure function: sets of items in, a verdict with its sentences out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from dialproof.config import Accepted, load_config
from dialproof.coverage.goals import Goal, Goals
from dialproof.findings import Finding
from dialproof.lint import LintResult, Suppressed
from dialproof.project import load_project
from dialproof.source.positions import Span
from dialproof_deploy.gate.decision import CaseFact, Expected, ExpectedCampaign, Phase, Seen, decide, expect
from dialproof_deploy.gate.decision import _standing as standing

if TYPE_CHECKING:
    from pathlib import Path

CASES = ("a.contacts.yaml::one", "a.contacts.yaml::two")
ITEMS = (*CASES, "a.rules.yaml::schema")
PASSED = (Phase("setup", "passed"), Phase("call", "passed"), Phase("teardown", "passed"))
GOALS = Goals(
    "c",
    (("r1", "a.rules.yaml"), ("r2", "a.rules.yaml")),
    (Goal(0, "matched"), Goal(0, "missed"), Goal(1, "matched"), Goal(1, "missed")),
)
FACTS = {
    CASES[0]: CaseFact("c", 0b1001, conflict=False),
    CASES[1]: CaseFact("c", 0b0110, conflict=False),
}
DIGESTS = {"a.rules.yaml": "1", "a.contacts.yaml": "2"}


def _expected(**changes: object) -> Expected:
    values: dict[str, object] = {
        "campaigns": (ExpectedCampaign("c", ("c",), ITEMS, CASES, ("r1", "r2"), GOALS),),
        "digests": DIGESTS,
        "accepted": (),
        "refusals": (),
        "coverage": "rules",
        "max_conflict_rate": 0.0,
        "fail_on": "error",
    }
    return Expected(**{**values, **changes})  # type: ignore[arg-type]


def _seen(**changes: object) -> Seen:
    values: dict[str, object] = {
        "phases": dict.fromkeys(ITEMS, PASSED),
        "cases": FACTS,
        "digests": {"this process": DIGESTS},
    }
    return Seen(**{**values, **changes})  # type: ignore[arg-type]


def _phases(*phases: Phase) -> dict[str, object]:
    return {"phases": {**dict.fromkeys(ITEMS, PASSED), CASES[0]: phases}}


def test_equal_sets_open() -> None:
    """All expected items passed exactly once, on the bytes that lie there now: no reason, open."""
    verdict = decide(_expected(), _seen())
    assert verdict.open
    assert verdict.passed == ITEMS
    assert verdict.campaigns == ("c",)


@pytest.mark.parametrize(
    ("phases", "sentence"),
    [
        ([Phase("setup", "passed"), Phase("call", "failed"), Phase("teardown", "passed")], "1 item failed"),
        ([Phase("setup", "failed"), Phase("teardown", "passed")], "1 item had an error in setup or teardown"),
        ([Phase("setup", "passed"), Phase("call", "passed"), Phase("teardown", "failed")], "1 item had an error"),
        ([Phase("setup", "skipped"), Phase("teardown", "passed")], "1 item was skipped"),
        ([Phase("setup", "passed"), Phase("call", "skipped", xfail=True)], "1 item was expected to fail (xfail)"),
        ([Phase("setup", "passed"), Phase("call", "passed", xfail=True)], "1 item was marked xfail"),
        ([Phase("setup", "passed"), Phase("call", "rerun"), *PASSED], "1 item was run again before passing (rerun)"),
        ([*PASSED, *PASSED], "1 item was run more than once"),
        ([Phase("setup", "passed"), Phase("teardown", "passed")], "1 item was not run from setup to teardown"),
    ],
)
def test_an_item_that_did_not_pass_exactly_once_closes(phases: list[Phase], sentence: str) -> None:
    """Every way not to pass has its own sentence with the item's name."""
    verdict = decide(_expected(), _seen(**_phases(*phases)))
    assert verdict.reasons[0].startswith(sentence)
    assert verdict.reasons[0].endswith(f": {CASES[0]}")


def test_missing_items_are_counted_and_five_are_named() -> None:
    """Without a known cause the numbers are told, and no more than five names."""
    items = tuple(f"a.rules.yaml::{n}" for n in range(8))
    campaign = ExpectedCampaign("c", ("c",), (*ITEMS, *items), CASES, ("r1", "r2"), GOALS)
    verdict = decide(_expected(campaigns=(campaign,)), _seen())
    names = ", ".join(items[:5])
    assert verdict.reasons == (f"11 items expected, 3 passed; nothing was reported of {names} and 3 more",)


def test_a_pass_of_something_else_does_not_make_up_for_a_missing_item() -> None:
    """An item of the same files that the disk does not hold closes the gate, whatever the numbers are."""
    phases = {**dict.fromkeys(ITEMS, PASSED), "a.rules.yaml::renamed": PASSED}
    verdict = decide(_expected(), _seen(phases=phases))
    assert verdict.reasons == ("1 item was run that the files on disk do not hold: a.rules.yaml::renamed",)


def test_a_process_that_does_not_say_what_it_read_closes() -> None:
    """Digests are asked of every process, not of one."""
    verdict = decide(_expected(), _seen(digests={"worker gw0": DIGESTS, "worker gw1": None}))
    assert verdict.reasons == ("worker gw1 did not say which files it read (it crashed or was stopped)",)


def test_files_that_differ_close() -> None:
    """Changed, added and removed files have a sentence each."""
    verdict = decide(_expected(), _seen(digests={"p": {"a.rules.yaml": "0", "old.rules.yaml": "3"}}))
    assert verdict.reasons == (
        "a.contacts.yaml appeared after collection",
        "a.rules.yaml was changed after collection",
        "old.rules.yaml is gone since collection",
    )


def test_conflict_rate_above_the_limit_closes() -> None:
    """The rate counts evaluations in which two acting rules contradict each other."""
    facts = {**FACTS, CASES[0]: CaseFact("c", 0b1001, conflict=True)}
    verdict = decide(_expected(), _seen(cases=facts))
    assert verdict.conflict_rate == 0.5
    assert "rules contradicted each other in 1 of 2 evaluations" in verdict.reasons[0]
    assert decide(_expected(max_conflict_rate=0.5), _seen(cases=facts)).open


def test_coverage_is_asked_of_each_campaign() -> None:
    """A rule that no case misses closes the gate, and a relaxed policy opens it."""
    facts = {**FACTS, CASES[1]: CaseFact("c", 0b0101, conflict=False)}
    assert decide(_expected(), _seen(cases=facts)).reasons == ("campaign c: no case misses r1",)
    assert decide(_expected(coverage="none"), _seen(cases=facts)).open


def test_a_laxer_level_on_the_command_line_closes() -> None:
    """--dialproof-fail-on may be stricter than the configuration, not laxer."""
    assert decide(_expected(fail_on="error"), _seen(fail_on="warning")).open
    verdict = decide(_expected(fail_on="warning"), _seen(fail_on="error"))
    assert verdict.reasons == (
        "--dialproof-fail-on=error lets more pass than fail_on = 'warning' of the configuration",
    )


def test_exit_status_is_a_reason_of_its_own_only_where_nothing_else_explains_it() -> None:
    """A failed item of ours explains the status; otherwise something else failed."""
    failed = _phases(Phase("setup", "passed"), Phase("call", "failed"), Phase("teardown", "passed"))
    assert len(decide(_expected(), _seen(exit_status=1, **failed)).reasons) == 1
    assert decide(_expected(), _seen(exit_status=1)).reasons[0].startswith("pytest ended with exit status 1")


def _finding(code: str) -> Finding:
    return Finding(
        code, "conflicting-rules", "error", "a.rules.yaml", Span.point(4, 1), "they conflict", rules=("r1", "r2")
    )


def test_suppressed_conflicts_need_an_acceptance_with_expiry() -> None:
    """DP301 behind a comment closes the gate until gate.accept names it; an acceptance that ended does not count."""
    result = LintResult((), (Suppressed(_finding("DP301"), "known", None), Suppressed(_finding("DP502"), "x", None)))
    accept = Accepted("DP301", ("r2", "r1"), "agreed", date(2026, 3, 7))
    used, refusals = standing(result, [], date(2026, 3, 7))
    assert used == ()
    needs = "a deploy needs an entry in gate.accept that names r1 and r2, with reason and expiry"
    assert refusals == [f"a.rules.yaml:4: DP301 they conflict (is suppressed; {needs})"]
    assert standing(result, [accept], date(2026, 3, 7)) == ((accept,), [])
    assert "ended on 2026-03-07" in standing(result, [accept], date(2026, 3, 8))[1][0]


def test_conflicts_of_the_baseline_need_an_acceptance_too() -> None:
    """What a baseline hides from the tests is not hidden from the gate."""
    result = LintResult((), (Suppressed(_finding("DP301"), "in the baseline", None, by="baseline"),))
    (refusal,) = standing(result, [], date(2026, 3, 7))[1]
    assert "(is in the baseline; a deploy needs an entry in gate.accept that names r1 and r2" in refusal
    accept = Accepted("DP301", ("r2", "r1"), "agreed", date(2026, 3, 7))
    assert standing(result, [accept], date(2026, 3, 7)) == ((accept,), [])


def test_an_acceptance_is_for_one_finding() -> None:
    """What was agreed of two rules says nothing of a later conflict of one of them with a third."""
    result = LintResult((_finding("DP301"), replace(_finding("DP301"), rules=("r1", "r3"))))
    accept = Accepted("DP301", ("r1", "r2"), "agreed", date(2026, 3, 7))
    one = Accepted("DP301", ("r1",), "agreed", date(2026, 3, 7))
    used, (refusal,) = standing(result, [one, accept], date(2026, 3, 7))
    assert used == (accept,)
    assert "names r1 and r3" in refusal


def test_rules_of_one_name_close(root: Path) -> None:
    """Coverage counts by name: an untested rule would pass under the name of a tested one."""
    rules = (root / "a.rules.yaml").read_text(encoding="utf-8").replace("no_consent", "high_value")
    (root / "a.rules.yaml").write_text(rules, encoding="utf-8")
    (root / "dialproof.toml").write_text('ignore = ["DP305"]\n', encoding="utf-8")
    project = load_project(load_config(root))
    expected = expect(project, LintResult(()), today=date(2026, 3, 7))
    assert expected.refusals == (
        "campaign cmp_123 has several rules of one name, which nothing tells apart: high_value",
    )
