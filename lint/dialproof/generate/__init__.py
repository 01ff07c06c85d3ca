"""Contacts that are worth a test, each with the reasons for it; see :mod:`dialproof.generate.suite`."""
