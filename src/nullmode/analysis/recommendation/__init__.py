"""Which settings of a descriptor are enough for a set of structures, and which of them is the cheapest."""
