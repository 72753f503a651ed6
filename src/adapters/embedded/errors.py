"""What the supervisor raises. Each message is one sentence that a newcomer can act on; show it without a traceback."""


class EmbeddedError(Exception):
    """Base of what the supervisor raises; no server that it started is left running."""


class AlreadyRunning(EmbeddedError):
    """Another process holds the data root; nothing was touched."""


class BinariesMissing(EmbeddedError):
    """There is no usable Postgres or Valkey to run; nothing was started."""


class DataUnusable(EmbeddedError):
    """The data root or what lies in it cannot be used as it is; it was not changed."""


class StartFailed(EmbeddedError):
    """A server ended or did not answer in time; the message carries the end of its log."""
