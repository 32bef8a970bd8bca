"""`python -m seethrough`: the same as the command `seethrough`."""

import sys

from seethrough.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
