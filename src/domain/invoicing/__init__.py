"""Invoices and credit notes: who sells, in which series, to whom, what, with which tax. Nothing issued ever changes."""
