"""What ABC adds to dialproof."""
