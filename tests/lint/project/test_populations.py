"""What populations name is held against the campaign that they test, and their files are found and digested."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from dialproof.errors import InputError
from dialproof.items import expected_cases, expected_items, item_names
from dialproof.populations import digests_of_contacts, files_of
from tests.lint.project.test_project import cases, found, load, rules

if TYPE_CHECKING:
    from pathlib import Path

RULES = """\
contactList: c.contactlist.yaml
rules:
  - {name: r, version: 1, priority: 1, executionOrder: 1, when: contact.a > 1.0, actions: [{type: setList, listId: l}]}
  - name: after
    version: 1
    priority: 1
    executionOrder: 2
    category: wrapUp
    when: contact.a > 1.0
    actions: [{type: setList, listId: l}]
"""
COLUMNS = "columns: {a: {type: number}}\n"


def population(expect: str, contacts: str = "a.csv", name: str = "p") -> str:
    """Return a contacts file with one population."""
    return f"population:\n  - {{name: {name}, contacts: {contacts}, expect: {expect}}}\n"


@pytest.mark.parametrize(
    ("expect", "name", "message"),
    [
        ("{matched: {s: 1}}", "s: 1", "there is no rule 's'; expected one of r, after"),
        ("{matched: {after: 1}}", "after", "after is a wrapUp rule, and this is about preCall"),
        ("{lists: {ll: 1}}", "ll", "no rule puts contacts on a list 'll'; did you mean l?"),
    ],
)
def test_names_that_there_are_not(tmp_path: Path, expect: str, name: str, message: str) -> None:
    """An expectation that nothing can meet, or that holds for ever, is an error at its name."""
    text = population(expect)
    project = load(tmp_path, {"p.rules.yaml": RULES, "c.contactlist.yaml": COLUMNS, "p.contacts.yaml": text})
    column = text.splitlines()[1].index(f"{{{name}") + 2
    assert found(project) == [f"p.contacts.yaml:2:{column}: DP102 population 'p': {message}"]


@pytest.mark.parametrize("pattern", ["../a.csv", "/tmp/a.csv", "x/../../*.csv"])
def test_contacts_outside_of_the_project(tmp_path: Path, pattern: str) -> None:
    """Evidence is of files below the configuration root, so contacts lie there, too."""
    text = population("{dial: 1}", pattern)
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "p.contacts.yaml": text})
    message = f"population 'p': {pattern} lies outside of the project: evidence is of files below its folder"
    assert found(project) == [f"p.contacts.yaml:2:25: DP102 {message}"]


def test_statements_are_type_checked(tmp_path: Path) -> None:
    """What does not parse, names no column or is no statement is DP103 at its place."""
    text = population('{each: [{never: contact.b == 1.0}, {always: contact.a, where: "outcome.dial &&"}]}')
    project = load(tmp_path, {"p.rules.yaml": RULES, "c.contactlist.yaml": COLUMNS, "p.contacts.yaml": text})
    line = text.splitlines()[1]
    assert [
        (p.path, p.span.line, line[p.span.column - 1 :][: len("contact.b")], p.message) for p in project.problems
    ] == [
        ("p.contacts.yaml", 2, "contact.b", "column 'b' is not in c.contactlist.yaml"),
        ("p.contacts.yaml", 2, "contact.a", "expected true or false as the result, found a number"),
        ("p.contacts.yaml", 2, '"}]}}', "the expression ends too early: an operand or a closing bracket is missing"),
    ]
    assert {p.code for p in project.problems} == {"DP103"}


@pytest.mark.parametrize(
    ("never", "wrong", "message"),
    [
        ("dial", "dial", "unknown name 'dial'; did you mean outcome.dial?"),
        ("contct.a", "contct", "unknown name 'contct'; there are contact, text, context, now, outcome"),
        ('"s" in outcome.matched', '"s"', "there is no rule 's'; expected one of r, after"),
        ('!("s" in outcome.undecided)', '"s"', "there is no rule 's'; expected one of r, after"),
        ('"ll" in outcome.lists', '"ll"', "there is no list 'll'; did you mean l?"),
        ("outcome.lists.ll", "outcome.lists.ll", "there is no list 'll'; did you mean l?"),
        ('outcome.lists["ll"]', '"ll"', "there is no list 'll'; did you mean l?"),
        ('"r" in outcome.matched && outcome.lists.l', "", ""),
    ],
)
def test_statements_name_what_there_is(tmp_path: Path, never: str, wrong: str, message: str) -> None:
    """A misspelt rule or list would never match, and the statement hold for ever."""
    text = population(f"{{each: [{{never: '{never}'}}]}}")
    project = load(tmp_path, {"p.rules.yaml": RULES, "c.contactlist.yaml": COLUMNS, "p.contacts.yaml": text})
    line = text.splitlines()[1]
    places = [(line[p.span.column - 1 : p.span.end_column - 1], p.message) for p in project.problems]
    assert places == ([(wrong, message)] if message else [])


def test_items_and_cases(tmp_path: Path) -> None:
    """A population is an item that must pass, by a name that no case has, and no case."""
    text = cases().replace("name: c", 'name: "population: p"') + population("{dial: 1}")
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "p.contacts.yaml": text})
    [campaign] = project.campaigns
    assert item_names(project, "p.contacts.yaml") == ("population: p", "population: p (2)")
    assert expected_cases(project, campaign) == ("p.contacts.yaml::population: p",)
    assert expected_items(project, campaign)[:2] == (
        "p.contacts.yaml::population: p",
        "p.contacts.yaml::population: p (2)",
    )


def test_files_are_found_and_digested(tmp_path: Path) -> None:
    """Globs are relative to the contacts file; a file of brackets is itself; each campaign has its own digests."""
    (tmp_path / "rules/lists").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "[x].csv", "c.tsv"):
        (tmp_path / "rules/lists" / name).write_text(name)
    text = population("{dial: 1}", "['lists/[x].csv', 'lists/?.csv', lists/a.csv]")
    other = "campaign: d\n" + population("{dial: 1}", "lists/c.tsv")
    project = load(
        tmp_path,
        {
            "rules/p.rules.yaml": rules("r", head="campaign: c\n"),
            "d.rules.yaml": rules("r", head="campaign: d\n"),
            "rules/p.contacts.yaml": text,
            "rules/d.contacts.yaml": other,
        },
    )
    assert found(project) == []
    file = project.contacts_files["rules/p.contacts.yaml"]
    assert list(files_of(tmp_path, file, file.populations[0])) == [
        "rules/lists/[x].csv",
        "rules/lists/a.csv",
        "rules/lists/b.csv",
    ]
    of_c = {f"rules/lists/{n}": hashlib.sha256(n.encode()).hexdigest() for n in ("[x].csv", "a.csv", "b.csv")}
    assert digests_of_contacts(project, project.campaign("c")) == of_c
    assert digests_of_contacts(project).keys() == {*of_c, "rules/lists/c.tsv"}
    (tmp_path / "rules/lists/c.tsv").unlink()
    assert digests_of_contacts(project) == of_c
    d = project.contacts_files["rules/d.contacts.yaml"]
    with pytest.raises(InputError, match=r"^there is no file lists/c\.tsv$"):
        files_of(tmp_path, d, d.populations[0])


def test_a_file_without_a_kind_is_found_by_its_populations(tmp_path: Path) -> None:
    """A contacts file that is not called one is no test that nobody runs."""
    text = "rules: p.rules.yaml\n" + population("{dial: 1}")
    project = load(tmp_path, {"p.rules.yaml": rules("r"), "march.yaml": text})
    assert found(project) == [
        "march.yaml:2:1: DP101 this is a contacts file by its keys: rename it to march.contacts.yaml"
    ]
