"""The program that reads the text of one uploaded file: run it, do not import it."""
