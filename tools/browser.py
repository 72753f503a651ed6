"""Chromium as the pictures and the browser's tests use it: the system's own, with fonts for every language of the console."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

_FONTS: Final = Path(__file__).parents[1] / "src" / "adapters" / "documents" / "fonts"
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-quic",
    "--disable-sync",
)
#: A machine without fonts for Chinese, Japanese and Korean draws boxes, which are narrower than what people see.
_FONTCONFIG: Final = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<dir>{fonts}</dir>
<cachedir>{cache}</cachedir>
</fontconfig>
"""


class NoChromium(Exception):
    """Neither CHROMIUM_BIN nor the PATH has one. Debian: apt install chromium."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window, until the end of the block.

    Raises:
        NoChromium: see there.
    """
    binary = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("chromium-browser")
    if binary is None:
        raise NoChromium("no Chromium: install it (Debian: apt install chromium), or set CHROMIUM_BIN")
    with tempfile.TemporaryDirectory(prefix="tokenok-fonts-") as cache, sync_playwright() as playwright:
        fonts = Path(cache, "fonts.conf")
        fonts.write_text(_FONTCONFIG.format(fonts=_FONTS, cache=cache))
        environment = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
        browser = playwright.chromium.launch(executable_path=binary, args=list(_FLAGS), env=environment)
        yield browser
        browser.close()
