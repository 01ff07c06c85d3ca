"""HTTP to a target: credentials, the token, limits, retries, and answers that are bounded."""
