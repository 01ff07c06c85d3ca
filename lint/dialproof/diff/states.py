"""A project as it is or was, as one side of a diff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dialproof.errors import InputError
from dialproof.runnable import compiled, shown

if TYPE_CHECKING:
    from dialproof.base import Base
    from dialproof.evaluate import Evaluator
    from dialproof.project import Campaign, Project

__all__ = ["State"]


@dataclass(frozen=True)
class State:
    """A project; ``label`` is what people call it, ``file`` the only rules file that counts, if set.

    ``base`` is set where the project is that of a git revision.
    """

    label: str
    project: Project
    file: str = ""
    base: Base | None = None

    @property
    def campaigns(self) -> tuple[Campaign, ...]:
        """The campaigns that are compared."""
        return tuple(c for c in self.project.campaigns if not self.file or any(f.path == self.file for f in c.files))

    def unread(self, campaign: Campaign) -> str:
        """Return why it is not known whether a campaign of the other state is there, "" where it is not there."""
        from dialproof.base import Base

        return (self.base or Base(self.label, self.project)).open(campaign)

    def evaluator(self, campaign: Campaign) -> Evaluator:
        """Return the evaluator of one of them; raises :class:`InputError` for what is wrong in its files."""
        if self.base is not None and (why := self.base.open(campaign)):
            raise InputError(why)
        root = self.project.config.root
        return compiled(campaign, self.project, str(root) if self.base is not None else shown(root.resolve()))
