"""The words and phrases that `signals` looks for, per language, written as people write them.

A phrase is words with a space between them, in lower case and without accents. `a|b` is either word, `a|` is a or
nothing, `*` is any one word, `^` at the beginning is the beginning of a sentence. Where several phrases begin at one word
the longest one counts, and what lies inside it is not looked at again: so a phrase under IGNORE keeps a shorter one from
being seen ("no problem", "they call me"). Tender ground has tables of its own (`tender.py`).

A yes is no last polite word: it may be what we asked for.
"""

from __future__ import annotations

from collections.abc import Mapping

IGNORE, ASKS, REQUESTS, PROBLEM, TALK, PRICE, CLOSE, SOLVED, CHAT, BROADCAST, FAILED, UNREACHED, PRAISE, RHETORIC, PITCH, KUDOS = (
    "ignore", "asks", "requests", "problem", "wants_talk", "asks_price", "polite_close", "solved", "chat", "broadcast", "failed", "unreached", "praise", "rhetoric", "pitch", "kudos",
)  # fmt: skip

ENGLISH: Mapping[str, tuple[str, ...]] = {
    IGNORE: (
        "no problem|problems|prob|probs|issue|issues", "not a|an problem|issue", "without|any a| problem|problems|issue|issues",
        "not bad", "no worries", "no complaints", "not broken", "problem solved", "error free",
        "they|people|friends|everyone|everybody|folks|kids|you|u|to|he|she|who call|calls|called me", "call|calls me crazy|maybe|old|names|a|an",
        "don't|dont|never|not|stop|please|stop call|calling me", "do not call me", "no|not|stop|don't|dont calls|call please|",
        "can't|cannot|couldn't|cant|won't|wouldn't call", "on|in a|the phone call", "nice|great|good|pleased|lovely to meet|chat|speak|talk", "great|good|nice price|prices|pricing", "cost me", "costs me", "worth the price",
        "how much i|we|they|you|fun|better|worse|longer|more", "how much can|could|weight|space|room|time|load|luggage|power|storage|data|bandwidth|memory",
        "how much does|do it|they|this|that|the|a| * weigh|hold|carry|pull|take", "no matter how much", "you have no idea how much",
        "at all costs", "cost of living", "price of fame", "thanks for nothing",
        "no|not need to reply|answer", "don't|dont worry", "not|don't|dont need help", "why not", "no idea why",
        "thank you|u in advance", "thanks|thx|ty in advance", "thanks but", "thank you but", "is|was trump", "sick of|and|to|leave|note|day|days|pay|with|from|after|for|since", "fixed it for",
        "fell in love with", "a fan of", "no luck|joy with|in|on|at|for", "no change|changes|improvement|improvements needed|required|necessary", "no change|difference between|in|of|there|to", "never disappoint|disappoints|disappointed",
    ),
    CHAT: (
        "how are|r you|u|ya", "how are|r you|u doing|today|all|keeping", "how's it going", "how is it going", "hows it going",
        "what's|whats|sup up", "sup", "how do you do", "you ok|okay|alright", "right", "really", "seriously", "isn't it",
        "amirite", "who knew", "who knows", "am i right", "know what i mean", "can|could you|u believe it|this|that",
        "are|r you|u kidding|serious|joking|for|| me|real|", "how|isn't cool|great|awesome|nice is that|this|it", "guess what",
        "eh", "huh", "hello", "hi", "hey", "hi there", "hey there", "good morning|evening|afternoon",
    ),
    ASKS: (
        "^ how do|can|could|would|should|does|did|is|are|long|often|many|far|to|come|about", "^ what is|are|do|does|did|was|time|about|kind|should|would|happened|if",
        "^ what's|whats|hows|how's|when's|where's|wheres|who's|whos", "^ where is|are|can|do|does|did|should|to", "^ when is|are|will|can|do|does|did|should",
        "^ why is|are|do|does|did|can't|cant|isn't|isnt|don't|dont|won't|wont|am|would|has|have", "^ who is|are|do|does|can|should",
        "^ which *", "^ is|are there|this|that|it|you|your|the", "^ do|does|did you|u|your|the|this|it|anyone|anybody", "^ can|could|may|should i|we",
        "^ will there|you|it|this|the", "^ has|have anyone|anybody|you", "^ any idea|ideas|update|updates|news|chance|eta|luck|word|plans",
        "anyone|anybody know", "does|do anyone|anybody know", "do you|u know", "wondering if|whether|how|what|when|why|where",
        "i|we wonder|wondered if|whether", "curious if|whether|how|what", "not sure if|how|what|whether|why", "how do|can|does|should i|we|it|you|one",
        "can you|u tell|explain|confirm|clarify", "could you|u tell|explain|confirm|clarify", "let me know if|how|what|when|why|where|whether",
        "have|got|i've|quick|a|another| question|questions for|about|on|regarding", "quick question", "any idea|ideas when|why|how|what|where|if",
        "so|and|but|or can|could|should|will|do|does|is|are i|you|we|it|there|they", "which * is|are|was that|this|it|those|these", "what should|can|do i", "when will|can|do|does|is|are you|i|we|it|the|this|that", "why is|are|does|do|did|can't|cant|won't|isn't my|the|it|this|you|i|your",
    ),
    REQUESTS: (
        ("please|pls|plz|plss|kindly help|fix|send|check|advise|assist|reply|respond|answer|tell|let|add|make|bring|update|contact|explain|confirm|look|sort|resolve|dm|follow|"
        "call|give|provide|share|do|change|cancel|refund|remove|stop|get|come|consider|email|message|investigate|release|restock|support|allow|show"),
        "help|fix|sort|resolve|assist please|pls|plz", ("can|could|would|will you|u|someone|somebody|anyone|anybody please|pls|plz| help|fix|send|check|add|make|look|bring|share|update|assist|sort|get|give|show|contact|dm|"
        "change|cancel|refund|remove|put|provide|let|email|message|follow|reply|respond|do|resolve"),
        "need|needs|want|require|get some|any|your|| help|assistance|support", "need to|a speak|talk|know|return|exchange|cancel|change|replacement|update|reply|response|answer",
        "get|got|have|want|need this|it|that|these|my fixed|sorted|resolved|solved", "help me", "help us", "help with", "send|email|mail|dm|message me|us", "let me|us know", "get back to me|us", "looking for|forward to hear|hearing",
        "looking for|to a|an|some|any|the|buy|book|order|find|get|replace|switch", "i'd|id|would|i'd|we'd like|love to *", "i|we want|need to *",
        "i|we want|need my|a|an|the|some|this|your", "any|some recommendations|suggestions|advice|tips", "can|could|may i|we please|| get|have|order|book|return|change|cancel|speak|use|pay|buy",
        "fix this|it|your|the", "bring back", "please *", "pls *", "plz *", "awaiting|await|waiting|wait for|on|| your|a|| reply|response|answer",
        "check your|ur|the|my dm|dms|inbox|messages|email", "give me|us *", "tell me|us *", "respond|reply to my|me|this|our",
        "recommend a|an|any|some|something", "sign me up", "count me in", "i'm|im|am|we're interested in", "interested in *",
    ),
    PROBLEM: (
        "sick of this|it|being|your|the|waiting|that|all|these|calling|paying", "not|isn't|isnt|ain't|aint|never|stopped|won't|wont|wasn't|aren't|arent working|loading|opening|connecting|charging|responding|syncing|updating|playing",
        "doesn't|doesnt|don't|dont|didn't|didnt|won't|wont|not|never work|load|open|connect|charge|respond|sync|update|play|show|arrive|start|turn|let|recognize|recognise",
        "can't|cant|cannot|couldn't|couldnt|unable to| log|login|sign|access|open|connect|use|find|get|play|pay|book|download|update|install|see|hear|check|reset|load|reach|listen|watch|view|submit|complete",
        "not|isn't|isnt|stopped|won't working|work again|now|yet|properly|anymore|either|fine|well", "broken", "broke", "breaks", "bug", "bugs", "buggy", "glitch", "glitches", "glitchy", "glitching", "crash", "crashes", "crashed", "crashing", "freezes", "freezing", "frozen",
        "error|errors", "failed", "fails", "failing", "failure", "outage", "faulty", "defective", "damaged", "malfunction", "malfunctioning",
        "problem|problems", "issue|issues", "trouble|troubles", "complaint", "complaints", "refund", "refunded", "overcharged", "double charged", "charged twice",
        "never received|got|arrived|came|showed|delivered|replied|responded", "didn't|didnt|haven't|havent|hasn't|hasnt|not receive|received|get|got|arrive|arrived|come|delivered|replied|responded|refunded",
        "still waiting|not|no|nothing|broken|down|haven't|havent|hasn't|hasnt|can't|cant|doesn't|doesnt|isn't|isnt|won't|wont|having|getting|happening|says|down",
        "lost my|our|luggage|bag|bags", "missing", "wrong item|order|size|charge|product|address|one|info|information|date", "late again", "hours late", "delayed", "cancelled|canceled flight|my|again|our",
        "flight cancelled|canceled|delayed", "worst", "terrible", "horrible", "awful", "pathetic", "disgusting", "disgusted", "unacceptable", "ridiculous", "appalling", "shocking", "shameful", "disgrace",
        "disappointed", "disappointing", "frustrated", "frustrating", "furious", "annoyed", "annoying", "fed up", "joke of", "is a joke", "useless", "rude", "scam", "scammed", "ripped off", "rip off",
        "sucks", "suck", "so bad", "wtf", "ffs", "poor|bad|terrible|horrible|awful|zero|no customer|| service|support|experience|communication", "on hold for", "hold for", "hung up on", "no one|response|answer|reply|help|internet|service|signal|wifi|connection|power",
        "nobody|noone picks|picked|picking up", "nobody|noone answers|answered|replies|replied|responds|responded|helps|helped|called|cares", "been|is|are|went|goes|keeps|site|app|website|server|servers down", "keep|keeps|kept *ing|crashing|getting|saying|dropping|freezing|failing|logging|telling|disconnecting|buffering|stopping",
        "drops|dropping calls|out|connection", "slow internet|speed|speeds|service|wifi", "so|very|too|super|extremely slow", "waste of", "thanks for nothing", "stolen", "hacked", "locked out", "stuck on|at|in", "stranded",
        "let me|us down", "not|never|hasn't|hasnt|haven't|isn't|isnt|wasn't been|yet|| fixed|resolved|solved|sorted", "no longer works|working|available", "cancelling|canceling|leaving my|your|you", "switching to", "out of order", "leaking", "leaks", "ruined", "misleading", "lied", "lies", "charged me|us for|again|twice",
    ),
    TALK: (
        "have|do a|another|our quick|short|brief|first|| call|meeting|chat|demo", "call|phone|ring me", "give me|us a call|ring|bell|buzz", "give you|u a call|ring", "call|phone|ring me|us back|please|asap|tomorrow|today|on|at|when|anytime|later",
        "can|could|may|shall|should we|i|you|u|someone|somebody|anyone please|| call|phone|ring|talk|meet", "can|could|shall|should we|i please|| speak|chat to|with|about|over|on|by *",
        "can|could|shall we speak|chat", "can|could|would|will you|u|someone|somebody please|| call|phone|ring me|us|back", "let's|lets|let us talk|meet|speak|catch|hop|jump|set|schedule|arrange|discuss|connect",
        "hop|jump|get on|onto a|the quick|short|brief|| call|phone|zoom|chat", "on a quick|short|brief|| call", "schedule|arrange|book|organise|organize|plan|setup a|an|another|some|the| quick|short|video|phone| call|meeting|demo|appointment|chat|consultation|time|viewing|visit",
        "set up a|an|another|some|the| quick|short|video|phone| call|meeting|demo|appointment|chat|consultation|time|visit", "set|fix a time|date", "get|have|see|request|like|love|want|need a|your|the| quick|live| demo|walkthrough|consultation",
        "speak|talk to|with someone|somebody|sales|you|a|an|your|one|the human|person|rep|representative|agent|advisor|team|manager|real|live|sales|in|| person|", "talk|speak|chat|discuss|connect on|over|by|via the phone|telephone|zoom|teams|skype|video",
        "talk|speak|chat|discuss over|by phone|coffee|lunch|zoom|telephone|drinks|dinner|breakfast", "grab|get a| coffee|lunch|drinks|dinner|breakfast|beer|drink", "meet|catch up| for|over a| coffee|lunch|drinks|dinner|breakfast|beer|drink", "free|available|time|open for|to a|have|| quick|short|| call|chat|talk|meet|speak|meeting|coffee",
        "my phone|cell|mobile|| number is|again", "reach me|us on|at|by *", "prefer to|a talk|speak|call|phone|meet", "rather talk|speak|meet", "easier|better to talk|speak|call|meet", "easier|better over|by|on|to the| phone",
        "happy|glad|keen|love|like|want|need to talk|speak|meet|call|chat to|with|in|about|on|over|you|this|further", "when can|could|should|shall we|i|you talk|speak|meet|chat|call|visit", "when are you free|available",
        "happy|glad|keen to talk|meet|chat|discuss", "meet up|in person|for|at|on", "pop|drop|stop|come by|in|over to|and|for see|talk|chat|discuss|a *", "what number|time|times can|works|suits|is|would|should i|you|for|best|to *",
        "best number to", "five|ten|fifteen|5|10|15|20|30 minutes|mins|min to|for *", "a video|phone|zoom|quick call", "quick chat|word", "like|want|need|ask|have|get you|someone|somebody|* to| call|phone|ring me|us",
    ),
    PRICE: (
        "how much", "how much is|are|does|do|for|would|will|to|it|this|the *", "what's|whats|what is|are|the|your| price|pricing|cost|costs|rate|rates|fee|fees|prices", "what's|whats|what is|are the|your|| price|pricing|cost|costs|rate|rates|fee|fees|prices",
        "what do|does|would|will you|it|this|that|one|the charge|cost|costs", "pricing", "price list|range|for|tag|point|of", "your|for|on|the|any prices", "prices for|on|of|please", "a|your|an rough|ballpark|| quote|quotation|estimate", "cost|costs of|for|per|to", "does|will|would|do|it|this|that it|this|that|they|| cost",
        "how|too expensive", "any|some|get|there a|| discount|discounts|deals|offers", "discount|promo|coupon code|codes", "free trial|plan", "within budget", "our|my budget",
    ),
    CLOSE: (
        "thanks", "thank|thanx|thnx you|u|ya|", "thx", "thnx", "tnx", "ty", "tysm", "tyvm", "thank|thanks you|u|| so|very|a much|lot|bunch|million|ton", "thank you|u so|very much", "thanks again|guys|all|everyone|anyway|anyways|man|mate|though|y'all|tho",
        "cheers", "much|really|i|greatly|so appreciated|appreciate it|that|this|you|u|the|your|| help|assistance|response|reply|quick|", "appreciate|appreciated it|that|you|the|your|| help|", "will do", "i'll|ill do|try that|this|it|", "i will do|try that|this|it|", "ok", "okay", "k", "kk", "okey", "oki", "alright", "all good|right|set|sorted", "sounds good|great|like perfect|",
        "got it|ya|cha", "gotcha", "noted", "understood", "perfect", "great", "awesome", "cool", "nice", "lovely", "brilliant", "fantastic", "excellent", "amazing", "wonderful", "sweet", "good", "love|loved it|this|that|you|u|your|", "you|u rock|rule", "you're|youre|ur|your the|a| best|star|welcome|awesome|amazing|great", "you are the|a| best|star|welcome|awesome|amazing|great",
        "dm|dms|pm|message|email|info|it|details|messaged|mail sent", "sent|sending|replied|done|responded a|you|u|the|it|via|in|to|through|| dm|pm|message|email|you|in|dms|it|| now|dm|", "dm'd|dmed|dmd|dm'ed|messaged|pm'd|emailed|pmed you|u|", "i've|i|ive just|have|| sent|replied|done|dm'd|dmed|messaged it|you|u|a|the|that|to|| dm|message|email|pm|",
        "done", "check dm|dms", "have|had a good|great|nice|lovely|wonderful one|day|night|evening|weekend|time", "good night|evening|morning|day|luck", "see you|u|ya there|soon|then|", "bye", "goodbye", "take care", "same to you", "you too", "u too", "no worries", "no problem|prob", "np",
        "congrats", "congratulations", "lol", "haha", "hahaha", "lmao", "yay", "wow", "me too", "same", "same here", "well done|said", "good to|job|work|stuff know|one|", "great|good|excellent|amazing|fantastic|awesome|outstanding|best service|job|work|support|help|news|idea|response|stuff|customer service|", "happy|merry birthday|friday|monday|new|christmas|holidays year|", "welcome", "my pleasure", "no|thanks thanks|problem",
        "fingers crossed", "on it", "on my way", "following|followed now|you|", "i'll|ill|will|i keep|let you|u posted|know|",
    ),
    SOLVED: (
        "never mind", "nevermind", "nvm", "it|that|this|everything|all|problem|issue|its|it's|is|now|got|been|has|already|finally sorted|resolved|solved|fixed", "it|everything|all|that|app|is|it's|its now|| works|working now|again|fine|perfectly|great|well",
        "works|working now|again|fine|perfectly", "figured it|this|that out", "got it working|sorted|fixed|resolved|to work", "all sorted|fixed|resolved|working", "that|this worked", "that|this|it did the trick", "problem|issue solved|fixed|resolved|sorted", "no|not need to reply|answer", "is|are|it's|its back up|online|working",
        "sorted now|thanks", "fixed now|thanks", "resolved now|thanks", "found it|that|them myself|already|now|eventually", "found it|that|them in the end", "my own|| bad|mistake|fault|stupidity", "user error",
        "it|that|this really|actually|only|just|| was the|my|a cable|plug|battery|switch|router|fuse|charger|adapter|browser|phone", "all is|| forgiven",
    ),
    # What was tried or promised did not help, however politely that is said.
    FAILED: (
        "did|does|has|have not really|actually|| help|helped|helping|fix|fixed|solve|solved|work|worked|change|changed|arrived|come",
        "didn't|didnt|doesn't|doesnt|hasn't|hasnt|haven't|havent really|actually|| help|helped|fix|fixed|solve|solved|work|worked|change|changed|arrived|come",
        "no luck|joy|change|improvement|difference", "makes|made no difference", "same problem|issue|error|thing|result|again", "still the|exactly|| same|broken|black|dead|stuck|offline|nothing|not|no",
        "nothing has|is|| arrived|changed|happened|happens|come|improved", "not fixed|solved|resolved|helpful|arrived", "to no avail",
    ),
    # They rang, and nobody was there: of a call, and no wish for one.
    # Who wants to sell us something, or to be seen: whatever they ask of us.
    PITCH: (
        "we|i help brands|businesses|companies|shops|stores|studios|agencies|salons|restaurants|coaches|founders|owners|clinics|practices|hotels|gyms|cafes|creators get|grow|scale|book|find|double|increase|reach|win",
        "we|i help brands|businesses|companies|shops|stores|studios|agencies|salons|restaurants|coaches|founders|owners|clinics|practices|hotels|gyms|cafes|creators like yours|you *",
        "book|bring|get|send|deliver|generate you * qualified|verified|new leads|demos|clients|customers|members|patients|appointments|buyers", "verified email|mail list|lists",
        "database of|with * buyers|importers|leads", "database of|with * * buyers|importers|leads", "mind if i send|share|show you|over a quick|short|free video|audit|demo|deck", "or you don't|dont pay",
        "we offer * training|services|solutions for your", "we offer * * training|services|solutions for your", "reply yes", "sub|subscribe to me", "sub|follow you|u|| back", "i follow|sub back", "sub for sub", "follow for follow",
        "sub4sub", "follow4follow", "gifted only|stay|collab|collaboration",
    ),
    # Praise for somebody who has mended something: what was broken is no problem any more.
    KUDOS: (
        "^ shout out|outs to * who", "^ shout out|outs to * * who", "^ shout out|outs to * * * who", "^ shoutout|shoutouts|kudos|props to * who", "^ shoutout|shoutouts|kudos|props to * * who", "^ shoutout|shoutouts|kudos|props to * * * who",
        "^ hats off to * who", "^ hats off to * * who", "^ big|huge|massive shoutout|props|kudos|thanks to * who", "^ big|huge|massive shoutout|props|kudos|thanks to * * who",
    ),
    UNREACHED: (
        "when|whenever|time|times i|we|you call|called|ring|rang|phone|phoned", "goes|went|going straight|right|| to voicemail|answerphone", "just rings|rang out",
    ),
    # Questions that are none: an exclamation, or a wink to everybody.
    RHETORIC: (
        "^ killer|sick|wicked|dope *",
        "^ what's|whats not to love|like", "^ how cool|cute|beautiful|good|great|awesome|amazing|gorgeous|lovely|adorable|stunning|sweet|pretty|lucky|fun is|are this|that|he|she|we|i|these|those", "how|isn't cool|great|awesome|nice is that|this|it",
        "^ what more could|can|do you|we|anyone|one possibly|| want|need|ask", "^ who doesn't|doesnt|wouldn't|wouldnt love|like|want|enjoy",
        "^ who's|whos else|| with me|us", "^ who's|whos else|| excited|ready|hungry", "^ anyone|anybody|who else|| excited|obsessed|loving|ready for",
        "^ am i the only one who|that loves|adores|cries|cried|laughed", "^ where have|has you|this|it|these been all|my my|whole life", "^ can|could this|it|today|life day|| get|be any better|cuter|prettier|cooler|sweeter",
        "^ is it friday|saturday|christmas|summer|spring|weekend|monday yet|already", "need i say more", "^ isn't|isnt|aren't|arent she|he|it|this|that|they just|so|| lovely|beautiful|gorgeous|cute|adorable|stunning|amazing|great",
        "^ did someone|somebody say *", "^ guess who's|whos back", "^ why are|is you|they|these|this|it so good|cute|beautiful|amazing|talented|pretty|perfect|adorable",
        "^ why didn't|didnt i|we buy|get|find|discover|try this|these|it|one|you sooner|earlier|before", "^ is there anything better than",
    ),
    # Advertising, games of chance and what apps post by themselves.
    BROADCAST: (
        "link in bio|my|the|our bio|profile|", "links in bio", "giveaway", "give away time|alert", "like|follow|share|retweet|rt and|to|& follow|share|like|retweet|rt|win|tag", "retweet to|and|if", "rt to|if *", "tag a|two|three|your friend|friends", "use|with code|promo *",
        "now|currently playing|streaming|live|hiring", "out now on|everywhere", "live now", "sign up now|today", "register now|today|here", "order|buy|shop|book|call|join|apply|subscribe now|today", "limited time offer|only", "ends tonight|today|soon", "check out my|our|the|this|new",
        "i liked|posted|uploaded a|an video|photo", "just posted a photo|video", "i've|i just|have|| earned|unlocked|completed|reached the|a|level *", "my top artists|tracks", "daily horoscope", "we're|we are hiring", "job alert|opening|openings|offer", "dm me|us for|to details|info|prices|order|collab|promo|collaborate|become|work", "get verified|followers", "free webinar|ebook|download",
        "new blog|video|episode|post|article|podcast post|out|up|is|on|now|live|online|", "i'm|im at * http", "price of btc|bitcoin|eth|gold", "build * passed|failed", "sponsored", "breaking news|",
    ),
}  # fmt: skip

GERMAN: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("kein problem", "keine probleme|ursache", "ohne probleme", "ruf|rufen|rufe mich|sie nicht an"),
    CHAT: ("wie geht's|gehts|geht es|| dir|euch|ihnen|", "echt", "oder", "na", "hallo", "guten morgen|tag|abend"),
    ASKS: ("^ wie kann|lange|oft|viele|komme|geht|funktioniert", "^ wann *", "^ warum *", "^ wieso *", "^ weshalb *", "^ wo kann|ist|gibt|finde", "^ welche|welcher|welches *", "^ kann|konnte|konnt|konnen ich|man|ihr|sie|mir", "^ gibt es", "^ habt ihr", "^ haben sie", "weiss|weiß jemand", "ich wurde|mochte gerne|| wissen", "eine|noch frage"),
    REQUESTS: ("bitte *", "brauche|brauchen hilfe|eure|ihre|dringend", "helft mir", "ich mochte|will|brauche|hatte *", "konnt|konnen|kannst|konntet|konnten ihr|sie|du mir|bitte|das|uns", "meldet|melden euch|sie", "um antwort|ruckmeldung|hilfe", "schickt|schicken mir|sie"),
    PROBLEM: ("kam|kamen|kommt|kommen ohne * an", "ohne * angekommen|geliefert|verschickt", "kommt|kommen|kam|kamen nicht|nichts|nie|leer|kaputt|beschadigt an", "funktioniert|geht|klappt|ladt|startet nicht|nix", "funktioniert|geht|klappt * nicht|nix", "kaputt", "defekt", "fehler", "fehlermeldung", "problem", "probleme", "storung", "ausfall", "beschwerde", "reklamation", "schlecht", "schlechter", "katastrophe", "unverschamt", "unverschamtheit", "frechheit", "enttauscht", "enttauschend", "seit tagen|wochen|stunden", "immer noch nicht|kein|keine", "nicht angekommen|erhalten|bekommen|geliefert|erreichbar", "sturzt ab", "verspatung", "abzocke", "erstattung"),
    TALK: ("ruf|rufen|rufe|ruft mich|uns|sie bitte|| an|mich", "ruf|rufen sie|| mich|uns bitte|| an", "mich|uns bitte|| anrufen|zuruckrufen", "telefonieren", "kurz|mal telefonieren|sprechen", "termin vereinbaren|ausmachen|machen|buchen", "einen termin", "um ruckruf", "treffen wir uns", "uns treffen", "demo vereinbaren|buchen", "personlich sprechen", "mit jemandem|ihnen|euch sprechen"),
    PRICE: ("was kostet|kosten *", "wie viel|teuer|hoch kostet|ist|sind|", "wieviel kostet", "preis", "preise", "preisliste", "angebot fur|machen|schicken|erstellen", "rabatt", "kosten fur"),
    CLOSE: ("per|als pn|dm|mail|nachricht geschickt|gesendet|verschickt", "hab|habe|habs euch|dir|ihnen|| per|als|eine|ne|| pn|dm|mail|nachricht geschickt|geschrieben", "schade", "schade aber danke", "danke fur die|den|eure|ihre|deine info|infos|antwort|auskunft|hilfe|ruckmeldung|", "trotzdem danke", "danke trotzdem", "ich freue|freu mich|| drauf|darauf|", "danke", "danke|vielen|besten|herzlichen schon|sehr|dank|dir|euch|ihnen|", "dankeschon", "merci", "alles klar|gut", "super", "prima", "toll", "klasse", "perfekt", "gerne", "gern geschehen", "mache ich", "mach ich", "schonen tag|abend|noch", "schones wochenende", "bis bald|dann|morgen", "tschuss", "erledigt", "passt", "ok", "freut mich", "pn|dm ist raus|geschickt|gesendet"),
    SOLVED: ("lag an mir|meinem|meiner", "mein fehler", "mein eigener fehler", "schon gefunden", "hat|habs|habe selbst gefunden", "hat sich erledigt", "geht|funktioniert|klappt|lauft jetzt|wieder", "problem gelost|behoben", "ist gelost|behoben"),
    FAILED: ("hat|haben|hats leider|aber|auch|trotzdem|| nicht|nichts|nix geholfen|gebracht|geklappt|funktioniert|genutzt|geandert", "bringt|hilft leider|aber|auch|| nicht|nichts|nix", "nichts|nix gebracht|geandert|angekommen", "immer|weiterhin noch|| dasselbe|gleiche|kaputt", "ohne erfolg"),
    PRAISE: ("so|sehr|| glucklich|happy", "herrlich", "traumhaft", "wunderschon", "begeistert", "verliebt", "ich|wir liebe|lieben *", "richtig|so|sehr|total schon", "schon geworden", "weiter so", "sehr gelungen|lecker"),
}  # fmt: skip

FRENCH: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("^ quelle belle|bonne|chance|joie|super|aventure|equipe|merveille *|", "^ quel beau|bonheur|plaisir|talent|super|accueil|spectacle *|", "pas de probleme|souci", "sans probleme|souci", "aucun probleme|souci"),
    CHAT: ("ca va", "comment ca|allez va|vous", "bonjour", "salut", "bonsoir", "n'est ce pas", "n'est-ce pas", "hein", "vraiment"),
    ASKS: ("^ comment *", "^ quand *", "^ pourquoi *", "^ ou est|sont|puis|peut", "^ quel|quelle|quels|quelles *", "^ est ce que|qu'il|qu'on", "est ce que|qu'il|possible", "^ avez vous", "^ pouvez vous", "quelqu'un sait", "je voudrais|aimerais savoir", "une question", "savez vous"),
    REQUESTS: ("s'il vous|te plait", "svp", "stp", "merci de *", "besoin d'aide", "aidez moi|nous", "j'ai besoin", "je voudrais|souhaite|veux|souhaiterais|aimerais *", "pouvez|pourriez|peux vous|tu *", "repondez moi|nous|svp", "envoyez moi|nous", "contactez moi"),
    PROBLEM: ("arrive|arrivee|recu|recue sans *", "arrive|arrivee vide|casse|cassee|abime|abimee|ouvert|ouverte", "ne fonctionne|marche|fonctionnent pas|plus", "marche|fonctionne pas|plus", "en panne", "panne", "bug", "erreur", "probleme", "problemes", "souci", "soucis", "casse", "decu", "decue", "inadmissible", "scandaleux", "honteux", "inacceptable", "lamentable", "toujours pas|rien|aucune", "pas recu|livre|arrive", "jamais recu|repondu", "remboursement", "rembourser", "arnaque", "retard", "reclamation", "impossible de *"),
    TALK: ("appelez|appelle|rappelez|rappelle moi|nous", "m'appeler", "me rappeler|appeler|telephoner", "peut on s'appeler|parler|discuter|rencontrer", "on s'appelle|peut", "prendre rendez|rdv vous|", "un rendez vous", "fixer|caler un rdv|rendez|appel", "par telephone", "de vive voix", "une demo", "parler a|avec quelqu'un|un|vous"),
    PRICE: ("combien coute|ca|cela|pour|", "quel est le prix|tarif", "vos|les|le|un|des tarif|tarifs|prix|devis", "tarifs", "tarif", "devis", "prix", "reduction", "code promo"),
    CLOSE: ("c'est fait|envoye", "envoye|envoyee en|par mp|dm|mail|message|prive", "dommage", "tant pis", "merci quand meme", "merci pour l'accueil|info|infos|information|reponse|aide", "merci", "merci beaucoup|bien|infiniment|a", "merci pour votre|ta|la|l'|tout|", "d'accord", "ok", "parfait", "super", "genial", "top", "tres bien", "bien recu", "c'est note|fait|bon", "entendu", "avec plaisir", "de rien", "bonne journee|soiree|continuation|nuit", "bon week|weekend end|", "a bientot|demain", "au revoir", "je vous|t'ai ai|| envoye|ecrit", "mp|dm envoye"),
    SOLVED: ("c'est regle|resolu|bon", "ca marche|fonctionne|refonctionne maintenant|a|", "probleme regle|resolu"),
    FAILED: ("pas aide|servi|marche|fonctionne|resolu|change|regle", "rien change|resolu|recu|arrive|donne|fait", "n'y change rien", "toujours pareil|idem|rien|pas", "meme probleme|erreur|chose", "sans succes"),
    PRAISE: ("magnifique", "sublime", "j'adore", "on adore", "trop|tres|si beau|belle|bien", "quelle belle|super *", "quel beau|plaisir *", "heureux", "heureuse", "ravi", "ravie", "coup de coeur", "equipe au top"),
}  # fmt: skip

SPANISH: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("sin problema|problemas", "no hay problema", "ningun problema"),
    CHAT: ("que tal", "como estas|estan|esta|va", "hola", "buenos dias", "buenas tardes|noches", "verdad", "en serio", "no"),
    ASKS: ("^ como puedo|se|hago|puede|funciona", "^ cuando *", "^ por que *", "^ donde *", "^ cual|cuales *", "^ que pasa|paso|tengo|hago|horario", "alguien sabe", "tengo una|un|unas pregunta|duda|consulta|dudas", "quisiera|queria|me saber|preguntar|gustaria", "^ tienen *", "^ hay *"),
    REQUESTS: ("por favor", "porfa", "necesito *", "ayuda", "ayudenme", "ayudame", "me pueden|puedes|podrian|puede *", "quiero|quisiera *", "pueden|podrian ayudarme|decirme|enviarme", "responda|respondan|contesten|respondanme", "espero su respuesta"),
    PROBLEM: ("llego|llegaron|vino sin *", "llego|vino roto|rota|vacio|vacia|danado|danada|abierto|abierta", "no funciona|sirve|carga|abre|puedo|anda|llega|llego|responden|contestan|tengo", "error", "problema", "problemas", "falla", "fallas", "fallo", "queja", "reclamo", "pesimo", "pesima", "pesimo servicio", "terrible", "horrible", "decepcionado", "decepcionada", "verguenza", "inaceptable", "estafa", "todavia no", "sigo sin|esperando", "reembolso", "retraso", "roto", "nunca llego|llega|responden|contestan", "mal servicio"),
    TALK: ("llamame", "llamenme", "me llaman|llamas|puedes|pueden llamar|", "me pueden|puedes|podrian llamar", "podemos hablar|vernos|reunirnos|llamarnos", "hablamos por telefono", "agendar|programar|concertar una|un llamada|reunion|cita|demo", "por telefono", "una llamada|reunion|demo", "hablar con alguien|ustedes|un|una"),
    PRICE: ("cuanto cuesta|cuestan|vale|valen|sale|es|", "que precio|costo", "precio", "precios", "presupuesto", "cotizacion", "tarifas", "descuento", "costo de|del"),
    CLOSE: ("enviado|enviada|mandado por|al dm|privado|correo|md|mensaje", "ya os|les|te|| lo he enviado|mandado", "que pena|lastima", "gracias igualmente", "igualmente", "gracias de todos|todas modos|formas|maneras", "gracias", "muchas|mil gracias", "gracias por todo|la|su|tu|ayuda|", "vale", "ok", "perfecto", "genial", "de acuerdo", "listo", "excelente", "saludos", "de nada", "con gusto", "hasta luego|pronto|manana", "adios", "que tengas|tengan buen|buena|lindo dia|", "entendido", "ya envie|mande|les el|un|envie|| dm|mensaje|", "feliz dia|noche"),
    SOLVED: ("ya funciona|esta|quedo|se soluciono|arreglo|resuelto|solucionado|", "ya lo solucione|resolvi", "problema resuelto|solucionado"),
    FAILED: ("no me|nos|| sirvio|ayudo|funciono|resolvio|soluciono|ha|sirve|funciona", "sigue igual|sin|fallando|roto|rota", "lo mismo de|que|otra|pasa", "mismo problema|error", "no cambio|llego|ha nada|llegado|cambiado|", "sin exito|resultado"),
    PRAISE: ("me|nos encanta|encanto|encantan", "que bonita|bonito|linda|lindo|chula|chulo|guapa|guapo|hermosa|hermoso|maravilla|ilusion", "feliz con|de", "enamorada|enamorado de", "los|las mejores", "preciosa", "precioso"),
}  # fmt: skip

ITALIAN: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("nessun problema", "senza problemi"),
    CHAT: ("come va|stai|state", "ciao", "buongiorno", "buonasera", "davvero", "vero"),
    ASKS: ("^ come posso|faccio|si|funziona", "^ quando *", "^ perche *", "^ dove *", "^ quale|quali *", "^ c'e *", "^ avete *", "qualcuno sa", "vorrei sapere", "una domanda", "volevo sapere|chiedere"),
    REQUESTS: ("per favore|piacere", "aiuto", "aiutatemi", "ho bisogno", "vorrei *", "potete|potreste|puoi *", "rispondete", "contattatemi", "mandatemi", "attendo risposta"),
    PROBLEM: ("arrivato|arrivata|arrivati senza *", "arrivato|arrivata rotto|rotta|vuoto|vuota|danneggiato|danneggiata|aperto|aperta", "non funziona|va|funzionano|carica|riesco|arriva|risponde|rispondete", "errore", "problema", "problemi", "guasto", "rotto", "disservizio", "pessimo", "pessima", "deluso", "delusa", "vergogna", "vergognoso", "inaccettabile", "scandaloso", "truffa", "rimborso", "ritardo", "ancora niente|nulla|non", "reclamo", "mai arrivato|ricevuto"),
    TALK: ("chiamami", "chiamatemi", "richiamatemi", "mi chiamate|chiama|potete chiamare|", "possiamo sentirci|parlare|vederci|incontrarci", "ci sentiamo|vediamo", "fissare|prenotare|organizzare un|una appuntamento|chiamata|call|demo|incontro", "un appuntamento", "per telefono", "al telefono", "parlare con qualcuno|voi|un"),
    PRICE: ("quanto costa|costano|viene|", "prezzo", "prezzi", "preventivo", "sconto", "tariffe", "listino"),
    CLOSE: ("inviato|inviata|mandato|scritto in|per dm|privato|mail|direct", "peccato", "grazie comunque|lo stesso|per l'info|informazione|risposta", "grazie", "grazie mille|tante|a|infinite|ancora", "ok", "va bene", "perfetto", "ottimo", "d'accordo", "prego", "fatto", "benissimo", "buona giornata|serata|notte", "buon weekend", "a presto|domani", "arrivederci", "inviato"),
    SOLVED: ("ora|adesso|tutto funziona|risolto|ok", "ho risolto", "problema risolto"),
    FAILED: ("non mi|e|ha|| ha|aiutato|funzionato|servito|risolto|cambiato funzionato|aiutato|servito|risolto|nulla|niente|", "come|sempre prima|uguale", "stesso problema|errore", "non cambia|e nulla|niente|cambiato", "senza successo|esito"),
    PRAISE: ("bellissima", "bellissimo", "bellissime|bellissimi", "stupenda|stupendo", "adoro", "felice|felicissima|felicissimo di|con|", "che bella|bello|bellezza|spettacolo|meraviglia *|", "meraviglioso|meravigliosa", "innamorata|innamorato", "siete i migliori|fantastici|bravissimi|grandi"),
}  # fmt: skip

PORTUGUESE: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("sem problema|problemas", "nao tem problema"),
    CHAT: ("tudo bem|bom", "como vai|esta", "ola", "oi", "bom dia", "boa tarde|noite", "serio", "ne"),
    ASKS: ("^ como faco|posso|funciona|e", "^ quando *", "^ por que", "^ porque *", "^ onde *", "^ qual|quais *", "alguem sabe", "gostaria de saber", "queria saber", "uma duvida|pergunta", "^ tem *", "^ voces *"),
    REQUESTS: ("por favor", "preciso *", "ajuda", "me ajuda|ajudem|ajude", "quero *", "gostaria de *", "podem|pode|poderiam|voces me|podem *", "respondam", "aguardo resposta|retorno"),
    PROBLEM: ("chegou|veio|chegaram sem *", "chegou|veio partido|partida|quebrado|quebrada|vazio|vazia|danificado|danificada|aberto|aberta", "nao funciona|consigo|carrega|abre|chegou|responde|respondem|recebi", "erro", "problema", "problemas", "defeito", "quebrado", "pessimo", "pessima", "horrivel", "decepcionado", "decepcionada", "vergonha", "inaceitavel", "absurdo", "golpe", "reembolso", "atraso", "ainda nao", "reclamacao", "descaso", "fora do ar"),
    TALK: ("me liga|ligue|liguem", "podem me ligar", "pode me ligar", "podemos conversar|falar|marcar|nos", "marcar|agendar uma|um reuniao|conversa|call|ligacao|demo|horario", "por telefone", "uma ligacao|reuniao|demonstracao", "falar com alguem|voces|um|atendente"),
    PRICE: ("quanto custa|custam|e|fica|sai|", "qual o preco|valor", "preco", "precos", "orcamento", "desconto", "valores"),
    CLOSE: ("enviado|enviada|mandei|enviei por|na|no|pelo dm|mensagem|privado|email|direct", "que pena", "obrigado|obrigada mesmo assim|igualmente|pela|pelo resposta|informacao|retorno|ajuda|", "obrigado", "obrigada", "muito obrigado|obrigada", "valeu", "ok", "perfeito", "otimo", "beleza", "certo", "combinado", "de nada", "entendi", "feito", "bom fim", "ate logo|mais|breve|amanha", "abraco", "abracos", "enviado", "mandei dm|mensagem|"),
    SOLVED: ("ja resolvi|consegui|funcionou|resolvido", "voltou a funcionar|", "problema resolvido", "deu certo"),
    FAILED: ("nao adiantou|ajudou|funcionou|resolveu|mudou|deu|chegou nada|certo|", "continua igual|na|sem|o|com", "mesmo problema|erro", "mesma coisa", "nada mudou|chegou", "sem sucesso"),
    PRAISE: ("amei", "adorei", "amo *", "que lindo|linda|lindos|maravilha|show", "apaixonada|apaixonado", "maravilhoso|maravilhosa", "feliz com|da|de", "sao os melhores"),
}  # fmt: skip

DUTCH: Mapping[str, tuple[str, ...]] = {
    IGNORE: ("geen probleem|problemen|dank", "zonder problemen"),
    CHAT: ("hoe gaat het|", "hoi", "hallo", "goedemorgen", "goedemiddag", "goedenavond", "echt", "toch", "he"),
    ASKS: ("^ hoe kan|lang|vaak|werkt|moet", "^ wanneer *", "^ waarom *", "^ waar is|kan|vind|zijn", "^ welke *", "^ kan|kunnen|mag|moet ik|jullie|u|je|we", "^ is er", "^ hebben jullie", "weet iemand", "ik vraag me", "een vraag|vraagje", "ik wil|zou graag|| weten"),
    REQUESTS: ("alsjeblieft", "alstublieft", "aub", "graag een|jullie|uw|hulp|reactie|antwoord *", "ik wil|zoek *", "hulp nodig", "help mij|me", "kunnen|kunt|kan|willen jullie|u|je mij|me|dit|het|even", "stuur mij|me", "laat het|me weten"),
    PROBLEM: ("kwam|kwamen|aangekomen|geleverd zonder *", "kwam|kwamen leeg|kapot|open|beschadigd aan|binnen", "kwam|kwamen zonder * aan", "werkt|doet|laadt|lukt niet|het", "werkt|doet|lukt het|* niet", "kapot", "defect", "storing", "foutmelding", "fout", "probleem", "problemen", "klacht", "slecht", "slechte service", "belachelijk", "schandalig", "onacceptabel", "teleurgesteld", "teleurstellend", "nog steeds niet|geen|niets", "niet ontvangen|geleverd|aangekomen|bereikbaar", "nooit ontvangen|aangekomen", "vertraging", "oplichting", "geld terug"),
    TALK: ("bel mij|me|ons", "mij|me|ons even|| bellen|terugbellen", "kunnen|zullen we even|| bellen|praten|afspreken|overleggen", "afspraak maken|inplannen|plannen", "een afspraak", "telefonisch *", "een demo", "iemand|met spreken|iemand"),
    PRICE: ("wat kost|kosten *", "hoeveel kost|kosten|is", "hoe duur", "prijs", "prijzen", "offerte", "korting", "tarieven", "tarief"),
    CLOSE: ("staat|staan in|op jullie|je|de|uw dm|inbox|mail", "gestuurd|verstuurd via|per|in dm|pb|mail|bericht", "heb|heb't jullie|je een|| dm|pb|mail gestuurd", "jammer", "toch bedankt", "bedankt voor de|het info|informatie|antwoord|hulp|reactie", "bedankt", "dank je|u|jullie wel|", "dankjewel", "dankuwel", "dank", "top", "prima", "ok", "oke", "perfect", "super", "fijn", "mooi", "graag gedaan", "doe ik", "zal ik doen", "fijne dag|avond|weekend", "tot ziens|snel|morgen|dan", "doei", "groetjes", "is gelukt|goed|verstuurd", "dm verstuurd|gestuurd"),
    SOLVED: ("is opgelost|gelukt", "werkt weer|nu", "doet het weer", "probleem opgelost", "al opgelost"),
    FAILED: ("niet geholpen|gewerkt|gelukt|opgelost", "helpt|hielp|lukt|werkt helaas|| niet|niets", "nog steeds|altijd kapot|hetzelfde|niet|niets|zwart", "zelfde probleem|fout", "zonder succes|resultaat", "niets veranderd|aangekomen"),
    PRAISE: ("prachtig", "prachtige *", "heerlijk", "heerlijke *", "wat|zo|heel|erg mooi|mooie|leuk|leuke|blij", "blij met", "genoten", "geweldig|geweldige *|", "verliefd"),
}  # fmt: skip

LANGUAGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "it": ITALIAN,
    "pt": PORTUGUESE,
    "nl": DUTCH,
}
