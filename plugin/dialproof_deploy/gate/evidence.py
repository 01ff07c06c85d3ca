"""Evidence: an in-toto statement of what was tested, by digest, and the check that a deploy brings exactly that.

The predicate is https://in-toto.io/attestation/test-result/v0.1 with one key of ours, ``dialproof``. Subjects are the
tested files (POSIX path relative to the configuration root, SHA-256 of the bytes) and, for each campaign,
``payload:CAMPAIGN`` (SHA-256 of the RFC 8785 JSON of what is deployed, before ids are applied).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, cast

import rfc8785

from dialproof.errors import InputError, RefusedError, UsageError
from dialproof.source import digest_of
from dialproof_deploy.gate.signature import is_envelope
from dialproof_deploy.state import utc_text, write_atomic

__all__ = [
    "PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "build_statement",
    "check_evidence",
    "json_digest",
    "load_evidence",
    "read_subjects",
    "withdraw_evidence",
    "write_evidence",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"

_PAYLOAD = "payload:"
_CLOCK_SKEW = timedelta(minutes=1)  # the machine that deploys may be behind the one that tested
_AGAIN = "run pytest again"


def json_digest(value: object) -> str:
    """Return the SHA-256 (hex) of the RFC 8785 JSON of a value.

    Raises ``InputError`` for what has no such form: integers of 2**53 and more, NaN and infinity.
    """
    try:
        return hashlib.sha256(rfc8785.dumps(cast("Any", value))).hexdigest()
    except ValueError as error:
        raise InputError(f"a value has no exact JSON form, and so no digest: {error}") from None


def build_statement(
    files: Mapping[str, str],
    payloads: Mapping[str, object],
    passed: Sequence[str],
    configuration: Mapping[str, object],
    dialproof: Mapping[str, object],
    now: datetime,
) -> dict[str, Any]:
    """Return the statement of a run that passed.

    ``files`` maps POSIX paths to the SHA-256 (hex) of their bytes, ``payloads`` campaigns to JSON objects, ``passed``
    are the item ids, ``configuration`` is the effective one without secrets and environments. ``dialproof`` holds
    counts, coverage, accepted, commit, dirty, ``versions`` (with that of dialproof under "dialproof") and
    ``semantics``; ``time`` and ``configurationDigest`` are added here.
    """
    digest = json_digest(configuration)
    subjects = [_subject(path, files[path]) for path in sorted(files)]
    subjects += [_subject(_PAYLOAD + name, json_digest(payloads[name])) for name in sorted(payloads)]
    return {
        "_type": STATEMENT_TYPE,
        "subject": subjects,
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": "PASSED",
            "configuration": [
                {
                    "name": "dialproof configuration",
                    "digest": {"sha256": digest},
                    "mediaType": "application/json",
                    "annotations": dict(configuration),
                }
            ],
            "passedTests": list(passed),
            "warnedTests": [],
            "failedTests": [],
            "dialproof": {**dialproof, "time": utc_text(now), "configurationDigest": digest},
        },
    }


def _subject(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}


def write_evidence(path: Path, document: Mapping[str, Any]) -> None:
    """Write a statement or its envelope, in a new folder if need be.

    On failure (``UsageError``) the file is what it was.
    """
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text.encode("utf-8", "backslashreplace"))  # \udc80 in a JSON text is its escape
    except OSError as error:
        raise UsageError(f"{path}: the evidence cannot be written: {error.strerror or error}") from None


def withdraw_evidence(path: Path) -> bool:
    """Delete the evidence in the file and return whether there was one; any other file is left alone.

    Raises ``UsageError`` where it cannot be deleted.
    """
    try:
        load_evidence(path)
        path.unlink()
    except (RefusedError, UsageError):
        return False
    except OSError as error:
        raise UsageError(f"{path}: the evidence cannot be withdrawn: {error.strerror or error}") from None
    return True


def load_evidence(path: Path) -> dict[str, Any]:
    """Return what the file holds: a statement, or an envelope of one (``signature.opened`` reads both).

    Raises ``RefusedError`` where there is none, or what is there is neither.
    """
    try:
        statement = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RefusedError(
            f"{path}: there is no evidence, and nothing is deployed without: run pytest over all rules first"
        ) from None
    except OSError as error:
        raise UsageError(f"{path}: the evidence cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise RefusedError(f"{path}: the evidence is not JSON: {_AGAIN}") from None
    if not isinstance(statement, dict) or not (statement.get("_type") == STATEMENT_TYPE or is_envelope(statement)):
        raise RefusedError(f"{path}: the evidence is not an in-toto statement ({STATEMENT_TYPE}): {_AGAIN}")
    return statement


def read_subjects(statement: Mapping[str, Any], root: Path) -> dict[str, str]:
    """Return the SHA-256 (hex) of the tested files as they are now, below ``root``; one that is gone has no entry."""
    names = (name for name in _subjects(statement)[0] if not name.startswith(_PAYLOAD) and _inside(name))
    return {name: digest for name in names if (digest := digest_of(root / name)) is not None}


def check_evidence(
    statement: Mapping[str, Any],
    *,
    files: Mapping[str, str],
    payloads: Mapping[str, object],
    version: str,
    semantics: Mapping[str, object],
    now: datetime,
    max_age: timedelta,
    configuration: Mapping[str, object],
    items: Sequence[str],
    campaigns: Sequence[str],
) -> list[str]:
    """Return a sentence for every reason why ``campaigns`` must not be deployed on this evidence; none: it holds.

    ``files`` are the digests now of every file of the campaigns and of every tested file that still exists
    (``read_subjects``); ``payloads`` hold what would be deployed for each of the campaigns; ``version``,
    ``semantics`` and ``configuration`` are those of this run; ``items`` are the ids of all that must have passed.
    """
    if statement.get("_type") != STATEMENT_TYPE or statement.get("predicateType") != PREDICATE_TYPE:
        return [f"the evidence is not a test result ({PREDICATE_TYPE}): {_AGAIN}"]
    try:
        json_digest(statement)  # the audit log names the evidence by it
    except InputError as error:
        return [f"the evidence cannot be used: {error}: {_AGAIN}"]
    predicate = _mapping(statement.get("predicate"))
    ours = _mapping(predicate.get("dialproof"))
    subjects, refusals = _subjects(statement)
    refusals += _check_result(predicate, items)
    for key in ("accepted", "suppressed"):
        refusals += _check_exceptions(key, ours.get(key), now.date())
    refusals += _check_time(ours.get("time"), now, max_age)
    tested_by = _mapping(ours.get("versions")).get("dialproof")
    if tested_by != version:
        refusals.append(f"the tests were run by dialproof {_shown(tested_by)}, this is {_shown(version)}: {_AGAIN}")
    tested_with = _mapping(ours.get("semantics"))
    for switch in sorted({*tested_with, *semantics}):
        before, after = tested_with.get(switch), semantics.get(switch)
        if before != after:
            refusals.append(f"semantics.{switch} was {_shown(before)} in the tests, now {_shown(after)}: {_AGAIN}")
    known = json_digest(configuration) == ours.get("configurationDigest")
    if not known and tested_with == semantics:
        refusals.append(f"the configuration is not the one of the tests: {_AGAIN}")
    refusals += _check_files(subjects, files)
    refusals += _check_payloads(subjects, payloads, campaigns)
    return refusals


def _check_exceptions(key: str, entries: object, today: date) -> list[str]:
    """Return why findings that were accepted, or suppressed by a comment, may not stand any more.

    A comment need not say until when; a deploy records what was suppressed by its campaign and rules.
    """
    refusals = []
    needed = {"code", "rules", "until"} | ({"campaign"} if key == "suppressed" else set())
    for entry in entries if isinstance(entries, list) else [{}]:
        try:
            if not isinstance(entry, Mapping) or not needed <= entry.keys():
                raise TypeError
            rules, until = entry["rules"], entry["until"]
            if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
                raise TypeError
            ended = (until is not None or key == "accepted") and date.fromisoformat(until) < today
        except (TypeError, ValueError):
            return [f"the evidence does not say in a readable way what was {key}: {_AGAIN}"]
        if ended:
            what = _shown(f"{entry['code']} of {' and '.join(rules)}")
            refusals.append(f"{what} was {key} until {until}, which has passed: {_AGAIN}")
    return refusals


def _check_result(predicate: Mapping[str, Any], items: Sequence[str]) -> list[str]:
    refusals = []
    if (result := predicate.get("result")) != "PASSED":
        refusals.append(f"the result of the tests is {_shown(result)}, not PASSED")
    failed = predicate.get("failedTests", [])
    if failed != []:
        refusals.append(f"the evidence names failed tests: {len(failed) if isinstance(failed, list) else 'unreadable'}")
    passed = predicate.get("passedTests")
    if not passed or not isinstance(passed, list):
        refusals.append("the evidence names no test that passed")
    elif missing := sorted({*items}.difference(map(str, passed))):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        refusals.append(f"the evidence does not name all tests as passed (missing: {missing[0]}{more}): {_AGAIN}")
    return refusals


def _check_time(text: object, now: datetime, max_age: timedelta) -> list[str]:
    try:
        tested = datetime.fromisoformat(str(text))
        age = now - tested
    except (ValueError, TypeError, OverflowError):  # TypeError: without a time zone
        return [f"the evidence does not say when the tests were run: {_AGAIN}"]
    if age > max_age:
        return [
            f"the tests were run {_hours(age)} ago, at {utc_text(tested)}, and may be {_hours(max_age)} old: {_AGAIN}"
        ]
    if age < -_CLOCK_SKEW:
        return [
            f"the evidence is from the future: the tests were run at {utc_text(tested)}, and now is {utc_text(now)}"
        ]
    return []


def _check_files(subjects: Mapping[str, str], files: Mapping[str, str]) -> list[str]:
    refusals = []
    for path in sorted(files):
        tested = subjects.get(path)
        if tested is None:
            refusals.append(f"{path} is not in the evidence: it was not tested")
        elif tested != files[path]:
            refusals.append(f"{path} was changed after the tests")
    for path in sorted(subjects):
        if not path.startswith(_PAYLOAD) and path not in files:
            what = "was tested and is gone" if _inside(path) else "is in the evidence, but outside of this project"
            refusals.append(f"{_shown(path)} {what}")
    return refusals


def _check_payloads(subjects: Mapping[str, str], payloads: Mapping[str, object], campaigns: Sequence[str]) -> list[str]:
    refusals = []
    for campaign in dict.fromkeys(campaigns):
        tested = subjects.get(_PAYLOAD + campaign)
        if tested is None:
            refusals.append(f"campaign {campaign!r} is not in the evidence: it was not tested")
        elif campaign not in payloads:
            refusals.append(f"campaign {campaign!r} was tested, and there is nothing to deploy for it")
        elif tested != json_digest(payloads[campaign]):
            refusals.append(f"campaign {campaign!r}: what would be deployed is not what was tested")
    return refusals


def _subjects(statement: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Return name -> SHA-256 of the subjects, and a sentence for each that cannot be read."""
    found: dict[str, str] = {}
    refusals = []
    subjects = statement.get("subject")
    for number, subject in enumerate(subjects if isinstance(subjects, list) else [], 1):
        name, digest = _mapping(subject).get("name"), _mapping(_mapping(subject).get("digest")).get("sha256")
        if not isinstance(name, str) or not isinstance(digest, str):
            refusals.append(f"subject {number} of the evidence has no name or no sha256 digest: {_AGAIN}")
        elif found.setdefault(name, digest) != digest:
            refusals.append(f"the evidence names {_shown(name)} twice with different digests: {_AGAIN}")
    if not found:
        refusals.append(f"the evidence names nothing that was tested: {_AGAIN}")
    return found, refusals


def _inside(path: str) -> bool:
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and not Path(path).is_absolute()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _shown(value: object) -> str:
    """Return a value of the evidence for a message: anybody may have written it, so nothing that moves a cursor."""
    if value is None:
        return "(none)"
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value, default=str)


def _hours(duration: timedelta) -> str:
    seconds = duration.total_seconds()
    return (
        f"{seconds / 3600:.1f} h"
        if seconds >= 3600
        else f"{seconds / 60:.0f} min"
        if seconds >= 60
        else f"{seconds:.0f} s"
    )
