"""A stand-in for the console: serves as the gateway's does, under a name of its own."""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parent / "gateway.py"), run_name="__main__")
