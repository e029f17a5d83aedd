"""The phrases that speak of suicide and self-harm; notation: see phrases.

Gathered from how people say it, as published for research and for crisis
services: the Suicide Risk Lexicon 1.0 (Low et al. 2024, PsyArXiv; rated by
clinicians; its constructs on passive and active ideation and on self-injury, of
which a part was read and the rest kept to measure with, as eval/notices.py says), the questions of the
Columbia-Suicide Severity Rating Scale, the search terms of O'Dea et al. 2015
(Internet Interventions 2:183), and the red list of a distress detector
(github.com/manasjh1/sarthiv7). `python -m eval.notices` measures recall and false
notices.
"""

from __future__ import annotations

SELF_HARM = """
    suicide|suicidal|suicides|unalive*
    self_?harm*|self_?injur*|self_?mutilat*|kys
    kms -distance|away|a|per|an|from|long|every|each|daily|walk*|run*|of|north|south|east|west
    sh relaps*|urge|urges|scars
    ^ i? keep|kept cutting $
    yeet* <self>
    if|whether i can|could go_on anymore|any_longer|END
    # The commonest ways in other languages, whose speakers ask here too
    quiero|quisiera|deseo morir|morirme|matarme|suicidarme
    me_quiero|quiero_que_me matar|morir|suicidar
    ya no quiero vivir
    je_veux|jveux|je_voudrais|envie_de mourir|me_tuer|me_suicider
    ich will|möchte sterben|nicht_mehr_leben|mich_umbringen|mich_töten
    quero|queria morrer|me_matar
    não|nao quero_mais_viver|quero_viver
    voglio morire|uccidermi|suicidarmi
    kill|killing|killed|hang|hanging|shoot|shooting|harm|harming|harmed|starve|starving|poison|hate|hating .. <self>
    kills|hangs|hanged|hung|shoots|shot|harms|starves|starved|gassed|slit|slits|hates|hated <self>
    danger to <self>
    get|getting rid of <self>
    do|does|did|doing <self> in -the|a|an|my|his|her|this|that
    locked <self> .... gun|knife|pills|rope|razor*
    stab*|drown*|suffocat*|strangl*|chok*|asphyxiat*|gas|gassing|wound*|mutilat*|disfigur*|electrocut*|delete|neck|end \
        <self>
    hitting|punching|beating|biting|scratching|slapping|clawing|stabbing|burning|injuring|throw*|threw|hurl* <self>
    drink|drinking|starve|work|smoke|eat|cry <self> to_death|into_a_coma
    to|should|gonna|might|will|would|just off <self>
    burn|burning|set <self> alive|on_fire
    # "I hurt myself lifting" is no emergency of this kind, "I want to hurt myself" is
    want|wants|wanting|need|urge|urges|thought|thoughts|thinking|tempted|might|keep|keeps|going_to|deserve .... \
        hurt|cut|hurting|cutting|burn|burning|injure|injuring|punish|scratch|hit|bite <self>
    cutting|cuts|hurting|hurts|harming|harms <self> -shaving|off|at|in_the|playing|lifting|running|while
    hurt|cut|burn|burns|burned|burnt|injur*|punch*|hit|hits|bit|bite|bites|biting|bash*|scratch*|punish* <self> .. \
        on_purpose|purposely|intentional*|deliberate*|because_i|every|to_feel|to_cope|to_punish|when_i|when_he|\
when_she|when_they|until
    cut|cuts|burn|hurt <self> again
    ^ hurt|punish|wound|injure|harm|harmed <self> $
    punish|punishes|punishing <self>
    on_purpose|intentionally|deliberately .. cut|cutting|hurt|hurting|burn|burning|starving|injured
    cut|cutting|burn|burning|slic*|carv*|slit|slitting|slash*|scratch*|stab* \
        my|his|her|their|into_my own? wrist*|arm|arms|thigh|thighs|leg|legs|skin|body .. \
        on_purpose|again|to_feel|to_cope|with_a|until|because|deep*|myself|when_i|every
    slit|slitting|slash*|slic*|cut|cutting my|his|her|their wrist*
    mutilat*|slic*|slash* my
    urge|urges|craving|impulse|itching to|for cut|cutting|burn|harm|hurt|bleed
    relapsed|back_to|addicted_to|addiction_to|started|stop|quit cutting \
        -back|down|calories|carbs|out|sugar|fat|sodium|salt|hair|teeth|off|edge|board|grass|nails|alcohol
    bang*|bash*|smash*|hit|hitting my head .. on_purpose|until|because|repeatedly|over_and_over|against_the_wall
    <not> stop cutting -back|down|calories|carbs|out|teeth
    # Voices
    voice|voices .... tell*|told|say*|said|want|wants|command*|order* .... \
        kill|hurt|die|harm|jump|do_it|end|cut|bad_things|<self>
    # Enough
    cant|cannot|can_not|couldnt go_on|cope|do_this|do_it|do_life|take_it|take_this|take_life|take_living|take_the_pain|\
handle_this|handle_life|bear_it|bear_this|stand_it|stand_living anymore|any_more|longer|any_longer|much_longer|END
    cant|cannot|can_not take|face|survive|bear|handle another|one_more day|night
    cant|cannot|can_not live|survive|exist|keep_living|go_on_living anymore|any_more|any_longer|like_this|this_way|END
    cant|cannot|can_not keep going|on|living|fighting -to|with_my|at
    tired|sick|exhausted|done|fed_up|over of|with|from? .. living|alive|life|existing|existence|breathing \
        -with|at|in|style
    done|finished|through with life|living|everything|this_life|it_all|this_world|being_here
    had_enough|enough of life|living|this_world
    give|giving|gave|given|giving_it|give_it up .. on life|living|everything|myself
    want|going|ready|about to|and give up|in END
    given|giving|gave up completely|on_life|on_living
    ^ im|i_am|just|so|completely|totally? done $
    ^ i give|gave|am_giving|giving up $
    im|i_am done|finished fighting|trying|living|with_everything|with_it_all|being
    too hard|painful|tired|much|exhausted to live|go_on|exist|be_alive|keep_going|keep_living
    <not> .. want|wants .. this_life|my_life|tomorrow_to|keep_going|keep_living|fight_anymore|to_survive|try_anymore|\
do_this_anymore|feel_anymore|do_life
    <not> .. see|imagine|picture|have .. <self>|future|me .. alive|living|older|future|next_year|END --eye*|vision
    <not> .. survive|get_through|make_it|last through|another|the|tonight|this|much .. night|tonight|day|week|longer
    <not> think|believe i|ill|i_will|i_can .. make_it|survive
    no|any hope for_me|left|anymore
    no|the|any|see|whats|what_is point .. in|of .. \
        trying|anything|going|it_all|continuing|fighting|living|life|anymore|being
    nothing|nobody|no_one .. keeping|keeps|holding|holds me here|alive|going
    nobody|no_one|nothing .. can|could|will|to .. help|save|stop me
    nothing|dont|please|never .... try_to_stop|stop me END|this_time|now
    im|i_am|going_to|ill|i_will doing|do it now|tonight|today|soon|this_time
    decided|know|planned|figured_out how|when|where .... do_it|die|end_it|going_to_do
    i|we .. wont|will_not|not_going_to|isnt_going_to|not be \
        here|around|alive anymore|tomorrow|much_longer|long|when|in|by|after|END
    drain|burden|waste|weight on|to|of everyone|space|oxygen|air|my_family|everybody|others|them|time_and
    easier|happier|better|improve* .... without_me|if_i_was|if_i_were|if_i_died|if_i_wasnt|if_i_werent|if_i_disappeared
    worth living .. gone|over|anymore|left
    nothing .. worth living|it|fighting
    i|im|ive .. think|thinking|thought|thoughts .. about|of death|dying -of|from|rate*|certificate|with
    cuts|scars .. deep*|enough enough|anymore
    cut|cutting deeper|deep_enough
    need|want|like to feel .. pain|blood|something
    pain .. on_the_outside
    razor|blade|knife|scissors|lighter|cigarette* .. on|to|against|into my skin|wrist*|arm|arms|thigh*|leg|legs
    hate|hating|despise|loathe|detest my|this|being|that? life|living|alive|existing|existence|im_alive -partner
    im|i_am|feel|feeling|am so|such|completely|totally|just|like|a? worthless|nothing|useless|trash|garbage END|and|to
    should|shouldnt be|have|not dead|alive|died|exist|been_born -by|from
    shouldnt exist|be_alive|be_here_anymore|have_been_born
    <not>|wasnt|isnt meant|supposed to|for be_alive|live|exist|be_here|this_world
    <not> belong in_this_world|on_this|in_this_life|here|anywhere|alive
    world|nobody|no_one <not>|doesnt|ever? .. need|needs|want|wants me -to
    leave|leaving|left|depart*|exit this|the world|earth|life|planet|existence
    join|be_with|meet|see .. heaven|other_side|afterlife|on_the_other
    let|lets me die|go_die
    out of my|his|her|this misery
    end|ending|stop this|my|the|all|of? .. suffering|misery|agony|torment|existence|story|pain_forever|\
pain_permanently|pain_for_good|pain_once
    pain|suffering|misery|agony|it .. stop|end|over permanently|forever|for_good|once_and
    pass|passing|slip|slipping|drift away in_my_sleep|tonight|peacefully|forever|quietly
    better off gone|not_here|not_alive|buried|never
    pray|praying|hope|hoping|wish .... <not> .. wake
    wish|hope|want .... truck|car|bus|train|lightning .... hit|hits|kill|kills|run_over|take|strike* me
    # Death wished for
    noose
    if i|he|she|we was|were|am|is? dead|gone|died
    miss me .. dead|gone|died
    want|wants|wanted|wanting|wish|wishes|wished|ready|deserve|deserves|rather|better|decided|going|crave|craving|\
prepared|deserved|supposed|meant|longing|beg|begging|pray|praying .. \
        die|dead|dying -for|to|of|out|hard
    i_wish_i .. dead|born|gone
    wish|wishes|wished|wishing .... never|not|hadnt|didnt|wasnt|havent|wouldnt|werent \
        been? born|exist*|wake|woken|woke|here|alive
    wish|hope|hoping|pray|praying|want|wanted .. <not> .. wake|woken -up_early|up_at|up_so|up_in|up_with|up_tired
    hope|hoping|pray|praying|wish .. get|gets|hit|gets_hit|runs|kills|crash|crashes .. by|me|over
    ill|i_will|gonna|going_to be dead -tired|serious|on|last
    end|ending|ends|take|taking|takes|took my|his|her|their|your own? life|lives
    end|ending it|this all|now|tonight|today|soon|tomorrow|here|forever|for_good
    want|wants|wanna|going|ready|need|decided|think*|thought*|plan*|trying|about|tempted|time|gotta to|of|about|on \
        end|ending it|everything|things|this_life -with|politely|in|on|at|amicably
    want|wants|wish|need|just|ready .. it|this|everything|it_all|this_all all? \
        to_end|would_end|to_be_over|to_stop_forever|would_all_end|over_with
    want|wish|hoping|hope i? .. \
        stop_living|stop_existing|cease_to_exist|not_exist|disappear_forever|vanish|be_gone_forever|be_no_more|\
sleep_forever|not_be_alive|not_be_here|leave_this_world|leave_this_life|leave_this_earth
    want|wanted|wish|going|ready|could i|to|just_to|i_could|to_just|i_can|could disappear|vanish|fade -into
    cease|stop|stopped|quit|stopping to? exist|existing|living|live|being_alive -with|at|in
    think|thinking|thought|thoughts|fantas*|dream|dreaming|daydream*|obsess* \
        of|about|on .. \
        dying|die|my_death|being_dead|killing|not_waking|not_being|jumping|hanging|overdosing|my_funeral|own_funeral|own_death|\
ending_my|ending_it|ending_everything|being_gone -from|of|cancer|rate*|germs
    hope|hoping|wish i .. die
    <not> deserve .. live|alive|exist|breathe|be_here
    deserve|deserves|deserved to? suffer|pain|be_hurt|hurt|be_punished
    why should|would|do|am|are|even|did i|we .. live|living|alive|breathing|existing|born -with|in|at|to|near
    why .. still|even|bother|keep .. alive|living|live|existing|going_on -with|in|at|at_home|near|births
    <not> .. want|wants|wish|see|care .. live|living|alive|exist|be_here|being_here|wake_up|go_on|point_in_life|\
be_on_this|be_around|be_breathing \
        -with|at|near|alone|in|where|early|birth*
    <not> feel like .. living|being_alive|waking_up|existing|going_on -with|in|at
    no|any|without|little reason|point|will|desire|reasons|purpose|use .. \
        live|living|going_on|alive|exist|existing|continue_living|keep_going|go_on|stay_here|being_here -with|at
    nothing|nobody|no_one .. to|left live|living|keep_going for
    nothing left for_me|to_live|to_lose|inside
    nothing|nobody|none_of_this|no_one matters|cares anymore|any_more|about_me|if_i
    !does|did|do|will|would|can|could|has|is|he|she|they|baby|child|son|daughter|husband|wife|mother|father|mom|dad \
        never|not wake_up again|anymore|any_more|tomorrow|END
    i will|would|could never|not wake_up again|anymore|any_more|tomorrow|END
    sleep|bed|asleep and|hoping|wishing .. never|not .. wake
    sleep|sleeping|rest forever|eternally|permanently
    permanent|eternal|final|forever|everlasting sleep|rest|peace|exit
    life|living|existence isnt|not|is_not|aint|hardly|no_longer worth_living|worth_it|worth|living
    life|existence|living|everything is|feels|seems|has|just|so|too .. \
        meaningless|pointless|unbearable|no_meaning|no_purpose|no_point|over_for_me|not_worth|a_nightmare|a_burden|hell
    over for me|us END
    no other? way out END
    theres|there_is no|no_other way_out|escape
    better|best off without_me|dead
    world|place|everyone|everybody|family|people|they .. better|happier|easier .. without_me|if_i
    no_one|nobody|noone|anyone|anybody|who would|will|ill|gonna|going_to|even .. \
        miss_me|notice|care .. gone|dead|died|die|if_i|me|disappear*|END
    <not> miss|notice|care .. me|if_i .. gone|dead|died|die|disappear*
    im|i_am|am|feel_like|being|just|only|such|i_feel .. a|the burden to|on|END|for
    death|dying is|seems|sounds|would|feels|be|the .. \
        escape|answer|relief|better|peaceful|welcome|release|easier|solution|only_way|way_out|comfort*
    only|easiest|last way|escape|solution|option|answer|choice .. death|die|dying|suicide|kill|dead
    painless|peaceful|quick|easy|easier|peacefully death|exit|way_out|end_to
    die|dying|death painlessly|peacefully|quickly|quietly|in_my_sleep|at_home_alone|tonight
    easy and painless
    painless|quickest|quick|easy|easiest|peaceful|best|least_painful way|ways|method|methods to|of \
        die|dying|kill*|death|end_my|end_it -germ*|bacteria|lice|mold|the
    how_many|how_much .... to|would|will|could|can|does_it_take .. \
        kill|die|overdose|od -germ*|bacteria|virus*|lice|mold|mould|the|bed
    lethal|fatal|deadly dose|amount|combination|combo
    lethal_dose|fatal_dose|deadly_dose
    want|wants|wish|hope|ready & die|dead -of|from|skin|sea|for|to
    live or die
    please|just|someone|somebody kill me
    kill me now|please|already|END
    # Ways and preparations
    jump|jumping|jumped off|from|into|out_of|in_front_of|under .... \
        bridge|building|roof|rooftop|train|balcony|cliff|window|traffic|ledge|overpass|subway|tracks
    want|going|ready|urge|about|gonna|thinking|tempted .. jump|jumping END|off|out_of|in_front|from
    jump and never
    tallest|highest building|bridge|parking|place|floor
    jump|jumping|step|stepping off|from .. high|parking|tower|dam|tall|edge|platform
    bullet .. in|through my|his|her head|brain|skull|mouth
    load|loaded|loading the|my|a gun|pistol|rifle
    let|want|going .. bleed_out|bleed_to_death
    how to|do_i|can_i die|hang|overdose|od|tie_a
    enough .. to|and kill|die|end me|myself|it|END
    take|taking|took|swallow everything|all .. cabinet|bottle
    stop|stopped|stopping|refuse|refusing eat*|drink* .. until|so i .. die|disappear|waste
    run|running|walk|walking|step|stepping|lie|lying|jump|throw|throwing .. \
        front_of|into|onto|under .. traffic|train|truck|bus|oncoming|tracks|highway|moving_car
    drive|driving|slam*|crash|crashing|swerv*|steer*|run|plow* my|the|a car|truck|van|motorcycle|bike|vehicle .. \
        into|off|on_purpose
    wreck|crash|total my car|truck|bike|motorcycle
    car|drive|driving|truck off a|the bridge|cliff|road|overpass
    pull|pulling|pulled the trigger
    gun|knife|blade|rope|noose|barrel|belt|cord|pistol|bag .. to|in|around|over|against|at my own? \
        head|throat|neck|wrist|wrists|mouth|temple|heart
    blow|blowing .. brain|brains|head .. out|off
    buy|buying|bought|got|get|getting|find|found|load*|hold* a|some|the|my rope|noose|gun|pistol|shotgun|razor_blades
    razor|razors blade|blades END
    want|wants|tried|try|trying|going|plan*|attempt*|thinking|might .. overdos*|od -prevent*|training|response
    overdosing|overdose|overdosed|od on_purpose|intentionally|again|tonight|myself
    attempt*|tried|try|trying|commit|committing to|my|on .. suicide|life|kill|die|dying|end_it|hang|drown \
        -expectancy|insurance|style
    my|an|previous|past|another|failed|last attempt END|failed|on_my_life
    make|making|look|looks .. like an|a? accident END|so
    exit_plan|final_exit|exit_bag|goodbye_cruel|cruel_world
    goodbye|farewell|suicide note|notes|letter|letters|everyone|everybody|world|forever|message|video
    say|said|saying|write|writing|wrote|written .. goodbye|goodbyes|farewell
    write|writing|wrote|make|making|made|update* a|my|up_my will END|tonight|so|before|because
    giving|give|gave|given away|all .. my things|stuff|belongings|possessions|everything|pets
    this is my_last|goodbye|the_last
    last|final message|goodbye|night_alive|day_alive|day_on_earth|days_alive|hours_alive|words|preparation*
    my final night|day|hours
    tonight is the|my night|last
    picked|chosen|chose|set|setting|have|got|made|found|know .. \
        a|the|my date|place|method|plan|spot|time .. to|for|of|where die|kill|end|do_it|it|i_will|death
    read*|find|see|hear this .. dead|gone
    plan|plans|planned|planning|intend|intending|intention .. \
        kill|end|die|dying|jump|hang|overdose|my_death|my_suicide -germ*|of_life|to_end_treatment|stage
    see_you on_the_other_side
    stockpil*|hoard*|stash*|save_up|saving_up|saved_up|saving|collecting|collected|enough|stole|got|bought|have \
        my|all|all_my|the|some|of_my|up|more|up_my|enough? pills|tablets|painkillers|meds|medication|sleeping_pills|\
insulin|drugs .. to|END -help|treat|lower|control|manage|stop|take_with|prevent|test
    stockpil*|hoard*|stash*|saving_up|saved_up .. <medicine>
    swallow*|take|taking|took|down|downed all|whole_bottle|a_bottle|the_whole|every .. pills|pill|tablets|meds|sleeping
    pills|tablets|medication|meds & them_all|all_of_them|all_at_once
    pills and|with alcohol|vodka|booze END
    cut <self> --shav*|cook*|chopp*|paper|accident*|kitchen|opening|knife|glass
"""
