"""What `romanising` reads from: how common names and sounds of other scripts are written in Latin letters by those who bear them."""

from __future__ import annotations

import re
from collections.abc import Mapping


def _table(lines: str) -> dict[str, tuple[str, ...]]:
    """Entries of a name and its spellings, the usual one first, with commas between entries."""
    found = (each.split() for each in lines.replace("\n", ",").split(",") if each.strip())
    return {name: tuple(spelt) for name, *spelt in found}


# --- Chinese --------------------------------------------------------------------------------------------------

CHINESE_COMPOUNDS = frozenset(
    "欧阳 歐陽 司马 司馬 上官 诸葛 諸葛 司徒 东方 東方 夏侯 皇甫 尉迟 尉遲 公孙 公孫 慕容 令狐 端木 司空 长孙 長孫 宇文 轩辕 軒轅 独孤 獨孤".split()  # noqa: SIM905
)
# Read otherwise as a family name than as a word.
CHINESE_FAMILIES: Mapping[str, str] = {
    each[0]: each[1:]
    for each in "曾zeng 单shan 單shan 解xie 查zha 仇qiu 盖ge 蓋ge 区ou 區ou 任ren 吕lyu 呂lyu 朴piao 覃qin 缪miao 繆miao 翟zhai 乐yue 樂yue 万wan 萬wan 洗xian 员yun".split()  # noqa: SIM905
}
WADE_GILES: Mapping[str, str] = {
    "zhi": "chih", "chi": "chih", "shi": "shih", "ri": "jih", "zi": "tzu", "ci": "tzu", "si": "szu", "you": "yu", "yu": "yu", "lyu": "lu", "er": "erh",
}  # fmt: skip
WADE_GILES_PARTS = (
    (r"^(?:zh|j|q)", "ch"), (r"^x", "hs"), (r"^[zc](?!h)", "ts"), (r"^g", "k"), (r"^d", "t"), (r"^b", "p"), (r"^r", "j"),
)  # fmt: skip
WADE_GILES_ENDS = (
    (r"ong$", "ung"),
    (r"(?<!y)ian$", "ien"),
    (r"yan$", "yen"),
    (r"ie$", "ieh"),
    (r"ye$", "yeh"),
    (r"(?:ue|uue)$", "ueh"),
    (r"^kui$", "kuei"),
)

# --- Japanese -------------------------------------------------------------------------------------------------

JAPANESE_FAMILIES: Mapping[str, str] = {
    name: spelt[0]
    for name, spelt in _table(
        """
        佐藤 sato, 鈴木 suzuki, 高橋 takahashi, 田中 tanaka, 伊藤 ito, 渡辺 watanabe, 渡邊 watanabe, 渡部 watanabe, 山本 yamamoto, 中村 nakamura, 小林 kobayashi, 加藤 kato, 吉田 yoshida, 山田 yamada
        佐々木 sasaki, 山口 yamaguchi, 松本 matsumoto, 井上 inoue, 木村 kimura, 林 hayashi, 斎藤 saito, 斉藤 saito, 齋藤 saito, 清水 shimizu, 山崎 yamazaki, 森 mori, 池田 ikeda, 橋本 hashimoto
        阿部 abe, 石川 ishikawa, 山下 yamashita, 中島 nakajima, 石井 ishii, 小川 ogawa, 前田 maeda, 岡田 okada, 長谷川 hasegawa, 藤田 fujita, 後藤 goto, 近藤 kondo, 村上 murakami, 遠藤 endo, 青木 aoki
        坂本 sakamoto, 福田 fukuda, 太田 ota, 西村 nishimura, 藤井 fujii, 金子 kaneko, 岡本 okamoto, 藤原 fujiwara, 三浦 miura, 中野 nakano, 中川 nakagawa, 原田 harada, 松田 matsuda, 竹内 takeuchi
        小野 ono, 田村 tamura, 中山 nakayama, 和田 wada, 石田 ishida, 森田 morita, 上田 ueda, 原 hara, 内田 uchida, 柴田 shibata, 酒井 sakai, 宮崎 miyazaki, 横山 yokoyama, 高木 takagi, 安藤 ando
        宮本 miyamoto, 大野 ono, 小島 kojima, 谷口 taniguchi, 工藤 kudo, 今井 imai, 高田 takada, 増田 masuda, 丸山 maruyama, 杉山 sugiyama, 村田 murata, 大塚 otsuka, 新井 arai, 小山 koyama, 平野 hirano
        藤本 fujimoto, 河野 kono, 上野 ueno, 野口 noguchi, 武田 takeda, 松井 matsui, 千葉 chiba, 菅原 sugawara, 岩崎 iwasaki, 久保 kubo, 木下 kinoshita, 佐野 sano, 野村 nomura, 松尾 matsuo, 市川 ichikawa
        菊地 kikuchi, 菊池 kikuchi, 杉本 sugimoto, 古川 furukawa, 大西 onishi, 島田 shimada, 水野 mizuno, 桜井 sakurai, 高野 takano, 吉川 yoshikawa, 山内 yamauchi, 西田 nishida, 西川 nishikawa, 北村 kitamura
        五十嵐 igarashi, 安田 yasuda, 中田 nakata, 川口 kawaguchi, 平田 hirata, 川崎 kawasaki, 飯田 iida, 本田 honda, 久保田 kubota, 沢田 sawada, 辻 tsuji, 関 seki, 吉村 yoshimura, 松岡 matsuoka, 荒木 araki
        """
    ).items()
}
JAPANESE_GIVENS = _table(
    """
    太郎 taro, 一郎 ichiro, 次郎 jiro, 健 ken takeshi, 健一 kenichi, 健太 kenta, 健二 kenji, 大輔 daisuke, 誠 makoto, 隆 takashi, 浩 hiroshi, 博 hiroshi, 宏 hiroshi, 浩二 koji, 和也 kazuya, 直樹 naoki, 哲也 tetsuya
    翔太 shota, 拓也 takuya, 達也 tatsuya, 大樹 daiki, 亮 ryo, 学 manabu, 修 osamu, 茂 shigeru, 豊 yutaka, 進 susumu, 勝 masaru, 清 kiyoshi, 明 akira, 晃 akira, 聡 satoshi, 剛 tsuyoshi takeshi, 淳 jun atsushi
    恵子 keiko, 洋子 yoko, 陽子 yoko, 裕子 yuko hiroko, 由美子 yumiko, 美香 mika, 真由美 mayumi, 由美 yumi, 久美子 kumiko, 智子 tomoko, 幸子 sachiko, 和子 kazuko, 京子 kyoko, 典子 noriko, 直美 naomi
    美咲 misaki, 愛 ai, 彩 aya, 麻衣 mai, 葵 aoi, 陽菜 hina, 結衣 yui, 優子 yuko, 明美 akemi, 純子 junko, 順子 junko, 千尋 chihiro, 翼 tsubasa, 蓮 ren, 陸 riku, 悠斗 yuto, 花子 hanako, 真理子 mariko, 絵美 emi
    """
)

# --- Korean ---------------------------------------------------------------------------------------------------

KOREAN_COMPOUNDS = frozenset("황보 남궁 제갈 선우 독고 사공 서문 동방".split())  # noqa: SIM905
KOREAN_FAMILIES = _table(
    """
    김 kim gim, 이 lee yi, 박 park pak, 최 choi choe, 정 jung jeong chung, 강 kang, 조 cho jo, 윤 yoon yun, 장 jang chang, 임 lim im, 한 han, 오 oh o, 서 seo suh, 신 shin sin, 권 kwon, 황 hwang, 안 ahn an
    송 song, 류 ryu yoo, 유 yoo yu, 전 jeon jun, 홍 hong, 고 ko go, 문 moon mun, 양 yang, 손 son sohn, 배 bae, 백 baek paik, 허 heo hur, 남 nam, 심 shim sim, 노 noh roh, 하 ha, 곽 kwak, 성 sung seong, 차 cha
    주 joo ju, 우 woo, 구 koo ku, 민 min, 나 na, 진 jin, 지 ji, 엄 um eom, 채 chae, 원 won, 천 chun cheon, 방 bang, 공 kong, 현 hyun, 함 ham, 변 byun, 염 yeom, 여 yeo, 추 choo, 도 do, 소 so, 석 seok, 선 sun
    설 seol, 마 ma, 길 gil, 연 yeon, 위 wi, 표 pyo, 명 myung, 기 ki, 반 ban, 왕 wang, 금 keum, 옥 ok, 육 yook, 인 in, 맹 maeng, 제 je, 모 mo, 탁 tak, 국 kook, 은 eun, 편 pyun, 용 yong, 리 ri lee
    """
)
# As most spell them, beside the official romanisation.
KOREAN_SYLLABLES: Mapping[str, str] = {
    syllable: spelt[0]
    for syllable, spelt in _table(
        """
        su soo, hun hoon, u woo, yeong young, hyeon hyun, jeong jung, gyeong kyung, ju joo, jun joon, seong sung, cheol chul, geun keun, gi ki, gyu kyu, gwang kwang
        hui hee, seung seung, mun moon, jeom jum, deok duk, eok uk, eun eun, un woon, yun yoon, yeon yeon, suk sook, uk wook, hyeok hyuk, hyeong hyung, il il
        beom bum, byeong byung, myeong myung, gyeom kyum, geon gun, gang kang, go ko, guk kook, gu koo, sun soon, ui eui, yu yoo
        """
    ).items()
}

# --- Arabic and Persian, Hebrew -------------------------------------------------------------------------------

ARABIC_LETTERS: Mapping[str, str] = {
    "ا": "A", "أ": "A", "آ": "A", "إ": "I", "ب": "b", "ت": "t", "ث": "th", "ج": "j", "ح": "h", "خ": "kh", "د": "d", "ذ": "dh", "ر": "r", "ز": "z", "س": "s", "ش": "sh",
    "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "ع": "a", "غ": "gh", "ف": "f", "ق": "q", "ك": "k", "ک": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h", "و": "U", "ي": "I",
    "ی": "I", "ى": "A", "ة": "a", "ؤ": "U", "ئ": "I", "پ": "p", "چ": "ch", "ژ": "zh", "گ": "g",
}  # fmt: skip
ARABIC = _table(
    """
    محمد mohammed mohamad, أحمد ahmed, احمد ahmed, علي ali, علی ali, حسن hassan, حسين hussein, حسین hossein, عمر omar, عثمان osman, خالد khalid, إبراهيم ibrahim, ابراهيم ibrahim, ابراهیم ebrahim, يوسف youssef
    یوسف yousef, مصطفى mustafa, مصطفی mostafa, محمود mahmoud, عبدالله abdullah, عبدالرحمن abdulrahman abdelrahman, عبدالعزيز abdulaziz abdelaziz, عبدالكريم abdulkarim abdelkarim, عبدالقادر abdulkader abdelkader
    سعيد said, سعید saeed, سعد saad, سعود saud, فيصل faisal, فهد fahad fahd, سلطان sultan, سلمان salman, سليمان suleiman, سالم salem, صالح saleh, سامي sami, سمير samir, كريم karim kareem, کریم karim, طارق tariq tarek
    ماجد majid majed, وليد walid waleed, ياسر yasser yasir, ياسين yassin, زياد ziad, رامي rami, هاني hani, هشام hisham, بلال bilal, أنس anas, أمين amin, امین amin, أمير amir, امیر amir, عادل adel adil, عماد imad emad
    عمار ammar, جمال jamal gamal, جابر jaber, نبيل nabil, نور nour noor, ناصر nasser nasir, مروان marwan, منصور mansour, موسى musa moussa, عيسى issa, داود dawood daoud, حمد hamad, حمزة hamza, حامد hamed, رشيد rashid
    راشد rashid rashed, رضا reza rida, زهرا zahra, زهراء zahra, فاطمة fatima, فاطمه fatemeh fatima, عائشة aisha, خديجة khadija, مريم mariam maryam, مریم maryam, سارة sara sarah, سارا sara, ليلى layla leila, لیلا leila
    هدى huda hoda, منى mona muna, سلمى salma, أمل amal, أسماء asma, رانيا rania, دينا dina, هند hind, نادية nadia, سمية sumaya, ياسمين yasmin yasmine, لينا lina, ريم reem rim, شيماء shaimaa, إيمان iman eman
    آية aya, حنان hanan, سناء sana, علاء alaa, ضياء diaa, شريف sherif sharif, أشرف ashraf, أيمن ayman, إسلام islam eslam, إسماعيل ismail, اسماعیل esmail, يحيى yahya, زكريا zakaria, جعفر jafar, باسم basem basim
    عباس abbas, مهدي mahdi, مهدی mehdi mahdi, قاسم qasim kassem, كاظم kadhim kazem, جواد jawad, جبريل jibril, بكر bakr, أسامة osama usama, معاذ muath moaz, غسان ghassan, فادي fadi, إلياس elias, الياس elias, جورج george
    حداد haddad, خوري khoury khouri, نجار najjar, هاشمي hashimi hashemi, شمري shammari, غامدي ghamdi, قحطاني qahtani, عتيبي otaibi, حربي harbi, دوسري dosari dossari, زهراني zahrani, مالكي malki maliki, شهري shehri
    مصري masri, سوري suri, تونسي tounsi, بغدادي baghdadi, حلبي halabi, سعدي saadi, سيد sayed, السيد elsayed sayed, الله allah, شاه shah, خان khan, چودھری chaudhry, ملک malik, إقبال iqbal, اقبال iqbal
    حسینی hosseini, احمدی ahmadi, محمدی mohammadi, رضایی rezaei, کریمی karimi, موسوی mousavi, هاشمی hashemi, جعفری jafari, صادقی sadeghi, رحیمی rahimi, حیدری heydari, نوری nouri, مرادی moradi, شیرین shirin, نسرین nasrin
    """
)
HEBREW = _table(
    """
    כהן cohen kohen, לוי levi levy, מזרחי mizrahi, פרץ peretz, ביטון biton bitton, דהן dahan, אברהם avraham, פרידמן friedman fridman, אזולאי azoulay, מלכה malka, כץ katz, יוסף yosef joseph, דוד david, עמר amar
    אוחיון ohayon, חדד hadad haddad, גבאי gabay gabbay, בןדוד bendavid, אדרי edri, טל tal, שפירא shapira shapiro, גולדברג goldberg, שרון sharon, קליין klein, רוזנברג rosenberg, גרינברג greenberg, ברק barak, שלום shalom
    משה moshe, יצחק yitzhak isaac, יעקב yaakov jacob, שמעון shimon simon, מיכאל michael, דניאל daniel, יונתן yonatan jonathan, אורי uri ori, איתן eitan, נועם noam, עומר omer, עידו ido, איתי itay itai, גיא guy, רון ron
    אלון alon, אייל eyal, אסף assaf asaf, ניר nir, עמית amit, ערן eran, יואב yoav, יוסי yossi, אבי avi, חיים haim chaim, אריה arie aryeh, בנימין benjamin binyamin, שלמה shlomo, אליהו eliyahu, אהרון aharon aaron
    נתן natan nathan, גדעון gideon, אריאל ariel, עדי adi, מאיה maya, נועה noa, שירה shira, תמר tamar, רחל rachel, שרה sara sarah, רבקה rivka, לאה lea leah, מרים miriam, אסתר esther ester, חנה hana hannah, יעל yael
    מיכל michal, רונית ronit, אורית orit, ענת anat, הילה hila, ליאת liat, דנה dana, קרן keren, אביגיל avigail, יהודית yehudit judith, גלית galit, שלומית shlomit, אפרת efrat, עינת einat, ליאור lior, אורנה orna, יוסיף yosef
    """
)
_ABD = ("عبد ال", "عبد أل")


def joined(name: str) -> str:
    """An Arabic or Hebrew name whose two words are one name (Abd al-Rahman, Ben David), without the gap between them."""
    for each in _ABD:
        name = name.replace(each, "عبدال")
    return name.replace("בן ", "בן").replace("־", "")


# --- the scripts of India, which stand in one order in Unicode --------------------------------------------------

_BLOCK = 0x80
# By their place in each block.
_SOUNDS = dict(enumerate("a A i I u U ri l e e e ai o o o au".split(), 0x05))  # noqa: SIM905
_STOPS = "k kh g gh n ch chh j jh n t th d dh n t th d dh n n p ph b bh m"
_CONSONANTS = dict(enumerate(f"{_STOPS} y r r l l l v sh sh s h".split(), 0x15))
_SIGNS = dict(enumerate("A i I u U ri ri e e e ai o o o au".split(), 0x3E))  # noqa: SIM905
# How common names end; sinha is another name, with a long vowel.
INDIC_ENDS = (("si(?:ngh|nh)a?$", "singh"), ("reddi$", "reddy"), ("varmA$", "vermA"))
_VIRAMA, _NASALS = 0x4D, frozenset({0x01, 0x02, 0x70})


def indic(word: str) -> str:
    """A word in one of these scripts, letter by letter; I and U are the long vowels, and A is."""
    read: list[str] = []
    tamil = any("\u0b80" <= each <= "\u0bff" for each in word)
    for character in word:
        place = ord(character) % _BLOCK
        if place in _CONSONANTS:
            read += [_CONSONANTS[place], "a"]
        elif place in _SIGNS and read:
            read[-1] = _SIGNS[place]
        elif place == _VIRAMA and read:
            read[-1] = ""
        elif place in _NASALS:
            read.append("n")
        else:
            read.append(_SOUNDS.get(place, ""))
    spelt = "".join(read)
    return re.sub("(?<=[aeiouAIU])k(?=[aeiouAIU])", "g", spelt) if tamil else spelt  # one letter stands for both


# --- Greek and Cyrillic, after `anyascii` -----------------------------------------------------------------------

_Rules = tuple[tuple[str, str], ...]
GREEK: tuple[_Rules, ...] = (
    (("oy", "ou"), (r"\bmp", "b"), (r"\bnt", "d"), (r"\bgk", "g"), ("gch", "nch"), ("gg", "ng")),
)
UKRAINIAN = frozenset("іїєґ")  # where one of these stands, г is an h
_CYRILLIC_ENDS: _Rules = ((r"[iy]y\b", "y"), (r"(?<=[aeou])y\b", "i"), ("iya", "ia"))
CYRILLIC: tuple[_Rules, ...] = (
    (*_CYRILLIC_ENDS, ("yo", "e"), ("'y?(?=[aeiou])", "y")),
    (*_CYRILLIC_ENDS, ("yo", "e"), ("'y?(?=[aeiou])", "i"), ("eye", "ee")),
    (("iya", "ia"), ("'y", "y")),  # Serhiy
    (*_CYRILLIC_ENDS, ("yu", "iu"), ("ya", "ia"), ("yo", "io"), ("'y?(?=[aeiou])", "i")),
)
