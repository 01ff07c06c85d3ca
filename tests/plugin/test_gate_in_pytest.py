"""The gate after a pytest run: what opens it, and every cause that closes it, with and without xdist."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dialproof.cli import main
from tests.plugin.conftest import ITEMS, edit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., pytest.RunResult]

APPLY = ("--dialproof-deploy=apply", "--dialproof-env=sandbox")


def _closed(result: pytest.RunResult, *sentences: str) -> None:
    result.stdout.fnmatch_lines(["GATE CLOSED", *(f"  - {sentence}" for sentence in sentences)])
    result.stdout.no_fnmatch_line("GATE OPEN*")


def test_a_green_run_opens_the_gate_and_writes_evidence(project: Path, run: Run, workers: str) -> None:
    """Everything passed: GATE OPEN is the last thing said, and the evidence names files, payload and items."""
    result = run("rules", workers)
    result.assert_outcomes(passed=ITEMS)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "evaluations: 2, latency p50 *",
            "conflict rate: 0.0% (0 of 2 evaluations)",
            f"GATE OPEN: {ITEMS} of {ITEMS} items passed for cmp_123; evidence in .dialproof/evidence.json",
        ]
    )
    statement = json.loads((project.parent / ".dialproof/evidence.json").read_text(encoding="utf-8"))
    assert [subject["name"] for subject in statement["subject"]] == [
        "rules/customers.contactlist.yaml",
        "rules/premium.contacts.yaml",
        "rules/premium.rules.yaml",
        "payload:cmp_123",
    ]
    assert len(statement["predicate"]["passedTests"]) == ITEMS


def test_a_conflict_of_the_baseline_passes_and_closes(project: Path, run: Run, workers: str) -> None:
    """The conflicts item is green and the gate is not, until gate.accept names the rules; the evidence says so."""
    edit(project / "premium.rules.yaml", 'listId: warm_desk, value: "true"', 'listId: premium, value: "false"')
    assert main(["lint", str(project), "--write-baseline"]) == 0
    result = run("rules", workers)
    result.assert_outcomes(passed=ITEMS)
    _closed(result, "*DP301 *(is in the baseline; a deploy needs an entry in gate.accept that names *")
    accept = 'code = "DP301"\nrules = ["high_value", "new_lead"]\nreason = "agreed"\nuntil = 2999-12-31\n'
    config = project.parent / "dialproof.toml"
    config.write_text(f"{config.read_text()}\n[[gate.accept]]\n{accept}")
    assert run("rules", workers).ret == 0
    statement = json.loads((project.parent / ".dialproof/evidence.json").read_text(encoding="utf-8"))
    (hidden,) = statement["predicate"]["dialproof"]["suppressed"]
    assert (hidden["code"], hidden["reason"], hidden["until"]) == ("DP301", "in the baseline", None)


def test_a_baseline_that_changes_during_the_run_closes(
    project: Path, run: Run, pytester: pytest.Pytester, workers: str
) -> None:
    """It decides what the items say, as the files and the configuration do."""
    baseline = project.parent / ".dialproof-baseline.json"
    baseline.write_text('{"version": 1, "findings": []}')
    pytester.makeconftest(
        f"""
        import pathlib
        def pytest_runtest_teardown(item):
            pathlib.Path({str(baseline)!r}).write_text('{{"version": 1, "findings": []}}\\n')
        """
    )
    _closed(run("rules", workers), ".dialproof-baseline.json was changed after collection")


def test_keyword_closes(project: Path, run: Run, workers: str) -> None:
    """Items deselected by -k are named with the option; without a deploy the exit status stays 0."""
    result = run("rules", workers, "-k", "not gold")
    assert result.ret == 0
    _closed(
        result, "1 item was deselected by -k 'not gold': rules/premium.contacts.yaml::gold goes to the premium desk"
    )
    assert not (project.parent / ".dialproof/evidence.json").exists()


def test_marker_expression_closes(project: Path, run: Run) -> None:
    """Items deselected by -m are named with the option."""
    result = run("rules", "-m", "slow")
    _closed(result, f"{ITEMS} items were deselected by -m 'slow': *")


def test_skip_closes(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """An item that is skipped has not passed."""
    _mark(pytester, "gold", "pytest.mark.skip(reason='later')")
    result = run("rules", workers)
    assert result.ret == 0
    _closed(result, "1 item was skipped: rules/premium.contacts.yaml::gold goes to the premium desk")


def test_xfail_closes(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """An item that is expected to fail, and does, has not passed."""
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: []")
    _mark(pytester, "new lead", "pytest.mark.xfail(reason='known')")
    result = run("rules", workers)
    assert result.ret == 0
    _closed(
        result,
        "1 item was expected to fail (xfail), which is no pass: "
        "rules/premium.contacts.yaml::a new lead goes to the warm desk",
    )


def test_xpass_closes(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """A pass under xfail is not the pass that the gate asks for."""
    _mark(pytester, "new lead", "pytest.mark.xfail(reason='known')")
    _closed(run("rules"), "1 item was marked xfail, and a pass under xfail does not count (xpass): *new lead*")


def test_path_subset_closes(project: Path, run: Run, workers: str) -> None:
    """Files that the paths on the command line leave out are named, and that paths are the cause."""
    result = run("rules/premium.contacts.yaml", workers)
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    _closed(result, f"{ITEMS - 2} items were left out, because only some paths were given on the command line: *")


def test_node_id_closes(project: Path, run: Run, workers: str) -> None:
    """A single item named on the command line leaves the others of its file out by node id."""
    result = run("rules/premium.rules.yaml", "rules/premium.contacts.yaml::gold goes to the premium desk",
                 "rules/customers.contactlist.yaml", workers)  # fmt: skip
    result.assert_outcomes(passed=ITEMS - 1)
    _closed(
        result,
        "1 item was left out, because single items were named on the command line (node id): "
        "rules/premium.contacts.yaml::a new lead goes to the warm desk",
    )


def test_last_failed_closes(project: Path, run: Run, workers: str) -> None:
    """--lf runs only what failed before; what it leaves out closes the gate with its name."""
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: []")
    assert run("rules").ret == 1
    edit(project / "premium.contacts.yaml", "matched: []", "matched: [new_lead]")
    result = run("rules", workers, "--lf")
    result.assert_outcomes(passed=1, deselected=None)
    _closed(result, "*--lf*")


def test_deselect_closes(project: Path, run: Run) -> None:
    """--deselect is named with its item."""
    node = "rules/premium.rules.yaml::conflicts"
    _closed(run("rules", "--deselect", node), f"1 item was deselected by --deselect {node}: {node}")


def test_item_removed_by_another_plugin_closes(
    project: Path, run: Run, pytester: pytest.Pytester, workers: str
) -> None:
    """Items that vanish without a trace are missed all the same, because the expectation comes from disk."""
    pytester.makeconftest(
        "def pytest_collection_modifyitems(items):\n    items[:] = [i for i in items if i.name != 'conflicts']\n"
    )
    result = run("rules", workers)
    assert result.ret == 0
    _closed(
        result,
        f"{ITEMS} items expected, {ITEMS - 1} passed; nothing was reported of rules/premium.rules.yaml::conflicts",
    )


def test_file_changed_after_collection_closes(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """What was tested is not what lies there now: the digests of every process are held against the disk."""
    pytester.makeconftest(
        """
        import pathlib

        def pytest_sessionfinish(session):
            path = pathlib.Path("rules/premium.rules.yaml")
            path.write_text(path.read_text().replace('"5000"', '"5001"'))
        """
    )
    _closed(run("rules", workers), "rules/premium.rules.yaml was changed after collection")


def test_configuration_changed_after_collection_closes(
    project: Path, run: Run, pytester: pytest.Pytester, workers: str
) -> None:
    """What was tested under is the configuration that was parsed, not what lies there now."""
    pytester.makeconftest(
        """
        import pathlib

        def pytest_sessionfinish(session):
            pathlib.Path("dialproof.toml").write_text("[semantics]\\nundecided = 'met'\\n")
        """
    )
    _closed(
        run("rules", workers),
        "dialproof.toml was changed after collection",
        "the effective configuration was changed after collection",
    )


def test_file_added_after_collection_closes(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """A file that nobody collected closes the gate, and so do its items."""
    pytester.makeconftest(
        """
        import pathlib

        def pytest_collection_finish():
            text = pathlib.Path("rules/premium.contacts.yaml").read_text()
            pathlib.Path("rules/more.contacts.yaml").write_text(text)
        """
    )
    _closed(
        run("rules"),
        "rules/more.contacts.yaml appeared after collection",
        f"{ITEMS + 2} items expected, {ITEMS} passed; *",
    )


def test_crashed_worker_closes(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """An item lost with its worker is named so; what the dead worker read is unknown."""
    pytester.makeconftest(
        "import os\ndef pytest_runtest_call(item):\n    if item.name.startswith('gold'):\n        os._exit(3)\n"
    )
    result = run("rules", "-n2", "--max-worker-restart=1")
    assert result.ret == 1
    _closed(
        result,
        "worker gw* did not say which files it read (it crashed or was stopped)",
        "1 item was lost with a crashed worker: rules/premium.contacts.yaml::gold goes to the premium desk",
    )


def test_early_stop_closes(project: Path, run: Run, workers: str) -> None:
    """-x leaves items unrun; the gate says which failed and that the run stopped."""
    edit(project / "customers.contactlist.yaml", "leadAge: {", "leadAges: {")
    result = run("rules", workers, "-x", "-p", "no:randomly")
    assert result.ret != 0
    _closed(result, "* failed: *")


def test_collection_error_closes(project: Path, run: Run, workers: str) -> None:
    """A file with errors is a collection error, which the gate names."""
    edit(project / "premium.rules.yaml", "priority: 50", "priority: 5000")
    result = run("rules", workers)
    assert result.ret != 0
    _closed(result, "rules/premium.rules.yaml:*DP108*")


def test_failure_of_other_tests_closes(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """Tests that are not ours matter through the exit status alone."""
    pytester.makepyfile(test_other="def test_other():\n    raise ValueError\n")
    result = run(".", workers)
    assert result.ret == 1
    _closed(result, "pytest ended with exit status 1: something else than the expected items failed, *")


def test_broken_module_of_other_tests_closes(project: Path, run: Run, pytester: pytest.Pytester, workers: str) -> None:
    """A module that cannot be collected fails the session although every item of ours passed."""
    pytester.makepyfile(test_other="raise ValueError\n")
    result = run(".", workers, "--continue-on-collection-errors")
    assert result.parseoutcomes()["passed"] == ITEMS
    _closed(result, "pytest ended with exit status 1: something else than the expected items failed, *")


def test_no_cases_closes(project: Path, run: Run) -> None:
    """A campaign without a case is not tested, however green its lint is."""
    (project / "premium.contacts.yaml").unlink()
    _closed(run("rules"), "campaign cmp_123 has no case, so nothing shows what its rules do")


def test_uncovered_rule_closes_unless_configuration_relaxes_it(project: Path, run: Run) -> None:
    """Each enabled rule must be matched and missed; gate.coverage none relaxes it, and the evidence says so."""
    text = (project / "premium.contacts.yaml").read_text(encoding="utf-8")
    (project / "premium.contacts.yaml").write_text(text.partition("  - name: a new lead")[0], encoding="utf-8")
    result = run("rules")
    result.stdout.fnmatch_lines(["campaign cmp_123: matched by no case that ran: new_lead"])
    _closed(
        result,
        "campaign cmp_123: no case matches new_lead",
        "campaign cmp_123: no case misses high_value",
    )
    (project.parent / "dialproof.toml").write_text(
        'ignore = ["DP601", "DP602"]\n[gate]\ncoverage = "none"\n', encoding="utf-8"
    )
    result = run("rules")
    result.stdout.fnmatch_lines(["GATE OPEN*"])
    statement = json.loads((project.parent / ".dialproof/evidence.json").read_text(encoding="utf-8"))
    assert statement["predicate"]["dialproof"]["coverage"]["policy"] == "none"


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan"])
def test_no_gate_without_a_run(project: Path, run: Run, option: str, workers: str) -> None:
    """Where nothing is run there is no verdict; a deploy that was asked for is not made, and that is no success."""
    result = run("rules", workers, option, *APPLY, "--dialproof-gate-report=gate.json")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("GATE*")
    why = "nothing was run, so there is no gate: nothing is planned, deployed or written as evidence"
    result.stdout.fnmatch_lines([why])
    assert _report(project)["projects"][0]["reasons"] == [why]
    assert not (project.parent / ".dialproof").exists()
    assert run("rules", option).ret == 0


def test_gate_report_as_json_and_junit(project: Path, run: Run) -> None:
    """--dialproof-gate-report writes the verdict by the suffix of the file."""
    run("rules", "-k", "gold", "--dialproof-gate-report=gate.json")
    report = _report(project)
    assert report["open"] is False
    assert report["projects"][0]["items"] == {"expected": ITEMS, "passed": 1}
    run("rules", "-k", "gold", "--dialproof-gate-report=gate.xml")
    assert 'failures="1"' in (project.parent / "gate.xml").read_text(encoding="utf-8")


def test_a_wrong_configuration_closes(project: Path, run: Run, workers: str) -> None:
    """No item can be collected then; the gate says so, with the reasons in a report that was open before."""
    (project.parent / "gate.json").write_text('{"open": true}', encoding="utf-8")
    (project.parent / "dialproof.toml").write_text("selct = []\n", encoding="utf-8")
    result = run("rules", workers, "--dialproof-gate-report=gate.json")
    assert result.ret != 0
    _closed(result, "dialproof.toml:1:1: selct: unknown key; did you mean select?")
    assert _report(project)["open"] is False
    assert _report(project)["projects"][0]["reasons"] == [
        "dialproof.toml:1:1: selct: unknown key; did you mean select?"
    ]
    _closed(run("rules"), "dialproof.toml:1:1: selct: unknown key; *")


@pytest.mark.parametrize("option", ["--dialproof-gate-report=gate.json", "--dialproof-evidence=e.json"])
def test_a_run_without_our_files_is_judged_if_that_was_asked_for(
    run: Run, pytester: pytest.Pytester, option: str, workers: str
) -> None:
    """Nothing of ours was collected: whoever asked for the verdict or the evidence is told that the gate is closed."""
    pytester.makepyfile("def test_other(): pass")
    result = run(workers, option)
    assert result.ret == 0
    _closed(result, "there is no campaign to deploy: no rules file was found*")
    if "report" in option:
        assert _report(pytester.path / "rules")["open"] is False


def test_evidence_that_cannot_be_written_closes(project: Path, run: Run, workers: str) -> None:
    """An open gate is one with evidence: no verdict, report or deploy says otherwise."""
    (project.parent / "file").write_text("", encoding="utf-8")
    result = run("rules", workers, "--dialproof-evidence=file/e.json", "--dialproof-gate-report=gate.json", *APPLY)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["nothing was deployed: the gate is closed"])
    _closed(result, "*file/e.json: the evidence cannot be written: *")
    assert _report(project)["open"] is False
    assert not (project.parent / ".dialproof/sandbox.sqlite").exists()


def _report(project: Path) -> Any:
    return json.loads((project.parent / "gate.json").read_text(encoding="utf-8"))


def _mark(pytester: pytest.Pytester, part: str, mark: str) -> None:
    pytester.makeconftest(
        f"""
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                if {part!r} in item.name:
                    item.add_marker({mark})
        """
    )


@pytest.mark.parametrize("hook", ["report", "call", "verdict"])
def test_a_plugin_that_turns_failures_into_passes_closes(
    project: Path, run: Run, pytester: pytest.Pytester, hook: str, workers: str
) -> None:
    """A conftest that quarantines failures makes pytest green; what the item itself found still counts."""
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: []")
    bodies = {
        "report": "makereport():\n    report = yield\n    report.outcome = 'passed'\n    return report\n",
        "verdict": "makereport():\n    report = yield\n    if report.failed:\n        report.outcome = 'passed'\n"
        "        del report.dialproof['verdict']\n    return report\n",
        "call": "call():\n    try:\n        yield\n    except Exception:\n        pass\n",
    }
    pytester.makeconftest(
        f"import pytest\n\n@pytest.hookimpl(wrapper=True, tryfirst=True)\ndef pytest_runtest_{bodies[hook]}"
    )
    result = run("rules", workers)
    assert result.ret == 0
    result.assert_outcomes(passed=ITEMS)
    _closed(result, "1 item was reported as passed, by another plugin, without having passed: *::a new lead goes to *")


def test_a_plugin_that_tries_again_closes(project: Path, run: Run, pytester: pytest.Pytester) -> None:
    """An item that was run twice behind one report has not passed at once."""
    pytester.makeconftest("def pytest_runtest_setup(item):\n    item.runtest()\n")
    _closed(run("rules"), f"{ITEMS} items were run again before passing (rerun), and only a first pass counts: *")


def test_a_failing_run_withdraws_evidence_and_an_incomplete_one_does_not(
    project: Path, run: Run, pytester: pytest.Pytester
) -> None:
    """The same files passed before and fail now: the earlier evidence is no proof any more."""
    evidence = project.parent / ".dialproof/evidence.json"
    run("rules")
    run("rules", "-k", "gold")
    assert evidence.exists()
    pytester.makeconftest("def pytest_runtest_setup(item):\n    assert 'gold' not in item.name\n")
    result = run("rules")
    result.stdout.fnmatch_lines([".dialproof/evidence.json: withdrawn, because items of this run failed"])
    assert not evidence.exists()
    named = pytester.path / "named.json"
    named.write_text("{}", encoding="utf-8")
    run("rules", "--dialproof-evidence=named.json").stdout.no_fnmatch_line("*withdrawn*")
    assert named.exists()


def test_the_summary_says_what_ran(project: Path, run: Run) -> None:
    """Failing cases count as evaluated; where no case ran there is nothing to say of rules."""
    edit(project / "premium.contacts.yaml", "matched: [new_lead]", "matched: []")
    result = run("rules")
    result.stdout.no_fnmatch_line("*by no case that ran*")
    result.stdout.fnmatch_lines(["evaluations: 2, *"])
    result = run("rules", "-k", "gold")
    result.stdout.fnmatch_lines(["campaign cmp_123: matched by no case that ran: new_lead", "evaluations: 1, *"])
    result = run("rules/premium.rules.yaml")
    result.stdout.no_fnmatch_line("*by no case that ran*")
    result.stdout.no_fnmatch_line("evaluations:*")
