"""Blocks of text in Markdown without what is secret or personal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.output import markdown
from dialproof_deploy.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["text_block"]


def text_block(sentences: Sequence[str]) -> list[str]:
    """Return sentences as a block of text."""
    return markdown.text_block([redact(sentence) for sentence in sentences])
