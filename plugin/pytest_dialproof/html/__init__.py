"""``--dialproof-html=FILE``: what a run showed, as one page that needs nothing beside it."""
