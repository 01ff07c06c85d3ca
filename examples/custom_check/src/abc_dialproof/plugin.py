"""The entry point of the group ``dialproof``: everything that this distribution adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof import hookimpl

if TYPE_CHECKING:
    from dialproof.checks.base import Check

__all__ = ["dialproof_checks"]


@hookimpl
def dialproof_checks() -> list[Check]:
    """Return our checks; imported here, so that commands that need none pay for none."""
    from abc_dialproof.suppression_without_ticket import CHECK

    return [CHECK]
