"""A few words each of further languages, written as `phrases.py` says: what people thank with, how they ask, and what does not work.

Enough for a last polite word to open nothing, and for a question without its mark to be one. Whatever else they say is for a person
to read. Accents are left out when they are read; where a language writes no spaces, a phrase is a whole sentence."""

from __future__ import annotations

from collections.abc import Mapping

from service.rules.phrases import ASKS, CLOSE, FAILED, IGNORE, PRICE, PROBLEM, SOLVED

ABROAD: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sv": {
        CLOSE: ("tack", "tack så mycket", "stort|tusen tack", "tack för hjälpen|svaret|svar|infon|allt", "toppen", "kanon", "jättebra", "ingen fara", "ha en bra dag|helg", "vad fint", "så fin|fint|bra|snygg", "grattis"),
        ASKS: ("^ när|varför|vilken|vilket|vilka *", "^ var är|kan|finns|hittar|köper", "^ hur kan|gör|länge|mycket|lång|får|många|fungerar|går", "^ finns det", "^ har ni", "^ kan man|jag|ni"),
        PROBLEM: ("fungerar|funkar inte", "har inte fått|kommit", "trasig|trasigt", "fortfarande inte|ingen|inget"), PRICE: ("vad kostar *", "hur mycket kostar"),
        SOLVED: ("det löste sig", "funkar|fungerar nu|igen"), FAILED: ("hjälpte|funkade|fungerade inte|tyvärr|", "inte hjälpte|fungerade"),
    },
    "da": {
        CLOSE: ("mange|tusind tak", "tak skal du|i have", "tak for hjælpen|svaret|svar|det|alt", "fedt", "perfekt", "hav en god dag|weekend", "tillykke"),
        ASKS: ("^ hvornår|hvorfor|hvordan|hvilken *", "^ hvor kan|finder|meget|mange|længe|lang", "^ er der", "^ har i", "^ kan man|jeg|i"),
        PROBLEM: ("virker ikke", "har ikke fået|modtaget", "stadig ikke|ingen|intet"), PRICE: ("hvad koster *",), SOLVED: ("virker nu|igen",), FAILED: ("hjalp|virkede ikke",),
    },
    "no": {
        CLOSE: ("takk", "tusen|mange takk", "takk for hjelpen|svaret|svar|det|alt", "supert", "perfekt", "ha en fin dag|helg", "gratulerer"),
        ASKS: ("^ når|hvorfor|hvordan|hvilken *", "^ hvor kan|finner|mye|mange|lenge|lang", "^ er det", "^ har dere", "^ kan man|jeg|dere"),
        PROBLEM: ("virker|fungerer ikke", "har ikke fått|mottatt", "fortsatt ikke|ingen|ingenting"), PRICE: ("hva koster *",), SOLVED: ("virker|fungerer nå|igjen",), FAILED: ("hjalp|virket|fungerte ikke",),
    },
    "fi": {
        CLOSE: ("kiitos", "paljon kiitoksia", "kiitos paljon|avusta|vastauksesta|tiedosta", "kiitti", "mahtavaa", "hienoa", "hyvää päivää|viikonloppua", "onnea"),
        ASKS: ("^ milloin|koska|missä|miksi|onko|voiko *", "^ miten|kuinka voin|saan|tilaan|palautan|toimii|kauan"), PROBLEM: ("ei toimi", "ei ole tullut|saapunut", "rikki"), PRICE: ("paljonko maksaa|*", "mitä maksaa"),
        SOLVED: ("toimii nyt|taas",), FAILED: ("ei auttanut|toiminut",),
    },
    "pl": {
        CLOSE: ("dziękuję", "dzięki", "dziękuję|dzięki bardzo|serdecznie|za|wielkie pomoc|odpowiedź|wszystko|informację|", "wielkie dzięki", "super", "jasne", "świetnie", "miłego dnia|weekendu", "pozdrawiam", "gratulacje", "szkoda"),
        ASKS: ("^ kiedy|gdzie|dlaczego|czemu|który|która|które|czy *", "^ jak mogę|można|długo|zamówić|zwrócić", "^ ile czasu|trwa|to|dni"), PROBLEM: ("nie działa", "nie dotarła|dotarło|dotarł|przyszła|przyszło|przyszedł", "nadal|wciąż nie|nic|czekam", "zepsuty|zepsuta|uszkodzony|uszkodzona"),
        PRICE: ("ile kosztuje|kosztują", "jaka cena"), SOLVED: ("już działa",), FAILED: ("nie pomogło|pomaga|zadziałało|działa", "nic nie dało|pomogło|się"),
    },
    "cs": {
        CLOSE: ("děkuji", "děkuju", "díky", "děkuji|děkuju|díky moc|mnohokrát|za odpověď|pomoc|informaci|", "super", "hezký den|víkend", "gratuluji"),
        ASKS: ("^ kdy|kde|proč|který|která *", "^ jak mohu|můžu|dlouho|se", "^ kolik stojí|dní|je"), PROBLEM: ("nefunguje", "nepřišlo|nedorazilo|nepřišel|nedorazil", "stále|pořád ne|nic|čekám"), PRICE: ("kolik stojí",), SOLVED: ("už funguje",), FAILED: ("nepomohlo",),
    },
    "ro": {
        CLOSE: ("mulțumesc", "mersi", "mulțumesc|mersi mult|frumos|pentru răspuns|ajutor|", "o zi bună|frumoasă", "felicitări"),
        ASKS: ("^ când|unde|cum|câte *", "^ de ce"), PROBLEM: ("nu funcționează|merge", "nu am primit", "nu a ajuns"), PRICE: ("cât costă",), FAILED: ("nu a ajutat|mers|funcționat",),
    },
    "hu": {
        CLOSE: ("köszönöm", "köszi", "köszönöm|köszi szépen|a választ|segítséget|", "nagyon köszönöm|köszi", "szép napot|hétvégét", "gratulálok"),
        ASKS: ("^ mikor|hol|miért|hogyan|melyik *", "^ hogy lehet|tudok|kell"), PROBLEM: ("nem működik", "nem érkezett|jött meg|"), PRICE: ("mennyibe kerül", "mennyi az"), FAILED: ("nem segített",),
    },
    "tr": {
        IGNORE: ("ne kadar güzel|iyi|hoş|tatlı|harika|şık",),
        CLOSE: ("teşekkürler", "teşekkür ederim|ederiz", "çok teşekkürler", "çok teşekkür ederim", "sağ ol|olun", "sağol", "sağolun", "eyvallah", "tamam", "tamamdır", "elinize|emeğinize sağlık", "çok güzel olmuş|", "iyi günler|akşamlar|çalışmalar", "tebrikler", "kolay gelsin"),
        ASKS: ("ne zaman", "nerede|nereden|neden|niye *", "nasıl alabilirim|yapabilirim|sipariş|iade", "var mı", "kaç gün|tane"), PROBLEM: ("çalışmıyor", "gelmedi", "hala|hâlâ gelmedi|yok|bekliyorum", "bozuk", "şikayet"), PRICE: ("ne kadar", "fiyatı|fiyat nedir|ne"), FAILED: ("işe yaramadı", "olmadı"),
    },
    "id": {
        CLOSE: ("terima kasih", "makasih", "terima kasih banyak|atas|kak|min|", "makasih banyak|kak|min|ya|", "siap", "baik kak|min|", "mantap", "selamat"),
        ASKS: ("^ kapan|dimana|mengapa|kenapa|bagaimana|gimana|apakah *",), PROBLEM: ("tidak|gak|nggak|ga bisa|berfungsi", "belum sampai|datang|diterima|dibalas"), PRICE: ("berapa harga|harganya|",),
    },
    "ru": {
        CLOSE: ("спасибо", "спасибо большое|огромное|вам|за ответ|помощь|информацию|", "большое|огромное спасибо", "благодарю", "понял", "поняла", "понятно", "хорошо", "отлично", "супер", "класс", "ок", "хорошего|доброго дня|вечера", "поздравляю"),
        ASKS: ("^ когда|где|почему|зачем *", "^ сколько ждать|времени|дней|можно|идет", "^ как можно|мне|заказать|купить|вернуть|получить|связаться|долго", "^ есть ли", "подскажите"), PROBLEM: ("не работает|работают|пришел|пришла|пришло|получил|получила|отвечаете|отвечают", "до сих пор", "сломан|сломалась|сломался"),
        PRICE: ("сколько стоит|стоят", "какая цена"), SOLVED: ("уже|всё|все заработало|работает|решено",), FAILED: ("не помогло|помогает|помог", "ничего не изменилось", "то же самое"),
    },
    "uk": {
        CLOSE: ("дякую", "дякую дуже|за відповідь|допомогу|", "дуже дякую", "щиро дякую", "зрозуміло", "чудово", "супер", "гарного дня|вечора", "вітаю"),
        ASKS: ("^ коли|де|чому|скільки|чи *", "підкажіть"), PROBLEM: ("не працює|прийшло|прийшла|отримав|отримала", "досі не|немає"), PRICE: ("скільки коштує",), FAILED: ("не допомогло",),
    },
    "el": {
        CLOSE: ("ευχαριστώ", "ευχαριστώ πολύ|για|", "ευχαριστούμε", "τέλεια", "καλή συνέχεια|μέρα", "συγχαρητήρια"),
        ASKS: ("^ πότε|πού|γιατί|πώς *", "^ πόσο χρόνο|καιρό"), PROBLEM: ("δεν λειτουργεί|δουλεύει|ήρθε|έχει",), PRICE: ("πόσο κάνει|κοστίζει",), FAILED: ("δεν βοήθησε|λειτούργησε",),
    },
    "ja": {CLOSE: ("ありがとう", "ありがとうございます", "ありがとうございました", "どうもありがとうございます", "本当にありがとうございます", "了解です", "了解しました", "承知しました", "わかりました", "分かりました", "最高", "最高です", "最高でした", "素敵", "素敵です", "楽しみにしています", "おめでとうございます")},
    "zh": {CLOSE: ("谢谢", "谢谢你", "谢谢您", "谢谢你们", "多谢", "非常感谢", "好的", "好的谢谢", "收到", "明白了", "太好了", "恭喜", "謝謝", "謝謝你", "謝謝您", "非常感謝", "收到了", "太棒了")},
    "ko": {CLOSE: ("감사합니다", "정말 감사합니다", "네 감사합니다", "고맙습니다", "고마워요", "알겠습니다", "네 알겠습니다", "최고예요", "축하합니다")},
    "ar": {CLOSE: ("شكرا", "شكرا جزيلا|لكم|لك|على|", "ألف شكر", "تمام", "ممتاز", "رائع", "مبروك", "حسنا"), ASKS: ("^ متى|أين|لماذا|كيف|كم|هل *",), PROBLEM: ("لا يعمل|تعمل", "لم يصل|تصل"), PRICE: ("كم سعر|السعر|ثمن",)},
    "he": {CLOSE: ("תודה", "תודה רבה|על|", "המון תודה", "מעולה", "סבבה", "מזל טוב"), ASKS: ("^ מתי|איפה|למה|איך|האם *", "^ כמה זמן"), PROBLEM: ("לא עובד|עובדת|הגיע|הגיעה",), PRICE: ("כמה עולה|זה",)},
    "fa": {CLOSE: ("ممنون", "خیلی ممنون|متشکرم", "متشکرم", "مرسی", "سپاس"), ASKS: ("^ کی|کجا|چرا|چطور|چند|آیا *",), PROBLEM: ("کار نمی", "نرسیده")},
}  # fmt: skip
