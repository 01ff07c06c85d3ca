"""What stands on a target and was not deployed: which rules, whom it comes to dial, and who did it when."""
