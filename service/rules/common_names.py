"""Names that many people bear somewhere in the world: in a small list of contacts they look rarer than they are.

All in the spelling of `service.rules.names`.
"""

from __future__ import annotations

from collections.abc import Iterable


def is_common(word: str) -> bool:
    """Whether at least one in a few hundred people of some larger country bears this given or family name."""
    return word in _COMMON


def is_commonest_family(word: str) -> bool:
    """Whether a family name is among the very commonest of some larger country: half a percent or more of its people bear it."""
    return word in _COMMONEST_FAMILY


def is_commonest_given(word: str) -> bool:
    """Whether a given name is among the very commonest of some larger country, which one in a hundred or more of its people bears."""
    return word in _COMMONEST_GIVEN


def is_commonest_pair(one: str, other: str) -> bool:
    """Whether of two names one is among the commonest given names and the other among the commonest family names: CRMs have them in either
    order."""
    return (one in _COMMONEST_GIVEN and other in _COMMONEST_FAMILY) or (
        other in _COMMONEST_GIVEN and one in _COMMONEST_FAMILY
    )


def is_commonest_name(words: Iterable[str]) -> bool:
    """Whether two of a name's words, in whatever order it is written, are one of the commonest given and one of the commonest family names."""
    found = frozenset(words)
    givens, families = found & _COMMONEST_GIVEN, found & _COMMONEST_FAMILY
    return bool(givens and families) and len(givens | families) > 1


def is_widespread(word: str) -> bool:
    """Whether so many bear this given or family name somewhere that beside another such name it tells nobody from their namesakes: about one in
    a thousand people of a larger country."""
    return word in _WIDESPREAD


_COMMONEST_FAMILY = frozenset(
    """
    smith jones williams brown taylor davies johnson thomas evans wilson miller davis anderson martin murphy kelly obrien byrne ryan walsh campbell macdonald
    garcia rodriguez martinez hernandez lopez gonzalez gonzales perez sanchez fernandez ramirez torres gomez diaz flores cruz ramos reyes rojas morales vargas
    silva santos oliveira souza sousa pereira costa ferreira rodrigues almeida lima gomes ribeiro alves carvalho martins fernandes lopes marques
    muller schmidt schneider fischer weber meyer wagner becker schulz hoffmann gruber huber bauer mayer moser meier keller
    bernard dubois durand petit thomas robert richard rossi russo ferrari esposito bianchi romano colombo ricci
    dejong jong jansen devries vries vandijk dijk bakker janssen janssens visser smit peeters maes andersson johansson karlsson nilsson eriksson larsson olsson persson
    hansen johansen olsen larsen andersen pedersen nilsen jensen nielsen christensen sorensen rasmussen kristiansen korhonen virtanen makinen jonsdottir
    novak nowak kowalski kowalska wisniewski wisniewska wojcik kowalczyk kaminski kaminska lewandowski lewandowska zielinska zielinski
    novotny svoboda dvorak nagy kovacs toth szabo horvath varga kiss popescu popa ionescu ivanov ivanova petrov petrova dimitrov georgiev jovanovic
    smirnov smirnova kuznetsov kuznetsova popov popova vasiliev vasilieva melnyk shevchenko kovalenko bondarenko tkachenko boyko
    papadopoulos papadopoulou yilmaz kaya demir celik sahin yildiz yildirim ozturk aydin arslan dogan kilic cohen levi levy mizrahi peretz
    kumar singh sharma patel gupta khan ali ahmed hussain das devi kaur reddy yadav verma mishra shah begum akhtar islam rahman hossain malik iqbal
    mohamed mohammed ibrahim hassan mahmoud abdullah said saleh salem okafor mensah osei diallo traore ndiaye diop ba sow kamau otieno wanjiru mwangi njoroge
    wang li zhang liu chen yang huang zhao wu zhou xu sun zhu lin he guo ma luo gao zheng liang wong chan lee cheung
    kim park choi jung jeong kang cho yoon jang lim nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo
    sato suzuki takahashi tanaka watanabe ito yamamoto nakamura kobayashi kato delacruz bautista
    han oh seo shin kwon hwang ahn song ryu yoo hong duong ly dinh doan truong trinh xie song tang han feng deng xiao cheng cao dong
    """.split()  # noqa: SIM905
)
_COMMONEST_GIVEN = frozenset(
    """
    john david michael james robert william richard thomas paul mark peter daniel andrew stephen steven christopher joseph george charles matthew anthony
    brian kevin mike chris dave steve tom joe alex ben jack mary anna anne maria susan sarah laura karen lisa emma linda jennifer elizabeth patricia barbara
    margaret julia jessica emily kate
    jorge eduardo roberto jose antonio manuel francisco juan carlos luis javier jesus miguel angel pedro carmen ana isabel joao rui joana paulo fernando marcos
    giuseppe giovanni marco andrea francesco antonio luca mario luigi alessandro francesca giulia sara paola anna chiara federica roberto stefano
    jean pierre michel philippe nicolas alain patrick olivier laurent marie nathalie isabelle sylvie catherine julie camille
    thomas andreas stefan michael peter klaus hans wolfgang juergen jurgen christian martin markus sabine petra monika andrea claudia susanne stefanie
    jan johannes henk piet pieter kees hans willem johan maria anna lars anders erik per karin eva kristina mats ole hanne mette jens soren peter
    piotr krzysztof andrzej tomasz jan pawel marcin michal katarzyna anna malgorzata agnieszka magdalena monika ewa barbara joanna krystyna
    jiri jan petr pavel jana laszlo istvan jozsef janos zoltan ferenc katalin erzsebet ilona andrei alexandru mihai ion elena ioana
    alexander aleksandr sergei andrei dmitri alexei ivan mikhail olga elena natalia tatiana irina svetlana anastasia maria oleksandr volodymyr
    georgios giorgos ioannis giannis dimitrios dimitris konstantinos kostas nikolaos nikos maria eleni
    mehmet mustafa ahmet ali huseyin hasan ibrahim ismail murat fatma ayse emine hatice zeynep elif david moshe yosef avi sarah
    mohammed mohamed mohammad muhammad ahmed ahmad ali omar hassan hussein ibrahim mahmoud abdullah khaled youssef fatima aisha mariam
    raj amit rahul sanjay vijay rajesh suresh ravi anil sunil priya pooja neha anita sunita imran usman bilal
    wei ming jing ying li jun hui min jie yan fang lei chao minh thanh anh huong hoa lan linh thi hung tuan minjun jihoon jiwoo
    hiroshi takashi kenji yuki kofi kwame ama mamadou moussa fatou chinedu grace mary peter
    jihun junho minsoo minsu sungho seongho youngsoo youngsu sungmin seongmin hyunwoo hyeonwoo donghyun junghoon sanghoon jaehyun jinwoo kyungsoo
    jiyoung jiyeong eunjung miyoung sujin soojin jieun yujin minji hyejin jihyun jihyeon jimin eunju hyunjung subin seoyeon jiwon jihye eunji
    dung hai long nam quan phuc bao huy duc hieu trung kien cuong hoang tung quang trang thao ngoc mai hanh nga yen phuong thuy
    fang na qiang yong juan tao ping gang xin yu ting xia peng bin hao hua
    """.split()  # noqa: SIM905
)
# What at least one in a few hundred people of some larger country bears, as a given or as a family name.
_COMMON = frozenset(
    """
    smith jones williams brown taylor davies wilson evans thomas johnson roberts walker wright robinson thompson white hughes edwards green hall wood
    harris lewis martin jackson clarke clark moore miller davis anderson king lee young allen scott hill adams baker nelson carter mitchell campbell
    murphy kelly ryan obrien walsh stewart ross garcia rodriguez martinez hernandez lopez gonzalez perez sanchez ramirez torres flores rivera gomez diaz
    fernandez silva santos oliveira souza pereira costa ferreira almeida muller schmidt schneider fischer weber meyer wagner becker schulz hoffmann
    bernard dubois durand petit rossi russo ferrari esposito bianchi romano jansen devries bakker andersson johansson karlsson nilsson hansen olsen larsen
    nielsen jensen novak nowak kowalski ivanov smirnov kuznetsov popov petrov kumar singh sharma patel gupta khan ali ahmed hussain das wang li zhang liu
    chen yang huang zhao wu zhou xu sun kim park choi jung kang nguyen tran le pham hoang sato suzuki takahashi tanaka watanabe ito yamamoto nakamura
    cohen levi yilmaz kaya demir mohamed ibrahim hassan
    john david michael james robert william richard thomas paul mark peter daniel andrew steven stephen christopher joseph george charles matthew anthony
    brian kevin mike chris dan jim bob bill tom steve joe matt alex sam ben tim jeff scott eric ryan jason adam nick mary anna maria susan sarah laura karen lisa
    linda jennifer elizabeth patricia barbara julia emma jane kate emily jessica michelle nicole amanda rachel ana juan jose carlos luis pedro
    joao antonio francisco manuel jorge miguel marco giuseppe andrea francesco luca jean pierre michel philippe nicolas marie sophie hans klaus wolfgang
    stefan martin jan lars erik ali mohammed muhammad ahmed omar fatima wei ming yan lin min jin hiroshi kenji yuki raj amit anil sanjay priya ivan sergey
    olga elena natalia tatiana dmitriy alexander andrey
    huang gao lin he guo ma luo zheng liang xie song tang deng feng wei fang jing jie tao hui jun lei chao qiang jeong cho yoon jang lim han jihoon minjun
    kobayashi kato yoshida yamada sasaki yamaguchi matsumoto inoue kimura takashi minh van anh duc huy linh hoa mai lan phuong thi vo vu dang bui do ho ngo
    gurpreet harpreet rajesh suresh ramesh sunil rahul deepak vijay arun ravi manoj neha pooja anita sunita kaur gill sandhu reddy rao nair iyer mehta shah jain
    verma mishra yadav chowdhury begum akhtar malik sheikh iqbal budi siti agus dewi reyes cruz bautista
    mehmet mustafa ahmet huseyin ismail osman fatma ayse emine hatice zeynep yildiz yildirim ozturk aydin ozdemir arslan dogan kilic celik sahin
    mahmoud mostafa youssef khaled omar hussein said saleh salem abdullah abdelrahman nour mariam maryam aisha khadija reza hossein zahra hosseini ahmadi mohammadi
    mizrahi peretz biton dahan levy avraham okafor okeke adeyemi mensah osei owusu diallo traore kone ndiaye diop ba sow kwame
    dmitri nikolai vladimir irina svetlana yulia ekaterina anastasia aleksandr ivanova petrova smirnova kuznetsova popova vasiliev sokolov mikhailov
    kovalenko shevchenko bondarenko tkachenko wisniewski wisniewska kowalska wojcik kowalczyk kaminski lewandowski zielinski piotr krzysztof katarzyna malgorzata
    agnieszka novakova novotny svoboda dvorak cerny jiri petr pavel tomas nagy kovacs toth szabo horvath varga kiss laszlo istvan jozsef janos zoltan katalin
    erzsebet popescu ionescu popa andrei mihai papadopoulos georgios dimitris ioannis konstantinos nikos giorgos
    jon jonsson sigurdsson gudmundsson eriksson larsson olsson persson svensson gustafsson korhonen virtanen makinen nieminen dejong jong vries visser smit meijer mulder
    koch bauer richter klein wolf schroder neumann schwarz zimmermann andreas christian matthias sabine claudia katharina
    moreau laurent lefebvre leroy roux julien camille isabelle catherine nathalie colombo ricci marino greco bruno gallo conti giovanni mario luigi
    ruiz alvarez jimenez moreno munoz alonso gutierrez romero navarro javier alejandro pablo sergio diego fernando carmen isabel pilar lucia
    rodrigues alves lima gomes ribeiro martins carvalho rocha
    """.split()  # noqa: SIM905
)
# More of such, of larger countries whose names the lists above hardly know.
_WIDESPREAD = (
    _COMMON
    | _COMMONEST_FAMILY
    | _COMMONEST_GIVEN
    | frozenset(
        """
    rhee yi pak choe jeon jo yun rim gwon an ko moon mun son bae baek paik heo noh dao luong lam ta cao chau yuan zeng tian pan jiang cai jia ding xue ye
    su lu tsai hsu chang leung lau chow tam cheng goh tan ng ong kai bo mei ling hong jianguo jianjun jianhua zhiqiang xiaoming haiyan xiuying guiying
    thang thu khanh quoc huu xuan gia kieu ji hoon woo hyun seo sung soo nhung hien ha my nhi vy ram lal bai mandal prasad mondal roy ghosh joshi chauhan
    thakur pandey tiwari pillai naidu bibi khatun butt shaikh ansari siddiqui mukherjee banerjee chatterjee bose dutta sinha jha menon desai pawar patil
    kulkarni agarwal raza haider mahmood javed aziz bhatti rana sidhu dhillon grewal dhaliwal brar mahesh ashok vikas ajay rakesh mukesh dinesh santosh
    sachin rohit ankit sandeep pradeep nitin vikram rajiv kavita rekha geeta meena swati divya anjali shweta lakshmi manpreet jaspreet mandeep asif salman
    kamran tariq abdul ayesha zainab sana farah sadia nadia nascimento araujo barbosa dias moreira cardoso vieira nunes nogueira teixeira freitas batista
    monteiro mendes andrade correia pinto barros machado thiago tiago lucas luiz gabriel rafael marcelo felipe rodrigo gustavo andre mateus matheus
    leonardo adriana juliana fernanda camila bruna leticia mariana mendoza castillo castro ortiz aguilar medina guerrero vega herrera soto contreras
    salazar valdez delgado pena rios cabrera molina suarez restrepo ospina cardenas quispe mamani villanueva aquino delossantos ocampo salvador ricardo
    alberto raul andres sebastian santiago camilo mauricio hector oscar victor cesar daniela gabriela alejandra veronica guadalupe valentina musa bello
    abubakar umar sani garba yusuf abdullahi adamu balogun lawal ojo obi eze nwosu okonkwo adebayo boateng asante appiah coulibaly toure keita camara
    barry sarr dlamini ndlovu nkosi khumalo botha ochieng odhiambo kariuki kimani njeri wanjiku muthoni juma tesfaye bekele haile amina hauwa aminata
    emeka ngozi chioma blessing tunde tobi femi segun kemi funke faith mercy joyce esther ruth moses samuel emmanuel wijaya santoso saputra hidayat
    setiawan susanto nugroho pratama sri rina yamazaki shimizu hayashi mori ikeda hashimoto ishikawa ogawa okada fujita takeshi makoto akira satoshi
    daisuke kenta naoki tatsuya keiko yoko yumi tomoko naoko khalid tarek karim samir rania layla leila nasser farouk mansour haddad khoury khalil
    gallagher kennedy lynch murray quinn doherty daly nolan brennan burke oneill osullivan oconnor oreilly sean liam aoife ciara niamh pat robertson
    thomson fraser reid morrison ferguson graham hamilton gordon mclean watson phillips parker turner collins bell cook freeman coleman jenkins perry
    powell patterson washington butler simmons foster bryant russell griffin hayes tremblay gagnon cote bouchard gauthier morin lavoie fortin gagne
    lombardi barbieri moretti fontana caruso ferrara fabbri coppola galli leone longo braun kruger hofmann hartmann lange werner krause lehmann kohler
    """.split()  # noqa: SIM905
    )
)
