"""Archives as tools in the field write them, which are not at hand: their bytes from their documentation or source."""


def cases():
    return []
