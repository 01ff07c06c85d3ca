"""For checks that others report: reading makes some findings, the suppressions and commands of their own make others.

Such a check has a module like any other, for its page, its severity and its code; its ``run`` has nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof.checks.base import CheckContext
    from dialproof.findings import Finding

__all__ = ["reported_by_a_command", "reported_elsewhere"]


def reported_elsewhere(context: CheckContext) -> Iterable[Finding]:  # noqa: ARG001  (the signature of a check)
    """Yield nothing: :func:`dialproof.lint.lint` reports this check's findings."""
    return ()


def reported_by_a_command(context: CheckContext) -> Iterable[Finding]:  # noqa: ARG001  (the signature of a check)
    """Yield nothing: a command of its own reports this check's findings, and no lint run knows of them."""
    return ()
