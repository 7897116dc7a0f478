"""Words in which texts try to give orders to a model, by language. Letters are small and without accents here, as `scan` compares them.

A phrase is looked for only where one of its `stems`, with which a word begins, and one of its `also` occur: most texts have neither. `unless` are words
in or around the match that make it ordinary: "please ignore my earlier instructions" is what customers write.
"""

import re
import unicodedata
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
MINE = re.compile(
    r"\b(?:my|our|his|her|mein\w*|unser\w*|mes|nos|ma|notre|mis?|nuestr\w*|mie|mia|nostr\w*|moj\w*|moi\w*|nasz\w*|mano|musu|mijn|onze|meus?|minhas?)\b"
    r"|\b(?:i|we) (?:sent|gave|made|wrote|left|had|sent|provided|included)\b"
)


def _jamo(text: str) -> str:
    """Korean as it is compared: its syllables taken apart."""
    return unicodedata.normalize("NFKD", text)


def _phrase(what: str, pattern: str, stems: str, also: str = "", unless: re.Pattern[str] | None = None) -> Phrase:
    cues = tuple(stems.split("|"))
    heads = [cue[:LETTERS_OF_HEAD] for cue in cues]
    by_head = all(len(head) == LETTERS_OF_HEAD and head.isalnum() for head in heads)
    return Phrase(what, re.compile(pattern), cues, tuple(also.split("|")), unless, frozenset(heads) if by_head else None)


OVERRIDE, ADDRESS, VERDICT, SKIP, APPROVE, ASSIGN = (
    "sets rules aside", "speaks to a model", "orders a verdict", "orders to skip a check", "orders an approval", "orders a value"
)  # fmt: skip

ENGLISH = [
    _phrase(
        OVERRIDE,
        ORDER + r"(?:ignore|disregard|forget|override|overrule|overlook|discard|drop|abandon|bypass|neglect|disobey|(?:do not|don't|stop) (?:follow(?:ing)?|obey(?:ing)?)|pay no attention to|never mind)\b"
        r"[^.!?]{0,40}?\b(?:all|any|your|previous|prior|above|earlier|preceding|every|these|those|existing|former|original|system|safety|security|everything)\b" + GAP
        + r"\b(?:instructions?|rules?|prompts?|guidelines?|polic(?:y|ies)|directives?|restrictions?|safeguards?|guardrails?|programming|training|constraints?|filters?|guidance|directions|above|before)\b",
        "ignor|disregard|forget|overr|overlook|discard|drop|abandon|bypass|neglect|disobey|do not|don|stop|pay|never", "instruction|rule|prompt|guideline|polic|directive|restriction|guard|programming|training|constraint|filter|guidance|direction|above|before", MINE,
    ),
    _phrase(OVERRIDE, ORDER + r"(?:ignore|disregard|forget|override|bypass)\b (?:the |everything )?(?:system |safety )?(?:instructions?|prompt|guardrails?)\b", "ignore|disregard|forget|override|bypass", "instruction|prompt|guardrail", MINE),
    _phrase(OVERRIDE, ORDER + r"(?:ignore|disregard|forget|override|bypass)\b (?:the )?(?:instructions?|rules?|policy|prompt|guidelines?) (?:above|before|so far|you (?:were|have been|are) given|that you)", "ignore|disregard|forget|override|bypass", "instruction|rule|policy|prompt|guideline", MINE),
    _phrase(OVERRIDE, r"\byou (?:must|should|shall|have to|need to|are to) (?:now |also |always )?(?:ignore|disregard|forget|bypass)\b" + GAP + r"\b(?:instructions?|rules?|polic(?:y|ies)|prompt|guidelines?|checks?)\b", "you", "ignore|disregard|forget|bypass", MINE),
    _phrase(OVERRIDE, r"\b(?:previous|prior|earlier|original|system) (?:instructions?|prompts?|directives?|guidelines?) (?:are|is|were|have been|has been) (?:now )?(?:void|obsolete|outdated|cancell?ed|replaced|superseded|suspended|invalid|revoked|no longer)\b|\binstead of your (?:original|actual|previous|normal|usual|real) (?:tasks?|instructions?|job|rules?)\b", "previous|prior|earlier|original|system|instead", "instruction|prompt|directive|guideline|task|job|rule", MINE),
    _phrase(ADDRESS, rf"\b(?:notes?|attention|messages?|instructions?|notice|memo|hint|commands?|important|directives?)[:,]? (?:to|for) (?:the |any |all |every |our |your )?(?:{WHO}|assistants?(?= ?[:,]))(?!\w)", "to |for ", "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated|assistant"),
    _phrase(ADDRESS, CLAUSE + rf"(?:to|for) (?:the |any |all |every |our |your )?{WHO} ?[:,-]", "to |for ", "ai|a.i.|llm|model|bot|gpt|copilot|artificial|automated"),
    _phrase(ADDRESS, rf"\b(?:any|the|an|every) (?:{WHO}|assistant|bot|model) {READING} {TEXT_HERE}\b", "processing|reading|reviewing|evaluating|summari|analy|handling|answering|parsing|checking|assessing", "this "),
    _phrase(ADDRESS, rf"\b(?:is|gets|being) (?:read|processed|reviewed|evaluated|summari[sz]ed|parsed|assessed|checked) by (?:an? |the |any )?{WHO}\b", "read|processed|reviewed|evaluated|summari|parsed|assessed|checked", " by "),
    _phrase(ADDRESS, rf"\b(?:the|an|any|this) (?:ai|llm|assistant|chatbot|language model|ai (?:agent|model|assistant)) (?:must|should|shall|has to|needs to|is to|will now) (?:always |only |now |never |not )?{VERBS}\b", "must|should|shall|has to|needs|is to|will now", " ai |llm |assistant |chatbot |model "),
    _phrase(ADDRESS, rf"\b(?:when|while|before|after) {READING} {TEXT_HERE}\b[^.!?\n]{{0,40}}?[, ] ?(?:state|say|use|set|mark|approve|ignore|write|report|conclude|answer|output|treat|give|add|include|choose|select|do not|always|you (?:must|should)|skip|accept|refund|pay|rate)\b", "processing|reading|reviewing|evaluating|summari|analy|handling|answering|parsing|checking|assessing", "this "),
    _phrase(ADDRESS, r"\bplease,? (?:dear )?(?:ai|llm|bot|chatbot|chatgpt),|\b(?:llm|ai|gpt|chatgpt|system) (?:instructions?|directives?|commands?|overrides?) ?:|\bhidden (?:instructions?|prompts?|commands?|directives?)\b|\b(?:commands?|directives?|prompts?) (?:for|to) (?:the |an? )?(?:model|assistant|bot|agent|system)\b", "please|llm|ai|gpt|chatgpt|system|hidden|command|directive|prompt", "llm|ai,|bot,|gpt|hidden|system i|system d|system c|system o|ai i|ai d|ai c|ai o|commands |command |directive|prompt"),
    _phrase(ADDRESS, r"\bi am (?:the |your |a )?(?:developer|creator|programmer|administrator|admin|owner|engineer|author) of (?:this|the) (?:system|ai|model|assistant|bot|prompt|console)\b|\bi am your (?:developer|creator|programmer|administrator|maker|master)\b", "developer|creator|programmer|admin|owner|engineer|author|maker|master", "i am "),
    _phrase(ADDRESS, r"\bassistant ?: ?(?:sure|certainly|of course|okay|ok|understood|i will)\b[^\n]{0,80}\b(?:decision|approv\w+|amount|outcome|verified)\b", "assistant"),
    _phrase(ADDRESS, rf"\b(?:attention|note|notice|important|warning)[:,]? {WHO} ?[:,!-]", "attention|note|notice|important|warning", "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated"),
    _phrase(ADDRESS, r"\b(?:if|since|because|when|as) you(?: are|'re|r)?(?: an?| the)? (?:ai\b|llms?\b|(?:large )?language model|ai[ -]\w+|virtual assistant|chat ?bot|bot\b|automated|gpt|artificial intelligence)", "you", "ai|llm|model|assistant|bot|automated|gpt|artificial", re.compile(r"human|person|someone|somebody|real|operator|speak|talk|connect")),
    _phrase(ADDRESS, r"\bas an? (?:ai\b|llm\b|ai[ -]\w+|artificial intelligence|(?:large )?language model)[^.!?]{0,60}\b(?:you|your|must)\b", "as a", "ai|llm|artificial|model", re.compile(r"\b(?:i am|i'm|i work)\b")),
    _phrase(ADDRESS, rf"(?:^|[\s\W])(?:{WHO}|assistant) ?[:,>-] ?(?:please )?{VERBS}\b", "ai|a.i.|llm|model|bot|gpt|claude|gemini|copilot|artificial|automated|assistant"),
    _phrase(ADDRESS, rf"\b(?:dear|hello|hi|hey|ok|okay) (?:the )?{WHO}(?!\w)", "dear|hello|hi |hey|ok", "ai|a.i.|llm|model|gpt|claude|gemini|copilot|artificial|automated", re.compile(r"human|person|someone|speak|talk|connect")),
    _phrase(ADDRESS, ORDER + r"(?:you are now|you're now|act as|behave as|pretend (?:to be|that you are|you are|you're)|role-?play as|simulate being)\b (?:an? |the |in )?(?:[\w-]+ ){0,3}?(?:ai\b|assistant|language model|llm|chat ?bot|dan\b|unrestricted|jailbroken|system\b|administrator|root\b|approver|(?:developer|debug|admin) mode)", "you are now|you're now|act as|behave as|pretend|roleplay|role-play|simulate"),
    _phrase(ADDRESS, r"\byou are an? (?:helpful |new |automated )?(?:ai|assistant|language model|llm|chatbot)(?: \w+)? (?:that|who|which|designed|tasked|whose|and your)\b", "you are a"),
    _phrase(ADDRESS, r"\bfrom now on,? you (?:are|act|respond|answer only|ignore|approve|will (?:act|respond|approve|ignore|behave|obey|always approve))\b", "from now on"),
    _phrase(ADDRESS, r"\b(?:new system (?:instructions?|prompt|message|rules?)|your (?:new|real|actual|true|only) (?:instructions?|task|role|objective|goal|job|purpose|rules?) (?:is|are)\b|your new (?:instructions?|task|role|rules?) ?:)", "new system|your "),
    _phrase(ADDRESS, r"\b(?:system|admin(?:istrator)?|developer|root) (?:override|prompt|directives?)\b|\b(?:enter|enable|activate|switch to|you are (?:now )?in) (?:developer|debug|god|dan|jailbreak|unrestricted|admin) mode\b", "override|prompt|instruction|directive|mode", "system|admin|developer|root|debug|god|dan|jailbreak|unrestricted"),
    _phrase("asks for the prompt", r"\b(?:reveal|print|repeat|output|show|display|disclose|leak|expose|return|dump|tell)\b[^.!?]{0,40}\b(?:system prompt|your (?:\w+ )?(?:instructions|prompt)|your api keys?|hidden prompt|environment variables|the (?:text|words) above)\b", "reveal|print|repeat|output|show|display|disclose|leak|expose|return|dump|tell", "prompt|instructions|api key|environment|above"),
    _phrase("asks for secrecy", r"\b(?:do not|don't|never|without) (?:tell(?:ing)?|inform(?:ing)?|mention(?:ing)?|show(?:ing)?|alert(?:ing)?|notify(?:ing)?|reveal(?:ing)?|warn(?:ing)?)\b[^.!?]{0,40}\b(?:users?|operators?|reviewers?|humans?|analysts?|approvers?|moderators?|auditors?|this (?:instruction|prompt|injection))\b", "tell|inform|mention|show|alert|notify|reveal|warn", "user|operator|reviewer|human|analyst|approver|moderator|auditor|instruction|prompt|injection"),
    _phrase("asks for secrecy", r"\b(?:do not|don't|never) (?:flag|report|raise|question)\b[^.!?]{0,30}\b(?:this|suspicious|anything)\b", "flag|report|raise|question", "this|suspicious|anything", re.compile(r"\b(?:spam|police|theft|loss|junk)\b")),
    _phrase(VERDICT, ORDER + rf"(?:mark|flag|tag|classify|label|rate|score|tick|record|treat|set)\b{GAP}\b(?:as|to) (?:an? )?(?:\w+(?:,| and) )?(?:fully |already |automatically |manually )?{STATES}\b", "mark|flag|tag|classify|label|rate|score|tick|record|treat|set", "verified|approved|valid|genuine|authentic|complian|clear|pass|risk|trust|safe|checked|accepted|green|confidence|authori|suspicious|eligible"),
    _phrase(VERDICT, ORDER + r"(?:state|say|conclude|report|write|answer|claim|pretend)\b (?:that )?(?:all|every|the|both|each|everything)\b[^.!?]{0,40}\b(?:checks?|documents?|verifications?|tests?|everything|screenings?)\b[^.!?]{0,20}\b(?:passed|valid|verified|complete|fine|clean|approved|clear)\b", "state|say|conclude|report|write|answer|claim|pretend"),
    _phrase(VERDICT, ORDER + r"tick (?:(?:every|all|each)\b[^.!?]{0,20}\b(?:box(?:es)?|checks?|items?|fields?)\b|(?:the box )?[\"'][^\"'\n]{0,40}(?:verified|passed|approved|valid|ok)\b)|\b(?:give|rate|score|grade) this (?:application|applicant|supplier|customer|document|case|vendor|company)\b|" + ORDER + r"recommend (?:approval|acceptance|approving|accepting)\b", "tick|give|rate|score|grade|recommend"),
    _phrase(VERDICT, ORDER + r"tell the (?:reviewers?|operators?|users?|humans?|analysts?|approvers?|auditors?) (?:that |it |everything )", "tell"),
    _phrase(SKIP, ORDER + rf"(?:skip|bypass|omit|waive|disable|suppress|turn off|switch off|do not (?:perform|run|do))\b[^.!?]{{0,40}}?\b{CHECKS}\b(?! (?:fee|charge|call|cost|mail|e-mail|reminder|engine|valve|panel|unit))", "skip|bypass|omit|waive|disable|suppress|turn off|switch off|do not", "verif|review|check|screen|approv|valid|kyc|aml|sanction|diligence|four|human|control|safeguard|flag"),
    _phrase(APPROVE, ORDER + r"(?:approve|accept|authori[sz]e|grant|release|pass|confirm|pay out|refund|execute)\b[^.!?]{0,60}?\b(?:without (?:any |further |additional |manual |human |a |more )*(?:checks?|reviews?|verification|approvals?|confirmation|human)|regardless of|no matter what|unconditionally|whatever the)\b", "approve|accept|authori|grant|release|pass|confirm|pay out|refund|execute", "without|regardless|no matter|unconditional|whatever"),
    _phrase(APPROVE, ORDER + r"(?:approve|accept)\b[^.!?]{0,20}\bwithout (?:checking|asking|reviewing|verifying|looking)\b|" + ORDER + r"automatically (?:approve|accept|refund|grant|confirm)\b", "approve|accept|automatically"),
    _phrase(APPROVE, r"\b(?:decision|outcome|verdict)\b ?(?:is|=|:|->|must be|should be|shall be|has to be|with decision)? ?[\"']?(?:approve|accept|grant)\b(?! (?:or|/|and reject))", "decision|outcome|verdict", "approve|accept|grant"),
    _phrase(APPROVE, CLAUSE + r"(?:approve|auto-?approve) (?:this|the|all|every|it|eur|usd|gbp|\d|immediately|now|automatically|application|request|refund|payment)\b", "approve|auto", unless=re.compile(r"\A\W*\w[^.!]{0,80}\?")),
    _phrase(ASSIGN, ORDER + rf"(?:set|overwrite|assign|fill(?: in)?|force|put) (?:the |field |value of )*[\"'`]?{THINGS}[\"'`]? ?(?:field |value )?(?:to|=|:|with|as|at)(?!\w)", "set |overwrite|assign|fill|force|put ", "amount|refund|status|decision|outcome|verdict|risk|score|confidence|priority|limit|iban|payee|account|approved|verified|result|recommendation|flag|branch", re.compile(r"\b(?:thermostat|speed limit|alarm|volume|aside|up to date)\b")),
    _phrase(ASSIGN, ORDER + r"(?:choose|select|pick) (?:the )?(?:outcome|decision|verdict|branch (?:[\"']|approve|accept|yes))", "choose|select|pick", "outcome|branch|decision|verdict"),
    _phrase(ASSIGN, ORDER + r"(?:change|update|switch|adjust) (?:the )?(?:field \S+ to|(?:decision|outcome|verdict|confidence|risk(?: level| score| rating)?) to [\"']?(?:approve|accept|low|high|none|\d))", "change|update|switch|adjust"),
    _phrase(ASSIGN, rf"\b(?:write|put|enter|type|insert|place) [\"'\w., -]{{1,40}} in(?:to)? the {THINGS} (?:field|box)\b", "write|put|enter|type|insert|place", "field|box"),
    _phrase("dictates the answer", ORDER + r"output (?:the (?:value|word|text|decision|amount|following)|approve|accept|[\"'{])|\bconfidence(?: level| score)? ?[=:,]? ?[\"']?(?:high|maximum|100|1\.0|0\.9\d?)\b|\b(?:respond|answer) (?:with )?[\"'](?:approved?|yes|accept|verified|passed)\b(?![\"']? or)", "output|confidence|respond|answer"),
    _phrase("dictates the answer", r"\b(?:respond|reply|answer|output)\b (?:\w+ ){0,3}(?:with|in|using|the following|only)? ?(?:valid |this |the following |exactly this )*json\b|\b(?:return|print)\b (?:only |just )(?:valid |this )?json\b|\byour (?:output|proposal|rationale|json)\b[^.!?]{0,20}\b(?:must|should|shall|has to)\b", "json|your output|your proposal|your rationale"),
    _phrase("calls a tool", r"\b(?:call|execute|invoke) [a-z_]\w{2,40}\([^)\n]{1,80}\)|\bfunction [a-z_]\w{2,40}\([^)\n]{0,40}= ?[\"'\d]|\buse (?:the )?tool [a-z]\w*_\w+|\buse the [a-z]\w*_\w+ (?:tool|function)\b", "call|execute|invoke|function|use", "(|tool|function"),
    _phrase("calls a tool", ORDER + r"(?:call|invoke|execute|run|trigger)\b (?:the |a )?(?:[\w.-]+ ){0,3}?(?:tools?|functions?|api|endpoints?|webhooks?|plugins?|commands?)\b ?(?:[\w.`'\"-]+ )?(?:with|to|:|\(|\{|and)", "tool|function|api|endpoint|webhook|plugin|command", "call|invoke|execute|run|trigger"),
]  # fmt: skip

GERMAN = [
    _phrase(OVERRIDE, r"(?<!ich )\b(?:ignorieren? sie|ignoriere|ignorier|missachte(?:n sie)?|vergiss|vergessen sie|ubergehe(?:n sie)?|umgehe(?:n sie)?|uberschreibe(?:n sie)?|befolge(?:n sie)? nicht|beachte(?:n sie)? nicht)\b" + GAP + r"\b(?:anweisung(?:en)?|anordnung(?:en)?|regeln|vorgaben|richtlinien|instruktionen|\w*prompts?|einschrankungen|systemvorgaben)\b", "ignorier|missacht|vergiss|vergessen|ubergeh|umgeh|uberschreib|befolg|beacht", "anweis|anordn|regeln|vorgab|richtlin|instruktion|prompt|einschrank", MINE),
    _phrase(OVERRIDE, r"\b(?:alle|alles|vorherige[nr]?|bisherige[nr]?|obige[nr]?|fruhere[nr]?|deine|ihre|samtliche)\b[^.!?]{0,40}\b(?:anweisungen|anordnungen|regeln|vorgaben|richtlinien|instruktionen|prompts?|einschrankungen)\b[^.!?]{0,20}\b(?:ignorieren|vergessen|missachten|ubergehen|umgehen|nicht (?:mehr )?(?:befolgen|beachten))\b", "alle|vorherig|bisherig|obige|fruher|deine|ihre|samtlich", "ignorieren|vergessen|missachten|ubergehen|umgehen|befolgen|beachten", MINE),
    _phrase(ADDRESS, CLAUSE + r"an (?:die|das|den|alle|jede) (?:ki|ai|llm|sprachmodell\w*|chatbot)\b[^:,\n]{0,20}[:,]", "an "),
    _phrase(ADDRESS, r"\b(?:hinweis|anweisung|nachricht|achtung|befehl|anmerkung|wichtig)\w*:? (?:an|fur) (?:die |das |den |alle |jede )?(?:ki|ai|llm|sprachmodelle?|ki[ -]\w+|ki-\w+|chatbots?|automatische\w* (?:system|prufung|assistent)\w*)\b", "hinweis|anweisung|nachricht|achtung|befehl|anmerkung|wichtig", "ki|ai|llm|sprachmodell|chatbot|automat"),
    _phrase(ADDRESS, r"\bals (?:ki|ai|sprachmodell|ki-\w+|ki \w+)\b[^.!?]{0,60}\b(?:musst|sollst|wirst|du|mussen sie|sollen sie|dein\w*)\b|\bdu bist (?:jetzt|nun|ab sofort) (?:eine?|der|die|das|im)\b[^.!?]{0,40}\b(?:ki|assistent\w*|sprachmodell|bot|system|modus|administrator)\b|\b(?:ki|ki-\w+|sprachmodell|assistent) ?[:,] ?(?:bitte )?(?:ignorier|setz|genehmig|markier|bestatig|wahl|antwort|gib|uberspring)\w*", "ki|ai|sprachmodell|du bist|assistent"),
    _phrase(VERDICT, r"\b(?:markier|kennzeichn|stuf|bewert|klassifizier|werte|behandl|behandel)(?:e|en sie|n sie|ere|eren sie)?\b" + GAP + r"\b(?:als|auf) (?:bereits |vollstandig )?(?:gepruft|verifiziert|genehmigt|bestatigt|gultig|echt|unbedenklich|freigegeben|geringes risiko|niedriges risiko|vertrauenswurdig)\b", "markier|kennzeichn|stuf|bewert|klassifizier|wert|behand", "gepruft|verifiziert|genehmigt|bestatigt|gultig|echt|unbedenklich|freigegeben|risiko|vertrauen"),
    _phrase(SKIP, r"(?<!wir )(?<!ich )\b(?:uberspringe?(?:n sie)?|umgehe?(?:n sie)?|unterlasse?(?:n sie)?|deaktiviere?(?:n sie)?|verzichte(?:n sie)? auf)\b[^.!?]{0,40}\b(?:\w*prufung(?:en)?|\w*verifizierung|\w*kontrollen?|freigabe|uberprufung)\b", "uberspring|umgeh|unterlass|deaktivier|verzicht", "pruf|verifizier|kontroll|freigab"),
    _phrase(APPROVE, CLAUSE + r"(?:bitte )?(?:genehmige|bewillige|autorisiere) (?:diese\w*|den|die|das|alle|alles|sofort|eur|\d|automatisch|ihn|es)\b|\b(?:genehmige|genehmigen sie|zahle|erstatte)\b" + GAP + r"\bohne (?:weitere |jede |manuelle |menschliche )*(?:\w*prufung|kontrolle|freigabe|verifizierung)\b", "genehmig|bewillig|autorisier|zahl|erstatt"),
    _phrase(ASSIGN, r"\bsetze?(?:n sie)? (?:den |die |das |feld )?(?:\w*betrag|\w*status|entscheidung|ergebnis|risiko\w*|\w*limit|iban|bewertung)\b ?(?:auf|=|:)", "setz", "betrag|status|entscheidung|ergebnis|risiko|limit|iban|bewertung"),
]  # fmt: skip

FRENCH = [
    _phrase(OVERRIDE, r"(?<!vous )(?<!il )(?<!elle )(?<!on )\b(?:ignore[rz]?|oublie[rz]?|neglige[rz]?|contourne[rz]?|outrepasse[rz]?|ne (?:suis|suivez|respecte[rz]?) pas|ne (?:tiens|tenez) pas compte)\b" + GAP + r"\b(?:instructions?|consignes?|directives?|prompts?|restrictions?|tes regles|vos regles|toutes? les regles|regles (?:precedentes|ci-dessus))\b", "ignore|oublie|neglige|contourne|outrepasse|ne suis|ne suivez|ne respecte|ne tiens|ne tenez", "instruction|consigne|directive|prompt|restriction|regles", MINE),
    _phrase(ADDRESS, r"\b(?:notes?|messages?|instructions?|consignes?|attention)\b ?:? (?:a|pour|au|aux) ?(?:l'|l’|la |le |les |tout |toute )?(?:ia\b|ai\b|llm|intelligence artificielle|modeles? de langage|assistants? (?:ia|virtuel\w*)|chatbot|systeme automati\w*|agent ia)", "note|message|instruction|consigne|attention", "ia|ai|llm|intelligence|modele|assistant|chatbot|automati|agent"),
    _phrase(ADDRESS, r"\ben tant qu['’ ](?:ia\b|assistant|intelligence artificielle|modele)|\b(?:tu es|vous etes) (?:maintenant|desormais) (?:une? |l'|en )[^.!?]{0,40}\b(?:ia|assistant|modele|robot|systeme|mode|administrateur)\b|\b(?:ia|assistant ia|modele) ?[:,] ?(?:ignore|mets|approuve|marque|valide|choisis|reponds)\w*", "en tant qu|tu es|vous etes|ia|modele"),
    _phrase(VERDICT, r"\b(?:marque[rz]?|classe[rz]?|considere[rz]?|indique[rz]?|note[rz]?|coche[rz]?|traite[rz]?)\b" + GAP + r"\b(?:comme|en) (?:etant )?(?:deja )?(?:verifie|approuve|valide|conforme|authentique|fiable|sans risque|accepte|sur)e?s?\b", "marque|classe|considere|indique|note|coche|traite", "verifie|approuve|valide|conforme|authentique|fiable|risque|accepte|sur"),
    _phrase(SKIP, r"\b(?:saute[rz]?|ignore[rz]?|contourne[rz]?|desactive[rz]?|passe[rz]? outre|n'effectue[rz]? pas)\b[^.!?]{0,40}\b(?:verifications?|controles?|validations?|examens?)\b", "saute|ignore|contourne|desactive|outre|n'effectue", "verification|controle|validation|examen"),
    _phrase(APPROVE, CLAUSE + r"(?:approuve|approuvez|accepte|acceptez|autorise|autorisez|valide|validez) (?:cette|ce|cet|tous|toutes|immediatement|automatiquement)\b|\b(?:approuve[rz]?|rembourse[rz]?|valide[rz]?)\b" + GAP + r"\bsans (?:aucune? |autre )?(?:verification|controle|validation|examen)\b", "approuve|accepte|autorise|valide|rembourse"),
    _phrase(ASSIGN, r"\b(?:mets|mettez|fixe[rz]?|definis(?:sez)?|regle[rz]?) (?:le |la |l')?(?:montant|statut|decision|resultat|risque|limite|iban|score)\b[^.!?]{0,25}\b(?:a|sur|en|=)\b", "mets|mettez|fixe|definis|regle", "montant|statut|decision|resultat|risque|limite|iban|score"),
]  # fmt: skip

SPANISH = [
    _phrase(OVERRIDE, r"\b(?:ignor(?:a|e|ar|en|ad)|olvid(?:a|e|ar|en|ate)|omit(?:e|a|ir)|descart(?:a|e)|desestim(?:a|e)|no sigas|no siga|ha(?:z|ga) caso omiso (?:de|a))\b[^.!?]{0,40}?\b(?:tod[ao]s|tus|sus|cualquier|estas|las|de|a)\b[^.!?]{0,30}?\b(?:instrucciones|reglas|normas|directrices|indicaciones|prompt|restricciones|politicas)\b(?: (?:anteriores|previas|del sistema|de arriba|y ))?", "ignor|olvid|omit|descart|desestim|no sig|caso omiso", "instrucc|reglas|normas|directric|indicacion|prompt|restricc|politicas", MINE),
    _phrase(ADDRESS, r"\b(?:notas?|mensajes?|instruccion(?:es)?|atencion|aviso):? (?:a|al|para|de) ?(?:la |el |los |las )?(?:ia\b|ai\b|llm|inteligencia artificial|modelos? de lenguaje|asistente (?:de ia|virtual)|chatbot|sistema automati\w*|agente de ia)", "nota|mensaje|instruccion|atencion|aviso", "ia|ai|llm|inteligencia|modelo|asistente|chatbot|automati|agente"),
    _phrase(ADDRESS, r"\bcomo (?:ia\b|asistente de ia|modelo de lenguaje|inteligencia artificial)|\b(?:ahora eres|a partir de ahora eres) (?:un|una|el|la)\b|\b(?:ia|asistente de ia|modelo de lenguaje) ?[:,] ?(?:ignora|pon|aprueba|marca|elige|responde)\w*", "como |eres|ia|asistente|modelo"),
    _phrase(VERDICT, r"\b(?:marc(?:a|ar|ue)|marque|clasific(?:a|ar)|clasifique|consider(?:a|ar|e)|etiquet(?:a|e)|califica|califique|trat(?:a|e))\b" + GAP + r"\bcomo (?:ya |totalmente )?(?:verificad|aprobad|valid|autentic|conforme|segur|aceptad|fiable|de bajo riesgo)\w*", "marc|marque|clasific|consider|etiquet|califi|trat", "verificad|aprobad|valid|autentic|conforme|segur|aceptad|fiable|riesgo"),
    _phrase(SKIP, r"\b(?:omit(?:e|ir|a)|salt(?:a|ar|e|ate)|desactiv(?:a|e)|no realices)\b[^.!?]{0,40}\b(?:verificacion(?:es)?|revision(?:es)?|controles|comprobacion(?:es)?|validacion)\b", "omit|salt|desactiv|no realices", "verificac|revision|controles|comprobac|validacion"),
    _phrase(APPROVE, CLAUSE + r"(?:aprueba|autoriza|acepta) (?:esta|este|la|el|todas|todo|todos|inmediatamente|automaticamente|\d|eur)\b|\b(?:aprueb[ae]|autori[cz][ae]|acept[ae])\b" + GAP + r"\bsin (?:ninguna |mas |otra )?(?:verificacion|revision|control|comprobacion)\b", "aprueb|autori|acept"),
    _phrase(ASSIGN, r"\b(?:pon|ponga|establece|establezca|fija|fije|configura) (?:el |la )?(?:importe|monto|estado|decision|resultado|riesgo|limite|iban|cantidad)\b[^.!?]{0,25}\b(?:a|en|como|=)\b", "pon|establec|establez|fij|configura", "importe|monto|estado|decision|resultado|riesgo|limite|iban|cantidad"),
]  # fmt: skip

ITALIAN = [
    _phrase(OVERRIDE, r"\b(?:ignora(?:re|te)?|ignori|dimentica(?:re|te|ti)?|trascura|non seguire|non rispettare|bypassa)\b[^.!?]{0,40}?\b(?:tutte|precedenti|tue|qualsiasi|ogni|queste|le|sue|vostre)\b[^.!?]{0,30}?\b(?:istruzioni|regole|direttive|linee guida|prompt|restrizioni|indicazioni)\b", "ignor|dimentica|trascura|non seguire|non rispettare|bypassa", "istruzion|regole|direttive|linee guida|prompt|restrizion|indicazion", MINE),
    _phrase(ADDRESS, r"\b(?:nota|messaggio|istruzion[ei]|attenzione|avviso):? (?:per|a|al|alla|all) ?['’]?(?:l['’]|la |il |gli |ogni )?(?:ia\b|ai\b|llm|intelligenza artificiale|modell[oi] linguistic[oi]|assistente (?:ia|virtuale|ai)|chatbot|sistema automati\w*)", "nota|messaggio|istruzion|attenzione|avviso", "ia|ai|llm|intelligenza|modell|assistente|chatbot|automati"),
    _phrase(ADDRESS, r"\bin quanto (?:ia\b|ai\b|assistente|modello|intelligenza)|\b(?:ora sei|adesso sei|da ora in poi sei) (?:un|una|un'|il|la|in)\b|\b(?:ia|ai|assistente ia|modello linguistico) ?[:,] ?(?:ignora|imposta|approva|contrassegna|segna|scegli|rispondi)\w*", "in quanto|sei |ia|ai|modello"),
    _phrase(VERDICT, r"\b(?:contrassegna(?:re)?|segna(?:re)?|classifica(?:re)?|considera(?:re)?|marca(?:re)?|imposta|tratta(?:re)?)\b" + GAP + r"\bcome (?:gia |pienamente )?(?:verificat|approvat|valid|conforme|autentic|accettat|sicur|affidabil|a basso rischio)\w*", "segna|classifica|considera|marca|imposta|tratta", "verificat|approvat|valid|conforme|autentic|accettat|sicur|affidabil|rischio"),
    _phrase(SKIP, r"\b(?:salta(?:re)?|ometti|omettere|disattiva(?:re)?|bypassa(?:re)?|non eseguire)\b[^.!?]{0,40}\b(?:verific(?:a|he)|controll[oi]|revision[ei]|convalida|approvazion[ei])\b", "salta|omett|disattiva|bypassa|non eseguire", "verific|controll|revision|convalida|approvazion"),
    _phrase(APPROVE, CLAUSE + r"(?:approva|autorizza|accetta) (?:questa|questo|la|il|tutte|tutti|tutto|subito|immediatamente|automaticamente|\d|eur)\b|\b(?:approva(?:re)?|autorizza(?:re)?|rimborsa(?:re)?)\b" + GAP + r"\bsenza (?:alcun[ao]? |ulteriori )?(?:verific(?:a|he)|controll[oi]|revision[ei])\b", "approva|autorizza|accetta|rimborsa"),
    _phrase(ASSIGN, r"\b(?:imposta|metti|porta|fissa|imposti) (?:l['’]|il |lo |la )?(?:importo|stato|decisione|esito|risultato|rischio|limite|iban)\b[^.!?]{0,25}\b(?:a|su|come|=)\b", "imposta|metti|porta|fissa|imposti", "importo|stato|decisione|esito|risultato|rischio|limite|iban"),
]  # fmt: skip

POLISH = [
    _phrase(OVERRIDE, r"\b(?:zignoruj(?:cie)?|ignoruj(?:cie)?|z?ignorowac|pomin(?:cie)?|zapomnij(?:cie)?|nie przestrzegaj|nie stosuj sie do|obejdz|lekcewaz)\b" + GAP + r"\b(?:instrukcj\w*|polecen\w*|zasad\w*|regul\w*|wytyczn\w*|prompt\w*|ograniczen\w*)\b", "zignor|ignor|pomin|zapomnij|nie przestrzegaj|nie stosuj|obejdz|lekcewaz", "instrukcj|polece|zasad|regul|wytyczn|prompt|ogranicz", MINE),
    _phrase(ADDRESS, r"\b(?:uwaga|instrukcj[ae]|wiadomosc|notatka|polecenie):? (?:dla|do) (?:ai\b|si\b|llm|modelu(?: jezykowego)?|asystenta(?: ai)?|sztucznej inteligencji|bota|chatbota|systemu automat\w*)|\bjako (?:ai\b(?! ekspert)|asystent ai|model jezykowy|sztuczna inteligencja)|\bjestes (?:teraz|od teraz)\b", "uwaga|instrukcj|wiadomosc|notatka|polecenie|jako|jestes"),
    _phrase(VERDICT, r"\b(?:oznacz|zaznacz|uznaj|potraktuj|sklasyfikuj|ocen)(?:cie)?\b" + GAP + r"\b(?:jako|za) (?:juz )?(?:zweryfikowan|zatwierdzon|wazn|prawdziw|zgodn|bezpieczn|zaakceptowan|sprawdzon|niskie ryzyko)\w*", "oznacz|zaznacz|uznaj|potraktuj|sklasyfikuj|ocen", "zweryfik|zatwierdz|wazn|prawdziw|zgodn|bezpiecz|zaakcept|sprawdz|ryzyko"),
    _phrase(SKIP, r"\b(?:pomin|omin|wylacz|obejdz)(?:cie)?\b[^.!?]{0,40}\b(?:weryfikacj|kontrol|sprawdzen|zatwierdzen)\w*", "pomin|omin|wylacz|obejdz", "weryfikacj|kontrol|sprawdz|zatwierdz"),
    _phrase(APPROVE, r"\b(?:zatwierdz|zaakceptuj|autoryzuj) (?:te[nj]?|to|ta|wszystk\w*|natychmiast|automatycznie|\d|eur|kwot\w*|wniosek|zwrot|platnosc)\b", "zatwierdz|zaakceptuj|autoryzuj"),
    _phrase(ASSIGN, r"\b(?:ustaw|wpisz) (?:kwot\w*|status|decyzj\w*|wynik|ryzyko|limit|iban)\b[^.!?]{0,25}\b(?:na|jako|=)\b", "ustaw|wpisz", "kwot|status|decyzj|wynik|ryzyko|limit|iban"),
]  # fmt: skip

LITHUANIAN = [
    _phrase(OVERRIDE, r"\b(?:ignoruok(?:ite)?|ignoruoti|nepaisyk(?:ite)?|nepaisyti|pamirsk(?:ite)?|apeik(?:ite)?|nesilaikyk(?:ite)?)\b" + GAP + r"\b(?:instrukcij\w*|nurodym\w*|taisykl\w*|gairi\w*|apribojim\w*|prompt\w*)\b", "ignoruo|nepaisy|pamirsk|apeik|nesilaikyk", "instrukcij|nurodym|taisykl|gairi|apribojim|prompt", MINE),
    _phrase(ADDRESS, r"\b(?:pastaba|zinute|nurodymas|nurodymai|instrukcija|demesio|svarbu)[:,]? (?:di\b|ai\b|dirbtiniam intelektui|dirbtinio intelekto \w+|kalbos modeliui|modeliui|di asistentui|botui)|\bkaip (?:di|ai)\b(?! (?:ekspert|special|inzinier|srities|kompan|imon))|\bkaip (?:dirbtinis intelektas|kalbos modelis)|\b(?:dabar|nuo siol) (?:tu )?esi\b", "pastaba|zinute|nurodym|instrukcija|demesio|svarbu|kaip|esi"),
    _phrase(VERDICT, r"\b(?:pazymek|laikyk|ivertink|klasifikuok|traktuok)(?:ite)?\b" + GAP + r"\bkaip (?:jau )?(?:patvirtint|patikrint|galiojant|tinkam|patikim|saug|tikr|zemos rizikos)\w*", "pazymek|laikyk|ivertink|klasifikuok|traktuok", "patvirtint|patikrint|galiojant|tinkam|patikim|saug|tikr|rizik"),
    _phrase(SKIP, r"\b(?:praleisk|apeik|isjunk)(?:ite)?\b[^.!?]{0,40}\b(?:patikr|tikrinim|patvirtinim|kontrol)\w*", "praleisk|apeik|isjunk", "patikr|tikrinim|patvirtinim|kontrol"),
    _phrase(APPROVE, r"\b(?:patvirtink|autorizuok) (?:si|sia|visus|visas|viska|nedelsiant|automatiskai|\d|eur|prasym\w*|grazinim\w*|mokejim\w*)\b", "patvirtink|autorizuok"),
    _phrase(ASSIGN, r"\b(?:nustatyk|irasyk)(?:ite)? (?:grazinimo )?(?:sum\w*|busen\w*|sprendim\w*|rezultat\w*|rizik\w*|limit\w*|iban)\b[^.!?]{0,25}(?:\bi\b|=|\bkaip\b|\d)", "nustatyk|irasyk", "sum|busen|sprendim|rezultat|rizik|limit|iban"),
]  # fmt: skip

OTHERS = [
    _phrase(
        "a forged role",
        r"(?:^|\n)\s*(?:system(?:nachricht|meldung|hinweis|anweisung|prompt)?|systeme|(?:consigne|instruction|message) (?:du )?systeme|sistema|(?:instruccion|mensaje|aviso) del sistema|(?:istruzion[ei]|messaggio) d[ie]l? sistema|"
        r"instrukcja systemowa|komunikat systemowy|sistemos \w+|system (?:notice|note|message)) ?[:,-][^.\n]{0,60}?\b(?:genehmig|setz|markier|ignorier|uberspring|approuv|mett|marqu|ignor|valid(?:er|ez)|aprob|aprueb|pon(?:er|ga)?\b|estable|approva|imposta|"
        r"contrassegna|zatwierdz|ustaw|oznacz|patvirtin|nustaty|pazyme|must|should|shall|approve\b|refund (?:the|this|all))",
        "system|sistem|consigne|instruction|message|instruccion|mensaje|aviso|istruzion|messaggio|instrukcja|komunikat",
    ),
    _phrase(OVERRIDE, r"\b(?:negeer|vergeet|omzeil)\b" + GAP + r"\b(?:instructies|regels|richtlijnen|aanwijzingen|prompt)\b", "negeer|vergeet|omzeil", "instructies|regels|richtlijnen|aanwijzingen|prompt", MINE),
    _phrase(OVERRIDE, r"\b(?:ignore|ignora|esqueca|desconsidere)\b[^.!?]{0,40}?\b(?:todas|as|suas|quaisquer)\b[^.!?]{0,30}?\b(?:instrucoes|regras|diretrizes|prompt)\b", "ignor|esqueca|desconsidere", "instrucoes|regras|diretrizes|prompt", MINE),
    _phrase(OVERRIDE, r"\b(?:ignorera|glom|bortse fran)\b" + GAP + r"\b(?:instruktioner|regler|riktlinjer|anvisningar)\w*", "ignorera|glom|bortse", "instruktion|regler|riktlinj|anvisning", re.compile(r"\b(?:mina|vara)\b")),
    _phrase(OVERRIDE, r"\b(?:ignoruj|zapomen|nedbej)\w*\b" + GAP + r"\b(?:pokyn\w*|instrukc\w*|pravid\w*)\b", "ignoruj|zapomen|nedbej", "pokyn|instrukc|pravid", re.compile(r"\b(?:moje|nase)\b")),
    _phrase(OVERRIDE, r"\b(?:игнорируи(?:те)?|проигнорируи(?:те)?|забудь(?:те)?|не следуи(?:те)?)\b" + GAP + r"\b(?:инструкци\w*|правил\w*|указани\w*)\b", "игнорируи|проигнорируи|забудь|не следуи", "инструкци|правил|указани", re.compile(r"\b(?:мои|наши)\b")),
    _phrase(OVERRIDE, r"(?:忽略|无视)[^。！？]{0,20}(?:指令|指示|规则|提示)|(?:無視|忘れ)[^。！？]{0,20}(?:指示|命令|ルール)|(?:指示|命令|ルール)[^。！？]{0,10}(?:無視|忘れ)", "忽略|无视|無視|忘れ"),
    _phrase(OVERRIDE, r"\b(?:ігноруи(?:те)?|проігноруи(?:те)?|забудь(?:те)?|не дотримуи(?:ся|теся)?)\b" + GAP + r"\b(?:інструкці\w*|правил\w*|вказівк\w*)", "ігнор|проігнор|забудь|не дотримуи", "інструкц|правил|вказів", re.compile(r"\b(?:мої|мою|наші)\b")),
    _phrase(OVERRIDE, r"\b(?:talimat|kural|yonerge|komut)\w*\b[^.!?]{0,20}\b(?:yok say|gormezden gel|unut|dikkate alma)", "talimat|kural|yonerge|komut", "yok say|gormezden|unut|dikkate", re.compile(r"\b(?:talimatim|talimatlarim)\w*")),
    _phrase(OVERRIDE, r"(?:تجاهل|انس|تجاوز)[^.!؟]{0,40}(?:تعليمات|التعليمات|القواعد|الارشادات|الاوامر)", "تجاهل|انس|تجاوز"),
    _phrase(OVERRIDE, r"(?:התעל(?:ם|מו|מי)|שכח[יו]?)\b[^.!?]{0,30}(?:הוראות|הנחיות|כללים)", "התעל|שכח"),
    _phrase(OVERRIDE, _jamo(r"(?:지시|명령|규칙|지침|프롬프트)[^.!?]{0,30}(?:무시|잊어|따르지 마)"), _jamo("지시|명령|규칙|지침|프롬프트"), _jamo("무시|잊어|따르지")),
    _phrase(OVERRIDE, r"(?:निरदश|नियम)[^.!?।]{0,30}(?:अनदखा|नजरअदाज|भल ज)", "निरदश|नियम", "अनदखा|नजरअदाज|भल ज"),
    _phrase(OVERRIDE, r"\b(?:hagyd figyelmen kivul|ne vedd figyelembe|felejtsd el|hagyja figyelmen kivul)\b" + GAP + r"\b(?:utasitas|szabaly|iranyelv)\w*", "hagyd|hagyja|ne vedd|felejtsd", "utasitas|szabaly|iranyelv", re.compile(r"\butasitasaim\w*")),
    _phrase(OVERRIDE, r"(?:αγνοησε|αγνοηστε|ξεχασε|παρακαμψε)" + GAP + r"(?:οδηγι|κανον|εντολ)\w*", "αγνοησ|ξεχασ|παρακαμψ", "οδηγι|κανον|εντολ", re.compile(r"\b(?:μου|μας)\b")),
    _phrase(OVERRIDE, r"\b(?:ignora(?:ti)?|uita(?:ti)?|nu respecta)\b" + GAP + r"\b(?:instructiuni|regul|indicatii)\w*", "ignora|uita|nu respecta", "instructiuni|regul|indicatii", re.compile(r"\b(?:mele|noastre)\b")),
    _phrase(OVERRIDE, r"\b(?:bo qua|quen di|phot lo)\b" + GAP + r"\b(?:huong dan|chi dan|quy tac|lenh)\b", "bo qua|quen|phot", "huong dan|chi dan|quy tac|lenh", re.compile(r"\bcua toi\b")),
]  # fmt: skip

EVERY: tuple[Phrase, ...] = (*ENGLISH, *GERMAN, *FRENCH, *SPANISH, *ITALIAN, *POLISH, *LITHUANIAN, *OTHERS)
