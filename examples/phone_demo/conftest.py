"""`pytest examples/phone_demo` runs the mended rules; the trap fails on purpose and runs when it is asked for."""

collect_ignore = ["trap"]
