"""A real HTTP server that plays the target: OAuth, rules, rule sets, campaigns, limits and faults on demand.

Read it from the outside in: ``serve`` (start, find and stop a server) -> ``server`` (uvicorn in a thread)
-> ``app`` (recording and faults around the routes) -> the routes, one module a resource: ``campaign_rules``,
``rule_sets``, ``campaigns``, and ``control`` for what a test asks of the sandbox itself -> ``rule_store`` and
``documents`` (what is stored, and its history) -> ``store`` (SQLite). ``rule_body``, ``rule_set_body``, ``seeding``,
``events``, ``paging``, ``auth``, ``faults``, ``settings`` and ``errors`` are plain functions and data.

``server``, ``app``, ``web`` and the routes need the ``sandbox`` extra; ``serve`` imports them when a server is
started, and httpx when one is looked for.
"""
