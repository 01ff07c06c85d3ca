"""What stands on a target as files of a project: rules, contact lists, and a masked sample of contacts."""
