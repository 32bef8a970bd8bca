"""From a call of the framework to an operation that can explain itself."""
