"""Words that tell what an adjunct says (seasons, means, channels, places, what a unit measures), and those that cannot stand in a question of their own."""

import re
from types import SimpleNamespace

SEASON = re.compile(r"(?:the\s)?(?:spring|summer|autumn|winter)")
MEANS = re.compile(
    r"(?:post|mail|e-?mail|letter|phone|telephone|text message|voice message|fax|courier|hand|train|bus|boat|ferry|tram|car|bicycle|bike|taxi|air|rail|road|sea|helicopter"
    r"|bank transfer|direct debit|standing order|cheque|card|credit card|debit card|registered post|registered letter|radio|text|the app|an app)"
)
CHANNELS = r"(?:channel|platform|gate|room|floor|page|track|line|pier|berth|stand|hall|bay|table|counter|window|terminal|stop|route|frequency|level|building|cabin|zone|road)"
UNIT_NOUNS = {
    "°c": "temperature", "c": "temperature", "°f": "temperature", "degree": "temperature", "celsius": "temperature", "km/h": "speed", "mph": "speed", "knot": "speed", "m/s": "speed",
    "bar": "pressure", "hz": "frequency", "khz": "frequency", "mhz": "frequency", "ghz": "frequency", "w": "power", "kw": "power",
}  # fmt: skip
_NOUN = (
    r"(?:hall|room|office|shed|library|kitchen|church|school|station|street|square|garden|park|yard|museum|shop|store|cellar|attic|basement|barn|stable|harbour|port|quay|pier|dock"
    r"|jetty|bridge|mill|farm|field|forest|wood|woods|lake|river|island|bay|beach|village|town|city|market|hospital|clinic|theatre|cinema|hotel|inn|pub|cafe|café|canteen|restaurant|bakery"
    r"|workshop|factory|warehouse|garage|depot|tower|castle|palace|chapel|cathedral|cemetery|courtyard|foyer|lobby|entrance|gate|door|desk|counter|corridor|hallway|stairs|staircase|roof"
    r"|balcony|terrace|porch|cupboard|cabinet|drawer|shelf|rack|box|locker|lockers|fridge|freezer|oven|fireplace|wall|floor|ceiling|ground floor|first floor|centre|center|club|clubhouse|boathouse"
    r"|pool|gym|stadium|pavilion|playground|nursery|classroom|laboratory|lab|studio|gallery|archive|archives|house|cottage|hut|lodge|tent|camp|campsite|site|car park|bus stop|stop|platform|lighthouse"
    r"|slipway|slip|lock|weir|dam|reservoir|well|pond|meadow|orchard|greenhouse|vineyard|hill|mountain|valley|pass|coast|shore|bank|border|reception|town hall|village hall|post office|surgery|pharmacy)"
)
_AT = ("in", "on", "at", "behind", "beside", "under", "near", "opposite", "inside", "outside", "next to", "in front of", "above", "below")
_PHRASE = (
        rf"(?:the|a|an)\s(?:[A-Za-zÀ-ÿ'’-]+\s){{0,3}}{_NOUN}(?:\sof\s(?:the\s)?[A-Za-zÀ-ÿ'’-]+(?:\s[A-Z][A-Za-zÀ-ÿ'’-]+)?)?"
        r"|\d{1,4}[a-z]?\s(?:[A-ZÀ-Þ][\w'’-]+\s)+(?:Street|Road|Lane|Hill|Square|Avenue|Way|Row|Close|Drive|Terrace|Gardens|Quay|Court|Place|Crescent|Alley|Park|Green|Walk|Yard|Mews)"
        r"|(?:[A-ZÀ-Þ][\w'’-]+\s)*[A-ZÀ-Þ][\w'’-]+\s(?:Street|Road|Lane|Hall|Square|Avenue|Quay|Church|School|Library|Station|Museum|Hospital|Harbour|Park|House|Bridge|Castle|Mill|Farm|Pier)"
)
PLACES = SimpleNamespace(prepositions=frozenset(_AT), phrases=re.compile(rf"(?:{_PHRASE})(?:\s(?:{'|'.join(_AT)})\s(?:{_PHRASE}))*"))
AMOUNT = re.compile(
    r"(?:[a-z-]+\s)?(?:price|cost|fee|fare|charge|rate|sum|fine|penalty|deposit|discount|rent|budget|grant|salary|wage|length|height|width|depth|weight|distance|speed|pace|temperature"
    r"|pressure|power|angle|thickness|radius|diameter|capacity|dose|volume|concentration|slope|draught|altitude)"
)
OPEN = re.compile(
    r"\b(?:you|your|yours|we|us|our|ours|i|my|me|it|them|they|he|she|him|her|his|this|these|those|that|there|here|other|another|same|such|following|someone|somebody|anyone|anybody|everyone)\b",
    re.IGNORECASE,
)
IDIOM = re.compile(r"\b(?:under the eye|in place of|in the (?:week|month|year|season|days?|night) (?:from|of|after|before)|with effect)\b")
AGE = re.compile(
    r"(?:(until|till|from|up to|at)\s(?:the age of|age)\s|(until|till)\sthey\s(?:are|turn|reach)\s)(\d{1,3}|\w+(?:-\w+)?)(?=$|\s(?:in|on|at|by|for|with|to)\s)"
)
