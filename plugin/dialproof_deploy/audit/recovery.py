"""What became of a request whose answer no run lived to see.

``apply`` records each write before it sends it and after it was made. A process that is killed in between, or a target
that falls silent, leaves a ``change.started`` or ``rollback.started`` without its end. The next run reads the target
and appends that end, so that the audit log has a record for each change that was made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof_deploy.audit.log import read_records
from dialproof_deploy.targets.wire import content_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dialproof_deploy.audit.log import AuditLog
    from dialproof_deploy.targets import Target

__all__ = ["recover"]

_ENDS = {
    "made": "it was made",
    "failed": "it was not made",
    "unknown": "the rule was changed since, and nobody can tell whether it was made: look at it on the target",
}


def recover(log: AuditLog, campaign: str, target: Target) -> list[str]:
    """Append the missing end of each request for the campaign and return a sentence for each; only reads the target."""
    waiting = _without_end(read_records(log.path), campaign)
    rules = target.list_rules(campaign) if waiting else []
    return [_recovered(log, request, rules) for request in waiting]


def _without_end(records: Iterable[Mapping[str, Any]], campaign: str) -> list[Mapping[str, Any]]:
    """Return the requests of the campaign that no later record ends; an end in doubt is none."""
    waiting: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for record in records:
        kind, _, state = str(record.get("phase")).partition(".")
        if record.get("campaign") != campaign or kind not in ("change", "rollback"):
            continue
        key = (kind, str(record.get("rule")), str(record.get("action")))
        if state == "started":
            waiting[key] = record
        elif state != "unknown" or record.get("started") is not None:
            waiting.pop(key, None)
    return list(waiting.values())


def _recovered(log: AuditLog, request: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> str:
    end, rule = _end(request, rules)
    kind = str(request["phase"]).partition(".")[0]
    log.append(
        "change" if end == "made" else "request",
        **{key: request.get(key) for key in ("deploy", "campaign", "rule", "action", "version_before", "digest")},
        **({"rules": request["rules"]} if "rules" in request else {}),
        phase=f"{kind}.{end}",
        remote_id=rule["id"] if rule else request.get("remote_id"),
        version_after=rule["version"] if rule else None,
        request_id=None,
        started=request.get("seq"),
    )
    undoing = "undoing " if kind == "rollback" else ""
    written = "to campaign" if request.get("action") == "attach" else "of rule set" if "rules" in request else "of rule"
    what = f"{undoing}the {request.get('action')} {written} {request.get('rule')!r}"
    return f"an earlier run ended before it knew what became of {what}: {_ENDS[end]}"


def _end(request: Mapping[str, Any], rules: Sequence[Mapping[str, Any]]) -> tuple[str, Mapping[str, Any] | None]:
    """Return how the request ended and the rule that it left, by the digest of what it was to leave."""
    wanted, before = request.get("digest"), request.get("version_before")
    if before is None:  # it was to create the rule
        if made := next((rule for rule in rules if content_digest(rule) == wanted), None):
            return "made", made
        return "unknown" if any(rule["name"] == request.get("rule") for rule in rules) else "failed", None
    stands = next((rule for rule in rules if rule["id"] == request.get("remote_id")), None)
    if wanted is None:  # it was to delete the rule
        return "failed" if stands else "made", None
    if stands is None:
        return "unknown", None
    if stands["version"] == before:
        return "failed", None
    return ("made", stands) if content_digest(stands) == wanted else ("unknown", None)
