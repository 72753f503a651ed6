"""Languages that people read: which ones, and the catalogues of translated texts."""
