"""What `cues` looks for, per language, written as regular expressions over plain words.

A text is read in lower case without accents, one space between words. `~` is a gap of up to three words, and the names in
angle brackets are the lists in WORDS. No pattern may hold a repetition within a repetition: the time taken must grow with
the text and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

WORDS: Final[Mapping[str, str]] = {
    "n": r"(?:\d(?:[\d.,]*\d)?k?|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|dozen)",
    "day": r"(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    "month": r"(?:january|february|march|april|june|july|august|september|october|november|december)",
    "call": r"(?:call|ring|phone|telephone|dial)",
    "talk": r"(?:talk|speak|chat|meet|call|discuss)",
    "session": r"(?:call|chat|demo|demonstration|meeting|zoom|teams|appointment|conversation|walkthrough|visit|survey|video call|phone call|catch-?up)",
    "us": r"(?:me|us|him|her|them)",
    "you": r"(?:you|u|someone|somebody|anyone|anybody|one of (?:you|yours|yous|your \w+)|a person|your \w+|our \w+ manager)",
    "chief": (
        r"(?:boss|director|directors|md|ceo|cfo|cto|coo|fd|chair|chairman|owner|board|partners?|trustees|governors|committee|management|"
        r"head(?: \w+)? (?=wants|says|said|likes|asked|has|is)|investors|council|procurement|legal|finance|accountant|architect|landlord|bursar|principal|co-?founder|gm)"
    ),
    "later": r"(?:january|february|march|april|may|june|july|august|september|october|november|december|spring|summer|autumn|fall|winter|q[1-4]|next (?:year|quarter|month|term|season)|(?:the )?new year|christmas|easter)",
    # What follows a number that counts nothing which they need: times, marks, little words, and what a thing is specified in.
    "uncounted": r"(?:minutes?|mins?|hours?|hrs?|seconds?|days?|weeks?|months?|years?|am|pm|o'clock|stars?|out|times|percent|things?|to|till|and|or|is|was|at|in|for|of|on|lol|it|if|as|a|so|but|then|when|he|she|they|we|i|you|who|w|kw|v|hz|khz|mhz|hp|cc|mm|cm|mah|mb|gb|tb|px|inch(?:es)?|watts?|volts?|amps?|degrees?|may|sept?|jan|feb|mar|apr|jun|jul|aug|oct|nov|dec|any|with|from|this|that|next|what|does|are|please|thanks|today|tomorrow|<day>s?|de|con|di|und|et|<month>)\b",
    "write": r"(?:e-?mail|write|text|type|message|dm)",
}

# --- what they say about talking ------------------------------------------------------------------------------

# A wish for a live talk, whatever it is held on.
TALK: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:can|could|happy to|fine to|glad to) do (?:a )?(?:video|zoom|teams|google meet)(?! (?:of|about|for|on))",
        "(?:pls|plz|please) <call>(?= (?:asap|urgently|today|tomorrow|back|when you|on my|me|us)|[.!?,]|$)", "<call> asap", "<n> ?(?:min|mins|minutes) of your time", "do you (?:guys |also )?(?:do|offer|run) (?:\\w+ )?(?:demos|consultations|home visits|site visits)",
        "<call> (?:me|us)", "<us> (?:a|a quick) (?:call|ring|bell|buzz)", "<you> (?:(?:can|could|who|to|please|just|maybe) )*?<call>", "call(?:ed)? (?:me |us )?back|callback",
        "(?:can|could|shall|should|may|might) (?:we|i|you) (?:(?:both|just|maybe|please|perhaps|all) )?(?:talk|speak|chat|meet|call|zoom|skype)",
        "(?:speak|talk|chat) (?:to|with) (?:you|someone|somebody|anyone|a human|a person|one of you|your \\w+)(?! then)",
        "(?:talk|walk|run|take|guide) (?:me|us|him|her|them|the \\w+|my \\w+|our \\w+) through", "talk (?:it|this|that|things|options|numbers) (?:through|over)",
        "(?:book|arrange|schedule|set up|fix|organi[sz]e|have|do|get|jump on|hop on|find|put in|join|squeeze in|fit in) (?:(?:a|an|in|another|our|quick|short|proper|some|the|brief|video|phone) )*?(?:<session>|word|time|slot)",
        "(?:see|want|like|love|need|get|show \\w+) (?:(?:a|the|to see|another) )*?demo", "demo (?:please|for (?:us|me|<n>)|next|this|with)",
        "(?:quick|short|brief|proper|real) (?:call|chat|zoom|demo|conversation|word|meeting)",
        "when (?:can|could|would|are|is|do|does) ~(?:talk|speak|meet|call|free|available|come|visit|chat|suit|ring)", "when you can (?:talk|speak|meet|call|come)",
        "are you (?:free|available|around|about)", "(?:you|is (?:\\w+|<you>)) (?:free|available|around|about) (?:for (?:a|an|that|the|our|another) (?:\\w+ )?<session>|to (?:talk|chat|speak|meet))", "(?:someone|somebody|anyone|anybody|a person|a human) (?:(?:that|who) )?(?:i|we) (?:can|could) (?:<call>|talk to|speak to|speak with|chat to|meet)", "(?:when|what (?:day|time)|which (?:day|time)) (?:suits|works|would suit|would work|is (?:good|best|easiest))(?: best)?(?: for)? you", "(?:i'm|im|i am|i'll be|we're|we are) (?:free|around|available|in|by the phone|at my desk|off the line|on site|reachable) (?:on|at|after|before|from|until|till|til|any|all|tomorrow|today|this|most|between|<day>)",
        "<you> (?:please )?(?:come|pop|drop|nip|swing|visit|stop) (?:and |out|over|round|by|down|along|in|up|to|us)", "come (?:and |to |out to )?(?:measure|survey|see it|have a look|take a look|look at|quote|visit)",
        "(?<!it )(?<!they )(?:meet|see) (?:him|her|them|us|me|up) (?:on|at|for|this|next|in|about|there|before|all)", "could you (?:meet|come|visit|join)", "join (?:our|us|the|my) ~(?:meeting|call|board|committee|partners)",
        "who (?:do|should|can|could|would|shall) (?:i|we) (?:talk|speak|call|ring|meet)", "who(?:'s| is) (?:best|the right person|the person) ~(?:talk|speak|call|ring|contact)", "hear (?:it|this) from (?:you|a person|a human|someone|somebody)", "put me through to", "(?:time|minutes?|mins?) ~for a quick one", "(?:phone|telephone|calling|ringing|talking)(?:'s| is| would be) (?:easiest|quickest|(?:easier|better|best) for (?:me|us|him|her|them))",
        "(?:sit down|get together|go through (?:it|this|everything|them)|run through (?:it|this|everything|them)) (?:together|with (?:you|me|us|someone|somebody))", "(?:sit down|get together) (?:and|on|next|this|over|some)",
        "(?:best|better|easier|quicker|simpler|good) to (?:talk|speak|meet|chat|call|phone|ring)(?! to (?:my|our|the))", "(?:by|over the|on the) (?:phone|telephone)", "face to face|in person",
        "(?:what's|what is|whats|got|have you got|is there|need) (?:your|a|the|ur) (?:phone |best |direct |office )?number(?! of)", "(?:phone |best |direct )?number (?:to (?:call|ring)|i can (?:call|ring))", "(?:don't|dont|not) (?:really )?(?:do|like|use|big on|an?) (?:e-?mails?|forms?|typing|writing)(?: person)?", "<n> ?-?(?:min|mins|minutes?) (?:slot|call|chat|with|on the)|half an hour (?:with|of your|on)", "book (?:in )?(?:with|through) (?:me|us|my|our)|put (?:you|us|me|it) in (?:the|my|his|her|your) (?:diary|calendar)|which day|what day (?:suits|works|can|could)", "(?:prefers?|rather have|would like) (?:the )?(?:phone|telephone|a call)", "(?:should|to|will|can|could) (?:call|ring|phone) (?:<us>|<chief>|my \\w+|mr|mrs|ms|dr)", "(?:reach|get|catch|try) (?:me|us) (?:on|at|again|before|after|tomorrow|today|any|between)", "(?:my|our) (?:number|mobile|cell|direct line|extension) (?:is|:)?",
        "(?:another|find (?:a|some)) time (?:this|next|for|on|to)", "(?:like|love|want|need|keen|happy|good|time|hoping|ready) to (?:talk|speak|meet|chat)(?! (?:nonsense|rubbish|about the weather))",
        "fancy (?:a|coming|popping)", "(?:over|for) a (?:coffee|brew|pint|cuppa)", "(?:talk|speak|chat|meet) (?:today|tomorrow|this|next|later|soon|before|on <day>)", "site visit",
    ),
    "de": (
        "zeit (?:\\w+ ){0,2}?fur (?:ein|einen) (?:\\w+ )?(?:telefonat|gesprach|anruf|call|termin|treffen)", "ruf\\w* (?:mich|uns|sie mich|ihr mich|doch|bitte)", "(?:mich|uns) (?:\\w+ ){0,3}(?:an|zuruck)?(?:rufen|anrufen|zuruckrufen)\\b", "telefonieren", "sprechen wir|miteinander sprechen|personlich (?:sprechen|treffen)", "(?:termin|gesprach|vorfuhrung|demo) (?:\\w+ ){0,3}(?:vereinbaren|ausmachen|machen|moglich|haben|finden)",
        "vorbei ?(?:kommen|schauen)", "am telefon|per telefon|telefonisch", "wann (?:hatten|habt|haben|konnt|konnen|passt|hast) ", "erreichbar", "(?:kurz|mal) (?:telefon|sprech)\\w*", "treffen wir uns|uns treffen", "videocall|videoanruf|per video",
    ),
    "fr": (
        "(?:r?appel(?:er|ez|le|lez)|telephoner)(?:-| )(?:moi|nous)", "(?:me|m'|nous) ?(?:r?appeler|telephoner)", "s'appel(?:er|le)", "(?:prendre|fixer|caler|convenir d'un|un) (?:un )?(?:rdv|rendez-vous|rendez vous)", "en parler (?:de vive voix|au telephone|ensemble)", "au telephone|par telephone|de vive voix|en visio|une visio", "passer (?:nous|me) voir|passer voir|venir (?:voir|sur place|mesurer)",
        "(?:peut|pourrait|pouvons)-?(?: )?(?:on|nous) (?:en |se |s')?(?:parler|voir|appeler|rencontrer|discuter)", "une demo", "(?:me|nous) joindre (?:au|par|demain|apres|avant|entre|a partir)", "(?:on|nous) (?:peut|pourrait|pouvons|pourrions) (?:se |s'|nous |en )(?:parler|voir|appeler|rencontrer|discuter)", "etes-vous (?:libre|disponible)|quand (?:etes|seriez)-vous", "joignable",
    ),
    "es": ("llama(?:me|dme|nos|r(?:me|nos))", "llam(?:enme|eme)", "me (?:podeis|pueden|puedes|podrian|puede) llamar", "(?:podemos|podriamos|quedamos para|queremos) (?:hablar|vernos|reunirnos|llamarnos|quedar)", "por telefono", "una (?:llamada|videollamada|reunion|demo|visita)", "me llam\\w+", "venir a (?:ver|medir)|pasaros?|pasarse"),
    "it": ("chiam(?:ami|atemi|arci|armi|ateci)", "(?:mi|ci) (?:chiam|richiam|potete chiam|puo chiam)\\w*", "sentirci|ci sentiamo|vederci|incontrarci", "al telefono|per telefono|a voce|videochiamata|in videocall", "una (?:chiamata|demo|telefonata|riunione)", "(?:passare|venire) (?:a |da )?(?:vedere|noi|misurare|trovarci)"),
    "pt": ("(?:me|nos) (?:liga|ligue|ligam|ligar|liguem)\\w*", "lig(?:ar|ue|uem|a)-?(?:me|nos)", "podem(?:os)? (?:me )?(?:ligar|falar|conversar|marcar)", "por telefone|uma (?:ligacao|chamada|call|reuniao|demo|conversa)", "por video|videochamada"),
    "nl": ("mag (?:ook )?mondeling", "(?:mij|me|ons) (?:\\w+ ){0,3}(?:terug)?bellen", "bel (?:mij|me|ons)", "(?:even|kunnen we|zullen we) (?:\\w+ ){0,2}(?:bellen|praten|afspreken|overleggen|videobellen)", "telefonisch|aan de telefoon", "langs ?komen|een afspraak|een demo|videogesprek"),
    "pl": ("do (?:mnie|nas) (?:\\w+ ){0,2}?(?:za|od)?dzwon\\w*", "(?:za|od)dzwon\\w* (?:\\w+ ){0,2}?do (?:mnie|nas)", "porozmawiac (?:\\w+ ){0,2}?(?:telefonicznie|przez telefon|na zywo|z kims)", "(?:mozemy|moglibysmy|mozna) (?:\\w+ ){0,2}?(?:porozmawiac|sie spotkac|sie umowic|zdzwonic)", "prosze o (?:telefon|kontakt telefoniczny|rozmowe)"),
    "sv": ("ring(?:a|er)? (?:\\w+ )?(?:mig|oss)", "(?:kan|skulle|far) (?:vi|ni|nagon|jag) (?:\\w+ ){0,2}?(?:ringas|ses|prata|talas vid|boka (?:ett|en) (?:mote|samtal|demo))", "(?:boka|ta|ha) (?:ett|en) (?:kort )?(?:mote|samtal|demo|telefonmote|videomote)", "(?:pa|over|via) telefon", "prata med nagon"),
    "da": ("ring(?:e|er)? (?:\\w+ )?(?:til )?(?:mig|meg|os|oss)", "(?:kan|skal|kunne|ma|far) (?:vi|i|dere|nogen|noen|jeg|du) (?:\\w+ ){0,2}?(?:snakkes?|m[oø]des|m[oø]tes|tales? ved)(?! (?:dansk|norsk|engelsk))", "(?:vi|jeg) kan (?:snakke|tale) med", "(?:over|pa|pr) telefon(?:en)?"),
    "tr": ("(?:beni|bizi) (?:\\w+ ){0,2}?ara(?!ma)\\w*", "(?:telefonda|telefonla) (?:\\w+ ){0,2}?(?:konusa|goruse|konusmak|gorusmek)\\w*", "(?:gorusebilir|konusabilir|bulusabilir) miyiz", "(?:toplanti|gorusme|demo) (?:ayarla|yapabilir|planla)\\w*"),
}  # fmt: skip

# Calls of which nothing follows: other people's, sayings, and calls that are over.
NO_TALK: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "how (?:often|many times) (?:will|would|do|does|can|must|should) <you>",
        "(?:someone|somebody|anyone|one of <you>|you|they) (?:\\w+ ){0,3}(?:should|could|can|must|need to|please|pls) (?:ring|call|phone) (?:him|her|them)", "(?:some|any)(?:one|body) (?:please |pls )?(?:call|ring|phone) (?:an?|the) \\w+", "(?:some|any)(?:one|body) (?:please |pls )?(?:call|ring|phone) me and",
        "(?:see|sees|shows?|view|track|tracks|check|open|use|uses|using|read|sign|works?|app|history|photos?|map) (?:\\w+ ){0,3}on (?:the|my|his|her|their|a|our) phones?", "on a call w(?:/|ith)? (?:the|my|a|our|some)", "(?:grab|have|get|do) (?:a |some )?(?:coffee|beer|pint|drink|lunch|chat) (?:some ?day|one day|some ?time)",
        "(?:they|people|friends|everyone|everybody|colleagues|mates|kids) call(?:ed|s)? (?:me|us)", "talk (?:me|us|him|her) (?:out of|into)", "(?:does|did|will|should) (?:it|the \\w+) (?:ring|call)", "(?:chat|call|meeting|demo)[ -]?(?:widget|bot|window|room|app|feature|box|button|log|recording|cent(?:re|er))s?", "call (?:me|us) an? (?!(?:bit|couple|day|few|half|hour|little|minute|moment|week|quarter|morning|afternoon|evening|soon)\\b)\\w+", "<n> (?:minutes|mins|hours?) (?:(?:just|waiting|trying) )*?to (?:speak|talk|get through) to", "call (?:me|us|it) (?:maybe|crazy|old|mad|names|cynical|picky|\\w+-fashioned)",
        "(?:just |then |should |better )?(?:call|ring|phone) (?:your|my|their|his|her|the) (?!office|shop|mobile)\\w+", "call (?:his|her|their|its|my) (?:agent|people|lawyer|mum|mom)",
        "(?:hours?|minutes|ages|forever|all day) (?:on|in) (?:the|a) (?:phone|call)", "on (?:the|a) (?:phone|call) (?:to|with) (?:my|the|their|our|some)", "(?:nice|good|great|lovely|pleasure|fun) (?:to )?(?:talk|speak|chat|meet|see)\\w*(?: \\w+)?",
        "(?:thanks|thank you|cheers) for (?:the|your|our) (?:call|chat|demo|meeting|time|visit)", "calls? for (?:papers|abstracts|entries|submissions)", "(?:close|last|cold|roll|wake up|missed|curtain) calls?", "if you (?:need|want) anything call", "everybody (?:else )?does",
        "talk to (?:my|the) (?:hand|boss|wife|husband|lawyer)", "have time (?:to|for) (?:play|watch|read)",
        "(?:not sure|no|never|hardly|don't|doesn't|didn't|won't|can't|cannot) (?:(?:i|we|you|really|ever) )*?(?:(?:have|find|get|fit in) )?(?:(?:any|the|much|enough) )?time(?: to (?:talk|chat|meet|speak|call)| for <session>s?)?",
        "(?:(?<!.)|(?<=[.,!?;:-] ))(?:talk|speak|chat|see you|see ya|catch you) (?:soon|later)(?! (?:today|this|on|at|in|about|<day>|then)\\b)", "people talk", "(?:i|we)(?:'ll| will) (?:<call>|pop|drop) (?:in|by|round|over)(?! the phone)", "demo (?:videos?|clips?|reels?|models?|versions?)",
        "what (?:do |would |did |should )?(?:you|u|they|we|i|people) (?:guys |all )?call", "<call> (?:it|himself|herself|itself|yourself|yourselves|themselves|myself|ourselves)",
        "(?:spoke|spoken|talked|chatted) (?:to|with) (?:\\w+ ){1,6}?(?:on|over|by) (?:the )?(?:phone|telephone)", "(?:i|we)(?:'d| would| might| may) (?:\\w+ )?(?:(?:give|drop) you a (?:<call>|bell|buzz)|<call> you)",
        "(?:courier|driver|drivers|postman|postie|fitter|delivery (?:man|men|people|team|guys|company)) (?:\\w+ )?<call> (?:me|us)", "did (?:someone|somebody|anyone|anybody|you|one of you) (?:just |really )?<call> (?:me|us)",
        "meet (?:(?:the|a|an|our|your|my|these|this|that|all) )?(?:\\w+ )?(?:deadlines?|dates?|heights?|spec\\w*|requirements?|regulations?|standards?|budgets?|targets?|criteria|codes?|needs?|minimum|demand|price)", "meet (?:me|us|you) (?:half ?way|in the middle)",
        "when (?:do|does|will|would|are|is|can|could) ~(?:come|be|available|free) (?:back )?(?:in|into|on|of|from) (?:stock|sale|store|stores|shops|plastic|production)", "(?:met|seen|saw|looks?|looked|better|nicer|smaller|bigger|darker|lighter) (?:\\w+ ){0,3}?in person",
    ),
    "de": (
        "(?:war|bin|hing|sass|stundenlang) (?:\\w+ ){0,4}?am telefon", "am telefon (?:war|hing|sagte|meinte|hiess)", "(?:habe?|hat|hatten?) (?:\\w+ ){0,4}?(?:am|per) telefon (?:\\w+ ){0,4}?(?:gesprochen|geredet|erfahren|gehort)", "(?:beim|im) (?:videocall|videoanruf|telefonieren)", "mit (?:mein\\w*|oma|opa|mama|papa) (?:\\w+ ){0,2}?telefonieren",
    ),
    "fr": (
        "(?<!on )s'appel(?:le|lent|ait|aient)", "(?:j'ai|j'avais|avait|avons|apres|avant|pendant|c'est|c'etait) un (?:rdv|rendez[ -]vous)", "(?:etais|etait|etions|etaient) (?:\\w+ )?au telephone", "(?:j'ai|as|a|avons|avez|ont) (?:\\w+ )?(?:parle|discute|echange|eu) (?:\\w+ ){0,5}?(?:au|par) telephone",
        "(?:(?:me|nous) rappeler|rappel(?:ez|le|er)[ -](?:moi|nous)) (?:(?:le|la|les) (?!matin|soir|semaine|jour|mois|plus|\\d|lundi|mardi|mercredi|jeudi|vendredi)\\w+|vos|votre|comment|quel\\w*|mon|ma|mes|combien)",
    ),
    "es": (
        "me llam(?:o|aron|aste\\w*|aba\\w*)", "(?:me|nos|te|le|les) llam\\w+ (?:\\w+ ){0,2}?la atencion", "(?:habl(?:e|ado)|hablaba) (?:con )(?:\\w+ ){1,5}?por telefono", "(?:tuve|tuvo|tuvimos|recib\\w+|tengo|tenia|teniamos|fue|era|hubo|tras|durante|en|despues de) una (?:llamada|videollamada|reunion|demo|visita)",
    ),
    "it": (
        "mi (?:ri)?chiam(?:o|avo|ava|avano|arono)", "(?:ero|era|eravamo|stavo|stava) (?:\\w+ )?al telefono", "(?:ho|abbiamo|hanno|ha) (?:\\w+ )?(?:parlato|sentito) (?:\\w+ ){0,5}?(?:al|per) telefono", "(?:ho|avevo|aveva|avuto|dopo|durante|era|e stata) una (?:chiamata|demo|telefonata|riunione)",
    ),
    "pt": (
        "(?:me|nos) lig(?:ou|aram|ava\\w*)", "(?:falei|falou) (?:\\w+ ){1,6}?por telefone", "(?:tive|teve|tivemos|foi|era|houve|recebi|recebemos|tenho|apos|durante|depois de) uma (?:ligacao|chamada|call|reuniao|demo|conversa)",
    ),
    "nl": (
        "een afspraak (?:bij de (?:tandarts|dokter|huisarts|kapper|bank)|gehad|gemist)", "(?:bellen|praten|overleggen|afspreken) met (?:mijn|m'n|onze)", "met (?:mijn|m'n|onze) (?:\\w+ ){1,2}?(?:bellen|praten|overleggen)",
    ),
}  # fmt: skip

# Ours: we offered one. Theirs after that: they took it up.
OFFER: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:give|drop) you a (?:call|ring|bell|buzz)", "(?:call|ring|phone) you", "(?:a|quick|short) (?:call|chat|demo|zoom|phone call|video call)", "(?:talk|walk|run|take) (?:you|it|this|that|things) (?:through|over)",
        "(?:shall|should|can|could|may) we (?:talk|chat|speak|meet|call|ring|phone|visit|come|show)", "(?:come|pop|drop|swing) (?:by|over|out|round|in|and)", "(?:happy|glad) to (?:talk|chat|speak|meet|show)", "(?:by|over the|on the) phone", "shall we say",
    ),
    "de": ("telefonieren|anrufen|vorbeikommen|termin|sprechen",), "fr": ("appeler|on s'appelle|telephone|rendez-vous|visio|de vive voix",), "es": ("llamar|llamamos|hablamos|reunion|llamada",),
    "it": ("sentirci|chiamar\\w*|sentiamo",), "pt": ("ligar|ligamos|conversar|conversa",), "nl": ("bellen|afspraak|langskomen",),
    "pl": ("zadzwonic|zadzwonimy|zadzwonie|przez telefon|porozmawiac",), "sv": ("ringa (?:upp )?(?:dig|er)|ringer (?:vi|jag) (?:upp )?(?:dig|er)|boka ett (?:kort )?(?:mote|samtal)",), "da": ("ringe (?:til )?(?:dig|deg|jer|dere)|over telefon(?:en)?",), "tr": ("(?:sizi|seni) (?:\\w+ )?ara\\w*|telefonda|gorusebilir miyiz",),
}  # fmt: skip
# Ours: we ask them to write, send or look for something, which sounds like asking for a talk and offers none.
ERRAND: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("(?:can|could|would|will|may|might) (?:you|we|i) (?:(?:please|just|kindly|possibly|also|perhaps) )*?(?:<write>|pm|drop us|send|share|tell|give us|let us know|provide|confirm|check|try|post|describe|explain|say|show|forward|attach|upload|fill)",),
}  # fmt: skip
YES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "yes|yeah|yep|yup|please do|go on then|go ahead|why not|definitely|absolutely|(?<!not )(?<!make )sure", "(?:sounds|sound|that's|would be|that would be|that'd be) (?:good|great|perfect|ideal|lovely|helpful|useful)", "(?:that )?(?:would|'d) help",
        "(?:works|suits|good|fine|ideal|perfect|free|ok|okay) (?:for me|for us|me|us)?", "(?:love|like) (?:to|that|one)", "let's (?:do|talk|speak|say)", "(?:tomorrow|<day>|morning|afternoon) (?:at|is|works|after|before|then)",
        "any (?:other )?(?:day|morning|afternoon|evening|time)", "(?:mornings|afternoons|evenings|weekdays|weekends|<day>s) (?:are|suit|work|would)",
    ),
    "de": ("ja|gern\\w*|passt|klingt gut|einverstanden",), "fr": ("oui|volontiers|avec plaisir|ca marche|parfait",), "es": ("si|claro|perfecto|vale|genial",),
    "it": ("si|certo|volentieri|va bene|perfetto",), "pt": ("sim|claro|pode ser|perfeito|combinado",), "nl": ("ja|graag|prima|lijkt me goed|is goed",),
    "pl": ("tak,? (?:prosze|poprosze|chetnie|pasuje)|chetnie|jasne|zgoda|poprosze",), "sv": ("garna|passar (?:bra|fint)",), "da": ("gjerne|passer (?:fint|bra|godt)",), "tr": ("evet|olur|tabii|tamam|uygun",),
}  # fmt: skip
# Ours: the time is agreed, so nobody has to be told to call.
AGREED: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:speak|talk|chat|meet|see you|catch you|call you|ring you) (?:then|there|at <n>|at \\d+|tomorrow|on <day>|<day>|later today|this (?:morning|afternoon))", "(?:calling|ringing|phoning) you (?:at|on|tomorrow|<day>|later|this)", "(?:booked|pencilled|put) (?:you|us) (?:in|down)|(?:booked|pencilled) (?:it|that) in|(?:(?<!.)|(?<=[.,!?] ))(?:booked|pencilled) in|in the (?:diary|calendar)|all booked(?! (?:up|out|until|till|for <month>|for may))|invite (?:is )?(?:sent|on its way|coming)|(?:sent|sending) (?:you )?(?:an|the) invite",
    ),
    "de": ("(?:(?<!.)|(?<=[.,!?] )|(?<=dann )|(?<=also ))bis (?:dann|morgen|montag|dienstag|mittwoch|donnerstag|freitag)(?: um \\d+)?(?! \\w)|termin steht|eingetragen",), "fr": ("(?:(?<!.)|(?<=[.,!?] )|(?<=alors )|(?<=donc ))a (?:demain|lundi|mardi|mercredi|jeudi|vendredi|tout a l'heure)(?: a \\d+h?\\d*)?(?! \\w)|c'est note pour",), "es": ("hablamos (?:manana|el|entonces)|(?:apuntado|agendado)(?: para (?:el|la|manana)|(?=[.!]|$))",),
    "it": ("(?:(?<!.)|(?<=[.,!?] )|(?<=allora ))a (?:domani|lunedi|martedi|mercoledi|giovedi|venerdi)(?: alle \\d+)?(?! \\w)|ci sentiamo (?:domani|allora)",), "pt": ("(?:(?<!.)|(?<=[.,!?] )|(?<=entao ))ate amanha(?! \\w)|falamos (?:amanha|entao)|(?:agendado|marcado)(?: para|(?=[.!]|$))",), "nl": ("(?:(?<!.)|(?<=[.,!?] )|(?<=dan ))tot (?:morgen|dan|maandag|dinsdag|woensdag|donderdag|vrijdag)(?: om \\d+)?(?! \\w)|staat in de agenda",),
}  # fmt: skip
VIDEO: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:zoom|teams|skype|webex|google meet|facetime|video) (?:call|chat|meeting|link|invite|conference|with)", "(?:on|over|via|by|a|quick|prefer) (?:zoom|teams|skype|webex|google meet|video)(?! (?:of|about|on|from|was|is))",
        "(?:share|see|show) ~screen|screen ?share",
    ),
    "de": ("video\\w*|per teams|per zoom",), "fr": ("visio\\w*|en video",), "es": ("videollamada|por video",), "it": ("videochiamata|in video\\w*",), "pt": ("videochamada|por video",), "nl": ("videogesprek|videobellen|beeldbellen",),
}  # fmt: skip
# A mark against calls, as either side speaks of it.
NOT_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:down|marked|listed|noted|flagged) as (?:a )?(?:no[ -](?:calls?|phone(?: calls)?)|do[ -]not[ -]<call>|not to be (?:called|rung|phoned))", "(?:do|don't)[ -](?:not[ -])?<call> (?:list|flag|note|request|mark)|no[ -](?:calls?|phone) (?:list|flag|note|request|rule|mark)",
        "(?:asked|told|said|wanted|preferred) (?:you |us |them )?(?:not to (?:be )?(?:called|rung|phoned|<call>)|no (?:more )?(?:phone )?calls)", "(?:on|off) (?:the|your|our) (?:do[ -]not[ -]call|no[ -]calls?) list",
    ),
}  # fmt: skip
# They would rather not be called, or it is decided otherwise.
DECLINE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:don't|dont|do not|never|no need to|stop|please not|rather you didn't|rather not) (?:<call>|calling|ringing|phoning)(?:ed|s)?(?! (?:<us> )?(?:before|after|until|till|between|during)\\b)", "(?:don't|dont|do not|can't|cannot|won't|never|not) (?:really )?(?:do|take|answer|like|want|need|have|be taking|use) (?:(?:a|any|the|to|more|sales|of|phone) )*?(?:calls?|phones?|demos?|meetings?|talk on the phone|be called|be rung)",
        "no (?:calls|phone calls|demos?|call|phones|sales calls|salespeople|meetings?)(?: please| thanks|,|$)?", "(?:hate|loathe|dread|allergic to|not good on|not a fan of|bad on) (?:the )?(?:phones?|calls|phone calls|talking on the phone)",
        "(?:just|only|rather(?: you)?|prefer to|easier to|better to) <write>(?: (?:me|it|us|here|instead|please))?", "<write> (?:me |us |it )?(?:instead|rather than)", "(?:keep (?:it|this|things) (?:to|on|in|by)|stick to|prefer|only by|only via|just by|rather by) (?:e-?mail|writing|mail|text|messages?|dms?|chat here|here)", "(?:e-?mail|writing|messages?) (?:only|is best|is better|suits me|works best)", "prefer (?:writing|typing|texting|e-?mail\\w*|to keep it \\w+)",
        "(?:through|via|on) (?:the |our )?(?:tender |procurement |supplier )?portal", "not (?:really )?interested|no longer (?:interested|looking|need\\w*)", "no need (?:for|of|to) (?:(?:a|any|the) )?(?:<session>|call|ring|talk|chat|phone|pitch)", "(?:just|only) (?:browsing|looking around|curious|being nosy|nosy|wondering)",
        "(?:went|gone|going|go|signed|stuck|sticking) with (?:someone|somebody|another|others?|the (?:other|incumbent|cheaper)|a (?:different|competitor|local)|them)", "(?:went|gone|going) (?:elsewhere|another way|in a different direction)", "(?:chose|chosen|picked|found|hired) (?:someone|somebody|one) (?:else|already|elsewhere|nearer|cheaper|locally)", "(?:went|gone|going) (?:with|for) (?:[\\w']+ ){1,4}in the end",
        "(?:(?<!.)|(?<=[.,!?;:-] )|(?<=please )|(?<=just )|(?<=you )|(?<=to )|(?<=and )|(?<=now )|(?<=so )|(?<=ok ))(?:stop|quit) (?:messaging|contacting|e-?mailing|chasing|dming|selling|pestering|texting)", "leave (?:me|us) alone", "(?:i'd|i would|we'd|we would|i'll|we'll) rather (?:try|do|test|figure|work|sort|read|see) (?:it|this|that)(?: out)?(?: (?:my|our)sel\\w+)", "too (?:salesy|pushy)|sales pitch(?:es)?", "(?:can't|cannot|not able to|unable to|won't) (?:talk|speak|come to the phone|be) (?:on the phone|by phone)", "(?:don't|dont|do not) worry(?: about (?:it|the|a|calling|that))?(?=.*(?:call|anymore|any more|already|sorted|now))", "(?:never ?mind|nvm)(?=[ .,!:;-]*(?:$|(?:\\w+ ){0,3}(?:found|sorted|solved|worked|figured|fixed)\\b))",
        "(?:(?<!.)|(?<=[.,!?;:-] ))no,? (?:thanks|thank you|ta)", "decided (?:against|not to)", "(?:decided|chosen|agreed|opted|voted) to (?:stay|stick|remain|carry on) (?:with|where|as)(?! (?:you|it|this|that|a|the (?:plan|project|work))\\b)", "(?:sticking|staying) with (?:what|our|the|pen|paper|excel|spreadsheets?)", "(?:have to|need to|must|to) be disclosed",
    ),
    "de": ("(?:telefonieren|anrufen|anruf|telefonat) (?:\\w+ ){0,2}?nicht", "(?:bitte )?(?:nicht|kein\\w*|ungern) (?:mehr )?(?:anzurufen|angerufen|zu telefonieren)", "ruf\\w* (?:sie |ihr )?(?:mich|uns) (?:\\w+ ){0,2}?nicht (?:mehr )?(?:\\w+ )?an", "(?:(?<!.)|(?<=[.,!?;:-] ))nein,? (?:danke|vielen dank)", "(?:bitte )?(?:nicht|kein\\w*|ungern) (?:anrufen|telefon\\w*|anruf\\w*)", "(?:lieber|bitte|nur|besser) (?:\\w+ )?(?:per (?:mail|e-mail)|schriftlich|schreiben|mailen)", "kein interesse|nicht interessiert|hat sich erledigt|anders entschieden", "telefonier\\w* nicht (?:gern|so gern)|telefoniere ungern"),
    "fr": ("ne (?:pas|plus) (?:m'|me |nous )?(?:r?appeler|telephoner)", "ne (?:me|nous) (?:r?appel|telephon)\\w+ (?:\\w+ )?(?:pas|plus)", "ne m'appel\\w+ (?:\\w+ )?(?:pas|plus)", "(?:(?<!.)|(?<=[.,!?;:-] ))non,? merci", "(?:ne|n') ?(?:m'appelez|me telephonez|appelez) pas|pas d'appels?|pas de telephone", "(?:prefere|plutot|mieux) (?:\\w+ )?(?:ecrire|par ecrit|mail|par mail|les messages|un mail|echanger par)", "pas (?:interesse\\w*|besoin d'appel)|choisi un autre|parti\\w* sur un autre"),
    "es": ("no (?:quiero|queremos|deseo|necesito|hace falta) (?:\\w+ )?(?:llamadas?|llamar|que (?:me|nos) llam\\w+)", "(?:(?<!.)|(?<=[.,!?;:-] ))no,? (?:muchas )?gracias", "no (?:me|nos) (?:llame\\w*|llam\\w+)|sin llamadas|nada de llamadas", "(?:prefiero|mejor) (?:\\w+ )?(?:escribir|por escrito|correo|email|por mail|mensaje\\w*)", "no (?:me|nos) interesa|hemos elegido otr\\w+"),
    "it": ("non (?:voglio|vogliamo|desidero|serve|occorre|c'e bisogno di) (?:\\w+ )?(?:chiamat\\w*|chiamar\\w*|telefonat\\w*|telefonar\\w*)", "(?:(?<!.)|(?<=[.,!?;:-] ))no,? grazie", "non (?:mi )?(?:chiam\\w+|telefon\\w+)|niente (?:chiamate|telefonate)", "(?:preferisco|meglio) (?:\\w+ )?(?:scrivere|per iscritto|mail|via mail|messaggi\\w*)", "non (?:mi|ci) interessa|scelto un altro"),
    "pt": ("nao (?:quero|queremos|desejo|preciso de|precisa) (?:\\w+ )?(?:ligacao|ligacoes|chamadas?|ligar|que (?:me|nos) ligu\\w+)", "(?:(?<!.)|(?<=[.,!?;:-] ))nao,? (?:muito )?obrigad[oa]", "nao (?:me )?(?:ligu\\w+|liga\\w*|telefon\\w+)|sem (?:ligacoes|chamadas)", "(?:prefiro|melhor) (?:\\w+ )?(?:escrever|por escrito|e-?mail|mensage\\w+)", "nao (?:tenho|temos) interesse|escolhemos outr\\w+"),
    "nl": ("bel (?:me|mij|ons) (?:\\w+ ){0,2}?niet", "niet (?:meer )?(?:gebeld|te bellen|telefonisch)", "(?:(?<!.)|(?<=[.,!?;:-] ))nee,? (?:dank\\w*|bedankt)", "(?:liever|bel\\w*) (?:\\w+ )?niet (?:bellen|gebeld)|niet bellen|bel me niet", "(?:liever|graag|alleen) (?:\\w+ )?(?:per mail|mailen|schriftelijk|via de mail|appen)", "geen interesse|andere (?:partij|leverancier) gekozen"),
    "pl": ("nie (?:\\w+ ){0,2}?(?:za|od)?(?:dzwon|telefon)\\w*", "(?:wole|lepiej) (?:\\w+ ){0,2}?(?:mail\\w*|pisac|napisac|e-mail\\w*)", "(?:(?<!.)|(?<=[.,!?;:-] ))nie,? dzieku\\w+"),
    "sv": ("ring(?:a)? (?:\\w+ ){0,2}?(?:inte|aldrig)", "(?:vill|onskar|behover|snalla) (?:\\w+ )?inte (?:\\w+ ){0,2}?(?:ring|samtal|telefon)\\w*", "(?:mejla|maila|skriv) (?:\\w+ )?(?:hellre|istallet)", "(?:(?<!.)|(?<=[.,!?;:-] ))nej,? tack"),
    "da": ("ring(?:e)? (?:\\w+ ){0,3}?(?:ikke|aldri|aldrig)", "(?:vil|onsker|ønsker|behover|behøver) (?:\\w+ )?ikke (?:\\w+ ){0,2}?(?:ring|samtale|telefon)\\w*", "(?:skriv|mail|send mail) (?:\\w+ )?(?:hellere|heller|i stedet|istedenfor)", "(?:(?<!.)|(?<=[.,!?;:-] ))nei?j?,? (?:tak|takk)"),
    "tr": ("(?:beni|bizi|lutfen) (?:\\w+ ){0,2}?arama\\w*", "(?:aranmak|telefonla gorusmek|telefonda konusmak) istemi\\w*", "(?:(?<!.)|(?<=[.,!?;:-] ))hayır,? tesekk\\w+"),
}  # fmt: skip
# Not now, but perhaps another time.
LATER: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "not (?:right )?(?:now|yet|just yet|today|this (?:week|month|quarter|year)|at the moment|for (?:now|a while)|until|till|before)(?! (?:live|sure|signed|decided|paid|working|fixed|here|arrived))", "(?:maybe|perhaps|possibly|probably|let's|talk|speak|ask me|try (?:me|again)|revisit|look (?:at|again)|come back|circle back|pick (?:it|this) up|back to (?:me|us)|get back|happy to talk) ~(?:in|after|next|once|around) (?:the )?<later>",
        "(?:ask|try|ping|nudge|remind|poke) me (?:again )?(?:in|after|next|once|when|later)", "after (?:the )?(?:harvest|season|summer|christmas|easter|holidays|lambing|exams|wedding|year end|audit season|half term|busy (?:time|season))", "(?:way |far |a bit |bit )?too (?:busy|early|soon)(?! to tell)", "up the walls|snowed under|flat out|swamped|rushed off|tied up|heads? down|manic here|chaos here",
        "(?:budget|budgets|money|spend|hiring)(?:'s| is| are)? (?:\\w+ )?(?:frozen|gone|spent|on hold|closed|tight)|no budget|budget freeze", "(?:on|maternity|paternity|parental|annual|sick) leave|out of office|sabbatical|baby (?:due|is due)|covering (?:for )?me|is covering", "i (?:finish|leave|stop) (?:today|tomorrow|on|this|next)", "(?<!go )(?<!goes )(?<!going )(?<!went )(?<!sent )(?<!send )back (?:in|on|after) (?:<later>|<day>|the \\d+)",
        "(?:i'll|ill|we'll|well|i will|we will|will|let me) (?:be in touch|get (?:back|in touch)|come back to you|let you know|shout|give you a shout|think about it|have a think|sleep on it|reach out|message you|write)", "when (?:we're|we are|i'm|i am|things|it|the dust|it's) (?:\\w+ )?(?:ready|calm\\w*|settle\\w*|quiet\\w*|over|done)", "(?:let me|need to|want to|have to|got to) (?:think|mull|sleep on)|thinking (?:about it|it over)|sleep on it", "no (?:rush|hurry|plans|urgency)|early days|one day|some ?day|down the line|no decisions? (?:yet|until)", "(?:on|put on) (?:hold|ice|the back burner)|parked|parking it|pick (?:it|things|this|that) (?:back )?up (?:when|after|again)", "passed away|funeral|bereave\\w+|in mourning|lost my (?:mum|mom|dad|father|mother|husband|wife|son|daughter|brother|sister)", "(?:revisit|look at|do) (?:it|this|that) (?:properly |again )?(?:in|next|after) (?:the )?<later>", "bear with (?:me|us)",
    ),
    "de": ("(?:im|nach dem|nachsten?|erst im|erst nach|ab) (?:herbst|fruhjahr|sommer|winter|januar|februar|marz|september|oktober|november|urlaub|ernte|jahr|quartal|ferien)(?= .*(?:schau|meld|wieder|ruhe|an))", "nach der (?:ernte|saison|messe)|gerade (?:\\w+ ){0,2}(?:zu viel|keine zeit|stress|schlecht)|brennt (?:\\w+ ){0,3}hutte|land unter", "(?:melde mich|meld mich|melden uns)(?! bitte)", "jetzt nicht|noch nicht so ?weit|momentan nicht|spater"),
    "fr": ("pas (?:maintenant|tout de suite|pour l'instant|cette annee|avant)|plus tard|en (?:janvier|septembre|octobre) (?:peut-etre|plutot)", "(?:je|nous|on) (?:vous |te )?(?:recontacte\\w*|reviens|revient|reviendrons|tiens au courant|ferai signe)", "apres (?:les vacances|la saison|la rentree|les vendanges)|deborde\\w*|conge (?:maternite|parental)"),
    "es": ("ahora (?:mismo )?no|mas adelante|todavia no|de momento no|por ahora no|despues de (?:las vacaciones|la vendimia|verano|la temporada)", "(?:ya )?(?:os|te|les) (?:digo|aviso|avisare|escribo)|a tope|estoy de baja|lo pienso"),
    "it": ("non (?:ora|adesso|subito)|piu avanti|dopo (?:le ferie|l'estate|la vendemmia|natale)|per ora no|ci penso", "(?:vi|ti) (?:faccio sapere|ricontatto|riscrivo)"),
    "pt": ("agora nao|mais (?:para a frente|pra frente|tarde)|ainda nao|depois (?:das ferias|do natal|da colheita)|vou pensar", "(?:eu )?(?:aviso|volto a falar|retorno depois)"),
    "nl": ("nu (?:even )?niet|later|na de (?:zomer|vakantie|oogst|feestdagen)|komt nu niet uit|nog niet", "(?:ik|we) (?:laat|laten) (?:het )?(?:nog )?weten|neem (?:zelf )?contact op|denk er(?: nog)? over na"),
}  # fmt: skip

# --- what they are in the middle of ---------------------------------------------------------------------------

DEADLINE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "<day>", "(?:by|before|until|till|from|since|end of|early|mid|late|in|for|about|to|of|due) (?:the )?(?:<month>|may)", "<n>(?:st|nd|rd|th)?(?: of)? (?:<month>|may)|<month> <n>", "(?:the|on|by|before|from) \\d+(?:st|nd|rd|th)", "(?:w/c|week commencing|week of)",
        "deadlines?|(?:contract|notice|lease|licence|license|subscription|renewal|policy|tender|trial|season|term|window) ~(?:ends?|ending|expires?|runs out|is up|renews?|renewing|has to|goes|closes|opens|starts|due|rolls|lapses)", "<n> (?:days|weeks|months)(?:'| of)? ?(?:notice|to|from|until|before|left|away|earlier)", "(?:in|within|by) (?:<n>|a|about <n>) (?:days?|weeks?|month|months)", "(?:this|next) (?:week|month|quarter|term)(?! was)", "(?:by |before )?(?:the )?end of (?:the |this |next )?(?:month|week|quarter|year|term|season|<month>|may)", "(?:by|before|until|till|due|out|need (?:it|them|this|one)|(?:has|have|needs) to \\w+(?: \\w+)?) (?:today|tomorrow|tonight)",
        "(?:brought|moved|pulled|pushed|dragged) (?:\\w+ ){0,6}(?:forward|back|up) ?", "before (?:the |we |they |he |she |our |half ?term|christmas|thanksgiving|easter|school|ramadan|year end)(?! (?:way|rest))", "(?:in|on) time for|go(?:es|ing)? live|be live", "(?:completion|launch|opening|inspection|audit|assessment|hearing|inspectors?|auditors?|handover|go-live|exchange) (?:is|are|on|date|day|moved|comes?|visit|in|due|next|this|tomorrow|at)", "(?:can't|cannot|won't) wait(?! to)|running out|by then",
    ),
    "de": ("(?:bis|am|ab|vor|zum|nachsten?|diesen?|kommenden?) (?:\\w+ )?(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|ende|\\d+\\.|januar|februar|marz|april|mai|juni|juli|august|september|oktober|november|dezember|monatsende|woche|monat)", "(?:im|anfang|mitte|ende|start|beginn im) (?:januar|februar|marz|april|mai|juni|juli|august|september|oktober|november|dezember)", "frist|stichtag|heute|morgen|diese woche|nachste woche|\\d+\\. (?:januar|februar|marz|april|mai|juni|juli|august|september|oktober|november|dezember)"),
    "fr": ("(?:avant|d'ici|pour|debut|fin|mi|le|des|en) (?:le |la |fin |debut )?(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|\\d+|1er|janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre|mois|semaine|l'annee)", "date limite|echeance|aujourd'hui|demain|cette semaine|la semaine prochaine|delai"),
    "es": ("(?:antes de|para|hasta|a finales de|el|en|este|proximo) (?:el |la |fin de )?(?:lunes|martes|miercoles|jueves|viernes|sabado|\\d+|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|mes|semana)", "plazo|hoy|manana|esta semana|fecha limite"),
    "it": ("(?:entro|prima di|per|fino a|a|dal|il|in) (?:il |la |fine )?(?:lunedi|martedi|mercoledi|giovedi|venerdi|sabato|\\d+|gennaio|febbraio|marzo|aprile|maggio|giugno|luglio|agosto|settembre|ottobre|novembre|dicembre|mese|settimana)", "scadenza|oggi|domani|questa settimana"),
    "pt": ("(?:ate|antes de|para|no|em|dia|na) (?:o |a |dia |fim de |final de )?(?:segunda|terca|quarta|quinta|sexta|sabado|\\d+|janeiro|fevereiro|marco|abril|maio|junho|julho|agosto|setembro|outubro|novembro|dezembro|mes|semana)", "prazo|hoje|amanha|esta semana|essa semana"),
    "nl": ("(?:voor|op|tot|per|eind|begin|in|vanaf|deze|volgende) (?:de )?(?:maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|\\d+|januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december|maand|week)", "deadline|vandaag|morgen"),
}  # fmt: skip
SCALE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "[£$€] ?\\d|\\d+ ?(?:gbp|usd|eur|euros|pounds|dollars|quid|grand)", "(?!(?:19\\d\\d|20[0-3][1-9]|20[1-3]0)\\b)<n> (?!<uncounted>)(?:\\w+ )?(?!<uncounted>)[a-z-]{3,}",
        "all (?:of our|our) \\w+s\\b", "(?:dozens|hundreds|thousands) of", "(?:another|second|third|new|next) (?:site|branch|depot|location|office|shop|store|plant|clinic|unit|building|warehouse|factory|cafe|restaurant|school|floor|line)",
    ),
}  # fmt: skip
AUTHORITY: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:my|our|the|new|his|her) (?:new |big )?<chief>(?:'s)?(?! of (?:all|it))", "(?:boss|procurement|legal|finance|management|board|committee|trustees|governors|partners|investors|council) (?:is|are|has|have|wants?|says?|said|asked|asks?|met|meets?|decides?|sits?|voted|signed|approved|agreed|needs?|likes?|and|won't|closed|replied)",
        "(?:got|have|have got|i've|given|with|got the) (?:\\w+ )?(?:permission|approval|the go-?ahead|the green light|a mandate|sign-?off|budget|funding)", "(?:can't|cannot|not allowed to|able to|authori[sz]ed to) (?:sign|approve|decide|commit|agree)|(?:signed|sign) (?:it |this |that |them )?off|signed off on", "(?:budget|grant|funding|funds|money|planning) (?:\\w+ )?(?:came|come|is|has been|was|approved|round|through|of|for|agreed|signed|released|around|about|between)", "(?:he|she|they)(?:'s|'ve|'re| is| are| has| have)? (?:agreed|wants?|asked|approved|serious|keen|decided|voted|insists?|said yes)",
        "our budget|budget of|approved|(?:insurers?|bank|auditors?|inspectors?|regulator|hse|fire officer|council|landlord|head office|hq) ~(?:wants?|need|needs|says|said|asked|insists?|require|requires|won't)", "my (?:co-?founder|other half|partner|dad|father|mother|son|daughter|brother|sister|wife|husband) (?:and i|wants|says|thinks|is)",
    ),
    "de": ("(?:mein|unser|der|die|meine|unsere) (?:\\w+ )?(?:chef\\w*|geschaftsfuhr\\w*|vorstand|eigentumer\\w*|leitung|vorgesetzte\\w*|bauherr|gemeinderat|kollegen|partner|frau|mann)", "(?:budget|mittel|gelder|forder\\w+|freigegeben|genehmigt|bewilligt|abgesegnet)"),
    "fr": ("(?:mon|notre|le|la|ma) (?:directeur|directrice|patron\\w*|chef\\w*|direction|conseil|associe\\w*|bureau|mairie|gerant\\w*|client)", "budget|valide\\w*|accord|subvention"),
    "es": ("(?:mi|nuestro|nuestra|el|la) (?:jef[ea]|director\\w*|gerente|soci[oa]s?|consejo|junta|comite|cliente)", "presupuesto aprobado|aprob\\w+|subvencion|visto bueno"),
    "it": ("(?:il mio|la mia|il nostro|il|la|i) (?:capo|direttore|direttrice|titolare|soci[oi]?|consiglio|direzione|cliente)", "budget|approvat\\w+|via libera|finanziament\\w+"),
    "pt": ("(?:meu|minha|nosso|nossa|o|a) (?:chefe|diretor\\w*|gerente|socio\\w*|socia|conselho|diretoria|cliente)", "orcamento aprovado|aprov\\w+|verba"),
    "nl": ("(?:mijn|onze|de|ons) (?:baas|directeur|directie|bestuur|vergadering|partner\\w*|vennoot|klant|eigenaar)", "budget|goedgekeurd|akkoord|ja gezegd|subsidie"),
}  # fmt: skip
DECISION: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:we|i|they|he|she) (?:really |all |both )?(?:want|need|must have|would take|'ll take|will take) (?!to know\\b|to say\\b|more\\b|to think\\b|to be\\b|a laugh\\b|your\\b|you\\b)", "(?:we|i|they|he|she|partners|committee|board|governors|trustees|\\w+)(?:'ve|'s| have| has|'re| are) (?:finally |all |now |just )?(?:decided|chosen|agreed|picked|approved|voted|settled|confirmed|ready)", "(?:decided on|want it|it's you|go with you|going with you|choose you|chose you|pick you)", "(?:decided|agreed|voted|picked|chose|chosen|signed off|approved) (?:on|to|for|that|the|it|us|you|last)",
        "(?:ready|about|want|wants|looking|planning|hoping|hope|like|need|going|time) to (?:order|buy|switch|move|sign|start|go ahead|replace|upgrade|change|book|commit|expand|roll|proceed|get going|get this|renew|migrate|go live)", "(?:switching|moving|migrating|leaving|dropping|replacing|expanding|merging|buying|opening|taking (?:on|over)|changing|bringing|rolling (?:it |this )?out|fitting out|relocating|doubling|tripling)(?! (?:out|up|my mind|the subject|soon\\?))", "(?:switch|move|migrate|drop|replace|leave) (?:to|from|over|off|our|the|theirs|them|current|it all)", "(?:place|placing) (?:an|the|our) order", "(?:get|want|need|have) (?:this|it|that|them) (?:signed|done|sorted|in|live|fixed|fitted|installed|up and running|working|over the line)",
        "(?:a|the|proper|rough|ballpark|formal|firm|two|get|for|want|need|your) (?:\\w+ )?(?:quote|quotes|quotation|proposal|contract|costing|estimate|number|figure|price)(?! of the| was| went| on the tin) (?:for|to|on|in|before|by|at|first|please|together|against)", "wants? a (?:\\w+ )?(?:number|figure|quote|price|plan|cost|proposal|scheme|date|answer)", "(?:count|put) (?:us|me) (?:in|down)", "(?:won|got|landed|signed|secured|completed on|exchanged on|have|need|lost) (?:the|our|a|an|that) (?:\\w+ )?(?:job|contract|tender|order|lease|grant|loan|keys|go-?ahead|green light|planning|permission|funding|deal|listing|account|purchase|premises|building|site|unit)", "(?:we're|we are|i'm) (?:buying|taking|moving|opening|leaving|changing|switching|going)", "bought (?:a|the|another|two|three)", "(?:gone|grown|went|going) (?:from \\w+ )?to <n>|doubled|tripled", "on (?:the|your|our) shortlist|shortlisted|purchase order|(?:budget|grant|funding|order|planning) (?:came|is|has|got|went) ",
        "what(?:'s| is| are| happens) (?:the )?next(?: steps?)?|next steps?|what (?:do|would|will) you need (?:from|to)", "(?:it's|its|down|come down|narrowed|is) (?:between|to) (?:you|two|the two|three)|final two|last two", "(?:our|the|my|current|old) (?:\\w+ )?(?:supplier|provider|vendor|firm|contractor|agency|system|people|lot) (?:has|have|is|are|went|put|let|can't|won't|keeps?|just)", "(?:gone|went|going) (?:bust|under|into administration)|retiring|discontinu\\w+|end of life|put (?:their|the|its) prices? up|price (?:rise|hike)",
        "(?:growing|grown|taken on|taking on|new starters|new premises|got the keys|signed (?:a|the) lease|second site|expanding)", "(?:had|have had) enough of|fed up (?:with|of)|serious(?:ly)? (?:about|consider\\w*|look\\w*)", "(?:is|would) (?:that|this|it) (?:even )?(?:doable|possible|realistic|feasible|something you|too)|could you (?:do|handle|take|manage|cope|cover|supply|fit)|can you (?:do|handle|take|manage|cope|supply|cover|fit)", "(?:don't|really don't|do not) want to (?:lose|miss|wait)|what are (?:my|our|the) options|need to (?:sort|fix|decide|choose|get)",
    ),
    "de": ("(?:wir|ich) (?:brauchen|brauche|wollen|mochten|mochte|nehmen|nehme|haben uns entschieden|suchen|bestellen|planen|waren jetzt)", "(?:entschieden|beschlossen|zugesagt|angebot|auftrag|bestell\\w+|umstellen|umzug|wechseln|freigegeben|budget liegt)"),
    "fr": ("(?:il nous faut|nous voulons|on veut|nous avons (?:decide|choisi|valide)|j'ai besoin de|nous cherchons|on a (?:decide|choisi))", "(?:devis|commande\\w*|valide\\w*|signer|demarrer|changer de)"),
    "es": ("(?:necesitamos|necesito|queremos|hemos decidido|vamos a|buscamos)", "(?:presupuestos?|pedido|contrat\\w+|firmar|cambiar de|aprobad\\w+)"),
    "it": ("(?:ci serv\\w+|abbiamo deciso|vogliamo|ho bisogno|abbiamo bisogno|cerchiamo|mi serv\\w+)", "(?:preventivo|ordine|ordinare|contratto|firmare|cambiare)"),
    "pt": ("(?:preciso|precisamos|queremos|decidimos|vamos|estamos)", "(?:orcamentos?|pedido|contrat\\w+|fechar|trocar)"),
    "nl": ("(?:we|wij|ik) (?:willen|hebben (?:besloten|nodig)|heb nodig|zoeken|gaan)", "(?:offerte|bestell\\w+|opdracht|overstappen|besloten|ja gezegd)"),
}  # fmt: skip
STUCK: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "complicated|tangled?|fiddly|messy|a mess|long story|knotty|convoluted", "(?:hard|difficult|tricky|impossible|awkward) to (?:explain|type|describe|put|write|follow|show|say)", "too (?:long|much|complicated|fiddly|big) (?:to|for) (?:type|here|explain|write|a (?:tweet|comment|dm|message)|this|twitter|dm)", "(?:easier|quicker|simpler) (?:to|if) (?:\\w+ )?(?:explain|show|talk|speak|see)", "where (?:do|to|should|would) (?:i |we )?(?:even )?(?:start|begin)|(?:what|which) (?:do|should|would) (?:i|we) (?:even )?(?:do|ask|need|choose|pick|order|buy|go for)|what (?:we|i) (?:actually )?(?:need|want) (?:here|is)",
        "(?:don't|dont|do not|not|never|doesn't|no longer) (?:really |quite |even )?(?:know|understand|sure|get|see) (?:what|how|where|which|whether|if|why|who|it|that|about)", "no (?:idea|clue)|not a clue|makes? no sense|not making sense", "confus\\w+|baffl\\w+|stumped|puzzled|bewilder\\w+|overwhelm\\w+|drowning|out of my depth|over my head", "contradict\\w*|conflicting|disagree\\w*|(?:the |a )?blocker|blocked|stalemate|deadlock|stuck|bottleneck|standstill|limbo", "(?:going |round |around )in circles|back and forth|going nowhere|getting nowhere", "(?:tired|sick|fed up|weary) (?:of|with)",
        "(?:still|again) (?:no|not|can't|cannot|doesn't|won't|isn't|wrong|stuck|don't|broken|lost|nothing|getting|says|shows|comes)", "tried (?:everything|again|that|twice|it all|all|both|<n>)|every time (?:it's|i|we|something|it)", "(?:isn't|isnt|not|nothing is|never) (?:that |so |as )?(?:simple|easy|straightforward)", "(?:each|both|they) (?:\\w+ ){0,3}(?:say|says|said|tell|tells|told|blame|blames|think|waiting|want|wants) (?:\\w+ )?(?:the other|it's|something different|different)", "can't (?:agree|decide|work out|figure|make (?:sense|head)|choose|tell)", "in the middle(?! of (?:nowhere|dinner|lunch|the night))", "<n> (?:questions|comments|pages|versions|options|emails|opinions|different)", "(?:what|how) (?:would|do) you (?:recommend|suggest|advise)|advice on|which way round|how (?:it|that|this|the \\w+) (?:works|would work) (?:with|if|when|for)", "(?:does|will|would) (?:that|this|it) (?:change|affect|break|mean|matter|still|count)|what (?:are we|am i) missing|am i right|how (?:would|do|does|will|could) (?:we|i|that|this|it) (?:\\w+ )?(?:work|fit|do|handle|go|move|switch|get)", "half (?:of )?(?:the|my|our) \\w+ (?:want|think|say)|the other half", "depends (?:on|who|what)|lots? of (?:questions|moving)|a few (?:questions|things)|more questions than",
    ),
    "de": ("kompliziert|verwirr\\w+|durcheinander|wissen nicht|weiss nicht (?:wie|wo|was|ob)|keine ahnung|schwer zu erklaren|drehen uns im kreis|wo anfangen|verstehe nicht|blick nicht",),
    "fr": ("complique\\w*|perdus?|perdue|sais pas (?:par ou|comment|quoi|si)|difficile a expliquer|tourne\\w* en rond|par ou commencer|comprends (?:pas|plus)|embrouill\\w*|bloque\\w*",),
    "es": ("complicad\\w+|un lio|no (?:se|sabemos) (?:como|por donde|que|si)|dificil de explicar|por donde empezar|no entiendo|atascad\\w+",),
    "it": ("complicat\\w+|un casino|non (?:so|sappiamo) (?:come|da dove|cosa|se)|difficile da spiegare|da dove (?:cominciare|iniziare)|non capisco|bloccat\\w+",),
    "pt": ("complicad\\w+|uma confusao|nao (?:sei|sabemos) (?:como|por onde|o que|se)|dificil de explicar|por onde comecar|nao entendo|gambiarra|travad\\w+",),
    "nl": ("ingewikkeld|lastig uit te leggen|weet niet (?:hoe|waar|wat|of)|geen idee|waar beginnen|snap er niks|loop vast|gedoe",),
}  # fmt: skip
URGENT: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "urgent(?:ly)?|asap|emergency|as soon as (?:you|possible)|straight away|immediately|how (?:soon|quickly|fast)|desperate|panic\\w*", "(?:has|have|is|it's|just|it) (?:\\w+ )?(?:stopped|broke|broken|died|dead|failed|failing|seized|burst|leaking|flooded|flooding|collapsed|cracked|snapped|jammed|crashed|packed up|given up|given way|blown (?:off|down)|come off|fallen|gone down|pouring|tripping|overheating)", "(?:came|blew|fell|gave|broke|coming|pouring|dripping|leaking) (?:off|down|in|through|out|way)(?! (?:handy|here|to))", "(?:hold|nurse|keep|bodge) (?:it|them|things) (?:\\w+ )?(?:going|till|until|for|another|together)", "(?:brought|moved|pulled|pushed|dragged|put) (?:(?!on\\b)[\\w']+ ){0,5}(?:forward|back)", "if (?:we|i|they|it) (?:can't|cannot|aren't|don't|isn't|miss|lose|fail)|(?:we|i)'d (?:have to wait|lose|miss)|(?:we|i) (?:will|would|'ll) (?:lose|miss)", "(?:stopped|not|no longer) (?:answering|responding|replying)", "<n> (?:\\w+ )?(?:waiting|queued|lined up|stuck|outstanding|behind)", "let (?:us|me) down|(?:lost|losing|lose) (?:our|<n>|a|another|the) (?:\\w+ )?(?:day|client|customer|order|contract|job|season|week|month|driver|hour|sale|deposit)s?|penalt\\w+|fined|(?:a|the|hefty) fines?(?= (?:from|of|for|if)|[.,!?]|$)|costing (?:us|me)|at risk",
    ),
    "de": ("dringend|notfall|ausgefallen|schnellstmoglich|sofort|eilt",), "fr": ("urgent\\w*|en panne|au plus vite|urgence",), "es": ("urgente\\w*|averiad\\w+|cuanto antes",), "it": ("urgen\\w+|guast\\w+|prima possibile",), "pt": ("urgente\\w*|quebrou|parou|o quanto antes",), "nl": ("dringend|spoed|kapot|met spoed|zo snel mogelijk",),
}  # fmt: skip
COMPLAINT: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "refund|money back|disgrac\\w+|disgust\\w+|unacceptable|appall\\w+|ridiculous|useless|pathetic|shambles|rip-?off|ripped off|furious|fuming|livid|incompeten\\w+|outrageous|worst|scam\\w*|fraud", "(?:so|really|very|bitterly|pretty) (?:poor|angry|disappoint\\w+|unhappy|annoyed|upset|rude)|not (?:happy|impressed|good enough)|disappointed", "complain\\w*|let down", "(?:still|been) waiting (?:for|on|to hear|\\w+ weeks)|nobody (?:answers|answered|replies|replied|calls|called|came|cares|picks|bothers)|no (?:answer|reply|response|one (?:answers|replies|picks|calls|came))", "(?:over)?charged (?:me |us )?(?:twice|again|wrong)|overcharged|double charged", "(?:third|fourth|fifth) time|again and again", "(?:my|our|the) (?:wages?|pay|check|cheque|salary) (?:is|was|are) (?:\\w+ )?(?:short|late|wrong|missing)", "sort it out|talk to a human|speak to a manager", "cancel (?:my|our|the) (?:account|subscription|contract|order|membership)|never again|trading standards|ombudsman|solicitor",
    ),
    "de": ("beschwerde|unverschamt\\w*|frechheit|unmoglich|geld zuruck|enttausch\\w+|niemand (?:antwortet|meldet)|saftladen",), "fr": ("inadmissible|honteux|rembours\\w+|decu\\w*|scandale\\w*|personne ne repond|plainte|reclamation",), "es": ("inaceptable|vergonzos\\w+|reembols\\w+|decepcionad\\w+|nadie (?:responde|contesta)|queja|reclamacion",),
    "it": ("inaccettabile|vergogn\\w+|rimbors\\w+|delus\\w+|nessuno risponde|reclamo",), "pt": ("inaceitavel|vergonh\\w+|reembols\\w+|decepcionad\\w+|ninguem responde|reclamacao",), "nl": ("onacceptabel|schandalig|geld terug|teleurgesteld|niemand (?:reageert|antwoordt)|klacht",),
}  # fmt: skip

# --- who they are ---------------------------------------------------------------------------------------------

# Somebody who wants something else than to buy: work, an interview, a story, our money, our custom, our savings.
NO_BUYER: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "(?:used to |i |i've )?work(?:ed)? (?:for|at) (?:you|here|there|this lot|them)|ex-employee|unpaid (?:wages|overtime|shifts|\\w+days)", "do you (?:need|want) (?:\\w+ )?(?:staff|cover|freelancers?|help with|teachers?|drivers?|writers?|designers?|developers?)|available for (?:work|cover|hire|freelance)", "(?:any|your) (?:jobs|vacanc\\w+|shifts|openings)(?! (?:site|sheet|number|done|well|you|left))|jobs? going|(?:a|for) job (?:with|at) you|vacanc\\w+|apprenticeships?|internships?|work experience|my cv|my resume|cv (?:attached|sent)|are you hiring|you hiring|still hiring|sent (?:in |you )?(?:my |a |the )?(?:cv|resume)", "i(?:'ve| have)? (?:already )?(?:applied|registered|register)\\b|i (?:can|could) start (?:monday|tomorrow|immediately|straight|today|asap|now)|(?:looking|searching) for (?:work|a job|a role|a position)|(?:reach|forklift|hgv) licen[cs]e",
        "dissertation|thesis|coursework|my (?:phd|msc|degree|professor|course|class|tutor)|(?:school|university|college|uni) project|consent form|(?:interview|survey|questionnaire|research) (?:participants|someone|you|for my|for our|with your|about your)|for my (?:research|project|studies)", "call for papers|abstracts", "(?:writing|doing|working on|researching) (?:a|an|my) (?:\\w+ )?(?:piece|article|story|feature|column|report|podcast)|journalist|reporter|press office|for comment|on the record|(?:my|our) (?:podcast|listeners|readers|viewers|editor)|guest on", "sponsor (?:our|us|the|my|a)|sponsorship|raffle|(?:donate|donation)(?! (?:platform|software|page))|charity (?:run|ride|auction|match)|exhibitor|(?:stand|booth|speaker) packages?|delegates",
        "(?:we|we've|we have|i|i've) help(?:ed)? (?:\\w+ ){1,3}(?:just )?like you(?:rs)?", "book (?:\\d+|more|extra|you) (?:\\w+ )?(?:demos|meetings|appointments|leads)", "you (?:might|may|could) be leaving on the table", "(?:i|we)(?:'ve| have) (?:some |a few |an )?ideas? (?:for|on|about) (?:how|where) you\\b", "(?:our|my) (?:packages|agency|candidates|rates|rate card|media pack|product range)|what we offer|(?:we|i) (?:can |could )?(?:help|specialise|specialize|offer|provide|guarantee|place|supply) (?:\\w+ ){0,2}(?:you|your|companies|brands|businesses|firms|teams|clients)(?! out)|introduce (?:myself|ourselves|what)|page (?:1|one) of google|your (?:website|seo|rankings?|traffic|followers|online presence)|seo|backlinks|influencer|affiliate|collab\\w*|guest post|promote (?:your|you)|grow your|scale your|partnership opportunit\\w+|would you stock|become a (?:supplier|stockist|partner)|(?:free|complimentary) audit",
        "invoice ~(?:overdue|unpaid|outstanding|not paid|unsettled|past due)|(?:overdue|unpaid|outstanding) (?:invoice|balance|payment)|(?:days?|weeks?|months?) overdue|(?:when will|chasing) ~(?:paid|payment)|remittance|still (?:showing )?unpaid|accounts payable",
        "wallet|crypto|bitcoin|forex|my mentor|giveaway|claim your|kindly (?:call|reply|contact|dm|send|click|provide)|dear (?:customer|user|sir|friend)|validat(?:e|ion)|you have won|click here|financial freedom|earn (?:\\w+ ){0,2}(?:daily|weekly|monthly)",
        "(?:great|superb|strong|excellent|some|our) candidates|recruit(?:ment|er|ing) (?:agency|partner|consultant)|talent (?:pool|partner)",
    ),
    "de": ("bewerb\\w+|stellenangebot\\w*|praktikum|ausbildungsplatz|lebenslauf|bachelorarbeit|masterarbeit|umfrage|presse|journalist\\w*|redaktion|offene rechnung|mahnung|sponsor\\w*|wir bieten ihnen",), "fr": ("(?:pour|ecris|prepare) (?:un|mon) (?:papier|article|reportage|sujet)|candidature|stage (?:de|en|chez)|alternance|mon cv|mon memoire|ma these|journaliste|redaction|facture impayee|relance|parrain\\w*|sponsor\\w*|nous proposons",), "es": ("encajaria (?:\\w+ )?bien con (?:vosotros|ustedes)|disponibilidad inmediata|curriculum|practicas|empleo|trabajo (?:para|de) |tesis|tfg|periodista|factura (?:pendiente|impagada)|patrocin\\w+|ofrecemos",),
    "it": ("curriculum|candidatura|tirocinio|tesi|giornalista|fattura (?:scaduta|insoluta)|sponsor\\w*|offriamo",), "pt": ("curriculo|estagio|vagas?|tcc|dissertacao|jornalista|fatura (?:vencida|em atraso)|patrocin\\w+|oferecemos",), "nl": ("sollicit\\w+|vacature\\w*|stageplek|scriptie|journalist|openstaande factuur|sponsor\\w*|wij bieden",),
}  # fmt: skip
NO_BUYER_BIO: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "student(?! housing| lettings| accommodation| loans)|undergrad\\w*|(?:bsc|msc|phd|mba|ba) (?:\\w+ )?(?:student|candidate|\\w+)?|dissertation|recruit(?:er|ment|ing)|headhunter|talent (?:partner|acquisition)|journalist|reporter|correspondent|editor at|newsroom|podcast(?:er| host)|influencer|content creator|ugc|seo|lead gen\\w*|growth (?:hacker|agency|marketer)|helping (?:\\w+ ){1,3}(?:grow|scale|\\d+x)|(?:financial|freedom|mindset|wealth) (?:freedom )?coach|crypto|forex|giveaways?|financial freedom|official support|support desk|help ?desk|verified support|parody|fan account",
        "(?:i|we) help (?:\\w+ ){1,4}(?:grow|scale|\\d+x|book|win|double)|we fill the (?:calendars?|pipelines?)|en busqueda activa|auf jobsuche|en recherche (?:d'emploi|active)|op zoek naar (?:werk|een baan)|journaliste|periodista|giornalista|jornalista",
        "to the trade|trade (?:hire|supplier)|jobseeker|open to work|seeking (?:work|roles)|looking for (?:work|a role)",
    ),
}  # fmt: skip
JOKE: Final[Mapping[str, tuple[str, ...]]] = {"en": ("lol|lmao|haha\\w*|jk|just kidding|asking for a friend|call me maybe|her agent|his agent|their agent|as if|yeah right|oh great|/s",)}  # fmt: skip
WRONG: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("wrong (?:account|company|person|handle|one|number|tag)|(?:meant|intended) (?:for|to tag) (?:someone|somebody|another|the other)|(?:oops|omg|ah|whoops)(?: so)? sorry|my flight|please ignore|my (?:bad|mistake)(?: sorry| lol)?",),
}  # fmt: skip
