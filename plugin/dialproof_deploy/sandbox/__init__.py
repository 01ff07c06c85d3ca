"""A real HTTP server that plays the target: OAuth, rules, rule sets, campaigns, audit, limits and faults on demand.

Read it from the outside in: ``serve`` (start, find and stop a server) -> ``server`` (uvicorn in a thread)
-> ``app`` (recording and faults around the routes) -> the routes -> what is stored -> ``store`` (SQLite).

The routes have one module a resource: ``organization`` (tokens, limits) for both contracts; ``campaign_rules`` for
the first; ``rule_sets``, ``campaigns``, ``contact_lists``, ``outbound_events`` and ``audits`` for the public platform;
``control`` for what a test asks of the sandbox itself. What is stored: ``rule_store`` (the first contract's rules and
events), ``documents`` (everything with a version, and its audit), ``contacts``, ``jobs``. All others are plain
functions and data.

``server``, ``app``, ``web`` and the routes need the ``sandbox`` extra; ``serve`` imports them when a server is
started, and httpx when one is looked for.
"""
