"""Records what becomes of our items, in every process, as plain data; the controller gathers it for the gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

__all__ = ["RECORDER", "Recorder", "Run", "has_our_name"]

_SUFFIXES = (".yaml", ".yml", ".json", ".csv")
_KINDS = (".rules.", ".contacts.", ".contactlist.")


def has_our_name(name: str) -> bool:
    """Tell whether the name of a file looks like one of ours; ``dialproof.reading.kind_of`` decides."""
    name = name.lower()
    return name.endswith(_SUFFIXES) and any(kind in name for kind in _KINDS)


@dataclass
class Run:
    """What was recorded of the items of one configuration root; ids are relative to it.

    ``phases`` holds (when, outcome, marked xfail) of each report, with outcome "overruled" where a report says that an
    item passed which itself did not; ``cases`` what the evaluation of a case showed, ``proved`` whether an invariant
    was proved, ``counterexamples`` the contacts that are to be saved as cases.
    """

    phases: dict[str, list[tuple[str, str, bool]]] = field(default_factory=dict)
    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    proved: dict[str, bool] = field(default_factory=dict)
    counterexamples: list[dict[str, Any]] = field(default_factory=list)
    deselected: dict[str, None] = field(default_factory=dict)


class Recorder:
    """One of these is registered as a plugin in the controller and in each worker.

    ``runs`` is keyed by configuration root; ``read`` by process, then root: the sha256 of all that was parsed there
    (``digests_of``), None for a process that never said.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.runs: dict[str, Run] = {}
        self.read: dict[str, dict[str, dict[str, str]] | None] = {}
        self.broken: dict[str, None] = {}
        self.crashed: dict[str, None] = {}
        self._is_worker = hasattr(config, "workerinput")

    def run(self, root: str) -> Run:
        """Return the record of a configuration root."""
        found = self.runs.get(root)
        if found is None:
            found = self.runs[root] = Run()
        return found

    @property
    def roots(self) -> list[str]:
        """The configuration roots of which anything was read or run."""
        read = {root for roots in self.read.values() for root in roots or ()}
        return sorted({*read, *self.runs})

    @property
    def tried(self) -> bool:
        """Whether there was a file of ours, even one that could not be collected."""
        return bool(self.roots) or any(has_our_name(node.partition("::")[0]) for node in self.broken)

    def note_read(self, root: str, digests: dict[str, str]) -> None:
        """Take note of what this process parsed."""
        mine = self.read.setdefault("this process", {})
        if mine is not None:
            mine[root] = digests

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of a phase of one of our items."""
        if self._is_worker:
            return
        data: dict[str, Any] | None = getattr(report, "dialproof", None)
        if data is None:
            if report.when not in ("setup", "call", "teardown"):  # how xdist reports the item that a worker died of
                self.crashed[report.nodeid] = None
            return
        run = self.run(data["root"])
        phases = run.phases.setdefault(data["id"], [])
        outcome: str = report.outcome
        if report.when == "call" and outcome == "passed" and (verdict := data.get("verdict")) != "passed":
            outcome = "rerun" if verdict == "rerun" else "overruled"
        phases.append((str(report.when), outcome, hasattr(report, "wasxfail")))
        if "case" in data:
            run.cases[data["id"]] = data["case"]
        if "proved" in data:
            run.proved[data["id"]] = data["proved"]
        if "counterexample" in data:
            run.counterexamples.append(data["counterexample"])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the files that could not be collected."""
        if report.failed:
            self.broken[report.nodeid] = None

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Keep the items that were deselected; under xdist this is called in the workers only."""
        for item in items:
            place: tuple[str, str] | None = getattr(item, "dialproof_place", None)
            if place is not None:
                self.run(place[0]).deselected[place[1]] = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """In a worker, send what the controller cannot see."""
        if not self._is_worker:
            return
        output: dict[str, Any] = self.config.workeroutput  # type: ignore[attr-defined]
        output["dialproof"] = {
            "read": self.read.get("this process", {}),
            "deselected": {root: list(run.deselected) for root, run in self.runs.items()},
        }

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """On the controller, take what a worker sent; one that died sent nothing."""
        worker = f"worker {node.gateway.id}"
        sent = getattr(node, "workeroutput", {}).get("dialproof")
        if sent is None or error:
            self.read.setdefault(worker, None)
            return
        self.read[worker] = sent["read"]
        for root, items in sent["deselected"].items():
            self.run(root).deselected.update(dict.fromkeys(items))


RECORDER = pytest.StashKey[Recorder]()
