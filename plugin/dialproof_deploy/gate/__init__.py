"""What may be deployed: the decision, the evidence of what was tested, and when nothing may be."""
