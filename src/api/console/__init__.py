"""The console: pages for operators and for customers, rendered here and mostly without scripts."""
