"""Reads of the web app."""
