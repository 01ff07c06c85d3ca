"""Deploys under faults: networks, servers, disks, other people, and processes that end at any point."""
