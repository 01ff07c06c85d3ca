"""What is kept of a deploy: the hash-chained log, the target's events, exports, and what must not be in them."""
