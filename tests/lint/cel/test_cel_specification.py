"""The conformance cases of the CEL specification, on what the compiler takes.

The cases are not part of this repository: ``DIALPROOF_CEL_SPEC`` names a checkout of github.com/google/cel-spec.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

from dialproof.cel.compile import Compiler
from dialproof.cel.parse import CelSyntaxError, parse
from dialproof.cel.program import define
from dialproof.model.contactlist import ContactList

_CASE = re.compile(r"^  test:? ?\{(.*?)^  \}", re.DOTALL | re.MULTILINE)
_EXPRESSION = re.compile(r"""expr: *("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_INTEGER_ERROR = re.compile(r"\d+ ?[/%] ?0\b")
"""An error of integer arithmetic: every number is a double here (docs/decisions/0002), and 1/0 is infinity."""
_BOOLEAN = re.compile(r"value:? *\{ *bool_value: *(true|false)")


def _cases(folder: Path) -> list[tuple[str, bool | None]]:
    """Return the expressions without variables whose expected result is a boolean, or an error (None)."""
    found: list[tuple[str, bool | None]] = []
    for file in sorted(folder.glob("tests/simple/testdata/*.textproto")):
        for case in _CASE.findall(file.read_text(encoding="utf-8")):
            if any(word in case for word in ("bindings", "type_env", "container", "disable_check")):
                continue
            expression, boolean = _EXPRESSION.search(case), _BOOLEAN.search(case)
            if expression and (boolean or "eval_error" in case):
                try:
                    text = ast.literal_eval(expression[1])
                except (SyntaxError, ValueError):
                    continue
                if not _INTEGER_ERROR.search(text):
                    found.append((text, boolean[1] == "true" if boolean else None))
    return found


def test_compiled_expressions_agree_with_the_specification() -> None:
    """Whatever the compiler takes of the specification's cases has the specified result."""
    place = os.environ.get("DIALPROOF_CEL_SPEC")
    if not place:
        pytest.skip("DIALPROOF_CEL_SPEC does not name a checkout of the CEL specification")
    agreed, differing = 0, []
    for text, expected in _cases(Path(place)):
        try:
            tree = parse(text)
        except CelSyntaxError:
            continue
        compiler = Compiler(ContactList("", {}))
        compiled, _, _ = compiler.compile(tree)
        if compiled is None or compiler.slots:
            continue
        result = define("constant", [], f"return {compiled.code}", compiler.constants)()
        agreed += result is expected
        differing += [] if result is expected else [(text, result, expected)]
    assert not differing
    assert agreed > 150
