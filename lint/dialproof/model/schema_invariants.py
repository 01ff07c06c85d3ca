"""The keys of invariants: statements in CEL, and ready-made ones with their options."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from dialproof.model.schema import Choice, Custom, Key, ListOf, Record, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["READY_INVARIANTS", "STATEMENT"]

_NAME = "The name of the invariant"
_WHY = Key(Text("any"), "Why it must hold.")

STATEMENT = Record(
    "invariant",
    MappingProxyType(
        {
            "name": Key(Text("name"), f"{_NAME}.", required=True),
            "description": _WHY,
            "always": Key(Text(), "CEL over contact and outcome that is true on every contact."),
            "never": Key(Text(), "CEL over contact and outcome that is false on every contact."),
            "when": Key(Text(), "CEL: where this is true, implies is true as well."),
            "implies": Key(Text(), "CEL that is true wherever when is."),
        }
    ),
    one_of=(("always", "never", "implies"),),
)


def _ready(use: str, doc: str, **options: Key) -> tuple[str, Record]:
    own = {
        "use": Key(Choice((use,)), doc, required=True),
        "name": Key(Text("name"), f"{_NAME}; default: what it says."),
        "description": _WHY,
    }
    return use, Record(f"{use} invariant", MappingProxyType({**own, **options}))


_TIME_OF_DAY = Custom("time of day", {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"})
_COLUMN_NAME = Text()

READY_INVARIANTS: Mapping[str, Record] = MappingProxyType(
    dict(
        (
            _ready(
                "noDialWithoutConsent",
                "No contact is dialed without consent.",
                column=Key(_COLUMN_NAME, "The column that holds the consent.", required=True),
                value=Key(
                    Custom("value", {"$ref": "#/definitions/value"}),
                    "What it holds where there is consent, or a list of that.",
                    required=True,
                ),
            ),
            _ready(
                "noDialOutsideHours",
                "No contact is dialed outside of some hours, local time.",
                **{"from": Key(_TIME_OF_DAY, "When dialing begins; default 08:00.")},
                to=Key(_TIME_OF_DAY, "When dialing has ended; default 21:00."),
                timeZone=Key(
                    _COLUMN_NAME, "The column with the contact's time zone; default: the time zone of the run."
                ),
            ),
            _ready(
                "attemptLimit",
                "No contact is dialed again that has had so many attempts, the last of them in so many days.",
                column=Key(_COLUMN_NAME, "The column that counts the attempts.", required=True),
                attempts=Key(Whole(1), "How many attempts there may be.", required=True),
                days=Key(Whole(1, 3650), "In how many days.", required=True),
                last=Key(_COLUMN_NAME, "The column with the last attempt; default: context lastAttempt.overall."),
            ),
            _ready(
                "exclusiveLists",
                "No contact is put on two of some lists.",
                lists=Key(ListOf(Text(), filled=True), "The lists that exclude each other.", required=True),
            ),
        )
    )
)
"""Ready-made invariants by name: their options."""
