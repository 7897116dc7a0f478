"""Which beginnings are near to a description in words, English, German, French, Spanish or Dutch: by the same words, and by words that stand for the same thing.

A word of MATTERS says what the work is about, one of MANNERS only when or by whom it is done: nothing is near by its manner alone.
"""

import functools
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence

SAME = 85.0
"""From this likeness (of 100) two words are the same one in another form."""
OF_ITS_KIND = 0.7
"""What a word counts that stands for the same thing."""
PARTS = (1.0, 0.6, 0.3)
"""What a word counts in the title, in the first sentence, and in the rest with the titles of the steps; there only the word itself counts."""
UNKNOWN = 0.35
"""What a word counts, of the rarest, that no beginning has: it may say nothing, or that none of them fits."""
AIMLESS = 0.4
"""What remains of the likeness where only the manner is alike, or a single word that the title does not mean."""
NAMED = (1.4, 1.7)
"""What it grows by where one word, or more, means what the title means."""
_STOPS = (
    "aber about above after afterwards all alle als also and any are auch auf aus back been before bei bis brauchen braucht but change changes can damit "
    "danach dann das dass day days dem den der des die drei each ein eine einem einen einer eines else erst euro euros ever every everybody everyone falls "
    "for from fur gibt haben had has hat have hello her his hour hours how ich ihm ihr immer into ist its jede jedem jeden jeder just kann let like look "
    "make mal mehr mit month months more muss must nach need needs neu new nicht noch not nur oder off ohne once one only our out over own people per "
    "person please said say says see sein seine send she should sich sie sind sobald soll sollen some somebody someone someth start stunden suchen tag tage "
    "tagen take than that the their them then there they thing this three time times two uber und uns unser until vom von vor want was way week weeks wenn "
    "wer werden were what when where whether which who wie will wir wird with without work workflow would yes you your zum zur zwei neue neuen neuer neues "
    "avec apres aux chaque dans des dont elle entre les leur nous nouveau nouveaux nouvel nouvelle par pas plus pour puis quand que qui sans ses son sont "
    "sur tous tout une antes cada como con cuando del despues desde ella esta las los mas nueva nuevas nuevo nuevos para pero por sin sobre una uno als bij "
    "dan dat deze een eerst elke het hun iedere maar met naar niet nieuw nieuwe nog onze ook tot van veel voor waar wordt zijn give gives get gets got "
    "can't cannot nobody anyone today tomorrow tonight yesterday next last minute minutes really tell tells under via minuten woche wochen monat monate "
    "monaten jahre jahren kommt kam bekommt bekommen muessen mussen mochte wollen bevor nachdem jemand niemand unsere unserem unseren wurde worden hatte "
    "keine kein jedes welche welcher innerhalb bald heute gestern ont rien depuis trois deux cinq mois etre veut veulent doit doivent peut faut fait nos "
    "notre votre leurs cette ces avant pendant jour jours semaine semaines heure heures dessus dessous jamais toujours quelqu nuestro nuestra nuestros "
    "hasta quiere quieren debe deben hay tiene tienen ser dia dias semana semanas mes meses hora horas minutos dos tres otra otro todos todas cuyo alguien "
    "nadie moet moeten wil willen heeft hebben geeft door boven onder binnen wij iemand dag dagen weken maand maanden uur uren twee drie nooit altijd zodra "
    "welke binnenkort voordat nadat"
)
STOP_WORDS = frozenset(_STOPS.split())
MATTERS = (
    "supplier vendor kreditor liefer fournisseur proveedor leverancier | contractor partner manufacturer procurement purchase merchant dienstleister einkauf prestataire contratista inkoop",
    "refund reimburse repay chargeback erstatt ruckzahl rembours reembols devol terugbetal | return complaint dispute claim exchange parcel goods item ruckgabe damag reklam umtausch retour zuruck terug kaputt beschadig abbuchung beschwer reclam endommag klacht kapot",
    "bank banc iban | account konto compte cuenta rekening rib",
    "| payment pay money transfer payout charge credit geld bezahl zahlung auszahl uberweis gutschrift paiement argent virement dinero pago cobr betaling betal",
    "onboard aufnehm aufnahme aanmeld alta | offboard hire hiring candidate applicant applies recruit tender contract agreement access leave einstell bewerb vertrag contrat embauch candidat hinzufug ajout anadir agreg toevoeg",
    "kyc | identity verif screen sanction underwrit loan mortgage application diligence owner identit identidad legitim ausweis beneficiair beneficiari sanktion sancion sanctie kredit",
    "review | assess prufung prufen bewert evalu examin revis beoordel",
    "erneut | periodi regular re- regelmassig bestand wiederhol opnieuw",
    "risk risiko risque riesgo risico |",
    "| customer cardholder shopper kund kunde client klant patient tenant student borrower mandant",
    "lead prospect interesse interesad | interested quote angebot",
    "call ring dial anruf appel llamar llamada bellen opbel | phone telefon telephon",
    "| contact kontakt",
    "welcome greet begruss willkommen accueil bienven begroet welkom | signed inscri signup sign-up regist joined anmeld",
    "engagement | inactive silent dormant lapsed bought buying gekauft heard churn cancel quiet subscriber subscription discount gemeldet still inaktiv inactif inactiv inactie abgewandert stopped former ehemalig ancien voormalig relanc reactiv achet comprad gekocht winback win-back",
    "suspicion suspect verdacht soupcon sospech | confiden fraud abuse whistleblow moderat launder breach harassment report vertraulich geldwasch betrug melden meldung blanchi blanqueo witwas vermoed fraude",
    "| email e-mail mail sms message text newsletter letter write nachricht schreib anschreib mensaje bericht courriel correo",
    "insurance versicherung assurance seguro verzeker | certificat zertifikat certifica",
    "document dokument unterlagen papier paper papeles | identity passport licence ausweis passeport pasaporte paspoort",
    "expir ablauf abgelauf caduc vence verloop verlop |",
    "zone zeitzone fuseau tijdzone |",
    "ticket | request answer unanswered anfrage beantwort antwort demande solicitud verzoek aanvraag respuesta antwoord",
)
"""Words of many trades, each line for one thing, before the bar those that mean the same wherever they are written.

A word belongs to a line where it begins with an entry, or has one of five letters within it.
"""
MANNERS = (
    "| check control kontroll",
    "| yearly annual quarter jahr quartal annuel trimest anual jaarlijk kwartaal",
    "| overdue due nightly night daily weekly monday friday schedule morning evening nacht nachts taglich wochentlich montag freitag morgen abend nuit matin noche diari dagelijks ochtend wekelijks",
    "| reminder remind escalat deadline late waiting erinner mahn frist uberfallig verspat rappel recordator recordar herinner",
    "| approve approval agree authorise authorize consent second manager freigabe freigeb genehmig zustimm zweit approuv deuxieme aprobar aprueb segund goedkeur akkoord tweede",
)


def words(text: str) -> tuple[str, ...]:
    """The words that say something, each once, small and without accents."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(each))
    return tuple(dict.fromkeys(word for word in re.findall(r"[^\W\d_][\w-]{2,}", plain) if word not in STOP_WORDS))


def left_out(wanted: str, parts: Sequence[str]) -> list[str]:
    """The words and figures of what is wanted, as they were written, that the title, description and titles of steps have nothing of."""
    texts, whole = [words(part) for part in parts], " ".join(parts)
    said = re.findall(r"\w+(?:[.,'-]\w+)*", wanted)
    missing = [
        each for each in said if (each[0].isdigit() and each not in whole) or any(not _nearness(word, texts) for word in words(each))
    ]
    return list(dict.fromkeys(missing))


def likeness(wanted: str, offered: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Name → how near it is to what is wanted, of 100. `offered`: name → its title, description and titles of steps. A word that most have tells little."""
    texts = {name: [words(part) for part in parts] for name, parts in offered.items()}
    scores, named, near_to = dict.fromkeys(offered, 0.0), dict.fromkeys(offered, 0), {name: [0.0, 0.0] for name in offered}
    rarest, total = math.log(1 + len(offered)), 0.0
    for word in words(wanted):
        found = {name: near for name, parts in texts.items() if (near := _nearness(word, parts))}
        weight = rarest - math.log(len(found)) if found else rarest * UNKNOWN
        total += weight
        for name, near in found.items():
            scores[name] += 100 * weight * near
            if not _kinds(word) or min(_kinds(word)) < len(MATTERS):
                near_to[name] = sorted([*near_to[name], near])[-2:]
                named[name] += any(_meanings(word) & _meanings(other) for other in texts[name][0])
    return {name: score / total * _aim(named[name], *near_to[name]) if score else 0.0 for name, score in scores.items()}


def _aim(named: int, second: float, nearest: float) -> float:
    """What the likeness counts where so many words mean what the title means, and the two nearest words of the matter are so near."""
    if named:
        return NAMED[min(named, len(NAMED)) - 1]
    if not second:
        return AIMLESS
    return 1.0 if nearest > PARTS[1] else OF_ITS_KIND if nearest > PARTS[2] else AIMLESS


def _nearness(word: str, parts: Sequence[Sequence[str]]) -> float:
    """How near the word is to the nearest one of the text, at most 1."""
    from rapidfuzz import fuzz, process  # of those who begin a workflow: most processes never do

    best = 0.0
    for weight, part in zip(PARTS, parts, strict=True):
        same = process.extractOne(word, part, scorer=fuzz.ratio, score_cutoff=SAME) or any(
            _meanings(word) & _meanings(other) for other in part
        )
        kind = OF_ITS_KIND if not same and weight > PARTS[-1] and any(_kinds(word) & _kinds(other) for other in part) else 0.0
        best = max(best, weight * (1.0 if same else kind))
    return best


def _kinds(word: str) -> frozenset[int]:
    """The numbers of the lines that the word belongs to."""
    return frozenset(number for number, _ in _entries(word))


def _meanings(word: str) -> frozenset[int]:
    """The numbers of the lines whose thing the word means."""
    return frozenset(number for number, means in _entries(word) if means)


@functools.lru_cache(maxsize=4096)
def _entries(word: str) -> frozenset[tuple[int, bool]]:
    """(line, whether the entry stands before its bar) of each entry that the word goes by."""
    return frozenset(
        (number, means)
        for number, line in enumerate(MATTERS + MANNERS)
        for means, part in zip((True, False), line.split("|"), strict=False)
        for entry in part.split()
        if (word.startswith(entry) if len(entry) < 5 else entry in word)
    )
