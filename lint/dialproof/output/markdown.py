"""Texts of other people in Markdown: whoever wrote them, they are neither markup, nor a mention, nor a link."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dialproof.output.report import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["code_span", "text_block"]


def code_span(text: str) -> str:
    """Return a text as a code span, of a table too."""
    text = printable(text).replace("|", "\\|")
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{text}{fence}" if len(fence) == 1 and text.strip() else f"{fence} {text} {fence}"


def text_block(sentences: Sequence[str]) -> list[str]:
    """Return sentences as a block of text."""
    shown = [printable(sentence) for sentence in sentences]
    fence = "`" * max(3, 1 + max((len(run) for text in shown for run in re.findall("`+", text)), default=0))
    return [f"{fence}text", *shown, fence]
