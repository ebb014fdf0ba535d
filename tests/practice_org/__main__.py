# SPDX-License-Identifier: MIT
"""`python3 tests/practice_org`: the folder's own path gives way to its parent's, so that it is a package."""
import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from practice_org.cli import main  # noqa: E402

sys.exit(main())
