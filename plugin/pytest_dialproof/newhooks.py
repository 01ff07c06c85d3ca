"""The hooks that this plugin calls; implement them in a conftest.py or in a plugin of your own.

All of them are called on the controller, at the end of the session, in the order of this file. None is ``firstresult``.
The built-in deploy and audit export are implementations like any other: the deploy comes last, so that an
implementation of yours can stop it by raising, and the export comes first, so that yours find the file.

Whatever an implementation raises ends neither the session nor its report: it is said with the name of the hook and of
the plugin, and a session that was green fails. What ``pytest.fail``, ``pytest.skip``, ``pytest.exit``, ``sys.exit`` or
a ``dialproof.errors.DialproofError`` are given is shown; of any other error only the type, because its text may hold
values of a contact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from dialproof_deploy.deploy import DeployResult


def pytest_dialproof_gate_open(evidence: Mapping[str, Any], config: pytest.Config) -> None:
    """Be told that the gate is open and the evidence is written.

    ``evidence`` is the in-toto statement. The built-in implementation deploys under ``--dialproof-deploy=apply``;
    nothing is deployed where an implementation before it raises.
    """


def pytest_dialproof_deployed(result: DeployResult, config: pytest.Config) -> None:
    """Be told of a deploy that was carried out, also when it changed nothing.

    The built-in implementation exports the audit log under ``--dialproof-audit-export``.
    """
