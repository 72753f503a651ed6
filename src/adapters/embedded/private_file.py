"""Files that hold secrets: written whole or not at all, and only their owner reads them."""

import os
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Put `text` into a 0600 file in place of what was there; a reader never sees half of it."""
    staged = path.with_name(f".{path.name}.new")
    staged.unlink(missing_ok=True)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    staged.replace(path)
