"""Printing: pages to PDF in a child process with limits, and e-invoices beside them. ADR 71."""
