"""What the platform itself finds wrong with the rule sets of campaigns, after a deploy: notes, and audit records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialproof.errors import RemoteError
from dialproof_deploy.targets.documents import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dialproof_deploy.audit.log import AuditLog
    from dialproof_deploy.plan.plan import Plan
    from dialproof_deploy.targets import AtomicTarget

__all__ = ["diagnose"]


def diagnose(target: AtomicTarget, plans: Iterable[Plan], log: AuditLog) -> list[str]:
    """Ask about every campaign that uses a rule set which was written; return a sentence for each warning.

    The deploy is made by now, so that a failure to read is a sentence and not its end. Raises ``RefusedError`` where
    the audit log cannot be written.
    """
    sentences: list[str] = []
    for plan in plans:
        for campaign in (document for document in plan.remote if kind_of(document) == "campaign"):
            try:
                warnings = target.diagnostics(campaign["id"])
            except RemoteError as error:
                sentences.append(f"campaign {campaign['name']!r}: the diagnostics could not be read: {error}")
                continue
            if warnings:
                details = {"warnings": warnings}
                log.append("diagnostic", campaign=plan.campaign, remote_id=campaign["id"], details=details)
            sentences += [f"campaign {campaign['name']!r}: the platform warns: {warning}" for warning in warnings]
    return sentences
