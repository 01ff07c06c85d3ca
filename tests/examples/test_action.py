"""The GitHub action: valid by the schema that others publish, and its steps run as the runner of GitHub would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.sources

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]  # what `shell: bash` means to the runner


@pytest.fixture
def action() -> dict[str, Any]:
    """Return the action."""
    return dict(yaml.safe_load(ACTION.read_text(encoding="utf-8")))


def test_the_action_is_what_its_schema_asks_for() -> None:
    """The schema of schemastore.org, as check-jsonschema brings it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_takes_and_gives_is_wired(action: dict[str, Any]) -> None:
    """Every input is used, every expression names something that there is, and no script evaluates an input."""
    text = ACTION.read_text(encoding="utf-8")
    assert {"args", "version", "env"} <= action["inputs"].keys()
    assert {"plan", "evidence"} <= action["outputs"].keys()
    used = set(re.findall(r"inputs\.([\w-]+)", text))
    assert used == action["inputs"].keys()
    steps = {step["id"] for step in action["runs"]["steps"] if "id" in step}
    for output in action["outputs"].values():
        step, name = re.fullmatch(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", output["value"]).groups()  # type: ignore[union-attr]
        assert step in steps
        assert f"{name}=" in text
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")  # an expression there would be code that whoever calls it writes
        assert "uses" in step or step["shell"] == "bash"


class Runner:
    """Runs the shell steps of the action in a project."""

    def __init__(self, action: dict[str, Any], folder: Path, project: Path) -> None:
        self.action, self.folder, self.project = action, folder, project
        self.output, self.summary = folder / "output", folder / "summary"
        (folder / "temp").mkdir()
        for file in (self.output, self.summary):
            file.touch()
        tools = folder / "tools"
        tools.mkdir()
        # The package index is not asked: the installation is noted down, and everything else is this interpreter.
        write_tool(tools / "python", f'if [ "$2" = pip ]; then printf "%s\\n" "$@" > "{folder}/pip"; exit 0; fi\n'
                                     f'exec "{sys.executable}" "$@"')  # fmt: skip
        write_tool(tools / "dialproof", f'exec "{sys.executable}" -m dialproof "$@"')
        self.path = f"{tools}{os.pathsep}{os.environ['PATH']}"

    def run(self, **inputs: str) -> list[subprocess.CompletedProcess[str]]:
        """Run the steps until one fails, and return what became of each."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        values = {name: given.get(name, written["default"]) for name, written in self.action["inputs"].items()}
        done = []
        for step in self.action["runs"]["steps"]:
            if "run" not in step or (step.get("if") == "inputs.env != ''" and not values["env"]):
                continue
            assert step.get("if") in (None, "inputs.env != ''")
            environment = {
                **{k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "PYTEST_", "GENESYS"))},
                **{name: expanded(text, values) for name, text in step.get("env", {}).items()},
                "PATH": self.path,
                "RUNNER_TEMP": str(self.folder / "temp"),
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_ACTIONS": "true",
            }
            script = self.folder / "step.sh"
            script.write_text(step["run"], encoding="utf-8")
            done.append(
                subprocess.run(
                    [*BASH, str(script)], cwd=self.project, env=environment, capture_output=True, text=True, check=False
                )
            )
            if done[-1].returncode:
                break
        return done

    @property
    def outputs(self) -> dict[str, Path]:
        """Return what the steps have given."""
        lines = self.output.read_text(encoding="utf-8").splitlines()
        return {name: Path(value) for name, value in (line.split("=", 1) for line in lines)}


def write_tool(path: Path, script: str) -> None:
    """Write a program."""
    path.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def expanded(text: str, inputs: dict[str, str]) -> str:
    """Return a value with the inputs that it names."""
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], text)


@pytest.fixture
def runner(action: dict[str, Any], tmp_path: Path) -> Runner:
    """Return a runner with a copy of an example."""
    project = tmp_path / "work tree"
    shutil.copytree(ROOT / "examples/premium_routing", project, ignore=shutil.ignore_patterns(".dialproof"))
    return Runner(action, tmp_path, project)


def test_without_an_environment_it_lints(runner: Runner) -> None:
    """The newest version is installed, the arguments are words, and nothing is given."""
    install, lint = runner.run(args="-f concise --fail-on warning")
    assert (install.returncode, lint.returncode) == (0, 0)
    assert (runner.folder / "pip").read_text(encoding="utf-8").splitlines()[-1] == "dialproof"
    assert "checked" in lint.stderr
    assert runner.outputs == {}


def test_an_argument_is_no_command(runner: Runner) -> None:
    """Whoever writes the arguments cannot have the runner run something else."""
    *_, lint = runner.run(args="$(touch x); touch y", version="0.1.0")
    assert lint.returncode == 2
    assert (runner.folder / "pip").read_text(encoding="utf-8").splitlines()[-1] == "dialproof==0.1.0"
    assert not {"x", "y"} & {path.name for path in runner.project.iterdir()}


def test_with_an_environment_it_gives_plan_and_evidence(runner: Runner) -> None:
    """The files that a later job deploys from, and the comment, which is the summary of the job as well."""
    *_, plan = runner.run(env="sandbox", pytest_args=". -p no:cacheprovider")
    assert plan.returncode == 0, plan.stdout + plan.stderr
    assert "3 writes to cmp_123" in plan.stdout
    assert (runner.folder / "pip").read_text(encoding="utf-8").splitlines()[-1] == "dialproof[sign,sandbox]"
    assert runner.outputs.keys() == {"plan", "evidence", "comment"}
    assert json.loads(runner.outputs["plan"].read_text(encoding="utf-8"))["environment"] == "sandbox"
    assert json.loads(runner.outputs["evidence"].read_text(encoding="utf-8"))["predicate"]["result"] == "PASSED"
    assert runner.outputs["comment"].read_text(encoding="utf-8") == runner.summary.read_text(encoding="utf-8")
    deploy = [sys.executable, "-m", "dialproof", "deploy", str(runner.outputs["plan"]), "--env", "sandbox"]
    done = subprocess.run(
        [*deploy, "--evidence", str(runner.outputs["evidence"])],
        cwd=runner.project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Deployed to sandbox: 3 writes" in done.stdout, done.stderr


def test_red_rules_give_nothing(runner: Runner) -> None:
    """A failing case ends the job before anything is planned."""
    rules = runner.project / "premium.rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8").replace('"5000"', '"50000"'), encoding="utf-8")
    *_, plan = runner.run(env="sandbox")
    assert plan.returncode == 1
    assert runner.outputs == {}
    assert runner.summary.read_text(encoding="utf-8") == ""


def test_an_environment_that_there_is_not_fails_with_its_sentence(runner: Runner) -> None:
    """The evidence is given all the same: it is for every environment."""
    *_, plan = runner.run(env="prod")
    assert plan.returncode == 2
    assert "there is no environment 'prod'" in plan.stderr
    assert runner.outputs.keys() == {"evidence"}
