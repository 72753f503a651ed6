"""A field of a form that cannot be read, named so that a page can say which."""

from api.admin.codes import BadRequest


class Unreadable(BadRequest):
    """Nothing was done. `reason` never repeats what was written."""

    def __init__(self, field: str, reason: str = "cannot be read") -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason
