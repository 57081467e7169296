"""Find the value in a text that fits the name of a field.

A field that names a thing (``city``) gets the names of the text in their order, one
that describes (``summary``) gets the text, and one that the text itself names ("the
weather is sunny", "3 days") gets what stands there.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from modelstudio_core.emulator.model.passages import significant_words

__all__ = ["FieldValues", "split_name"]

_Value = TypeVar("_Value", str, float)
# No more of a text is searched.
_MAX_TEXT: Final = 20_000
_QUOTED: Final = re.compile(r"[\"'\u201c\u300c]([^\"'\u201d\u300d]+)[\"'\u201d\u300d]")
_NUMBER: Final = r"-?\d{1,15}(?:,\d{3}(?!\d))*(?:\.\d{1,9})?"
# Names in a sentence: "What is the weather in New York?"
_NAME: Final = re.compile(r"\b[A-Z][\w-]*(?: [A-Z][\w-]*)*")
# Words that begin a sentence, or have a capital letter, and are no names.
_NO_NAMES: Final = frozenset(
    re.findall(
        r"\S+",
        """
        A About All Also An And Answer Any Are As At Book Both But By Call Can Compare
        Could Create Describe Did Do Does Each Every Explain Extract Find First For From
        Get Give Had Has Have He Hello Her Hi His How I If In Is It Its JSON Let List
        Look Make Markdown Most My No Not Now Of On One Only Or Our Output
        Please Question Read Report Respond Return Say Search See Send She Should Show
        So Some Summarize Summarise Tell That The Their Then There These They This Those
        To Translate Use User Was We Were What When Where Which Who Whom Whose Why Will
        With Would Write You Your
        """,
    )
)
# Words in the names of fields that hold a sentence or more, whatever it is about.
_GENERAL: Final = frozenset(
    "answer body content message output paragraph response result sentence text".split()  # noqa: SIM905 - one line
)
# Words in the names of fields that hold what is asked.
_ASKING: Final = frozenset("input prompt query question".split())  # noqa: SIM905 - as above
# Words in the names of fields that hold a sentence or more about what they name.
_DESCRIBING: Final = frozenset(
    [
        "advice",
        "analysis",
        "comment",
        "conclusion",
        "condition",
        "description",
        "details",
        "explanation",
        "finding",
        "forecast",
        "instruction",
        "justification",
        "note",
        "observation",
        "overview",
        "rationale",
        "reason",
        "reasoning",
        "recommendation",
        "report",
        "statement",
        "summary",
        "thought",
        "weather",
    ]
)
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_A-Za-z]+")
# What a field holds by a word of its name → what it looks like in a text.
_KINDS: Final = {
    "email": re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}"),
    "mail": re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}"),
    "url": re.compile(r"https?://[^\s\"'<>),]{1,500}"),
    "link": re.compile(r"https?://[^\s\"'<>),]{1,500}"),
    "date": re.compile(
        r"\d{4}-\d{2}-\d{2}|\b(?:today|tomorrow|yesterday)\b", re.IGNORECASE
    ),
    "time": re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b"),
    "unit": re.compile(r"\b(?:celsius|fahrenheit|kelvin)\b", re.IGNORECASE),
    "units": re.compile(r"\b(?:celsius|fahrenheit|kelvin)\b", re.IGNORECASE),
}
# A word in the name of a number's field → what stands beside that number in a text.
_UNITS: Final = {
    "age": "years? old|years?",
    "amount": "euros?|dollars?|yuan|EUR|USD|CNY",
    "celsius": "\u00b0\\s?C|degrees?|celsius",
    "cost": "euros?|dollars?|yuan|EUR|USD|CNY",
    "degrees": "\u00b0|degrees?",
    "duration": "seconds?|minutes?|hours?|days?",
    "height": "met(?:re|er)s?|m\\b|cm\\b",
    "length": "met(?:re|er)s?|m\\b|cm\\b|km\\b",
    "percent": "%|percent",
    "percentage": "%|percent",
    "price": "euros?|dollars?|yuan|EUR|USD|CNY",
    "temperature": "\u00b0|degrees?",
    "weight": "kg\\b|kilograms?|g\\b|grams?",
}


class FieldValues:
    """Uses each name and number of a text once; the last ones again and again."""

    def __init__(self, text: str, full_text: str, question: str | None = None) -> None:
        """Set what values are found in.

        Args:
            text: Where names and numbers are searched.
            full_text: What a field such as ``answer`` gets.
            question: What a field such as ``query`` gets; None is ``full_text``.
        """
        self._question = full_text if question is None else question
        text = text[:_MAX_TEXT]
        self._text = text
        self._full_text = full_text
        quoted: list[str] = _QUOTED.findall(text)
        self._strings = quoted or _find_names(text) or [text]
        # Quoted texts that no field has yet: they are meant as values.
        self._unused = len(quoted)
        found = [_to_number(number) for number in re.findall(_NUMBER, text)]
        self._numbers = found or [1.0]

    def string(self, name: str) -> str:
        """Return a text for a field.

        Example:
            >>> text = "The weather in Oslo is sunny."
            >>> values = FieldValues(text, text)
            >>> values.string("weather"), values.string("city")
            ('sunny', 'Oslo')
        """
        words = split_name(name)
        if not _ASKING.isdisjoint(words[-1:]):
            return self._question
        if not _GENERAL.isdisjoint(words[-1:]):
            return self._full_text
        stated = self._stated(words)
        if stated is not None:
            return stated
        if not self._unused and not _DESCRIBING.isdisjoint(words[-1:]):
            return self._full_text
        looked_up = self._look_up(words)
        if looked_up is not None:
            return looked_up
        self._unused = max(self._unused - 1, 0)
        return _pop(self._strings)

    def _look_up(self, words: Sequence[str]) -> str | None:
        """Return what looks like an address, a date, a measure, of the name's kind."""
        for word in words:
            if word in _UNITS and (number := self._measured(word)) is not None:
                return f"{number:g}"
            if word in _KINDS and (match := _KINDS[word].search(self._text)):
                return str(match[0])
        return None

    def number(self, name: str) -> float:
        """Return a number for a field.

        Example:
            >>> values = FieldValues("In 2026 it has 21 degrees for 3 days.", "")
            >>> values.number("temperature"), values.number("days")
            (21.0, 3.0)
        """
        for word in split_name(name):
            if (number := self._measured(word)) is not None:
                return number
        return _pop(self._numbers)

    def _measured(self, word: str) -> float | None:
        """Return the number beside a word, or beside the unit of what it names."""
        stem = re.escape(word.removesuffix("s"))
        unit = _UNITS.get(word, rf"\b{stem}")
        after = rf"({_NUMBER})[\s-]{{0,2}}(?:{unit})"
        before = rf"\b{stem}\w{{0,2}}\b[^.\d\n-]{{0,30}}({_NUMBER})"
        for pattern in (after, before):
            if match := re.search(pattern, self._text, re.IGNORECASE):
                return _to_number(match[1])
        return None

    def option(self, options: Sequence[object]) -> object:
        """Return the option that the text names, else the first one.

        Example:
            >>> FieldValues("A positive review.", "").option(["negative", "positive"])
            'positive'
        """
        words = significant_words(self._text)
        named = [o for o in options if isinstance(o, str) and _is_in(o, words)]
        return named[0] if named else options[0]

    def _stated(self, words: Sequence[str]) -> str | None:
        """Return what the text states of a field: "The weather in Oslo is sunny"."""
        candidates = [" ".join(words), *(words if len(words) > 1 else ())]
        for word in candidates:
            if not word:
                continue
            match = re.search(
                rf"\b{re.escape(word)}\b(?: (?:in|of|at|on|for|from) [\w ]{{1,30}}?)?"
                r"\s{0,2}(?::|=|\bis\b|\bare\b|\bwas\b|\bwere\b|\bwill be\b)"
                r"\s{1,2}[\"'\u201c]?([^.;!?\n\"'\u201d]{1,120})",
                self._text,
                re.IGNORECASE,
            )
            if match:
                return str(match[1]).strip()
        return None


def split_name(name: str) -> list[str]:
    """Split the name of a field into its words.

    Example:
        >>> split_name("maxTemperature_celsius")
        ['max', 'temperature', 'celsius']
    """
    return [word.casefold() for word in _WORD.findall(name)]


def _is_in(option: str, words: Iterable[str]) -> bool:
    wanted = significant_words(option.replace("_", " "))
    return bool(wanted) and wanted <= set(words)


def _find_names(text: str) -> list[str]:
    """Return the names in a text, without the words that only begin a sentence."""
    found: list[str] = []
    for match in _NAME.findall(text):
        words = str(match).split(" ")
        while words and words[0] in _NO_NAMES:
            del words[0]
        if words:
            found.append(" ".join(words))
    return found


def _to_number(text: str) -> float:
    return float(text.replace(",", ""))


def _pop(values: list[_Value]) -> _Value:
    """Remove and return the first value; the last one stays."""
    return values.pop(0) if len(values) > 1 else values[0]
