"""A fault campaign over the whole chain, with numbered readings: acceptance 5 of the foundation."""
