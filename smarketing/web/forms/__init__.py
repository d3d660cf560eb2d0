"""Browser input of the web app."""
