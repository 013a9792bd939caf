"""Everyday English words and name syllables the invented text is put together from.

Word lists and the functions that draw a name or a value from them; no files, no state.
"""

import random
import zlib

NOUNS = """ticket pass key card form badge locker kettle lamp pump valve filter heater boiler fan motor battery cable
bench table chair shelf door gate window roof wall floor cellar garden yard field path bridge tower mill barn shed hut
boat canoe kayak bike helmet tent stove blanket towel basket crate pallet barrel jar bottle cup plate bowl spoon knife
map guide book leaflet poster notice letter parcel invoice receipt contract licence permit report survey budget grant
loan deposit refund discount fee tax bill account record file folder archive label sticker stamp seal ribbon flag
bell clock camera screen projector speaker microphone piano violin drum guitar costume mask curtain stage seat
apple pear plum cherry berry honey bread cheese soup tea coffee milk juice cake pie egg flour salt sugar oil
seed bulb tree hedge rose tulip bean carrot onion potato pumpkin compost soil hose rake spade shovel saw hammer drill
screw nail rope chain hook ladder bucket brush paint glue tape paper pencil pen ink chalk cloth wool yarn needle
thread leather clay tile brick stone glass steel copper wood timber gravel sand coal lamp candle lantern torch
dog cat horse sheep goat cow hen duck goose rabbit bee fish heron owl nest hive stable cage pond stream river lake
harbour quay ferry tram bus train wagon lorry van trailer car engine wheel tyre brake track rail platform stop
room hall kitchen office workshop studio library museum clinic school nursery gym pool court pitch sauna cafe shop
kiosk counter desk lift stairs corridor attic garage parking entrance exit fountain playground camp cabin hostel
team group club board council committee crew choir band orchestra class course lesson tour trip walk race match
festival fair market concert play film show exhibition auction lecture meeting workshop training exam test
prize medal trophy award gift voucher coupon subscription newsletter magazine journal programme schedule plan
sample tool machine device sensor meter switch button alarm lock fence net trap box bag sack case drawer cupboard
uniform jacket glove boot shoe hat scarf shirt apron vest medicine bandage mirror scale oven fridge freezer
mattress pillow sheet carpet lawn orchard meadow forest island beach dune cave quarry mine well spring dam canal
printer scanner laptop tablet phone password website server backup cartridge toner invoice order delivery shipment""".split()

ADJECTIVES = """red blue green white black grey yellow brown silver golden old new small large big tall short long wide
narrow deep heavy light round square flat open upper lower inner outer north south east west northern southern
eastern western central main first second third final early late spare wooden iron brass copper stone glass paper
plastic woollen cotton electric manual digital mobile public private local regional annual monthly weekly daily
summer winter spring autumn evening morning night weekend junior senior adult child family student guest staff visitor
quiet warm cold dry wet fresh frozen clean broken lost missing free paid special regular basic advanced urgent
double single extra standard premium temporary permanent joint shared covered heated hidden""".split()

# base, past
VERBS = [tuple(v.split("/")) for v in """repair/repaired paint/painted clean/cleaned deliver/delivered order/ordered
buy/bought sell/sold rent/rented borrow/borrowed return/returned open/opened close/closed move/moved build/built
design/designed inspect/inspected check/checked test/tested replace/replaced remove/removed install/installed
store/stored collect/collected donate/donated find/found lose/lost count/counted weigh/weighed measure/measured
print/printed sign/signed send/sent receive/received approve/approved reject/rejected present/presented
publish/published organise/organised lead/led visit/visited photograph/photographed describe/described
translate/translated record/recorded register/registered cancel/cancelled postpone/postponed extend/extended
restore/restored polish/polished wash/washed dry/dried cook/cooked bake/baked plant/planted water/watered
harvest/harvested feed/fed catch/caught carry/carried lift/lifted fill/filled empty/emptied seal/sealed
lock/locked unlock/unlocked label/labelled pack/packed unpack/unpacked load/loaded park/parked tow/towed
charge/charged insure/insured finance/financed sponsor/sponsored review/reviewed propose/proposed
announce/announced discuss/discussed purchase/purchased deposit/deposited share/shared bring/brought
leave/left hire/hired train/trained teach/taught show/showed hang/hung cover/covered fix/fixed""".split()]

ACTORS = """members visitors guests children pupils students teachers volunteers drivers tenants residents customers
players swimmers cyclists employees trainees pensioners parents families groups trainers owners exhibitors readers
passengers patients campers musicians stallholders gardeners beekeepers apprentices contractors supervisors""".split()

ROLES = [role.strip() for role in """treasurer, chair, secretary, caretaker, librarian, gardener, head cook, driver,
cashier, receptionist, safety officer, archivist, project lead, data clerk, electrician, plumber, youth worker,
first aider, nurse, choir leader, trainer, coach, mechanic, store keeper, press officer, bookkeeper, curator,
tour guide, lifeguard, night guard, deputy chair, workshop leader, coordinator, ferry master, shift leader,
event manager""".split(",")]

# words people swap for one another when they ask; applied to questions only, each way
SYNONYMS = [group.split("/") for group in """children/kids/youngsters|price/cost/fee/charge|buy/purchase/get|bike/bicycle
start/begin/commence|end/finish|repair/fix/mend|phone/telephone|holiday/vacation|car/vehicle|big/large|shop/store
allowed/permitted|helper/volunteer|boss/manager/head|room/space|lesson/class|trip/outing/excursion|send/mail/post
employees/staff/workers|pensioners/seniors/older people|garbage/waste/rubbish|film/movie|lorry/truck|sofa/couch
ticket/pass/admission|parking/car park|address/location|members/people who belong|rent/hire/borrow|toilet/restroom
photo/picture|letter/note|doctor/physician|begin/start|delivered/brought/shipped|organised/arranged/set up|return/give back
repaired/fixed/mended|bought/purchased|sold/passed on|rented/hired|found/discovered|lost/misplaced|collected/picked up
meeting/session|festival/fair|building/house|maximum/most/highest|minimum/least/lowest|weekly/every week|daily/every day
monthly/every month|yearly/annual/every year|need/require|help/assist|choose/pick|show/present|lamp/light|fridge/refrigerator
discount/reduction|deposit/security|refund/money back|customers/clients|visitors/guests|small/little|replaced/changed|medicine/drug
cancel/call off|approve/accept|inspected/checked|cleaned/washed|donated/gave|path/trail|stream/brook|gift/present"""
            .replace("\n", "|").split("|")]

ONSETS = "b bl br c ch d dr f fl g gr h j k kr l m n p pl qu r s sk sl st t tr v w z th sh".split() + [""]
VOWELS = "a e i o u ae ei ia ou ee y ö é á ü".split()
VOWEL_WEIGHTS = [9, 9, 8, 8, 6, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1]
CODAS = "n r l s t m nd rk x ck lt rn sk".split() + [""] * 12
ENDINGS = ["", "", "", "by", "ford", "wick", "sen", "mer", "holt", "va", "na", "ton", "dal", "ini", "ek", "ora"]
FIRST = """Anna Ben Clara David Emil Frida Georg Hanna Ivan Julia Karl Lena Marek Nora Oskar Paula Rosa Simon Tara Viktor
Zoe Amir Bea Chen Dora Elif Femi Gita Hugo Ines Jonas Kofi Lucia Mina Nils Olga Pia Ravi Sofia Tomas""".split()
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
CURRENCIES = ["{} euros", "€{}", "{} EUR", "£{}", "${}", "{} crowns", "{} francs", "{} marks", "{} €"]
UNITS = {"length": "cm mm m km metres inches".split(), "weight": "kg g tonnes pounds grams".split(),
         "volume": "litres ml l".split(), "power": "W kW volts amps".split(), "temp": ["°C", "degrees", "°F"],
         "span": "minutes hours days weeks months years".split()}
NUMBERS = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty".split()


def is_held_out(name: str) -> bool:
    """One invented word in eight is kept for measuring and never shown in training."""
    return zlib.crc32(name.lower().encode()) % 8 == 0


def draw_word(rng: random.Random, held_out: bool, n_syllables: int = 0) -> str:
    """Invent a lower-case word of one to three syllables on the wanted side of the held-out line."""
    while True:
        word = "".join(rng.choice(ONSETS) + rng.choices(VOWELS, VOWEL_WEIGHTS)[0] + rng.choice(CODAS)
                       for _ in range(n_syllables or rng.choice((1, 2, 2, 2, 3)))) + rng.choice(ENDINGS)
        if 3 <= len(word) <= 12 and is_held_out(word) == held_out:
            return word
