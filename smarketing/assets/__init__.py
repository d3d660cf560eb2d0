"""Third-party browser files: listed here, installed by npm, never committed."""
