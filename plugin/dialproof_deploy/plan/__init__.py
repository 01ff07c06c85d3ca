"""What a deploy writes, in which order, and how it is carried out or undone."""
