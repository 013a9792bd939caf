"""Every text below is written for this test; the shortest of the guessed ones has some 300 letters."""

import json

import pytest

from lib.run.decode import decode
from lib.run.tables import read_rows

TEXT = "The café opens at 9 – daily, “sharp”. Übermut tut selten gut."
RUSSIAN = """Смотритель маяка поднимался по лестнице дважды в сутки: вечером, чтобы зажечь лампу, и на рассвете, чтобы её погасить.
Летом в башне было сухо и светло, зимой же ветер задувал в каждую щель, и стёкла покрывались солью. Жители посёлка приносили ему
хлеб, рыбу и свежие газеты. Он записывал в журнал направление ветра, высоту волны и названия проходящих судов."""
CZECH = """Správce rozhledny přichází každé ráno před osmou a nejdříve zkontroluje schodiště i zábradlí na ochozu. Pak otevře
pokladnu, přepočítá drobné a napíše křídou na tabuli, jaká je viditelnost. Za jasného počasí je možné spatřit hřebeny hor vzdálené
více než šedesát kilometrů. Děti mají vstup zdarma, dospělí platí čtyřicet korun a pan Müller polovinu."""
POLISH = """Latarnik wchodził na wieżę dwa razy dziennie: wieczorem, żeby zapalić światło, i o świcie, żeby je zgasić. Latem we
wnętrzu było sucho i jasno, zimą zaś wiatr wciskał się w każdą szczelinę, a szyby pokrywała sól. Mieszkańcy osady przynosili mu
chleb, śledzie i świeże gazety. Zapisywał w dzienniku kierunek wiatru, wysokość fali oraz nazwy przepływających statków."""
HUNGARIAN = """A könyvtár minden hétköznap reggel kilenckor nyit, és este hatig várja az olvasókat. A földszinten gyűjtik az
újságokat, az emeleten pedig a régi térképeket őrzik külön teremben. Aki könyvet szeretne kölcsönözni, annak először ki kell
töltenie egy rövid űrlapot. A hátsó udvarban öreg diófa áll, alatta nyáron felolvasásokat tartanak."""
TURKISH = """Her sabah fırıncı dükkânını güneş doğmadan açar ve ilk ekmekler saat altıda çıkar. Mahalledeki çocuklar okula giderken
sıcak simit alır, yaşlılar ise gazetelerini okuyup çay içer. Değirmenci ununu ırmağın kıyısındaki eski değirmende öğütür. Kışın
yollar karla kaplandığında ekmekler kızakla dağıtılır. Düğünlerde özel çörekler pişirilir, içine ceviz ve üzüm konur."""
WESTERN = {
    "German": "Der Türmer steigt jeden Abend die dreihundert Stufen hinauf und läutet die große Glocke, bevor er über die Dächer ruft. Früher musste er vor Feuer warnen, heute grüßt er vor allem Gäste. Für Führungen zahlt man fünf Euro.",
    "French": "Le gardien montait l’escalier deux fois par jour : le soir pour allumer la lampe, à l’aube pour l’éteindre. L’été, la tour était sèche ; l’hiver, le vent s’engouffrait par la moindre fissure. Où êtes-vous ? Ça, par la fenêtre.",
    "Spanish": "La panadería abre a las seis y el olor llega hasta la estación. El dueño heredó el horno y todavía usa la misma receta, aunque añadió pequeños cambios según la época del año. ¿Quién no ha probado la tarta de la señora Núñez?",
    "Portuguese": "A estação fica a poucos minutos do rio e foi construída há mais de cem anos. As paredes estão cobertas de azulejos que contam a história da região, desde as vindimas até às romarias. A câmara não consertou o relógio.",
    "Swedish": "Varje morgon går färjan från bryggan klockan sju och fyrtio. Överfarten är kort, men på hösten kan vågorna bli höga och då ställs turen in. På däck finns en kiosk där man säljer smörgåsar. Barn under sex år åker gratis.",
    "Danish": "Hver søndag åbner mølleren døren for gæster og viser, hvordan kornet bliver til mel. Børnene får lov at prøve den lille håndkværn. Møllen er bygget af egetræ og blev flyttet hertil for næsten to hundrede år siden.",
    "Italian": "Il custode saliva la scala due volte al giorno. D’estate la torre era asciutta e luminosa; d’inverno il vento entrava da ogni fessura. La città è così piccola che tutti si conoscono, perché più di lì non si può andare.",
    "Icelandic": "Á hverjum morgni siglir ferjan út úr höfninni klukkan sjö og flytur bæði fólk og bíla. Siglingin er stutt, en á haustin getur sjórinn orðið þungur og þá fellur ferðin niður. Um borð er lítil búð með brauð og dagblöð.",
    "English with signs": "Room 4 is 12 m³ and costs £5 – half that at ½ price. It’s “the coldest”, 3 °C at 06:00; the 2º floor is §7 of the naïve café’s plan, © Zoë Müller of São Paulo and Malmö.",
    "French and Swedish": "L’entrée coûte cinq euros à l’étage où êtes-vous très près. Färjan går på hösten när vågorna är höga.",
    "German and Italian": "Früher hörte man über den Dächern die größten Glocken. Perché la città è più piccola, però così si può.",
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_text_in_unicode_is_read_and_nothing_is_guessed(encoding):
    text, guess = decode(TEXT.encode(encoding))
    assert text.lstrip("\ufeff") == TEXT
    assert guess == ""


def test_text_in_latin_1_is_read():
    assert decode("café \x81".encode("latin-1")) == ("café \x81", "latin-1")


@pytest.mark.parametrize("language", WESTERN)
def test_western_text_is_never_taken_for_that_of_another_page(language):
    assert decode(WESTERN[language].encode("cp1252")) == (WESTERN[language], "cp1252")


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        (RUSSIAN, ["koi8_r", "cp1251", "cp866", "iso8859_5"]),
        (CZECH, ["cp1250", "iso8859_2"]),
        (POLISH, ["cp1250", "iso8859_2"]),
        (HUNGARIAN, ["cp1250", "iso8859_2"]),
        (TURKISH, ["cp1254"]),
        ("Музей открыт по вторникам и пятницам с десяти часов утра. Билет стоит двести рублей для взрослых.", ["cp1251", "koi8_r"]),
        ("博物館は火曜日と金曜日の午前十時に開館します。大人の入館料は二百円です。", ["shift_jis"]),
        ("博物馆每周二和周五上午十点开放。成人票价为二百元。学生免费。", ["gb18030"]),
    ],
)  # fmt: skip
def test_text_in_another_encoding_is_read_and_the_guess_is_named(text, encodings):
    for encoding in encodings:
        found = decode(text.encode(encoding))
        assert found.text == text
        assert found.guess


def test_words_of_another_script_among_markup_are_read():
    page = "\n".join(f'<item id="{i}" class="plain">http://example.org/path/{i}</item>' for i in range(200)) + RUSSIAN
    assert decode(page.encode("koi8_r")).text == page


def test_a_broken_byte_does_not_turn_the_rest_of_a_text_into_another_encoding():
    data = RUSSIAN.encode() + b"\xff"
    assert decode(data) == (RUSSIAN + "\ufffd", "utf-8 with 1 broken characters")


def test_rows_in_an_old_encoding_are_read_by_the_whole_file_and_the_guess_is_said(tmp_path):
    lines = [{"text": line} for line in POLISH.split("\n")]
    rows = [{"text": "plain"}, *lines]
    (tmp_path / "a.jsonl").write_bytes("\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode("cp1250"))
    with pytest.warns(UserWarning, match=r"a\.jsonl: read as cp1250, a guess"):
        assert list(read_rows(tmp_path / "a.jsonl")) == rows


@pytest.mark.parametrize(
    ("text", "encoding", "said"),
    [
        ("Don’t pay 5 € – “ever”.", "cp1252", "ISO-8859-1"),
        ("Don’t pay 5 € – “ever”.", "utf-8", "iso-8859-1"),
        ("İstanbul’da “şey”.", "cp1254", "iso-8859-9"),
        ("朱镕基 “测试”。", "gb18030", "gb2312"),
        ("①日本語 ～ テスト", "cp932", "Shift_JIS"),
        ("Grüße aus Köln.", "utf-8", "undefined"),
    ],
)
def test_a_page_in_the_wider_encoding_that_its_name_stands_for_loses_no_letter(text, encoding, said):
    assert decode(text.encode(encoding), said) == (text, "")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", [TEXT, RUSSIAN, "博物館は火曜日\n大人 一二三", "می\u200cخواهم برای خواندن"])
def test_wide_text_without_a_byte_order_mark_is_read_in_any_script(text, encoding):
    assert decode(text.encode(encoding)) == (text, "")


def test_binary_data_with_some_zero_bytes_is_no_text():
    with pytest.raises(ValueError, match="zero bytes"):
        decode(b"\x7fELF\x02\x01\x01\0" + bytes(range(1, 256)) * 4)


@pytest.mark.parametrize("data", [bytes(1000), b"Minutes of May\n" + bytes(1001)])
def test_zeros_that_a_crash_left_in_a_file_are_no_text(data):
    with pytest.raises(ValueError, match="zero bytes"):
        decode(data)
