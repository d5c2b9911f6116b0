"""The plugins that come with Rapport; each folder is one, each with the same rooms."""
