"""`pytest examples` runs the rules of this folder; the tests of the check run where the check is installed."""

from importlib.metadata import entry_points

collect_ignore = [] if entry_points(group="dialproof", name="abc") else ["tests"]
