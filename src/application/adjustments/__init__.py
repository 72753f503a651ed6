"""Corrections of credit by operators: asked for, agreed to by a second one above an amount, and posted."""
