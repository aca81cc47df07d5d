"""What `cues` looks for besides `phrases`, written in the same way: what has happened to somebody that decides about a call, whatever
they are in the middle of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Something that should work does not: no wish, worry or dear price, which people write of in much the same words.
BROKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:can't|cant|cannot|couldn't|unable to|won't let (?:me|us)) (?:log ?in|log on|sign in|access|open|connect|load|download|install|update|print|pay|check ?out|upload|export|sync|reset|save|get (?:in|into|on))", "(?:doesn't|doesnt|don't|dont|won't|wont|not|isn't|isnt|aren't|stopped|no longer|keeps?|kept) (?:work\\w*|load\\w*|open(?:ing)?|start(?:ing)?|connect\\w*|charg\\w*|turn(?:ing)? on|respond\\w*|sync\\w*|crash\\w*|freez\\w*|disconnect\\w*|restart\\w*)",
        "error (?:code|message|\\d+)|(?:an|same|this|that|getting|get|gives?|says|saying|shows) (?:an )?errors?", "(?:is|are|it's|was|has|have|just|went|gone|still|got) (?:\\w+ )?(?:broken|broke|down|faulty|crashed|cracked|leaking|dead|bricked|frozen|defective|damaged)", "broken? (?:down|after|when|again)|crash(?:es|ed|ing)|bugs?|buggy|glitch\\w*|outage|malfunction\\w*",
        "(?:arrived|came|turned up|delivered) (?:\\w+ )?(?:broken|damaged|smashed|wrong|cracked)|wrong (?:item|order|size|parcel|product)", "(?:never|hasn't|hasnt|haven't|didn't|didnt) (?:\\w+ )?(?:arrived?|turn(?:ed)? up|been delivered)", "charged (?:me |us )?(?:twice|again)|double charged|locked out|hacked", "slip(?:s|ped|ping)|snapped|jam(?:s|med|ming)|seized|crack(?:ed|ing)|leak(?:s|ed|ing)|rattl(?:es|ed|ing)|overheat(?:s|ed|ing)|(?:came|come|fell|fallen|broke|broken|gave|given|blew|burst|torn|tore|snapped) (?:loose|off|apart|up|way|out|down)|(?:keeps?|kept) (?:\\w+ )?(?:tripping|stopping|failing|falling|breaking|cutting out)",
    ),
    "de": ("kaputt|defekt\\w*|fehlermeldung\\w*|fehler \\d+|sturzt ab|abgesturzt|storung|ausfall|(?:geht|funktioniert|ladt|startet|klappt|druckt) (?:\\w+ ){0,2}nicht|komm\\w* (?:\\w+ )?nicht (?:mehr )?rein|gerissen|klemmt|undicht|ausgelaufen|abgebrochen|verrutscht|nicht (?:angekommen|geliefert)",), "fr": ("en panne|casse(?:e|s|es)?|fuit|coince(?:e|s|es)?|fissure(?:e|s|es)|message d'erreur|erreur \\d+|(?:marche|fonctionne|s'ouvre|charge|demarre) (?:pas|plus)|plante|bug\\w*|impossible de (?:se connecter|me connecter|ouvrir|payer|telecharger)|pas (?:encore )?(?:recu|livre)",),
    "es": ("no (?:funciona|carga|abre|arranca|enciende|me deja|puedo (?:entrar|acceder|iniciar))|error \\d+|mensaje de error|averiad\\w+|rot[oa]s?|gotea|atascad[oa]s?|se (?:cuelga|cae|rompio|solto|atasca)|no (?:me )?(?:ha )?lleg(?:o|ado)",), "it": ("non (?:funziona|si apre|carica|parte|riesco ad? (?:entrare|accedere))|rott[oa]|guast[oaie]|errore \\d+|messaggio di errore|si blocca|non (?:e )?arrivat\\w+",),
    "pt": ("nao (?:funciona|abre|carrega|liga|consigo (?:entrar|acessar|aceder))|quebrad[oa]|avariad[oa]|erro \\d+|mensagem de erro|travou|nao chegou",), "nl": ("kapot|stuk gegaan|lekt|gescheurd|afgebroken|storing|defect|foutmelding|(?:werkt|opent|laadt|start) (?:\\w+ ){0,2}niet|doet het (?:\\w+ )?niet|(?:kan|kom) (?:er )?niet (?:meer )?(?:inloggen|in)|loopt vast|niet (?:aangekomen|geleverd|ontvangen)",),
    "pl": ("nie (?:dzia[lł]a|otwiera|[lł]aduje|w[lł]acza)\\w*|nie moge sie zalogowac|zepsu[tł]\\w*|awari\\w+|b[lł]ad \\d+|nie dotar[lł]\\w*",), "sv": ("(?:funkar|fungerar|startar|laddar) inte|trasig\\w*|kraschar|felmeddelande|kan inte logga in|har inte kommit fram",), "da": ("virker ikke|i stykker|fejlkode|fejlmeddelelse|kan ikke logge|feilmelding|odelagt",),
}  # fmt: skip
# What was the matter is over: it works, somebody has fixed it.
SOLVED: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "i can see (?:it|them)(?: (?:now|again|all))?(?!\\?)(?= *(?:$|[.,!]|now|again|was))", "(?:(?<!.)|(?<=[.,!] )|(?<=ok )|(?<=ah )|(?<=oh ))found it(?= *(?:$|[.,!]|thanks|ta|cheers))", "(?:it's|they're|all) back(?: up| now| again| where)",
        "(?:(?<!.)|(?<=[.,!] )|(?<=omg )|(?<=yep )|(?<=yes )|(?<=yesss )|(?<=ok )|(?<=it )|(?<=that )|(?<=all )|(?<=now ))(?:works|worked|fixed|sorted|solved|done and dusted)(?= (?:now|it|perfectly|a treat|like a|great|thanks|thx|thank you|cheers|ta)|[.,!]|$)", "(?:that|this|it) (?:did the trick|did it|fixed it|sorted it|worked)", "(?:saved|saving) (?:me|us|my \\w+|our \\w+|the day)|life ?savers?", "(?:all )?(?:back )?up and running(?: again)?", "(?:runs|works|going|goes|prints|flies|looks) (?:like (?:honey|a dream|a charm|butter|new|clockwork)|perfectly|beautifully)",
    ),
    "de": ("(?:lauft|funktioniert|klappt|geht) (?:jetzt|wieder|nun|super)|hat (?:super |prima )?(?:geklappt|funktioniert)",), "fr": ("ca (?:re)?(?:marche|fonctionne)(?! (?:pas|plus|comment|avec))",), "es": ("ya (?:funciona|va bien)|ha funcionado",), "it": ("(?:ora|adesso) (?:funziona|va)|ha funzionato",), "pt": ("(?:agora|ja) (?:funciona|funcionou)|deu certo",),
    "nl": ("(?:werkt|doet het|lukt) (?:nu|weer)|(?:is |het is )(?:gelukt|opgelost)",), "pl": ("(?:juz |teraz )dzia[lł]a|uda[lł]o sie",), "sv": ("(?:nu )?(?:funkar|fungerar) det(?: nu| igen)?(?! inte)|det loste sig",), "da": ("(?:nu )?virker det(?: igen| nu)?(?! ikke)|det lykkedes",),
}  # fmt: skip
# They have signed, ordered, booked or paid without a call, with us or elsewhere.
BOUGHT: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:(?<!.)|(?<=[.,!] )|(?<=just )|(?<=all )|(?<=now )|(?<=have )|(?<='ve )|(?<=and ))(?:signed|ordered|booked|paid|purchased)(?= (?:it|them|one|two|online|already|today|just now|this morning|last night|yesterday|through (?:the|your) (?:site|shop|web\\w*)|via (?:the|your)|on (?:the|your) (?:site|shop|web\\w*)|and (?:sent|returned|paid|done))|[.!]|$)", "(?:placed|put in|put through) (?:the|my|our|an) order|order(?:'s| is) (?:in|placed)|(?:signed|returned) (?:the|your) (?:quote|offer|order|proposal)", "(?:bought|got|ordered|rented|hired|leased|picked up) (?:[\\w']+ ){1,4}(?:from (?!you|u|your|here|there|my|the)\\w+|elsewhere|somewhere else)(?! (?:years|months|ages) ago)(?= (?:yesterday|today|already|instead|now|in the end|last week|last night|this morning)|[.,!]|$)",
    ),
    "de": ("(?:(?<!.)|(?<=[.,!] )|(?<=ist )|(?<=schon )|(?<=eben )|(?<=gerade ))(?:unterschrieben|bestellt|gebucht|bezahlt|uberwiesen)(?= (?:und|danke)|[.,!]|$)",), "fr": ("(?:(?<!.)|(?<=[.,!] )|(?<=c'est )|(?<=est )|(?<=ai )|(?<=avons )|(?<=a ))(?:signe|commande|paye|regle|reserve)(?= (?:en ligne|merci|ce matin|hier)|[.,!]|$)",), "es": ("(?:(?<!.)|(?<=[.,!] )|(?<=ya )|(?<=esta )|(?<=hemos )|(?<=he ))(?:firmado|comprado|pagado|reservado)(?= (?:gracias|online|por la web)|[.,!]|$)",),
    "it": ("(?:(?<!.)|(?<=[.,!] )|(?<=gia )|(?<=ho )|(?<=abbiamo )|(?<=appena ))(?:firmato|ordinato|acquistato|pagato|prenotato)(?= (?:grazie|online|dal sito)|[.,!]|$)",), "pt": ("(?:(?<!.)|(?<=[.,!] )|(?<=ja )|(?<=foi )|(?<=esta ))(?:assinado|assinei|comprado|comprei|pago|paguei|pedido feito)(?= (?:obrigad\\w|online|pelo site)|[.,!]|$)",),
    "nl": ("(?:(?<!.)|(?<=[.,!] )|(?<=is )|(?<=net )|(?<=zojuist )|(?<=al )|(?<=heb )|(?<=hebben ))(?:getekend|besteld|geboekt|betaald|ondertekend)(?= (?:en|dank\\w*|bedankt|online|via)|\\W*$|[.,!])",), "pl": ("(?:podpisane|zam[oó]wione|op[lł]acone|zap[lł]acone|kupione)(?=\\W*$|[.,!])",), "sv": ("(?:(?<!.)|(?<=[.,!] )|(?<=ar )|(?<=nu )|(?<=har )|(?<=precis ))(?:signerat|bestallt|betalt|bokat|underskrivet)(?= (?:nu|tack|och)|[.,!]|\\W*$)",), "da": ("(?:(?<!.)|(?<=[.,!] )|(?<=er )|(?<=har ))(?:underskrevet|bestilt|betalt|signert)(?= (?:nu|tak|takk|og)|[.,!]|\\W*$)",),
}  # fmt: skip
# A death or a funeral among their own, lately.
MOURNING: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "passed away(?! (?:\\w+ ){0,3}(?:years ago|in \\d))|bereave(?:d|ment)|in mourning|(?:a )?death in the family", "(?<!for a )(?<!for )funeral(?= (?:is|was|on|next|this|last|tomorrow|today|and|yesterday|arrangements)|[.,!]|$)|(?:after|at|before|arranging|planning|for) (?:the|my|his|her|our|dad's|mum's|mom's|\\w+'s) funeral", "(?:lost|buried|burying) (?:my|our) (?:mum|mom|dad|father|mother|husband|wife|son|daughter|brother|sister|nan|gran|grandma|grandad|granny|partner|mother-in-law|father-in-law|baby)(?! (?:\\w+ ){0,3}(?:years ago|in \\d))", "(?:my|our) (?:mum|mom|dad|father|mother|husband|wife|son|daughter|brother|sister|nan|gran|grandma|grandad|granny|partner|mother-in-law|father-in-law) (?:(?:has|just|suddenly|sadly) )?(?:died|passed)(?! (?:\\w+ ){0,3}(?:years ago|in \\d))",
    ),
    "de": ("mein\\w* (?:schwieger)?(?:mutter|vater|mann|frau|sohn|tochter|bruder|schwester|oma|opa|papa|mama) (?:\\w+ ){0,4}(?:gestorben|verstorben)|beerdigung|beisetzung|trauerfall|todesfall|in trauer",), "fr": ("(?:mon|ma|notre) (?:pere|mere|mari|femme|fils|fille|frere|soeur|grand-?mere|grand-?pere) (?:\\w+ ){0,3}(?:decede\\w*|mort\\w*)|enterrement|obseques|en deuil|(?:un|du|le) deces (?:de|dans)|perdu (?:mon|ma) (?:pere|mere|mari|femme|fils|fille|frere|soeur)",),
    "es": ("mi (?:padre|madre|marido|mujer|hij[oa]|herman[oa]|abuel[oa]|espos[oa]|suegr[oa]) (?:\\w+ ){0,2}(?:fallec\\w+|murio|muerto)|(?:fallecio|murio|fallecido|muerto) mi \\w+|entierro|(?:el|al|un|del) funeral|de luto|fallecimiento",), "it": ("(?:mancat|mort|decedut|scompars)[oa] mi[oa] \\w+|mi[oa] (?:padre|madre|marito|moglie|figli[oa]|fratello|sorella|nonn[oa]|suocer[oa]) (?:\\w+ ){0,2}(?:mancat[oa]|mort[oa]|decedut[oa])|funerale|un lutto|in lutto",),
    "pt": ("(?:meu|minha) (?:pai|mae|marido|mulher|esposa|filh[oa]|irma|irmao|avo|sogr[oa]) (?:\\w+ ){0,2}(?:faleceu|morreu)|(?:faleceu|morreu|perdi) (?:o |a )?(?:meu|minha) (?:pai|mae|marido|mulher|esposa|filh[oa]|irma|irmao|avo)|velorio|enterro|(?:o|ao|no|do|um) funeral|de luto|luto na familia",), "nl": ("(?:mijn|m'n|onze) (?:schoon)?(?:moeder|vader|man|vrouw|zoon|dochter|broer|zus|oma|opa) (?:\\w+ ){0,3}(?:overleden|gestorven)|begrafenis|uitvaart|sterfgeval|in de rouw",),
    "pl": ("(?:zmar[lł]|umar[lł])[ao]? (?:mi )?(?:moj )?(?:moja )?(?:mama|tata|ojciec|matka|maz|zona|babcia|dziadek|brat|siostra|tesc\\w*)|pogrzeb\\w*|za[lł]ob[aeyi]\\w*",), "sv": ("(?:min|mitt|var) (?:mamma|pappa|mor|far|man|fru|son|dotter|bror|syster|mormor|farmor|morfar|farfar|sambo|svarfar|svarmor) (?:\\w+ ){0,2}(?:dog|dott|gatt bort|gick bort)|begravning\\w*|dodsfall",), "da": ("begravelse\\w*|dodsfald|dødsfald|dødsfall|min (?:mor|far|mand|kone|son|datter|bror|soster|mormor|farmor) (?:\\w+ ){0,2}(?:gik bort|gikk bort|dode|døde)",),
}  # fmt: skip
# The beginning of an answer that is a no, to whatever we offered.
NO_AT_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:nah|nope|no|naw|nae|noo+)(?= |[,.!]|$)", "(?:it|that|this) (?:really )?(?:doesn't|doesnt|wouldn't|wouldnt|won't|wont)(?=[,.!]| (?:help|be needed|be necessary|no offen[cs]e)|$)", "not (?:really|needed|necessary|required|for me|keen)(?= |[,.!]|$)", "(?:i'm|im|we're|i am|we are|all) (?:good|fine|ok|okay|all right|alright|grand|sorted)(?=[,.!]| (?:thanks|thank you|ta|cheers|for now|as)|$)", "(?:i )?(?:don't|dont) think (?:so|that's needed|we need)|i'd rather not|rather not|prefer not|no need",
    ),
    "de": ("(?:nein|nee|noe|no|ne)(?= |[,.!]|$)|nicht notig|lieber nicht|brauch\\w* (?:\\w+ )?nicht|muss (?:\\w+ )?nicht sein",), "fr": ("non(?= |[,.!]|$)|pas la peine|pas besoin|inutile|ce n'est pas (?:necessaire|la peine)|plutot pas",), "es": ("no(?= |[,.!]|$)|no hace falta|mejor no|prefiero que no",),
    "it": ("no(?= |[,.!]|$)|non (?:serve|occorre|importa|c'e bisogno)|meglio di no|preferisco di no|preferirei di no",), "pt": ("nao(?= |[,.!]|$)|melhor nao|prefiro (?:que )?nao",), "nl": ("nee(?= |[,.!]|$)|(?:dat )?hoeft (?:\\w+ )?niet|niet nodig|liever niet",),
    "pl": ("nie(?= |[,.!]|$)|nie trzeba|nie ma potrzeby|raczej nie|wolalbym nie|wolałbym nie",), "sv": ("(?:nej|na|nae)(?= |[,.!]|$)|behovs inte|det behovs inte|helst inte|inte nodvandigt",), "da": ("(?:nej|nei)(?= |[,.!]|$)|helst ikke|ikke nodvendigt|behoves ikke",),
}  # fmt: skip
# What begins like a no and is none: "no problem, tomorrow works".
NO_MATTER: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "no,? (?:problem|problems|worries|bother|probs?|rush|hurry|idea|doubt|wonder|question|stress|matter|one|longer|reason|way)", "nein,? (?:kein problem|passt|gar kein)|non,? (?:pas de (?:souci|probleme)|aucun)|no,? (?:hay problema|pasa nada|te preocupes|se preocupe|problema|nessun problema|tranquill\\w*)|nao,? (?:ha problema|tem problema|se preocupe)|nee,? (?:joh )?geen probleem|nie,? (?:ma (?:problemu|sprawy)|szkodzi)|nej,? (?:inga problem|ingen fara|intet problem)|na,? (?:inga problem)",
    ),
}  # fmt: skip
# They beg pardon for having let us wait: what they say is an answer to what we asked, however long ago that was.
BELATED: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("sorry|apologies|apologi[sz]e|excuse the (?:delay|silence)|(?:only )?just (?:seen|saw|spotted|found) (?:this|your)|better late than never|been meaning to (?:reply|answer|write)|still (?:up for|on offer|happy to|keen)|(?:take|took) you up on",),
    "de": ("entschuldig\\w*|sorry|tut mir leid|verzeihung|spate (?:antwort|ruckmeldung)",), "fr": ("desolee?s?|pardon|excuse[zr]?(?:-| )moi|toutes mes excuses|reponse tardive",), "es": ("perdon\\w*|disculp\\w+|lo siento|siento (?:el retraso|la tardanza)",), "it": ("scus\\w+|mi dispiace|perdon\\w+|il ritardo",),
    "pt": ("desculp\\w+|perdao|pela demora|lamento",), "nl": ("sorry|excuses|late (?:reactie|antwoord)",), "pl": ("przepraszam\\w*|sorry|wybacz\\w*",), "sv": ("forlat|ursakta|sorry|ledsen for",), "da": ("undskyld|beklager|sorry|unnskyld",),
}  # fmt: skip
# A bad word is about those who serve them now, or did before.
ABOUT_OTHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:our|my|the|their|your) (?:(?:last|old|current|present|previous|former|other|existing|usual) )(?:supplier|provider|vendor|firm|contractor|agency|system|people|lot|one|ones|tool|company|partner|rep|software|shop|dealer|installer|accountant|host|platform|crew|guys|bank|carrier|manufacturer|distributor|wholesaler)", "(?:our|my) (?:supplier|provider|vendor|contractor|agency|dealer|wholesaler|distributor|installer|importer|lot|accountant)(?= |'s)", "(?:last|previous|old|other) (?:one|lot|tool|supplier|provider|vendor|agency|crew|guys|company|firm|contractor|system)(?= |'s)", "(?:competitors?|elsewhere|somewhere else|another (?:company|supplier|firm|shop|provider))",
    ),
    "de": ("(?:unser|der|mein|die|unsere) (?:\\w+ )?(?:letzte|alte|jetzige|aktuelle|bisherige|vorige)r? \\w+|unser\\w* (?:lieferant\\w*|anbieter|dienstleister)|beim (?:letzten|alten|vorigen)",), "fr": ("(?:notre|mon|l'|l)? ?(?:ancien\\w*|actuel\\w*|dernier\\w*) (?:fournisseur|prestataire)|(?:notre|mon) (?:fournisseur|prestataire)",), "es": ("(?:nuestro|mi|el) (?:proveedor|anterior|actual|ultimo)\\w*",), "it": ("(?:il nostro|il mio|l'attuale|il vecchio|l'ultimo) (?:\\w+ )?(?:fornitore|gestore)|nostro fornitore",),
    "pt": ("(?:nosso|meu|o) (?:fornecedor|ultimo|atual|antigo)\\w*",), "nl": ("(?:onze|mijn|de) (?:\\w+ )?(?:vorige|oude|huidige|laatste) \\w+|(?:onze|mijn) (?:leverancier|dealer|partner)",), "pl": ("(?:nasz|moj|obecny|poprzedni|stary) (?:\\w+ )?dostawc\\w*|poprzedni\\w* \\w+",), "sv": ("(?:var|min|den) (?:\\w+ )?(?:forra|gamla|nuvarande) \\w+|(?:var|min) leverantor\\w*",), "da": ("(?:vores|min|var) (?:\\w+ )?(?:forrige|gamle|nuværende|leverandor\\w*|leverandør\\w*)",),
}  # fmt: skip
# A profile whose owner asks not to be called.
NO_CALLS_BIO: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "no (?:\\w+ (?:\\w+ )?)?calls", "(?:don't|dont|do not|please don't|never) (?:call|ring|phone) me(?! (?:at|before|after|between|on|past|late|early))", "(?:e-?mail|text|writing|dms?|messages?) only", "phone[- ]?(?:averse|phobic)|hates? (?:the )?(?:phone|phones|calls)|i don't (?:do|take) (?:phone )?calls",
        "keine (?:anrufe|telefonate)|bitte nicht anrufen|pas d'appels?|ne pas appeler|sin llamadas|no llamar|no llamadas|niente (?:telefonate|chiamate)|non chiamare|sem (?:ligacoes|chamadas)|nao ligar?|niet bellen|geen telefoon\\w*|nie dzwoni\\w*|ring inte|inga samtal|ikke ring",
    ),
}  # fmt: skip
