"""English words in which texts try to give orders to a model. Letters are small and without accents here, as `scan` compares them.

A phrase is looked for only where one of its `stems`, with which a word begins, and one of its `also` occur: most texts have neither. `unless` are words
in or around the match that make it ordinary: "please ignore my earlier instructions" is what customers write.
"""

import re
from typing import NamedTuple

AROUND = 80  # characters after a match in which `unless` is looked for, too


class Phrase(NamedTuple):
    """One way of giving orders. `what` names it for people."""

    what: str
    pattern: re.Pattern[str]
    stems: tuple[str, ...]
    also: tuple[str, ...] = ("",)
    unless: re.Pattern[str] | None = None
    heads: frozenset[str] | None = None


LETTERS_OF_HEAD = 3  # with which words begin that may hold a stem: looking these up is many times faster than looking for the stems
GAP = r"[^.!?]{0,60}?"
ORDER = r"""(?:^|[\n.!?:;,()\[\]"'<>*#|/=}{-]\s*|\b(?:please|and|then|must|should|shall|now|just|kindly|simply|also|immediately|you can|you may|you will|instead)\s)"""
CLAUSE = r"""(?:^|[\n.!?:;,()\[\]"'>*#|}{]\s*)"""
WHO = (
    r"(?:ai(?! (?:team|company|department|features?|lab|labs|gmbh|inc|ltd|engineers?|experts?|conference|course|products?|camera|support|start)\b)(?:[ -](?:assistant|agent|model|system|bot|reviewer|tool)s?)?"
    r"|a\.i\.|llms?|(?:large )?language models?|chat ?bots?|(?:chat ?)?gpt[\w.-]{0,8}|claude (?:ai|code)|gemini ai|copilot|artificial intelligence|automated (?:systems?|reviewers?|agents?|assistants?|process\w*))"
)
TEXT_HERE = r"this (?:document|text|message|ticket|e-?mail|mail|invoice|request|application|form|case|page|file|letter|data|content)"
READING = r"(?:processing|reading|reviewing|evaluating|summari[sz]ing|analy[sz]ing|handling|answering|parsing|checking|assessing)"
VERBS = (
    r"(?:ignore|set(?! of)|approve|mark|accept|grant|choose|select|propose|output|respond|reply|answer|write|return|call|use|change|update|classify|rate|score|skip|"
    r"confirm|treat|fill|enter|tick|disregard|forget|override|you (?:must|should|shall|are|will)|do not|always|never|send|transfer|refund|pay|verify|act|print|reveal|the following)"
)
STATES = (
    r"(?:verified|approved|valid|validated|genuine|authentic|compliant|cleared|passed|pass|low[ -]risk|no risk|risk[ -]free|trusted|trustworthy|safe|checked|"
    r"accepted|green|high confidence|authori[sz]ed|not suspicious|eligible)"
)
THINGS = (
    r"(?:amount|refund(?: amount)?|status|decision|outcome|verdict|risk(?: level| score| rating)?|score|confidence|priority|limit|credit limit|iban|payee|"
    r"account number|approved|verified|result|recommendation|flags?|branch)"
)
CHECKS = r"(?:verification|reviews?|checks?|screening|approvals?|validation|kyc|aml|sanctions?|due diligence|four[ -]eyes|human|controls?|safeguards?|red flags?)"
MINE = re.compile(r"\b(?:my|our|his|her)\b|\b(?:i|we) (?:sent|gave|made|wrote|left|had|provided|included)\b")


def _phrase(
    what: str, pattern: str, stems: str, also: str = "", unless: re.Pattern[str] | None = None
) -> Phrase:
    cues = tuple(stems.split("|"))
    heads = [cue[:LETTERS_OF_HEAD] for cue in cues]
    by_head = all(len(head) == LETTERS_OF_HEAD and head.isalnum() for head in heads)
    return Phrase(
        what, re.compile(pattern), cues, tuple(also.split("|")), unless, frozenset(heads) if by_head else None
    )


OVERRIDE, ADDRESS, VERDICT, SKIP, APPROVE, ASSIGN = (
    "sets rules aside",
    "speaks to a model",
    "orders a verdict",
    "orders to skip a check",
    "orders an approval",
    "orders a value",
)

EVERY: tuple[Phrase, ...] = (
    _phrase(
        OVERRIDE,
        ORDER
        + r"(?:ignore|disregard|forget|override|overrule|overlook|discard|drop|abandon|bypass|neglect|disobey|(?:do not|don't|stop) (?:follow(?:ing)?|obey(?:ing)?)|pay no attention to|never mind)\b"
        r"[^.!?]{0,40}?\b(?:all|any|your|previous|prior|above|earlier|preceding|every|these|those|existing|former|original|system|safety|security|everything)\b"
        + GAP
        + r"\b(?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies)|directives?|restrictions?|safeguards?|guardrails?|programming|training|constraints?|filters?|guidance|directions|above|before)\b",
        "ignor|disregard|forget|overr|overlook|discard|drop|abandon|bypass|neglect|disobey|do not|don|stop|pay|never",
        "instruction|rule|prompt|guideline|polic|directive|restriction|guard|programming|training|constraint|filter|guidance|direction|above|before",
        MINE,
    ),
    _phrase(
        OVERRIDE,
        ORDER
        + r"(?:ignore|disregard|forget|override|bypass)\b (?:the |everything )?(?:system |safety )?(?:instructions?|prompt|guardrails?)\b",
        "ignore|disregard|forget|override|bypass",
        "instruction|prompt|guardrail",
        MINE,
    ),
    _phrase(
        OVERRIDE,
        ORDER
        + r"(?:ignore|disregard|forget|override|bypass)\b (?:the )?(?:instructions?|rules?|policy|prompt|guidelines?) (?:above|before|so far|you (?:were|have been|are) given|that you)",
        "ignore|disregard|forget|override|bypass",
        "instruction|rule|policy|prompt|guideline",
        MINE,
    ),
    _phrase(
        OVERRIDE,
        r"\byou (?:must|should|shall|have to|need to|are to) (?:now |also |always )?(?:ignore|disregard|forget|bypass)\b"
        + GAP
        + r"\b(?:instructions?|rules?|polic(?:y|ies)|prompt|guidelines?|checks?)\b",
        "you",
        "ignore|disregard|forget|bypass",
        MINE,
    ),
    _phrase(
        OVERRIDE,
        r"\b(?:previous|prior|earlier|original|system) (?:instructions?|prompts?|directives?|guidelines?) (?:are|is|were|have been|has been) (?:now )?(?:void|obsolete|outdated|cancell?ed|replaced|superseded|suspended|invalid|revoked|no longer)\b|\binstead of your (?:original|actual|previous|normal|usual|real) (?:tasks?|instructions?|job|rules?)\b",
        "previous|prior|earlier|original|system|instead",
        "instruction|prompt|directive|guideline|task|job|rule",
        MINE,
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:notes?|attention|messages?|instructions?|notice|memo|hint|commands?|important|directives?)[:,]? (?:to|for) (?:the |any |all |every |our |your )?(?:{WHO}|assistants?(?= ?[:,]))(?!\w)",
        "to |for ",
        "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated|assistant",
    ),
    _phrase(
        ADDRESS,
        CLAUSE + rf"(?:to|for) (?:the |any |all |every |our |your )?{WHO} ?[:,-]",
        "to |for ",
        "ai|a.i.|llm|model|bot|gpt|copilot|artificial|automated",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:any|the|an|every) (?:{WHO}|assistant|bot|model) {READING} {TEXT_HERE}\b",
        "processing|reading|reviewing|evaluating|summari|analy|handling|answering|parsing|checking|assessing",
        "this ",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:is|gets|being) (?:read|processed|reviewed|evaluated|summari[sz]ed|parsed|assessed|checked) by (?:an? |the |any )?{WHO}\b",
        "read|processed|reviewed|evaluated|summari|parsed|assessed|checked",
        " by ",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:the|an|any|this) (?:ai|llm|assistant|chatbot|language model|ai (?:agent|model|assistant)) (?:must|should|shall|has to|needs to|is to|will now) (?:always |only |now |never |not )?{VERBS}\b",
        "must|should|shall|has to|needs|is to|will now",
        " ai |llm |assistant |chatbot |model ",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:when|while|before|after) {READING} {TEXT_HERE}\b[^.!?\n]{{0,40}}?[, ] ?(?:state|say|use|set|mark|approve|ignore|write|report|conclude|answer|output|treat|give|add|include|choose|select|do not|always|you (?:must|should)|skip|accept|refund|pay|rate)\b",
        "processing|reading|reviewing|evaluating|summari|analy|handling|answering|parsing|checking|assessing",
        "this ",
    ),
    _phrase(
        ADDRESS,
        r"\bplease,? (?:dear )?(?:ai|llm|bot|chatbot|chatgpt),|\b(?:llm|ai|gpt|chatgpt|system) (?:instructions?|directives?|commands?|overrides?) ?:|\bhidden (?:instructions?|prompts?|commands?|directives?)\b|\b(?:commands?|directives?|prompts?) (?:for|to) (?:the |an? )?(?:model|assistant|bot|agent|system)\b",
        "please|llm|ai|gpt|chatgpt|system|hidden|command|directive|prompt",
        "llm|ai,|bot,|gpt|hidden|system i|system d|system c|system o|ai i|ai d|ai c|ai o|commands |command |directive|prompt",
    ),
    _phrase(
        ADDRESS,
        r"\bi am (?:the |your |a )?(?:developer|creator|programmer|administrator|admin|owner|engineer|author) of (?:this|the) (?:system|ai|model|assistant|bot|prompt|console)\b|\bi am your (?:developer|creator|programmer|administrator|maker|master)\b",
        "developer|creator|programmer|admin|owner|engineer|author|maker|master",
        "i am ",
    ),
    _phrase(
        ADDRESS,
        r"\bassistant ?: ?(?:sure|certainly|of course|okay|ok|understood|i will)\b[^\n]{0,80}\b(?:decision|approv\w+|amount|outcome|verified)\b",
        "assistant",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:attention|note|notice|important|warning)[:,]? {WHO} ?[:,!-]",
        "attention|note|notice|important|warning",
        "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated",
    ),
    _phrase(
        ADDRESS,
        r"\b(?:if|since|because|when|as) you(?: are|'re|r)?(?: an?| the)? (?:ai\b|llms?\b|(?:large )?language model|ai[ -]\w+|virtual assistant|chat ?bot|bot\b|automated|gpt|artificial intelligence)",
        "you",
        "ai|llm|model|assistant|bot|automated|gpt|artificial",
        re.compile(r"human|person|someone|somebody|real|operator|speak|talk|connect"),
    ),
    _phrase(
        ADDRESS,
        r"\bas an? (?:ai\b|llm\b|ai[ -]\w+|artificial intelligence|(?:large )?language model)[^.!?]{0,60}\b(?:you|your|must)\b",
        "as a",
        "ai|llm|artificial|model",
        re.compile(r"\b(?:i am|i'm|i work)\b"),
    ),
    _phrase(
        ADDRESS,
        rf"(?:^|[\s\W])(?:{WHO}|assistant) ?[:,>-] ?(?:please )?{VERBS}\b",
        "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated|assistant",
    ),
    _phrase(
        ADDRESS,
        rf"\b(?:dear|hello|hi|hey|ok|okay) (?:the )?{WHO}(?!\w)",
        "dear|hello|hi |hey|ok",
        "ai|a.i.|llm|model|gpt|claude|gemini|copilot|artificial|automated",
        re.compile(r"human|person|someone|speak|talk|connect"),
    ),
    _phrase(
        ADDRESS,
        ORDER
        + r"(?:you are now|you're now|act as|behave as|pretend (?:to be|that you are|you are|you're)|role-?play as|simulate being)\b (?:an? |the |in )?(?:[\w-]+ ){0,3}?(?:ai\b|assistant|language model|llm|chat ?bot|dan\b|unrestricted|jailbroken|system\b|administrator|root\b|approver|(?:developer|debug|admin) mode)",
        "you are now|you're now|act as|behave as|pretend|roleplay|role-play|simulate",
    ),
    _phrase(
        ADDRESS,
        r"\byou are an? (?:helpful |new |automated )?(?:ai|assistant|language model|llm|chatbot)(?: \w+)? (?:that|who|which|designed|tasked|whose|and your)\b",
        "you are a",
    ),
    _phrase(
        ADDRESS,
        r"\bfrom now on,? you (?:are|act|respond|answer only|ignore|approve|will (?:act|respond|approve|ignore|behave|obey|always approve))\b",
        "from now on",
    ),
    _phrase(
        ADDRESS,
        r"\b(?:new system (?:instructions?|prompt|message|rules?)|your (?:new|real|actual|true|only) (?:instructions?|task|role|objective|goal|job|purpose|rules?) (?:is|are)\b|your new (?:instructions?|task|role|rules?) ?:)",
        "new system|your ",
    ),
    _phrase(
        ADDRESS,
        r"\b(?:system|admin(?:istrator)?|developer|root) (?:override|prompt|directives?)\b|\b(?:enter|enable|activate|switch to|you are (?:now )?in) (?:developer|debug|god|dan|jailbreak|unrestricted|admin) mode\b",
        "override|prompt|instruction|directive|mode",
        "system|admin|developer|root|debug|god|dan|jailbreak|unrestricted",
    ),
    _phrase(
        "asks for the prompt",
        r"\b(?:reveal|print|repeat|output|show|display|disclose|leak|expose|return|dump|tell)\b[^.!?]{0,40}\b(?:system prompt|your (?:\w+ )?(?:instructions|prompt)|your api keys?|hidden prompt|environment variables|the (?:text|words) above)\b",
        "reveal|print|repeat|output|show|display|disclose|leak|expose|return|dump|tell",
        "prompt|instructions|api key|environment|above",
    ),
    _phrase(
        "asks for secrecy",
        r"\b(?:do not|don't|never|without) (?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|show(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|warn(?:ing)?)\b[^.!?]{0,40}\b(?:users?|operators?|reviewers?|humans?|analysts?|approvers?|moderators?|auditors?|this (?:instruction|prompt|injection))\b",
        "tell|inform|mention|show|alert|notify|reveal|warn",
        "user|operator|reviewer|human|analyst|approver|moderator|auditor|instruction|prompt|injection",
    ),
    _phrase(
        "asks for secrecy",
        r"\b(?:do not|don't|never) (?:flag|report|raise|question)\b[^.!?]{0,30}\b(?:this|suspicious|anything)\b",
        "flag|report|raise|question",
        "this|suspicious|anything",
        re.compile(r"\b(?:spam|police|theft|loss|junk)\b"),
    ),
    _phrase(
        VERDICT,
        ORDER
        + rf"(?:mark|flag|tag|classify|label|rate|score|tick|record|treat|set)\b{GAP}\b(?:as|to) (?:an? )?(?:\w+(?:,| and) )?(?:fully |already |automatically |manually )?{STATES}\b",
        "mark|flag|tag|classify|label|rate|score|tick|record|treat|set",
        "verified|approved|valid|genuine|authentic|complian|clear|pass|risk|trust|safe|checked|accepted|green|confidence|authori|suspicious|eligible",
    ),
    _phrase(
        VERDICT,
        ORDER
        + r"(?:state|say|conclude|report|write|answer|claim|pretend)\b (?:that )?(?:all|every|the|both|each|everything)\b[^.!?]{0,40}\b(?:checks?|documents?|verifications?|tests?|everything|screenings?)\b[^.!?]{0,20}\b(?:passed|valid|verified|complete|fine|clean|approved|clear)\b",
        "state|say|conclude|report|write|answer|claim|pretend",
    ),
    _phrase(
        VERDICT,
        ORDER
        + r"tick (?:(?:every|all|each)\b[^.!?]{0,20}\b(?:box(?:es)?|checks?|items?|fields?)\b|(?:the box )?[\"'][^\"'\n]{0,40}(?:verified|passed|approved|valid|ok)\b)|\b(?:give|rate|score|grade) this (?:application|applicant|supplier|customer|document|case|vendor|company)\b|"
        + ORDER
        + r"recommend (?:approval|acceptance|approving|accepting)\b",
        "tick|give|rate|score|grade|recommend",
    ),
    _phrase(
        VERDICT,
        ORDER
        + r"tell the (?:reviewers?|operators?|users?|humans?|analysts?|approvers?|auditors?) (?:that |it |everything )",
        "tell",
    ),
    _phrase(
        SKIP,
        ORDER
        + rf"(?:skip|bypass|omit|waive|disable|suppress|turn off|switch off|do not (?:perform|run|do))\b[^.!?]{{0,40}}?\b{CHECKS}\b(?! (?:fee|charge|call|cost|mail|e-mail|reminder|engine|valve|panel|unit))",
        "skip|bypass|omit|waive|disable|suppress|turn off|switch off|do not",
        "verif|review|check|screen|approv|valid|kyc|aml|sanction|diligence|four|human|control|safeguard|flag",
    ),
    _phrase(
        APPROVE,
        ORDER
        + r"(?:approve|accept|authori[sz]e|grant|release|pass|confirm|pay out|refund|execute)\b[^.!?]{0,60}?\b(?:without (?:any |further |additional |manual |human |a |more )*(?:checks?|reviews?|verification|approvals?|confirmation|human)|regardless of|no matter what|unconditionally|whatever the)\b",
        "approve|accept|authori|grant|release|pass|confirm|pay out|refund|execute",
        "without|regardless|no matter|unconditional|whatever",
    ),
    _phrase(
        APPROVE,
        ORDER
        + r"(?:approve|accept)\b[^.!?]{0,20}\bwithout (?:checking|asking|reviewing|verifying|looking)\b|"
        + ORDER
        + r"automatically (?:approve|accept|refund|grant|confirm)\b",
        "approve|accept|automatically",
    ),
    _phrase(
        APPROVE,
        r"\b(?:decision|outcome|verdict)\b ?(?:is|=|:|->|must be|should be|shall be|has to be|with decision)? ?[\"']?(?:approve|accept|grant)\b(?! (?:or|/|and reject))",
        "decision|outcome|verdict",
        "approve|accept|grant",
    ),
    _phrase(
        APPROVE,
        CLAUSE
        + r"(?:approve|auto-?approve) (?:this|the|all|every|it|eur|usd|gbp|\d|immediately|now|automatically|application|request|refund|payment)\b",
        "approve|auto",
        unless=re.compile(r"\A\W*\w[^.!]{0,80}\?"),
    ),
    _phrase(
        ASSIGN,
        ORDER
        + rf"(?:set|overwrite|assign|fill(?: in)?|force|put) (?:the |field |value of )*[\"'`]?{THINGS}[\"'`]? ?(?:field |value )?(?:to|=|:|with|as|at)(?!\w)",
        "set |overwrite|assign|fill|force|put ",
        "amount|refund|status|decision|outcome|verdict|risk|score|confidence|priority|limit|iban|payee|account|approved|verified|result|recommendation|flag|branch",
        re.compile(r"\b(?:thermostat|speed limit|alarm|volume|aside|up to date)\b"),
    ),
    _phrase(
        ASSIGN,
        ORDER
        + r"(?:choose|select|pick) (?:the )?(?:outcome|decision|verdict|branch (?:[\"']|approve|accept|yes))",
        "choose|select|pick",
        "outcome|branch|decision|verdict",
    ),
    _phrase(
        ASSIGN,
        ORDER
        + r"(?:change|update|switch|adjust) (?:the )?(?:field \S+ to|(?:decision|outcome|verdict|confidence|risk(?: level| score| rating)?) to [\"']?(?:approve|accept|low|high|none|\d))",
        "change|update|switch|adjust",
    ),
    _phrase(
        ASSIGN,
        rf"\b(?:write|put|enter|type|insert|place) [\"'\w., -]{{1,40}} in(?:to)? the {THINGS} (?:field|box)\b",
        "write|put|enter|type|insert|place",
        "field|box",
    ),
    _phrase(
        "dictates the answer",
        ORDER
        + r"output (?:the (?:value|word|text|decision|amount|following)|approve|accept|[\"'{])|\bconfidence(?: level| score)? ?[=:,]? ?[\"']?(?:high|maximum|100|1\.0|0\.9\d?)\b|\b(?:respond|answer) (?:with )?[\"'](?:approved?|yes|accept|verified|passed)\b(?![\"']? or)",
        "output|confidence|respond|answer",
    ),
    _phrase(
        "dictates the answer",
        r"\b(?:respond|reply|answer|output)\b (?:\w+ ){0,3}(?:with|in|using|the following|only)? ?(?:valid |this |the following |exactly this )*json\b|\b(?:return|print)\b (?:only |just )(?:valid |this )?json\b|\byour (?:output|proposal|rationale|json)\b[^.!?]{0,20}\b(?:must|should|shall|has to)\b",
        "json|your output|your proposal|your rationale",
    ),
    _phrase(
        "calls a tool",
        r"\b(?:call|execute|invoke) [a-z_]\w{2,40}\([^)\n]{1,80}\)|\bfunction [a-z_]\w{2,40}\([^)\n]{0,40}= ?[\"'\d]|\buse (?:the )?tool [a-z]\w*_\w+|\buse the [a-z]\w*_\w+ (?:tool|function)\b",
        "call|execute|invoke|function|use",
        "(|tool|function",
    ),
    _phrase(
        "calls a tool",
        ORDER
        + r"(?:call|invoke|execute|run|trigger)\b (?:the |a )?(?:[\w.-]+ ){0,3}?(?:tools?|functions?|api|endpoints?|webhooks?|plugins?|commands?)\b ?(?:[\w.`'\"-]+ )?(?:with|to|:|\(|\{|and)",
        "tool|function|api|endpoint|webhook|plugin|command",
        "call|invoke|execute|run|trigger",
    ),
    _phrase(
        "a forged role",
        r"(?:^|\n)\s*system(?: (?:prompt|notice|note|message))? ?[:,-][^.\n]{0,60}?\b(?:must|should|shall|approve\b|refund (?:the|this|all))",
        "system",
    ),
)
