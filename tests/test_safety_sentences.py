"""More sentences for the emergency notice, in five batches; each was tried before any phrase was changed for it.

Share of emergencies found at first sight, batch by batch: 75 %, 78 %, 78 %, 55 %
(roundabout wordings) and 89 %; false notices: 1 of 87, 0 of 68, 2 of 65, 0 of 60
and 0 of 55. The phrases were mended after each, so these sentences guard what was
reached; they are no measure of what visitors' own wordings would get. Sentences
and phrases have the same author.
"""

from __future__ import annotations

import pytest

from medilite.safety import emergency_notice

EMERGENCIES = """
    I've had a tightness across my chest for an hour
    My dad is clutching his chest and sweating
    is pain in the left side of the chest dangerous
    I feel pressure on my chest when I walk
    chest feels heavy and I'm nauseous
    heart attack symptoms in women
    My wife thinks she's having a heart attack
    Half of my face is numb
    My mother can't move her left arm and is talking strangely
    stroke symptoms
    my husband's mouth has dropped on one side
    grandpa woke up and cannot speak
    my vision went black in one eye
    I can't see out of my right eye all of a sudden
    words are coming out jumbled
    I'm having a hard time breathing
    Breathing is difficult for me today
    My daughter's breathing is very fast and shallow
    my kid can't breathe
    My baby is turning blue
    something is stuck in my throat and i can't swallow
    it feels like I'm suffocating
    My asthma is really bad and my inhaler doesn't help
    he's choking help
    Swelling of the lips after eating nuts
    My throat feels like it is closing up
    I got stung and now my whole body is covered in hives and I feel faint
    bee sting and trouble swallowing
    I have a peanut allergy and just ate a peanut by accident
    I swallowed some bleach
    My two year old ate a whole bottle of gummy vitamins
    I took double my dose of insulin
    My teenager took a bunch of Tylenol
    accidentally took twice my medication
    I think my drink was spiked
    my son swallowed a magnet
    my brother overdosed on heroin
    what to do in case of an overdose
    baby ate a dishwasher tab
    how much tylenol is deadly
    I was bitten by a rattle snake
    I can't stop the bleeding
    blood keeps pouring out of the cut
    I cut my wrist
    I cut myself badly with a kitchen knife and it is deep
    There is a lot of blood in my stool and I feel dizzy
    I am throwing up blood
    Someone got shot
    he was stabbed in the stomach
    My nose has been bleeding for an hour
    My friend is having a fit on the floor
    My son is having a seizure right now
    She had a seizure just now
    he won't stop shaking and his eyes are rolled back
    My wife is not waking up
    He is out cold and not responding
    she fell down and isn't moving
    Someone collapsed next to me
    My grandmother fainted and hit her head
    he doesn't respond when I shake him
    My diabetic husband is unresponsive
    I want to end it all
    I don't see the point in living
    I can't go on anymore
    I am going to kill myself tonight
    I'm thinking of suicide
    my daughter cuts herself
    I've been hurting myself
    I want to disappear forever and not wake up
    nobody would miss me if i was dead
    I hate my life and want to die
    should I jump off a bridge
    my boyfriend threatened to kill himself
    how do you tie a noose
    I have no will to live
    I'm pregnant and have severe belly pain
    I am 20 weeks pregnant and there is blood
    heavy bleeding while pregnant
    my waters have broken early
    I haven't felt the baby move since yesterday
    The baby is coming
    My one month old has a fever of 101
    my newborn won't feed and is very sleepy
    My infant is floppy
    My 6 week old baby feels hot
    My toddler fell down the stairs
    My son fell off the bed and hit his head
    I was in a car accident and my neck hurts
    I spilled boiling water on my leg
    I got electrocuted
    my kid almost drowned
    acid got in my eye
    I broke my leg and the bone is sticking out
    My husband has heat stroke
    Can you send an ambulance
    do i need to go to the emergency room
    I need help right now, someone is dying
    my stomach hurts so bad I can't stand up
    I think I have appendicitis
    my child has a fever and a stiff neck
    what are the warning signs of meningitis
    my dad is suddenly not making sense
    I think I have sepsis
    worst pain of my life
    I've got crushing chest pains
    he has no pulse
    my heart feels like its being squeezed
    been having sharp pains in chest all night
    Sharp stabbing under my breastbone and sweating
    What should I do if I have chest pain?
    my boss just grabbed his chest and fell
    think grandad is having a stroke
    sudden numbness on left side of body
    Mum can't get her words out and one arm is weak
    my face feels droopy
    sudden vision loss
    How can I tell if someone is having a stroke
    I am gasping for air at night
    can barely breathe after covid
    my child is breathing really fast and his ribs suck in
    toddler choking on food what do I do
    wheezing and cant talk
    why can't I catch my breath
    throat swelling after antibiotic
    Do I need my epipen if I have hives and feel dizzy
    I ate shrimp and now my throat itches and my lips are huge
    took too much of my medicine
    i swallowed 30 pills
    my toddler drank cough syrup, the whole bottle
    Is it dangerous if I drank antifreeze
    my dad took his heart pills twice by mistake
    my cousin OD on fentanyl
    kid put a battery up and swallowed it
    I smell gas and feel dizzy
    spider bite from a black widow
    bleeding from the head after a fall
    the cut is deep and blood won't stop
    coughing up bright red blood
    My period blood is soaking a pad every hour and I feel faint
    i sliced my finger open and can see bone
    my son had a convulsion with fever
    seizure won't stop
    my mother is unconscious but breathing
    she just collapsed
    husband fell unconscious
    He won't wake up after drinking
    my friend took drugs and is unresponsive
    i dont want to exist
    I feel like ending my life
    I'm planning to kill myself
    I just want to be dead
    my sister tried to commit suicide
    I have a plan to overdose
    Is it a sin to kill yourself
    I can't take it anymore, I want to give up on life
    urge to cut myself
    8 months pregnant and no movement from baby
    pregnant with bad headache and blurry vision
    baby born at home right now help
    3 week old has temperature of 39
    my baby is breathing fast and grunting
    fell off a ladder and cannot feel my legs
    my girl swallowed pool water and nearly drowned
    boiling oil burned my arm badly
    hit my head hard and feel sleepy
    a nail went into my eye
    my arm got cut off
    sudden severe headache
    I'm having thoughts of suicide
    i think i'm dying
    excruciating pain in my belly
    i have a fever, rash and stiff neck
    should i go to the emergency room for chest tightness
    my lips are blue
    I can't move my legs
    what should i do about this pain in my chest
    woke up with chest tightness and tingling arm
    Could my chest discomfort be my heart
    my uncle has chest pains and won't go to hospital
    felt my heart stop for a second and nearly passed out
    he can't smile properly on one side and his arm is weak
    my words are slurred and I'm dizzy
    suddenly can't see from one eye
    one arm went limp all of a sudden
    brother had a stroke an hour ago what now
    my wife is struggling for breath
    can't get enough air when I lie down
    food went down the wrong way and he can't breathe
    lips going purple
    grandma is short of breath and her legs are swollen
    tongue is swollen after new blood pressure pill
    my kid is allergic to nuts and just ate a cookie with nuts
    hives all over and throat feels weird
    drank a glass of paint thinner thinking it was water
    ate a mushroom from the forest and feel sick
    my grandson swallowed a coin
    how many sleeping pills are dangerous
    took someone else's medicine by mistake
    we have a carbon monoxide leak
    my husband took twice the dose of his insulin
    blood won't stop coming from the wound
    got shot in the leg
    vomited up blood this morning
    the wound on my leg is gaping open
    lost two fingers in a saw
    she's shaking all over and not answering
    first seizure ever, he is 40
    epileptic son has been seizing for ten minutes
    wife passed out in the shower
    cannot wake my dad
    baby is unresponsive
    he stopped responding to us
    My blood sugar is 40 and I'm shaky
    thoughts of ending it
    I hope I die in my sleep
    I've taken pills to kill myself
    what is the best way to kill yourself
    I feel like I don't deserve to live
    my teenage daughter is self harming
    want to jump off a building
    why should I keep living
    33 weeks pregnant, waters broke
    pregnant and my belly hurts terribly
    bleeding after I found out I'm pregnant
    my baby is not moving as much as usual, 36 weeks
    ten day old baby with fever
    newborn is yellow and very sleepy
    toddler is limp after a fall
    banged his head and is vomiting
    fell from a tree and can't move legs
    burnt my face with hot oil
    struck by lightning
    child pulled from pool not breathing
    got bleach in my eyes
    need an ambulance quickly
    my husband is very confused and has a high fever
    sudden unbearable headache
    is it an emergency if I have chest pain
    I feel like I am going to die
    severe pain in right lower belly and vomiting
    my chest is killing me
    heart pain that goes to my back
    sweating, nauseous and my jaw aches, is it my heart
    Can anxiety feel like a heart attack?
    I had chest pain last night should I worry
    the right half of my body is paralysed
    my wife is talking gibberish
    mom can't lift her arm and her face looks weird
    could I be having a stroke
    blurry vision all of a sudden and dizzy
    having trouble getting air
    I cannot breathe well when lying down
    my chest rattles and i cant breathe
    son has croup and is struggling to breathe
    he is choking and turning purple
    lips swelling up after peanut butter
    throat tight after bee sting
    allergic to penicillin and took it by mistake
    I just took 15 advil
    my grandmother mixed up her pills and took too many
    baby drank some cleaning fluid
    dog ate... no, my kid ate rat poison
    how long until a paracetamol overdose kills
    was bitten by an adder in the garden
    cut my arm really deep
    nosebleed that won't stop for 40 minutes
    I'm bleeding a lot after birth
    blood is coming out of his ears
    vomiting blood and black stools
    my roommate is having convulsions
    child having febrile seizure now
    he has had three seizures today
    he's unconscious
    she is barely conscious
    friend drank too much and won't wake up
    my husband just dropped to the floor
    diabetic and I keep passing out
    Nobody cares if I live or die
    I want to end my suffering and die
    tell me how to hang myself
    I am so tired of being alive
    i cut myself last night
    my brother is talking about suicide
    I have pills and I am going to take them all
    I'm pregnant and can't feel kicks
    pregnant and fell down the stairs
    contractions at 28 weeks
    newborn temp 100.8
    baby not breathing right
    hit his head and now he's confused
    my leg is broken and bleeding badly
    I touched a live wire and feel strange
    burned with chemicals
    I fell and can't feel my feet
    knife went through my hand
    please send help
    is it an emergency
    feels like I'm going to die
    my appendix might have burst
    worst stomach pain ever
    terrible pressure in the middle of my chest
    chest pains when I climb stairs, what is it
    my heart hurts and my arm feels heavy
    is it a heart attack or gas
    neighbor having a heart attack
    Left side of my face went numb this morning
    he can't talk and one eyelid is drooping
    having stroke symptoms what now
    she had a stroke this morning
    lost sight in one eye
    i struggle to breathe at rest
    my inhaler ran out and I'm wheezing badly
    not getting enough oxygen and lips blue
    kid swallowed a toy and is choking
    can't swallow and drooling, tongue swollen
    ate cashews and now I have hives and my throat is tight
    anaphylactic reaction help
    swallowed a whole pack of sleeping tablets
    overdosing on xanax
    my child got into my medicine cabinet and ate pills
    drank bleach by accident
    bitten by a copperhead
    carbon monoxide detector keeps beeping
    wound keeps bleeding through the bandage
    bleeding from rectum a lot
    spitting up blood
    cut an artery in my arm
    seizures one after another
    my dog is fine but my son is seizing
    dad isn't breathing and I can't wake him
    she's passed out drunk
    my coworker collapsed at work
    suicidal thoughts
    want to hurt myself
    I'm going to end my life tonight
    don't feel like living anymore
    how do I stop wanting to die
    overdose on purpose
    my friend is cutting herself
    bleeding at 10 weeks pregnant
    haven't felt my baby kick today
    my water just broke
    baby 5 weeks old fever 38.4
    infant won't wake up to feed
    fell down stairs and hit head
    third degree burn on arm
    my son was electrocuted
    hit by a truck
    she fell and her hip is broken and she can't move
    gasoline in eyes
    do I need an ambulance for a broken leg
    when should I call 911
    when should I go to the emergency room
    meningitis signs
    I think it's sepsis
    severe abdominal pain
"""

NO_EMERGENCIES = """
    What are the long-term effects of a stroke?
    Does aspirin prevent heart attacks?
    Who is at risk of stroke?
    What is the difference between a heart attack and cardiac arrest?
    How is a heart attack treated in hospital?
    Can I fly after a heart attack?
    My uncle died of a heart attack at 60. Should I be tested?
    Is epilepsy hereditary?
    Can dogs sense seizures?
    How do seizure medicines work?
    What are allergy shots?
    Can allergies start in adulthood?
    How do I know if I have hay fever or a cold?
    Why do I sneeze in the sun?
    How can I stop snoring?
    What is the best way to lose belly fat?
    What is the easiest way to quit smoking?
    I want to quit smoking
    I want to be fit again
    How do I stop hating my body?
    Is it normal to bleed after a pap smear?
    Do blood thinners make you bleed more easily?
    How do I get blood out of a mattress?
    What does a blood test for anemia show?
    What is a normal blood pressure?
    How long do stitches stay in?
    How do I treat a paper cut?
    How do I treat a blister?
    What should I do about a splinter?
    How do I treat a bee sting?
    How do I remove a tick?
    What is a good diet for the heart?
    What does it mean when my heart skips a beat?
    What is a heart murmur?
    Why do babies cry at night?
    How do I swaddle my newborn?
    How often should a newborn eat?
    My 6 week old baby cries a lot in the evening
    What vaccines does a 2 month old need?
    How do I ease labor pain?
    What happens during labor?
    How do I know when labor starts?
    What helps morning sickness?
    Is it safe to dye my hair when pregnant?
    I'm pregnant and my blood pressure is fine, can I travel?
    How is a blood clot treated?
    What does a normal chest CT look like?
    Is the flu shot safe?
    Why do my eyes swell in the morning?
    Why is my face puffy in the morning?
    Why do my lips get chapped in winter?
    How do I get rid of a cold sore on my lips?
    Why do my ankles swell?
    Why do I get dizzy when I stand up?
    Why do people faint at the sight of blood?
    How do painkillers work?
    How many calories should I eat?
    How many hours of sleep do I need?
    How long can bacteria live on a towel?
    What kills mold in the bathroom?
    Can drinking too much coffee hurt me?
    What are the side effects of metformin?
    Can I take two tablets of ibuprofen at once?
    What happens if I miss a dose?
    I forgot to take my pill yesterday
    What is the emergency number in Germany?
    Are sudden mood changes normal in teenagers?
    I'm very confused about which vitamin to take
    My weak point is sweets
    Why is my left foot bigger than my right?
    Why does my right knee hurt going downstairs?
    How do I strengthen a weak ankle?
    Does cracking knuckles harm the joints?
    I hurt myself at the gym, should I ice it?
    How do I stop grinding my teeth at night?
    I can't stop eating sugar
    I can't stop thinking about food
    Is it bad to hold your breath?
    Why does my breath smell bad?
    How do I get fresh breath?
    I wake up tired every morning
    Does vitamin D help with depression?
    How do I cope with losing my mother?
    I feel sad in winter
    What is burnout?
    How can I stop a panic attack?
    What is the lifetime risk of dying from cancer?
    What is cholesterol?
    How is high cholesterol treated?
    What does a cardiologist do?
    How do I lower my blood pressure without medicine?
    What foods are good for the heart?
    Is coffee bad for my heart?
    What is a pacemaker?
    How often should adults have a checkup?
    When should I see a doctor about a cough?
    What is bronchitis?
    How long should a cough last?
    Can I get the flu twice in one winter?
    Does cold weather make me ill?
    What are the early signs of diabetes?
    What is a normal A1C?
    Can type 2 diabetes go away?
    What is the thyroid?
    How does insulin work?
    Should I eat fruit if I have diabetes?
    Why am I always thirsty?
    How do I get rid of acne?
    Is eczema contagious?
    When should a mole be checked?
    How do I stop an itchy scalp?
    What is shingles?
    Why do I have bloating after meals?
    How do I ease constipation?
    What is irritable bowel syndrome?
    How much fibre do I need?
    What does a colonoscopy find?
    Is blood in my stool always serious?
    What is arthritis?
    How do I ease back pain?
    What is osteoporosis?
    When does a sprain need an X-ray?
    How do I keep my bones strong?
    How do I fall asleep faster?
    What is anxiety?
    How is bipolar disorder treated?
    How can I support my friend with depression?
    What does a therapist do?
    How do I deal with stress at work?
    When do children lose their baby teeth?
    How do I treat diaper rash?
    How much should my baby sleep?
    What is colic?
    Is it safe to exercise in pregnancy?
    How are ear infections treated?
    Why do my ears ring?
    How do I clean my ears safely?
    What is glaucoma?
    Do I need glasses?
    What is pink eye?
    What is dementia?
    How do I keep my memory sharp?
    What is Parkinson's disease?
    What is multiple sclerosis?
    How is cancer found early?
    What is chemotherapy?
    Does sunscreen prevent skin cancer?
    Should I get a mammogram?
    How do vaccines work?
    Do antibiotics work against colds?
    How can I avoid catching a cold?
    How do I store insulin?
    What is a generic medicine?
    Can I stop my antibiotics early?
    Why do I get cramps in my legs at night?
    What is angina?
    Are chest exercises good for posture?
    I have a chest cold and a sore throat, what helps?
    How are heart attacks diagnosed?
    What kind of diet prevents a stroke?
    What is stroke rehabilitation?
    How do I quit vaping?
    What are the benefits of deep breathing?
    Is it normal to breathe through my mouth at night?
    What is COPD?
    What does a pulmonologist do?
    Is pollen allergy curable?
    My daughter has hay fever, what can she take?
    How can I get my child to swallow pills?
    My child eats vitamins every day, is that too much?
    Can my child drink milk with antibiotics?
    Should I keep my pills in the fridge?
    Can I drink coffee with my tablets?
    How do I stop a small cut from scarring?
    How long does a bruise last?
    How do I donate blood?
    What is my blood type?
    Can I exercise with epilepsy?
    What is a febrile seizure?
    Why do I feel dizzy in the heat?
    What is low blood sugar?
    What should my blood sugar be before breakfast?
    How do I get over a breakup?
    What is a living will?
    How can I live longer?
    Is hospice care right for my mother who has cancer?
    What is life expectancy with COPD?
    How do I grieve the death of a parent?
    When does pregnancy start to show?
    Can I eat sushi when pregnant?
    Why does my baby move so much at night in pregnancy?
    Is back pain in pregnancy normal?
    How do I burp a newborn?
    How many diapers does a newborn use?
    When do soft spots close in babies?
    How can I make my home safe for a toddler?
    How do I prevent falls in old age?
    When can my child swim alone?
    How do I prevent sunburn?
    How do I use eye drops?
    There is an eyelash in my eye, how do I get it out?
    Do I need stitches for a small cut?
    How do I treat a bump on the head from a door?
    What is a hernia?
    Can stress make my stomach hurt?
    How do I treat stomach flu?
    How do I take my temperature?
    Is a temperature of 37.5 a fever?
    What is a rash?
    How do I treat a heat rash?
    How do I prepare for surgery?
    What questions should I ask my doctor?
    How do hospitals prevent infections?
    Is walking good for the lungs?
    Why do I feel tired after lunch?
    What is jet lag?
    How do I stop hiccups?
    Is it bad to skip breakfast?
    How do I clear a blocked nose?
    What is the best position for sleeping?
    What is a healthy weight?
    How do I read a nutrition label?
    Why do I sweat at night?
    How can I stop biting my nails?
    What are kidney stones?
    How much salt is too much?
    Are eggs bad for cholesterol?
    How do I get rid of dandruff?
    What is psoriasis?
    Why do I bruise easily?
    How do statins work?
    Is low blood pressure dangerous?
    What happens during a stress test?
    What does an ECG show?
    Why do my knees crack?
    How do I treat tennis elbow?
    Can I run with a cold?
    What is gout?
    What should I eat with gout?
    What is celiac disease?
    Is gluten bad for me?
    How do I treat hemorrhoids?
    What causes gas?
    How do I treat heartburn at night?
    What is a urinary tract infection?
    Can I prevent bladder infections?
    What is menopause?
    How do I handle hot flashes?
    What is PCOS?
    How long is a normal period?
    Which birth control is right for me?
    How do I talk to my teenager about drugs?
    Is it okay to let my baby cry?
    When can babies eat peanut butter?
    What is ADHD?
    What is autism?
    How do I help my child with homework stress?
    What is a good bedtime for a six year old?
    Why does my child wet the bed?
    How do I treat head lice?
    How long are measles contagious?
    What is chickenpox?
    Is the HPV vaccine for boys too?
    What is herd immunity?
    What is a tetanus shot for?
    When do I need a booster?
    What is antibiotic resistance?
    How do I dispose of old pills?
    What is a placebo?
    Can I crush my tablets?
    What do I do if I vomit after taking a pill?
    How do I measure liquid medicine for a child?
    Do I have to finish my antibiotics?
    What does take on an empty stomach mean?
    Why do I see floaters?
    What is a cataract?
    Should I be worried about a twitching eyelid?
    Is reading in dim light bad for my eyes?
    How loud is too loud for my ears?
    How do I treat swimmer's ear?
    What is an arrhythmia?
    What is an aneurysm?
    What are the causes of stroke in young adults?
    How is an allergic reaction tested?
    What is a bleeding disorder?
    Why is my period so long?
    How do I get more iron?
    What is anemia?
    What are the side effects of aspirin?
    How do I know if a wound is healing?
    How do I clean a scrape?
    What is a coma?
    How do I deal with chronic pain?
    What is fibromyalgia?
    Why do I get cramps when I swim?
    Which pain killers are safe with alcohol?
    How do I ease menstrual pain?
    Is it safe to take melatonin every night?
    How much caffeine is too much?
    Do vitamins expire?
    My tongue has white spots, why?
    My throat itches in spring
    Why is my throat dry in the morning?
    I have pain in my shoulder after tennis
    My hip hurts when I sleep on my side
    How do I get rid of stomach cramps?
    Is my heart rate of 60 too low?
    What heart rate should I aim for when running?
    Does stress raise the heart rate?
    How do I calm my nerves before a speech?
    What is a panic attack?
    How long do panic attacks last?
    What is OCD?
    How do antidepressants work?
    How long does grief last?
    Is it normal to think about death?
    How do I sleep better with a newborn?
    Can I get pregnant while breastfeeding?
    When will I feel my baby move for the first time?
    How do I know if my baby is growing well?
    What is preeclampsia?
    What should I pack for the hospital birth?
    What do I do about a loose tooth?
    How do I treat a swollen ankle?
    How do I ice a sprain?
    How do I prevent concussions in sports?
    How do I stay safe in the heat?
    What is hypothermia?
    How does the body fight infections?
    What is a fever for?
    How do I get wax out of my ear?
    How do I protect my eyes at work?
    Does smoking cause wrinkles?
    Where can I get a flu shot?
    How do I find a good doctor?
"""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("sentence", _lines(EMERGENCIES))
def test_emergency(sentence):
    assert emergency_notice(sentence) is not None


@pytest.mark.parametrize("sentence", _lines(NO_EMERGENCIES))
def test_no_emergency(sentence):
    assert emergency_notice(sentence) is None
