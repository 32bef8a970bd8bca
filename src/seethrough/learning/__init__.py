"""One step of learning in slow motion: what every weight changes by, and what that does."""
