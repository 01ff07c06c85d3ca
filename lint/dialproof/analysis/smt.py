"""Questions that cells cannot hold (columns compared with each other, arithmetic), put to z3 in a process of its own.

z3 is an extra. What it may spend is counted in its own units, so that the same question has the same answer on every
machine; the clock is only looked at where a process does not come back at all. That nothing meets a question is a
proof; what z3 proposes is a contact that is run like any other before anybody sees it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from dialproof.analysis.answers import RLIMIT, Found, Nowhere, Unknown
from dialproof.analysis.atoms import CLOCK
from dialproof.analysis.smt_text import write
from dialproof.analysis.universe import Cell, may_hold, render_instant
from dialproof.analysis.witness import scene_of
from dialproof.cel.values import from_micros, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dialproof.analysis.answers import Answer, Demand
    from dialproof.analysis.campaign import CampaignAnalysis
    from dialproof.analysis.runs import Runs
    from dialproof.analysis.smt_text import Written
    from dialproof.analysis.witness import Scene
    from dialproof.cel.values import Variable

__all__ = ["Solver", "installed"]

_QUESTIONS = 20
"""How many times the limit of one question all questions of a campaign may spend together."""
_SCRIPT = Path(__file__).with_name("smt_worker.py")
_SECONDS = 120
"""After which a process that has not answered is killed."""


def installed() -> bool:
    """Tell whether z3 is there."""
    return find_spec("z3") is not None


class Solver:
    """Answers questions about the contacts of one campaign, each once."""

    def __init__(self, analysis: CampaignAnalysis, rlimit: int = RLIMIT) -> None:
        self._analysis = analysis
        self._rlimit = rlimit
        self._left = rlimit * _QUESTIONS
        self._known: dict[str, Mapping[str, object] | Nowhere | Unknown] = {}

    def settle(self, runs: Runs, demands: Sequence[Demand], why: Unknown, shows: Callable[[Scene], bool]) -> Answer:
        """Return whether a contact meets all demands, where ``why`` says what the cells leave open.

        A contact that is proposed counts if ``shows`` is true of it; else, and where z3 knows no answer either, the
        question stays open.
        """
        columns, contact_list = self._analysis.columns, self._analysis.campaign.contact_list
        question = write(demands, columns, contact_list)
        if not question.new:
            return why
        if not installed():
            return Unknown(f"{why.reason}; `pip install 'dialproof[smt]'` has it looked at by z3", "solver missing")
        answer = self._known.get(question.text)
        if answer is None:
            answer = self._known[question.text] = self._ask(question.text)
        if isinstance(answer, Nowhere):
            return answer
        if isinstance(answer, Unknown):
            return Unknown(f"{why.reason}, and {answer.reason}", answer.kind)
        try:
            scene = self._scene(question, answer)
        except OverflowError:  # a number that no double holds
            scene = None
        return why if scene is None or not shows(scene) else Found(runs, {}, scene)

    def _ask(self, text: str) -> Mapping[str, object] | Nowhere | Unknown:
        if self._left <= 0:
            return Unknown(f"the {self._rlimit * _QUESTIONS} steps of z3 for all questions are used up", "solver")
        reply = _process().ask(text, self._rlimit)
        if reply is None:
            self._left -= self._rlimit
            return Unknown("z3 has not come back", "solver")
        self._left -= int(reply["spent"])
        if reply["answer"] == "unsat":
            return Nowhere()
        if reply["answer"] == "sat":
            model: Mapping[str, object] = reply["model"]
            return model
        return Unknown(f"z3 has not decided it within {self._rlimit} steps", "solver")

    def _scene(self, question: Written, model: Mapping[str, object]) -> Scene | None:
        """Return the contact that a model speaks of, usual values in every other column; None where there is none."""
        analysis = self._analysis
        values: dict[Variable, object] = {}
        now = None
        for name, (variable, kind) in question.constants.items():
            value = model.get(name)
            if variable == CLOCK:
                now = value
            elif model.get(f"{name}d") is False:  # undecided: nothing there is the simplest way
                values.setdefault(variable, None)
            elif value is not None:
                rendered = self._rendered(variable, kind, value)
                if kind != "text" or self._fits(variable, rendered):  # else it is some value: a usual one
                    values[variable] = values.get(variable) or rendered
        if not all(self._fits(v, x) for v, x in values.items()):
            return None
        cells = {**analysis.usual, **{v: Cell("blank" if x in (None, "") else "value", x) for v, x in values.items()}}
        scene = scene_of(cells.items(), analysis.columns, analysis.campaign.contact_list.columns)
        return replace(scene, now=f"{from_micros(now):%Y-%m-%dT%H:%M:%S.%fZ}") if isinstance(now, int) else scene

    def _rendered(self, variable: Variable, kind: str, value: object) -> object:
        """Return a value as a contact holds it."""
        column = self._analysis.columns[variable]
        if kind == "timestamp" and isinstance(value, int):
            return render_instant(value, column)
        if kind == "number" and isinstance(value, (int, float)):
            number = float(value) if column.decimals is None else round(float(value), column.decimals)
            if column.type not in ("integer", "number"):
                return number_text(number)
            return int(number) if number.is_integer() and abs(number) < 2**53 else number
        return value

    def _fits(self, variable: Variable, value: object) -> bool:
        """Tell whether a column can hold a value, as far as z3 was not told."""
        column = self._analysis.columns[variable]
        if value in (None, ""):
            return not column.required
        return may_hold(column, value) or not (self._analysis.declares(variable) or column.type == "string")


class _Process:
    """The process in which z3 runs; started anew after it had to be killed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def ask(self, text: str, rlimit: int) -> dict[str, Any] | None:
        """Return what the process says, None where it does not come back."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps({"text": text, "rlimit": rlimit}) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            self.close()
            return None
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        self._process = subprocess.Popen(  # noqa: S603  (our own script)
            [sys.executable, "-P", str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=environment,
        )
        return self._process

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@cache
def _process() -> _Process:
    process = _Process()
    atexit.register(process.close)
    return process
