"""Documents for people: what stands on a page, in which language, and how it comes on paper."""
