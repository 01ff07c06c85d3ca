"""The lint checks, one file each, named for the offence."""

import sys

from dialproof.errors import UsageError

if sys.flags.optimize > 1:
    raise UsageError("the pages of the checks are docstrings, which python -OO removes: run Python with -O or without")
