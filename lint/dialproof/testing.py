"""Check cases as data: what a check finds in given files, with exact spans. For dialproof's checks and for yours.

A case file is YAML::

    cases:
      - name: two rules share an order
        files:
          a.rules.yaml: |
            campaign: c
            rules: [...]
        base: {a.rules.yaml: ...}       # optional: the files that changes are looked at against (DP801-DP803)
        config: |                      # optional: the content of dialproof.toml
          select = ["DP501"]
        findings:
          - {code: DP501, at: "a.rules.yaml:9:23-9:24", rules: [b, a]}    # rules may be left out
        fixed:                         # optional: the files that the safe repairs change, as they are then
          a.rules.yaml: |
            campaign: c
            rules: [...]

``at`` is ``path:line:column-endline:endcolumn``, 1-based, the end exclusive. ``findings`` is complete for the codes
that the case file is about (``codes``, default: those that occur in its findings); ``findings: []`` says that there
are none. ``fixed`` is complete too: every other file stays as it is, and so do all of them under ``fixed: {}``;
``unsafe_fixed`` says the same of all repairs (``--unsafe-fixes``). Repaired are findings of the case's codes alone, and
a second time changes nothing. A test runs them all::

    @pytest.mark.parametrize("case", load_cases(Path("cases/my-check.yaml")), ids=str)
    def test_check(case, tmp_path):
        case.check(tmp_path)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dialproof.findings import Finding
    from dialproof.lint import LintResult
    from dialproof.project import Project

__all__ = ["CheckCase", "ExpectedFinding", "load_cases", "place"]

TODAY = date(2026, 1, 1)
"""The day on which cases are linted."""


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that a case expects; ``rules`` None asserts nothing of them."""

    code: str
    at: str
    rules: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class CheckCase:
    """Files, the findings of the given codes in them, and what repairs make of them (None asserts nothing)."""

    name: str
    files: Mapping[str, str]
    config: str
    codes: frozenset[str]
    findings: tuple[ExpectedFinding, ...]
    fixed: Mapping[str, str] | None = None
    unsafe_fixed: Mapping[str, str] | None = None
    base: Mapping[str, str] | None = None

    def __str__(self) -> str:
        """Return the name, for parametrised tests."""
        return self.name

    def lint(self, folder: Path) -> tuple[Finding, ...]:
        """Write the files into an empty folder, lint them, and return the findings of the case's codes."""
        self._write(folder, self.files)
        return self._lint(self._load(folder)).findings

    def _write(self, folder: Path, files: Mapping[str, str]) -> None:
        for name, text in {"dialproof.toml": self.config, **files}.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    @staticmethod
    def _load(folder: Path, edited: Mapping[str, bytes] | None = None) -> Project:
        from dialproof.config import load_config
        from dialproof.project import load_project

        return load_project(load_config(folder), edited=edited)

    def _lint(self, project: Project) -> LintResult:
        from dialproof.base import Base
        from dialproof.lint import lint

        base = None
        if self.base is not None:
            folder = project.config.root / ".base"
            self._write(folder, self.base)
            base = Base("the base", self._load(folder))
        result = lint(project, today=TODAY, base=base)
        return replace(result, findings=tuple(f for f in result.findings if f.code in self.codes))

    def fix(self, folder: Path, *, unsafe: bool = False) -> dict[str, str]:
        """Repair the files of a folder that :meth:`lint` has written; return those that change, as they are then."""
        from functools import partial

        from dialproof.cli.scope import Scope
        from dialproof.fixes import fix

        project = self._load(folder)
        load, scope = partial(self._load, folder), partial(Scope, paths=[folder])
        fixes = fix(project, self._lint(project), load=load, lint=self._lint, scope=scope, unsafe=unsafe)
        again = fix(fixes.project, fixes.result, load=load, lint=self._lint, scope=scope, unsafe=unsafe)
        if again.fixed:
            raise AssertionError(f"{self.name}: a second time finds more to fix: {again.fixed[0].summary}")
        return {path: change.after.decode() for path, change in fixes.changes.items()}

    def check(self, folder: Path) -> None:
        """Raise AssertionError with both lists where the findings are not the expected ones."""
        found = self.lint(folder)
        wanted = sorted((e.code, e.at, e.rules if e.rules is not None else _rules_at(found, e)) for e in self.findings)
        got = sorted((f.code, place(f), f.rules) for f in found)
        if got != wanted:
            lines = [f"{self.name}:", "expected", *map(_line, wanted), "found", *map(_line, got)]
            lines += [f"    {place(f)}: {f.code} {f.summary}" for f in found]
            raise AssertionError("\n".join(lines))
        for name, files, unsafe in (("fixed", self.fixed, False), ("unsafe_fixed", self.unsafe_fixed, True)):
            if files is not None and (after := self.fix(folder, unsafe=unsafe)) != files:
                raise AssertionError(f"{self.name}: {name}\n{_difference(files, after)}")


def _difference(wanted: Mapping[str, str], found: Mapping[str, str]) -> str:
    from difflib import unified_diff

    lines: list[str] = []
    for path in sorted({*wanted, *found}):
        one, other = (files.get(path, "(unchanged)").splitlines() for files in (wanted, found))
        lines += unified_diff(one, other, f"{path} expected", f"{path} found", lineterm="")
    return "\n".join(lines)


def place(finding: Finding) -> str:
    """Return ``path:line:column-endline:endcolumn``."""
    s = finding.span
    return f"{finding.path}:{s.line}:{s.column}-{s.end_line}:{s.end_column}"


def load_cases(path: Path) -> list[CheckCase]:
    """Return the cases of a case file; raises ValueError that names the case and the key at fault."""
    import yaml

    document = yaml.safe_load(path.read_text("utf-8"))
    _keys(path.name, document, {"cases"}, {"codes"})
    cases = [_case(path.name, case) for case in document["cases"]]
    codes = frozenset(document.get("codes") or (e.code for case in cases for e in case.findings))
    return [replace(case, codes=codes) for case in cases]


def _case(file: str, case: Any) -> CheckCase:
    where = f"{file}: case {case.get('name')!r}" if isinstance(case, dict) else file
    _keys(where, case, {"name", "files", "findings"}, {"config", "base", "fixed", "unsafe_fixed"})
    findings = []
    for finding in case["findings"]:
        _keys(f"{where}: finding", finding, {"code", "at"}, {"rules"})
        rules = finding.get("rules")
        findings.append(ExpectedFinding(finding["code"], finding["at"], None if rules is None else tuple(rules)))
    return CheckCase(
        case["name"],
        case["files"],
        case.get("config", ""),
        frozenset(),
        tuple(findings),
        case.get("fixed"),
        case.get("unsafe_fixed"),
        case.get("base"),
    )


def _keys(where: str, mapping: Any, required: set[str], optional: set[str]) -> None:
    if not isinstance(mapping, dict):
        raise ValueError(f"{where}: expected a mapping, found {type(mapping).__name__}")  # noqa: TRY004
    wrong = sorted(map(str, set(mapping) - required - optional))
    missing = sorted(required - set(mapping))
    if wrong or missing:
        parts = [f"unknown keys {', '.join(wrong)}"] * bool(wrong) + [f"missing keys {', '.join(missing)}"] * bool(
            missing
        )
        raise ValueError(f"{where}: {'; '.join(parts)}")


def _rules_at(found: tuple[Finding, ...], expected: ExpectedFinding) -> tuple[str, ...]:
    return next((f.rules for f in found if (f.code, place(f)) == (expected.code, expected.at)), ())


def _line(row: tuple[str, str, tuple[str, ...]]) -> str:
    code, at, rules = row
    return f"    {code} {at}" + (f" rules {list(rules)}" if rules else "")
