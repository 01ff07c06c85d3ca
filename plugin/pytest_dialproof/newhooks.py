"""The hooks that this plugin calls; implement them in a conftest.py or in a plugin of your own.

All of them are called on the controller, at the end of the session, in the order of this file. None is ``firstresult``.
The built-in deploy and audit export are implementations like any other: the deploy comes last, so that an
implementation of yours can stop it by raising, and the export comes first, so that yours find the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from dialproof_deploy.deploy import DeployResult


def pytest_dialproof_gate_open(evidence: Mapping[str, Any], config: pytest.Config) -> None:
    """Be told that the gate is open and the evidence is written.

    ``evidence`` is the in-toto statement. The built-in implementation deploys under ``--dialproof-deploy=apply``. An
    implementation that raises makes the session fail.
    """


def pytest_dialproof_deployed(result: DeployResult, config: pytest.Config) -> None:
    """Be told of a deploy that was carried out, also when it changed nothing.

    The built-in implementation exports the audit log under ``--dialproof-audit-export``.
    """
