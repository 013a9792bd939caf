"""Sentence and question wordings of the invented world: what can be said about a thing, and how people ask for it.

Every line of a kind is `label | value type | statements | questions`; statements and questions are separated by `;`.
`S` is the subject, `V` the value. A statement that starts with `S ` can also follow "It" or "and". The last statement
and the last question of each line are held out for measuring (where a line has at least three).
"""

KINDS = {
    "goods": """
price|money|S costs V;the price of S is V;you pay V for S;S is sold for V;V is charged for S;we ask V for S;S can be had for V|how much is S;what does S cost;how much do I pay for S;what is the price of S;how expensive is S;what do you charge for S;how much money do I need for S
weight|weight|S weighs V;S has a weight of V;the weight of S is V;at V, S is easy to carry|how heavy is S;what does S weigh;how much does S weigh;what is the weight of S
length|length|S is V long;S measures V;the length of S is V;S has a length of V|how long is S;what length is S;how many metres does S measure;what is the length of S
colour|adj|S comes in V;S is painted V;the colour of S is V;S is always V in colour|what colour is S;which colour does S have;what colour does S come in;in which colour is S made
material|material|S is made of V;S consists of V;the material of S is V;V is used for S|what is S made of;which material is S made from;what material is used for S;what does S consist of
warranty|span|S has a warranty of V;the warranty on S is V;S is guaranteed for V;we give V of warranty on S|how long is the warranty on S;for how long is S guaranteed;what warranty does S have;how long does the guarantee for S last
order number|code|S has the order number V;the order number of S is V;order S under V;S is listed as V|what is the order number of S;under which number do I order S;which order number does S have;what code do I use to order S
stock|count|there are V of S in stock;V pieces of S are in store;the stock of S is V;we keep V of S|how many of S are in stock;how many pieces of S are there;how many of S do we have;what is the stock of S
delivery time|span|S is delivered within V;the delivery of S takes V;S arrives after V;expect S within V|how long does delivery of S take;when will S arrive;how quickly is S delivered;how long do I wait for S
supplier|org|S is supplied by V;the supplier of S is V;we buy S from V;V delivers S|who supplies S;which company supplies S;who is the supplier of S;where do we buy S;who do we get S from
storage place|place|S is kept in V;S is stored in V;you will find S in V;V is where S is kept|where is S kept;where is S stored;where can I find S;in which place do we keep S
deposit|money|S needs a deposit of V;the deposit for S is V;leave a deposit of V for S;a deposit of V is taken for S|how much is the deposit for S;what deposit does S need;how much deposit do I leave for S;what deposit is taken for S
hire fee|money|S can be hired for V a day;hiring S costs V a day;the daily hire fee for S is V;S rents at V a day|how much does it cost to hire S;what is the daily fee for S;what does S cost per day;how much is S per day if I hire it
reduced price|money|S costs V for children;children pay V for S;for children the price of S is V;under-twelves get S for V|how much do children pay for S;what does S cost for kids;what is the price of S for a child;how much is S for children""",
    "place": """
opening time|time|S opens at V;the doors of S open at V;S is open from V;opening time of S is V;from V S is open|when does S open;what time does S open;from what time is S open;at what hour can I get into S
closing time|time|S closes at V;S shuts at V;S is open until V;the doors of S close at V|when does S close;what time does S shut;until when is S open;until what time can I stay in S
closed day|day|S is closed on V;S stays shut on V;on V S is closed;there is no service in S on V|on which day is S closed;which day does S stay shut;when is S not open;what day is S closed
floor|floor|S is on V;S lies on V;you will find S on V;S has moved to V|on which floor is S;which floor is S on;what floor do I go to for S
capacity|count|S holds V people;S has room for V people;S seats V;up to V people fit into S|how many people fit into S;how many people can S hold;what is the capacity of S;how many seats does S have
phone|phone|the phone number of S is V;call S on V;S can be reached on V;the number to dial for S is V|what is the phone number of S;how can I call S;under which number can S be reached;which number do I dial for S
address|address|S is at V;the address of S is V;S stands at V;S can be found at V|what is the address of S;at which address is S;in which street is S
manager|person|S is run by V;the manager of S is V;V is in charge of S;V looks after S|who runs S;who manages S;who is in charge of S;who looks after S;who is responsible for S
entry fee|money|entry to S costs V;admission to S is V;S charges V at the door;you pay V to enter S|how much is entry to S;what does it cost to get into S;what is the admission to S;how much do I pay to enter S
built|year|S was built in V;S dates from V;S was opened in V;the building of S was finished in V|when was S built;in which year was S opened;how old is S;what year does S date from
area|area|S covers V;the area of S is V;S has a floor area of V;S measures V in all|how large is S;what is the area of S;how many square metres does S have;how big is S
access code|code|the door code of S is V;S is unlocked with code V;enter V to open S;S has the access code V|what is the door code of S;which code opens S;what code do I enter at S;which code do I need for S
rent|money|S can be rented for V an hour;renting S costs V an hour;the rent for S is V an hour;S is let for V an hour|how much does it cost to rent S;what is the rent for S;what does S cost per hour;how much is S for an hour
temperature|temp|S is heated to V;the temperature in S is V;S is kept at V;we hold S at V|how warm is S;what temperature is S kept at;what is the temperature in S;to what temperature is S heated
parking|count|S has V parking spaces;there are V parking spaces at S;at S V cars can park;V spaces for cars belong to S|how many parking spaces does S have;how many cars can park at S;how much parking is there at S;how many spaces are there at S""",
    "person": """
role|role|S is the V;S works as V;S is our V;the V is S;S was appointed V|what is the job of S;what does S do;what is the role of S;as what does S work;which post does S hold
email|email|S can be written to at V;the email address of S is V;write to S at V;mail for S goes to V|what is the email address of S;how do I email S;where can I write to S;to which address do I mail S
extension|count|S has extension V;call S on extension V;the extension of S is V;S answers on extension V|what is the extension of S;which extension does S have;how do I call S;on which extension is S
office|room|S sits in V;the office of S is V;S has V as an office;you will find S in V|where is the office of S;in which room is S;which room does S sit in;where do I find S
start|date|S joined on V;S started on V;S has worked here since V;S came to us on V|when did S join;when did S start;since when has S worked here;how long has S been here
duty|task|S is responsible for V;S looks after V;V is the duty of S;S takes care of V;questions about V go to S|what is S responsible for;what does S look after;what are the duties of S;what does S take care of
office hours|timespan|S is available from V;the office hours of S are V;S sees people from V;you can meet S from V|when is S available;what are the office hours of S;when can I meet S;at what times does S see people
deputy|person|the deputy of S is V;V stands in for S;S is replaced by V during leave;when S is away, ask V|who is the deputy of S;who stands in for S;who replaces S during leave;whom do I ask when S is away
town|town|S lives in V;S comes from V;the home of S is V;S grew up in V|where does S live;where does S come from;in which town does S live;which town is S from
days|days|S works on V;the working days of S are V;S is in on V;S can be met on V|on which days does S work;when does S work;which days is S in;what days can I find S
leave|span|S has V of leave left;the leave of S is V;S may take V of leave;V of leave remain for S|how much leave does S have;how many days of leave are left for S;how long is the leave of S;how much leave may S take
language|adj|S speaks V fluently;S teaches V;the mother tongue of S is V;S translates from V|which language does S speak;what language does S teach;what is the mother tongue of S;from which language does S translate""",
    "event": """
date|date|S takes place on V;S is on V;the date of S is V;S will be held on V;join us for S on V|when is S;on what date is S;when does S take place;which day is S;when will S be held
start|time|S starts at V;S begins at V;the start of S is V;we start S at V|at what time does S start;when does S begin;what time does S kick off;at what hour does S begin
place|place|S is held in V;S takes place in V;the venue of S is V;we meet for S in V|where is S held;where does S take place;what is the venue of S;where do we meet for S
fee|money|S costs V;the fee for S is V;taking part in S costs V;you pay V for S|how much is S;what does S cost;what is the fee for S;how much do I pay for S
leader|person|S is led by V;V leads S;the leader of S is V;V will teach S;S is organised by V|who leads S;who is the leader of S;who teaches S;who organises S;who is behind S
places|count|S has V places;there are V places in S;up to V people can join S;S is limited to V people|how many places does S have;how many people can join S;what is the limit for S;how many may take part in S
deadline|date|sign up for S by V;the deadline for S is V;you can register for S until V;S closes for registration on V|until when can I sign up for S;what is the deadline for S;by when must I register for S;when does registration for S close
duration|span|S lasts V;S takes V;the length of S is V;S goes on for V|how long is S;how long does S last;how long does S take;what is the duration of S;for how long does S go on
age|age|S is for people from V;the minimum age for S is V;you must be V to join S;S is open from V|what is the minimum age for S;how old must I be for S;from what age can one join S;at what age may I join S
bring|task|bring V to S;S needs V;for S please bring V;everyone brings V to S|what should I bring to S;what do I need for S;what must I take along to S;what does everyone bring to S
prize|money|the prize of S is V;the winner of S gets V;S has a prize of V;V goes to the winner of S|what is the prize of S;what does the winner of S get;how much can I win at S;what is there to win at S
sponsor|org|S is sponsored by V;the sponsor of S is V;V pays for S;S is supported by V|who sponsors S;which company sponsors S;who pays for S;who is the sponsor of S
visitors|count|S drew V visitors;V people came to S;the number of visitors at S was V;S had V guests|how many people came to S;how many visitors did S have;how many guests were at S;what was the number of visitors at S""",
    "service": """
first departure|time|the first S leaves at V;S first runs at V;the first departure of S is V;from V S is running|when does the first S leave;at what time does S first run;when is the first departure of S;how early does S run
last departure|time|the last S leaves at V;S last runs at V;the last departure of S is V;until V S is running|when does the last S leave;at what time does S last run;when is the last departure of S;how late does S run
frequency|span|S runs every V;there is S every V;S leaves every V;V pass between two departures of S|how often does S run;how often does S leave;how frequent is S;at what interval does S run
platform|count|S leaves from platform V;S departs at platform V;the platform of S is V;go to platform V for S|from which platform does S leave;what platform is S on;where does S depart;which platform do I go to for S
fare|money|S costs V one way;the fare on S is V;a single trip on S costs V;you pay V to ride S|how much is a trip on S;what is the fare on S;what does S cost;how much do I pay to ride S
journey|span|S takes V;the journey with S lasts V;S needs V for the whole way;it is V with S|how long does S take;how long is the journey with S;how many minutes does S need;how long am I on S
destination|town|S goes to V;S ends in V;the destination of S is V;S takes you to V|where does S go;where does S end;what is the destination of S;to which town does S go
operator|org|S is operated by V;V runs S;the operator of S is V;S belongs to V|who operates S;which company runs S;who is the operator of S;to whom does S belong
stops|count|S has V stops;S stops V times;the number of stops of S is V;S calls at V stops|how many stops does S have;how often does S stop;how many times does S stop;at how many stops does S call
season|timespan|S runs from V;S is offered from V;the season of S is V;you can use S from V|when does S run;in which period is S offered;what is the season of S;when can I use S""",
    "device": """
voltage|power|S needs V;S runs on V;the power of S is V;S draws V|how much power does S need;what power does S have;on what does S run;how much does S draw
interval|span|clean S every V;S must be serviced every V;the service interval of S is V;have S checked every V|how often must S be cleaned;how often is S serviced;what is the service interval of S;how often should S be checked
maximum|temp|S may reach V;S works up to V;the maximum temperature of S is V;never let S exceed V|how hot may S get;up to what temperature does S work;what is the maximum temperature of S;what must S not exceed
tank|volume|S holds V;the tank of S takes V;S has a tank of V;fill S with V|how much does S hold;how big is the tank of S;what volume has S;with how much do I fill S
error|task|if S blinks, check V;a blinking S means you should check V;S blinks when it is time for V;blinking of S points to V|what does it mean if S blinks;what do I check when S blinks;why does S blink;what does a blinking S point to
serial number|code|the serial number of S is V;S carries the number V;on S you read V;S is registered as V|what is the serial number of S;which number does S carry;how is S registered;what serial number is on S
reset|span|press the button of S for V;S resets after V;the reset of S takes V;hold down S for V|how long do I press the button of S;after what time does S reset;how long does the reset of S take;how long must I hold down S
maker|org|S is made by V;V makes S;the maker of S is V;S comes from V|who makes S;which company makes S;who is the maker of S;where does S come from
location|place|S stands in V;S is in V;the location of S is V;S hangs in V|where is S;where does S stand;what is the location of S;in which place is S
life|span|S lasts V;the life of S is V;replace S after V;S has to be renewed after V|how long does S last;after what time is S replaced;what is the life of S;when does S have to be renewed
keeper|person|V keeps the key of S;the key to S is with V;ask V before using S;S is looked after by V|who has the key of S;who keeps S;whom do I ask before using S;who looks after S""",
}

# openings and endings people put around a question
LEADS = ["", "", "", "", "", "", "", "Please tell me, ", "Can you tell me ", "I would like to know ", "Quick question: ", "Hello, ",
         "According to the documents, ", "Do you know ", "Just wondering, ", "For my file: ", "A colleague asks: "]
FILLERS = """Please keep this page at hand.;More details follow in the next issue.;Questions can be put at the front desk.
All figures are subject to change.;The list is checked twice a year.;Thank you for your patience.;See also the notes at the end.
This replaces all earlier versions.;The board thanks everyone who helped.;Changes are announced on the notice board.
There were no further remarks.;Please read the house rules first.;We look forward to seeing you.;Spare copies lie at the entrance."""
FILLERS = FILLERS.replace("\n", ";").split(";")


def parse_kinds(text_by_kind: dict[str, str], held_out: bool) -> dict[str, list[tuple[str, str, list[str], list[str]]]]:
    """Split the tables above; the training side drops the last wording of each list, the held-out side keeps only it."""
    def side(wordings: str) -> list[str]:
        parts = wordings.split(";")
        return parts[-1:] if held_out else parts[:-1]

    kinds = {}
    for kind, text in text_by_kind.items():
        rows = [line.split("|") for line in text.strip().splitlines()]
        kinds[kind] = [(label, value, side(says), side(asks)) for label, value, says, asks in rows]
    return kinds
