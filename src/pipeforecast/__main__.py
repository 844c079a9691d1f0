"""``python -m pipeforecast``: the same as the command."""

import sys

from pipeforecast.cli import main

if __name__ == "__main__":
    sys.exit(main())
