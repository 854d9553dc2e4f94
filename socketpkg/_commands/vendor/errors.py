"""What goes wrong that the person at the terminal can put right."""


class VendorError(Exception):
    """Why there will be no copy, in words for whoever asked for it. Nothing was written."""
