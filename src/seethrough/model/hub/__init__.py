"""Networks that others published for the library transformers, and what to know of them."""
