"""Commands about invoices and credit notes, and how their files are made."""
