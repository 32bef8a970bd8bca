"""Numbers as pictures, for notebooks and files: arrays in, pixels and HTML out; no torch."""
