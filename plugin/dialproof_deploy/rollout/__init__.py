"""A deploy of all campaigns: what is kept of it on disk, carried out, resumed, taken back, and restored later."""
