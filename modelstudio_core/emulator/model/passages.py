"""Find the question in a prompt, and the sentences of the prompt that answer it.

A sentence scores by the words that it shares with the question; rare words weigh more.
The same prompt always gives the same answer.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = [
    "best_sentences",
    "find_question",
    "remove_instructions",
    "significant_words",
    "split_sentences",
]

_MAX_SENTENCES: Final = 3
# A sentence is part of the answer if its score is at least this share of the best one.
_MIN_SHARE: Final = 0.6
_MIN_STEM: Final = 3
_MAX_QUESTION: Final = 300

# How the prompt templates of frameworks mark a question, in English and Chinese.
_MARKED_QUESTION: Final = re.compile(
    r"^\s*(?:user\s+)?(?:query|question|input|(?:original )?query is as follows|"
    r"the original query is as follows|human|问题|用户问题)\s*[:\uff1a]\s*(.+)$",
    re.IGNORECASE | re.MULTILINE,
)
# A question at the end of an instruction: "relevant to the question: 'How tall?'"
_QUOTED_QUESTION: Final = re.compile(
    r"\bquestion:\s*'([^\n]{1,2000})'\s*$", re.IGNORECASE | re.MULTILINE
)
_SENTENCE_END: Final = re.compile("(?<=[.!?])\\s+|(?<=[\u3002\uff01\uff1f])")
# The marks that templates put around the messages of a conversation.
_TAG: Final = re.compile(
    r"</?(?:current_conversation|message|system|user|assistant|tool|chat_history)>"
)
# What an agent adds to a message for the model alone.
_REMINDER: Final = re.compile(
    r"<system-reminder>.{0,5000}?</system-reminder>", re.DOTALL
)
# The instructions, marks and metadata of prompt templates, which are no answer.
_BOILERPLATE: Final = re.compile(
    r"^\W*(?:context(?: information)? is below|context\s*:\s*$"
    r"|given (?:the|this) (?:new )?context|you are an? |you have access"
    r"|your (?:task|job|role)|use (?:the following|only the|these|this)"
    r"|if you (?:don't|do not|cannot)|think step|based on (?:the|this) context"
    r"|please (?:answer|use|provide|respond)|(?:do not|don't|never) (?:make|use|answer)"
    r"|(?:answer|respond|reply|return|output) (?:the|in|with|only|based|a |your|json)"
    r"|answer\s*:|(?:the original |user )?(?:query|question)(?: is|\s*:)|refine the"
    r"|here(?:'s| is) (?:a|an|the) (?:json|output|schema|example)"
    r"|(?:the|your) (?:output|response|answer) (?:should|must)|make sure to return"
    r"|as an? (?:genius|example)|some choices are given|using only the choices"
    r"|we have (?:provided|the opportunity)|given the conversation"
    r"|(?:file_path|file_name|page_label|source)\s*:"
    r"|根据(?:以上|以下|上述|已知|给定)|请(?:根据|回答|用|使用|基于)|你是"
    r"|(?:问题|已知信息|已知内容|上下文)\s*[:\uff1a])",
    re.IGNORECASE,
)
# A heading of Markdown is no statement.
_HEADING: Final = re.compile(r"#{1,6}\s")
_WORD: Final = re.compile(r"[a-z\u00c0-\u024f]+|\d+|[\u3040-\u9fff\uac00-\ud7af]+")
_CJK: Final = re.compile(r"[\u3040-\u9fff\uac00-\ud7af]")
_STOP_WORDS: Final = frozenset(
    re.findall(
        r"\S+",
        """
        a about all also an and any are as at be been but by can could did do does for
        from get give had has have how i if in into is it its json let make many me
        more much my no not of on one or our out please say she so some tell than that
        the their them then there these they this to tool tools up us use used useful
        using was we were what when where which who whom whose why will with would you
        your answer question query function call calls he his her should
        s t value values object given following only just find
        什么 怎么 如何 多少 哪个 哪里 为什 请问 是什 的是 是多
        """,
    )
)


def find_question(text: str) -> str:
    """Find the question in the text of the last user message.

    Frameworks wrap it in instructions and passages. The line that is marked as the
    question is returned, else the last sentence that ends in a question mark, else the
    text, or its last line if the text is long.

    Example:
        >>> find_question("Context information is below. ... Query: How tall? Answer: ")
        'How tall?'
    """
    text = _REMINDER.sub("", _TAG.sub("", text))
    if quoted := _QUOTED_QUESTION.findall(text):
        return str(quoted[-1]).strip()
    if marked := _MARKED_QUESTION.findall(_split_marks(text)):
        return re.sub(r"\s*Answer\s*:\s*$", "", str(marked[-1])).strip()
    questions = [s for s in split_sentences(text) if s.endswith(("?", "\uff1f"))]
    if questions:
        return questions[-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(text) <= _MAX_QUESTION or not lines:
        return text.strip()
    return lines[-1]


def remove_instructions(text: str) -> str:
    """Return a text without the instructions and marks of prompt templates."""
    sentences = [s for s in split_sentences(text) if not _BOILERPLATE.match(s)]
    return "\n".join(sentences)


def best_sentences(question: str, texts: Iterable[str]) -> list[str]:
    """Return the one to three sentences that share most with the question.

    Args:
        question: The question.
        texts: The texts of the prompt.

    Returns:
        The sentences in their order; none where no word is shared.

    Example:
        >>> best_sentences("How tall is the tower?", ["It rains. The tower has 330 m."])
        ['The tower has 330 m.']
    """
    sentences = _candidates(question, texts)
    words = [significant_words(sentence) for sentence in sentences]
    scores = _scores(significant_words(question), words)
    best = max(scores, default=0.0)
    if best <= 0:
        return []
    ranked = sorted(range(len(scores)), key=lambda i: (-scores[i], i))
    chosen = [i for i in ranked[:_MAX_SENTENCES] if scores[i] >= _MIN_SHARE * best]
    return [sentences[i] for i in sorted(chosen)]


def significant_words(text: str) -> set[str]:
    """Return the stems of a text's words, without stop words.

    Chinese, Japanese and Korean text is split into pairs of characters.

    Example:
        >>> sorted(significant_words("What are the heights of towers?"))
        ['height', 'tower']
    """
    words: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        words.update(_bigrams(word) if _CJK.match(word) else (word,))
    return {
        _stem(word) for word in words - _STOP_WORDS if len(word) > 1 or word.isdigit()
    }


def split_sentences(text: str) -> list[str]:
    """Split a text into sentences; the end of a line ends a sentence."""
    return [
        sentence.strip()
        for line in _TAG.sub("", text).splitlines()
        for sentence in _SENTENCE_END.split(line)
        if _WORD.search(sentence.casefold())
    ]


def _candidates(question: str, texts: Iterable[str]) -> list[str]:
    """Return the statements of the prompt, without duplicates."""
    question = question.strip()
    return list(
        dict.fromkeys(
            sentence
            for text in texts
            for sentence in split_sentences(text)
            if sentence != question
            and not sentence.endswith(("?", "\uff1f"))
            and not _BOILERPLATE.match(sentence)
            and not _HEADING.match(sentence)
        )
    )


def _scores(question: set[str], sentences: Sequence[set[str]]) -> list[float]:
    counts = Counter(word for words in sentences for word in words & question)
    weight = {word: 1 + math.log(len(sentences) / n) for word, n in counts.items()}
    return [sum(weight[word] for word in words & question) for words in sentences]


def _bigrams(word: str) -> Iterable[str]:
    return (word[i : i + 2] for i in range(max(len(word) - 1, 1)))


def _stem(word: str) -> str:
    """Remove an ending, so that "price" and "prices", "city" and "cities" are equal."""
    for ending in ("ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM:
            return word.removesuffix(ending)
    return word


def _split_marks(text: str) -> str:
    """Start a new line before each mark of a question."""
    return re.sub(r"(?<=[.!?-])\s+(?=(?:Query|Question)\s*:)", "\n", text)
