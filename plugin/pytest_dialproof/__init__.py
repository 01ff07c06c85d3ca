"""The pytest side of dialproof: collection, items, failure text and the gate after the tests."""
