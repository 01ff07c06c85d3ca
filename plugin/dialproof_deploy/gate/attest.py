"""From a project to its evidence and back: what is attested when the gate opens, and what a deploy computes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from dialproof import __version__
from dialproof.coverage.goals import files_as_json
from dialproof.errors import RefusedError
from dialproof.items import expected_items, files_of
from dialproof.model.rules import Condition, Group
from dialproof.populations import digests_of_contacts
from dialproof.source import digest_of
from dialproof_deploy.gate.evidence import build_statement, check_evidence, read_subjects
from dialproof_deploy.provenance import checkout

if TYPE_CHECKING:
    from pathlib import Path

    from dialproof.config import Config
    from dialproof.lint import LintResult
    from dialproof.model.rules import Expression, Rule
    from dialproof.project import Campaign, Project
    from dialproof_deploy.gate.decision import Verdict

__all__ = ["attest", "configuration_of", "payload_of", "refusals_of"]

_SETTINGS = (
    "select",
    "ignore",
    "exclude",
    "severity",
    "fail_on",
    "checks",
    "per_file_ignores",
    "campaigns",
    "inventory",
)
_EXACT = 2**53  # beyond it an integer has no exact JSON number


def payload_of(campaign: Campaign, config: Config) -> dict[str, Any]:
    """Return what is deployed for a campaign before ids are applied: JSON data with all defaults filled in."""
    return {
        "hitPolicy": campaign.hit_policy,
        "semantics": asdict(config.semantics),
        "rules": [_rule(rule) for rule in campaign.rules],
    }


def configuration_of(config: Config) -> dict[str, Any]:
    """Return the effective configuration as JSON data, without environments: one evidence serves all of them."""
    settings = {name: getattr(config, name) for name in _SETTINGS}
    return {
        **{name: _json(value) for name, value in settings.items()},
        "semantics": _json(asdict(config.semantics)),
        "gate": _json(asdict(config.gate)),
    }


def attest(project: Project, verdict: Verdict, result: LintResult, *, now: datetime) -> dict[str, Any]:
    """Return the statement of a run that opened the gate.

    Raises ``RefusedError`` where a file is no longer what was tested.
    """
    config = project.config
    origin = checkout(config.root)
    files = _tested_files(project)
    coverage = {
        gaps.campaign: {
            "neverMatched": list(gaps.never_matched),
            "neverMissed": list(gaps.never_missed),
            "files": files_as_json(gaps),
        }
        for gaps in verdict.coverage
    }
    return build_statement(
        files,
        {i: payload_of(campaign, config) for campaign in project.campaigns for i in campaign.ids},
        verdict.passed,
        configuration_of(config),
        {
            "counts": {
                "items": len(verdict.items),
                "campaigns": len(verdict.campaigns),
                "evaluations": verdict.evaluations,
                "conflicts": verdict.conflicts,
                "invariantsProved": verdict.proved,
                "invariantsSearched": verdict.searched,
            },
            "coverage": {"policy": config.gate.coverage, "campaigns": coverage},
            "accepted": [_json(asdict(accepted)) for accepted in verdict.accepted],
            "suppressed": [
                {
                    "code": hidden.finding.code,
                    "campaign": hidden.finding.campaign,
                    "rules": list(hidden.finding.rules),
                    "place": f"{hidden.finding.path}:{hidden.finding.span.line}",
                    "reason": hidden.reason,
                    "until": hidden.until.isoformat() if hidden.until else None,
                }
                for hidden in result.suppressed
            ],
            "versions": {"dialproof": __version__},
            "semantics": asdict(config.semantics),
            "commit": origin.commit,
            "dirty": origin.dirty,
        },
        now,
    )


def refusals_of(
    project: Project, statement: Mapping[str, Any], campaigns: Sequence[Campaign], *, now: datetime
) -> list[str]:
    """Compute every subject again and return why ``campaigns`` must not be deployed on this evidence."""
    config = project.config
    root = config.root
    files = read_subjects(statement, root)
    for campaign in campaigns:
        for path in files_of(project, campaign):
            files.setdefault(path, _digest(root / path))
        files |= digests_of_contacts(project, campaign)
    return check_evidence(
        statement,
        files=files,
        payloads={i: payload_of(campaign, config) for campaign in campaigns for i in campaign.ids},
        version=__version__,
        semantics=asdict(config.semantics),
        configuration=configuration_of(config),
        items=[item for campaign in campaigns for item in expected_items(project, campaign)],
        now=now,
        max_age=timedelta(hours=config.gate.maxAgeHours),
        campaigns=[i for campaign in campaigns for i in campaign.ids],
    )


def _tested_files(project: Project) -> dict[str, str]:
    """Return the SHA-256 of all files of the campaigns, which must still be those that were read, and of contacts."""
    paths = {path for campaign in project.campaigns for path in files_of(project, campaign)}
    files = digests_of_contacts(project)
    for path in sorted(paths):
        files[path] = _digest(project.config.root / path)
        if files[path] != project.digests[path]:
            raise RefusedError(f"{path} was changed while the evidence was made: run pytest again")
    return files


def _digest(path: Path) -> str:
    digest = digest_of(path)
    if digest is None:
        raise RefusedError(f"{path.name} cannot be read any more: run pytest again")
    return digest


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "name": rule.name,
        "description": rule.description,
        "version": rule.version,
        "priority": rule.priority,
        "executionOrder": rule.execution_order,
        "enabled": rule.enabled,
        "category": rule.category,
        "conditions": [_expression(expression) for expression in rule.conditions],
        "actions": [{"type": action.type, **_json(dict(action.fields))} for action in rule.actions],
        "renamedFrom": rule.renamed_from,
    }


def _expression(expression: Expression) -> dict[str, Any]:
    if isinstance(expression, Group):
        return {expression.kind: [_expression(member) for member in expression.members]}
    if isinstance(expression, Condition):
        return {
            "attribute" if expression.source == "contact" else "context": expression.subject,
            "operator": expression.operator,
            "value": _json(expression.value),
            "type": expression.type,
            "inverted": expression.inverted,
        }
    return {"when": expression.text}


def _json(value: Any) -> Any:
    """Return a value as JSON data that RFC 8785 can write."""
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_json(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return float(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)
