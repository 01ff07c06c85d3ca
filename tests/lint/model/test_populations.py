"""``population:`` of a contacts file is read into populations, or into errors with their places."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dialproof.model.populations import Range
from tests.lint.model.test_contacts import parse, wrong

GOOD = """\
campaign: c
population:
  - name: the March list
    tags: [slow]
    contacts: [lists/march.csv, "lists/*.parquet", lists/old.CSV.GZ]
    category: preCall
    onBadRow: skip
    missingColumns: blank
    expect:
      contacts: {min: 1000}
      matched: {minors: 0, texans: {min: 1 %, max: 5.5%}}
      dial: 81.5 %
      lists: {premium: {max: 10}}
      undecided: {max: 1 %}
      each:
        - {never: outcome.dial, where: contact.consent == "no"}
        - always: >-
            outcome.dial ||
            contact.age < 18.0
  - {name: small, contacts: a.csv, category: wrapUp, expect: {matched: {r: 1}}}
"""


def population(expect: str, more: str = "") -> str:
    """Return a file with one population."""
    return f"population:\n  - name: p\n    contacts: a.csv\n    expect: {expect}\n{more}"


def test_populations_are_read_whole() -> None:
    """Each key has its value, each expectation its place, and CEL its text."""
    file, problems = parse(GOOD)
    assert file is not None, problems
    march, small = file.populations
    assert file.tests == ()
    assert (march.name, march.tags, march.category) == ("the March list", ("slow",), "preCall")
    assert march.contacts == ("lists/march.csv", "lists/*.parquet", "lists/old.CSV.GZ")
    assert (march.on_bad_row, march.blank_columns, march.span.line) == ("skip", True, 3)
    expect = march.expect
    assert {name: wanted.text for name, wanted in expect.matched.items()} == {
        "minors": "0",
        "texans": "at least 1 % and at most 5.5 %",
    }
    assert (expect.spans["matched.texans"].line, expect.spans["matched.texans"].column) == (11, 28)
    never, always = expect.each
    assert (never.kind, never.text.text, never.where and never.where.text) == (
        "never",
        "outcome.dial",
        'contact.consent == "no"',
    )
    assert (always.kind, always.text.text.split(), always.where) == (
        "always",
        ["outcome.dial", "||", "contact.age", "<", "18.0"],
        None,
    )
    assert (small.category, small.on_bad_row, small.blank_columns, small.tags) == ("wrapUp", "fail", False, ())
    assert small.expect.undecided.holds(0, 5)
    assert not small.expect.undecided.holds(1, 5)


@pytest.mark.parametrize(
    ("written", "total", "right", "wrong_ones"),
    [
        ("334", 4119, [334], [333, 335]),
        ("0", 3, [0], [1]),
        ("0 %", 1000, [0, 5], [6]),
        ("5 %", 1000, [45, 50, 55], [44, 56]),
        ("81.5 %", 4119, [3355, 3356], [3354, 3360]),
        ("100 %", 3, [3], [2]),
        ("{min: 5 %}", 1000, [50, 1000], [49]),
        ("{max: 5%}", 3, [0], [1]),
        ("{min: 2, max: 50 %}", 8, [2, 4], [1, 5]),
    ],
)
def test_what_a_range_holds(written: str, total: int, right: list[int], wrong_ones: list[int]) -> None:
    """Numbers are exact, bounds are included, and a share is right if it is the same rounded as it is written."""
    file, problems = parse(population(f"{{dial: {written}}}"))
    assert file is not None, problems
    wanted = file.populations[0].expect.dial
    assert isinstance(wanted, Range)
    assert [n for n in (*right, *wrong_ones) if wanted.holds(n, total)] == right


def test_a_share_is_no_double() -> None:
    """A third of the contacts is not less than 33.333 %, however long the share is written."""
    file, _ = parse(population("{dial: {max: 33.333333333333333333333333333333 %}}"))
    assert file is not None
    wanted = file.populations[0].expect.dial
    assert wanted is not None
    assert wanted.high is not None
    assert wanted.high.number == Fraction(33333333333333333333333333333333, 10**30)
    assert not wanted.holds(1, 3)


PROBLEMS = {
    "no list": ("population: 1\n", (1, 13), "population: expected a list, found the number 1"),
    "empty": ("population: []\n", (1, 13), "population: expected at least one item, found an empty list"),
    "no contacts": (
        "population:\n  - {name: p, expect: {dial: 1}}\n",
        (2, 6),
        "this population lacks contacts",
    ),
    "unknown key": (
        population("{dial: 1}", "    onBadRows: skip\n"),
        (5, 5),
        'unknown key "onBadRows" in this population; did you mean onBadRow?',
    ),
    "unknown expectation": (
        population("{dail: 1}"),
        (4, 14),
        'unknown key "dail" in this expectation; did you mean dial?',
    ),
    "nothing expected": (
        population("{}"),
        (4, 13),
        "expect asserts nothing: give at least one of dial, matched, each ...",
    ),
    "no file": (
        "population:\n  - {name: p, contacts: [], expect: {dial: 1}}\n",
        (2, 25),
        "contacts: expected at least one file, found an empty list",
    ),
    "no file of contacts": (
        "population:\n  - {name: p, contacts: [a.csv, march.xlsx], expect: {dial: 1}}\n",
        (2, 33),
        "contacts, item: expected a path or glob that ends in .csv, .csv.gz, .tsv, .tsv.gz, .parquet, .pq",
    ),
    "flag": (
        population("{dial: true}"),
        (4, 20),
        "dial: expected a number of contacts such as 334, or a share of them such as 5 %, found true",
    ),
    "text": (
        population('{dial: "334"}'),
        (4, 20),
        'dial: expected a number of contacts such as 334, or a share of them such as 5 %, found the text "334"',
    ),
    "negative": (
        population("{dial: -1}"),
        (4, 20),
        "dial: expected a number of contacts such as 334, or a share of them such as 5 %, found the number -1",
    ),
    "more than all": (
        population("{dial: {max: 101 %}}"),
        (4, 26),
        'max: expected a number of contacts such as 334, or a share of them such as 5 %, found the text "101 %"',
    ),
    "unknown bound": (
        population("{matched: {r: {mn: 1, max: 2}}}"),
        (4, 28),
        'unknown key "mn" in this range; did you mean min?',
    ),
    "no bound": (population("{matched: {r: {}}}"), (4, 27), "this range lacks min or max"),
    "list of numbers": (
        population("{dial: [1, 2]}"),
        (4, 20),
        "dial: expected a number of contacts such as 334, or a share of them such as 5 %, or min and max, found a list",
    ),
    "two statements": (
        population("{each: [{always: a, never: b}]}"),
        (4, 33),
        "expected one of always and never, found both",
    ),
    "no statement": (
        population("{each: [{where: a}]}"),
        (4, 22),
        "this statement lacks always or never",
    ),
    "bad row": (
        population("{dial: 1}", "    onBadRow: skp\n"),
        (5, 15),
        "onBadRow: there is no 'skp'; did you mean skip?",
    ),
}
BETWEEN_VALUES = {
    "no number is right": (
        population("{dial: {min: 2, max: 1}}"),
        (4, 34),
        "dial: max is below min, so no number of contacts is right",
    ),
    "dial in wrapUp": (
        population("{dial: 1}", "    category: wrapUp\n"),
        (4, 20),
        "wrapUp rules do not dial: remove this",
    ),
    "duplicate name": (
        population("{dial: 1}", "  - {name: p, contacts: a.csv, expect: {dial: 1}}\n"),
        (5, 12),
        "duplicate population 'p': first given at line 2; names select items",
    ),
}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [*PROBLEMS.values(), *BETWEEN_VALUES.values()],
    ids=[*PROBLEMS, *BETWEEN_VALUES],
)
def test_what_is_wrong_with_populations(text: str, place: tuple[int, int], message: str) -> None:
    """Each wrong key or value is one error at its place."""
    [(line, column, _, found)] = wrong(text)
    assert ((line, column), found) == (place, message)


def test_all_errors_come_at_once() -> None:
    """What is wrong in one population hides nothing in another, nor CEL that does not parse."""
    text = population("{dial: x, each: [{never: contact.a ==}]}", "  - {name: q, contacts: a.csv, expect: {each: 1}}\n")
    assert [(line, column) for line, column, _, _ in wrong(text)] == [(4, 20), (5, 47), (4, 50)]
