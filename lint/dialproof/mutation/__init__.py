"""Mutation of rules: small changes of a campaign, and whether its cases notice them.

mutants -> running (all cases over every mutant) -> search (what no case notices: equal for every contact, or a contact)
-> run (the whole, as a result) -> report (text, JSON, Markdown) and writing (the cases that would have noticed).
"""
