"""What nullmode says about a set of structures and a descriptor: counts, scopes, the worst centres, what to do."""
