"""A network as text, as checked integers, as a torch module and as bytes."""
