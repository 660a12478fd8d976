"""Condition of a paved road: PCI (ASTM D6433), SDI and IRI (Bina Marga), and both from what imagery can measure."""
