"""``python -m dialproof``."""

from __future__ import annotations

import sys

from dialproof.cli import main

if __name__ == "__main__":
    sys.exit(main())
