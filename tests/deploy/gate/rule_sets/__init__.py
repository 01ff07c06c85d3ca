"""Deploys to rule sets: one write, and nobody's edit is lost."""
