"""The baseline: findings that stood when it was written, and are hidden until somebody touches what they are about.

A JSON file at the configuration root with one entry a finding, known by its fingerprint, so that lines may move. It
hides neither what makes a file unreadable nor what is about hiding, and nothing that a change has brought (DP8xx).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.fingerprint import fingerprints
from dialproof.source import MAX_BYTES, Mapping, Scalar, Sequence, read_bytes, read_source
from dialproof.suppressions import NOT_SUPPRESSIBLE, Suppressed, finding_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from collections.abc import Mapping as AbstractMapping
    from collections.abc import Sequence as AbstractSequence

    from dialproof.checks.base import Check
    from dialproof.config import Config
    from dialproof.findings import Finding
    from dialproof.source import Node
    from dialproof.source.positions import Span

__all__ = [
    "BASELINE",
    "REASON",
    "Baseline",
    "Entry",
    "apply_baseline",
    "may_be_in_baseline",
    "read_baseline",
    "written",
]

BASELINE = ".dialproof-baseline.json"
"""The name of the file at the configuration root."""

REASON = "in the baseline"
"""Why a finding of the baseline may stand."""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding of the baseline; ``path`` and ``rules`` are for people."""

    code: str
    path: str
    rules: tuple[str, ...]
    fingerprint: str
    span: Span = field(compare=False)


@dataclass(frozen=True, slots=True)
class Baseline:
    """The file as read; ``path`` is relative to the configuration root, ``digest`` the sha256 (hex) of its bytes."""

    path: str
    entries: tuple[Entry, ...]
    digest: str
    items: Sequence = field(compare=False, repr=False)


def may_be_in_baseline(finding: Finding) -> bool:
    """Tell whether a baseline may hide the finding."""
    return finding.code not in NOT_SUPPRESSIBLE and not finding.code.startswith("DP8")


def read_baseline(config: Config, content: bytes | None = None) -> Baseline | None:
    """Return the baseline that the configuration names, from ``content`` where given; None where there is no such file.

    Raises :class:`UsageError` with each entry that cannot be read.
    """
    path = config.root / config.baseline
    if not config.baseline or (content is None and not path.is_file()):
        return None
    data = read_bytes(path, MAX_BYTES) if content is None else content
    if isinstance(data, str):
        raise UsageError(f"{config.baseline}: {data}")
    source = read_source(Path(f"{path}.json"), config.baseline, data)  # JSON, whatever its name is
    errors = [f"{p.path}:{p.span.line}: {p.message}" for p in source.problems]
    items = source.root.get("findings") if isinstance(source.root, Mapping) else None
    version = source.root.get("version") if isinstance(source.root, Mapping) else None
    if not errors and not (isinstance(items, Sequence) and isinstance(version, Scalar) and version.value == _VERSION):
        errors.append(f'{config.baseline}: expected {{"version": {_VERSION}, "findings": [...]}}; {_AGAIN}')
    entries = []
    for node in items.items if isinstance(items, Sequence) else ():
        entry = _entry(node)
        if entry is None:
            errors.append(f"{config.baseline}:{node.span.line}: expected code, path, rules and fingerprint; {_AGAIN}")
        else:
            entries.append(entry)
    if errors:
        raise UsageError("\n".join(errors))
    assert isinstance(items, Sequence)
    return Baseline(config.baseline, tuple(entries), source.digest, items)


_AGAIN = "write it again with `dialproof lint --write-baseline`"


def _entry(node: Node) -> Entry | None:
    if not isinstance(node, Mapping):
        return None
    code, path, fingerprint = (_text(node.get(key)) for key in ("code", "path", "fingerprint"))
    rules = node.get("rules")
    names = [_text(item) for item in rules.items] if isinstance(rules, Sequence) else [None]
    if code is None or path is None or fingerprint is None or None in names:
        return None
    return Entry(code, path, tuple(name for name in names if name is not None), fingerprint, node.span)


def _text(node: Node | None) -> str | None:
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def apply_baseline(
    findings: AbstractSequence[Finding],
    baseline: Baseline,
    lines: Callable[[str], AbstractSequence[str]],
    checks: AbstractMapping[str, Check],
    *,
    ran: Collection[str],
) -> tuple[list[Finding], list[Suppressed]]:
    """Split findings into those that stand and those of the baseline; add DP903 for entries that are not needed.

    ``ran`` are the codes whose checks ran: of the others nobody knows whether an entry is needed.
    """
    known = Counter((entry.code, entry.fingerprint) for entry in baseline.entries)
    standing: list[Finding] = []
    hidden: list[Suppressed] = []
    for finding, fingerprint in zip(findings, fingerprints(findings, lines), strict=True):
        key = finding.code, fingerprint
        if known[key] > 0 and may_be_in_baseline(finding):
            known[key] -= 1
            hidden.append(Suppressed(finding, REASON, None, by="baseline"))
        else:
            standing.append(finding)
    if "DP903" in ran:
        standing += _unneeded(baseline, known, checks["DP903"], ran)
    return standing, hidden


def _unneeded(
    baseline: Baseline, left: Counter[tuple[str, str]], check: Check, ran: Collection[str]
) -> Iterator[Finding]:
    """Yield a finding for each entry that nothing was hidden by, and whose check ran or is gone."""
    from dialproof.checks.registry import checks_by_code
    from dialproof.source.edits import without_item

    for index in range(len(baseline.entries) - 1, -1, -1):
        entry = baseline.entries[index]
        key = entry.code, entry.fingerprint
        if left[key] <= 0 or (entry.code in checks_by_code() and entry.code not in ran):
            continue
        left[key] -= 1
        about = f"{entry.path} ({', '.join(entry.rules)})" if entry.rules else entry.path
        summary = f"nothing to hide: the {entry.code} of {about} does not occur any more"
        found = finding_of(check, baseline.path, entry.span, summary, "remove the entry")
        yield replace(found, edits=without_item(baseline.path, baseline.items, index))


def written(
    findings: AbstractSequence[Finding],
    lines: Callable[[str], AbstractSequence[str]],
    *,
    kept: AbstractSequence[Entry] = (),
) -> str:
    """Return the text of a baseline that holds all findings which it may, and the entries of ``kept``."""
    rows = {(entry.path, entry.code, entry.rules, entry.fingerprint) for entry in kept}
    for finding, fingerprint in zip(findings, fingerprints(findings, lines), strict=True):
        if may_be_in_baseline(finding):
            rows.add((finding.path, finding.code, finding.rules, fingerprint))
    entries = [
        json.dumps({"code": code, "path": path, "rules": list(rules), "fingerprint": fingerprint}, ensure_ascii=False)
        for path, code, rules, fingerprint in sorted(rows)
    ]
    items = "".join(f"\n    {entry}{',' if number < len(entries) else ''}" for number, entry in enumerate(entries, 1))
    return f'{{\n  "version": {_VERSION},\n  "findings": [{items}{chr(10) + "  " if items else ""}]\n}}\n'
