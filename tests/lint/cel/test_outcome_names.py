"""The rules and lists that an expression names, each with its place."""

from __future__ import annotations

from dialproof.cel.outcome_names import names_of_outcome
from dialproof.cel.parse import parse

TEXT = """\
"r" in outcome.matched && !("u" in outcome["undecided"]) || (outcome.dial ? "l" in outcome.lists : outcome.lists.m)
|| outcome.lists["n o"] == false || [1].exists(x, "deep" in outcome.matched)
|| contact.s in outcome.matched || "r" + "s" in outcome.matched || "t" in outcome.contact || "v" in contact.matched
"""


def test_names_are_those_that_stand_in_the_text() -> None:
    """Also inside of macros and under either spelling of a path; what is computed, or is of no outcome, is none."""
    assert [(one.kind, one.name, TEXT[one.start : one.end]) for one in names_of_outcome(parse(TEXT))] == [
        ("rule", "r", '"r"'),
        ("rule", "u", '"u"'),
        ("list", "l", '"l"'),
        ("list", "m", "outcome.lists.m"),
        ("list", "n o", '"n o"'),
        ("rule", "deep", '"deep"'),
    ]
