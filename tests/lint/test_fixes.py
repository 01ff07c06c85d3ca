"""Repairs: what they change and what they leave, how they are proved, and how files are written."""

from __future__ import annotations

import os
import re
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.cli import main
from dialproof.cli.scope import Scope
from dialproof.config import load_config
from dialproof.errors import UsageError
from dialproof.findings import Edit, Finding
from dialproof.fixes import MAX_ROUNDS, Change, Fixes, apply_edits, fix, write
from dialproof.lint import LintResult
from dialproof.project import load_project
from dialproof.source.positions import Span

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dialproof.project import Project

COLUMNS = "columns:\n  a: {type: integer, min: 0, max: 9}\n  s: {type: string}\n"
RULES = """\
campaign: c
contactList: c.contactlist.yaml
rules:
  - name: one
    version: 1
    priority: 1
    executionOrder: 1
    conditions:
      - {attribute: a, operator: greaterThan, value: 5}
      - {attribute: a, operator: greaterThan, value: 3}
    actions: [{type: doNotDial}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with a project the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dialproof.toml").write_text("")
    (tmp_path / "c.contactlist.yaml").write_text(COLUMNS)
    (tmp_path / "a.rules.yaml").write_text(RULES)
    return tmp_path


def found(old: str, new: str, *, path: str = "a.rules.yaml", safe: bool = True) -> Callable[[str], list[Finding]]:
    """Return what finds every place where a text stands, and wants it replaced."""

    def find(text: str) -> list[Finding]:
        places = [
            Span(number, match.start() + 1, number, match.end() + 1)
            for number, line in enumerate(text.splitlines(), 1)
            for match in re.finditer(re.escape(old), line)
        ]
        return [
            Finding("DP203", "x", "info", path, place, old, edits=(Edit(path, place, new),), safe=safe)
            for place in places
        ]

    return find


def repair(
    folder: Path, *finders: Callable[[str], list[Finding]], unsafe: bool = False, asked: str = "."
) -> tuple[Fixes, str]:
    """Repair what the finders find in a.rules.yaml, and return what came of it and of the file."""
    config = load_config(folder)

    def lint(project: Project) -> LintResult:
        content = project.edited.get("a.rules.yaml", (folder / "a.rules.yaml").read_bytes())
        return LintResult(tuple(f for finder in finders for f in finder(content.decode())))

    project = load_project(config)
    fixes = fix(
        project,
        lint(project),
        load=lambda edited: load_project(config, edited=edited),
        lint=lint,
        scope=lambda state: Scope(state, [folder / asked]),
        unsafe=unsafe,
    )
    change = fixes.changes.get("a.rules.yaml")
    return fixes, RULES if change is None else change.after.decode()


def test_a_safe_repair_is_made_where_it_is_proved(folder: Path) -> None:
    """Greater than 4 follows from greater than 5 as greater than 3 does."""
    fixes, text = repair(folder, found("value: 3}", "value: 4}"))
    assert text == RULES.replace("value: 3", "value: 4")
    assert (len(fixes.fixed), fixes.left_out, fixes.result.findings) == (1, (), ())
    assert (folder / "a.rules.yaml").read_text() == RULES  # nothing is written yet


def test_a_safe_repair_that_changes_an_outcome_is_not_made(folder: Path) -> None:
    """Of those that fail together each is tried alone, and the one that is not proved is said."""
    fixes, text = repair(folder, found("value: 3}", "value: 4}"), found("value: 5", "value: 6"))
    assert text == RULES.replace("value: 3", "value: 4")
    (left,) = fixes.left_out
    assert left.finding.summary == "value: 5"
    assert left.why == (
        'not proved to change no outcome: the conditions of rule "one" are not proved to be the same: '
        "some contact tells them apart"
    )


def test_each_of_two_conditions_is_redundant_and_one_has_to_stay(folder: Path) -> None:
    """What is proved of either alone does not hold of both together."""
    (folder / "a.rules.yaml").write_text(RULES.replace("value: 3", "value: 5"))
    line = "      - {attribute: a, operator: greaterThan, value: 5}\n"

    def both(text: str) -> list[Finding]:
        numbers = [n for n, row in enumerate(text.splitlines(keepends=True), 1) if row == line]
        return [
            Finding("DP203", "x", "info", "a.rules.yaml", span, "", edits=(Edit("a.rules.yaml", span, ""),))
            for span in (Span(n, 1, n + 1, 1) for n in numbers)
            if len(numbers) > 1
        ]

    fixes, text = repair(folder, both)
    assert text.count(line) == 1
    assert len(fixes.fixed) == 1


def test_an_unsafe_repair_needs_its_option(folder: Path) -> None:
    """It may change outcomes, but nothing that can no longer be read."""
    unsafe = found("value: 5", "value: 7", safe=False)
    assert repair(folder, unsafe)[1] == RULES
    assert repair(folder, unsafe, unsafe=True)[1] == RULES.replace("value: 5", "value: 7")
    fixes, text = repair(folder, found("priority: 1", "priority: 0", safe=False), unsafe=True)
    assert text == RULES
    assert fixes.left_out[0].why.startswith("a.rules.yaml would have an error (priority: expected 1 to 1000")


def test_overlapping_repairs_wait_for_the_next_round(folder: Path) -> None:
    """The second of two that meet is made of what the first has left; all edits of one finding go together."""
    fixes, text = repair(folder, found("value: 3", "value: 4"), found("3}", "2}"), found("4}", "4.0}"))
    assert text == RULES.replace("value: 3}", "value: 4.0}")
    assert [f.summary for f in fixes.fixed] == ["value: 3", "4}"]


def test_a_finding_whose_edits_overlap_is_left_alone(folder: Path) -> None:
    """A check that contradicts itself breaks no file."""

    def twice(text: str) -> list[Finding]:
        (one,) = found("value: 3", "value: 4")(text)
        return [Finding("DP203", "x", "info", one.path, one.span, "", edits=(*one.edits, *one.edits))]

    fixes, text = repair(folder, twice)
    assert (text, [left.why for left in fixes.left_out]) == (RULES, ["its edits overlap"])


def test_repairs_that_never_settle_end(folder: Path) -> None:
    """Two that undo each other end after some rounds, and it is said."""
    fixes, _ = repair(folder, found("value: 3", "value: 4"), found("value: 4", "value: 3"))
    assert len(fixes.fixed) == MAX_ROUNDS
    assert fixes.left_out[0].why == f"more than {MAX_ROUNDS} rounds: run it again"


def test_files_that_were_not_asked_for_are_not_changed(folder: Path) -> None:
    """A finding in a file that was asked for may need another one: it is said."""

    def elsewhere(text: str) -> list[Finding]:
        other = Edit("c.contactlist.yaml", Span(1, 1, 1, 1), "# a\n")
        return [
            Finding("DP203", "x", "info", one.path, one.span, "", edits=(*one.edits, other))
            for one in found("value: 3", "value: 4")(text)
        ]

    fixes, text = repair(folder, elsewhere, asked="a.rules.yaml")
    assert text == RULES
    assert fixes.left_out[0].why == "c.contactlist.yaml would change too, and was not asked for"
    assert repair(folder, elsewhere)[0].changes.keys() == {"a.rules.yaml", "c.contactlist.yaml"}


def test_hints_beyond_those_that_are_written_out_are_repaired_too(folder: Path) -> None:
    """Of hundreds of hints of a file the first are reported, and all of them are repaired at once."""
    keys = "    id: 5\n    selfUri: /x\n    dateCreated: never\n"
    rules = "".join(
        f"  - id: 5\n    selfUri: /x\n    name: r{n}\n{keys[10:]}    version: 1\n    priority: 1\n"
        f"    executionOrder: {n}\n    when: 'true'\n    actions: [{{type: doNotDial}}]\n"
        for n in range(1, 61)
    ).replace("    selfUri: /x\n    dateCreated: never\n", "    dateCreated: never\n    dateModified: never\n")
    text = f"campaign: c\nrules:\n{rules}"
    (folder / "a.rules.yaml").write_text(text)
    assert main(["lint", "--fix", "--select", "DP102"]) == 0
    left = [line for line in text.splitlines() if not re.search("id:|selfUri|date", line) or "- id" in line]
    wanted = re.sub("  - id: 5\n    name", "  - name", "\n".join(left) + "\n")
    assert (folder / "a.rules.yaml").read_text() == wanted


def test_edits_of_a_text_do_not_overlap() -> None:
    """Applying edits that do is refused rather than guessed."""
    edits = [Edit("a", Span(1, 1, 1, 3), "x"), Edit("a", Span(1, 2, 1, 4), "y")]
    with pytest.raises(ValueError, match=r"^edits of a overlap at 1:2$"):
        apply_edits("abcd", edits)


def test_a_written_file_keeps_what_it_is(folder: Path) -> None:
    """Permissions, a symbolic link, the byte order mark, line ends and a missing last one stay."""
    text = RULES.replace("name: one", "name: one  # \u00e9").replace("executionOrder: 1", "executionOrder: 4")
    content = b"\xef\xbb\xbf" + text.rstrip("\n").replace("\n", "\r\n").encode()
    shared = folder / "shared"
    shared.mkdir()
    target = shared / "real.txt"
    target.write_bytes(content)
    target.chmod(0o640)
    (folder / "a.rules.yaml").unlink()
    (folder / "a.rules.yaml").symlink_to(target)
    assert main(["lint", "--fix", "--select", "DP510"]) == 0
    assert (folder / "a.rules.yaml").is_symlink()
    assert target.read_bytes() == content.replace(b"executionOrder: 4", b"executionOrder: 1")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(shared) == ["real.txt"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    """Nothing at all is written then, and no other file is left beside."""
    (folder / "b.rules.yaml").write_text("b")
    changes = {"a.rules.yaml": Change(RULES.encode(), b"x"), "b.rules.yaml": Change(b"was b", b"y")}
    with pytest.raises(UsageError, match=r"^b\.rules\.yaml: was changed while it was being fixed: nothing was written"):
        write(folder, changes)
    assert (folder / "a.rules.yaml").read_text() == RULES
    assert sorted(os.listdir(folder)) == ["a.rules.yaml", "b.rules.yaml", "c.contactlist.yaml", "dialproof.toml"]


def test_a_file_that_changed_before_its_repair_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The findings are reported all the same, with the reason."""
    from dialproof import lint as module

    (folder / "a.rules.yaml").write_text(RULES.replace("executionOrder: 1", "executionOrder: 4"))
    before = module.lint

    def meanwhile(project: Project, **options: object) -> LintResult:
        (folder / "a.rules.yaml").write_text(RULES)
        return before(project, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "lint", meanwhile)
    assert main(["lint", "--fix", "--select", "DP510"]) == 2
    out, err = capsys.readouterr()
    assert "DP510 info" in out
    assert "a.rules.yaml: was changed while it was being fixed: nothing was written, run it again" in err
    assert (folder / "a.rules.yaml").read_text() == RULES


def test_one_file_under_two_names_is_written_once(folder: Path) -> None:
    """Two names with one change are one file; two with different changes are refused."""
    (folder / "b.rules.yaml").symlink_to(folder / "a.rules.yaml")
    change = Change(RULES.encode(), b"x")
    with pytest.raises(UsageError, match=r"is the same file as a\.rules\.yaml"):
        write(folder, {"a.rules.yaml": change, "b.rules.yaml": Change(RULES.encode(), b"y")})
    write(folder, {"a.rules.yaml": change, "b.rules.yaml": change})
    assert (folder / "b.rules.yaml").read_bytes() == b"x"


def test_nothing_is_fixed_where_a_check_breaks(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a broken check would have found is unknown, so that no suppression of it is unneeded."""
    from dataclasses import replace

    from dialproof.checks import registry

    def break_down(_: object) -> list[Finding]:
        raise ZeroDivisionError

    text = RULES.replace("name: one", "name: one  # dialproof: ignore[DP301] known")
    (folder / "a.rules.yaml").write_text(text)
    checks = [replace(c, run=break_down) if c.code == "DP301" else c for c in registry.all_checks()]
    known = {check.code: check for check in checks}
    monkeypatch.setattr("dialproof.lint.all_checks", lambda: tuple(checks))
    monkeypatch.setattr("dialproof.lint.checks_by_code", lambda: known)
    assert main(["lint", "--fix"]) == 70
    assert "DP903" not in capsys.readouterr().out
    assert (folder / "a.rules.yaml").read_text() == text


def test_a_question_that_was_left_open_makes_no_suppression_unneeded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """DP901 says that DP301 may occur: the comment that allows it stays."""
    (folder / "dialproof.toml").write_text("[checks.DP301]\nbudget = 1\n")
    one, two = ("""'["x"].exists(t, t == contact.s && contact.a """ + f"{sign} 5.0)'" for sign in "><")
    text = "campaign: c\ncontactList: c.contactlist.yaml\nrules:\n"
    for number, (name, condition, action) in enumerate(
        (
            ("one", one, "doNotDial"),
            ("two  # dialproof: ignore[DP301] known", two, "switchToPreview"),
        ),
        1,
    ):
        text += f"  - name: {name}\n    version: 1\n    priority: 1\n    executionOrder: {number}\n"
        text += f"    when: {condition}\n    actions: [{{type: {action}}}]\n"
    (folder / "a.rules.yaml").write_text(text)
    main(["lint", "--fix", "--select", "DP301,DP901,DP903"])
    assert "DP901" in capsys.readouterr().out
    assert (folder / "a.rules.yaml").read_text() == text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--diff", "-f", "json"], "leave --output-format out"),
        (["--diff", "--write-baseline"], "leave --write-baseline out"),
        (["--write-baseline", "a.rules.yaml"], "expected a file that ends in .json"),
        (["--write-baseline", "x.rules.json"], "expected a file that ends in .json"),
        (["--baseline", "gone.json"], "there is no such file"),
        (["--baseline", "gone.json", "--no-baseline"], "not allowed with argument"),
    ],
)
def test_options_that_contradict_each_other(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are refused before anything is read or written."""
    assert main(["lint", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert (folder / "a.rules.yaml").read_text() == RULES


_COMMENTS = st.sampled_from(("", "  # why", "  # dialproof: ignore[DP501] once"))


@st.composite
def rules_files(draw: st.DrawFn) -> str:
    """Draw rules with everything that can be repaired, comments in all places, and either line end."""
    lines = ["# head", "campaign: c", f"contactList: c.contactlist.yaml{draw(_COMMENTS)}", "rules:"]
    orders = draw(st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
    for number, order in enumerate(orders):
        lines += draw(st.sampled_from(([], ["", "  # about it"], ["  # dialproof: ignore[DP502] never"])))
        first, *keys = draw(
            st.permutations([f"name: r{number}", "version: 1", f"executionOrder: {order}", "priority: 5", "id: 7"])
        )
        lines += [f"  - {first}{draw(_COMMENTS)}", *(f"    {key}{draw(_COMMENTS)}" for key in keys)]
        lines += draw(st.sampled_from(([], ["    overrides: [gone, r0]"], ["    overrides:", "      - gone  # x"])))
        kind = draw(st.sampled_from((", type: string", "", ", type: 'string'")))
        lines += [
            "    conditions:",
            f"      - {{attribute: s, operator: lessThan, value: '{number}'{kind}}}{draw(_COMMENTS)}",
            "      - attribute: s",
            f"        operator: notEquals{draw(_COMMENTS)}",
            f"        value: {draw(st.sampled_from(('yes', 'No', 'x')))}{draw(_COMMENTS)}",
            "    actions: [{type: doNotDial}]",
        ]
    line_break = draw(st.sampled_from(("\n", "\r\n")))
    return line_break.join(lines) + draw(st.sampled_from(("", line_break)))


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules_files())
def test_fixing_twice_is_fixing_once(folder: Path, text: str) -> None:
    """After one run there is nothing left to fix; comments that are no unneeded suppressions are as before."""
    path = folder / "a.rules.yaml"
    path.write_bytes(text.encode())
    main(["lint", "--fix", "--exit-zero"])
    once = path.read_bytes()
    assert main(["lint", "--diff"]) == 0
    main(["lint", "--fix", "--exit-zero"])
    assert path.read_bytes() == once
    after = once.decode()
    owned = {"id: 7  # why", "- gone  # x"}  # they go with what they are about
    for comment in ("# head", "# about it", "# why"):
        gone = sum(text.count(line) for line in owned if comment in line)
        assert after.count(comment) == text.count(comment) - gone
    assert "dialproof: ignore" not in after
    assert after.endswith("\n") == text.endswith("\n")
    assert ("\n" in after.replace("\r\n", "")) == ("\n" in text.replace("\r\n", ""))
    assert [int(n) for n in re.findall(r"executionOrder: (\d+)", after)] == _ranks(text)


def _ranks(text: str) -> list[int]:
    orders = [int(n) for n in re.findall(r"executionOrder: (\d+)", text)]
    return [sorted(orders).index(order) + 1 for order in orders]
