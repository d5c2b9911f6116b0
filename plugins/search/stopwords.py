"""Words so common that a text is not about them, in the languages of the default.

Short on purpose: a word that is also a name or a thing in one of the other languages
(hans, will, man, war, hat, men, alle, per) must stay findable.
"""

STOP_WORDS = {
    "en": """a an and are as at be been but by for from had has have he her his if in
        into is it its of on or our she that the their them there these they this to
        was we were which with you your did do does how what when where""",
    "fi": """ei eli että hän ja joka jos jotka kanssa kuin kun mutta myös ne niin on
        oli olla ovat se sekä siitä sen tai tämä mikä milloin missä miten mitä""",
    "sv": """att av de den det ej en ett för från har inte jag kan med och om på samt
        ska som till var vi är hur när vad""",
    "de": """auch auf bei das dass dem den der des die ein eine einem einen einer es
        für ich im in ist mit nach nicht oder sich sie sind und vom von wir zu zum
        zur wann was wer wie wo""",
}
