"""Links the files of a project: rules to contact lists and campaigns, contacts to the campaign that they test."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof.inference import inferred_contact_list
from dialproof.model.parse_base import hint
from dialproof.project import Campaign, Project
from dialproof.reading import kind_of, resolved
from dialproof.source import Note
from dialproof.source.positions import MAX_PROBLEMS, Problem, Problems, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dialproof.config import Config
    from dialproof.model.contactlist import ContactList
    from dialproof.model.contacts import Case, ContactsFile, Expect
    from dialproof.model.rules import Rule, RulesFile
    from dialproof.model.timelines import Timeline
    from dialproof.reading import Files

__all__ = ["link"]

_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+", re.ASCII)
_TOP = Span.point(1, 1)


def link(config: Config, files: Files) -> Project:
    """Return the project; raises :class:`UsageError` where the configuration names rules files that do not exist."""
    linker = _Linker(config, files)
    campaigns = linker.campaigns()
    links = linker.links(campaigns)
    problems = sorted(
        dict.fromkeys([*files.problems, *linker.problems]), key=lambda p: (p.path, p.span, p.code, p.message)
    )
    return Project(
        config=config,
        rules_files=dict(sorted(files.rules.items())),
        contacts_files=dict(sorted(files.contacts.items())),
        contact_lists=dict(sorted(files.contact_lists.items())),
        campaigns=campaigns,
        links=links,
        problems=tuple(problems),
        digests=dict(sorted(files.digests.items())),
    )


class _Linker:
    def __init__(self, config: Config, files: Files) -> None:
        self.config = config
        self.files = files
        self.problems: list[Problem] = []
        self._hints: dict[str, str] = {}

    def problem(self, path: str, span: Span | None, message: str) -> None:
        self.problems.append(Problem(path, span or _TOP, "DP102", message))

    def campaigns(self) -> tuple[Campaign, ...]:
        """Return every sequence of rules, in the order of its first file."""
        sequences: dict[tuple[str, ...], list[str]] = {}
        for campaign_id, paths in self._files_by_campaign().items():
            sequences.setdefault(paths, []).append(campaign_id)
        return tuple(self._campaign(paths, ids) for paths, ids in sorted(sequences.items()))

    def _files_by_campaign(self) -> Mapping[str, tuple[str, ...]]:
        """Return the rules files of each campaign, in the order in which they run."""
        naming: dict[str, list[str]] = {}
        for path, file in sorted(self.files.rules.items()):
            for campaign_id in dict.fromkeys(file.campaigns):
                naming.setdefault(campaign_id, []).append(path)
        listed = self._configured()
        in_a_list = {path for paths in listed.values() for path in paths}
        for path, file in sorted(self.files.rules.items()):
            if not file.campaigns and path not in in_a_list:
                naming.setdefault(file.rule_set, []).append(path)
        for campaign_id, paths in naming.items():
            if campaign_id not in listed and len(paths) > 1:
                self._refuse_sharing(campaign_id, paths)
            for path in paths if campaign_id in listed else ():
                if path not in listed[campaign_id]:
                    message = (
                        f"campaign {campaign_id!r} is listed in {self._config_name()} without this file: "
                        "add it to rules there, in its place"
                    )
                    self.problem(path, self._campaign_span(path, campaign_id), message)
        chosen = {i: tuple(paths[:1]) if i not in listed else listed[i] for i, paths in naming.items()}
        return {**chosen, **{i: paths for i, paths in listed.items() if paths}}

    def _configured(self) -> dict[str, tuple[str, ...]]:
        """Return the sequences that the configuration lists, without files that have errors of their own."""
        missing: list[str] = []
        listed: dict[str, tuple[str, ...]] = {}
        for campaign_id, written in self.config.campaigns.items():
            paths = [resolved("", path) for path in written]
            missing += [
                f"{self._config_name()}: campaigns.{campaign_id}.rules: there is no rules file {path!r}; "
                + hint(path, self.files.rules)
                for path in paths
                if path not in self.files.rules and path not in self.files.broken
            ]
            listed[campaign_id] = tuple(dict.fromkeys(p for p in paths if p in self.files.rules))
        if missing:
            raise UsageError("\n".join(missing))
        return listed

    def _config_name(self) -> str:
        return self.config.file.name if self.config.file else "dialproof.toml"

    def _refuse_sharing(self, campaign_id: str, paths: list[str]) -> None:
        for path in paths[1:]:
            message = (
                f"campaign {campaign_id!r} is also that of {paths[0]}: list both in the order in which they run, as "
                f"rules = [...] of [tool.dialproof.campaigns.{campaign_id}] in pyproject.toml (or [campaigns."
                f"{campaign_id}] in dialproof.toml)"
            )
            self.problem(path, self._campaign_span(path, campaign_id), message)

    def _campaign_span(self, path: str, campaign_id: str) -> Span:
        """Return where a rules file names a campaign."""
        from dialproof.source import Mapping as MappingNode
        from dialproof.source import Scalar, Sequence

        root = self.files.rules[path].source.root
        if not isinstance(root, MappingNode):
            return _TOP
        for key in ("campaigns", "campaign", "ruleSet"):
            node = root.get(key)
            for item in node.items if isinstance(node, Sequence) else (node,):
                if isinstance(item, Scalar) and item.value == campaign_id:
                    return item.span
        return _TOP

    def _campaign(self, paths: tuple[str, ...], ids: list[str]) -> Campaign:
        files = tuple(self.files.rules[path] for path in paths)
        for file in files[1:]:
            if file.hit_policy != files[0].hit_policy:
                message = (
                    f"hitPolicy {file.hit_policy} differs from {files[0].hit_policy} of {paths[0]}: one a campaign"
                )
                self.problem(file.path, self._campaign_span(file.path, ids[0]), message)
        rules = self._in_order(tuple(rule for file in files for rule in file.rules))
        invariants = tuple(invariant for file in files for invariant in file.invariants)
        contact_list = self._contact_list(files)
        if contact_list is None:
            contact_list = inferred_contact_list(rules, invariants)
            if any(f.contact_list and resolved(f.path, f.contact_list) in self.files.broken for f in files):
                # Which columns are personal stands in the list that cannot be read.
                hidden = {name: replace(column, pii=True) for name, column in contact_list.columns.items()}
                contact_list = replace(contact_list, columns=hidden)
        return Campaign(tuple(ids), files, rules, invariants, files[0].hit_policy, contact_list)

    def _in_order(self, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        by_name = self.config.semantics.tieBreak == "name"
        return tuple(sorted(rules, key=lambda rule: (rule.execution_order, rule.name if by_name else "")))

    def _contact_list(self, files: tuple[RulesFile, ...]) -> ContactList | None:
        """Return the contact list that the files of a campaign declare, None without one."""
        chosen: ContactList | None = None
        for file in files:
            if file.contact_list is None:
                continue
            path = resolved(file.path, file.contact_list)
            if path not in self.files.contact_lists and kind_of(path) == "contactlist":
                outside = self.files.root / path
                if os.path.isfile(outside):  # no error for a name that the system cannot hold
                    self.files.read(outside)
            found = self.files.contact_lists.get(path)
            if found is None and path not in self.files.broken:
                message = f"there is no contact list file {path!r}; {hint(path, self.files.contact_lists)}"
                self.problem(file.path, file.contact_list_span, message)
            elif found is not None and chosen is not None and found.path != chosen.path:
                message = f"a campaign has one contact list; {files[0].path} names {chosen.path}"
                self.problem(file.path, file.contact_list_span, message)
            chosen = chosen or found
        return chosen

    def links(self, campaigns: tuple[Campaign, ...]) -> dict[str, Campaign]:
        """Return the campaign that each contacts file tests, and check the rule names of its cases."""
        links: dict[str, Campaign] = {}
        by_file = {file.path: campaign for campaign in reversed(campaigns) for file in campaign.files}
        by_id = {campaign_id: campaign for campaign in campaigns for campaign_id in campaign.ids}
        for path, file in sorted(self.files.contacts.items()):
            campaign = self._target(file, by_file, by_id)
            if campaign is not None:
                links[path] = campaign
                self._check_names(file, campaign)
                self._check_statements(file, campaign)
                if file.populations:
                    from dialproof.populations import problems_of

                    self.problems.extend(problems_of(file, campaign))
                self._note_local_times(file, campaign.contact_list)
        return links

    def _note_local_times(self, file: ContactsFile, columns: ContactList) -> None:
        """Note, once a file, a time of a contact that is local time of nobody knows where: it counts as UTC."""
        from dialproof.cel.values import MISSING, lookup

        names = [column.name for column in columns.columns.values() if column.type == "datetime"]
        for case in file.tests if names and not file.time_zone else ():
            for name in names if not case.time_zone else ():
                value = lookup(case.contact, name)
                if value is not MISSING and isinstance(value, str) and _LOCAL_TIME.fullmatch(value):
                    message = f"{name} has a time with neither an offset nor a timeZone: it is read as UTC"
                    self.problems.append(Note(file.path, case.span, "DP102", message))
                    return

    def _target(
        self, file: ContactsFile, by_file: Mapping[str, Campaign], by_id: Mapping[str, Campaign]
    ) -> Campaign | None:
        if file.campaign is not None:
            found = by_id.get(file.campaign)
            if found is None and "rules" not in self.files.broken.values():
                message = f"there is no campaign {file.campaign!r}; {hint(file.campaign, by_id)}"
                self.problem(file.path, file.target_span, message)
            return found
        if file.rules is not None:
            path = resolved(file.path, file.rules)
            if path not in self.files.rules and path not in self.files.broken:
                message = f"there is no rules file {path!r}; {hint(path, self.files.rules)}"
                self.problem(file.path, file.target_span, message)
            return by_file.get(path)
        beside = self._rules_files.get(os.path.dirname(file.path), ())
        if len(beside) == 1:
            return by_file.get(beside[0])
        if file.tests or file.populations:
            message = f"expected one rules file in this folder, found {len(beside)}: "
            if file.path.lower().endswith(".csv"):
                message += "keep this file in the folder of the rules that it tests"
            else:
                message += "say which with rules: FILE or campaign: ID"
            self.problem(file.path, None, message)
        return None

    @cached_property
    def _rules_files(self) -> Mapping[str, Sequence[str]]:
        """The paths of the rules files of each folder, broken ones too."""
        found: dict[str, list[str]] = {}
        for path in (*self.files.rules, *(p for p, kind in self.files.broken.items() if kind == "rules")):
            found.setdefault(os.path.dirname(path), []).append(path)
        return found

    def _check_names(self, file: ContactsFile, campaign: Campaign) -> None:
        problems = Problems(Problem)
        rules = {rule.name: None for rule in campaign.rules}
        invariants = {invariant.name: None for invariant in campaign.invariants}
        for case, expect in _expectations(file):
            for key in ("matched", "not_matched", "undecided", "invariants"):
                what, names = ("invariant", invariants) if key == "invariants" else ("rule", rules)
                for index, name in enumerate(getattr(expect, key) or ()):
                    if name in names:
                        continue
                    if problems.full:
                        problems.skip()
                        continue
                    span = expect.spans.get(f"{key}[{index}]", case.name_span)
                    message = f"case {case.name!r}: there is no {what} {name!r}" + self._hint(name, names)
                    problems.add(file.path, span, "DP605", message)
        self.problems.extend(problems.all())

    def _check_statements(self, file: ContactsFile, campaign: Campaign) -> None:
        """Report CEL of timelines and populations that does not parse or fit the columns, or names no rule or list."""
        always = [(timeline.name, timeline.expect.always) for timeline in file.timelines if timeline.expect.always]
        always += [(population.name, text) for population in file.populations for text in population.expect.texts]
        if not always:
            return
        from dialproof.cel.outcome_names import names_of_outcome
        from dialproof.cel.program import Programs
        from dialproof.model.rules import Invariant
        from dialproof.populations import list_ids

        statements = [Invariant(name, statement, statement.span, file.path) for name, statement in always]
        programs = Programs((), statements, campaign.contact_list, cache=self.config.cache)
        for problem in programs.problems:
            self.problems.append(Problem(file.path, problem.span, "DP103", problem.message))
        known = {"rule": [rule.name for rule in campaign.rules], "list": list_ids(campaign.rules)}
        may_begin_on_any_list = [timeline.expect.always for timeline in file.timelines]
        for _, text in always:
            tree = programs.leaf(text).ast
            for kind, name, start, end in names_of_outcome(tree) if tree is not None else ():
                if name not in known[kind] and (kind == "rule" or text not in may_begin_on_any_list):
                    message = f"there is no {kind} {name!r}; {hint(name, known[kind])}"
                    self.problem(file.path, text.scalar.part(start, end), message)

    def _hint(self, name: str, names: Mapping[str, None]) -> str:
        """Return a hint for a name of a rule, nothing once there have been many: comparing it with all is slow."""
        if name not in self._hints:
            if len(self._hints) >= MAX_PROBLEMS:
                return ""
            self._hints[name] = f"; {hint(name, names)}"
        return self._hints[name]


def _expectations(file: ContactsFile) -> Iterator[tuple[Case | Timeline, Expect]]:
    """Yield each case with what it expects of one run."""
    for case in file.cases:
        yield case, case.expect
    for timeline in file.timelines:
        for step in timeline.steps:
            yield timeline, step.expect
