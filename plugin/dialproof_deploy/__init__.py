"""Targets, plan and apply, evidence, audit, event export and the sandbox server."""
