"""Populations: counts and statements over columns are those of each contact, of cel-python, of csv and of DuckDB."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialproof.bulk import read
from dialproof.bulk.columns import Columns, contacts_of
from dialproof.bulk.population import run_population, unmet
from dialproof.bulk.recheck import Recheck
from dialproof.bulk.run import BulkEvaluator
from dialproof.bulk.statements import StatementTally
from dialproof.bulk.tally import Examples
from dialproof.config import Config, Semantics, load_config
from dialproof.errors import InputError
from dialproof.evaluate import Evaluator
from dialproof.model.parse_contacts import parse_contacts
from dialproof.populations import Statements
from dialproof.project import load_project
from dialproof.source import read_source
from tests.lint.bulk.backtests import write_project
from tests.lint.bulk.frames import frames
from tests.lint.bulk.test_against_rows import sequences
from tests.lint.bulk.test_backtest_command import LIST, RULES
from tests.lint.cel.build import campaign

if TYPE_CHECKING:
    import polars as pl

    from dialproof.bulk.report import Report
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.rules import Rule

STATEMENTS = """\
population:
  - name: p
    contacts: a.csv
    expect:
      each:
        - {always: outcome.dial}
        - {never: outcome.dial, where: 'contact.s == "TX"'}
        - {never: '"rule 0" in outcome.matched', where: contact.n > 5.0}
        - {always: '"rule 1" in outcome.undecided || !outcome.dial', where: contact.b}
        - {always: 'outcome.lists["a"]'}
        - {always: 'outcome.lists["a"]', where: '"a" in outcome.lists'}
        - {never: outcome.lists.b == false}
        - {always: size(outcome.matched) > 1, where: 'text.n != ""'}
        - {never: outcome.undecided.size() == 1}
        - {never: 'outcome.matched.exists(r, r == "rule 0")', where: contact.t < now}
        - {never: 'outcome.contact.s == "TX"', where: outcome.dial}
        - {always: 'outcome.dial == (contact.s != "a")'}
        - {always: 'contact.s != "a"', where: size(outcome.matched) == 1}
        - {never: 'contact.n > 1.0 && (outcome.dial || "rule 2" in outcome.matched)'}
"""


def parsed(text: str) -> ContactsFile:
    """Return the contacts file of a text."""
    file, problems = parse_contacts(read_source(Path("p.contacts.yaml"), "p.contacts.yaml", text.encode()))
    assert file is not None, problems
    return file


@given(
    rules=sequences(),
    frame=frames(max_size=5),
    semantics=st.builds(Semantics, undecided=st.sampled_from(["refuseToDial", "unmet", "met"])),
    category=st.sampled_from(["preCall", "wrapUp"]),
)
@settings(deadline=None, max_examples=12)
def test_statements_hold_of_whom_cel_python_says(
    tmp_path_factory: pytest.TempPathFactory,
    rules: list[Rule],
    frame: pl.DataFrame,
    semantics: Semantics,
    category: Any,
) -> None:
    """For each contact of a frame the verdict is that of cel-python on its outcome; shown ones are of the frame."""
    of = campaign(*rules)
    bulk = BulkEvaluator(Evaluator(of, semantics), category=category)
    file = parsed(STATEMENTS)
    statements = Statements(file.path, file.populations[0], of, Config(tmp_path_factory.getbasetemp()))
    tally = StatementTally(statements, bulk, Examples([of.contact_list], None, None))
    columns = Columns(frame, None)
    outcomes = bulk.run(columns)
    batch = read.Batch("f.csv", frame, read.numbers(0, frame.height))
    recheck = Recheck(bulk, count=1, seed=0)
    tally.add(batch, columns, outcomes, recheck.check(batch, columns, outcomes))
    reference = Evaluator(of, semantics, reference=True)
    contacts = contacts_of(frame)
    views = [statements.seen(reference.view(c), reference.run(c, category=category)) for c in contacts]
    for held in tally.held:
        statement = held.statement
        where, _ = statements.programs(statement)
        verdicts = [statements.verdict(statement, view, reference=True) for view in views]
        wrong = [row for row, verdict in enumerate(verdicts, 1) if verdict is not True]
        assert held.violated == len(wrong), statement
        assert held.about == sum(where is None or where.reference(view) is True for view in views), statement
        assert [(v.example.row, v.undecided) for v in held.shown] == [(r, verdicts[r - 1] is None) for r in wrong[:3]]
    assert tally.wrong == []


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Return a project with two files of contacts."""
    write_project(tmp_path, LIST, RULES)
    draw = random.Random(1)
    for name in ("a.csv", "b.csv"):
        rows = [
            [
                f"{name}{i}",
                str(draw.randint(10, 80)),
                draw.choice(["TX", "CA", "NY"]),
                draw.choice(["yes", "no"]),
                "+1555",
            ]
            for i in range(500)
        ]
        lines = [["id", "age", "state", "consent", "phone"], *rows]
        (tmp_path / name).write_text("".join(f"{','.join(line)}\n" for line in lines))
    return tmp_path


def _run(
    root: Path, expect: str, more: str = "", files: tuple[str, ...] = ("a.csv", "b.csv")
) -> tuple[Report, list[tuple[str, str]]]:
    """Run a population; return its report, and what is not as expected with what was there."""
    text = f"population:\n  - name: p\n    contacts: '*.csv'\n    expect: {expect}\n{more}"
    population = parsed(text).populations[0]
    config = load_config(root)
    [of] = load_project(config).campaigns
    statements = Statements("p.contacts.yaml", population, of, config)
    evaluator = Evaluator(of, Semantics())
    report = run_population(
        population, statements, evaluator, {name: root / name for name in files}, now=None, time_zone=None
    )
    return report, [(one.key, one.got) for one in unmet(population, report)]


def test_counts_are_those_of_csv_and_sql(people: Path) -> None:
    """Contacts, rules, dialing, lists and statements are counted in plain Python and by DuckDB."""
    texts = ((people / name).read_text().splitlines() for name in ("a.csv", "b.csv"))
    rows = [row for text in texts for row in csv.DictReader(text)]
    minors = sum(int(row["age"]) < 18 for row in rows)
    texans = sum(row["state"] == "TX" for row in rows)
    off = sum(int(row["age"]) > 64 for row in rows)
    on = sum(row["state"] == "TX" and int(row["age"]) <= 64 for row in rows)
    sql = "select count(*) from read_csv(?, all_varchar=true) where age::int >= 18 and consent = 'no'"
    found = duckdb.execute(sql, [str(people / "*.csv")]).fetchone()
    assert found is not None
    each = (
        '[{never: outcome.dial, where: contact.consent == "no"}, '
        "{never: outcome.dial, where: contact.age < 18.0}, {always: outcome.dial}]"
    )
    expect = (
        f"{{contacts: 1000, matched: {{minors: {minors}, texans: {texans}, phones: {off}}}, dial: {1000 - minors}, "
        f"lists: {{texas: {on}}}, each: {each}}}"
    )
    report, wrong = _run(people, expect)
    assert wrong == [
        ("never", f"violated by {found[0]} of {sum(row['consent'] == 'no' for row in rows):,} contacts"),
        ("always", f"violated by {minors} of 1,000 contacts"),
    ]
    assert report.held is not None
    assert [one.example.row for one in report.held.held[0].shown] == [
        i for i, row in enumerate(rows[:500], 1) if row["consent"] == "no" and int(row["age"]) >= 18
    ][:3]
    assert report.held.held[1].about == minors
    one_less = expect.replace(f"minors: {minors}", f"minors: {minors - 1}").replace(each, "[{always: 1 == 1}]")
    assert _run(people, one_less)[1] == [("matched.minors", f"{minors} ({minors / 10:.1f} %)")]


def test_undecided_contacts_are_not_expected(people: Path) -> None:
    """A contact that cannot be decided fails a population, unless it says how many there may be; rules are named."""
    with (people / "a.csv").open("a") as file:
        file.write("x,,TX,yes,\ny,old,TX,yes,+1\n")
    got = "2 (0.2 %); minors: 2; phones: 1"
    assert _run(people, "{contacts: 1002}")[1] == [("undecided", got)]
    assert _run(people, "{undecided: {max: 0.3 %}}")[1] == []


def test_bad_rows_are_as_in_a_backtest(people: Path) -> None:
    """They are named and the end of it, unless the population leaves them out; nothing left is no pass."""
    (people / "c.csv").write_text("id,age,state,consent,phone\nx,1\n")
    with pytest.raises(InputError, match=r"c\.csv:2:1: row 1: expected 5 cells.*\n.*: onBadRow: skip, or report"):
        _run(people, "{contacts: 1000}", files=("a.csv", "b.csv", "c.csv"))
    report, wrong = _run(people, "{contacts: 1000}", "    onBadRow: skip\n", ("a.csv", "b.csv", "c.csv"))
    assert (wrong, report.left_out) == ([], 1)
    assert _run(people, "{contacts: 0}", "    onBadRow: skip\n", ("c.csv",))[1] == [("contacts", "0")]


def test_columns_that_a_file_lacks(people: Path) -> None:
    """A column that only a statement reads has to be there as well, unless it may be blank."""
    (people / "c.csv").write_text("id,age,state,phone\nx,20,TX,\n")
    each = '{each: [{never: contact.consent == "no"}]}'
    with pytest.raises(
        InputError, match=r"'consent', which what is expected of each contact reads\n.*missingColumns: blank"
    ):
        _run(people, each, files=("c.csv",))
    assert _run(people, each, "    missingColumns: blank\n", ("c.csv",))[1] == []


def test_a_run_that_breaks_fails_a_population(people: Path) -> None:
    """Counting up what is no number is a failure of the run, whatever is expected."""
    rules = people / "c.rules.yaml"
    rules.write_text(rules.read_text().replace(
        "{type: switchToPreview}", "{type: setAttribute, attribute: state, option: INCREMENT}"
    ))  # fmt: skip
    _, wrong = _run(people, "{contacts: 1000}")
    assert [key for key, _ in wrong] == ["failure"]
