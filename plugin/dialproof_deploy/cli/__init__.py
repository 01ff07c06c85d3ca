"""The subcommands that dialproof_deploy adds to the ``dialproof`` command, one module each.

The module of a subcommand has ``add_arguments``, which takes the subcommand's parser and sets ``run``; that returns the
exit code and raises ``DialproofError`` for the command to print.
"""
