"""A real HTTP server that plays the target: OAuth, rules, versions, events, rate limits and faults on demand.

Read it from the outside in: ``serve`` (start, find and stop a server) -> ``server`` (uvicorn in a thread)
-> ``app`` (recording and faults around the routes) -> ``campaign_rules`` and ``control`` (the routes) ->
``store`` (SQLite). ``rule_body``, ``events``, ``auth``, ``faults`` and ``errors`` are plain functions and
data without HTTP.

``server``, ``app``, ``web`` and the routes need the ``sandbox`` extra; ``serve`` imports them when a server is
started, and httpx when one is looked for.
"""
