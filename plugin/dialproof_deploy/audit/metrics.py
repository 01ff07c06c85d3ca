"""What the audit log and the events amount to, as numbers: Prometheus text, and JSON with the same content.

A campaign is counted by its name in the files. Every number is that of the whole log, so that it only grows while the
log does.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dialproof_deploy.audit.records import environment_of
from dialproof_deploy.rollout.history import ABORTED, DEPLOYED, ROLLED_BACK
from dialproof_deploy.state import time_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof_deploy.audit.records import Records

__all__ = ["Metrics", "json_metrics", "measure", "prometheus_text"]

_ACTIONS = ("create", "update", "shift", "delete")


@dataclass(frozen=True)
class Metrics:
    """The numbers of one environment.

    ``deploys`` and ``last_deploy`` (seconds since the epoch) are by campaign, ``rollbacks`` by how ("rolled back", or
    "aborted" where a deploy was under way), ``writes`` and ``undone`` by action,
    ``records`` by the event of the audit record, ``target_events`` by (kind of event, who changed it).
    """

    environment: str
    deploys: Mapping[str, int]
    last_deploy: Mapping[str, float]
    rollbacks: Mapping[str, int]
    writes: Mapping[str, int]
    undone: Mapping[str, int]
    refusals: int
    records: Mapping[str, int]
    target_events: Mapping[tuple[str, str], int]


def measure(records: Records) -> Metrics:
    """Count what the records of one environment show."""
    audited = [record for record in records if "eventType" not in record]
    events = [record for record in records if "eventType" in record]
    deployed = [record for record in audited if record.get("decision") == DEPLOYED]
    decisions = Counter(str(record.get("decision")) for record in audited)
    kinds = Counter(str(record.get("event")) for record in audited)
    return Metrics(
        environment=environment_of(records),
        deploys=Counter(map(_campaign, deployed)),
        last_deploy={_campaign(r): when.timestamp() for r in deployed if (when := time_of(r.get("time")))},
        rollbacks={decision: decisions[decision] for decision in (ROLLED_BACK, ABORTED)},
        writes=_by_action(audited, "change.made"),
        undone=_by_action(audited, "rollback.made"),
        refusals=kinds["refusal"],
        records=kinds,
        target_events=Counter((str(record["eventType"]), str(record.get("changed_by"))) for record in events),
    )


def prometheus_text(records: Records) -> bytes:
    """Return the numbers in the text exposition format of Prometheus, for a textfile collector or a push gateway."""
    found = measure(records)
    environment = ("environment", found.environment)

    def by(name: str, numbers: Mapping[str, float]) -> list[_Sample]:
        return [((environment, (name, key)), number) for key, number in sorted(numbers.items())]

    events = [
        ((environment, ("event", event), ("changed_by", by_whom)), number)
        for (event, by_whom), number in sorted(found.target_events.items())
    ]
    families: Sequence[tuple[str, str, str, Sequence[_Sample]]] = (
        (
            "deploys_total",
            "counter",
            "Times that the rules of a campaign were deployed.",
            by("campaign", found.deploys),
        ),
        (
            "last_deploy_timestamp_seconds",
            "gauge",
            "When the rules of a campaign were last deployed.",
            by("campaign", found.last_deploy),
        ),
        ("rollbacks_total", "counter", "Times that a deploy was taken back.", by("how", found.rollbacks)),
        ("writes_total", "counter", "Writes that were made on the target.", by("action", found.writes)),
        (
            "undone_writes_total",
            "counter",
            "Writes that were rolled back, by what they were.",
            by("action", found.undone),
        ),
        ("refusals_total", "counter", "Times that nothing was deployed.", [((environment,), found.refusals)]),
        ("audit_records_total", "counter", "Records of the audit log.", by("event", found.records)),
        ("target_events_total", "counter", "Changes that the target tells of, and who made them.", events),
    )
    lines = [line for family in families for line in _family(*family)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def json_metrics(records: Records) -> bytes:
    """Return the numbers as one JSON object; times are seconds since the epoch."""
    found = measure(records)
    body: dict[str, Any] = {
        "environment": found.environment,
        "deploys": found.deploys,
        "lastDeploy": found.last_deploy,
        "rollbacks": found.rollbacks,
        "writes": found.writes,
        "undoneWrites": found.undone,
        "refusals": found.refusals,
        "auditRecords": found.records,
        "targetEvents": [
            {"event": event, "changedBy": by, "count": number}
            for (event, by), number in sorted(found.target_events.items())
        ],
    }
    text = json.dumps(body, indent=2, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


_Labels = tuple[tuple[str, str], ...]
_Sample = tuple[_Labels, float]


def _family(name: str, kind: str, help_: str, samples: Sequence[_Sample]) -> Iterator[str]:
    if not samples:
        return
    yield f"# HELP dialproof_{name} {help_}"
    yield f"# TYPE dialproof_{name} {kind}"
    for labels, number in samples:
        shown = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels)
        yield f"dialproof_{name}{{{shown}}} {number!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _campaign(record: Mapping[str, Any]) -> str:
    return str(record.get("logicalCampaign") or record.get("campaign"))


def _by_action(records: Records, phase: str) -> dict[str, int]:
    """Count the writes of a phase; an action that was never taken counts 0, so that a rate can be taken of it."""
    found = Counter(str(record.get("action")) for record in records if record.get("phase") == phase)
    return {action: found[action] for action in (*_ACTIONS, *(a for a in found if a not in _ACTIONS))}
