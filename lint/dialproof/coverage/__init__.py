"""How much of the rules the cases exercise: goals, what meets them, and contacts for those that are open."""
