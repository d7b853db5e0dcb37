"""Word lists of the generated companies: nine countries, their legal forms, streets, towns and trades.

Invented where it matters: brands are put together from syllables, so that no real company is meant.
"""

# ruff: noqa: E501, SIM905 - one country is one row of a table, one list is one paragraph
from typing import NamedTuple


class Land(NamedTuple):
    """How companies of one country are called and where they sit."""

    code: str
    spelt: tuple[str, ...]
    calling: str
    forms: tuple[tuple[str, ...], ...]
    surnames: tuple[str, ...]
    trades: tuple[str, ...]
    streets: tuple[tuple[str, str], ...]
    towns: tuple[tuple[str, str], ...]
    number_first: bool
    top_level: str


_ROOTS = """alba anto arbo arden asta balti baro bello beno bora brana brio cala cambo caru casto cela cora corvi cresta
dalma danto delo dora duna elba elmo enso esto fabri falco fano faro feno flora fonta gala garda gavo geno gora grando
halo haro helio hesta hydra ilmo indo isola jano juno kalo karo kelvi kira kono lago lambo lena lido lino loro luma
maka malo mara melo mira mondo mura nalo naro nero niva noba nora ocea olmo onda opalo orla osta palo pano pavo pero
pino pola pravo quanto quira rado rego rena riva rolo runa sabo salto sato sena silo sola sora stella talo tano tera
tivo tora turo ulmo unda urba vala vanto vela vero vida vilo vora walo wero xano yaro zala zeno zora""".split()
_ENDS = """ris vex nix lan tek dor mar san gen tor nex cor dan lux pex ron sys tra vis zan qua rix mex bel fin gard hart
kon lia mont nova plex ria stein tara vane wyn""".split()
BRANDS = tuple(root + end for root in _ROOTS for end in _ENDS)

DEPARTMENTS = (
    "Holding", "Services", "Logistics", "Trading", "Systems", "Energy", "Real Estate", "Consulting", "Digital",
    "Industries", "International", "Solutions", "Finance", "Engineering", "Health", "Automotive",
)  # fmt: skip

SHORT_WORDS = {
    "International": "Intl", "Services": "Svcs", "Technologies": "Tech", "Technology": "Tech", "Solutions": "Sol.",
    "Engineering": "Eng.", "Consulting": "Cons.", "Industries": "Ind.", "Management": "Mgmt", "Logistics": "Log.",
    "Systems": "Sys.", "Manufacturing": "Mfg", "Associates": "Assoc.", "Maschinenbau": "Masch.bau",
    "Transporte": "Transp.", "Company": "Co.", "Construction": "Constr.", "Distribution": "Distr.",
}  # fmt: skip

_GERMAN_NAMES = """Müller Schröder Weiß Krüger Böhm Jäger Köhler Schäfer Bauer Wagner Becker Hoffmann Schulz Koch Richter
Klein Wolf Neumann Schwarz Zimmermann Braun Krause Lehmann Huber Kaiser Fuchs Vogel Keller Günther Frank Berger Winkler
Roth Lorenz Baumann Albrecht Simon Ludwig Winter Kraus Martin Schumacher Vogt Stein Jansen Otto Sommer Groß Seidel
Heinrich Brandt Haas Schreiber Graf Dietrich Ziegler Kuhn Kühn Pohl Engel Horn Busch Bergmann Voigt Sauer Arnold
Wolff Pfeiffer Thiele Ernst Lindner Hübner Kurz Barth Hahn Beck Franke Peters Lang Möller Scholz""".split()
_AUSTRIAN_NAMES = """Gruber Pichler Steiner Moser Mayer Hofer Leitner Fischer Schmid Eder Reiter Wimmer Egger Brunner
Auer Binder Wallner Lechner Haas Schuster Aigner Ebner Koller Lehner Haider Schwarz Maurer Wieser Weber Mayr Stadler
Haslinger Holzer Bauer Wolf Winkler Riegler Zauner Kaufmann Thaler Hauser Strasser Seidl Fuchs Berger Pölzl Grünwald
Hödl Kröll Zöchling Süß Rössler Öllinger""".split()
_FRENCH_NAMES = """Lefèvre Moreau Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Mercier Boyer Blanc Guérin
Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry Roussel Mathieu Gautier
Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier Brun Blanchard Giraud Joly Rivière Lucas
Brunet Gaillard Barbier Arnaud Martinez Gérard Roche Renard Schmitt Roy Leroux Colin Vidal Caron Picard Roger Fabre
Aubert Lemoine Renaud Dumas Lacroix Olivier Philippe Bourgeois Pierre Benoît Rey Leclerc Payet""".split()
_DUTCH_NAMES = """Jansen Bakker Visser Smit Meijer Bos Vos Peters Hendriks Dekker Brouwer Dijkstra Smits Koster Prins
Huisman Kuipers Kramer Veenstra Postma Willems Hoekstra Koning Bosman Schouten Jonker Verhoeven Vermeulen Timmermans
Groen Gerritsen Bosch Kuiper Sanders Hermans Hofman Wolters Driessen Claassen Maas Jacobs Scholten Blom Peeters Snijders
Molenaar Evers Martens Leeuwen Dijk Vliet Beek Berg""".split()
_BELGIAN_NAMES = """Peeters Maes Willems Mertens Claes Wouters Goossens Lambrechts Dupuis Lejeune Dubois Lambert Dumont
Declercq Vermeersch Michiels Janssens Aerts Hermans Martens Verstraete Smets Cools Desmet Hendrickx Janssen Leclercq
Bogaert Coppens Lemmens Pauwels Segers Thys Gérard Noël Simon Denis Renard Carlier Collard Evrard Delvaux""".split()
_ITALIAN_NAMES = """Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Costa
Mancini Giordano Rizzo Lombardi Moretti Barbieri Fontana Santoro Mariani Rinaldi Caruso Ferrara Galli Martini Leone
Longo Gentile Martinelli Vitale Lombardo Serra Coppola Marchetti Parisi Villa Conte Ferraro Ferri Fabbri Bianco Marini
Grasso Valentini Messina Sala Gatti Pellegrini Palumbo Sanna Farina Rizzi Monti Cattaneo Morelli Amato Silvestri Testa
Grassi Pellegrino Carbone Giuliani Benedetti Barone Rossetti Caputo Montanari Guerra Palmieri Bernardi""".split()
_SPANISH_NAMES = """García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández
Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco
Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Núñez Iglesias Medina Garrido Cortés Castillo Santos
Lozano Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal León Márquez Herrera Peña Flores Cabrera Campos Vega Fuentes
Carrasco Díez Reyes Caballero Nieto Aguilar Pascual""".split()
_ENGLISH_NAMES = """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White
Roberts Green Hall Wood Jackson Clarke Harrison Baker Parker Bennett Cook Carter Ward Turner Hughes Edwards Hill Moore
Clark Harris Young King Allen Mitchell Collins Watson Shaw Marshall Russell Palmer Mason Fletcher Barnes Barker Gibson
Chapman Webb Pearson Holmes Richards Dixon Hunt Murray Fox Ellis Stevens Reynolds Burton Foster Rogers Knight Payne
Matthews Hudson Lloyd Barrett Spencer Gardner Hawkins Austin Lawson Page Porter Hart""".split()
_AMERICAN_NAMES = """Anderson Thomas Jackson Martin Lee Perez Thompson Harris Sanchez Ramirez Lewis Robinson Walker Nguyen
Torres Flores Rivera Campbell Gomez Phillips Diaz Parker Cruz Morris Morales Murphy Cooper Peterson Bailey Reed Kelly
Howard Ramos Kim Cox Richardson Watson Brooks Chavez Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders
Patel Myers Long Ross Foster Jimenez Powell Jenkins Perry Russell Sullivan Bell Coleman Butler Henderson Barnes Gonzales
Fisher Vasquez Simmons Romero Jordan Patterson Alexander Hamilton Graham Reynolds Griffin Wallace""".split()

_GERMAN_TRADES = """Maschinenbau Elektrotechnik Bau Logistik Metallbau Werkzeugbau Software Consulting Immobilien Handel
Transporte Verpackungen Sanitär Gartenbau Druckerei Medizintechnik Automobile Kunststofftechnik Anlagenbau Möbel Optik
Lebensmittel Technologies Services Solar Umwelttechnik Sicherheitstechnik Textil Holzbau Stahlhandel""".split()
_FRENCH_TRADES = """Transports Constructions Services Conseil Distribution Industrie Bâtiment Énergie Automobiles
Ingénierie Informatique Emballages Métallerie Boulangerie Logistique Immobilier Assurances Électricité Plomberie Santé
Technologies Menuiserie Négoce Plastiques Sécurité Formation Médias Loisirs Bois Textiles""".split()
_DUTCH_TRADES = """Techniek Bouw Transport Logistiek Installaties Advies Groothandel Vastgoed Automatisering Metaal
Verpakkingen Tuinbouw Elektro Software Services Onderhoud Schilderwerken Interieur Machines Energie Beveiliging Horeca
Drukkerij Kunststoffen Trading Milieu Makelaars Zorg Design Engineering""".split()
_ITALIAN_TRADES = """Costruzioni Trasporti Impianti Servizi Meccanica Elettronica Alimentari Consulenza Immobiliare
Distribuzione Edilizia Arredamenti Logistica Plastica Energia Tessuti Vini Automazione Informatica Ceramiche Carni
Imballaggi Ferramenta Moda Stampa Sicurezza Turismo Legnami Officine Tecnologie""".split()
_SPANISH_TRADES = """Construcciones Transportes Servicios Instalaciones Consultores Inmobiliaria Distribuciones Logística
Ingeniería Alimentación Electricidad Informática Muebles Metalúrgica Energías Conservas Tecnologías Envases Suministros
Talleres Viajes Seguridad Plásticos Gráficas Textiles Maderas Automoción Reformas Frutas Comercial""".split()
_ENGLISH_TRADES = """Engineering Construction Services Logistics Consulting Solutions Technologies Systems Trading
Manufacturing Properties Electrical Plumbing Software Foods Packaging Plastics Motors Energy Security Design Media
Healthcare Management Distribution Associates Industries Roofing Print Interiors""".split()

_GERMAN_STREETS = (
    ("Haupt", "straße"), ("Bahnhof", "straße"), ("Garten", "straße"), ("Schul", "straße"), ("Industrie", "straße"),
    ("Berg", "straße"), ("Linden", "straße"), ("Goethe", "straße"), ("Schiller", "straße"), ("Ring", "straße"),
    ("Wiesen", "weg"), ("Mühlen", "weg"), ("Kirch", "gasse"), ("Markt", "platz"), ("Birken", "weg"),
    ("Rosen", "straße"), ("Mozart", "straße"), ("Daimler", "straße"), ("Siemens", "straße"), ("Park", "straße"),
    ("Wald", "straße"), ("Feld", "straße"), ("Dorf", "straße"), ("Kaiser", "straße"), ("König", "straße"),
)  # fmt: skip
_FRENCH_STREETS = tuple(
    (kind, name)
    for kind in ("Rue", "Avenue", "Boulevard", "Place", "Chemin")
    for name in ("de la République", "Victor Hugo", "du Général Leclerc", "Jean Jaurès", "de la Gare", "Pasteur",
                 "des Lilas", "du Moulin", "Gambetta", "de l'Église", "Voltaire", "des Écoles")
)  # fmt: skip
_DUTCH_STREETS = (
    ("Dorps", "straat"), ("Kerk", "straat"), ("Molen", "weg"), ("School", "straat"), ("Stations", "weg"),
    ("Industrie", "weg"), ("Haven", "straat"), ("Beuken", "laan"), ("Eiken", "laan"), ("Wilhelmina", "straat"),
    ("Juliana", "laan"), ("Oranje", "straat"), ("Markt", "plein"), ("Nieuw", "straat"), ("Parallel", "weg"),
    ("Linden", "laan"), ("Raadhuis", "plein"), ("Burgemeester", "laan"), ("Prins Hendrik", "straat"), ("Hoofd", "weg"),
)  # fmt: skip
_ITALIAN_STREETS = tuple(
    (kind, name)
    for kind in ("Via", "Viale", "Piazza", "Corso")
    for name in ("Roma", "Garibaldi", "Mazzini", "Dante Alighieri", "Verdi", "Cavour", "della Libertà", "Marconi",
                 "dell'Industria", "Galileo Galilei", "Leonardo da Vinci", "XX Settembre")
)  # fmt: skip
_SPANISH_STREETS = tuple(
    (kind, name)
    for kind in ("Calle", "Avenida", "Plaza", "Paseo")
    for name in ("Mayor", "de la Constitución", "Real", "de Cervantes", "del Sol", "San José", "de España", "Colón",
                 "de la Industria", "Nueva", "Santa María", "del Carmen")
)  # fmt: skip
_ENGLISH_STREETS = tuple(
    (name, kind)
    for name in ("High", "Station", "Church", "Park", "Victoria", "Green", "Manor", "Mill", "King", "Queens", "York",
                 "London", "Springfield", "Albert", "Bridge")
    for kind in ("Street", "Road", "Lane", "Avenue")
)  # fmt: skip
_AMERICAN_STREETS = tuple(
    (name, kind)
    for name in ("Main", "Oak", "Maple", "Washington", "Lake", "Elm", "Cedar", "Lincoln", "Jackson", "Sunset", "Ridge",
                 "Madison", "Franklin", "Highland", "Industrial")
    for kind in ("Street", "Avenue", "Drive", "Boulevard")
)  # fmt: skip


def _towns(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (item.rsplit(" ", 1) for item in text.replace("\n", " ").split(","))
    return tuple((name.strip(), prefix) for name, prefix in pairs)


LANDS: tuple[Land, ...] = (
    Land("DE", ("DE", "Germany", "Deutschland"), "+49",
         (("GmbH", "G.m.b.H.", "Gesellschaft mbH"), ("GmbH & Co. KG", "GmbH & Co KG", "GmbH u. Co. KG"), ("AG", "Aktiengesellschaft"), ("e.K.", "eK"), ("UG (haftungsbeschränkt)", "UG")),
         tuple(_GERMAN_NAMES), tuple(_GERMAN_TRADES), _GERMAN_STREETS,
         _towns("Berlin 10, Hamburg 20, München 80, Köln 50, Frankfurt am Main 60, Stuttgart 70, Düsseldorf 40, Leipzig 04, Dortmund 44, Nürnberg 90, Hannover 30, Dresden 01, Lübeck 23, Würzburg 97, Göttingen 37, Münster 48"), False, "de"),
    Land("AT", ("AT", "Austria", "Österreich"), "+43",
         (("GmbH", "Ges.m.b.H.", "Gesellschaft m.b.H."), ("AG", "Aktiengesellschaft"), ("KG", "Kommanditgesellschaft"), ("OG", "OG")),
         tuple(_AUSTRIAN_NAMES), tuple(_GERMAN_TRADES), _GERMAN_STREETS,
         _towns("Wien 10, Graz 80, Linz 40, Salzburg 50, Innsbruck 60, Klagenfurt 90, Villach 95, Wels 46, St. Pölten 31, Dornbirn 68"), False, "at"),
    Land("FR", ("FR", "France"), "+33",
         (("SARL", "S.A.R.L.", "Sarl"), ("SAS", "S.A.S."), ("SA", "S.A."), ("EURL", "E.U.R.L.")),
         tuple(_FRENCH_NAMES), tuple(_FRENCH_TRADES), _FRENCH_STREETS,
         _towns("Paris 75, Marseille 13, Lyon 69, Toulouse 31, Nice 06, Nantes 44, Strasbourg 67, Montpellier 34, Bordeaux 33, Lille 59, Rennes 35, Reims 51, Saint-Étienne 42, Grenoble 38, Dijon 21, Angers 49"), True, "fr"),
    Land("NL", ("NL", "Netherlands", "Nederland"), "+31",
         (("B.V.", "BV", "Besloten Vennootschap"), ("N.V.", "NV"), ("V.O.F.", "VOF")),
         tuple(_DUTCH_NAMES), tuple(_DUTCH_TRADES), _DUTCH_STREETS,
         _towns("Amsterdam 10, Rotterdam 30, Den Haag 25, Utrecht 35, Eindhoven 56, Groningen 97, Tilburg 50, Almere 13, Breda 48, Nijmegen 65, Arnhem 68, Zwolle 80"), False, "nl"),
    Land("BE", ("BE", "Belgium", "België"), "+32",
         (("BV", "B.V.", "BVBA"), ("NV", "N.V."), ("SRL", "S.R.L.", "SPRL"), ("SA", "S.A.")),
         tuple(_BELGIAN_NAMES), tuple(_DUTCH_TRADES[:15] + _FRENCH_TRADES[:15]), _DUTCH_STREETS,
         _towns("Antwerpen 20, Gent 90, Charleroi 60, Liège 40, Brugge 80, Namur 50, Leuven 30, Mechelen 28, Hasselt 35, Kortrijk 85"), False, "be"),
    Land("IT", ("IT", "Italy", "Italia"), "+39",
         (("S.r.l.", "SRL", "Srl"), ("S.p.A.", "SPA", "SpA"), ("S.n.c.", "SNC"), ("S.a.s.", "SAS")),
         tuple(_ITALIAN_NAMES), tuple(_ITALIAN_TRADES), _ITALIAN_STREETS,
         _towns("Roma 00, Milano 20, Napoli 80, Torino 10, Palermo 90, Genova 16, Bologna 40, Firenze 50, Bari 70, Verona 37, Venezia 30, Padova 35, Brescia 25, Modena 41"), False, "it"),
    Land("ES", ("ES", "Spain", "España"), "+34",
         (("S.L.", "SL", "Sociedad Limitada"), ("S.A.", "SA", "Sociedad Anónima"), ("S.L.U.", "SLU")),
         tuple(_SPANISH_NAMES), tuple(_SPANISH_TRADES), _SPANISH_STREETS,
         _towns("Madrid 28, Barcelona 08, Valencia 46, Sevilla 41, Zaragoza 50, Málaga 29, Murcia 30, Bilbao 48, Alicante 03, Córdoba 14, Valladolid 47, Vigo 36, Gijón 33, Granada 18"), False, "es"),
    Land("GB", ("GB", "United Kingdom", "UK"), "+44",
         (("Ltd", "Limited", "Ltd."), ("PLC", "plc", "P.L.C."), ("LLP", "L.L.P.")),
         tuple(_ENGLISH_NAMES), tuple(_ENGLISH_TRADES), _ENGLISH_STREETS,
         _towns("London SE, Birmingham B, Leeds LS, Glasgow G, Sheffield S, Manchester M, Bristol BS, Leicester LE, Cardiff CF, Liverpool L, Edinburgh EH, Nottingham NG"), True, "co.uk"),
    Land("US", ("US", "United States", "USA"), "+1",
         (("Inc.", "Inc", "Incorporated"), ("LLC", "L.L.C."), ("Corp.", "Corporation", "Corp")),
         tuple(_AMERICAN_NAMES), tuple(_ENGLISH_TRADES), _AMERICAN_STREETS,
         _towns("New York 100, Los Angeles 900, Chicago 606, Houston 770, Phoenix 850, Philadelphia 191, San Antonio 782, San Diego 921, Dallas 752, Austin 787, Columbus 432, Denver 802, Seattle 981, Boston 021"), True, "com"),
)  # fmt: skip

FREE_MAIL = ("gmail.com", "outlook.com", "gmx.de", "web.de", "orange.fr", "libero.it", "hotmail.com", "yahoo.com")
