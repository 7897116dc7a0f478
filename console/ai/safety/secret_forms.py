"""Secrets recognised by their form in any text: labelled passwords and codes, tokens and keys of known services, private keys, addresses with a password."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from console.ai.safety import contact_details
from console.ai.safety.comparable_words import LOOKALIKES
from console.ai.safety.contact_details import Found

LEAST_RANDOM = 32  # letters and digits from which a random-looking word is a key
PHRASES = (12, 15, 18, 21, 24)  # words of a wallet
LEAST_BITS = 3.6  # of entropy for each sign: words and identifiers have less

_BLOCK = re.compile(
    r"-{2,}\s*BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?\s*-{2,}.{0,20000}?(?:-{2,}\s*END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?\s*-{2,}|\Z)",
    re.DOTALL,
)
_KNOWN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}"
    r"|(?:sk|pk|rk|whsec|ek)[-_](?:[A-Za-z0-9]{2,12}[-_]){0,3}[A-Za-z0-9_\-]{12,200}"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|gl(?:pat|dt|ptt|rt)-[A-Za-z0-9_\-.]{16,100}"
    r"|xox[abeprs]-[A-Za-z0-9\-]{10,250}|xapp-[A-Za-z0-9\-]{10,250}|AIza[0-9A-Za-z_\-]{30,45}|ya29\.[0-9A-Za-z_\-]{20,300}"
    r"|SG\.[A-Za-z0-9_\-]{16,40}\.[A-Za-z0-9_\-]{16,60}|npm_[A-Za-z0-9]{30,50}|pypi-[A-Za-z0-9_\-]{30,300}|hf_[A-Za-z0-9]{25,60}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{20,60}"
    r"|cns_[A-Za-z0-9]+_[A-Za-z0-9_\-]{16,200}|\d{8,10}:AA[A-Za-z0-9_\-]{30,50}|[MNO][A-Za-z0-9]{15,30}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,60}|hooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"
    r"|(?:GOCSPX-|ATATT3x|AGE-SECRET-KEY-1|dp\.(?:pt|st|sa|ct)\.|NRAK-|PMAK-|xai-|pplx-|(?:lin_api|ntn|sntry[su]|sbp|gsk|dckr_pat|r8|glc|pul|dop|glsa|PRIVATE)_|tskey-[a-z]+-)[A-Za-z0-9_\-.]{16,300}|(?:dapi|SK|AC)[0-9a-f]{32}"
    r"|do[opr]_v1_[a-f0-9]{40,80}|sq0[a-z]{3}-[0-9A-Za-z_\-]{20,60}|key-[0-9a-z]{32}|hvs\.[A-Za-z0-9_\-]{20,200}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9]{20,100}|AccountKey=[A-Za-z0-9+/=]{40,120}"
    r"|eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,8000}(?:\.[A-Za-z0-9_\-]{0,2000})?"
    r")"
)
_IN_ADDRESS = re.compile(r"(?<=://)[^\s:/@]{0,100}:([^\s/@]{1,200})@")
_BEARER = re.compile(r"\b(?:bearer|basic|digest|apikey)\s+([A-Za-z0-9+/_\-.~=]{12,4000})", re.IGNORECASE)
_LABEL = (
    r"pass[\s_\-]?w[o*.]rd|passwd|pswd|psw(?=\s?[:=])|pass\s?code|pass\s?phrase|pwd|pass(?=\s?[:=])|kennwort|passwort|losung|contrase[nñ]a|clave|mot de passe|parola|senha|palavra-passe|has[lł]o|slapta[zž]od(?:is|į|žio)|salasana|"
    r"l[oö]senord|adgangskode|passord|wachtwoord|heslo|jelsz[oó]|parool|parole|пароль|api[ _\-]?(?:key|token|secret)|access[ _\-]?(?:key|token)|secret(?:[ _\-]?(?:key|access key|token))?|"
    r"kata sandi|mật khẩu|parol[aăe]|lozink[aeu]|šifra|şifre|geslo|парол[аьяію]|лозинка|lykilor[ðd]|κωδικ[όο]ς(?: πρόσβασης)?|συνθηματικό|كلمة (?:المرور|السر)|رمز عبور|סיסמה|ססמה|पासवर्ड|pass(?=\s+is\b)|p[/.]?w\.?(?=[\s:=])|kw(?=\s*[:=])|auth(?==)|(?:ww|mdp|sig|session|cookie)(?=\s*[:=])|"
    r"client[ _\-]?secret|auth(?:entication|orization)?[ _\-]?(?:token|key|code)|session[ _\-]?(?:id|token|key)|refresh[ _\-]?token|private[ _\-]?key|signing[ _\-]?key|encryption[ _\-]?key|"
    r"master[ _\-]?key|recovery[ _\-]?(?:code|key|phrase)|backup[ _\-]?code|seed[ _\-]?phrase|token|credentials?|security[ _\-]?(?:answer|code|word)|log-?in code|verification code|zugangscode|memorable word|(?:mother['’]?s )?maiden name|(?:geburts|mädchen)name (?:der|meiner) mutter|nom de jeune fille|(?:wlan|wi-?fi|netzwerk)[ \-]?(?:schl[uü]ssel|key|code)"
)
_SAYS = r"[\"'`*_]{0,3}\s*(?:\([^)\n]{0,30}\)\s*)?(?:[:=：＝»]|=>|->|→|\bis now\b|\bis\b|\bwas\b|\bto\b|\bist\b|\blautet\b|\best\b|\bes\b|\bè\b|\bto jest\b|\byra\b|\bär\b|\bер\b|\bé\b|\bon\b|\bje\b|\bto\b|\bir\b|\beste\b|\b[eє]\b)\s*:?\s*"
_NAMED = re.compile(
    rf"(?<![^\W_])(?:{_LABEL})s?{_SAYS}(?:[>|][+\-]?[ \t]*\n[ \t]*)?[\"'`“„«<]?([^\s\"'`”“»<>]{{3,300}})",
    re.IGNORECASE,
)
_JOINED = ("パスワード", "暗証番号", "密码", "密碼", "口令", "비밀번호", "암호", "รหัสผ่าน", "पासवर्ड")
"""Labels of writings without blanks between words."""
_QUOTED = re.compile(
    rf"(?<![^\W_])(?:{_LABEL})s?{_SAYS}(?:\"([^\"\n]{{3,100}})\"|(?<!\w)['‘]([^'’\n]{{3,100}})['’](?!\w)|[“„]([^“”\n]{{3,100}})[“”]|«([^»\n]{{3,100}})»)",
    re.IGNORECASE,
)
"""Several words in quotation marks behind a label."""
_MIXED = r"[\"'`“„«(|>]{0,2}((?=[^\s]*\d)(?=[^\s]*[^\W\d_])[^\s\"'`”“»|]{6,200})"
_BARE = re.compile(
    rf"(?:(?<![^\W_])(?:{_LABEL})(?:[^\W\d_]{{0,3}}[\W_]{{1,6}}(?:[^\W\d_]{{1,4}}[^\w\n]{{1,3}}){{0,2}})|(?:{'|'.join(_JOINED)})[はがも는은이가是คือ\W_]{{0,5}}){_MIXED}",
    re.IGNORECASE,
)
_NAMED_AFTER = re.compile(
    rf"{_MIXED}[\"'`”“»)]?\s+(?:is|was|ist|war|est|es|as|als)\s+(?:(?:my|our|the|her|his|their|mein|unser|das|mon|le|mi|la|a)\s+)?(?:{_LABEL})(?![^\W_])",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"\b(?:curl|wget|https?)\b[^\n]{0,200}?\s(?:-u|--user)[ =]?[^\s:]{1,60}:(\S{3,200})|\bsshpass\s+-p\s*(\S{3,200})|\bmysql\w*\b[^\n]{0,200}?\s-p([^\s-]\S{2,200})"
)
_CELLS = re.compile(r"[|;,\t]")
_NAMES_ONE = re.compile(rf"(?:{_LABEL}|{'|'.join(_JOINED)}|pass|pin|cvv2?|cvc2?|otp)s?", re.IGNORECASE)
_PHRASE = re.compile(
    r"(?:(?:seed|recovery|mnemonic|backup)[ _\-]?(?:phrase|words?)\s*(?:[:=]|is)|(?:pass[ _\-]?phrase|master[ _\-]?password)\s*[:=])\s*[\"'`]?((?:[^\W\d_]{2,12}[ ,\-]+){3,23}[^\W\d_]{2,12})",
    re.IGNORECASE,
)
_DIGITS = re.compile(
    r"(?<![^\W_])(?:pin|tan|otp|cvv2?|cvc2?|csc|one[ \-]?time (?:code|password)|2fa(?: code)?|mfa(?: code)?|sms[ \-]?code|(?:pass|gate|door|alarm|safe|tür|tor)[ \-]?code|(?:safe|lock) combination|einmal(?:code|passwort|kennwort)|(?:karten)?prüf(?:ziffer|nummer)|(?:bestätigungs|sicherheits)code)(?:[ \-]?(?:code|number|no\.?|nummer))?"
    r"(?:['’]s)?\s*(?:[:=]|is|ist|est|es|was|lautet)?\s*((?:\d[ \-]?){3,10})(?![\d])",
    re.IGNORECASE,
)
_NOT_IN_PHRASES = r"(?:the|and|for|are|was|has|had|not|but|from|have|were|been|our|his|her|its|who|how|which|with|been|their|them|these|those|would|could|should|does|did|where|while|than|because|each|into|is|der|die|das|und|ist|den|dem|ein|eine|von|mit|für|les|des|une|est|los|las|una|que|por|con|del)"
_SEED_WORD = rf"(?!{_NOT_IN_PHRASES}(?![^\W_]))[a-z]{{3,8}}"
_SEEDS = [
    re.compile(rf"(?<![^\W_]){_SEED_WORD}(?:{between}{_SEED_WORD}){{11,32}}(?![^\W_])")
    for between in (r"\s{1,3}", r"\s?[,;/|]\s?", r"[\s,;|]{0,3}\b\d\d?[.):]?\s?")
]
"""Words that open a wallet (BIP-39): small ones in a row, among them none of those that every sentence needs; with blanks, marks or numbers between them."""
_HEX_KEY = re.compile(r"(?<![A-Za-z0-9])0x[0-9a-f]{64}(?![A-Za-z0-9])", re.IGNORECASE)
_A_KEY = r"(?<![\w\-])([0-9a-f]{32}|[0-9a-f]{64}|[0-9A-F]{32}|[0-9A-F]{64}|(?=[A-Z]*[2-7])[A-Z2-7]{32,64})(?![\w\-])"
_KEY_WORD = r"(?<![^\W_])(?i:key|token|secret|schl[uü]ssel|cl[eé]|clave|chiave)(?![^\W_])"
_BESIDE = re.compile(rf"{_KEY_WORD}[^\n]{{0,16}}?{_A_KEY}|{_A_KEY}[^\n]{{1,12}}?{_KEY_WORD}")
"""A key in hexadecimal or base32, which are many other things too, beside a word that says so."""
_BASE32 = re.compile(r"(?<![\w\-])(?=[A-Z]*[2-7])(?=[2-7]*[A-Z])(?:[A-Z2-7]{8}){4,8}(?![\w\-])")
_LOGIN = re.compile(
    r"(?<![^\W_])(?:log-?in|(?:zugangs|anmelde|login)daten|identifiants?|acceso|credenciales)(?: data)?\s*[:=]\s*[^\s/|,;]{1,60}\s*[/|,;]\s*((?=\S*\d)(?=\S*[^\W\d_])\S{6,60})",
    re.IGNORECASE,
)
_LOGIN_WITH = re.compile(
    r"\b(?:log|sign)[ -]?(?:in|on)\s+(?:with|as|using)\s+(?:the\s+)?(?:user(?:[ -]?name)?|account|login)\s+[\"'`]?[^\s\"'`,;]{1,60}[\"'`]?(?:\s*[,/;]|\s+and|\s+with)"
    r"\s+[\"'`]?([^\s\"'`]{3,60})",
    re.IGNORECASE,
)
"""A user named, and what opens their account without a label of its own."""
_LOGIN_MIXED = re.compile(
    rf"\b(?:log|sign)[ -]?(?:in|on)\s+(?:with|as|using)\s+[^\s,;]{{1,60}}(?:\s*[,/;]|\s+and|\s+with)\s+{_MIXED}",
    re.IGNORECASE,
)
_ONE_TIME = r"(?:pin|tan|otp|one[ \-]?time (?:code|password)|2fa(?: code)?|mfa(?: code)?|sms[ \-]?code)(?:[ \-]?(?:code|number|no\.?|nummer))?"
_CODE_MIXED = re.compile(rf"(?<![^\W_]){_ONE_TIME}\s*(?:[:=]|is|ist|est|es|was)\s*{_MIXED}", re.IGNORECASE)
_SPELLED = re.compile(
    rf"(?<![^\W_])(?i:{_ONE_TIME}\s*(?:[:=]|is|ist|est|es|was))\s*[\"'`]?([A-Z0-9]{{3,12}}|(?:[A-Z0-9][ \-]){{2,11}}[A-Z0-9]|(?=[A-Z \-]*\d)[A-Z0-9]{{1,4}}(?:[ \-][A-Z0-9]{{1,4}}){{1,4}}|[A-Z0-9]{{1,4}}(?:-[A-Z0-9]{{1,4}}){{1,5}})(?![^\W_])"
)
"""A code of capital letters, for which a label is needed: other words are written so too."""
_LABELLED = (
    _QUOTED,
    _PHRASE,
    _IN_ADDRESS,
    _BEARER,
    _LOGIN,
    _LOGIN_WITH,
    _LOGIN_MIXED,
    _CODE_MIXED,
    _SPELLED,
    _NAMED,
    _BARE,
    _NAMED_AFTER,
)
_NATO = (
    "alfa|alpha|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|"
    "whisk(?:e)?y|x[ -]?ray|yankee|zulu"
)
_NATO_WORDS = re.compile(
    rf"(?<![^\W_])(?:{_NATO})(?:[\s,.;/\-–]{{1,3}}(?:{_NATO}|\d)(?![^\W_])){{3,60}}", re.IGNORECASE
)
"""Letters spelled by the alphabet of radio operators, as codes are read out; three may be somebody's name."""
_HASH_NEAR = re.compile(r"(?:tx|transaction|hash|block|topic|root|digest|sha)[^\n]{0,24}$", re.IGNORECASE)
_TYPED = re.compile(r"(?<![^\s\"'`(,;:=])[!-~]{10,64}(?![^\s])")
_PREFIXED = re.compile(
    r"[a-z]{2,6}_(?=[A-Za-z0-9]+$)"
)  # an id: `ch_…`; keys of services have their own forms
_RANDOM = re.compile(r"(?<![A-Za-z0-9+/_\-=.@])[A-Za-z0-9+/_\-]{32,2000}={0,2}(?![A-Za-z0-9+/_\-])")
_ORDINARY = frozenset(
    [
        "wrong",
        "not",
        "expired",
        "incorrect",
        "lost",
        "forgotten",
        "the",
        "a",
        "an",
        "my",
        "your",
        "our",
        "his",
        "her",
        "their",
        "required",
        "needed",
        "too",
        "invalid",
        "no",
        "being",
        "weak",
        "missing",
        "correct",
        "reset",
        "changed",
        "blocked",
        "locked",
        "unknown",
        "same",
        "old",
        "new",
        "working",
        "always",
        "never",
        "still",
        "also",
        "already",
        "sent",
        "stored",
        "kept",
        "protected",
        "secure",
        "safe",
        "stolen",
        "known",
        "used",
        "gone",
        "and",
        "or",
        "but",
        "for",
        "with",
        "from",
        "that",
        "this",
        "it",
        "in",
        "on",
        "at",
        "by",
        "please",
        "again",
        "then",
        "nicht",
        "falsch",
        "abgelaufen",
        "vergessen",
        "gesperrt",
        "das",
        "der",
        "die",
        "mein",
        "sie",
    ]
)
_HINT = re.compile(
    r"(?<![^\W\d_])(?:pass|ps?w|p/w|kennw|losung|contrase|clave|mot|paroo?l|senha|palavra|has[lł]o|slapta|salasana|l[oö]senord|adgang|wachtw|heslo|jelsz|парол|лозин|api|access|secret|client|auth|session|refresh|private|"
    r"sign|encrypt|master|recovery|backup|seed|mnemonic|token|credential|security|log|verification|zugang|(?:mother['’]?s )?maiden|geburtsn|mädchenn|nom de|einmal|prüf|kartenprüf|bestätig|sicherheits|gate|door|alarm|safe|lock|tür|tor|p\.w|kw|anmelde|identifiant|acceso|memorable|pin|tan|otp|cvv|cvc|csc|one|fa|mfa|sms|bearer|basic|digest|kata|mật|lozin|šifra|şifre|geslo|lykil|"
    rf"κωδικ|συνθημ|كلمة|رمز|סיסמה|ססמה|ww|mdp|sig|cookie|wlan|wi-?fi|netzw|curl|wget|https?|mysql)|sshpass|{'|'.join(_JOINED)}",
    re.IGNORECASE,
)
"""How labels of secrets begin; a text without any of them is not searched further."""
_NAME_PARTS = re.compile(r"[\s_\-.]+|(?<=[a-z])(?=[A-Z])")


def secrets(text: str) -> Iterator[Found]:
    """All secrets in the text, longest first."""
    if "PRIVATE KEY" in text:
        yield from (_as_found(match, 0) for match in _BLOCK.finditer(text))
    yield from (_as_found(match, 0) for match in _KNOWN.finditer(text))
    plain = contact_details.readable(text)
    for read in dict.fromkeys((text, plain, plain.translate(LOOKALIKES))):
        if "://" in read or _HINT.search(read):
            yield from (
                found._replace(text=text[found.start : found.end]) for found in _labelled_secrets(read)
            )
    yield from _phrases(text)
    yield from (_as_found(match, 0) for match in _NATO_WORDS.finditer(text))
    yield from (
        _as_found(match, 0)
        for match in _HEX_KEY.finditer(text)
        if not _HASH_NEAR.search(text, max(0, match.start() - 40), match.start())
    )
    yield from (
        _trimmed(_as_found(match, 0))
        for match in _TYPED.finditer(text)
        if _is_typed(match[0].rstrip(".,;:)"))
    )
    if any(len(word) >= LEAST_RANDOM for word in text.split()):
        yield from (_as_found(match, 0) for match in _RANDOM.finditer(text) if _is_random(match[0]))
        yield from (_as_found(match, match.lastindex or 0) for match in _BESIDE.finditer(text))
        yield from (_as_found(match, 0) for match in _BASE32.finditer(text))


def _labelled_secrets(text: str) -> Iterator[Found]:
    """The text after a label."""
    yield from _in_table(text)
    yield from (_as_found(match, match.lastindex or 0) for match in _COMMAND.finditer(text))
    for pattern in _LABELLED:
        for match in pattern.finditer(text):
            secret = _as_found(match, match.lastindex or 0)
            word = secret.text.strip(".,;:!?)(").casefold()
            if word and word not in _ORDINARY and not word.startswith("[removed"):
                yield _trimmed(secret)
    for match in _DIGITS.finditer(text):
        yield _trimmed(_as_found(match, 1))


def _phrases(text: str) -> Iterator[Found]:
    """Words that open a wallet, one behind the other, or listed in the number that such a wallet has."""
    for pattern in _SEEDS:
        for match in pattern.finditer(text):
            words = re.findall("[a-z]+", match[0])
            if 3 * len(set(words)) >= 2 * len(words) and (
                pattern is _SEEDS[0] or any(len(words) - more in PHRASES for more in range(3))
            ):
                yield _as_found(match, 0)


def _is_typed(word: str) -> bool:
    """Whether a word without a label is a password or a code: small and capital letters, digits and signs that no other word has together."""
    address = "://" in word or ("@" in word.rstrip("@") and "." in word.partition("@")[2])
    if address or _PREFIXED.match(word) or word.lower() == word or word.upper() == word:
        return False
    kinds = ["a" if s.islower() else "A" if s.isupper() else "0" if s.isdigit() else "" for s in word]
    if any(sign in "!#$%^&*?@~+" for sign in word[1:-1]) and "0" in kinds:
        return not re.search(r"[/\\(){}\[\]<>|=]", word)
    signs = [kind for kind in kinds if kind]
    turns = sum(left != right for left, right in pairwise(signs))
    return (
        len(signs) >= 14
        and signs.count("0") >= 2
        and turns * 2 >= len(signs)
        and re.fullmatch(r"[A-Za-z0-9\-_]+", word) is not None
    )


def names_one(name: str) -> bool:
    """Whether a field, a key or a column of this name holds a secret: `password`, `api_key`, `Kennwort`."""
    return _NAMES_ONE.fullmatch(" ".join(_NAME_PARTS.split(name.strip()))) is not None


def _in_table(text: str) -> Iterator[Found]:
    """The cells beneath a heading that names a secret, in lines with as many separators as the heading."""
    at, columns, width = 0, frozenset[int](), 0
    for line in text.splitlines(keepends=True):
        cells = _CELLS.split(line.rstrip("\r\n"))
        heading = frozenset(
            place for place, cell in enumerate(cells) if len(cells) > 1 and names_one(cell.strip(" \"'"))
        )
        if heading or abs(len(cells) - width) > 1 or len(cells) <= max(columns, default=0):
            columns, width = heading, len(cells)
            at += len(line)
            continue
        for place in columns:
            begin = at + sum(len(cell) + 1 for cell in cells[:place])
            if any(sign.isalnum() for sign in cells[place]):
                yield _trimmed(Found(begin, begin + len(cells[place]), "secret", cells[place]))
        at += len(line)


def _trimmed(secret: Found) -> Found:
    """Without the marks of the sentence that it ends."""
    text = secret.text.rstrip().rstrip(".,;:)") or secret.text
    return secret._replace(end=secret.start + len(text), text=text)


def _as_found(match: re.Match[str], group: int) -> Found:
    return Found(match.start(group), match.end(group), "secret", match[group])


def _is_random(word: str) -> bool:
    """Whether no person wrote it: small and capital letters and digits in no order. Plain hexadecimal is a hash or an id, and so is what consists of short parts."""
    signs = word.rstrip("=")
    kinds = (
        any(s.islower() for s in signs),
        any(s.isupper() for s in signs),
        sum(s.isdigit() for s in signs) >= 2,
    )
    if not all(kinds) or max(len(part) for part in re.split(r"[_\-/+]", signs)) < 16:
        return False
    count = Counter(signs)
    return -sum(n / len(signs) * math.log2(n / len(signs)) for n in count.values()) >= LEAST_BITS
