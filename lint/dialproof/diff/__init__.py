"""What a change of rules does to contacts: two states of a project, campaign by campaign, and how that is shown."""
