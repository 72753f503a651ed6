"""`ledger verify`: folds the whole log again and says what does not add up, in it or in the read models."""

from application.verify.read_models import ReadModels, ReadModelSnapshot
from application.verify.report import Figures, Report, Violation, render_text
from application.verify.verify import verify

__all__ = [
    "Figures",
    "ReadModelSnapshot",
    "ReadModels",
    "Report",
    "Violation",
    "render_text",
    "verify",
]
