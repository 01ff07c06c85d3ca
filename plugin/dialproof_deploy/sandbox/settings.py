"""What a test may change about a running sandbox."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from dialproof_deploy.sandbox.errors import Detail, detail, invalid

__all__ = ["Settings"]

_LARGEST: Final = 1_000_000


@dataclass
class Settings:
    """How the sandbox behaves; all are whole numbers.

    rate_limit       requests a minute for each token
    event_page_size  events on a page of the events query that asks for no size
    stale_reads      reads after a write that still answer what was there before it
    pending_polls    answers that an export or a query of the audit is not ready yet
    rule_sets        rule sets that the organisation may have
    """

    rate_limit: int = 300
    event_page_size: int = 25
    stale_reads: int = 0
    pending_polls: int = 1
    rule_sets: int = 1000

    def as_json(self) -> dict[str, object]:
        """Return the settings by name."""
        return asdict(self)

    def change(self, body: object) -> None:
        """Take the settings in ``body`` over; raise 400, and take none, if one is invalid."""
        if not isinstance(body, dict):
            raise invalid([detail("body", "invalid.value", "expected a JSON object")])
        known = self.as_json()
        problems: list[Detail] = []
        for name, value in body.items():
            smallest = 0 if name in ("stale_reads", "pending_polls") else 1
            if name not in known:
                problems.append(detail(name, "unknown.field", f"expected one of {', '.join(known)}"))
            elif isinstance(value, bool) or not isinstance(value, int) or not smallest <= value <= _LARGEST:
                message = f"expected a whole number from {smallest} to {_LARGEST}"
                problems.append(detail(name, "invalid.value", message))
        if problems:
            raise invalid(problems)
        for name, value in body.items():
            setattr(self, name, value)
