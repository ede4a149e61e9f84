"""Where thinking ends and the answer begins: one table of rules, one way to split.

A text is split at its first close tag while thinking is open; later close tags belong to the answer. Thinking is open
at the start where the prompt ends inside a tag. Nothing is stripped, and no pattern runs over whole texts: an answer
of 60,000 characters is looked through once per tag. Token ids, where the server sends them and the tags' ids are
known, decide whether a tag was generated or only spelled out, and count the thinking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import BadInput

Ids = Sequence[int]
TagIds = Mapping[str, Ids]
"""Tag -> its token ids under the row's tokenizer."""


@dataclass(frozen=True)
class StripRule:
    """How one family of models marks its thinking."""

    name: str
    tags: tuple[tuple[str, str], ...]
    """(open, close); where engines spell them differently, the pair whose tag comes first counts."""
    opened_by: str
    """model: writes the open tag itself; template: the prompt ends in it; either: differs between models."""
    parsers: tuple[str, ...]
    """Parsers of vLLM 0.32 that read the same tags: what a server of others may run."""
    answer_open: str = ""
    """Begins the answer, where closing the thinking alone does not."""
    answer_close: tuple[str, ...] = ()
    """What may follow the answer where special tokens are not skipped."""
    source: str = "tag"

    @property
    def tag_texts(self) -> tuple[str, ...]:
        """Every tag of which token ids are wanted."""
        return (*(text for pair in self.tags for text in pair), *((self.answer_open,) if self.answer_open else ()))


_RULES = (
    StripRule(
        "think",
        (("<think>", "</think>"),),
        "either",
        ("qwen3", "glm45", "olmo3", "deepseek_r1", "minimax_m2", "nemotron_v3"),
    ),
    StripRule("think_v3", (("<think>", "</think>"),), "template", ("deepseek_v3", "deepseek_v4")),
    StripRule("seed", (("<seed:think>", "</seed:think>"),), "model", ("seed_oss",)),
    StripRule(
        "harmony",
        (("<|channel|>analysis<|message|>", "<|end|>"),),
        "model",
        ("openai_gptoss",),
        answer_open="<|channel|>final<|message|>",
        answer_close=("<|return|>", "<|end|>"),
        source="channel",
    ),
    StripRule("kimi", (("<think>", "</think>"), ("◁think▷", "◁/think▷")), "template", ("kimi_k2",)),
    StripRule(
        "kimi3",
        (("<|open|>think<|sep|>", "<|close|>think<|sep|>"),),
        "template",
        ("kimi_k3",),
        answer_open="<|open|>response<|sep|>",
        answer_close=("<|close|>response<|sep|>",),
    ),
    StripRule("mm3", (("<mm:think>", "</mm:think>"),), "model", ("minimax_m3",)),
    StripRule("mistral", (("[THINK]", "[/THINK]"),), "model", ("mistral",)),
)
STRIP_RULES: Mapping[str, StripRule] = {rule.name: rule for rule in _RULES}
"""By the id that a request names (``strip_rule``). Tags: model cards, and vLLM's parsers of those names."""


@dataclass(frozen=True)
class Split:
    """``state``: closed, open or absent. ``reasoning`` is None where absent, ``answer`` "" where open."""

    state: str
    reasoning: str | None
    answer: str


@dataclass(frozen=True)
class Counted:
    """What the token ids say: ``tokens`` of thinking, tags apart; None where none was begun."""

    is_closed: bool
    tokens: int | None
    num_closes: int


def strip_rule(name: str | None) -> StripRule | None:
    """The rule of that id, None for None; BadInput for one that this version does not know."""
    if name is None:
        return None
    if name not in STRIP_RULES:
        raise BadInput(f"there is no strip rule {name!r}; known are {', '.join(STRIP_RULES)}", "update benchforge")
    return STRIP_RULES[name]


def prompt_opens(
    rule: StripRule, text: str | None = None, ids: Ids | None = None, tag_ids: TagIds | None = None
) -> bool | None:
    """Whether the prompt ends inside a tag: by its ids, else by its text as rendered; None where neither is known.

    A switch that is off often shows as an empty pair at the end (``<think></think>``): that is not inside.
    """
    pairs = _known_pairs(rule, tag_ids or {})
    if ids is not None and pairs:
        return any(_last_of(ids, begin) > _last_of(ids, end) for begin, end in pairs)
    if text is not None:
        return any(text.rfind(begin) > text.rfind(end) for begin, end in rule.tags)
    return None


def split(
    text: str, rule: StripRule, is_opened: bool | None = None, is_asked: bool = True, num_closes: int | None = None
) -> Split:
    """A text as generated -> its thinking and its answer.

    ``is_opened``: thinking is open at the start (``prompt_opens``); None is not known: then the rule says, or a close
    tag that nothing opened. ``is_asked``: thinking was asked for. Where it was not, an open tag counts only at the
    beginning of a text, for an answer may speak of tags. ``num_closes``: close tags among the token ids; 0 means that
    those in the text are spelled out, and thinking never ended.
    """
    begin, end = _pair(text, rule)
    is_open = _opened_at_start(text, rule, is_opened, is_asked)
    start = 0 if is_open else _begin_of_thinking(text, begin, is_asked)
    if start is None:
        return Split("absent", None, _answer(text, rule, max(text.find(rule.answer_open), 0)))
    if is_open and text.lstrip().startswith(begin):
        start = text.index(begin) + len(begin)  # the template opened, and the model says it again
    if num_closes == 0:
        return Split("open", text[start:], "")
    return _closed_or_open(text, rule, start, end)


def num_spelled(text: str, rule: StripRule) -> int:
    """Tags in the text that would end thinking, generated or only spelled out."""
    return text.count(rule.answer_open or _pair(text, rule)[1])


def count(ids: Ids, rule: StripRule, tag_ids: TagIds, is_opened: bool | None) -> Counted | None:
    """Thinking counted in token ids of a generated answer; None where the tags' ids are not known."""
    pairs = _known_pairs(rule, tag_ids)
    end = _atomic(rule.answer_open, tag_ids) if rule.answer_open else None
    if not pairs or bool(rule.answer_open) != bool(end):
        return None
    begin, close_tag = next((pair for pair in pairs if any(_find(ids, tag) >= 0 for tag in pair)), pairs[0])
    begins, closes = _find(ids, begin), _find_all(ids, end or close_tag)
    first_close = _find(ids, close_tag)
    unopened = first_close >= 0 and not 0 <= begins < first_close
    is_open_at_start = unopened if is_opened is None else is_opened
    if not is_open_at_start and begins < 0:
        return Counted(False, None, len(closes))
    start = 0 if is_open_at_start and begins != 0 else begins + len(begin)
    close = next((place for place in closes if place >= start), None)
    if close is None:
        return Counted(False, len(ids) - start, len(closes))
    inner = _find(ids, close_tag, start) if rule.answer_open else close
    return Counted(True, (inner if 0 <= inner < close else close) - start, len(closes))


def _opened_at_start(text: str, rule: StripRule, is_opened: bool | None, is_asked: bool) -> bool:
    if is_opened is not None:
        return is_opened
    if rule.opened_by == "template" and is_asked:
        return True
    if rule.opened_by == "model" and not is_asked:
        return False  # an answer that speaks of the tag
    begin, end = _pair(text, rule)
    first = text.find(end)
    return not rule.answer_open and first >= 0 and not 0 <= text.find(begin) < first


def _begin_of_thinking(text: str, begin: str, is_asked: bool) -> int | None:
    """The character after the open tag."""
    place = text.find(begin)
    if place < 0 or not (is_asked or not text[:place].strip()):
        return None
    return place + len(begin)


def _closed_or_open(text: str, rule: StripRule, start: int, end: str) -> Split:
    closes = text.find(rule.answer_open or end, start)
    if closes < 0:
        return Split("open", text[start:], "")
    if not rule.answer_open:
        return Split("closed", text[start:closes], text[closes + len(end) :])
    thought = text[start:closes]
    last = thought.rfind(end)  # what follows it is the header of the answer
    return Split("closed", thought if last < 0 else thought[:last], _answer(text, rule, closes))


def _answer(text: str, rule: StripRule, begins: int) -> str:
    """The text from there, without the tags that some formats put around answers."""
    if rule.answer_open and text.startswith(rule.answer_open, begins):
        begins += len(rule.answer_open)
    ends = [place for place in (text.find(tag, begins) for tag in rule.answer_close) if place >= 0]
    return text[begins : min(ends, default=len(text))]


def _pair(text: str, rule: StripRule) -> tuple[str, str]:
    if len(rule.tags) == 1:
        return rule.tags[0]
    places = [min((place for place in map(text.find, pair) if place >= 0), default=len(text)) for pair in rule.tags]
    return rule.tags[places.index(min(places))]


def _known_pairs(rule: StripRule, tag_ids: TagIds) -> list[tuple[Ids, Ids]]:
    """The pairs of the rule whose ids can be looked for."""
    pairs = ((_atomic(begin, tag_ids), _atomic(end, tag_ids)) for begin, end in rule.tags)
    return [(begin, end) for begin, end in pairs if begin and end]


def _atomic(tag: str, tag_ids: TagIds) -> Ids | None:
    """The ids of a tag that is cut the same way wherever it stands: one token, or between special tokens.

    A tag of plain pieces (``<``, ``think``, ``>``) grows into what follows it: it would be missed, and an answer lost.
    """
    ids = tag_ids.get(tag)
    return ids if ids and (len(ids) == 1 or (tag.startswith("<|") and tag.endswith("|>"))) else None


def _last_of(ids: Ids, wanted: Ids) -> int:
    return next(reversed(_find_all(ids, wanted)), -1)


def _find_all(ids: Ids, wanted: Ids) -> list[int]:
    places = [_find(ids, wanted)]
    while places[-1] >= 0:
        places.append(_find(ids, wanted, places[-1] + len(wanted)))
    return places[:-1]


def _find(ids: Ids, wanted: Ids, start: int = 0) -> int:
    """The first place of a run of ids from ``start`` on, -1 for none; ``list.index`` looks faster than a loop."""
    found, first = list(wanted), wanted[0]
    while True:
        try:
            start = ids.index(first, start)
        except ValueError:
            return -1
        if list(ids[start : start + len(found)]) == found:
            return start
        start += 1
