"""The OpenAI wire as pure functions and small objects: requests read and patched, answers metered, errors said.

No I/O, no clock, no state outside the objects. Bodies are bytes and stay the bytes that came, but for the
rewrites that each module names.
"""
