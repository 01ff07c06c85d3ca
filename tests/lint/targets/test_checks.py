"""The checks of targets: which targets they look at, what they suggest, and the contacts that they show."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.evaluate import Evaluator
from dialproof.items import expected_items
from dialproof.lint import LintResult, lint
from dialproof.project import load_project

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.findings import Finding

COLUMNS = """\
columns:
  state: {type: string, enum: [TX, CA, NY], required: true}
  attempts: {type: integer, min: 0, max: 9}
  vip: {type: boolean, required: true}
  phone: {type: string, phone: true, enum: ["555", "556"]}
"""
RULE = """\
  - name: {name}
    version: 1
    priority: 1
    executionOrder: {order}
    category: {category}
    conditions: [{conditions}]
    actions: [{actions}]
"""
RULESETS = '[environments.prod]\ntarget = "rulesets"\ntime_zone = "UTC"\n'


def rule(
    name: str, conditions: str, actions: str = "{type: doNotDial}", order: int = 1, category: str = "preCall"
) -> str:
    """Return the YAML of a rule."""
    return RULE.format(name=name, conditions=conditions, actions=actions, order=order, category=category)


def checked(folder: Path, *rules: str, config: str = RULESETS, head: str = "") -> LintResult:
    """Lint a campaign of these rules."""
    (folder / "dialproof.toml").write_text(config)
    (folder / "c.contactlist.yaml").write_text(COLUMNS)
    (folder / "a.rules.yaml").write_text(
        f"campaign: c\ncontactList: c.contactlist.yaml\n{head}rules:\n{''.join(rules)}"
    )
    return lint(load_project(load_config(folder)), today=date(2026, 1, 1))


def only(result: LintResult, code: str) -> Finding:
    """Return the one finding of a code."""
    (finding,) = (f for f in result.findings if f.code == code)
    return finding


ANY = "{{any: [{{attribute: {}}}, {{attribute: {}}}]}}".format
SAME = "it is the same on every contact of the contact list"


@pytest.mark.parametrize(
    ("conditions", "actions", "target", "fix"),
    [
        (
            f"{{not: {ANY('state, operator: equals, value: TX', 'attempts, operator: lessThan, value: 3')}}}",
            "{type: doNotDial}",
            "campaign-rules",
            f'write state notEquals "TX" and attempts greaterThanOrEqual 3 instead: {SAME}',
        ),
        (
            ANY("state, operator: equals, value: TX", "state, operator: equals, value: CA"),
            "{type: doNotDial}",
            "campaign-rules",
            f'write state in ["TX", "CA"] instead: {SAME}',
        ),
        (
            ANY("state, operator: equals, value: TX", "vip, operator: exists"),
            "{type: doNotDial}",
            "rulesets",
            f'write 2 rules, one for each of (state equals "TX"), (vip exists): {SAME.replace("it is", "they do")}',
        ),
        (
            ANY("phone, operator: equals, value: '555'", "phone, operator: equals, value: '556'"),
            "{type: doNotDial}",
            "campaign-rules",
            f"write phone in ••• instead: {SAME}",
        ),
        ("{attribute: vip, operator: equals, value: true}", "{type: doNotDial}", "rulesets",
         "compare it as text (type: string)"),
        ("{attribute: state, operator: matches, value: ^T}", "{type: doNotDial}", "rulesets", ""),
    ],
)  # fmt: skip
def test_a_fix_is_one_that_was_proved(conditions: str, actions: str, target: str, fix: str, tmp_path: Path) -> None:
    """De Morgan, one list, one rule for each alternative: named where they come to the same; personal values masked."""
    config = f'[environments.prod]\ntarget = "{target}"\n'
    finding = only(checked(tmp_path, rule("r", conditions, actions), config=config), "DP701")
    assert finding.fix == fix
    assert finding.witness is None


def test_a_split_that_differs_is_shown(tmp_path: Path) -> None:
    """One of the two rules is undecided where the other decides the rule: no split, and the contact that shows it."""
    conditions = ANY("state, operator: equals, value: TX", "attempts, operator: greaterThan, value: 3")
    finding = only(checked(tmp_path, rule("r", conditions, "{type: setSkills, skills: [s]}")), "DP701")
    witness = finding.witness
    assert (finding.fix, finding.details) == ("", "one rule for each alternative would come to something else")
    assert witness is not None
    assert witness.other is not None
    assert (witness.outcome.dial, witness.other.dial) == (True, False)
    assert witness.contact == {"state": "TX", "vip": True}


def test_a_split_that_is_not_decided_is_not_suggested(tmp_path: Path) -> None:
    """With a budget of one run nothing is proved, and the finding says so."""
    conditions = ANY("state, operator: equals, value: TX", "vip, operator: exists")
    found = checked(tmp_path, rule("r", conditions), config=f"{RULESETS}[checks.DP701]\nbudget = 1\n")
    finding = only(found, "DP701")
    assert finding.fix == ""
    assert "is not proved: not decided within 1 runs" in finding.details


def test_the_first_match_is_not_every_match(tmp_path: Path) -> None:
    """The contact that tells the two hit policies apart, run under both."""
    rules = (rule("a", "{attribute: state, operator: equals, value: TX}", "{type: setSkills, skills: [s]}"),
             rule("b", "{attribute: vip, operator: exists}", order=2))  # fmt: skip
    witness = only(checked(tmp_path, *rules, head="hitPolicy: first\n"), "DP701").witness
    assert witness is not None
    assert witness.other is not None
    assert (witness.outcome.matched, witness.other.matched) == (("a",), ("a", "b"))


def test_a_contact_without_a_call_shows_the_trap(tmp_path: Path) -> None:
    """The contact of DP704 has no call around it, and the rule acts on it."""
    condition = "{context: call.wrapUpCode, operator: notIn, value: [SALE, DNC]}"
    finding = only(checked(tmp_path, rule("r", condition, "{type: contactUncallable}", category="wrapUp")), "DP704")
    assert finding.witness is not None
    project = load_project(load_config(tmp_path))
    evaluator = Evaluator(project.campaigns[0], project.config.semantics)
    run = {c: evaluator.run(finding.witness.contact, category="wrapUp", context={"call": {"wrapUpCode": c}}).matched
           for c in ("SALE", "DNC", "BUSY")}  # fmt: skip
    assert "call" not in finding.witness.context
    assert finding.witness.outcome.matched == ("r",)
    assert run == {"SALE": (), "DNC": (), "BUSY": ("r",)}


def test_a_rule_behind_one_that_writes_is_looked_at_as_it_runs(tmp_path: Path) -> None:
    """The trap is one of the real run: an earlier rule may keep the later one from holding without a call."""
    first = rule("mark", "{context: call.wrapUpCode, operator: notExists}",
                 "{type: setAttribute, attribute: state, value: NY}", category="wrapUp")  # fmt: skip
    conditions = (
        "{attribute: state, operator: equals, value: TX}, {context: call.wrapUpCode, operator: notEquals, value: A}"
    )
    later = rule("r", conditions, "{type: contactUncallable}", order=2, category="wrapUp")
    assert "DP704" in {f.code for f in checked(tmp_path, later).findings}
    assert "DP704" not in {f.code for f in checked(tmp_path, first, later).findings}


def test_one_contact_at_two_times_shows_what_is_lost(tmp_path: Path) -> None:
    """The contact of DP705 is not dialed at the one time and is at the other."""
    finding = only(
        checked(tmp_path, rule("r", '{context: now.timeOfDay, operator: lessThan, value: "10:00"}')), "DP705"
    )
    witness = finding.witness
    assert witness is not None
    assert witness.other is not None
    assert (witness.outcome.dial, witness.other.dial) == (False, True)
    assert [label.split("T")[1] < "10:00" for label in witness.labels] == [True, False]


def test_what_the_budget_does_not_decide_is_left_open(tmp_path: Path) -> None:
    """The rule cannot act without a call, which takes more than one run to prove: DP901, never silence."""
    writer = rule("w", "{attribute: vip, operator: exists}, {context: call.analysis, operator: notExists}",
                  "{type: setAttribute, attribute: state, value: TX}", category="wrapUp")  # fmt: skip
    conditions = (
        "{attribute: state, operator: notEquals, value: TX}, {context: call.wrapUpCode, operator: notEquals, value: A}"
    )
    rules = (writer, rule("r", conditions, "{type: contactUncallable}", category="wrapUp", order=2))
    assert not {f.code for f in checked(tmp_path, *rules).findings} & {"DP704", "DP901"}
    small = checked(tmp_path, *rules, config=f"{RULESETS}[checks.DP704]\nbudget = 1\n")
    assert {f.code for f in small.findings} & {"DP704", "DP901"} == {"DP901"}


def test_without_a_target_the_checks_do_not_run(tmp_path: Path) -> None:
    """Neither do they find anything nor is a comment about them unused; a selection that asks for them is told so."""
    written = "    # dialproof: ignore[DP701] the target is to come\n"
    trap = rule("r", "{attribute: state, operator: matches, value: ^T}")
    found = checked(tmp_path, written + trap, config="")
    assert not {f.code for f in found.findings} & {"DP701", "DP903"}
    assert found.notes == ()
    asked = checked(tmp_path, trap, config='select = ["DP701"]\n')
    assert asked.notes == ("checks of targets did not run: configure an environment, or name a target with --target",)


@pytest.mark.parametrize(("config", "there"), [("", False), (RULESETS, True), ("[environments.sandbox]\n", False)])
def test_an_environment_beside_the_sandbox_has_an_item(config: str, there: bool, tmp_path: Path) -> None:
    """Under pytest a rules file has the item `target` where there is a target, and the gate expects it."""
    checked(tmp_path, rule("r", "{attribute: state, operator: equals, value: TX}"), config=config)
    project = load_project(load_config(tmp_path))
    assert ("a.rules.yaml::target" in expected_items(project, project.campaigns[0])) is there
    assert bool(project.config.targets) is there


def test_the_command_names_the_targets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--target, repeatable, takes the place of the environments; comments about the others are not unused."""
    monkeypatch.chdir(tmp_path)
    comment = "    # dialproof: ignore[DP701] never goes to campaign-rules\n"
    group = "{not: {attribute: state, operator: equals, value: TX}}"
    checked(tmp_path, comment + rule("r", group), config='[environments.prod]\ntarget = "campaign-rules"\n')

    def run(*options: str) -> tuple[int, str]:
        code = main(["lint", "-f", "concise", "--ignore", "DP606", *options])
        return code, capsys.readouterr().out

    assert run() == (0, "")
    assert run("--target", "rulesets") == (0, "")
    code, out = run("--target", "rulesets", "--target", "campaign-rules", "--no-ignore")
    assert code == 1
    assert out.count("DP701") == 1
    assert "campaign-rules cannot hold the group 'not'" in out


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        ("", ["--target", "rulset"], "there is no target 'rulset'; there are campaign-rules, rulesets"),
        (
            '[environments.prod]\ntarget = "rulset"\n',
            [],
            "environment 'prod': there is no target 'rulset'; there are campaign-rules, rulesets",
        ),
        (
            RULESETS + '[checks.DP706.campaigns.c]\nwrapUpCodes = "SALE"\nqueue = "q"\n',
            [],
            "checks.DP706.campaigns.c.wrapUpCodes: expected a list of texts",
        ),
        (RULESETS + '[checks.DP706.campaigns]\nc = "SALE"\n', [], "checks.DP706.campaigns.c: expected a table"),
        (RULESETS + '[checks.DP706.campaigns.c]\ndncLists = ["all"]\n', [], 'a list of "numbers" and "custom"'),
    ],
)
def test_a_wrong_configuration_is_a_usage_error(
    config: str,
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and a sentence that says where."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dialproof.toml").write_text(config)
    (tmp_path / "a.rules.yaml").write_text("campaign: c\nrules:\n" + rule("r", "{attribute: state, operator: exists}"))
    assert main(["lint", *options]) == 2
    assert message in capsys.readouterr().err


def test_what_nothing_says_of_a_campaign_is_a_note(tmp_path: Path) -> None:
    """DP706 is silent about it, and the last lines say so; what is given is not named."""
    rules = (
        rule("p", "{context: phone.type, operator: equals, value: Home}"),
        rule("w", "{context: call.wrapUpCode, operator: equals, value: SALE}", "{type: appendToDnc}", 2, "wrapUp"),
    )
    note = "DP706 does not know {} of campaign c (checks.DP706.campaigns)"
    assert checked(tmp_path, *rules).notes[-1] == note.format("wrapUpCodes, dncLists, preview")
    known = RULESETS + '[checks.DP706.campaigns.c]\nwrapUpCodes = ["SALE"]\npreview = false\n'
    assert checked(tmp_path, *rules, config=known).notes[-1] == note.format("dncLists")


def test_more_than_one_request_holds_is_refused(tmp_path: Path) -> None:
    """A rule set travels in one request of at most 512,000 bytes."""
    rules = (rule(f"r{n}", f'{{attribute: state, operator: notEquals, value: "{"x" * 8000}{n}"}}', order=n)
             for n in range(1, 66))  # fmt: skip
    config = 'select = ["DP701"]\n' + RULESETS
    finding = only(checked(tmp_path, *rules, config=config), "DP701")
    assert "in one request of at most 512,000 bytes" in finding.summary
