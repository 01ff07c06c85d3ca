"""``dialproof pull`` from campaigns: what was pulled lints, and plans as no changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.cli import main
from dialproof.config import load_config
from dialproof.project import load_project
from dialproof.targets import campaign_rules
from dialproof_deploy.pull.rules_file import rules_file, why_not
from dialproof_deploy.targets.wire import same_content

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.deploy.drift.conftest import Somebody

PULL = ["pull", "--env", "sandbox"]
LIST = {"type": "setList", "listId": "premium", "value": "true"}
TEXTS = ["yes", "010", "1:30", "2026-03-07", "null", "é", "a: b", "TX", "", "x\ny", "- 1", '"', "{}"]


def condition(attribute: str, operator: str, value: str, kind: str = "string") -> dict[str, str]:
    """Return a condition as it travels."""
    return {"attribute": attribute, "operator": operator, "value": value, "type": kind}


CONDITIONS = [
    *(condition("n", o, "5", "number") for o in ("equals", "notEquals", "lessThan", "lessThanOrEqual", "greaterThan")),
    condition("n", "between", '["1","9"]', "number"),
    condition("n", "in", '["1","2"]', "number"),
    *(condition("s", o, "010") for o in ("equals", "notEquals", "contains", "notContains", "beginsWith", "endsWith")),
    *(condition("s", o, '["yes","no"]') for o in ("in", "notIn")),
    condition("s", "matches", "^[A-Z]+$"),
    *(condition("s", o, "") for o in ("exists", "notExists")),
    condition("b", "equals", "true", "boolean"),
    *(condition("d", o, "2026-03-07", "datetime") for o in ("before", "after", "equals")),
    *(condition("d", o, "P7DT0H0M", "period") for o in ("lessThan", "greaterThan")),
]
ACTIONS: list[dict[str, Any]] = [
    LIST,
    {**LIST, "value": "false"},
    {"type": "doNotDial"},
    {"type": "setAttribute", "attribute": "tier", "option": "SET", "value": "010"},
    {"type": "setAttribute", "attribute": "count", "option": "INCREMENT"},
    {"type": "setAttribute", "attribute": "at", "option": "CURRENT_TIME"},
    {"type": "switchToPreview"},
    {"type": "setCallerId", "callerAddress": "contact.own", "callerName": "No"},
    {"type": "setSkills", "skills": ["gold", "010"]},
    {"type": "contactUncallable"},
    {"type": "numberUncallable"},
    {"type": "dataAction", "id": "lookup", "fields": {"key: 1": "contact.s", "yes": "no"}},
]


def test_what_was_pulled_lints_and_plans_as_no_changes(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every operator and action type of the contract, names and texts that YAML could take for something else."""
    for order, one in enumerate(CONDITIONS, 1):
        somebody.add(f"condition {order}: {one['operator']}", order, conditions=[one], actions=[LIST], priority=order)
    for order, action in enumerate(ACTIONS, 101):
        somebody.add(TEXTS[order % 5] + f" {order}", order, conditions=[CONDITIONS[0]], actions=[action])
    somebody.add("always", 201, actions=[LIST], description="two\nlines # no comment", enabled=False)
    (project / "dialproof.toml").write_text("[environments.sandbox.ids]\ncampaigns = {cmp = 'cmp_1'}\n", "utf-8")
    assert main(PULL) == 0
    captured = capsys.readouterr()
    count = len(CONDITIONS) + len(ACTIONS) + 1
    assert captured.out.endswith(f"Pulled {count} rules: a plan of them has no changes\n")
    assert captured.err == ""
    assert main(["plan", "--env", "sandbox", "--detailed-exitcode"]) == 0
    assert f"no changes, {count} rules unchanged" in capsys.readouterr().out
    (file,) = load_project(load_config(project)).rules_files.values()
    assert (file.campaigns, len(file.rules)) == (("cmp",), count)
    assert main(["lint", "--ignore", "DP3,DP2,DP5", "--target", "campaign-rules"]) == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(TEXTS).filter(bool)
    | st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1),
    value=st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8"), max_size=8),
    number=st.integers(1, 1000),
)
def test_a_rule_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, name: str, value: str, number: int
) -> None:
    """Wire, YAML, our reader, wire: the same content, whatever texts are in it."""
    listed = json.dumps([value, "010"], ensure_ascii=False, separators=(",", ":"))
    wire = {
        "name": name,
        "description": value,
        "version": number,
        "priority": number,
        "executionOrder": number,
        "conditions": [condition("s", "equals", value), condition("s", "in", listed)],
        "actions": [{**LIST, "listId": value or "x"}, {"type": "setSkills", "skills": [value or "yes"]}],
        "enabled": number % 2 == 0,
    }
    rule = campaign_rules.read_rule(wire)
    if why_not(rule, lambda _, i: i):  # a name that no rule of ours may have, say
        assert not name.isprintable() or "::" in name or name.strip() != name or value.strip() != value or "\n" in value
        return
    root = tmp_path_factory.mktemp("pulled")
    text = rules_file({"campaign": "c"}, [rule], (), lambda _, i: i, note=value)
    (root / "a.rules.yaml").write_text(text, encoding="utf-8", newline="\n")
    (root / "dialproof.toml").touch()
    loaded = load_project(load_config(root))
    (back,), refusals = campaign_rules.lower_campaign(loaded.campaigns[0], lambda _, i: i)
    assert not refusals
    assert same_content(back, wire)


def test_ids_become_the_logical_ones(project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    """What the environment maps is turned round; what it would have to map is said, ready to be pasted."""
    somebody.add("r", 1, conditions=[CONDITIONS[0]], actions=[LIST, {**LIST, "listId": "other"}])
    (project / "dialproof.toml").write_text(
        "[environments.sandbox.ids]\ncampaigns = {cmp = 'cmp_1'}\nlists = {gold = 'premium'}\n", encoding="utf-8"
    )
    assert main(PULL) == 0
    written = (project / "cmp.rules.yaml").read_text(encoding="utf-8")
    assert "- {type: setList, listId: gold}" in written
    assert "- {type: setList, listId: other}" in written
    assert 'add to [environments.sandbox.ids.lists]: "other" = "other"' in capsys.readouterr().err


def test_what_cannot_be_read_back_is_a_sentence_and_a_comment(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is dropped without a word: neither an action that nobody knows nor a rule that does nothing."""
    somebody.add("strange", 1, conditions=[CONDITIONS[0]], actions=[{"type": "sendFax", "to": "x"}])
    somebody.add("idle", 2, conditions=[CONDITIONS[0]])
    somebody.add("a::b", 4, conditions=[CONDITIONS[0]], actions=[LIST])
    somebody.add("fine", 3, conditions=[CONDITIONS[0]], actions=[LIST])
    assert main([*PULL, "--out", "rules"]) == 2
    assert "name them in ids.campaigns of the environment, or set GENESYS_CAMPAIGN_ID" in capsys.readouterr().err
    (project / "dialproof.toml").write_text("[environments.sandbox.ids]\ncampaigns = {cmp_1 = 'cmp_1'}\n", "utf-8")
    assert main([*PULL, "--out", "rules"]) == 0
    captured = capsys.readouterr()
    assert captured.out.endswith("Pulled 1 rule\n")
    assert "rule 'strange' cannot be written as a rule of ours: an action of type 'sendFax'" in captured.err
    assert "rule 'idle' cannot be written as a rule of ours: a rule of ours needs at least one action" in captured.err
    assert "rule 'a::b' cannot be written as a rule of ours: " in captured.err
    assert "a plan of these files is refused: foreign rule 'strange'" in captured.err
    text = (project / "rules" / "cmp_1.rules.yaml").read_text(encoding="utf-8")
    assert '"type": "sendFax"' in next(line for line in text.splitlines() if line.startswith("  # {"))
    assert main(["lint"]) == 0


def test_nothing_is_overwritten(project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    """A second pull into the same folder writes nothing at all."""
    somebody.add("r", 1, conditions=[CONDITIONS[0]], actions=[LIST])
    (project / "dialproof.toml").write_text("[environments.sandbox.ids]\ncampaigns = {cmp_1 = 'cmp_1'}\n", "utf-8")
    assert main(PULL) == 0
    before = (project / "cmp_1.rules.yaml").read_bytes()
    somebody.change("r", priority=9)
    assert main(PULL) == 2
    assert "cmp_1.rules.yaml: this file exists already; pull overwrites nothing" in capsys.readouterr().err
    assert (project / "cmp_1.rules.yaml").read_bytes() == before
    assert main([*PULL, "--out", "dialproof.toml"]) == 2
    assert main([*PULL, "--out", "../elsewhere/deep"]) == 0


def test_files_that_would_clash_with_those_around_are_not_written(
    project: Path, somebody: Somebody, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the same configuration each campaign is in one file; a folder with its own is another project."""
    somebody.add("theirs", 1, conditions=[condition("s", "equals", "x")], actions=[LIST])
    configuration = "[environments.sandbox.ids]\ncampaigns = {cmp_1 = 'cmp_1'}\n"
    (project / "dialproof.toml").write_text(configuration, encoding="utf-8")
    assert main(PULL) == 0
    assert main([*PULL, "--out", "pulled"]) == 2
    error = capsys.readouterr().err
    assert "campaign cmp_1 is in cmp_1.rules.yaml of the project" in error
    assert "one with a dialproof.toml of its own" in error
    assert not (project / "pulled").exists()
    (project / "pulled").mkdir()
    (project / "pulled" / "dialproof.toml").write_text(configuration, encoding="utf-8")
    assert main([*PULL, "--out", "pulled"]) == 0
    assert main([*PULL, "--out", str(project.parent / "elsewhere")]) == 0
