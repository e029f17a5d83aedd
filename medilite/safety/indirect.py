"""Ways to speak of suicide and self-harm without naming them; notation: see phrases, sources: see self_harm.

Hopelessness, pain that can't be borne, farewells, what is made ready, ways said
without a wish, and self-injury by the part of the body. Written by kinds, from
the part of the published lists that eval/notices.py calls opened, and beyond it;
each kind was tried against what patients ask in the same words.
"""

from __future__ import annotations

INDIRECT = """
    # Hopelessness, and what can't be borne
    nothing|things|life|it_all|everything will|would|can|is_going_to|is_ever_going_to|gonna? \
        never|wont|not|cant|ever? .. \
        get_better|improve|change|be_okay|be_ok|get_easier for_me|ever|END -cough|rash|skin
    <not>|no .. see|imagine a|any|my? future END|for_me|for_myself|anymore
    no future|way_forward END|for_me|for_someone_like_me
    given|gave|give|giving|lost|losing|lose up? all|any|my|every? hope|will|fight END|for_me|in_life|completely
    i|im|am|feel|feeling|so|completely|utterly|totally hopeless|trapped|unlovable|beyond_help|beyond_saving|\
beyond_hope|dead_inside|a_lost_cause|already_dead END|and|in_my_life
    im|i_am|am a|an|such_a|just_a|a_complete|a_total|just? failure|disgrace|mistake|disgusting|monster|waste|joke \
        END|and|to_my|to_everyone
    cant|cannot|can_not|couldnt|dont_want_to|tired_of|sick_of|done .. \
        fight|fighting|struggle|struggling|pretend|pretending|hold_on|hang_on|keep_on|carry_on|stay_alive|stay_here \
        anymore|any_more|any_longer|much_longer|longer|END
    cant|cannot|can_not|couldnt take|bear|stand|endure|tolerate|handle|live .. \
        agony|suffering|torment|misery|darkness|emptiness anymore|any_more|any_longer|another|inside
    suffering|agony|misery|darkness|emptiness|torment is|feels|has_become|just|all? \
        too_much|unbearable|endless|never_ending|unending|more_than .. endure|bear|live|go_on|continue
    make|want|need|just|please everything|the_voices|my_thoughts|it_all to? stop|end END|forever
    surrender & fight|anymore|world
    <not>|never care|cares about|for|if|whether .. life|living|i_live|i_die|i_wake|im_alive|live_or_die
    tired|sick|exhausted|done|bored of|with live|exist|be_alive|be_here|life|my_life
    force*|made|having|hate to exist|live|stay_alive|be_alive|keep_living END|anymore|any
    feel|feeling|felt|feels like die|dying|ending|disappearing|killing -from|of
    escape|escaping|get_away|run_away from? reality|life|existence|this_world|it_all|this_life|\
my_life|being_alive -threatening
    too_late for_me|to_save_me|to_help_me|to_change_my_mind
    well|much_better off dead
    ^ i? will|ill|gonna|going_to|must|should|need_to|have_to|may_as_well|might_as_well just? die|be_dead|go_die $
    may_as_well|might_as_well|would_rather|id_rather just? be? die|dead|end_it|not_exist
    wouldnt|dont|do_not|would_not mind|care|object .. dying|die|died|if_i_die|if_i_died -from
    <not>|no_longer|isnt afraid|scared|frightened of|to death|dying|die END|anymore|any_more|now|i
    being_alive|life|living|existing|existence is|feels|has_become|just|so|only|too? \
        exhausting|torture|hell|tiring|a_chore|a_prison|unbearable|suffering|too_hard|too_much -with|after|for
    want|wanted|need|wish|ready to? out|be_gone|be_no_more|be_done_with \
        END|of_this_life|of_this_world|this_life|this_world
    no_longer|never|dont|didnt want|wanted|asked|ask to_live|to_be_alive|to_be_born|to_exist|this_life END|anymore|any
    im|i_am|so over|done_with it_all|life|everything|existing END
    ready|time|want|wants to meet|see my_maker|god|jesus END|now|soon|tonight
    let|letting <self>|me bleed|starve|waste_away|die|drown|rot END|out|to_death|now|away
    ruin*|burden*|drag*|hurt*|poison* everyone|everybody|my_family|my_kids|people .. by_being|just_by|by_existing
    cant|cannot|never|dont feel|keep|trust safe|<self> & alone|with_<self>|myself|tonight
    might|gonna|going_to|could|would|afraid_i|scared_i .. do something stupid|drastic|to_<self>|permanent|i_cant_undo
    dark|bad|intrusive|scary|those thoughts & hurt_me|win|winning|too_loud|are_back|act_on
    <not> see|find|have|got|think_of a|any reason|reasons|point|use to|in|for \
        carry_on|carrying_on|hold_on|holding_on|keep_going|live|living|continue_living|stay_alive|stay_here|continue \
        -with|on|taking|a|my|the|in
    no|any|the|see point|sense|use in|of carrying_on|holding_on|hanging_on|staying|being_here|breathing -with
    tired|sick of waking_up every_day|every_single|each_day|anymore|END
    hope|hoping|wish .. takes|take|kills|kill|finishes me END|soon|quickly|fast|now|already
    want|wish|hope .. it|everything|all .. go|fade black|dark END
    # Farewells and what is made ready
    i wont|will_not|not_going_to|dont_think_i_will make_it to christmas|new_year*|summer|graduation|thirty|my_birthday
    posted|texted|wrote|sent|left goodbye|a_goodbye|his_goodbye|her_goodbye & phone|note|letter|facebook|online|message
    put|putting|get|getting|got|set|setting|have my|all|his|her affairs in_order -before|for
    everything|all|its|it_is|im|i_am .. ready|prepared|in_place & do_it|say_goodbye|go_through_with
    just|only|finally need|ready|brave_enough to do_it|go_through_with_it END|now|tonight|already
    chosen|picked|chose|decided|settled .. method|means & die|kill|end_it|and_the_day|and_the_night
    chosen|picked|chose|decided|settled .. day|date|night & method|bridge|die|kill|end_it
    know|found|picked|chose which|what|the|a bridge|roof|rooftop|balcony|cliff|overpass
    research*|looked_up|looking_up|googl*|reading_about & methods & painless|painful|lethal|die|suicide|kill
    research*|looked_up|looking_up|googl* .. how_to_die|ways_to_die|ways_to_end_it|lethal_dose*|lethal_amount
    tie|tying|tied|make|making .. noose
    tie|tying|tied|make|making .. knot & noose|rope|neck|figured_out
    plan|planned|planning|prepar*|arrang* my|own own? death|exit|funeral|suicide
    do more|real|serious|enough damage this_time|next_time
    wont|will_not|not_going_to|i_will|ill|make_sure .. \
        fail|survive|mess_it_up|be_saved|be_found|wake_up|succeed|get_it_right this_time|next_time
    sorry|forgive|apolog* & have_to_do_this|need_to_do_this|must_do_this|cant_stay|leaving_you|wont_be_here|\
do_this_to_you|couldnt_hold_on|cant_do_this
    pills|gun|rope|knife|razor|blade|noose .. \
        ready|in_my_hand|in_front_of_me|next_to_me|beside_me|loaded|lined_up|counted
    wont|will_not|never|nobody|no_one have|has|be|need|needs to? worry|deal|put_up|bother*|a_burden|a_problem .. \
        me anymore|any_more|again|soon|END
    soon|tonight|tomorrow it_will|itll|ill|i_will all? be over|gone|free|no_more|at_peace END
    my time to_go|has_come|is_up END|now|soon
    i|im|ill|ive will|gonna|going_to? be gone|dead|no_longer_here by|before|soon|when|tomorrow|END
    if|when|after|once i|im|i_am dont_wake_up|dont_make_it|gone|am_gone|die|am_dead|dead & \
        take_care|remember_me|forgive|forget_me|look_after|be_happy|my_funeral
    come|cry|show_up|be to|at my funeral
    this_is|the|my last time|night|day|message|conversation|text .. youll|you_will|from_me|of_my_life|alive
    plan & picked|chosen|set|chose .. date|day|night|when \
        --surgery|birth|wedding|delivery|induction|section|procedure|trip|party|diet|treatment|baby
    gave|giving|given away my|all|everything .... wont|will_not|not_going_to need|be|have -room|space|time
    # Ways, said without a wish
    painless|peaceful|painlessly .. way|ways to go|leave|exit END|out_of_this|forever|peacefully
    is|does|would|will|how hanging|drowning|overdosing|electrocution|suffocating|suffocation|jumping \
        painful|painless|hurt|quick|fast|slow END
    i|ive|he|she tied|tying|hung|looped|fixed|threw a|the|my rope|cord|noose|sheet|belt .... \
        beam|rafter*|ceiling|neck|scared|chickened|couldnt|go_through
    if i had|owned|could_get|get a gun|pistol|rifle .. \
        used|use|dead|gone|done|shoot|over
    jump|jumping|jumped|leap|leaping|step|stepping out|off|over|through|from? the|a|my \
        window|balcony|railing|ledge|bridge|cliff|roof|platform
    stand|standing|sitting|sat|im|am|here|up on the|a edge|ledge|railing|roof|bridge|rooftop \
        END|of_the_roof|of_the_bridge|now
    ^ on the edge|ledge $
    hit|run_over by a|the train END
    imagin*|pictur*|see|seeing|visuali* myself? dead|dying|hanging|my_funeral|my_own_death|jumping|in_a_coffin
    want|going|thinking|might|will|plan*|ready|considering|ill .. \
        drink|drinking|swallow|swallowing bleach|antifreeze|poison|rat_poison|detergent
    put|a|plastic|the bag over|around my head
    carbon_monoxide|exhaust|helium|cyanide|nitrogen|barbiturat*|nembutal|sodium_nitrite & \
        painless|myself|end_it|want_to_die|my_life|peaceful
    hang|hanging|hung from|by the|a|my .. ceiling|fan|rafters|beam|neck|rope
    cut|cutting|slit|slitting|slice|slicing open? my open? veins|throat|wrist*|jugular
    hold|get|grab|load|buy|use a|my|the gun|rope|blade|razor & end|die|myself|goodbye|no_more|my_life|temple|mouth
    pull|pulling the plug on_<self>|on_my_life|on_me
    ctb|un_alive|self_delete|toaster_bath|rope_<self>
    tried to? end_it|kill|hang|die|overdose .. before|again|once|last|twice
    step|stepping|jump|jumping|walk|walking in_front_of|under a|the tube|metro|tram|lorry|train|truck|bus
    fantas*|imagin*|think|thinking|thought|dream* of|about crashing|wrecking|driving the|my .. car|truck|bike -again
    how_high a|does|must|would .. fall|jump|drop
    i|he|she|keep hold|holds|holding|held|stare|staring at? the|a|my blade|razor|gun|noose -level
    # Self-injury, by the part of the body and by what it is for
    carv*|slash* .. in|into|on his|her|their|my leg|legs|arm|arms|thigh*|skin|wrist*
    been cutting since|for|again|more|END
    burn|cut|hurt|scratch|hit|punch <self> .... when|whenever things|it|life|everything|im|i_get|i_feel|stress* -cooking
    only|one thing|things|way .. helps|works|calm*|relief|relieves|feel|comfort* .. \
        razor|razors|blade|blades|cutting|bleeding|knife -down|out|carbs|calories|sugar
    relapse|relapsed|relapsing|slipped & cut|cuts|cutting|burn|burned|burnt|scratched \
        <self>|my_arm|my_arms|my_thighs|my_thigh|my_legs|my_leg|my_wrist*|my_skin|my_stomach
    bang|banging|bash|bashing|smashing my own? head END|against_the_wall|again|when|until|over_and
    carv*|slash*|gash* my|into_my own? skin|arm|arms|leg|legs|thigh|thighs|face|stomach|wrist|wrists|flesh
    ^ burn|burning|scratch|slice|bite|stab my own? skin|face|arms|wrists|legs|thighs $
    stick|sticking|stab|stabbing|poke|poking a|the|some|safety? needle|needles|pin|pins|blade|knife in|into my \
        --insulin|inject*|injection*|shot|epipen|vaccin*|blood|draw|iv|medication|heparin|finger|test*|lancet|tattoo
    need|want|have|had|crave|urge|like to? cut|burn|bleed|hurt|scratch|bruise|punish .. \
        feel_something|feel_anything|feel_real|to_cope|to_numb|the_release
    clean from|of cutting|self|harm|hurting
    days|weeks|months|years .. clean|free .. cutting|self_harm|selfharm
    punch* walls|the_wall|a_wall until|till|because|to_feel
    bruis*|break*|chok*|claw*|pinch* <self> on_purpose|until|again|to_feel
    bit|bite|biting|scratch*|pinch*|claw* my_arm|my_arms|my_hand|my_hands|<self> until|till|to_feel|to_cope
    used_to|relapsed|started|back_to|addicted_to|want_to .. cut|cutting|burning|hurting|harming <self>|my_arms|my_wrists
"""
