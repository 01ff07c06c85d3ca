"""Repairs: the edits of findings, made in rounds, proved, and written to the files all together.

A round takes the findings that stand, leaves those that overlap with an earlier one to the next, makes their edits in
memory, and reads and lints the project again. An edit that is called safe is made only where it is proved that no
outcome changes, any other only where every file can still be read; of those that fail together each is tried alone.
Nothing is written before the last round, and nothing at all where a file is no longer what was read.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.source import MAX_BYTES, decode, read_bytes
from dialproof.source.nodes import SourceText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dialproof.cli.scope import Scope
    from dialproof.findings import Edit, Finding
    from dialproof.lint import LintResult
    from dialproof.project import Project
    from dialproof.source.positions import Problem

__all__ = ["MAX_ROUNDS", "Change", "Fixes", "LeftOut", "apply_edits", "fix", "fixable", "write"]

MAX_ROUNDS = 20
"""Rounds after which fixing ends, whatever is left."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Change:
    """The bytes of a file as they were read, and as they are meant to be."""

    before: bytes
    after: bytes


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A finding whose edits were not made, and why not."""

    finding: Finding
    why: str


@dataclass(frozen=True, slots=True)
class Fixes:
    """What fixing came to: the project as it is then, what is left in it, and the files that change, by path."""

    project: Project
    result: LintResult
    fixed: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...]
    changes: Mapping[str, Change]


def fixable(findings: Iterable[Finding], *, unsafe: bool) -> list[Finding]:
    """Return the findings that have edits of the wanted kind."""
    return [finding for finding in findings if finding.edits and (finding.safe or unsafe)]


def fix(
    project: Project,
    result: LintResult,
    *,
    load: Callable[[Mapping[str, bytes]], Project],
    lint: Callable[[Project], LintResult],
    scope: Callable[[Project], Scope],
    unsafe: bool = False,
) -> Fixes:
    """Make the edits of the findings that ``scope`` reports, in files that it covers, until none is left.

    ``load`` reads the project again with contents in place of files; nothing is written. Raises :class:`UsageError`
    where a file is not what was read any more.
    """
    bench = _Bench(project, load, project.edited)
    fixed: list[Finding] = []
    left_out: list[LeftOut] = []
    for number in range(MAX_ROUNDS + 1):
        asked = scope(project)
        standing = [f for f in fixable(result.findings, unsafe=unsafe) if asked.reports(f)]
        if number == MAX_ROUNDS:
            left_out = [LeftOut(finding, f"more than {MAX_ROUNDS} rounds: run it again") for finding in standing]
            break
        left_out = []
        accepted = _round(bench, standing, asked, left_out)
        if not accepted:
            break
        fixed += accepted
        bench = bench.with_edits(accepted)
        project, result = bench.project, lint(bench.project)
    changes = {
        path: Change(before, bench.contents[path])
        for path, before in sorted(bench.originals.items())
        if bench.contents.get(path, before) != before
    }
    return Fixes(project, result, tuple(fixed), tuple(left_out), changes)


def _round(bench: _Bench, standing: Sequence[Finding], asked: Scope, left_out: list[LeftOut]) -> list[Finding]:
    """Return the findings whose edits can be made together; note why others cannot be made at all."""
    taken: dict[str, list[tuple[int, int]]] = {}
    chosen: list[Finding] = []
    for finding in standing:
        why = bench.refusal(finding, asked)
        if why is not None:
            left_out.append(LeftOut(finding, why))
            continue
        extents = bench.extents(finding)
        if not any(_clash(extent, other) for path, extent in extents for other in taken.get(path, ())):
            chosen.append(finding)
            for path, extent in extents:
                taken.setdefault(path, []).append(extent)
    safe = [finding for finding in chosen if finding.safe]
    accepted = bench.settle([], safe, bench.unproved, left_out)
    return bench.settle(accepted, [f for f in chosen if not f.safe], bench.unreadable, left_out)


class _Bench:
    """A project with contents that may not be on disk yet; ``originals`` are those of the files that were edited."""

    def __init__(
        self,
        project: Project,
        load: Callable[[Mapping[str, bytes]], Project],
        contents: Mapping[str, bytes] | None = None,
        originals: dict[str, bytes] | None = None,
    ) -> None:
        self.project = project
        self.contents = dict(contents or {})
        self.originals = {} if originals is None else originals
        self._load = load
        self._texts: dict[str, SourceText] = {}
        self._tried: tuple[list[int], _Bench] | None = None
        self._broken = {problem.path for problem in _errors(project)}

    def text(self, path: str) -> SourceText:
        """Return the text of a file as it was read; raises :class:`UsageError` where it is another one now."""
        if path not in self._texts:
            if path not in self.contents:
                self._read(path)
            self.originals.setdefault(path, self.contents[path])
            text = decode(self.contents[path])
            assert isinstance(text, str)  # what cannot be decoded has no edits
            self._texts[path] = SourceText(text)
        return self._texts[path]

    def _read(self, path: str) -> None:
        content = read_bytes(self.project.config.root / path, MAX_BYTES)
        if isinstance(content, str) or sha256(content).hexdigest() != _digest(self.project, path):
            raise UsageError(f"{path}: was changed while it was being fixed: nothing was written, run it again")
        self.contents[path] = content

    def extents(self, finding: Finding) -> list[tuple[str, tuple[int, int]]]:
        """Return the offsets between which the edits of a finding write, with their paths."""
        return [(edit.path, _extent(self.text(edit.path), edit)) for edit in finding.edits]

    def refusal(self, finding: Finding, asked: Scope) -> str | None:
        """Return why the edits of a finding cannot be made, whatever they come to."""
        for path in sorted({edit.path for edit in finding.edits}):
            if not asked.covers(path):
                return f"{_name(path, finding)} would change too, and was not asked for"
            if path in self._broken:
                return f"{_name(path, finding)} has errors: solve them first"
        extents = self.extents(finding)
        if any(
            one[0] == other[0] and _clash(one[1], other[1]) for i, one in enumerate(extents) for other in extents[:i]
        ):
            return "its edits overlap"
        return None

    def with_edits(self, findings: list[Finding]) -> _Bench:
        """Return the project with the edits of some findings made."""
        known = [id(finding) for finding in findings]
        if self._tried is not None and self._tried[0] == known:
            return self._tried[1]
        by_path: dict[str, list[Edit]] = {}
        for finding in findings:
            for edit in finding.edits:
                by_path.setdefault(edit.path, []).append(edit)
        contents = dict(self.contents)
        for path, edits in by_path.items():
            mark = _BOM if self.contents[path].startswith(_BOM) else b""
            contents[path] = mark + apply_edits(self.text(path), edits).encode()
        bench = _Bench(self._load(contents), self._load, contents, self.originals)
        self._tried = known, bench
        return bench

    def settle(
        self,
        accepted: list[Finding],
        further: list[Finding],
        why_not: Callable[[_Bench], str | None],
        left_out: list[LeftOut],
    ) -> list[Finding]:
        """Return ``accepted`` with those of ``further`` that can be made beside them: all at once, or by halves."""
        if not further:
            return accepted
        together = [*accepted, *further]
        why = why_not(self.with_edits(together))
        if why is None:
            return together
        if len(further) == 1:
            left_out.append(LeftOut(further[0], why))
            return accepted
        middle = len(further) // 2
        accepted = self.settle(accepted, further[:middle], why_not, left_out)
        return self.settle(accepted, further[middle:], why_not, left_out)

    def unreadable(self, after: _Bench) -> str | None:
        """Return why the edits leave something that cannot be read, None where they do not."""
        before = Counter((p.path, p.code, p.message) for p in _errors(self.project))
        new = Counter((p.path, p.code, p.message) for p in _errors(after.project)) - before
        return next((f"{path} would have an error ({message})" for path, _, message in new), None)

    def unproved(self, after: _Bench) -> str | None:
        """Return why the edits are not proved to change no outcome, None where they are."""
        from dialproof.analysis.equivalence import difference

        why = self.unreadable(after) or difference(self.project, after.project)
        return None if why is None else f"not proved to change no outcome: {why}"


def apply_edits(source: SourceText | str, edits: Iterable[Edit]) -> str:
    """Return a text with edits of it made, which must not overlap."""
    source = SourceText(source) if isinstance(source, str) else source
    pieces: list[str] = []
    at = 0
    for (start, end), edit in sorted(((_extent(source, edit), edit) for edit in edits), key=lambda pair: pair[0]):
        if start < at:
            raise ValueError(f"edits of {edit.path} overlap at {edit.span.line}:{edit.span.column}")
        pieces += [source.text[at:start], edit.text]
        at = end
    return "".join([*pieces, source.text[at:]])


def _name(path: str, finding: Finding) -> str:
    return "the file" if path == finding.path else path


def _extent(source: SourceText, edit: Edit) -> tuple[int, int]:
    span = edit.span
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


def _clash(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Tell whether two extents overlap; one that is empty also where it touches the other."""
    if one[0] == one[1] or other[0] == other[1]:
        return one[0] <= other[1] and other[0] <= one[1]
    return one[0] < other[1] and other[0] < one[1]


def _errors(project: Project) -> list[Problem]:
    from dialproof.lint import is_error

    return [problem for problem in project.problems if is_error(problem)]


def _digest(project: Project, path: str) -> str:
    if project.baseline is not None and path == project.baseline.path:
        return project.baseline.digest
    return project.digests.get(path, "")


def write(root: Path, changes: Mapping[str, Change]) -> None:
    """Write the files that change: all of them, or none where one is no longer what was read or cannot be written.

    Each is written beside itself and put in its place; a symbolic link stays one, and permissions are kept. Raises
    :class:`UsageError`.
    """
    targets: dict[Path, tuple[str, Change]] = {}
    for path, change in changes.items():
        target = Path(os.path.realpath(root / path))
        if read_bytes(target, MAX_BYTES) != change.before:
            raise UsageError(f"{path}: was changed while it was being fixed: nothing was written, run it again")
        if targets.setdefault(target, (path, change))[1].after != change.after:
            raise UsageError(f"{path}: is the same file as {targets[target][0]}: nothing was written, fix one of them")
    with ExitStack() as cleanup:
        ready: list[tuple[str, Path]] = []
        for target, (path, change) in targets.items():
            try:
                ready.append((_beside(target, change.after, cleanup), target))
            except OSError as error:
                raise UsageError(f"{path}: cannot be written: {error.strerror}; nothing was written") from error
        for number, (written, target) in enumerate(ready):
            try:
                os.replace(written, target)
            except OSError as error:
                done = f"{number} of {len(ready)} files were written" if number else "nothing was written"
                raise UsageError(f"{targets[target][0]}: cannot be written: {error.strerror}; {done}") from error


def _beside(target: Path, content: bytes, cleanup: ExitStack) -> str:
    """Write a file next to ``target`` with its permissions, and return its name."""
    status = target.stat()
    if not os.access(target, os.W_OK):
        raise PermissionError(13, "the file is read-only")
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".dialproof")
    cleanup.callback(_remove, name)
    with open(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with suppress(OSError):  # whoever may not give it away keeps it
        os.chown(name, status.st_uid, status.st_gid)
    os.chmod(name, status.st_mode & 0o7777)
    return name


def _remove(name: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name)
