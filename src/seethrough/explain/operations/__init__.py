"""What a layer computes, one operation a module; each knows its arithmetic and what it sees."""
