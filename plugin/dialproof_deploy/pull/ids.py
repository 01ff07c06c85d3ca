"""Ids of a target as the logical ids of files: what an environment maps, turned round."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.config import Environment

__all__ = ["LogicalIds"]


@dataclass
class LogicalIds:
    """Looks ids up and notes those that the environment would have to map.

    An environment that maps a kind of ids must map every one of them; one that maps none of a kind uses the ids of the
    target themselves.
    """

    environment: Environment
    missing: dict[tuple[str, str], None] = field(default_factory=dict)

    def __call__(self, kind: str, remote: str) -> str:
        """Return the logical id: the first that is mapped to the id of the target, else that id itself."""
        mapped: Mapping[str, str] = self.environment.ids.get(kind, {})
        for logical, there in mapped.items():
            if there == remote:
                return logical
        if mapped and remote not in mapped:
            self.missing[kind, remote] = None
        return remote

    def sentences(self) -> list[str]:
        """Return what has to be added to the configuration, a sentence for each kind."""
        kinds = dict.fromkeys(kind for kind, _ in self.missing)
        name = self.environment.name
        return [
            f"add to [environments.{name}.ids.{kind}]: "
            + ", ".join(f'"{remote}" = "{remote}"' for k, remote in self.missing if k == kind)
            for kind in kinds
        ]
