"""What a new workflow begins from: templates found by words, a copy whose names are mapped to what is here, and what is missing told as problems."""

from dataclasses import replace
from typing import Any

from console import builder, workflows
from console.builder.new_workflows import alike, fitted
from tests.company import Company
from tests.support.contact_club import found_club

NAMES: dict[str, Any] = {
    "collections": [
        {"id": "client", "label": "Customers", "fields": [{"name": "riskClass", "label": "Risk class", "type": "text"}], "relations": [], "segments": []}
    ],
    "actions": [], "roles": ["operator"], "teams": [{"id": "operations", "name": "Operations"}], "inboxes": [{"id": "compliance_desk", "title": "Compliance"}],
}  # fmt: skip


def test_names_that_are_nearly_the_same_are_mapped_and_others_stay() -> None:
    document = {
        "slug": "x", "title": "About customer", "collection": "customer",
        "steps": [
            {"id": "rate", "type": "update_data", "title": "customer", "roles": ["operators", "wizard"], "config": {"fields": ["risk_class", "other"]}, "next": {}},
            {"id": "up", "type": "escalate", "title": "Up", "config": {"inbox": "compliance-desk", "text": "{{ record.risk_class }} of my record.risk_class"}, "next": {}},
            {"id": "ask", "type": "update_data", "title": "Ask", "config": {"form": [{"name": "risk_klass", "type": "text"}], "options": [{"fields": ["risk_klass"]}]}, "next": {}},
            {"id": "others", "type": "load_related", "title": "Others", "config": {"items": {"collection": "ticket", "fields": ["risk_class"], "where": "record.risk_class > 1"}}, "next": {}},
            {"id": "pay", "type": "trigger_action", "title": "Pay", "config": {"action": "charge.refund"}, "next": {}},
        ],
    }  # fmt: skip
    made, pairs = fitted(document, NAMES)
    assert dict(pairs) == {"customer": "client", "operators": "operator", "compliance-desk": "compliance_desk", "risk_class": "riskClass"}
    assert (made["title"], made["collection"]) == ("About customer", "client")
    rate, up, *kept, pay = made["steps"]
    assert kept == document["steps"][2:4]
    assert (rate["title"], rate["roles"], rate["config"]["fields"]) == ("customer", ["operator", "wizard"], ["riskClass", "other"])
    assert up["config"]["inbox"] == "compliance_desk"
    assert up["config"]["text"].startswith("{{ record.riskClass }}")
    assert pay["config"]["action"] == "charge.refund"
    assert alike("team", {"teams": "Teams", "teamz": "x"}) == "teams"
    assert alike("none", {}) == "none"
    here = {**NAMES, "collections": [{"id": "customer", "label": "Customers", "fields": NAMES["collections"][0]["fields"]}]}
    assert "risk_class" not in dict(fitted(document, here)[1])


DESCRIPTIONS = (
    ("a refund above 500 needs a second person", "customer-refund"),
    ("when a customer asks for their money back, check it and pay it out", "customer-refund"),
    ("pay back a customer whose parcel never arrived, a lead signs off above 200", "customer-refund"),
    ("Der Kunde reklamiert eine Abbuchung, wir prüfen und erstatten", "customer-refund"),
    ("Gutschrift statt Rückzahlung anbieten", "customer-refund"),
    ("onboard a new supplier with contract and bank details", "supplier-onboarding"),
    ("Neuen Lieferanten aufnehmen: Unterlagen, Vertrag, Bankdaten", "supplier-onboarding"),
    ("Ein Lieferant ändert seine Bankverbindung", "supplier-bank-change"),
    ("our vendor wants to be paid to another account", "supplier-bank-change"),
    ("greet everyone who signs up with a text message", "welcome"),
    ("Neue Kontakte begrüßen, per SMS oder E-Mail", "welcome"),
    ("Willkommensnachricht nach der Anmeldung", "welcome"),
    ("phone prospects until someone is interested", "lead-nurture"),
    ("Interessenten bis zu dreimal anrufen", "lead-nurture"),
    ("write to customers who have not bought anything for three months", "re-engage"),
    ("Inaktive Kontakte mit einer E-Mail zurückgewinnen", "re-engage"),
    ("check the identity of a new client and their owners against sanctions lists", "kyc-review"),
    ("KYC für Firmenkunden", "kyc-review"),
    ("Bestandskunden regelmäßig erneut prüfen", "kyc-rereview"),
    ("an employee reports suspected money laundering in confidence", "suspicion-report"),
    ("Hinweis auf Betrug, den nur der Geldwäschebeauftragte sieht", "suspicion-report"),
    ("remind the team when a refund request is not answered within a day", "refund-sla"),
    ("Erinnerung, wenn eine Erstattung zu lange offen ist", "refund-sla"),
    ("flag vendors without a valid VAT number overnight", "nightly-suppliers"),
    ("Jede Nacht Ausweise suchen, die bald ablaufen", "nightly-check"),
    ("every night find contacts whose time zone we do not know", "nightly-contacts"),
    ("Every refund over 500 euros must be signed off by a second manager before it is paid", "customer-refund"),
    ("Eine Erstattung über 500 Euro braucht eine zweite Person", "customer-refund"),
    ("Kunde beschwert sich über falsche Abbuchung", "customer-refund"),
    ("A supplier sends a new IBAN, call them back before we change it", "supplier-bank-change"),
    ("Wenn ein neuer Lieferant anfängt, brauchen wir Handelsregisterauszug, Bankdaten und einen Vertrag", "supplier-onboarding"),
    ("Leads anrufen, nach zwei Tagen nochmal, nach drei Versuchen aufgeben", "lead-nurture"),
    ("Kunden, die seit 90 Tagen nichts gekauft haben, anschreiben", "re-engage"),
    ("Documents that expire within 30 days should be found and requested again", "nightly-check"),
    ("Rembourser un client après une réclamation, avec l'accord d'un responsable", "customer-refund"),
    ("Accueillir les nouveaux inscrits avec un message", "welcome"),
    ("Comprobar la identidad de un nuevo cliente", "kyc-review"),
    ("Dar de alta a un proveedor", "supplier-onboarding"),
    ("klant terugbetalen na klacht", "customer-refund"),
    ("nieuwe leverancier aanmelden", "supplier-onboarding"),
    ("If a cardholder says the parcel was damaged we send part of the amount back", "customer-refund"),
    ("A merchant partner tells us their account number has changed, make sure it's really them", "supplier-bank-change"),
    ("We switch bank details of a vendor only after phoning them", "supplier-bank-change"),
    ("New vendors need a signed agreement before the first invoice", "supplier-onboarding"),
    ("Find insurances of our suppliers that run out next month", "nightly-suppliers"),
    ("Neukunden müssen sich ausweisen, bevor das Konto freigeschaltet wird", "kyc-review"),
    ("Ehemalige Käufer wieder anschreiben", "re-engage"),
    ("Verdächtige Zahlungen vertraulich an die Meldestelle geben", "suspicion-report"),
    ("Un fournisseur change de RIB, on le rappelle avant de payer", "supplier-bank-change"),
    ("Ajouter un nouveau fournisseur avec son contrat et son assurance", "supplier-onboarding"),
    ("Relancer les clients qui n'ont rien acheté depuis trois mois", "re-engage"),
    ("El proveedor quiere cobrar en otra cuenta bancaria", "supplier-bank-change"),
    ("Un empleado sospecha de blanqueo de dinero", "suspicion-report"),
    ("Llamar a los interesados hasta que contesten", "lead-nurture"),
    ("Leverancier geeft een nieuw rekeningnummer door", "supplier-bank-change"),
    ("Elke nacht controleren welke paspoorten binnenkort verlopen", "nightly-check"),
    ("Klanten die lang niets gekocht hebben een mail sturen", "re-engage"),
    ("Terugbetaling die al een dag open staat: herinner het team", "refund-sla"),
)
"""What people write, and the template that is chosen for them."""
OF_NONE = (
    "every night list overdue invoices",
    "book a meeting room for the board",
    "Urlaubsantrag eines Mitarbeiters genehmigen",
    "approve purchase orders over 10,000 euros",
    "every morning send the sales figures to the board",
    "Reisekosten abrechnen",
    "water the plants every friday",
    "daily backup report",
    "Customer moved house, change the address",
    "Adressänderung eines Kunden bearbeiten",
    "phone numbers missing at contacts",
    "arroser les plantes du bureau",
    "approuver les congés d'un employé",
    "regar las plantas",
    "Kundenzufriedenheit jedes Quartal abfragen",
    "Rechnung eines Kunden stornieren und neu ausstellen",
    "commander de nouvelles fournitures de bureau",
    "Actualizar la dirección de un cliente",
    "Nieuwe laptop bestellen voor een medewerker",
)
"""What no template does: where one is alike only in when or by whom it is done, none is chosen."""


def test_plain_descriptions_in_five_languages_choose_the_template_that_does_that_work(company: Company) -> None:
    offered = [each for each in builder.beginnings(company.mona) if not each.own]
    chosen = {words: builder.nearest(offered, words)[0].id for words, _ in DESCRIPTIONS if builder.fits(offered, words)}
    assert chosen == dict(DESCRIPTIONS)
    assert [words for words in OF_NONE if builder.fits(offered, words)] == []


def test_what_a_template_has_nothing_of_is_told_as_it_was_written(company: Company) -> None:
    refund = next(each for each in builder.beginnings(company.mona) if each.id == "customer-refund")
    wanted = "Eine Erstattung über 500 Euro braucht eine zweite Person, danach begrüßen wir sie"
    assert builder.left_out(refund, wanted) == ["500", "zweite", "begrüßen"]


def test_a_template_becomes_a_draft_that_says_what_is_missing(company: Company) -> None:
    offered = builder.beginnings(company.mona)
    assert {each.id for each in offered if not each.own} == {each.id for each in workflows.templates()}
    assert [each.id for each in offered if each.own] == ["own:care-review"]
    assert all(each.sentence and len(each.picture.boxes) == each.steps for each in offered if not each.own)
    lacking = {each.id: each.lacks for each in offered}
    assert (lacking["kyc-review"], lacking["customer-refund"], lacking["own:care-review"]) == ("", "Charge", "")
    assert (lacking["nightly-contacts"], lacking["nightly-suppliers"]) == (
        "Contact",
        "Supplier document",
    )  # about no record, and they read some
    assert [bool(each.lacks) for each in offered] == sorted(bool(each.lacks) for each in offered)
    assert builder.nearest(offered, "pay a customer's charge back as a refund")[0].id == "customer-refund"
    assert builder.nearest(offered, "KYC review of a customer")[0].id == "kyc-review"
    for words, wanted in (
        ("When a candidate applies, HR screens them, two interviewers score them and a manager makes the offer", "supplier-onboarding"),
        ("A loan application: check income and credit score, the underwriter decides", "kyc-review"),
        ("A user reports a post: a moderator looks at it, removes it or keeps it", "suspicion-report"),
        ("We stop working with a vendor: revoke access, settle open invoices", "supplier-onboarding"),
    ):
        assert builder.nearest(offered, words)[0].id == wanted, words
    assert builder.nearest(offered, "zymurgy quokka") == []
    made, _ = builder.begin(company.mona, "Refunds", description="Ours.", team=None, beginning="customer-refund")
    draft = workflows.open_draft(company.mona, made.id)
    assert (draft.document["title"], draft.document["description"], draft.team) == ("Refunds", "Ours.", "operations")
    assert any("charge" in each.reason for each in workflows.problems(draft))
    copy, _ = builder.begin(company.mona, "Again", description="", team=None, beginning="own:care-review")
    assert (
        workflows.open_draft(company.mona, copy.id).document["steps"] == workflows.open_draft(company.mona, "care-review").document["steps"]
    )
    assert not [each for each in builder.beginnings(company.stan) if each.own]


FAR = (
    "hospital: discharge a patient when bed manager and doctor agree, then order transport",
    "logistics: a lorry is late, tell the customer and plan a new slot at the dock",
    "school: a parent asks for leave for a child, the head teacher approves",
    "city office: somebody applies for a parking permit, check papers, then a decision by letter",
    "insurance claim for a stolen bicycle, above 1000 a second person decides",
    "landlord: heating is broken, find a plumber and remind him after two days",
    "zoo: feed the penguins",
)
NEAR = (
    "pay a refund on a charge",
    "check the documents of a new supplier before the contract",
    "a supplier sends new bank details, call back and two people approve",
    "welcome new contacts with a message and call after two days",
)


def test_a_template_of_another_trade_is_offered_and_not_chosen(company: Company) -> None:
    offered = builder.beginnings(company.mona)
    assert [words for words in FAR if builder.fits(offered, words)] == []
    assert [words for words in NEAR if not builder.fits(offered, words)] == []


def test_drafts_of_ones_own_do_not_crowd_out_the_templates(company: Company) -> None:
    words = "pay a customer's charge back as a refund"
    before = [each.id for each in builder.nearest(builder.beginnings(company.mona), words)]
    for number in range(4):
        builder.begin(company.mona, f"Refund a charge {number}", description=words, team=None, beginning="customer-refund")
    offered = builder.beginnings(company.mona)
    assert [each.draft for each in offered if each.own] == [False, True, True, True, True], "Care review is published"
    assert [each.id for each in builder.nearest(offered, words)] == before
    assert builder.fits(offered, words)
    live = [replace(each, draft=False) for each in offered]
    assert len([each for each in builder.nearest(live, words) if each.own]) == 1
    assert "customer-refund" in [each.id for each in builder.nearest(live, words)]


def test_a_chosen_collection_of_contacts_takes_the_place_of_the_templates_own(company: Company) -> None:
    found_club(company)
    made, _ = builder.begin(company.mona, "Welcome", description="", team="operations", beginning="welcome", collection="contact")
    document = workflows.open_draft(company.mona, made.slug).document
    assert document["collection"] == "contact"
    assert {trigger.get("collection") for trigger in document["triggers"]} <= {None, "contact"}
    columns = "{{ record.name }} {{ record.phone }} {{ steps.x.name }} {{ record.other }}"  # also in the title of a task
    raw = {
        "slug": "x",
        "title": "X",
        "collection": "there",
        "steps": [{"id": "say", "type": "sms", "config": {"text": columns, "title": columns}}],
    }
    names = {**NAMES, "collections": [{"id": "here", "label": "Here", "fields": [], "relations": [], "segments": []}]}
    changed, pairs = fitted(raw, names, "here", {"name": "full_name", "phone": "mobile"})
    assert (
        changed["steps"][0]["config"]["text"]
        == changed["steps"][0]["config"]["title"]
        == "{{ record.full_name }} {{ record.mobile }} {{ steps.x.name }} {{ record.other }}"
    )
    assert ("name", "full_name") in pairs
