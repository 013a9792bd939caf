"""Frames of questions: the plain one that the rules write, what people say instead, and the way back."""

import re

from lib.llm.offline.values import MONTH, TIME_UNIT, WEEKDAY, YEAR
from lib.llm.offline.words import strip_lead

# kind of value; the plain frame; what may be said instead.
_FRAMES = (
    ("measure", r"(?:For how long|How long|For what length of time) is (?P<x>.+?) valid", ("How long can I use {x}", "How long does {x} stay good")),
    ("measure", r"What is the (?:greatest|maximum|largest) (?P<n>length|height|width|depth|weight) (?:for|of) (?P<x>an? .+)", ("What {n} may {x} have at most", "Up to what {n} can {x} go")),
    ("measure", r"What is the speed limit (?P<r>(?:in|on|inside|for|at|off|near) .+)", ("How fast may one go {r}", "How fast can I go {r}")),
    ("measure", r"How many litres does (?P<x>.+?) hold", ("What is the capacity of {x}", "How many litres fit into {x}", "How much can be put into {x}")),
    ("money", r"At what price is (?P<x>.+?) sold(?P<t>.*)", ("How much does {x} cost{t}", "What do I pay for {x}{t}")),
    ("money", r"At what price does (?P<y>.+?) sell (?P<x>.+)", ("How much does {y} charge for {x}", "What does {y} ask for {x}", "What do I pay for {x} at {y}")),
    ("money", r"How much is (?P<x>.+?) paid(?P<t>.*)", ("What does {x} earn{t}", "How much money goes to {x}{t}")),
    ("money", r"How much are (?P<x>.+?) paid(?P<t>.*)", ("What do {x} earn{t}", "How much money goes to {x}{t}")),
    ("place", r"(?:Where|In what place) (?:is|are) (?P<x>.+?) sold", ("Where can I buy {x}", "Where will I get {x}")),
    ("person", r"(?:Who|Which person) won (?P<x>.+)", ("Who was the winner of {x}", "Who came first in {x}")),
    ("date", r"When (?:is|are) (?P<x>.+?) open(?P<t>(?: .+)?)", ("What are the opening times of {x}{t}", "When can people go into {x}{t}")),
    ("time", r"When (?:is|are) (?P<x>.+?) open(?P<t>(?: .+)?)", ("What are the opening hours of {x}{t}", "At what times can people go into {x}{t}")),
    ("cell", r"What is the minimum age (?:of|for) (?P<x>.+)", ("How old must one be for {x}", "From what age on can people do {x}")),
    ("cell", r"What is the (?:tele)?phone(?: number)? of (?P<x>.+)", ("What number do I ring for {x}", "How can I reach {x} by phone")),
    ("cell", r"(?:What|How much) is the (?:price|fare|cost|fee|charge) per (?P<u>\w+) (?:of|for) (?P<x>.+)", ("How much do I pay per {u} for {x}", "What will I be charged per {u} for {x}")),
    ("cell", r"(?:What|How much) is the (?:price|fare|cost|fee|charge) (?:of|for) (?P<x>.+)", ("How much do I pay for {x}", "What will {x} set me back", "How much does {x} cost")),
    ("object", r"What (?:does|do) (?P<x>.+?) (?:contain|hold)", ("What is in {x}", "What will I find in {x}", "What is inside {x}")),
    ("object", r"What does (?P<x>.+?) (?:include|comprise)", ("What is part of {x}", "What belongs to {x}")),
    ("object", r"What does (?P<x>.+?) sell", ("What can I buy from {x}", "What is on sale at {x}")),
    ("object", r"What does (?P<x>.+?) (?:mean|signify)", ("What is the meaning of {x}", "What is {x} meant to tell me")),
    ("object", r"What (?:does|do) (?P<x>.+?) (?:need|require)", ("What is needed for {x}", "What do I need for {x}")),
    ("object", r"What (?:does|do) (?P<x>.+?) (?:receive|get)", ("What is given to {x}", "What goes to {x}")),
    ("object", r"What (?:does|do) (?P<x>.+?) wear", ("What do {x} have on", "What must {x} have on")),
    ("object", r"What (?:does|do) (?P<x>.+?) (?:provide|supply|deliver)", ("What comes from {x}", "What do people get from {x}")),
    ("person", r"(?:Who|Which person) (?:runs|manages|leads|heads|directs) (?P<x>.+)", ("Who is in charge of {x}", "Who is at the head of {x}", "Who is the boss of {x}")),
    ("person", r"(?:Who|Which person) (?:wrote) (?P<x>.+)", ("Who is the author of {x}", "Whose work is {x}")),
    ("person", r"(?:Who|Which person) (?:designed) (?P<x>.+)", ("Who is the designer of {x}", "Whose design is {x}")),
    ("person", r"(?:Who|Which person) (?:founded|established|started) (?P<x>.+)", ("Who is the founder of {x}", "Who set up {x}")),
    ("person", r"(?:Who|Which person) (?:invented|devised) (?P<x>.+)", ("Who is the inventor of {x}", "Who came up with {x}")),
    ("person", r"(?:Who|Which person) (?:owns) (?P<x>.+)", ("Who is the owner of {x}", "To whom does {x} belong")),
    ("person", r"(?:Who|Which person) (?:built|constructed) (?P<x>.+)", ("Who is the builder of {x}", "Who was the builder of {x}")),
    ("person", r"By whom (?:is|are) (?P<x>.+?) (?:run|managed|led|headed)", ("Who is in charge of {x}", "Who is the boss of {x}")),
    ("date", r"When (?:does|do) (?P<x>.+?) (?:take place|happen|occur)", ("When is {x}", "What is the date of {x}", "For when is {x} planned")),
    ("date", r"When (?:did) (?P<x>.+?) (?:take place|happen|occur)", ("When was {x}", "What was the date of {x}")),
    ("date", r"When (?:is) (?P<x>.+?) (?:held)", ("When is {x}", "What is the date of {x}")),
    ("date", r"When was (?P<x>.+?) (?:founded|established)", ("When did {x} come into being", "What is the founding date of {x}")),
    ("date", r"When was (?P<x>.+?) (?:built|constructed|erected)", ("What is the date of construction of {x}",)),
    ("date", r"When was (?P<x>[A-Z].+?) born", ("What is the birth date of {x}", "When did {x} come into the world")),
    ("date", r"When did (?P<x>.+?) open", ("What is the opening date of {x}",)),
    ("date", r"When did (?P<x>.+?) (?:begin|start)", ("What was the starting date of {x}", "From when did {x} run")),
    ("date", r"(?:From when|Since when) (?P<r>(?:is|are|was|were|has|have) .+)", ("As of when {r}", "From what date {r}")),
    ("date", r"(?:By when|Until when) (?P<r>.+)", ("Up to when {r}", "Until what date {r}")),
    ("time", r"When (?:does|do) (?P<x>.+?) (?:open)", ("What is the opening time of {x}", "What time can I get into {x}")),
    ("time", r"When (?:does|do) (?P<x>.+?) (?:close|shut)", ("What is the closing time of {x}", "How late is {x} open")),
    ("measure", r"How (?:wide) (?:is|are) (?P<x>.+)", ("What is the width of {x}", "What does {x} measure across", "What width does {x} have")),
    ("measure", r"How (?:high|tall) (?:is|are) (?P<x>.+)", ("What is the height of {x}", "What height does {x} have", "How far up does {x} reach")),
    ("measure", r"How (?:deep) (?:is|are) (?P<x>.+)", ("What is the depth of {x}", "What depth does {x} have", "How far down does {x} go")),
    ("length", r"How (?:long) (?:is|are) (?P<x>.+)", ("What is the length of {x}", "What length does {x} have")),
    ("measure", r"How (?:thick) (?:is|are) (?P<x>.+)", ("What is the thickness of {x}", "What thickness does {x} have")),
    ("measure", r"How (?:old) (?:is|are) (?P<x>.+)", ("What is the age of {x}", "What age does {x} have")),
    ("measure", r"(?:How much does (?P<x>.+?) weigh|What is the weight of (?P<y>.+))", ("How heavy is {x}{y}", "What does {x}{y} come to on the scales", "What weight does {x}{y} have")),
    ("measure", r"(?:For how many|How many) (?P<u>minutes|hours|days|weeks|months|years) (?:does|do) (?P<x>.+?) (?:take|last)", ("How much time does {x} take", "How long does {x} go on for", "How long is {x}")),
    ("measure", r"For how (?:many (?:minutes|hours|days|weeks|months|years)|long) (?P<r>.+)", ("How long {r}", "For what length of time {r}")),
    ("measure", r"How far (?:is|are) (?P<x>.+?) (?:away )?from (?P<y>.+)", ("What is the distance between {x} and {y}", "What is the distance from {y} to {x}")),
    ("measure", r"How many (?P<u>minutes|hours|days|weeks|months) (?P<w>before|after) (?P<r>.+)", ("How long {w} {r}", "How much time {w} {r}")),
    ("measure", r"At what speed (?P<r>.+)", ("How fast {r}", "At what pace {r}")),
    ("measure", r"How much (?P<r>(?:is|are|was|were) .+)", ("What amount {r}",)),
    ("percent", r"What percentage of (?P<r>.+)", ("What share of {r}", "What proportion of {r}", "How large a part of {r}")),
    ("percent", r"What percentage (?P<r>.+)", ("How many per cent {r}", "What share {r}")),
    ("count", r"How many (?P<x>.+?) (?:is|are) there(?P<t>.*)", ("What is the number of {x}{t}", "How many {x} exist{t}")),
    ("count", r"How many (?P<x>(?:[a-z]+ ){0,2}[a-z]+s) does (?P<y>.+?) have", ("How many {x} are there in {y}", "What is the number of {x} of {y}", "What number of {x} has {y} got")),
    ("count", r"How many (?P<x>(?:[a-z]+ ){0,2}[a-z]+s) does (?P<y>.+?) (?:employ)", ("How many {x} work for {y}", "How many {x} are on the payroll of {y}")),
    ("manner", r"How (?P<r>(?:is|are|does|do|did|can|was|were) .+)", ("In what way {r}", "By what means {r}")),
    ("manner", r"In what way (?P<r>(?:is|are|does|do|did|can|was|were) .+)", ("By what means {r}", "How {r}")),
    ("place", r"Where (?:is|are) (?P<x>.+?) (?:kept|stored|located|situated|placed|displayed|housed|found)", ("Where can I find {x}", "Where will I find {x}", "Where would I look for {x}")),
    ("place", r"In what place (?:is|are) (?P<x>.+?) (?:kept|stored|located|situated|placed|displayed|housed|found)", ("Where can I find {x}", "Where will I find {x}", "Where would I look for {x}")),
    ("measure", r"How long (?P<r>(?:is|are|can|may|must|will|should) .+ (?:valid|open|closed|kept|stored|held|off|free|stay|last|run|remain)(?: .+)?)", ("For what length of time {r}", "For how long {r}")),
    ("object", r"(?:Can you tell me|Do you know|Please tell me|Could you say|I would like to know) what (?P<r>.+)", ("What is it that {r}",)),
    ("place", r"(?:Where|In what place) (?:is|are) (?P<x>(?:the |an? |children's |[A-Z])(?:(?!\w+ed\b|made\b|held\b|built\b|put\b|taken\b|not\b|sold\b|laid\b|hung\b|bought\b)[\w'’-]+ ?){1,7})", ("Where can I find {x}", "Where will I find {x}", "Where would I look for {x}")),
    ("place", r"(?:Where|In what place) (?P<r>(?:is|are|was|were|does|do|did|can|may|must|will|has|have) .+)", ("Whereabouts {r}", "At which place {r}", "In which place {r}")),
    ("time", r"At what time (?P<r>.+)", ("At what hour {r}", "At which hour {r}", "What time {r}")),
    ("date", r"In which year (?P<r>.+)", ("In what year {r}", "What year {r}")),
    ("date", r"On (?:what|which) (?P<d>date|day) (?P<r>.+)", ("On what day {r}", "On which {d} {r}")),
    ("measure", r"How long does (?P<x>.+?) take", ("How much time does {x} take", "How long will {x} take", "How much time will {x} take")),
    ("measure", r"How often (?P<r>.+)", ("How frequently {r}", "At what intervals {r}")),
    ("measure", r"Within what time of (?P<r>.+)", ("Within how much time of {r}",)),
    ("measure", r"Within what time (?P<r>.+)", ("How soon {r}", "How quickly {r}")),
    ("measure", r"How long before (?P<r>.+)", ("How much time before {r}", "How far ahead of {r}")),
    ("money", r"(?:How much|What) does (?P<x>.+?) cost(?P<t>(?: .+)?)", ("What is the price of {x}{t}", "How much do I pay for {x}{t}", "What will {x} set me back{t}", "How much will I be charged for {x}{t}", "What do you charge for {x}{t}")),
    ("money", r"How much is the price for (?P<x>.+)", ("What does {x} cost", "How much do I pay for {x}", "What will {x} set me back")),
    ("money", r"How much (?P<r>(?:does|do|did|has|have|had|will|must|may|can|should) .+)", ("What sum {r}", "What amount {r}", "What amount of money {r}")),
    ("money", r"How much (?P<v>is|was) (?P<r>the (?:[\w-]+ ){0,2}\w+(?<!ed))", ("How high {v} {r}",)),
    ("money", r"At what price (?P<r>.+)", ("For how much {r}", "At what cost {r}")),
    ("count", r"How many (?P<r>(?!.*\bat least\b).+)", ("What number of {r}", "Exactly how many {r}")),
    ("person", r"(?:Who is|What is the name of) the (?P<r>(?!\w* ?(?:founder|owner|author|inventor|designer|creator|supplier|customer|contractor))[a-z].+)", ("Who serves as the {r}", "Who works as the {r}", "What is the {r} called", "Who has the job of {r}", "Who fills the post of {r}")),
    ("person", r"Who holds the post of (?P<r>[a-z].+)", ("Who serves as {r}", "Who has the job of {r}", "Who fills the post of {r}")),
    ("person", r"What is the name of the (?P<r>[a-z].+)", ("What is the {r} called", "Who serves as the {r}")),
    ("person", r"(?:Who|Which person) (?P<r>(?!is |are |was |were |or |must |may |can |has |have |will |do|did)(?:[a-z]+ed|built|wrote|made|led|won|began|found|held|gave|took|drew|sold|bought) .+)", ("Who was it that {r}",)),
    ("person", r"To whom (?P<r>(?:do|does|is|are|can|may|must|should) .+)", ("Who {r} to",)),
    ("reason", r"(?:Why|For what reason) (?P<r>.+)", ("For what reason {r}", "Why {r}")),
    ("reason", r"What is the reason that (?P<r>.+)", ("How come {r}", "Why is it that {r}")),
    ("definition", r"(?:What (?:is|are) |What kind of thing (?:is|are) |How can )(?P<x>(?!the ).+?)(?: be described)?", ("What is meant by {x}", "What do people mean by {x}", "How would you describe {x}")),
    ("definition", r"What (?P<v>is|are) (?P<x>the .+)", ("What exactly {v} {x}",)),
    ("name", r"What does (?P<x>\S+) stand for", ("What is {x} short for", "What do the letters {x} mean")),
    ("name", r"What (?:is|was) (?P<x>.+?) called", ("Under what name is {x} known", "What name does {x} have")),
    ("cell", r"What is given under (?P<a>.+?) for (?P<x>.+)", ("What are the {a} of {x}", "What are the {a} for {x}", "Which {a} are there for {x}")),
    ("cell", r"What (?:is|are) the API call of (?P<x>.+)", ("How do I call {x}", "Which call do I use for {x}", "How is {x} called in code")),
    ("cell", r"What (?:is|are) the functionality of (?P<x>.+)", ("What can I do with {x}", "What is {x} good for", "What can {x} be used for")),
    ("cell", r"What (?:is|are) the API arguments of (?P<x>.+)", ("Which arguments does {x} take", "Which parameters does {x} accept")),
    ("cell", r"What (?:is|are) the (?:python )?(?:env|environment) requirements of (?P<x>.+)", ("What must be installed before I can use {x}", "What does {x} need to run")),
    ("cell", r"What (?:is|are) the performance of (?P<x>.+)", ("How well does {x} perform", "How good is {x}")),
    ("cell", r"What (?:is|are) the framework of (?P<x>.+)", ("Which framework does {x} use", "Which library is {x} built on")),
    ("cell", r"What (?:is|are) the domain of (?P<x>.+)", ("Which field does {x} belong to", "What field is {x} for")),
    ("cell", r"What is the (?P<a>(?:API |[a-z])[^()]*?) (?:of|for) (?P<x>.+)", ("Which {a} does {x} have", "Which {a} goes with {x}", "What {a} does {x} have", "What is the {a} when it comes to {x}")),
    ("cell", r"How many (?P<a>.+?) are given for (?P<x>.+)", ("How many {a} are there for {x}", "How many {a} are listed under {x}")),
    ("cell", r"What is given as the (?P<a>(?:API |[a-z])[^()]*?) (?:of|for) (?P<x>.+)", ("Which {a} does {x} have", "Which {a} goes with {x}", "What {a} does {x} have", "What is the {a} when it comes to {x}")),
    ("cell", r"What (?P<a>.+?) (?:is|are) (?:given|listed) for (?P<x>.+)", ("Which {a} belongs to {x}", "Which {a} goes with {x}", "What {a} does {x} have")),
    ("cell", r"For (?P<x>.+), what is the (?P<a>.+)", ("In the case of {x}, what is the {a}", "Looking at {x}, what is the {a}", "What is the {a} when it comes to {x}")),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(plain), others) for kind, plain, others in _FRAMES)
_BACK = (
    (r"what is it that (.+)", r"what \1"),
    (r"on (?:what|which) (?:date|days?)(?: of the week)? (.+)", r"when \1"),
    (r"what (?:is in|will i find in|is inside) (.+)", r"what does \1 contain"),
    (r"what (?:belongs to|is part of) (.+)", r"what does \1 include"),
    (r"what (?:can i buy from|is on sale at) (.+)", r"what does \1 sell"),
    (r"what is the meaning of (.+)|what is (.+) meant to tell me", r"what does \1\2 mean"),
    (r"what (?:is needed|do i need) for (.+)", r"what does \1 need"),
    (r"what (?:is given|goes) to (.+)", r"what does \1 receive"),
    (r"what do (.+) have on|what must (.+) have on", r"what does \1\2 wear"),
    (r"what (?:comes from|do people get from) (.+)", r"what does \1 provide"),
    (r"who is (?:in charge|at the head|the boss) of (.+)", r"who runs \1"),
    (r"who is the author of (.+)|whose work is (.+)", r"who wrote \1\2"),
    (r"who is the designer of (.+)|whose design is (.+)", r"who designed \1\2"),
    (r"who is the founder of (.+)|who set up (.+)", r"who founded \1\2"),
    (r"who is the inventor of (.+)|who came up with (.+)", r"who invented \1\2"),
    (r"who is the owner of (.+)|to whom does (.+) belong", r"who owns \1\2"),
    (r"who (?:is|was) the builder of (.+)", r"who built \1"),
    (r"what is the date of (.+)|for when is (.+) planned", r"when does \1\2 take place"),
    (r"what was the date of (.+)|when (?:is|was) (.+)", r"when did \1\2 take place"),
    (r"when did (.+) come into being|what is the founding date of (.+)", r"when was \1\2 founded"),
    (r"what is the date of construction of (.+)", r"when was \1 built"),
    (r"what is the birth date of (.+)|when did (.+) come into the world", r"when was \1\2 born"),
    (r"what is the opening date of (.+)|from when did (.+) run", r"when did \1\2 open"),
    (r"(?:as of when|from what date) (.+)", r"since when \1"),
    (r"(?:up to when|until what date) (.+)", r"until when \1"),
    (r"what is the opening time of (.+)|what time can i get into (.+)", r"when does \1\2 open"),
    (r"what is the closing time of (.+)|how late is (.+) open", r"when does \1\2 close"),
    (r"what is the width of (.+)|what does (.+) measure across|what width does (.+) have", r"how wide is \1\2\3"),
    (r"what is the height of (.+)|what height does (.+) have|how far up does (.+) reach", r"how high is \1\2\3"),
    (r"what is the depth of (.+)|what depth does (.+) have|how far down does (.+) go", r"how deep is \1\2\3"),
    (r"what is the length of (.+)|what length does (.+) have|how long is (.+)", r"how long does \1\2\3 take"),
    (r"what is the thickness of (.+)|what thickness does (.+) have", r"how thick is \1\2"),
    (r"what is the age of (.+)|what age does (.+) have", r"how old is \1\2"),
    (r"how heavy is (.+)|what does (.+) come to on the scales|what weight does (.+) have", r"how much does \1\2\3 weigh"),
    (r"how long does (.+) go on for", r"how long does \1 take"),
    (r"for what length of time (.+)", r"for how long \1"),
    (r"what is the distance (?:between (.+) and|from (.+) to) (.+)", r"how far from \1\2 is \3"),
    (r"(?:how fast|at what pace) (.+)", r"at what speed \1"),
    (r"(?:what proportion|how large a part) of (.+)", r"what percentage of \1"),
    (r"how many per cent (.+)|what share (.+)", r"what percentage \1\2"),
    (r"how many (.+) exist(.*)", r"how many \1 are there\2"),
    (r"how many (.+) are there in (.+)|what is the number of (.+) of (.+)|what number of (.+) has (.+) got", r"how many \1\3\5 does \2\4\6 have"),
    (r"how many (.+) (?:work for|are on the payroll of) (.+)", r"how many \1 does \2 employ"),
    (r"(?:in what way|by what means) (.+)", r"how \1"),
    (r"where (?:can|will|would) (?:i|we) (?:find|look for) (.+)", r"where is \1"),
    (r"whereabouts (.+)", r"where \1"),
    (r"(?:at|in) which place (.+)", r"where \1"),
    (r"(?:at (?:what|which) (?:hour|time)|what time) (.+)", r"when \1"),
    (r"(?:in )?(?:what|which) year (.+)", r"when \1"),
    (r"how much time (does|will|before) (.+)", r"how long \1 \2"),
    (r"(?:how frequently|at what intervals) (.+)", r"how often \1"),
    (r"within how much time of (.+)", r"within what time of \1"),
    (r"how (?:soon|quickly) (.+)", r"within what time \1"),
    (r"how far ahead of (.+)", r"how long before \1"),
    (r"how much (?:do|would) (?:i|we) pay for (.+)", r"how much does \1 cost"),
    (r"what (?:will|would) (.+?) set me back(.*)", r"how much does \1 cost\2"),
    (r"how much will i be charged for (.+)", r"how much does \1 cost"),
    (r"what do you charge for (.+)", r"how much does \1 cost"),
    (r"what is the price of (.+)", r"how much does \1 cost"),
    (r"how high (is|was) (.+)", r"how much \1 \2"),
    (r"what (?:sum|amount)(?: of money)? ((?:is|are|was|were|does|do|did|has|have|had|will|must|may|can|should) .+)", r"how much \1"),
    (r"what number of (.+)", r"how many \1"),
    (r"exactly how many (.+)", r"how many \1"),
    (r"(?:who (?:serves|works) as|who has the job of|who fills the post of) (.+)", r"who is \1"),
    (r"what is the (.+) called", r"what is the name of the \1"),
    (r"who (?:was|is) it that (.+)", r"who \1"),
    (r"how come (.+)|why is it that (.+)", r"why \1\2"),
    (r"(?:what is meant by|what do people mean by|how would you describe) (.+)|what exactly (?:is|are) (.+)", r"what is \1\2"),
    (r"(?:what is (.+) short for|what do the letters (.+) mean)", r"what does \1\2 stand for"),
    (r"what name does (.+) have", r"what is \1 called"),
    (r"how do i call (.+)|which call do i use for (.+)|how is (.+) called in code", r"what is the API call of \1\2\3"),
    (r"what can i do with (.+)|what is (.+) good for|what can (.+) be used for", r"what is the functionality of \1\2\3"),
    (r"which (?:arguments|parameters) does (.+) (?:take|accept)", r"what are the API arguments of \1"),
    (r"what must be installed before i can use (.+)|what does (.+) need to run", r"what are the env requirements of \1\2"),
    (r"how well does (.+) perform|how good is (.+)", r"what is the performance of \1\2"),
    (r"which framework does (.+) use|which library is (.+) built on", r"what is the framework of \1\2"),
    (r"which field does (.+) belong to|what field is (.+) for", r"what is the domain of \1\2"),
    (r"which (.+) (?:goes with|belongs to|are there for) (.+)", r"what is the \1 of \2"),
    (r"(?:in the case of|looking at) (.+), what is the (.+)", r"what is the \2 of \1"),
    (r"what is the (.+) when it comes to (.+)", r"what is the \1 of \2"),
    (r"(?:which|what) (.+) does (.+) have", r"what is the \1 of \2"),
    (r"how long can i use (.+)|how long does (.+) stay good", r"how long is \1\2 valid"),
    (r"what (length|height|width|depth|weight) may (.+) have at most|up to what (length|height|width|depth|weight) can (.+) go", r"what is the greatest \1\3 of \2\4"),
    (r"how fast (?:may one|can i) go (.+)", r"what is the speed limit \1"),
    (r"what is the capacity of (.+)|how many litres fit into (.+)|how much can be put into (.+)", r"how many litres does \1\2\3 hold"),
    (r"how much does (.+) cost(.*)|what do i pay for (.+)", r"at what price is \1\2\3 sold"),
    (r"(?:how much|what) does (.+) (?:charge|ask) for (.+)", r"at what price does \1 sell \2"),
    (r"what do i pay for (.+) at (.+)", r"at what price does \2 sell \1"),
    (r"what (?:does|do) (.+) earn(.*)|how much money goes to (.+)", r"how much are \1\2\3 paid"),
    (r"where (?:can i buy|will i get) (.+)", r"where is \1 sold"),
    (r"who (?:was the winner of|came first in) (.+)", r"who won \1"),
    (r"what are the opening (?:hours|times) of (.+)|(?:when|at what times) can people go into (.+)", r"when is \1\2 open"),
    (r"how old must one be for (.+)|from what age on can people do (.+)", r"what is the minimum age of \1\2"),
    (r"what number do i ring for (.+)|how can i reach (.+) by phone", r"what is the telephone of \1\2"),
    (r"(?:how much do i pay|what will i be charged) per (\w+) for (.+)", r"what is the price per \1 for \2"),
    (r"how much do i pay for (.+)|what will (.+) set me back|how much does (.+) cost", r"what is the price for \1\2\3"),
)  # fmt: skip
_WAYS_BACK = tuple((re.compile(said, re.IGNORECASE), plain) for said, plain in _BACK)
LEADS = ("Any idea", "Have you any idea", "Do you happen to know", "I wonder", "I need to know", "Does anybody know")
SITUATIONS = ("Quick question", "One thing I could not find", "I am new to this", "I want to be sure", "Before I go on", "A question from a newcomer")  # fmt: skip
_LEADS = re.compile(rf"^(?:(?:{'|'.join(SITUATIONS)}): |(?:{'|'.join(LEADS)}) )", re.IGNORECASE)


def reframed(question: str, kind: str, value: str = "") -> list[str]:
    """The same question in the other frames that its kind of value has; nothing where its own frame is not known.

    Args:
        question: One that the rules wrote.
        kind: Kind of the value asked for.
        value: The value itself: "When" asks for a year in other words than for a day.
    """
    plain = question.rstrip("?")
    kinds = (kind, "length") if kind == "measure" and not TIME_UNIT.search(value) else (kind,)
    for of, frame, others in _COMPILED:
        if of in kinds and (match := frame.fullmatch(plain)):
            found = [f"{other.format(**match.groupdict(''))}?" for other in others if not _clashes(other, match)]
            if found:
                return found
    if kind in ("date", "time") and (match := re.fullmatch(r"When (?P<r>.+)", plain)):
        return [f"{opening} {match['r']}?" for opening in _whens(value)]
    return []


def _whens(value: str) -> tuple[str, ...]:
    """Openings that ask when, by what is to be answered."""
    if re.match(rf"(?:from|between) {WEEKDAY}", value):
        return ("On which days", "On what days")
    if re.match(r"(?:from|between)\b", value):
        return ("From when to when",)
    if re.fullmatch(YEAR, value):
        return ("In what year", "In which year", "What year")
    if re.fullmatch(rf"{WEEKDAY}", value):
        return ("On which day", "On what day of the week")
    if re.search(rf"\b\d{{1,2}}\s{MONTH}|{MONTH}\s\d{{1,2}}\b", value) and len(value) < 30:
        return ("On what date", "On which date", "On what day")
    return ("At what hour", "What time") if re.fullmatch(r"\d{1,2}[:.]\d\d", value) else ()


_TOP = re.compile(r"(?:greatest|largest|highest|lowest|least|smallest|longest|minimum|maximum|total|average|overall)\b")


def _clashes(other: str, match: re.Match) -> bool:
    """Whether a part would stand wrongly in a frame: a question mark inside it, or a bracket torn apart."""
    parts = match.groupdict("")
    owner = parts.get("x", "")
    attribute = parts.get("a", "")
    if " for " in owner or owner[:1].isdigit() and "mean" in other:
        return True  # "What is the length of boat for Slip 2" is not about a boat
    if other.startswith(("Which", "What {a}")) and _TOP.match(attribute):
        return True  # "Which greatest weight"
    if re.search(r"[a-z]{2}s$", attribute) and re.search(r"goes with|belongs to|What is the {a}", other):
        return True  # "Which arguments goes with"
    if "does {x} have" in other and (owner[:1].islower() or re.search(r" and |, |^\w+[a-rt-z]s\b", owner)):
        return True  # "What training does museum steward have"
    return any("?" in part or part.count("(") != part.count(")") for part in parts.values()) or (
        other.format(**parts) == match.group()
    )


def plainly(question: str) -> list[str]:
    """A question of these frames in the plain ones that it may stand for; any other one without its lead."""
    asked = strip_lead(_LEADS.sub("", question.strip())).rstrip("?! .")
    back = [f"{match.expand(plain)}?" for said, plain in _WAYS_BACK if (match := said.fullmatch(asked))]
    return list(dict.fromkeys((f"{asked}?", *back)))
