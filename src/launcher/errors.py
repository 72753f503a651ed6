"""What stops `tokenok up` before everything serves. Each message is one sentence, shown without a traceback."""


class UpError(Exception):
    """Base; whatever was started is stopped again."""


class Refused(UpError):
    """What was asked for is not done as asked; nothing was changed."""


class ChildFailed(UpError):
    """A process ended again and again while everything started; the message ends with its log."""


class NotReady(UpError):
    """Not everything served in time."""
