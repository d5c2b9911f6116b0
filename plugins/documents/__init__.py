"""Document management: versioned files kept with the contact they concern."""
