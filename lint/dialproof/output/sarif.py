"""SARIF 2.1.0 (OASIS), with what GitHub's code scanning asks of it.

Its columns end behind the last character, as ours do. Suppressed findings are results with their suppression: whoever
reads the file decides what to show. In messages only the links that are made here look like links. Braces stand as
they are, though the standard has them doubled: there are no arguments to put in, and readers of messages without
arguments (code scanning, editors) would show them doubled.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from dialproof import __version__
from dialproof.fingerprint import fingerprints
from dialproof.output.explanation import explanation
from dialproof.output.json_text import witness_json
from dialproof.output.report import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dialproof.checks.base import Check
    from dialproof.findings import Edit, Finding
    from dialproof.lint import Suppressed
    from dialproof.output.report import Report
    from dialproof.source.positions import Span

__all__ = ["MAX_RESULTS", "render"]

MAX_RESULTS = 25_000
"""How many results one run may have; code scanning refuses a file with more."""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_FINGERPRINT = "dialproof/v1"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SEVERITIES = {"error": "error", "warning": "warning", "info": "recommendation"}  # words of code scanning
_GRAVEST_FIRST = ("error", "warning", "info")
_MAX_DESCRIPTION = 1024  # characters, a limit of code scanning
_MAX_RELATED = 100  # locations, likewise

_Json = dict[str, object]


def render(report: Report) -> str:
    """Return the log: one run, with the checks that found something as its rules."""
    findings = [*report.findings, *(s.finding for s in report.suppressed)]
    hidden: list[Suppressed | None] = [*(None for _ in report.findings), *report.suppressed]
    entries = list(zip(findings, hidden, fingerprints(findings, report.lines), strict=True))
    shown = entries
    if len(entries) > MAX_RESULTS:
        gravest = sorted(entries, key=lambda e: (e[1] is not None, _GRAVEST_FIRST.index(e[0].severity)))
        shown = gravest[:MAX_RESULTS]
    rules = _rules({f.code for f, *_ in shown})
    positions = {code: index for index, code in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "dialproof",
                "version": __version__,
                "informationUri": "https://dialproof.dev/",
                "rules": list(rules.values()),
            }
        },
        "invocations": [_invocation(report, left_out=len(entries) - len(shown))],
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "results": [_result(*entry, positions[entry[0].code], report) for entry in shown],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, default=str) + "\n"


def _invocation(report: Report, *, left_out: int) -> _Json:
    notes = [{"level": "error", "message": {"text": _literal(text)}} for text in report.failures]
    if left_out:
        text = f"{left_out} findings are left out: a run holds {MAX_RESULTS}, the gravest ones."
        notes.append({"level": "warning", "message": {"text": text}})
    return {"executionSuccessful": not report.failures, "toolExecutionNotifications": notes}


def _rules(codes: set[str]) -> dict[str, _Json]:
    """Return the descriptors of checks by code."""
    from dialproof.checks.registry import checks_by_code

    checks = checks_by_code()
    return {code: _rule(checks[code]) for code in sorted(codes)}


def _rule(check: Check) -> _Json:
    from dialproof.docs import page
    from dialproof.findings import docs_url

    text = page(check)
    return {
        "id": check.code,
        "name": check.name,
        "shortDescription": {"text": _literal(_cut(check.summary))},
        "fullDescription": {"text": _literal(_cut(_first_section(check.doc) or check.summary))},
        "helpUri": docs_url(check.name),
        "help": {"text": re.sub(r"^#+ ", "", text, flags=re.MULTILINE), "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": [check.family], "problem.severity": _SEVERITIES[check.severity]},
    }


def _first_section(doc: str) -> str:
    """Return what stands under the first heading of a check's page, on one line."""
    sections = re.split(r"^#+ .*$", doc, flags=re.MULTILINE)
    return " ".join(sections[1].split()) if len(sections) > 1 else ""


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_DESCRIPTION else f"{text[: _MAX_DESCRIPTION - 1]}…"


def _result(finding: Finding, hidden: Suppressed | None, fingerprint: str, rule: int, report: Report) -> _Json:
    related = list(_related(finding, report))
    result: _Json = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding, related)},
        "locations": [{"physicalLocation": _place(finding.path, finding.span)}],
        "relatedLocations": [
            {"id": number, "message": {"text": _literal(name)}, "physicalLocation": place}
            for number, (name, place) in enumerate(related, 1)
        ],
        "partialFingerprints": {_FINGERPRINT: fingerprint},
        "suppressions": []
        if hidden is None
        else [_suppression(hidden)],  # of all results or of none, says the standard
        "properties": {
            "campaign": finding.campaign,
            "rules": list(finding.rules),
            "witness": None if finding.witness is None else witness_json(finding.witness),
        },
    }
    if finding.edits and not finding.personal:
        result["fixes"] = [_fix(finding)]
    return result


def _message(finding: Finding, related: Sequence[tuple[str, _Json]]) -> str:
    """Return the summary as a sentence of its own, what explains it, and links to the other rules."""
    summary = printable(finding.summary)
    lines = [_literal(summary if summary.endswith((".", "!", "?")) else f"{summary}.")]
    lines += [_literal(line) for line in explanation(finding)]
    links = [f"[{_literal(_LINK_TEXT.sub(_escaped, name))}]({number})" for number, (name, _) in enumerate(related, 1)]
    if links:
        lines.append(f"See {', '.join(links)}.")
    return "\n".join(lines)


_LINK_TEXT = re.compile(r"[\\\[\]]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found[0]}"


def _literal(text: str) -> str:
    """Return text for a message in which nothing is taken for a link."""
    return text.replace("](", "] (")


def _related(finding: Finding, report: Report) -> Iterator[tuple[str, _Json]]:
    """Yield name and place of the other rules that the finding is about."""
    for name in finding.rules[1 : _MAX_RELATED + 1]:
        place = report.rules.get((finding.campaign, name))
        if place is not None:
            yield f'rule "{printable(name)}"', _place(*place)


def _place(path: str, span: Span) -> _Json:
    return {"artifactLocation": _artifact(path), "region": _region(span)}


def _artifact(path: str) -> _Json:
    """Return a path as a URI: below the root of the repository relative to it, elsewhere in full."""
    if path.startswith("/"):
        return {"uri": f"file://{quote(path, errors='surrogatepass')}"}
    if re.match(r"[A-Za-z]:/", path):
        return {"uri": f"file:///{quote(path, safe='/:', errors='surrogatepass')}"}
    return {"uri": quote(path, errors="surrogatepass"), "uriBaseId": _ROOT}


def _region(span: Span) -> _Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _suppression(hidden: Suppressed) -> _Json:
    until = {} if hidden.until is None else {"properties": {"until": hidden.until.isoformat()}}
    kind = "inSource" if hidden.by == "comment" else "external"
    return {"kind": kind, "status": "accepted", "justification": hidden.reason, **until}


def _fix(finding: Finding) -> _Json:
    edits: dict[str, list[Edit]] = {}
    for edit in finding.edits:
        edits.setdefault(edit.path, []).append(edit)
    return {
        "description": {"text": _literal(printable(finding.fix or finding.summary))},
        "artifactChanges": [
            {
                "artifactLocation": _artifact(path),
                "replacements": [
                    {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in of_file
                ],
            }
            for path, of_file in edits.items()
        ],
        "properties": {"safe": finding.safe},
    }
