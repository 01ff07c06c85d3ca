"""``dialproof lint`` on hostile input, on paths, and on what it writes."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.output import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

RULE = """\
  - name: {name}
    version: 1
    priority: 1
    executionOrder: {order}
    conditions: [{{attribute: state, operator: equals, value: {state}}}]
    actions: [{{type: setList, listId: {name}}}]
"""


def _rules(*rules: tuple[str, int, str], campaign: str = "spring") -> str:
    return f"campaign: {campaign}\nrules:\n" + "".join(RULE.format(name=n, order=o, state=s) for n, o, s in rules)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the current one, with a plain terminal."""
    for name in ("NO_COLOR", "FORCE_COLOR", "DIALPROOF_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _hostile() -> dict[str, tuple[str, bytes, int]]:
    """Name -> (file name, content, exit code)."""
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
    )
    return {
        "nothing": ("a.rules.yaml", b"", 3),
        "a tab": ("a.rules.yaml", b"campaign: c\nrules:\n\t- name: a\n", 3),
        "10 MB": ("a.rules.yaml", b"# " + b"x" * 10_000_000 + b"\n", 3),
        "an alias bomb": ("a.rules.yaml", bomb.encode(), 3),
        "deep nesting": ("a.rules.yaml", b"[" * 100_000, 3),
        "no UTF-8": ("a.rules.yaml", b"campaign: \xff\n", 3),
        "NUL": ("a.rules.yaml", b"campaign: \x00\n", 3),
        "a tag that builds objects": ("a.rules.yaml", b"campaign: !!python/object/apply:os.system [id]\n", 3),
        "a list": ("a.rules.yaml", b"- a\n- b\n", 1),
        "a scalar": ("a.rules.yaml", b"text\n", 1),
        "a list for a mapping": ("a.rules.yaml", b"campaign: c\nrules:\n  - [name, a]\n", 1),
        "broken JSON": ("a.rules.json", b'{"campaign": "c", "rules": [}', 3),
        "a ragged CSV": ("a.contacts.csv", b"state,expect.dial\nTX\n", 1),
        "an empty CSV": ("a.contacts.csv", b"", 1),
        "an empty contact list": ("a.contactlist.yaml", b"columns: {}\n", 1),
    }


@pytest.mark.parametrize("name", _hostile())
def test_hostile_input_is_findings_with_places(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file ends in a traceback: each is findings with file, line and column, and the documented exit code."""
    file, content, code = _hostile()[name]
    (folder / file).write_bytes(content)
    found = main(["lint", file])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert "internal error" not in err
    assert (found in (1, 3)) if code else found == 0
    if code == 3:
        assert found == 3
    for line in out.splitlines():
        assert re.match(rf"{re.escape(file)}:\d+:\d+: DP\d{{3}} (error|warning|info) .", line), line
    assert bool(out) == bool(code)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('executionOrder: "1"', "DP102"),
        ("executionOrder: 0", "DP102"),
        ("executionOrder: 1.5", "DP102"),
        ("priority: 0", "DP108"),
        ("priority: 1001", "DP108"),
        ("name: []", "DP102"),
        ("enabled: maybe", "DP102"),
        ("version: ", "DP102"),
    ],
)
def test_a_wrong_value_is_reported_at_its_place(
    line: str, found: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One wrong value is one finding, on its line."""
    key = line.partition(":")[0]
    text, replaced = re.subn(rf"(?m)^(  - |    ){key}: .*$", lambda m: m[1] + line, _rules(("a", 1, "TX")), count=1)
    text += "" if replaced else f"    {line}\n"
    (folder / "a.rules.yaml").write_text(text)
    assert main(["lint"]) == 1
    (finding,) = capsys.readouterr().out.splitlines()
    number = next(n for n, row in enumerate(text.splitlines(), 1) if line.strip() in row)
    assert finding.startswith(f"a.rules.yaml:{number}:")
    assert f" {found} error " in finding


def test_a_cel_error_inside_a_block_is_placed_to_the_character(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The column is that of the character at fault in the file, not in the decoded text."""
    text = (
        "campaign: c\nrules:\n  - name: a\n    version: 1\n    priority: 1\n    executionOrder: 1\n    when: |\n"
        '      contact.state == "TX" &&\n        contact.state = "CA"\n    actions: [{type: doNotDial}]\n'
    )
    (folder / "a.rules.yaml").write_text(text)
    assert main(["lint"]) == 1
    assert capsys.readouterr().out.startswith("a.rules.yaml:9:23: DP103 error ")


def test_findings_of_every_file_are_reported_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One unreadable file does not hide what is wrong with the others."""
    (folder / "a.rules.yaml").write_text("rules: [\n")
    (folder / "b.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint"]) == 3
    assert [line.split(": ")[1][:5] for line in capsys.readouterr().out.splitlines()] == ["DP101", "DP501"]


def test_paths_are_those_of_the_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Findings name files as seen from the current folder, wherever the configuration lies."""
    (folder / "dialproof.toml").write_text("")
    (folder / "rules").mkdir()
    (folder / "rules" / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint", "rules"]) == 1
    assert capsys.readouterr().out.startswith("rules/a.rules.yaml:12:21: DP501")
    monkeypatch.chdir(folder / "rules")
    assert main(["lint"]) == 1
    assert capsys.readouterr().out.startswith("a.rules.yaml:12:21: DP501")


def test_a_contact_list_that_changed_brings_the_findings_of_its_rules(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where only the contact list is passed, what it does to the rules is reported."""
    (folder / "p.contactlist.yaml").write_text("columns: {city: {type: string}}\n")
    (folder / "a.rules.yaml").write_text("contactList: p.contactlist.yaml\n" + _rules(("a", 1, "TX")))
    assert main(["lint", "p.contactlist.yaml"]) == 1
    assert capsys.readouterr().out.startswith("a.rules.yaml:8:30: DP105 error column state is not in")


@pytest.mark.parametrize("paths", [["one", "two"], ["."], ["one/a.rules.yaml", "two/a.rules.yaml"]])
def test_each_project_is_linted_by_its_own_configuration(
    paths: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Several projects in one run: each is a whole of its own, and its own fail-on decides."""
    for name, level in (("one", "error"), ("two", "warning")):
        (folder / name).mkdir()
        (folder / name / "dialproof.toml").write_text(f'fail-on = "{level}"\n[severity]\nDP501 = "warning"\n')
        (folder / name / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint", *paths, "-f", "concise", "-f", "junit=lint.xml"]) == 1
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.out.splitlines()] == ["one/a.rules.yaml", "two/a.rules.yaml"]
    assert "2 warnings in 2 files" in printed.err
    assert [suite.count("<failure") for suite in (folder / "lint.xml").read_text().split("<testsuite ")[1:]] == [0, 1]
    (folder / "two" / "dialproof.toml").write_text('[severity]\nDP501 = "warning"\n')
    assert main(["lint", *paths]) == 0


def test_several_formats_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One format to the terminal and others to files, from one run."""
    (folder / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint", "-f", "concise", "-f", "json=out.json", "-f", "junit=out.xml", "-f", "full=out.txt"]) == 1
    assert capsys.readouterr().out.count("\n") == 1
    assert [f["code"] for f in json.loads((folder / "out.json").read_text("utf-8"))["findings"]] == ["DP501"]
    assert "<testsuites" in (folder / "out.xml").read_text("utf-8")
    assert "^" in (folder / "out.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_follows_the_environment(
    environment: dict[str, str],
    colored: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a terminal there is colour only if FORCE_COLOR asks for it, and never with NO_COLOR."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (folder / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint", "-f", "full"]) == 1
    assert ("\x1b[" in capsys.readouterr().out) is colored


def test_a_file_that_cannot_be_written_leaves_the_other_output_whole(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything else is written, the summary too, and the highest exit code counts."""
    (folder / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "CA")))
    assert main(["lint", "-f", "json=gone/out.json", "-f", "junit=out.xml", "-f", "concise"]) == 2
    printed = capsys.readouterr()
    assert "DP501" in printed.out
    assert "1 error in 1 file" in printed.err
    assert "gone/out.json: cannot be written: No such file or directory" in printed.err
    assert "<testsuites" in (folder / "out.xml").read_text("utf-8")
    assert main(["lint", "-f", "json="]) == 2
    assert "--output-format json= names no file" in capsys.readouterr().err


def test_suppressions_in_contact_lists_and_contacts_are_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed comment, an unknown code and an unused suppression are reported wherever a YAML file may hold one."""
    (folder / "p.contactlist.yaml").write_text(
        "# dialproof: ignore-file[DP999] x\ncolumns:\n  state: {type: string, enum: [TX]}  # dialproof: ignore[DP501]\n"
    )
    (folder / "a.rules.yaml").write_text("contactList: p.contactlist.yaml\n" + _rules(("a", 1, "TX")))
    (folder / "a.contacts.yaml").write_text(
        "cases:\n  - name: one  # dialproof: ignore[DP501] soon\n    contact: {state: TX}\n    expect: {dial: true}\n"
    )
    assert main(["lint"]) == 1
    assert [line.partition(" ")[0] + line.partition(" ")[2][:5] for line in capsys.readouterr().out.splitlines()] == [
        "a.contacts.yaml:2:36:DP903",
        "a.rules.yaml:4:11:DP602",
        "p.contactlist.yaml:1:26:DP902",
        "p.contactlist.yaml:3:38:DP902",
    ]


NUMBERS = ("+13035550123", "+13035550199", "+13035550777", "+13035550888")


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_values_of_a_personal_column_are_never_shown(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What rules write to it or compare with it stands in no sentence, witness or excerpt; names of rules do."""
    (folder / "p.contactlist.yaml").write_text("columns:\n  ph: {type: string, pii: true}\n  state: {type: string}\n")
    write = "{{type: setAttribute, attribute: ph, value: '{}'}}"
    text = _rules(("NV", 1, "TX"), ("b", 2, "TX"), ("c", 3, "TX"))
    text = text.replace("actions: [{type: setList, listId: NV}]", f"actions: [{write.format(NUMBERS[0])}]")
    text = text.replace(
        "actions: [{type: setList, listId: b}]",
        f"actions:\n      - {write.format(NUMBERS[1])}\n      - {write.format(NUMBERS[2])}",
    )
    text = text.replace(
        "conditions: [{attribute: state, operator: equals, value: TX}]\n    actions: [{type: setList, listId: c}]",
        "conditions:\n"
        f"      - {{attribute: ph, operator: equals, value: '{NUMBERS[3]}'}}\n"
        "      - {attribute: ph, operator: equals, value: NV}\n"
        f"      - {{attribute: ph, operator: greaterThan, value: '{NUMBERS[3]}', type: number}}\n"
        "    actions: [{type: setList, listId: c}]",
    )
    (folder / "a.rules.yaml").write_text("contactList: p.contactlist.yaml\n" + text)
    main(["lint", "-f", form])
    printed = capsys.readouterr()
    found = printed.out + printed.err
    assert all(number not in found for number in NUMBERS)
    assert 'rules "NV" and "b" act on one contact' in found.replace("\\", "").replace("&quot;", '"')
    assert {"DP201", "DP204", "DP301"} <= set(re.findall(r"DP\d{3}", found))


def test_lint_works_without_asserts_and_says_what_it_needs_without_docstrings(folder: Path) -> None:
    """``python -O`` finds the same; ``-OO`` takes the pages of the checks away, which is one sentence."""
    import subprocess
    import sys

    (folder / "a.rules.yaml").write_text(
        _rules(("a", 1, "TX"), ("b", 2, "TX")).replace("listId: b", "listId: a, value: 'false'")
    )
    runs = [
        subprocess.run(
            [sys.executable, option, "-m", "dialproof", "lint"], cwd=folder, capture_output=True, text=True, check=False
        )
        for option in ("-O", "-OO")
    ]
    assert "\na.rules.yaml:9:11: DP301 error" in runs[0].stdout
    assert (runs[1].returncode, runs[1].stdout) == (2, "")
    assert runs[1].stderr == (
        "dialproof: error: the pages of the checks are docstrings, which python -OO removes: "
        "run Python with -O or without\n"
    )


def test_a_run_is_repeatable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs print the same bytes, and nothing is left behind where nobody wrote CEL that would have to be parsed."""
    (folder / "a.rules.yaml").write_text(_rules(("a", 1, "TX"), ("b", 1, "TX"), ("c", 1, "CA")))
    runs = []
    for _ in range(2):
        main(["lint", "-f", "json"])
        runs.append(capsys.readouterr().out)
    assert runs[0] == runs[1]
    assert os.listdir(folder) == ["a.rules.yaml"]


def test_undecided_fails_under_strict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be decided is a warning, and an error under --strict."""
    (folder / "dialproof.toml").write_text('[severity]\nDP901 = "info"\n')
    (folder / "a.rules.yaml").write_text(
        _rules(("a", 1, "TX")).replace(
            "conditions: [{attribute: state, operator: equals, value: TX}]",
            'when: size(contact.state) == 7.0 && contact.state.matches("(?m)^[a-f]+7z$")',
        )
    )
    assert main(["lint", "--select", "DP201,DP901"]) == 0
    assert " DP901 info " in capsys.readouterr().out
    assert main(["lint", "--select", "DP201,DP901", "--strict"]) == 1
    assert " DP901 error " in capsys.readouterr().out


def test_only_the_day_decides_over_a_suppression(folder: Path) -> None:
    """The clock is given to the linter: the same project on the last day and on the day after."""
    from datetime import date

    from dialproof.config import load_config
    from dialproof.lint import lint
    from dialproof.project import load_project

    text = _rules(("a", 1, "TX"), ("b", 1, "CA")).replace(
        "- name: b", "- name: b  # dialproof: ignore[DP501] renumbered soon until 2026-06-30"
    )
    (folder / "a.rules.yaml").write_text(text)
    project = load_project(load_config(folder))
    last = lint(project, today=date(2026, 6, 30))
    assert [s.finding.code for s in last.suppressed] == ["DP501"]
    assert (last.suppressed[0].reason, last.suppressed[0].until) == ("renumbered soon", date(2026, 6, 30))
    assert "DP501" not in {f.code for f in last.findings}
    after = lint(project, today=date(2026, 7, 1))
    assert not after.suppressed
    assert {"DP501", "DP904"} <= {f.code for f in after.findings}


def test_configuration_changes_severities_and_ignores_by_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``severity`` and ``per-file-ignores`` reach every check but not the errors that leave a file out."""
    text = _rules(("a", 1, "TX"), ("b", 1, "CA")).replace("- name: a", "- name: a  # dialproof: ignore[DP505] soon")
    (folder / "a.rules.yaml").write_text(text)
    (folder / "b.rules.yaml").write_text(text.replace("spring", "autumn"))
    (folder / "c.rules.yaml").write_text("rules: [\n")
    (folder / "dialproof.toml").write_text(
        '[severity]\nDP501 = "info"\nDP903 = "error"\nDP101 = "info"\n'
        '[per-file-ignores]\n"b.*" = ["DP5", "unused-suppression"]\n"c.*" = ["DP101"]\n'
    )
    assert main(["lint"]) == 3
    assert [line.partition(": ")[2][:11].strip() for line in capsys.readouterr().out.splitlines()] == [
        "DP903 error",
        "DP501 info",
        "DP101 error",
    ]
