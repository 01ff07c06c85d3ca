"""What a finding is known by from one run to the next, wherever its line has moved to.

The baseline, code scanning and code quality reports ask whether a finding is new. They all ask by this one text.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING

from dialproof.output.masking import line_may_be_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dialproof.findings import Finding

__all__ = ["fingerprints"]

_COMMENT = re.compile(r"#\s*dialproof\s*:.*")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


def fingerprints(findings: Sequence[Finding], lines: Callable[[str], Sequence[str]]) -> list[str]:
    """Return a fingerprint (32 hexadecimal digits) for each finding, in the findings' order.

    It is made of code, path, rules, the summary without its numbers, and the text of the line where the finding
    begins, spaces and suppressions aside; ``lines`` returns the lines of a file by its path. Findings that are equal
    in all of these are counted from the top of the file down, so that one more or one less leaves the others' alone.
    A line that may hold a personal value leaves no trace: a number can be found from its hash by trying.
    """
    alike: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, finding in enumerate(findings):
        alike[_content(finding, lines)].append(index)
    found = [""] * len(findings)
    for content, indices in alike.items():
        for number, index in enumerate(sorted(indices, key=lambda i: findings[i].sort_key)):
            text = json.dumps([*content, number])  # pure ASCII, whatever the names hold
            found[index] = sha256(text.encode("ascii")).hexdigest()[:32]
    return found


def _content(finding: Finding, lines: Callable[[str], Sequence[str]]) -> tuple[object, ...]:
    text = lines(finding.path) if line_may_be_shown(finding) else ()
    line = _COMMENT.sub("", "".join(text[finding.span.line - 1 : finding.span.line]))
    line = " ".join(line.split())
    return finding.code, finding.path, finding.rules, _NUMBER.sub("#", finding.summary), line
