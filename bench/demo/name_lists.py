"""Given names, family names, towns and streets by country, from which made-up people and companies are put together."""

from dataclasses import dataclass
from random import Random

from console.demo.paper_numbers import transliterate


@dataclass(frozen=True, slots=True)
class Pool:
    """What a country lends to names and addresses; `language` is what its customers write in."""

    given: tuple[str, ...]
    family: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    language: str
    legal_form: str


def _pool(given: str, family: str, towns: str, streets: str, language: str, legal_form: str) -> Pool:
    """Texts with `|` between items; a town is `name postcode`."""
    places = tuple(
        (town.rsplit(" ", 1)[0], town.rsplit(" ", 1)[1].replace("_", " ")) for town in towns.split("|")
    )
    return Pool(
        tuple(given.split("|")),
        tuple(family.split("|")),
        places,
        tuple(streets.split("|")),
        language,
        legal_form,
    )


_ENGLISH_GIVEN = "Aoife|Ciara|Conor|Declan|Eoin|Fiona|Grace|Hannah|Isla|Jack|Liam|Maeve|Nora|Oscar|Ruth|Sean|Tara|Una|William|Zara"
_SPANISH_GIVEN = (
    "Alba|Álvaro|Beatriz|Carlos|Elena|Hugo|Inés|Javier|Lucía|Marta|Nuria|Pablo|Rocío|Sergio|Teresa"
)
_ARABIC_GIVEN = "Amal|Bassam|Dalia|Fadi|Hana|Karim|Layla|Nadim|Rania|Samir|Yara|Ziad"

POOLS: dict[str, Pool] = {
    "LT": _pool(
        "Aistė|Andrius|Austėja|Darius|Eglė|Gabija|Ieva|Jonas|Justinas|Karolina|Lukas|Mantas|Milda|Rasa|Rokas|Saulė|Tomas|Ugnė|Vilius|Žygimantas",
        "Balčiūnas|Butkus|Dambrauskas|Gintautas|Jankauskas|Kairys|Kazlauskas|Lapinskas|Mockus|Navickas|Paulauskas|Petraitis|Rimkus|Šimkus|Stankevičius|Urbonas|Vaitkus|Žukauskas",
        "Vilnius LT-01103|Kaunas LT-44280|Klaipėda LT-91234|Šiauliai LT-76291|Panevėžys LT-35183",
        "Gedimino pr.|Pilies g.|Žirmūnų g.|Laisvės al.|Taikos pr.|Vilniaus g.",
        "lt",
        "UAB",
    ),
    "NL": _pool(
        "Anouk|Bas|Daan|Eva|Femke|Floor|Jasper|Joris|Lieke|Lotte|Maarten|Noor|Pieter|Roos|Sanne|Sven|Thijs|Wouter",
        "Bakker|van den Bosch|de Boer|Dekker|Hendriks|Jansen|de Jong|Kuipers|van Leeuwen|Meijer|Mulder|Peters|Smit|Verhoeven|Visser|Vos|de Vries|van Dijk",
        "Amsterdam 1017_CE|Utrecht 3511_LX|Rotterdam 3011_EB|Haarlem 2011_VL|Groningen 9712_HN",
        "Keizersgracht|Lange Nieuwstraat|Westersingel|Dorpsstraat|Stationsweg|Molenlaan",
        "nl",
        "B.V.",
    ),
    "DE": _pool(
        "Anja|Bernd|Clara|Dieter|Emil|Franziska|Greta|Hannes|Ida|Jonas|Katrin|Lena|Matthias|Nele|Oskar|Paula|Stefan|Uwe|Wiebke",
        "Albrecht|Brandt|Engel|Fischer|Groß|Hartmann|Jäger|Keller|Köhler|Lorenz|Möller|Neumann|Pfeiffer|Richter|Schäfer|Schulz|Vogel|Winkler|Zimmermann",
        "Berlin 10115|Hamburg 20095|Köln 50667|Leipzig 04109|München 80331",
        "Ahornweg|Bahnhofstraße|Gartenstraße|Lindenallee|Rosenweg|Schulstraße",
        "de",
        "GmbH",
    ),
    "PL": _pool(
        "Agnieszka|Bartosz|Dorota|Filip|Hanna|Jakub|Kamil|Łukasz|Magdalena|Marta|Michał|Natalia|Piotr|Sylwia|Tomasz|Zofia",
        "Adamczyk|Dąbrowski|Grabowski|Jabłoński|Kamiński|Kowalczyk|Krawczyk|Lewandowski|Mazur|Nowak|Pawlak|Szymański|Wiśniewski|Wójcik|Zieliński",
        "Warszawa 00-001|Kraków 30-001|Gdańsk 80-001|Wrocław 50-001",
        "ul. Długa|ul. Kwiatowa|ul. Leśna|ul. Polna|ul. Słoneczna",
        "pl",
        "Sp. z o.o.",
    ),
    "LV": _pool(
        "Agnese|Artūrs|Elīna|Emīls|Ilze|Jānis|Kristaps|Laura|Mārtiņš|Rihards|Sanita|Toms",
        "Bērziņš|Eglītis|Kalniņš|Krūmiņš|Liepiņš|Ozols|Pētersons|Siliņš|Vītols|Zariņš",
        "Rīga LV-1010|Daugavpils LV-5401|Liepāja LV-3401",
        "Brīvības iela|Dzirnavu iela|Elizabetes iela|Lāčplēša iela",
        "lv",
        "SIA",
    ),
    "EE": _pool(
        "Anu|Eeva|Jaan|Kadri|Kristjan|Liis|Madis|Maarja|Priit|Rasmus|Siim|Triin",
        "Ilves|Kask|Kukk|Lepik|Mets|Oja|Pärn|Rebane|Saar|Sepp|Tamm|Vaher",
        "Tallinn 10111|Tartu 51003|Pärnu 80010",
        "Aia|Kalda tee|Narva mnt|Pikk|Tamme",
        "et",
        "OÜ",
    ),
    "IE": _pool(
        _ENGLISH_GIVEN,
        "Brennan|Byrne|Doyle|Flanagan|Gallagher|Healy|Kavanagh|Keane|Lynch|Murphy|Nolan|O'Brien|O'Connor|Quinn|Ryan|Walsh",
        "Dublin D02_X285|Cork T12_W8YF|Galway H91_E2K3|Limerick V94_T9PX",
        "Bridge Street|Church Road|Grove Park|Main Street|Strand Road",
        "en",
        "Ltd",
    ),
    "GB": _pool(
        _ENGLISH_GIVEN,
        "Ashworth|Barlow|Carver|Dunn|Ellison|Farrow|Goddard|Hartley|Ingram|Langley|Marlow|Norris|Pemberton|Radcliffe|Sutton|Thorne|Whitmore",
        "London EC1A_1BB|Leeds LS1_1UR|Bristol BS1_4DJ|Edinburgh EH1_1YZ",
        "Albion Road|Chapel Lane|High Street|Mill Lane|Victoria Road",
        "en",
        "Ltd",
    ),
    "SE": _pool(
        "Alva|Axel|Ebba|Elsa|Gustav|Hedda|Johan|Klara|Linnéa|Maja|Nils|Oskar|Saga|Tove|Viktor",
        "Åberg|Andersson|Berg|Dahl|Ek|Forsberg|Holm|Lindgren|Lundqvist|Nyström|Öberg|Sandberg|Sjöberg|Wallin",
        "Stockholm 111_20|Göteborg 411_03|Malmö 211_20|Uppsala 753_10",
        "Björkgatan|Drottninggatan|Kungsgatan|Skolgatan|Storgatan",
        "sv",
        "AB",
    ),
    "FR": _pool(
        "Adèle|Antoine|Camille|Clément|Élodie|Gaël|Hélène|Jules|Léa|Louis|Manon|Noé|Rémi|Sophie|Théo",
        "Bertrand|Chevalier|Dubois|Faure|Gauthier|Lambert|Lefèvre|Marchand|Moreau|Noël|Perrin|Renard|Rousseau|Vidal",
        "Paris 75011|Lyon 69002|Nantes 44000|Toulouse 31000",
        "rue de la Gare|rue des Lilas|avenue Victor Hugo|place du Marché",
        "fr",
        "SARL",
    ),
    "ES": _pool(
        _SPANISH_GIVEN,
        "Castro|Delgado|Díaz|Domínguez|Fernández|Gil|Herrera|Iglesias|León|Márquez|Navarro|Ortega|Prieto|Romero|Vega",
        "Madrid 28001|Valencia 46001|Sevilla 41001|Bilbao 48001",
        "Calle Mayor|Calle del Sol|Avenida de la Paz|Plaza Nueva",
        "es",
        "S.L.",
    ),
    "PT": _pool(
        "Ana|André|Beatriz|Diogo|Filipa|Gonçalo|Inês|João|Leonor|Mariana|Nuno|Rita|Sofia|Tiago",
        "Almeida|Barbosa|Carvalho|Correia|Esteves|Ferreira|Lopes|Marques|Moreira|Pinto|Ramos|Teixeira",
        "Lisboa 1100-048|Porto 4000-001|Coimbra 3000-033",
        "Rua das Flores|Rua do Sol|Avenida da Liberdade|Largo da Igreja",
        "pt",
        "Lda",
    ),
    "CZ": _pool(
        "Adéla|Barbora|David|Eliška|Jiří|Kateřina|Lukáš|Markéta|Ondřej|Petra|Tomáš|Veronika",
        "Beneš|Černý|Dvořák|Fiala|Horák|Kučera|Malý|Němec|Pokorný|Sedláček|Svoboda|Veselý",
        "Praha 110_00|Brno 602_00|Ostrava 702_00",
        "Dlouhá|Květná|Lipová|Nádražní|Zahradní",
        "cs",
        "s.r.o.",
    ),
    "IT": _pool(
        "Alessia|Bruno|Chiara|Davide|Elisa|Fabio|Giulia|Lorenzo|Marta|Nicolò|Paola|Sara|Tommaso",
        "Barbieri|Caruso|Conti|De Luca|Ferrara|Galli|Lombardi|Marini|Orlando|Rinaldi|Serra|Villa",
        "Milano 20121|Torino 10121|Bologna 40121",
        "Corso Italia|Via Dante|Via Garibaldi|Via Roma",
        "it",
        "S.r.l.",
    ),
    "UA": _pool(
        "Olena|Andriy|Iryna|Dmytro|Kateryna|Taras|Yuliya|Maksym",
        "Bondarenko|Hnatiuk|Kovalenko|Lysenko|Marchenko|Savchenko|Tkachenko|Shevchuk",
        "Lviv 79000|Kyiv 01001",
        "Soborna|Shevchenka",
        "uk",
        "TOV",
    ),
    "IN": _pool(
        "Ananya|Arjun|Deepa|Kavya|Nikhil|Priya|Rohan|Sunita",
        "Bose|Desai|Iyer|Kulkarni|Mehta|Nair|Raman|Sharma",
        "Pune 411001|Chennai 600001",
        "Lake View Road|Temple Street",
        "en",
        "Pvt Ltd",
    ),
    "TR": _pool(
        "Ayşe|Burak|Deniz|Elif|Kerem|Selin|Yusuf|Zeynep",
        "Aydın|Çelik|Demir|Kaya|Koç|Öztürk|Şahin|Yıldız",
        "İstanbul 34000|İzmir 35000",
        "Atatürk Caddesi|Çınar Sokak",
        "tr",
        "Ltd. Şti.",
    ),
    "BR": _pool(
        "Bruna|Caio|Fernanda|Gustavo|Juliana|Rafael|Thaís|Vinícius",
        "Azevedo|Barros|Cardoso|Freitas|Moura|Nogueira|Rocha|Vieira",
        "São_Paulo 01000-000|Recife 50000-000",
        "Rua Augusta|Rua da Praia",
        "pt",
        "Ltda",
    ),
    "LB": _pool(
        _ARABIC_GIVEN,
        "Aoun|Daher|Fares|Haddad|Khoury|Mansour|Nassar|Sabbagh",
        "Beirut 1107|Tripoli 1300",
        "Cedar Street|Harbour Street",
        "en",
        "SAL",
    ),
    "VN": _pool(
        "Anh|Bình|Hoa|Lan|Minh|Nam|Phương|Tuấn",
        "Đặng|Hoàng|Lê|Nguyễn|Phạm|Trần|Võ|Vũ",
        "Hà_Nội 100000|Đà_Nẵng 550000",
        "Phố Huế|Trần Phú",
        "en",
        "JSC",
    ),
    "VE": _pool(
        _SPANISH_GIVEN,
        "Blanco|Cedeño|Guzmán|Medina|Paredes|Rivas|Salazar|Zambrano",
        "Caracas 1010|Maracaibo 4001",
        "Avenida Bolívar|Calle Sucre",
        "es",
        "C.A.",
    ),
    "KE": _pool(
        "Achieng|Baraka|Juma|Kamau|Njeri|Otieno|Wanjiku|Zawadi",
        "Karanja|Kiprop|Maina|Mwangi|Njoroge|Odhiambo|Wambui|Wekesa",
        "Nairobi 00100|Mombasa 80100",
        "Kenyatta Lane|Moi Drive",
        "en",
        "Ltd",
    ),
    "NP": _pool(
        "Asha|Bikash|Gita|Kiran|Maya|Ramesh|Sita|Suman",
        "Adhikari|Gurung|Karki|Rai|Shrestha|Tamang|Thapa|Magar",
        "Kathmandu 44600|Pokhara 33700",
        "Durbar Marg|Lakeside",
        "en",
        "Pvt Ltd",
    ),
    "AO": _pool(
        "Adilson|Carla|Domingos|Esperança|Joaquim|Luzia|Mateus|Rosa",
        "Cassule|Domingos|Fernandes|Kiala|Lourenço|Neto|Quissanga|Sebastião",
        "Luanda 1000|Benguela 2000",
        "Rua da Missão|Rua do Porto",
        "pt",
        "Lda",
    ),
}

RESIDENCE = {
    "LT": 20,
    "NL": 17,
    "DE": 15,
    "PL": 8,
    "IE": 6,
    "SE": 6,
    "GB": 6,
    "LV": 5,
    "EE": 4,
    "FR": 4,
    "ES": 3,
    "PT": 3,
    "CZ": 2,
    "IT": 2,
}
MEDIUM_RISK = {"UA": 5, "IN": 4, "TR": 3, "BR": 2}
HIGH_RISK = {"LB": 6, "VN": 5, "VE": 5, "KE": 5, "NP": 4, "AO": 3}

CYRILLIC = dict(
    pair.split(":")
    for pair in [
        "Olena:Олена",
        "Andriy:Андрій",
        "Iryna:Ірина",
        "Dmytro:Дмитро",
        "Kateryna:Катерина",
        "Taras:Тарас",
        "Yuliya:Юлія",
        "Maksym:Максим",
        "Bondarenko:Бондаренко",
        "Hnatiuk:Гнатюк",
        "Kovalenko:Коваленко",
        "Lysenko:Лисенко",
        "Marchenko:Марченко",
        "Savchenko:Савченко",
        "Tkachenko:Ткаченко",
        "Shevchuk:Шевчук",
    ]
)

_COMPANY_FIRST = "Alder|Amber|Anchor|Beacon|Birch|Blue Harbour|Brook|Canal|Cedar|Copper|Crane|Delta|Dune|Elm|Fairway|Falcon|Fjord|Granite|Green Quay|Hazel|Heron|Iris|Juniper|Kestrel|Lark|Linden|Maple|Meridian|North Pier|Oak|Osprey|Pebble|Quarry|Raven|River|Saffron|Silver Birch|Spruce|Tern|Thistle|Vantage|Willow|Wren".split(  # noqa: SIM905 - one list, read as a sentence
    "|"
)
_COMPANY_SECOND = "Analytics|Bakery|Bikes|Building|Catering|Components|Consulting|Design|Energy|Foods|Freight|Furniture|Gardens|Interiors|Labs|Logistics|Marine|Media|Optics|Print|Services|Software|Studio|Supply|Textiles|Tools|Trading|Travel|Works".split(  # noqa: SIM905 - as above
    "|"
)


def person(country: str, rng: Random) -> tuple[str, str]:
    """Given and family name as that country writes them."""
    pool = POOLS[country]
    return rng.choice(pool.given), rng.choice(pool.family)


def original(given: str, family: str) -> str | None:
    """The name in Cyrillic where it is usually written so, else None."""
    if given in CYRILLIC and family in CYRILLIC:
        return f"{CYRILLIC[family]} {CYRILLIC[given]}"
    return None


def company(country: str, rng: Random, taken: set[str]) -> tuple[str, str]:
    """Name with legal form, and the legal form; never one of `taken`, to which it is added."""
    form = POOLS[country].legal_form
    while True:
        name = f"{rng.choice(_COMPANY_FIRST)} {rng.choice(_COMPANY_SECOND)}"
        if rng.random() < 0.25:
            name = f"{name} {rng.choice(POOLS[country].towns)[0].replace('_', ' ')}"
        if name not in taken:
            taken.add(name)
            return f"{name} {form}", form


def address(country: str, rng: Random) -> dict[str, str]:
    """Street, town and postcode as they are kept in `customer.address`."""
    pool = POOLS[country]
    town, postcode = rng.choice(pool.towns)
    street = rng.choice(pool.streets)
    line = {"line1": f"{street} {rng.randrange(1, 140)}"}
    if rng.random() < 0.15:
        line["line2"] = f"Apt {rng.randrange(1, 60)}"
    return line | {"city": town.replace("_", " "), "postcode": postcode, "country": country}


def mailbox(name: str, domain: str) -> str:
    """`first.last@domain` in plain letters."""
    words = [transliterate(word).replace("<", "").lower() for word in name.replace("-", " ").split()]
    return ".".join(word for word in words if word) + f"@{domain}"
