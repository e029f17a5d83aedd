"""Suicide and self-harm spoken of indirectly, and what patients ask in the same words."""

from __future__ import annotations

import pytest

from medilite.safety import emergency_notice

SPOKEN = """
nothing is ever going to get better for me
I can't see any future
I've lost all hope
I feel so trapped and hopeless
i cant fight anymore
cant hold on much longer
The emptiness is more than I can bear
I don't care whether I live or die
tired of being alive
hate being made to live
i feel like dying
I may as well be dead
wouldn't mind dying in my sleep
I'm not afraid to die anymore
living is torture
I never asked to be born
i dont trust myself alone tonight
I might do something stupid
there is no point in carrying on
getting my affairs in order
I've picked the night and the place where I'll die
I know which bridge
been googling ways to die
tying a noose
planning my own funeral
I won't fail this time
I'm sorry mum, I can't stay
the pills are lined up
you won't have to worry about me anymore
soon it will all be over
when I'm gone please look after my dog
will anyone come to my funeral
this is the last message you will get from me
standing on the ledge
I keep picturing myself dead
thinking about drinking bleach
put a plastic bag over my head
hanging from the ceiling fan
banging my head against the wall
carving my arms
need to bleed to feel something
bit my arm until it bled
three weeks clean from cutting
what's the quickest painless way to go
I gave away my dog and my records because I won't need them anymore
I burn myself with a lighter when things get bad
the only thing that helps is the razor
I can't see any reason to carry on
if i had a gun i would have used it by now
I relapsed and cut my thighs last night
is hanging painful
I tied a rope in the garage last night but got scared
I have a plan and I've picked the date
sometimes I fantasize about my own funeral and not being here
tired of waking up every single day
googling how high a fall has to be
i won't make it to christmas and i'm fine with that
my daughter carved words into her leg
I've been cutting since I was 12 and it's getting worse
would it hurt to step in front of a tube
I want it all to go black
My brother posted goodbye on facebook and turned his phone off
i fantasise about crashing the car
sometimes i hold the blade and just look at it
i hope the cancer takes me soon
"""

HARMLESS = """
Will things improve after antibiotics?
Why does my cough never get better?
How do I know when my period will end?
Can I have a baby in the future if I do not have periods now?
I hit my head on the door, what now?
I got hit by a car and my leg hurts
Life with multiple sclerosis is exhausting, what helps?
I feel trapped in this cast
The pain is too much to bear, could it be a kidney stone?
How can I make the hiccups stop?
I can't bear this tooth pain any longer
I want to cut carbs to feel better
How do I push the needle into my thigh with an EpiPen?
Does it hurt to stick a needle in my stomach for insulin?
How can I open up my clogged arteries?
Can my shingles hurt people around me?
Last night I felt worse than ever
I have the flu and feel like death
When will the hospital let me go?
Should we pull the plug on my father's ventilator?
I am too sick to catch the bus
My toddler swallowed bleach
Researching painless dentistry
Is it time to go to the doctor with my baby?
How do surgeons tie a knot?
We decided on the date of my surgery
People forced to live with HIV
Life free from life-threatening allergies
My tablets are ready at the pharmacy
Why do runners hit the wall because of low glycogen?
Am I a failure of IVF treatment?
It hurts to jump from one foot to the other
I picked a method of birth control and a day to start
I gave away my old crutches because I don't need them
Is hanging upside down painful?
The doctor and I made a plan and picked the date for surgery
I don't see any reason to keep taking metformin
The only thing that works is burning calories
I relapsed on sugar, cut my carbs again
easiest way to go gluten free
Tired of waking up every two hours to pee
I've been cutting back on salt since May
How high does a fever have to be?
I hope the bus takes me home soon
I think about driving my car again after surgery
"""


@pytest.mark.parametrize("said", SPOKEN.strip().split("\n"))
def test_what_is_said_indirectly_gets_the_notice(said):
    notice = emergency_notice(said)
    assert notice
    assert notice.kind == "self-harm"


@pytest.mark.parametrize("asked", HARMLESS.strip().split("\n"))
def test_what_patients_ask_in_the_same_words_does_not(asked):
    notice = emergency_notice(asked)
    assert notice is None or notice.kind != "self-harm"
