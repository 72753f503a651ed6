"""What a charge says of itself: written out, signed, and checkable by whoever holds it."""
