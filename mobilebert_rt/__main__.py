"""`python -m mobilebert_rt`, for where the `mbrt` script is not on the path."""

import sys

from mobilebert_rt.cli import main

sys.exit(main())
