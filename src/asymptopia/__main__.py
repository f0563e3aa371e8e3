"""Entry point of ``asymptopia`` and ``python -m asymptopia``."""

from __future__ import annotations

import sys

from asymptopia._cli import main

if __name__ == "__main__":
    sys.exit(main())
