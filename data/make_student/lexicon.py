"""Everyday English words and name syllables the invented text is put together from.

Word lists and the functions that draw a name or a value from them; no files, no state.
"""

import random
import zlib

NOUNS = """ticket pass key card form badge locker kettle lamp pump valve filter heater boiler fan motor battery cable bench table chair shelf door gate window
roof wall floor cellar garden yard field path bridge tower mill barn shed hut boat canoe kayak bike helmet tent stove blanket towel basket crate
pallet barrel jar bottle cup plate bowl spoon knife map guide book leaflet poster notice letter parcel invoice receipt contract licence permit report
survey budget grant loan deposit refund discount fee tax bill account record file folder archive label sticker stamp seal ribbon flag bell clock
camera screen projector speaker microphone piano violin drum guitar costume mask curtain stage seat apple pear plum cherry berry honey bread cheese
soup tea coffee milk juice cake pie egg flour salt sugar oil seed bulb tree hedge rose tulip bean carrot onion potato pumpkin compost soil hose rake
spade shovel saw hammer drill screw nail rope chain hook ladder bucket brush paint glue tape paper pencil pen ink chalk cloth wool yarn needle thread
leather clay tile brick stone glass steel copper wood timber gravel sand coal candle lantern torch dog cat horse sheep goat cow hen duck goose rabbit
bee fish heron owl nest hive stable cage pond stream river lake harbour quay ferry tram bus train wagon lorry van trailer car engine wheel tyre brake
track rail platform stop room hall kitchen office workshop studio library museum clinic school nursery gym pool court pitch sauna cafe shop kiosk
counter desk lift stairs corridor attic garage parking entrance exit fountain playground camp cabin hostel team group club board council committee
crew choir band orchestra class course lesson tour trip walk race match festival fair market concert play film show exhibition auction lecture meeting
training exam test prize medal trophy award gift voucher coupon subscription newsletter magazine journal programme schedule plan sample tool machine
device sensor meter switch button alarm lock fence net trap box bag sack case drawer cupboard uniform jacket glove boot shoe hat scarf shirt apron
vest medicine bandage mirror scale oven fridge freezer mattress pillow sheet carpet lawn orchard meadow forest island beach dune cave quarry mine well
spring dam canal printer scanner laptop tablet phone password website server backup cartridge toner order delivery shipment accident achievement actor
address advert advice agency agenda agreement aid aim air airport aisle album alley allotment ambulance amount anchor animal announcement answer
antenna appeal appearance appendix appliance applicant application appointment area arch argument arm article ash assembly assistant attempt author
autumn axe axle baby bakery balcony ball balloon bank banner bar bark barley base basin bath bathroom batch bay beak beam beard bed bedroom beer
behaviour belt beaver beginner benefit bin bird birth biscuit bit blade blossom body bolt bone bonus border boundary branch brand brass breakdown
breakfast breath breed brewery bride briefing broadcast brochure bulletin bundle bunk buoy burner bush business butter butterfly buyer calendar call
calf campaign canteen canvas cap capital cardboard cargo carpenter carriage cart cash cattle cause caution ceiling cell cement centre ceremony
certificate chairlift chamber champion change channel chapel chapter charity chart chimney chisel choice church cinema circle circuit citizen city
claim clerk client cliff climate cloakroom clothing cloud clue coast coat coin collar colleague collection college colony colour column comment
commission community companion company comparison complaint component computer concern condition conference connection consent container content
contents contest contribution control conversation conveyor copy core cork corn corner cost couch country county couple courier courtyard cousin
coverage crack cradle craft crane creature credit creek crime crisis crop cross crossing crowd crown cube culture cure current cushion custom cutter
cycle damage damp dance danger data daughter dawn deadline deal death debate debt decade decision deck decline defect degree delay delegate demand
dentist department depot depth description desert design dessert detail detergent diagram dial dialogue diary dinner dinghy direction director dirt
disc discovery disease dish dispute distance district ditch division doctor dock document dose dough draft drain drawing dress driftwood drink drop
drought dust duty eagle ear earth east echo edge edition editor effect effort elbow election element elevator employee employer energy engineer
enquiry entry envelope equipment error essay estate evening event evidence example exchange exercise expense experiment expert explosion export
extension extract eye fabric facade facility fact factory failure faith fall fault favour feature feather feedback fertiliser fever fibre figure final
finance finger fire fireplace firewood firm fishery flame flash flight float flock flood flow flower fluid fly foam fog folk food foot football force
foreman forecast fork formula fortune fossil foundation frame freight frequency friend frog front frost fruit fuel fund funeral furnace furniture fuse
future gadget gain gallery game gang gap gas gathering gauge gear gene generation generator geography ghost giant glacier glasshouse goal gold goods
governor grade grain grammar grandchild granite grape graph grass grave grease greenhouse grid grocery ground groundwater guard guess guidance
guideline guidebook gutter habit habitat half handbook handle handrail hangar hay hazard head headline headquarters health heart heat heating hedgehog
height heritage hill hinge history hobby hole home hotel hour house household housing humidity ice idea illness image import incident income index
industry injury inn insect inspection inspector instruction instrument insulation insurance interest interview inventory investment item jam janitor
jaw jetty jewel job joint joke journey judge judgement jug jury keeper kennel keyboard kid kindergarten king kit knee knot knowledge laboratory labour
lace lady lamb land landing landlord landmark landscape lane language lap larder laundry law lawyer layer lead leader leaf league leak leg lemon
length lens leisure level lever librarian lid life light lighthouse limit line linen link lion liquid list litter loaf lobby location lodge loft log
loom loss luggage lunch luxury mail majority maker mammal manager mane margin mark marriage marsh mast mat material matter mayor meal meaning measure
measurement meat medium member memory mention menu merchant merger message metal method microscope mile mineral miner mineshaft minister minority
minute mission mistake mixture model moisture moment money monitor month monument mood moon morning mosaic moss moth mother mould mountain mouse mouth
movement mud mug mushroom music mussel name nation nature navy neck neighbour neighbourhood network news nickname night noise noon north nose note
notebook number oak oar oat object occasion ocean offer officer operation operator opinion option orange organ origin otter outcome outfit outlet
output owner oyster pack package packet page pain painter painting pair palace pan panel pantry parade parent parish park part participant partner
partnership party passage passenger passport pasta paste patient pattern pavement pavilion payment pea peace peak peel peat penalty pepper percentage
performance period permission person pest petition petrol pharmacy phase photo photograph photographer picture piece pier pig pile pillar pilot pin
pine pipe pipeline pit place plain plane plank plant plaque plaster plastic plateau player plot plough plug plumber pocket poem poet point policy pony
population porch port porter position possession post postcard postman pot potter pottery poultry powder power practice premises preparation presence
present president pressure price priest prince principal priority prison problem procedure process producer product production profession profile
profit progress promise proof property proposal protection protest province pub pudding pulley pupil purchase purpose push puzzle quality quantity
quarter queen question queue radiator radio raft rag railing rain rainfall rainwater ramp range rank rat rate ratio reception recipe recruit rector
reed reef reference refuge refugee region register registration regulation relation release relief remark remedy reminder repair replacement reply
reporter request rescue research reserve reservoir resident resource response rest restaurant result retirement return reward rhythm rice ride rider
rifle ring risk ritual road rock rod role roller root route routine row rower rubber rubbish rucksack rudder rug rule ruler rumour runner runway rust
saddle safety sail sailor salad salary sale salmon sauce sausage savings scaffold scene scholar scholarship science scientist score scout scrap
sculpture sea seaweed season secret section sector security seedling selection seller sentence series servant service session set settlement shade
shadow shaft shape share shaver shell shelter shepherd shift ship shipyard shock shore shower shuttle sickness side sidewalk sight sign signal
signature silence silk sill sink siren sister site size skate sketch ski skill skin skirt sky slate sledge sleep slice slide slope smell smoke smoker
snack snake snow soap society sock soda sofa software soldier solution son song sound source south souvenir space spare spark specialist species
speech speed spice spider spokesman sponge sport spot spray square squirrel staff staircase stake stall stand standard star statement station statue
status steam steeple stem step stick stock stocking stomach stool storage store storey storm story stranger strap straw strawberry street strength
stress strike string strip structure student study stuff style subject substance suburb success suggestion suit suitcase sum summary summer summit sun
supermarket supper supplier supply support surface surgeon surgery surplus surprise swan sweater sweet swimmer swimming switchboard symbol system tail
tailor talent talk tank tanker target tariff task taste teacher tear technician technique technology telephone temperature temple tenant term terminal
terrace territory textile theatre theft theme theory thermometer thief thing thought threat throat thumb thunder tide tie tiger time timetable tin tip
title toast tobacco toe toilet tomato tongue tooth top topic total touch tourist town toy tractor trade tradition traffic trail transfer transport
travel traveller tray treasure treatment treaty trial tribe trick trolley trouble trousers trout trunk trust truth tub tube tug tunnel turbine turn
turnover tutor twin type umbrella uncle union unit university user vacancy vacation valley value vase vault vegetable vehicle vein version vessel vet
victim victory video view villa village vinegar virus visa visit voice volcano volume vote voyage wage waiter walker wallet wallpaper war ward
wardrobe warehouse warning wash washbasin waste watchman water waterfall wave wax way weather web wedding weed week weekend weight west wetland whale
wharf wheat wheelchair whistle widow wife wildlife will wind windmill wine wing winner winter wish witness wolf woman word work worker workforce worm
wound wreck wrist writer yacht year yeast youth zone zoo""".split()

ADJECTIVES = """red blue green white black grey yellow brown silver golden old new small large big tall short long wide narrow deep heavy light round square flat open
upper lower inner outer north south east west northern southern eastern western central main first second third final early late spare wooden iron
brass copper stone glass paper plastic woollen cotton electric manual digital mobile public private local regional annual monthly weekly daily summer
winter spring autumn evening morning night weekend junior senior adult child family student guest staff visitor quiet warm cold dry wet fresh frozen
clean broken lost missing free paid special regular basic advanced urgent double single extra standard premium temporary permanent joint shared
covered heated hidden able absent active actual additional adjacent advance afraid aged alive amazing ancient angry anonymous apparent approved
artificial available average awake aware awful bare beautiful beloved best better bitter blank blind blunt bold boring bottom brave brief bright
brilliant broad busy calm careful careless cautious certain charming cheap cheerful chief civil classic clear clever close coastal colourful
comfortable common compact complete complex concrete constant convenient cooked cool correct costly crowded cruel curious curly current damaged damp
dangerous dark dead deaf dear decent decorated dedicated defective delicate delicious detailed different difficult dim direct dirty disabled distant
domestic doubtful dramatic drunk dusty dynamic eager educational elderly elected elegant eligible empty enclosed endless enormous entire equal
essential even eventual exact excellent exceptional exciting existing exotic expensive experienced expired express external extreme fair faithful
false familiar famous fast fat faulty favourite federal female few fine firm fit fixed flexible fluffy folding following foolish foreign formal former
fortunate fragile frequent friendly full funny future general generous gentle genuine giant glad global good grand grateful great guilty handy happy
hard harmful harmless healthy helpful high historic hollow holy honest horizontal hot huge human humble hungry ideal idle illegal immediate important
impossible improved inclusive independent indoor industrial informal initial injured innocent inside insured intact intense interesting internal
international invisible jolly keen kind known lasting lazy leading left legal liable limited liquid literary little lively lonely loose loud lovely
low loyal lucky mad major male marine married massive mature maximum mean medical medium mental metal mild military minimum minor mixed modern modest
moral movable muddy musical mutual national native natural naval near neat necessary negative neighbouring nervous neutral nice noisy normal notable
nuclear obvious occasional odd official online opposite optional oral ordinary original orthodox outdoor outside outstanding oval overdue overnight
painful painted pale parallel partial particular part-time past patient peaceful perfect personal physical pink plain pleasant polite poor popular
portable positive possible postal potential powerful practical precious precise pregnant present pretty previous primary probable professional
profitable prompt proper proposed proud provisional pure purple quick random rapid rare raw ready real rear reasonable recent recommended recycled
reduced refundable registered related relevant reliable religious remaining remote removable renewable required reserved residential responsible
restricted retired rich right ripe risky rotten rough royal rude rural rusty sad safe salty sandy satisfied scarce scientific sealed seasonal
secondary secret secure selected sensible sensitive separate serious severe shallow sharp shiny shy sick significant silent similar simple sincere
skilled sleepy slight slim slippery slow smart smooth social soft solar sole solid sore sour sparkling spectacular spicy spiral splendid spoken stable
stale steady steep sticky stiff straight strange strict striking strong sturdy successful sudden sufficient suitable sunny superb surplus surprising
suspended sweet swift technical tender terrible thick thin thirsty thorough tidy tight tiny tired top total tough toxic traditional tragic transparent
tropical typical ugly unable uncertain underground unemployed unique united unknown unlikely unlimited unpaid unusual upset upstairs urban used useful
useless usual vacant vague valid valuable variable various vertical vintage violent visible vital vivid voluntary vulnerable waterproof weak wealthy
weird welcome well-known whole wild willing wise wonderful worn worth wrong yearly young""".split()

# base, past (which is the participle too)
VERBS = [tuple(v.split("/")) for v in """repair/repaired paint/painted clean/cleaned deliver/delivered order/ordered buy/bought sell/sold rent/rented borrow/borrowed return/returned
open/opened close/closed move/moved build/built design/designed inspect/inspected check/checked test/tested replace/replaced remove/removed
install/installed store/stored collect/collected donate/donated find/found lose/lost count/counted weigh/weighed measure/measured print/printed
sign/signed send/sent receive/received approve/approved reject/rejected present/presented publish/published organise/organised lead/led visit/visited
photograph/photographed describe/described translate/translated record/recorded register/registered cancel/cancelled postpone/postponed
extend/extended restore/restored polish/polished wash/washed dry/dried cook/cooked bake/baked plant/planted water/watered harvest/harvested feed/fed
catch/caught carry/carried lift/lifted fill/filled empty/emptied seal/sealed lock/locked unlock/unlocked label/labelled pack/packed unpack/unpacked
load/loaded park/parked tow/towed charge/charged insure/insured finance/financed sponsor/sponsored review/reviewed propose/proposed announce/announced
discuss/discussed purchase/purchased deposit/deposited share/shared bring/brought leave/left hire/hired train/trained teach/taught show/showed
hang/hung cover/covered fix/fixed accept/accepted accompany/accompanied acquire/acquired adapt/adapted adjust/adjusted admire/admired adopt/adopted
advertise/advertised advise/advised afford/afforded allocate/allocated allow/allowed alter/altered analyse/analysed answer/answered apply/applied
appoint/appointed appreciate/appreciated arrange/arranged assemble/assembled assess/assessed attach/attached attack/attacked attend/attended
avoid/avoided award/awarded balance/balanced ban/banned bend/bent block/blocked boil/boiled book/booked breed/bred
brush/brushed burn/burnt bury/buried calculate/calculated call/called capture/captured celebrate/celebrated change/changed chase/chased chop/chopped claim/claimed classify/classified clear/cleared climb/climbed collapse/collapsed combine/combined compare/compared complete/completed
compose/composed conduct/conducted confirm/confirmed connect/connected consider/considered construct/constructed consult/consulted consume/consumed
contact/contacted contain/contained continue/continued control/controlled convert/converted copy/copied correct/corrected create/created
criticise/criticised cross/crossed crush/crushed cultivate/cultivated cure/cured cut/cut damage/damaged date/dated decorate/decorated defend/defended
define/defined demand/demanded demolish/demolished deny/denied destroy/destroyed detect/detected develop/developed dig/dug digitise/digitised
direct/directed discharge/discharged display/displayed dispose/disposed distribute/distributed divide/divided double/doubled download/downloaded
drag/dragged drain/drained drop/dropped dye/dyed earn/earned edit/edited educate/educated elect/elected
employ/employed enclose/enclosed encourage/encouraged enjoy/enjoyed enlarge/enlarged enter/entered equip/equipped escort/escorted
establish/established estimate/estimated evaluate/evaluated examine/examined exchange/exchanged exclude/excluded exhibit/exhibited expand/expanded
explain/explained explore/explored export/exported express/expressed fell/felled fetch/fetched file/filed filter/filtered fit/fitted flood/flooded
fold/folded follow/followed force/forced form/formed fund/funded gather/gathered grind/ground
guard/guarded guide/guided handle/handled heat/heated hold/held host/hosted hunt/hunted identify/identified ignore/ignored
illustrate/illustrated import/imported improve/improved include/included increase/increased inform/informed inherit/inherited injure/injured
insert/inserted insulate/insulated interview/interviewed introduce/introduced invent/invented invest/invested investigate/investigated invite/invited
iron/ironed isolate/isolated issue/issued join/joined judge/judged keep/kept kick/kicked knit/knitted land/landed launch/launched lay/laid lend/lent
light/lit limit/limited list/listed locate/located mail/mailed maintain/maintained make/made manage/managed mark/marked melt/melted mention/mentioned
merge/merged mix/mixed monitor/monitored mount/mounted name/named note/noted notice/noticed number/numbered obtain/obtained offer/offered
oil/oiled operate/operated own/owned peel/peeled perform/performed permit/permitted pick/picked place/placed plough/ploughed pour/poured
praise/praised predict/predicted prepare/prepared press/pressed prevent/prevented process/processed produce/produced promise/promised promote/promoted
protect/protected prove/proved provide/provided pull/pulled pump/pumped punish/punished push/pushed question/questioned raise/raised reach/reached
read/read rebuild/rebuilt recall/recalled recommend/recommended recover/recovered recruit/recruited recycle/recycled reduce/reduced refill/refilled
refund/refunded release/released remember/remembered renew/renewed renovate/renovated reopen/reopened report/reported represent/represented
request/requested rescue/rescued reserve/reserved resolve/resolved revise/revised reward/rewarded roast/roasted roll/rolled
row/rowed rub/rubbed ruin/ruined sail/sailed sample/sampled save/saved scan/scanned schedule/scheduled search/searched secure/secured
select/selected separate/separated serve/served settle/settled shape/shaped sharpen/sharpened shelter/sheltered
sketch/sketched slice/sliced smoke/smoked solve/solved sort/sorted spend/spent spill/spilt split/split
spot/spotted spray/sprayed spread/spread squeeze/squeezed stack/stacked stamp/stamped state/stated steer/steered stir/stirred
stitch/stitched stop/stopped strengthen/strengthened stretch/stretched study/studied submit/submitted suggest/suggested supervise/supervised
supply/supplied support/supported surround/surrounded survey/surveyed suspend/suspended swap/swapped sweep/swept tap/tapped taste/tasted
tell/told tidy/tidied tie/tied tighten/tightened trace/traced track/tracked trade/traded transfer/transferred
transform/transformed transport/transported treat/treated trim/trimmed turn/turned type/typed uncover/uncovered understand/understood update/updated
upgrade/upgraded upload/uploaded use/used vaccinate/vaccinated value/valued varnish/varnished verify/verified vote/voted warm/warmed warn/warned
waste/wasted watch/watched weld/welded welcome/welcomed win/won wind/wound wrap/wrapped """.split()]

ACTORS = """members visitors guests children pupils students teachers volunteers drivers tenants residents customers
players swimmers cyclists employees trainees pensioners parents families groups trainers owners exhibitors readers
passengers patients campers musicians stallholders gardeners beekeepers apprentices contractors supervisors""".split()

ROLES = [role.strip() for role in """treasurer, chair, secretary, caretaker, librarian, gardener, head cook, driver,
cashier, receptionist, safety officer, archivist, project lead, data clerk, electrician, plumber, youth worker,
first aider, nurse, choir leader, trainer, coach, mechanic, store keeper, press officer, bookkeeper, curator,
tour guide, lifeguard, night guard, deputy chair, workshop leader, coordinator, ferry master, shift leader,
event manager""".split(",")]

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
