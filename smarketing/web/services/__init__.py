"""Writers of the web app."""
