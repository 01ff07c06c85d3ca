"""A project: every rule, contact and contact list file below the configuration root, linked to each other."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dialproof.baseline import Baseline
    from dialproof.config import Config
    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import ContactsFile
    from dialproof.model.rules import HitPolicy, Invariant, Rule, RulesFile
    from dialproof.source.positions import Problem

__all__ = ["Campaign", "Project", "load_project"]


@dataclass(frozen=True, slots=True)
class Campaign:
    """One sequence of rules as it runs: one rules file, or the several that the configuration lists for a campaign.

    ``ids`` are the campaigns that run exactly this sequence. ``rules`` are all rules (disabled ones too) by execution
    order, ties by ``semantics.tieBreak``, then document order. ``contact_list`` is the declared one, or inferred from
    use.
    """

    ids: tuple[str, ...]
    files: tuple[RulesFile, ...]
    rules: tuple[Rule, ...]
    invariants: tuple[Invariant, ...]
    hit_policy: HitPolicy
    contact_list: ContactList

    @property
    def id(self) -> str:
        """The first campaign id, the name in messages."""
        return self.ids[0]


@dataclass(frozen=True, slots=True)
class Project:
    """Everything that was read. Mappings are keyed by POSIX path relative to ``config.root``, sorted.

    ``problems`` are the errors and notes (``severity`` "info") of reading. A file with an error in itself is missing
    from the mappings; one that only points at something missing (a contact list, a campaign, a rule in a case) stays.
    ``digests`` holds the sha256 (hex) of the bytes of every file that was read. ``links`` maps each contacts file to
    the campaign that it tests. ``edited`` holds contents that stand in place of files on disk; ``baseline`` the
    findings that are not reported.
    """

    config: Config
    rules_files: Mapping[str, RulesFile]
    contacts_files: Mapping[str, ContactsFile]
    contact_lists: Mapping[str, ContactList]
    campaigns: tuple[Campaign, ...]
    links: Mapping[str, Campaign]
    problems: tuple[Problem, ...]
    digests: Mapping[str, str]
    edited: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    baseline: Baseline | None = None

    def campaign(self, campaign_id: str) -> Campaign | None:
        """Return the sequence that runs for ``campaign_id``."""
        return next((c for c in self.campaigns if campaign_id in c.ids), None)

    def contacts_files_of(self, campaign: Campaign) -> list[ContactsFile]:
        """Return the contacts files that test a campaign."""
        return [self.contacts_files[path] for path, tested in self.links.items() if tested is campaign]


def load_project(
    config: Config, paths: Sequence[Path] | None = None, *, edited: Mapping[str, bytes] | None = None
) -> Project:
    """Read the whole project below ``config.root``; ``paths`` adds files outside of it that were named explicitly.

    ``edited`` holds contents by path, relative to the root, that are read in place of files on disk.

    Raises :class:`dialproof.errors.UsageError` for paths that do not exist and for a configuration that names rules
    files that do not; what is wrong inside of files is in ``problems``.
    """
    from dialproof.baseline import read_baseline
    from dialproof.linking import link
    from dialproof.reading import read_files

    edited = edited or {}
    project = link(config, read_files(config.root, paths or (), config.exclude, edited))
    return replace(project, edited=edited, baseline=read_baseline(config, edited.get(config.baseline)))
