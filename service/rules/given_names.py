"""Short forms of given names in languages other than English, and the ways in which one name is spelt in Latin letters.

Each line holds a name, then what else its bearers are called or write, all in the spelling of `service.rules.names`. Short forms that are
given to children as names of their own far more often (Jan for Johannes) are missing on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

_CALLED = """
francisco paco pancho curro kiko chico; jose pepe ze zeca; ignacio nacho; manuel manolo manu; enrique quique kike; roberto beto; rafael rafa
concepcion concha conchi; dolores lola; guadalupe lupe; rosario charo; mercedes merche; eduardo lalo edu dudu; guillermo memo guille; javier javi
montserrat montse; santiago santi; josefa pepa; gregorio goyo; fernando nando; consuelo chelo; antonio tono toni toninho tonino; jesus chus chuy
giuseppe beppe peppe pino; giovanni gianni nanni; luigi gigi; salvatore toto turi; domenico mimmo; alessandro sandro; vincenzo enzo; raffaele lele
johannes hannes hans; friedrich fritz; heinrich heinz; josef sepp; georg schorsch; ulrich uli ulli; wolfgang wolf wolfi; katharina kathi kati
elisabeth lisl sisi elli; margarete grete gretl; magdalena leni magda; matthias matze hias; sebastian basti wastl; ludwig lutz; andreas andi
joachim jochen achim; bernhard bernd; gerhard gerd; susanne susi sanne; franziska franzi; theresia resi; siegfried sigi; dietrich dieter
cornelis kees cees; hendrik henk; jacobus jaap koos; petrus piet; antonius ton toon; adrianus aad arjan; wilhelmus willem wim
alexander sasha sascha shura sandro; alexandra sasha sascha sandra; dmitri dima mitya; mikhail misha; ivan vanya; nikolai kolya; vladimir vova volodya
evgeny zhenya; evgenia zhenya; alexei lyosha alyosha; anastasia nastya; ekaterina katya; maria masha marysia; natalia natasha; tatiana tanya; olga olya
svetlana sveta; elena lena; pavel pasha; yuri yura; malgorzata gosia malgosia; katarzyna kasia; aleksandra ola; agnieszka aga; joanna asia
barbara basia; zofia zosia; wojciech wojtek; tomasz tomek; krzysztof krzysiek krzys; stanislaw staszek; jakub kuba; piotr piotrek; elzbieta ela
bartosz bartek; grzegorz grzesiek; jan honza; jiri jirka; frantisek franta; vaclav vasek; istvan pisti; jozsef joska jozsi; laszlo laci
ferenc feri; sandor sanyi; katalin kati; erzsebet erzsi bozsi; gyorgy gyuri; janos jancsi; lars lasse; per pelle; karl kalle; olof olle
georgios giorgos yorgos; konstantinos kostas; ioannis giannis yannis; dimitrios dimitris; nikolaos nikos; panagiotis panos; athanasios thanasis
vasileios vasilis; evangelos vangelis; aikaterini katerina
halina halinka; katarzyna kaska; krzysztof krzychu krzysiu; dariusz darek; andrzej jedrek; jolanta jola; urszula ula; zbigniew zbyszek; kazimierz kazik
ryszard rysiek; tadeusz tadek; jerzy jurek; przemyslaw przemek; radoslaw radek; slawomir slawek; arkadiusz arek; miroslaw mirek; jaroslaw jarek
wieslaw wiesiek; mieczyslaw mietek; maciej maciek; danuta danka; szymon szymek; grzegorz grzechu; magdalena madzia; aleksander olek
birgit biggi gitti; brigitte biggi gitti; monika moni; ralf ralle; manfred manni; michael michi micha; ursula uschi ulla; angelika geli; gabriele gabi
cornelia conny; rudolf rudi; wilhelm willi; barbara babsi; veronika vroni; florian flo flori; tobias tobi; dominik domi; stefan steff; stefanie steffi
christine christl; reinhard reini; johannes hansi; ferdinand ferdl; eduard edi; renate reni; helmut helle; norbert nobby; hubert hubsi
begona bego; alejandro ale; alejandra ale; beatriz bea; gonzalo gonza; isabel isa chabela; leticia leti; margarita marga; patricia patri; rodrigo rodri
sebastian seba; teresa tere; victoria vicky; ximena xime; milagros mila; natividad nati; cristina cris; daniel dani; daniela dani; antonia tona
alessandro ale; alessandra ale; federico fede; federica fede; francesco checco cecco; valentina vale; elisabetta betta; lorenzo renzo lollo; matteo teo
riccardo ricky; guilherme gui; gustavo guga; mariana mari; ricardo ric; francisco xico; antonio toze; ibrahim ibo; mustafa musti; suleyman sulo
zoltan zoli; tamas tomi; agnes agi; gabor gabi; zsuzsanna zsuzsa zsuzsi; gerardus ger; franciscus frans; marinus rien; theodorus theo; elisabeth liesbeth els
catharina trijntje; mikael micke; fredrik fredde; gustav gurra; birgitta gittan; vasiliki vicky vaso; dimitrios mitsos mimis; theodoros thodoris
spyridon spyros; michail michalis; alexandros alekos; konstantinos dinos; veronique vero; stephane steph; sebastien seb; nathalie nath; thierry titi
esperanza espe; asuncion asun; encarnacion encarni; remedios reme; fernanda fer; soledad sole; hector tito; valentina valen; agustin agus; maximiliano maxi
babatunde tunde; babatope tope; oluwaseun seun; olusegun segun; oluwatobi tobi; tobiloba tobi; oluwafemi femi; temitope temi tope; olufunke funke; folasade sade
abimbola bola bimbo; olubunmi bunmi; adebayo bayo; ayodele ayo; yewande wande; omolara lara; titilayo titi; oluwakemi kemi; chukwuemeka emeka; ifeanyi ify
nkechinyere nkechi; chinonso nonso; ngozichukwuka ngozi; obinna obi; uchenna uche; oluchukwu oluchi; ogechukwu oge; ogechi oge
thandiwe thandi; nokuthula thuli; sibusiso sbu; nompumelelo mpumi; lindiwe lindi; thulani thula; kagiso kagi; wanjiku shiku; njoroge njoro
evangeline vangie; rosario chayong; corazon cora; benjamin benjie; francisca kikay; ferdinand ferdie; teodora dora
"""
_SPELT = """
mohammed mohamed mohammad muhammad muhammed mohamad mohd; ahmed ahmad; yusuf yousef youssef yousuf yusef; ibrahim ebrahim ibraheem
hussein husain hussain hossein; hassan hasan; abdullah abdallah abdulla; fatima fatma fatimah; aisha ayesha aicha; khalid khaled; omar umar
osman usman uthman; said saeed saeid; mustafa mostafa moustafa; sergei sergey sergej serhii serhiy; alexei alexey aleksey aleksei alexej
dmitri dmitry dmitrii dmitriy; yuri yury yurii; julia yulia yuliya iuliia; natalia natalya nataliya; tatiana tatyana; evgeny yevgeny evgenii
alexander aleksandr oleksandr aleksander; ekaterina kateryna yekaterina; nikolai nikolay nikolaj mykola; vladimir volodymyr; mikhail mykhailo
layla laila leila leyla; zainab zaynab zeinab zaineb; mariam maryam mariyam meryem; mahmoud mahmud mehmood; suleiman soliman sulaiman sulayman
ismail ismael ismaeel; musa mousa moussa moosa; faisal faysal feisal; tariq tarek tarik; karim kareem; rashid rachid rasheed; jamal gamal djamel; walid waleed
yasmin yasmine yasmeen; bilal belal; hamza hamzah; khadija khadijah; abdulrahman abdelrahman abdurrahman; abubakar abubakr aboubacar; nour noor; salim saleem
amina aminah ameena; rahim raheem; hamid hameed; majid majeed; latif lateef; nasir nasser naser; tahir taher; iman eman; hiba heba; huda hoda; issa isa eisa
yahya yehia yahia; daoud dawood dawud; haroon haroun harun; idris idrees driss; farouk farooq faruq; shaima shaimaa chaima; oumar oumarou; fatoumata fatou
andrei andrey andriy andrii andrej; elena olena yelena; irina iryna; oleg oleh; igor ihor; pavel pavlo; victoria viktoria viktoriya; sofia sofiya sophia
pooja puja; geeta gita; deepak dipak; sandeep sandip; pradeep pradip; kuldeep kuldip; rajiv rajeev; sanjiv sanjeev; kavita kavitha; jyoti jyothi; swati swathi
shruti shruthi; rabindra ravindra; chaim haim hayim; yitzhak itzhak; ciaran kieran; alistair alastair alasdair; evan ifan ieuan; owen owain; graham graeme
jihoon jihun; sungho seongho; sungmin seongmin; youngsoo youngsu; jiyoung jiyeong; hyunwoo hyeonwoo; soojin sujin; minsoo minsu; minjun minjoon; junho joonho
lakshmi laxmi; filippos philippos; srinivas shrinivas; yosef yossef; yaakov yaacov
"""


def _lines() -> Iterator[list[str]]:
    for line in f"{_CALLED};{_SPELT}".replace("\n", ";").split(";"):
        if found := line.split():
            yield found


# A name and what else its bearers are called; and the other way round.
SHORTS: dict[str, tuple[str, ...]] = {}
FORMALS: dict[str, tuple[str, ...]] = {}
for _name, *_others in _lines():
    SHORTS[_name] = (*SHORTS.get(_name, ()), *_others)
    for _other in _others:
        FORMALS[_other] = (*FORMALS.get(_other, ()), _name)
