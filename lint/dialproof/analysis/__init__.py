"""What rules do on all contacts at once: exact cells, overlaps of all pairs, and witnesses."""
