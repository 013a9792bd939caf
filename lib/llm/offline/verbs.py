"""English verbs that the rules know, in all their forms. Words that are more often nouns (`books`, `works`) are left out."""

import re

AUXILIARY = frozenset("is are was were has have had will would can could may might must should shall".split())
BE = frozenset("is are was were be been being".split())
_REGULAR = """accept achieve add adopt affect allow amount announce appear apply appoint approve arrange arrive ask attach attract award base become_
belong board borrow bottle_ cancel carry cause celebrate change charge check claim clean collect combine compete complete comprise consist
constitute construct contain continue contribute convert cook cost_ cover create deal_ decide dedicate defeat define deliver depart depend derive
describe design destroy determine develop devise die direct discover display divide donate double earn elect embark emerge employ empty enable enclose
encourage end_ enforce engage ensure enter equip erect establish estimate evolve examine exceed exist expand expect expire explain explore extend
feature finance finish fit forbid_ force found fund gain generate govern graduate grant guide handle happen heat hire host identify illustrate
import improve include increase indicate influence inform inherit inspect inspire install introduce invent invite involve issue join keep_ label land
last launch lead_ learn leave_ lend_ license limit link list live load locate lower maintain manage manufacture marry measure meet_ mention merge mix
moor mount move name need notify occupy occur offer open operate oppose order organise organize own paint participate pass patent pay_ perform permit
pioneer place plan plant play possess post practise prepare present preserve press prevent print produce prohibit promote propel propose protect prove
provide publish purchase raise rank reach receive recommend record recover redesign reduce refer refit refund refuse register regulate reject relate
release rely remain remember remove rename renew rent repair repeat replace report represent require rescue reserve respond restore restrict result
retire return reveal review revise sail save schedule seat secure seem select separate serve service settle share ship show_ sign specify sponsor staff
start state stay stock stop store stretch study submit succeed suggest supervise supply support surround suspend switch teach_ test tow trace
train transfer transform translate transport travel treat turn unite unload use value vary visit wait walk want warn wash watch wear_ weigh welcome
widen work yield accommodate acquire assist attend calculate close collapse command commission compare compile conduct confirm connect consider
control cross damage date declare demand deploy dissolve distribute dominate enrol evaluate fail fill follow form fulfil gather guarantee house
implement invest investigate lapse lie_ live lock mark mean_ merge monitor obtain open overlook perform power predict process propose qualify
quote range realise realize recognise recognize relocate repay replace run_ scan search sell_ send_ separate simulate stand_ stem_ store stretch
structure substitute trigger update upgrade utilise utilize verify hold_ make_ take_ give_ get_ begin_ build_ bring_ buy_ choose_ come_ cut_ do_ draw_
drive_ eat_ fall_ feed_ feel_ fight_ find_ fly_ forget_ freeze_ go_ grow_ hang_ have_ hear_ hide_ hit_ lay_ let_ lose_ put_ burn nest tie bake boil fry chill steam pour cool drain dry hand pick drop cast count climb vote resolve agree book_ phone telephone
report_ charter unlock assign award bring_ chair drill dig_ dock escort exempt ferry fetch grease hoist insure inherit interview knit lift limit_ log lower_
mend milk nail pack park pilot plough polish pump rebuild_ refuel rinse roll salvage scrape shear shelter sketch slice sort stack stamp stir strike_ sweep_
swing_ tighten tour translate trim unpack weave_ wind_ wrap lengthen shorten influence renovate demolish inhabit colonise borrow outlive lecture read_ ride_ ring_ rise_ say_
see_ set_ shut_ sing_ sink_ sit_ sleep_ speak_ spend_ split_ spread_ swim_ tell_ think_ throw_ understand_ win_ write_ know_ catch_ bear_ help benefit focus aim challenge criticise criticize urge
account adapt adjust advise aid analyse analyze anticipate argue arise_ assess assume attain avoid bind_ categorise categorize characterise characterize
circulate cite clarify classify coat coincide comply compute concentrate conserve contend contrast convey convince coordinate correspond customise customize
decline decrease demonstrate depict detect differ differentiate diminish discuss disrupt document eliminate embody emit emphasise emphasize enhance enlarge
evaporate exclude execute exhibit expose facilitate fluctuate foster generalise generalize highlight incorporate initiate innovate integrate interact interpret
isolate justify maximise maximize migrate minimise minimize modify motivate multiply negotiate normalise normalize observe optimise optimize originate outline
outperform overcome_ persuade precede pursue react recall refine regain reinforce render reopen reorganise reorganize resemble reside resist retain retrieve
reuse rotate signal simplify span specialise specialize stabilise stabilize stimulate strengthen suffer summarise summarize surpass sustain tailor target tend
tolerate undergo_ undertake_ unify vanish violate weaken withstand_ combine evaluate
accrue bathe breathe cater cease compensate complain consult consume decommission decorate deduct delete descend deserve dictate disappear dismiss distil elapse encounter
endure enjoy erase extinguish fasten fertilise glaze graze greet ignore impose incur injure insert insist insulate interrupt irrigate knead listen lubricate melt obey omit
oversee_ owe peel perish postpone prefer proceed prosecute prune punish recycle refill refresh refurbish rehearse rehouse reimburse relax remind remit replenish resign resume
resurface revoke satisfy scatter shake_ sharpen shrink_ sift simmer soak solve steer submerge subsidise subtract survive terminate thank thaw thrive try unfasten upload vacate
vaccinate ventilate waive withdraw_ sow bury edit wipe dredge levy dispatch answer object rest harvest drink_ photograph question delay invoice pull push survey hunt
volunteer patrol seal clear ripen blink mature train"""
_IRREGULAR = """become became become|cost cost cost|deal dealt dealt|end ended ended|forbid forbade forbidden|keep kept kept|lead led led|leave left left|
lend lent lent|meet met met|pay paid paid|show showed shown|teach taught taught|wear wore worn|lie lay lain|mean meant meant|run ran run|sell sold sold|
send sent sent|stand stood stood|stem stemmed stemmed|hold held held|make made made|take took taken|give gave given|get got got|begin began begun|
build built built|bring brought brought|buy bought bought|choose chose chosen|come came come|cut cut cut|do did done|draw drew drawn|drive drove driven|
eat ate eaten|fall fell fallen|feed fed fed|feel felt felt|fight fought fought|find found found|fly flew flown|forget forgot forgotten|
freeze froze frozen|go went gone|grow grew grown|hang hung hung|have had had|hear heard heard|hide hid hidden|hit hit hit|lay laid laid|let let let|
lose lost lost|put put put|read read read|ride rode ridden|ring rang rung|rise rose risen|say said said|see saw seen|set set set|shut shut shut|
sing sang sung|sink sank sunk|sit sat sat|sleep slept slept|speak spoke spoken|spend spent spent|split split split|spread spread spread|
swim swam swum|tell told told|think thought thought|throw threw thrown|understand understood understood|win won won|write wrote written|
know knew known|catch caught caught|bear bore born|bottle bottled bottled|book booked booked|report reported reported|dig dug dug|limit limited limited|lower lowered lowered|rebuild rebuilt rebuilt|
strike struck struck|arise arose arisen|bind bound bound|overcome overcame overcome|undergo underwent undergone|undertake undertook undertaken|withstand withstood withstood|sweep swept swept|oversee oversaw overseen|shake shook shaken|shrink shrank shrunk|withdraw withdrew withdrawn|drink drank drunk|swing swung swung|weave wove woven|wind wound wound"""
# Third-person forms that are more often plural nouns: taken for a verb only when a number, a price or a determiner follows.
NOUN_LIKE = frozenset(
    """books works charges visits reports plans plants orders ranks records features claims changes checks lists links marks names places posts
    tests uses ships staffs stores studies supplies supports returns results houses forms dates commands demands damages values ranges
    stems structures processes powers controls boards bottles plays starts stops turns walks covers causes states signs shares offers hosts
    guides heats hires licenses loads measures moves needs paints presents prints labels lands lasts seats services stocks switches trains
    transfers transports treats washes watches works lies cuts falls finds fights runs rises rides rings reads sets shows spreads hits drives draws
    tours splits puts costs ends benefits challenges aims deals opens fills locks searches cooks estimates increases limits designs schedules repairs refunds accounts aids coats contrasts declines decreases documents exhibits
    highlights outlines signals spans targets answers objects rests harvests drinks photographs questions delays invoices surveys hunts volunteers patrols
    seals refills dispatches pulls pushes""".split()
)


def _third(base: str) -> str:
    if base == "have":
        return "has"
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    return base[:-1] + "ies" if base.endswith("y") and base[-2] not in "aeiou" else base + "s"


_DOUBLED = frozenset(
    "distil remit omit incur prefer patrol stop plan ship fit refit transfer occur submit permit cancel enrol fulfil control label travel equip drop trim wrap log span emit stir swap tip scrub sum rub refer wed".split()
)


def _past(base: str) -> str:
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + base[-1] + "ed" if base in _DOUBLED else base + "ed"


def _forms() -> tuple[dict, dict]:
    irregular = {line.split()[0]: line.split()[1:] for line in _IRREGULAR.replace("\n", "").split("|")}
    finite: dict[str, tuple[str, str]] = {}
    participles: dict[str, str] = {}
    for word in _REGULAR.split():
        base = word.rstrip("_")
        past, participle = irregular.get(base, (_past(base), _past(base)))
        for form, tense in ((base, "base"), (_third(base), "third"), (past, "past")):
            finite.setdefault(form, (base, tense))
        participles.setdefault(participle, base)
    finite["found"], participles["founded"] = ("find", "past"), "found"
    finite["founded"] = ("found", "past")
    participles["found"] = "find"
    for both in ("cancelled", "travelled", "labelled"):
        finite[both] = participles[both] = None
        base = both[:-3]
        finite[both], participles[both] = (base, "past"), base
    return finite, participles


FINITE, PARTICIPLES = _forms()  # form -> (base, tense); participle -> base


def is_verb(word: str) -> bool:
    """Whether a word can be a verb that the rules know."""
    return word in FINITE or word in PARTICIPLES


def can_be_base(word: str) -> bool:
    """Whether a word that the rules do not know can be the verb behind "must"."""
    return len(word) > 2 and word.isalpha() and word.islower() and not is_verb(word) and word not in AUXILIARY and not word.endswith(("ly", "ing"))


def past_of(base: str) -> str:
    """Simple past of a known verb."""
    return next((form for form, (b, tense) in FINITE.items() if b == base and tense == "past"), _past(base))


def third_of(base: str) -> str:
    """Third person singular of a verb."""
    return _third(base)


def base_of_past(past: str) -> str:
    """Base of a regular past that no table holds, by its spelling: "rounded" → "round", "glided" → "glide", "skidded" → "skid"."""
    stem = past[:-2]
    if stem.endswith("i"):
        return f"{stem[:-1]}y"
    if stem[-1] == stem[-2] and stem[-1] not in "lsfz" or re.search(r"[aeiou]+[^aeiou]+[aeiou]ll$|ial?ll$", stem):
        return stem[:-1]
    drops_e = stem[-1] in "cvzu" or stem.endswith(("dg", "at", "ur", "ng")) and not stem.endswith(("eat", "oat", "ong", "eng")) or stem[-1] == "l" and stem[-2] not in "aeioulwr"
    one_syllable = stem[-1] not in "wxy" and stem[-2] in "aeiou" and not any(c in "aeiou" for c in stem[:-2])
    return f"{stem}e" if drops_e or one_syllable else stem
