"""``python -m na64ml.cli``."""

import sys

from na64ml.cli import main

sys.exit(main())
