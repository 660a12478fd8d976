"""Roads of the register (ruas): their lines, kilometres along them, and what lies beside which of them."""
