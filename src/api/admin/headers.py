"""What every answer with data says to whoever is on the way: nobody keeps it, and nobody guesses what it is."""

from typing import Final

PRIVATE: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
