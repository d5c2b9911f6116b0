"""Cross-team notes: written once, seen by every team that should."""
