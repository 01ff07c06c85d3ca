"""Every folder of examples/ is run here, and its claims are checked by other means."""
