"""Says a question the way different people would type it: other words, a situation before it, a word after it, slips.

In: a question as the wordings give it and a `random.Random`. Out: the same question as somebody would type it. Statements of
documents are never touched.
"""

import random

# words people swap for one another when they ask, each way; a group of several words is only ever put in, never replaced
SYNONYMS = [group.strip().split("/") for group in """
children/kids/youngsters/little ones|child/kid/youngster|price/cost/fee/charge/rate|buy/purchase/get/pick up|bike/bicycle/cycle|start/begin/commence/kick off
end/finish/conclude|repair/fix/mend|phone/telephone/call|holiday/vacation/break|car/vehicle/automobile|big/large|shop/store|allowed/permitted/free to
helper/volunteer|boss/manager/head|room/space|lesson/class|trip/outing/excursion|send/mail/post|employees/staff/workers/personnel|employee/worker/member of staff
pensioners/seniors/older people/retired people|garbage/waste/rubbish/trash|film/movie|lorry/truck|sofa/couch|ticket/pass/admission|parking/car park
address/location|members/people who belong|rent/hire/borrow/lease|toilet/restroom|photo/picture/snapshot|letter/note|doctor/physician|delivered/brought/shipped/sent out
organised/arranged/set up/put together|organise/arrange/set up|return/give back/hand back/bring back|returned/given back/handed in|repaired/fixed/mended/put right
bought/purchased/acquired|sold/passed on/got rid of|rented/hired/leased|found/discovered/came across|lost/misplaced/left behind|collected/picked up/fetched|collect/pick up/fetch
meeting/session/gathering|festival/fair/fete|building/house|maximum/most/highest/top|minimum/least/lowest|weekly/every week|daily/every day|monthly/every month
yearly/annual/every year|need/require|help/assist/give a hand|choose/pick/select|show/present/display|lamp/light|fridge/refrigerator|discount/reduction|deposit/security
refund/money back|customers/clients/buyers|customer/client|visitors/guests/people who come|visitor/guest|small/little|replaced/changed/swapped|replace/change/swap|medicine/drug
cancel/call off/scrap|cancelled/called off/scrapped|approve/accept/agree to|approved/accepted/agreed to|reject/refuse/turn down|rejected/refused/turned down
inspected/checked/looked over|inspect/check/look over|cleaned/washed/scrubbed|clean/wash/scrub|donated/gave/given away|donate/give|path/trail/track|stream/brook|gift/present
people/persons/folk|person/someone|runs/manages/heads|opens/unlocks|closed/shut|open/unlocked|close/shut/lock up|late/delayed|early/ahead of time|quickly/fast/soon
quick/fast|kept/stored/put away|store/keep/put|stored/kept/held|made/built/produced|make/build/produce|maker/manufacturer/producer|build/put up/construct|built/put up/constructed
built/erected|leads/guides/is in charge of|lead/run/guide|led/run/headed|lives/resides/is at home|town/city/place|job/post/position/work|works/is employed|supplies/delivers/provides
supplier/vendor/provider|company/firm/business|which company/what firm|teach/instruct/train|taught/instructed/trained|teaches/instructs|students/learners/pupils|teacher/instructor/trainer
drivers/people who drive|tenants/people who rent|residents/people who live there|passengers/travellers/riders|patients/sick people|parents/mothers and fathers|owners/people who own one
apprentices/trainees/beginners|readers/people who read|swimmers/people who swim|cyclists/people on bikes|campers/people with a tent|groups/parties|families/families with children
moved/shifted/relocated|move/shift/relocate|designed/planned/drawn up|design/plan/draw up|tested/tried out/put to the test|test/try out|removed/taken away/taken out|remove/take away
installed/put in/fitted|install/put in/fit|weighed/put on the scales|measured/sized up|printed/put on paper|signed/put a name to|received/got/was given|receive/get/be given
presented/shown/introduced|published/put out/brought out|publish/put out/bring out|visited/called on/went to see|visit/call on/go to see|photographed/took a picture of
described/told about|translated/put into another language|recorded/taped/written down|record/tape/write down|registered/signed up/put down|register/sign up|postponed/put off/delayed
postpone/put off/delay|extended/made longer/prolonged|extend/make longer/prolong|restored/brought back/done up|restore/do up|polished/made shine|dried/hung out|cooked/prepared/made
baked/made|planted/put in the ground|watered/gave water to|harvested/brought in/picked|harvest/bring in/pick|fed/gave food to|feed/give food to|caught/got hold of|catch/get hold of
carried/lugged/took|carry/take/lug|lifted/picked up/raised|lift/pick up/raise|filled/topped up|fill/top up|emptied/cleared out|empty/clear out|sealed/closed up|locked/shut up
labelled/marked/tagged|label/mark/tag|packed/wrapped up|pack/wrap up|loaded/put on board|parked/left standing|park/leave standing|charged/asked|insured/covered|financed/paid for/funded
finance/pay for/fund|sponsored/paid for/backed|sponsor/pay for/back|reviewed/went over/looked at again|review/go over/look at again|proposed/suggested/put forward|propose/suggest
announced/made known/told everybody|announce/make known|discussed/talked about/debated|discuss/talk about|shared/split|bring/take along/carry|left/went from|hire/take on/rent
hung/put up|hang/put up|covered/wrapped|owe/have to pay|pay/hand over/spend|limit/most/cap/ceiling|within/in less than|before/by/ahead of|until/till/up to|reason/cause
room/chamber|hall/big room|office/desk|kitchen/place to cook|workshop/work room|garden/green|pool/baths|gym/sports hall|cafe/coffee shop|library/book room|museum/collection
boat/vessel|ship/vessel|train/rail service|coach/bus|bus/coach|aeroplane/plane|engine/motor|heater/stove|lock/bolt|lift/elevator|stairs/steps|rucksack/bag|torch/flashlight|tap/faucet
""".replace("\n", "|").split("|") if group.strip()]
SWAPS: dict[str, list[str]] = {}
for _group in SYNONYMS:
    for _word in _group:
        if " " not in _word:
            SWAPS[_word] = sorted({*SWAPS.get(_word, []), *(other for other in _group if other != _word)})

# what people put before a question; the first ones run on, the others are sentences of their own
OPENINGS = ["please tell me ", "can you tell me ", "I would like to know ", "do you know ", "could you say ", "I wonder ", "I need to know ", "any idea ",
            "does anybody know ", "I can't find out ", "quick question: ", "just wondering, ", "for my file: ", "a colleague asks: ", "one more thing: ",
            "according to the documents, ", "sorry to bother you, but ", "may I ask ", "we were asking ourselves ", "help me out: ", "tell me, ", "remind me, "]
SITUATIONS = ["Hello,", "Hi there!", "Good morning.", "Hello everybody.", "I am new here.", "My neighbour asked me.", "A visitor is on the phone.", "I lost my notes.", "I could not find this on the notice board.",
              "We are planning ahead.", "It is for our newsletter.", "My daughter wants to know.", "I have to tell my group tomorrow.", "We argue about this at home.", "I have heard different things.",
              "I am writing a report.", "I will be in town next week.", "Somebody told me, but I forgot.", "I have to fill in a form.", "We are in a hurry."]
ENDINGS = [" please", ", please", ", do you know", " exactly", " at the moment", " these days", " again", ", roughly", " by the way", ", if I may ask", " then", " actually", " right now", ", thanks"]
STOP_WORDS = set("the a an of is are was were does do did in on at to for can it my our there".split())


def reword(words: list[str], rng: random.Random, share: float) -> list[str]:
    """Swap about `share` of the words that have a synonym; names and numbers stay."""
    return [rng.choice(SWAPS[word]) if word in SWAPS and rng.random() < share else word for word in words]


def slip(text: str, rng: random.Random) -> str:
    """Leave out, double or swap one letter inside a plain word, as fingers do."""
    words = text.split(" ")
    able = [place for place, word in enumerate(words) if word.isalpha() and word.islower() and len(word) > 4]
    if able:
        place = rng.choice(able)
        word, at = words[place], rng.randint(1, len(words[place]) - 3)
        words[place] = rng.choice((word[:at] + word[at + 1:], word[:at] + word[at] + word[at:],
                                   word[:at] + word[at + 1] + word[at] + word[at + 2:]))
    return " ".join(words)


def speak(question: str, rng: random.Random, share: float = 0.15) -> str:
    """Say a question, given without its mark, as somebody would type it; up to twice `share` of its words are swapped."""
    text = " ".join(reword(question.split(" "), rng, rng.choice((0, 1, 2)) * share))
    style = rng.random()
    if style < 0.05:  # keywords only
        text = " ".join(word for word in text.split(" ") if word.lower() not in STOP_WORDS)
    elif style < 0.12:
        text = text.replace(rng.choice((" the ", " a ", " does ", " is ", " of ")), " ", 1)
    elif style < 0.16:
        text = slip(text, rng)
    style = rng.random()
    if style < 0.14:
        text = rng.choice(OPENINGS) + text
    elif style < 0.2:
        text += rng.choice(ENDINGS)
    text = text[:1].upper() + text[1:]
    if 0.2 < style < 0.27:
        text = f"{rng.choice(SITUATIONS)} {text}"
    style = rng.random()
    if style < 0.08:
        text = text.lower()
    return text + ("" if style > 0.94 else "?")
