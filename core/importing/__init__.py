"""How files come in: reading, mapping, running in steps, taking back."""
