"""`tokenok up`: everything of this machine in one terminal. `up.run` is the way in; the rest is its parts."""
