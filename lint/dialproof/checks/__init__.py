"""The lint checks, one file each, named for the offence."""
