"""How a figure comes about, and how things were at a moment, out of the events themselves. Slow and exact."""
