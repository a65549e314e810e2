"""`i2i pull` from a clone, without installation."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from i2i.cli import main

    sys.exit(main(["pull", *sys.argv[1:]]))
