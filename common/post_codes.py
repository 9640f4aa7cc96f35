"""How the platform names a post: its number, the short code of its page, its owner. Pure."""

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def number_of(code: str) -> int:
    """Return the post's number from the short code in its address; ValueError if it is none."""
    number = 0
    for letter in code:
        number = number * 64 + _ALPHABET.index(letter)
    return number


def code_of(number: int) -> str:
    """Return the short code of a post's page."""
    digits = ""
    while number:
        number, digit = divmod(number, 64)
        digits = _ALPHABET[digit] + digits
    return digits or _ALPHABET[0]


def remote_id(number: int | str, user_id: str | None) -> str:
    """Return a post's id as every driver reports it: number and owner, where he is known."""
    return f"{number}_{user_id}" if user_id else str(number)


def number_in(remote_id: str) -> str:
    """Return the post's number out of its id."""
    return remote_id.partition("_")[0]
