"""The findings alone, one JSON object a line: for ``jq``, log collectors and whatever reads a stream."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dialproof.output.json_text import finding_json

if TYPE_CHECKING:
    from dialproof.output.report import Report

__all__ = ["render"]


def render(report: Report) -> str:
    """Return the objects of ``findings`` of the json format, one a line."""
    return "".join(json.dumps(finding_json(finding), default=str) + "\n" for finding in report.findings)
