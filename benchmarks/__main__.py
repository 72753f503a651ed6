"""`./run bench [NAME ...]`: without a name, what there is."""

import runpy
import sys
from pathlib import Path


def main() -> int:
    folder = Path(__file__).parent
    names = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    wanted = sys.argv[1:2]
    if not wanted or wanted[0] not in names:
        print("benchmarks: " + ", ".join(names))
        return 0 if not wanted else 2
    sys.argv = sys.argv[1:]
    runpy.run_module(f"benchmarks.{wanted[0]}", run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
