"""Evidence: what was tested, and every reason not to deploy on it."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.errors import InputError, RefusedError, UsageError
from dialproof_deploy.gate.evidence import (
    build_statement,
    check_evidence,
    json_digest,
    load_evidence,
    read_subjects,
    withdraw_evidence,
    write_evidence,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 7, 17, tzinfo=UTC)
FILES = {
    name: hashlib.sha256(data).hexdigest()
    for name, data in (("rules/a.rules.yaml", b"rules: []\n"), ("rules/a.contacts.yaml", b"cases: []\n"))
}
PAYLOADS: dict[str, object] = {"cmp_1": {"hitPolicy": "all", "rules": [{"name": "r", "priority": 1.0}]}}
SEMANTICS: dict[str, object] = {"undecided": "refuseToDial", "doNotDialStops": False}


ITEMS = ["rules/a.contacts.yaml::b", "x::a"]
CONFIGURATION = {"fail_on": "error"}


def make() -> dict[str, Any]:
    """Return the statement of a run that passed."""
    ours = {
        "accepted": [],
        "suppressed": [],
        "versions": {"dialproof": "1.2.3"},
        "semantics": SEMANTICS,
        "commit": "c0ffee",
        "dirty": False,
    }
    return build_statement(FILES, PAYLOADS, ITEMS, CONFIGURATION, ours, NOW)


def check(statement: dict[str, Any], **changed: Any) -> list[str]:
    """Check as a deploy an hour later does, of what was tested, but for what the test changes."""
    asked: dict[str, Any] = {
        "files": FILES,
        "payloads": PAYLOADS,
        "version": "1.2.3",
        "semantics": SEMANTICS,
        "configuration": CONFIGURATION,
        "items": ITEMS,
        "now": NOW + timedelta(hours=1),
        "max_age": timedelta(hours=24),
        "campaigns": ["cmp_1"],
    }
    return check_evidence(statement, **{**asked, **changed})


def edited(path: str, value: object) -> dict[str, Any]:
    """Return a statement with one value replaced, or removed where it is ``...``."""
    statement = copy.deepcopy(make())
    *parents, last = path.split(".")
    place = statement
    for name in parents:
        place = place[name]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return statement


def test_a_statement_is_an_in_toto_test_result() -> None:
    """Subjects are the files and payloads by digest, and the predicate has the fields of the specification."""
    statement = make()
    canonical = b'{"hitPolicy":"all","rules":[{"name":"r","priority":1}]}'
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["subject"] == [
        {"name": name, "digest": {"sha256": digest}}
        for name, digest in [*sorted(FILES.items()), ("payload:cmp_1", hashlib.sha256(canonical).hexdigest())]
    ]
    digest = hashlib.sha256(b'{"fail_on":"error"}').hexdigest()
    assert statement["predicate"] == {
        "result": "PASSED",
        "configuration": [
            {
                "name": "dialproof configuration",
                "digest": {"sha256": digest},
                "mediaType": "application/json",
                "annotations": {"fail_on": "error"},
            }
        ],
        "passedTests": ["rules/a.contacts.yaml::b", "x::a"],
        "warnedTests": [],
        "failedTests": [],
        "dialproof": {
            "accepted": [],
            "suppressed": [],
            "versions": {"dialproof": "1.2.3"},
            "semantics": SEMANTICS,
            "commit": "c0ffee",
            "dirty": False,
            "time": "2026-03-07T17:00:00.000Z",
            "configurationDigest": digest,
        },
    }


def test_what_was_tested_may_be_deployed(tmp_path: Path) -> None:
    """Evidence that was written and read back holds for exactly what was tested."""
    write_evidence(tmp_path / "evidence.json", make())
    assert check(load_evidence(tmp_path / "evidence.json")) == []


REFUSALS: list[tuple[str, dict[str, Any], list[str]]] = [
    (
        "changed file",
        {"files": {**FILES, "rules/a.rules.yaml": "0" * 64}},
        ["rules/a.rules.yaml was changed after the tests"],
    ),
    (
        "new file",
        {"files": {**FILES, "rules/b.rules.yaml": "0" * 64}},
        ["rules/b.rules.yaml is not in the evidence: it was not tested"],
    ),
    (
        "file gone",
        {"files": {"rules/a.rules.yaml": FILES["rules/a.rules.yaml"]}},
        ["rules/a.contacts.yaml was tested and is gone"],
    ),
    (
        "changed payload",
        {"payloads": {"cmp_1": {"hitPolicy": "first"}}},
        ["campaign 'cmp_1': what would be deployed is not what was tested"],
    ),
    (
        "untested campaign",
        {"campaigns": ["cmp_1", "cmp_2"], "payloads": {**PAYLOADS, "cmp_2": {}}},
        ["campaign 'cmp_2' is not in the evidence: it was not tested"],
    ),
    ("no payload", {"payloads": {}}, ["campaign 'cmp_1' was tested, and there is nothing to deploy for it"]),
    (
        "another version",
        {"version": "1.2.4"},
        ["the tests were run by dialproof 1.2.3, this is 1.2.4: run pytest again"],
    ),
    (
        "other semantics",
        {"semantics": {"undecided": "met", "doNotDialStops": False, "tieBreak": "file"}},
        [
            "semantics.tieBreak was (none) in the tests, now file: run pytest again",
            "semantics.undecided was refuseToDial in the tests, now met: run pytest again",
        ],
    ),
    (
        "too old",
        {"now": NOW + timedelta(hours=24, minutes=6)},
        ["the tests were run 24.1 h ago, at 2026-03-07T17:00:00.000Z, and may be 24.0 h old: run pytest again"],
    ),
    (
        "too old by configuration",
        {"max_age": timedelta(minutes=30)},
        ["the tests were run 1.0 h ago, at 2026-03-07T17:00:00.000Z, and may be 30 min old: run pytest again"],
    ),
    (
        "from the future",
        {"now": NOW - timedelta(hours=1)},
        [
            (
                "the evidence is from the future: the tests were run at 2026-03-07T17:00:00.000Z, "
                "and now is 2026-03-07T16:00:00.000Z"
            )
        ],
    ),
]


@pytest.mark.parametrize(("changed", "sentences"), [case[1:] for case in REFUSALS], ids=[case[0] for case in REFUSALS])
def test_a_deploy_of_something_else_is_refused(changed: dict[str, Any], sentences: list[str]) -> None:
    """Whatever differs from what was tested is a sentence of its own, and nothing else is said."""
    assert check(make(), **changed) == sentences


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("predicateType", "https://slsa.dev/provenance/v1", "the evidence is not a test result"),
        ("_type", ..., "the evidence is not a test result"),
        ("predicate.result", "FAILED", "the result of the tests is FAILED, not PASSED"),
        ("predicate.result", ..., "the result of the tests is (none), not PASSED"),
        ("predicate.failedTests", ["x"], "the evidence names failed tests: 1"),
        ("predicate.failedTests", 1, "the evidence names failed tests: unreadable"),
        ("predicate.failedTests", {}, "the evidence names failed tests: unreadable"),
        ("predicate.failedTests", None, "the evidence names failed tests: unreadable"),
        ("predicate.dialproof.accepted", ..., "the evidence does not say in a readable way what was accepted"),
        ("predicate.dialproof.suppressed", ..., "the evidence does not say in a readable way what was suppressed"),
        ("predicate.passedTests", [], "the evidence names no test that passed"),
        ("predicate.dialproof.time", "soon", "the evidence does not say when the tests were run"),
        ("predicate.dialproof.time", "2026-03-07T17:00:00", "the evidence does not say when the tests were run"),
        ("predicate.dialproof.versions", ..., "the tests were run by dialproof (none), this is 1.2.3"),
        ("predicate.dialproof.semantics", [], "semantics.doNotDialStops was (none) in the tests, now false"),
        ("predicate", "PASSED", "the result of the tests is (none), not PASSED"),
        ("subject", [], "the evidence names nothing that was tested"),
        ("subject", None, "campaign 'cmp_1' is not in the evidence: it was not tested"),
        ("subject", [{"name": "a", "digest": {"sha1": "x"}}], "subject 1 of the evidence has no name or no sha256"),
        ("subject", [{"name": "../a", "digest": {"sha256": "x"}}], "../a is in the evidence, but outside of this"),
    ],
)
def test_evidence_that_is_not_whole_is_refused(path: str, value: object, sentence: str) -> None:
    """Whatever is missing from the evidence or was edited in it is a refusal, and never an error of ours."""
    refusals = check(edited(path, value))
    assert any(refusal.startswith(sentence) for refusal in refusals), refusals


def test_two_digests_for_one_name_are_refused() -> None:
    """A subject that stands twice with different digests proves nothing."""
    statement = make()
    statement["subject"].append({"name": "payload:cmp_1", "digest": {"sha256": "0" * 64}})
    assert check(statement) == ["the evidence names payload:cmp_1 twice with different digests: run pytest again"]


def test_every_reason_is_given_at_once() -> None:
    """A deploy that is wrong in several ways is told all of them."""
    refusals = check(make(), version="2", now=NOW + timedelta(days=9), payloads={}, files={})
    assert len(refusals) == 5


def test_messages_hold_nothing_that_moves_a_cursor() -> None:
    """Names come from a file that anybody may have written: control characters are escaped."""
    statement = edited("subject", [{"name": "a\x1b[2J", "digest": {"sha256": "x"}}])
    statement["predicate"]["result"] = "\x1b[2J"
    statement["predicate"]["dialproof"]["time"] = "2026-03-01\x1b17:00:00Z"
    assert "\x1b" not in "".join(check(statement))


def test_a_small_difference_of_clocks_is_no_future() -> None:
    """The deploying machine may be some seconds behind the one that tested."""
    assert check(make(), now=NOW - timedelta(seconds=5)) == []


def test_subjects_are_read_from_the_project_alone(tmp_path: Path) -> None:
    """The tested files are read as they are now; what is gone, or lies outside of the project, is left out."""
    root = tmp_path / "project"
    (root / "rules").mkdir(parents=True)
    (root / "rules" / "a.rules.yaml").write_bytes(b"now")
    (tmp_path / "outside").write_bytes(b"x")
    statement = make()
    for name in ("../outside", str(tmp_path / "outside"), "a\0b", "rules"):
        statement["subject"].append({"name": name, "digest": {"sha256": "0"}})
    assert read_subjects(statement, root) == {"rules/a.rules.yaml": hashlib.sha256(b"now").hexdigest()}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no evidence, and nothing is deployed without: run pytest over all rules first"),
        (b"{", "the evidence is not JSON"),
        (b"\xff\xfe", "the evidence is not JSON"),
        (b"[" * 99_999, "the evidence is not JSON"),
        (b"[]", "the evidence is not an in-toto statement"),
        (b'{"_type": "https://in-toto.io/Statement/v0.1"}', "the evidence is not an in-toto statement"),
    ],
)
def test_missing_or_malformed_evidence_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    """A deploy without readable evidence is refused with the path and what to do."""
    file = tmp_path / "evidence.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RefusedError, match=message) as refusal:
        load_evidence(file)
    assert str(refusal.value).startswith(f"{file}: ")


def test_evidence_that_cannot_be_read_or_written_is_a_usage_error(tmp_path: Path) -> None:
    """A folder in the place of the file ends in a sentence, and a failed write leaves the old evidence."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_evidence(tmp_path)
    file = tmp_path / "new" / "evidence.json"
    write_evidence(file, make())
    with pytest.raises(UsageError, match="cannot be written"):
        write_evidence(file / "evidence.json", make())
    with pytest.raises(TypeError):
        write_evidence(file, {"_type": object()})
    assert load_evidence(file) == make()


def test_any_name_of_a_file_survives(tmp_path: Path) -> None:
    """A path beyond the BMP, or one that is no UTF-8, is the same after writing and reading."""
    statement = build_statement({"😀/\udc80.yaml": "0" * 64}, {}, ["é"], {}, {}, NOW)
    write_evidence(tmp_path / "e.json", statement)
    assert load_evidence(tmp_path / "e.json") == statement
    assert json.loads((tmp_path / "e.json").read_bytes()) == statement


@pytest.mark.parametrize("value", [2**53, float("nan"), {"a": float("inf")}, "\ud800"])
def test_a_value_without_exact_json_has_no_digest(value: object) -> None:
    """A number that JSON cannot hold exactly would make two payloads look alike: it is an input error."""
    with pytest.raises(InputError, match="no exact JSON form"):
        json_digest(value)


@pytest.mark.parametrize(
    "value",
    [
        7,
        [1],
        ["x"],
        [{}],
        [{"campaign": "c", "code": "DP301", "rules": [1], "until": None}],
        [{"campaign": "c", "code": "DP301", "rules": ["a"], "until": "soon"}],
        [{"code": "DP301", "rules": ["a"], "until": None}],
    ],
)
def test_suppressions_that_cannot_be_read_are_refused(value: object) -> None:
    """A deploy writes them into the audit log, and must not find out there that somebody edited the file."""
    assert check(edited("predicate.dialproof.suppressed", value)) == [
        "the evidence does not say in a readable way what was suppressed: run pytest again"
    ]


@pytest.mark.parametrize("key", ["accepted", "suppressed"])
def test_a_finding_may_stand_until_its_day_has_passed(key: str) -> None:
    """What was agreed until a day is not agreed on the next, however green the tests were."""
    entry = {"code": "DP301", "rules": ["a", "b"], "campaign": "c", "until": "2026-03-07"}
    statement = edited(f"predicate.dialproof.{key}", [entry])
    assert check(statement) == []
    assert check(statement, now=NOW + timedelta(hours=8)) == [
        f"DP301 of a and b was {key} until 2026-03-07, which has passed: run pytest again"
    ]
    without_end = edited(f"predicate.dialproof.{key}", [{**entry, "until": None}])
    assert len(check(without_end)) == (1 if key == "accepted" else 0)


def test_every_expected_item_must_have_passed() -> None:
    """Evidence that names fewer tests than the files hold now was cut, or comes from another set of checks."""
    assert check(make(), items=[*ITEMS, "x::b", "x::c"]) == [
        "the evidence does not name all tests as passed (missing: x::b and 1 more): run pytest again"
    ]


def test_evidence_without_digest_is_refused() -> None:
    """The audit log names the evidence by its digest; a number that has none is found before anything is done."""
    (reason,) = check({**make(), "x": 2**70})
    assert reason.startswith("the evidence cannot be used: ")


def test_only_evidence_is_withdrawn(tmp_path: Path) -> None:
    """A statement is deleted; another file, a folder and nothing at all are left alone."""
    file = tmp_path / "evidence.json"
    assert not withdraw_evidence(file)
    assert not withdraw_evidence(tmp_path)
    file.write_text("{}", encoding="utf-8")
    assert not withdraw_evidence(file)
    write_evidence(file, make())
    assert withdraw_evidence(file)
    assert not file.exists()
