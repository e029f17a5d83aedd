"""The table behind `emergency_notice`: by kind, the phrases that speak of an emergency wherever they occur.

Notation: see phrases. Names of conditions, which people also ask about out of
interest, stand in conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from medilite.safety.indirect import INDIRECT
from medilite.safety.notices import EmergencyKind
from medilite.safety.self_harm import SELF_HARM

PHRASES: Mapping[EmergencyKind, str] = MappingProxyType(
    {
        "self-harm": SELF_HARM + INDIRECT,
        "heart": """
            !no|without chest -cold|congestion|infection|x|xray|scan|binder|muscle|exercise* .. <hurts>
            !no|without <hurts> .. in|on|across|inside|behind|through|around .... chest|breastbone|heart|sternum \
                -cold|infection
            clutch*|grabb*|holding .. chest
            my|his|her heart hurts|aches|stopped|has_stopped|stops|is_stopping
            !no|without|any chest|breastbone -cold|congestion|infection|x|xray|muscle|exercise* & <hurts>|sweat*
            my heart & squeez*|crush*|stopping
            elephant|weight|brick|something .. on my|his|her|the chest
            <hurts>|<numb> .... down|in|into|to|along|through <whose>? left arm|shoulder
            left arm .. <hurts>|<numb>
            <hurts> .... arm|arms|shoulder .. jaw
            jaw .. arm|arms|shoulder .. <hurts>
            heart|heartbeat|palpitations|pulse .... .. faint*|pass_out|passing_out|passed_out|black*_out|collapse*
            no|find_a|feel_a|find_his|find_her pulse
            heart & pain|hurts|killing_me -disease|failure|condition|rate
            chest .. killing_me
            jaw & sweat*|nause*|arm|heart|chest
            feel|feels like .. heart_attack
            is it|this my heart
        """,
        "stroke": """
            face|mouth|smile|lip|cheek|eyelid .. \
                droop*|sagg*|sags|crooked|lopsided|fallen|twisted|uneven|paraly*|numb
            droop*|sagging|lopsided|crooked|twisted|numb*|paraly* .. face|mouth|smile
            mouth|face|eyelid .. dropped|drops|fell
            slur|slurs|slurr*
            words|sentences .. jumbled|garbled|wrong|mixed_up|nonsense
            sudden*|stopped|isnt|not making|make any? sense -of
            vision|sight|eye went|gone|goes|turned .. black|dark|blind
            <cant> see out_of|from|anything
            speech .. garbled|unclear|jumbled|gone|funny|strange|blurred
            blurred|blurry speech|words
            <cant>|stopped|suddenly .. speak|talk|speaking|talking -to|about|with|in|openly|on|english|over|loud*
            one|left|right|whole side|half|arm|leg|hand|foot .... <numb>
            <numb> .. on|in|of|down|along .. one|left|right face|arm|leg|hand|side|half|foot
            <cant> move|lift|raise|feel|moving|lifting my|his|her|the left|right|one|whole? \
                arm|arms|leg|legs|side|body|hand|face
            sudden|suddenly .. \
                <numb>|confus*|blind*|see_double|double_vision|lose|lost|loss|severe_head*|worst_head* \
                -weight|hair|weight|interest
            arm|arms|leg|legs|hand|hands|foot|feet|face|side|mouth|lips|tongue .. <numb> .... \
                suddenly|all_of_a_sudden|out_of_nowhere
            face .. <not>|stopped .. move|moves|moving --botox
            suddenly|sudden .. cant_see|cannot_see|vision_loss|blurry_vision|blurred_vision
            lost|losing|loss_of|lose my|his|her|all? vision|sight|eyesight .. \
                suddenly|one|left|right|now|today|just|for|END
            went|gone|going suddenly|completely? blind
            worst headache|head_ache|migraine of|in|ever|i|he|she
            sudden*|unbearable|excruciating .. headache|migraine
            thunderclap
            talk*|speak*|say* & gibberish|nonsense
            vision|sight|eyesight & sudden*|all_of_a_sudden
        """,
        "breathing": """
            <cant> .. breath*|breeth*|breth* -through|out_of|thru|exercise*|test*|technique*
            <cant> .. breath* through .. mouth
            <cant> .. catch|catching|get|getting .. breath|air
            short|shortness|gasp*|fight*|hungry|struggl*|starved of|for breath|breathing|air
            gasping|breathless
            breathing -exercise*|technique*|through & fast|rapid*|hard|shallow|difficult*|trouble|blue|noisy|rib|ribs
            breathing is|feels|feel|becomes|became|has_become|gets|getting .. \
                difficult|hard|harder|fast|shallow|laboured|labored|rapid|noisy|heavy|weird
            breathing fast|hard|rapidly|too_fast
            # sleep apnoea is another matter
            <not>|stopped|stops|are|keeps .. not_breathing|breathing -exercise*|through|in \
                --sleep*|asleep|night|snor*
            not_breathing --sleep*|asleep|night|snor*
            turn|turns|turning|turned|went|going|gone|looks|looking .. blue -eyes|cheese
            lip|lips|face|tongue|skin|baby|fingertips|he|she|hes|shes is|are|have|has|look|looks|going|turn*? .. \
                blue|bluish|purple|grey|gray
            chok*|suffocat*|asphyxi* -thoracic|game|hazard*|risk*|up
            stuck|lodged|caught|blocked|blocking in|down|at|his|her? <whose>? throat|windpipe|airway
            heimlich
            # below 90 % too little oxygen reaches the body
            !iron|transferrin|venous oxygen|o2|spo2|saturation|sats|pulse_ox|oximeter <oxygen_level>? \
                is|are|was|were|at|of|reads|reading|says|shows|dropped|drops|fell|down? \
                down_to|down|only|now|just|at|to? around|about|only|below? [5-8]\\d -<not_a_percentage>
            !iron|transferrin|venous oxygen|o2|spo2|saturation|sats|pulse_ox|oximeter <oxygen_level>? .. \
                from \\d\\d \\d? percent? to|down_to only|about|around|below? [5-8]\\d -<not_a_percentage>
            inhaler .. not|doesnt|isnt|wont|empty|ran_out
            wheez* .... cant|cannot|blue|severe*|badly
        """,
        "allergy": """
            tongue|throat|lip|lips|airway .. \
                swell*|swollen|closing|closed|closes|close|puff*|tightening|getting_tight|huge -gland*
            throat|airway .... closing|closes
            stung|sting|allerg*|hives .... swallow*
            allergy|allergic .... just|accident*? ate|eaten|swallowed|had|exposed -as|when|all_my
            swelling|swollen of|in|up|my|the|his|her? my|the|his|her? lip|lips|tongue|throat|airway \
                -gland*|and_sore|after_kiss*
            face|eyes .. swollen|swelling|swelled|puffy .... \
                eating|ate|nut|nuts|peanut*|bee|wasp|sting|stung|penicillin|antibiotic*|shellfish|shrimp
            severe|serious|bad|strong|extreme|life_threatening|violent allergic|allergy reaction*|attack
            hives|stung|sting|peanut*|allerg* .... breath*|throat|tongue|faint*|wheez*|collaps*
            use|used|using|need|needs|give|gave|have|without|no|after|inject* .. \
                epi_?pen*|adrenaline_pen*|auto_?injector*
            throat|tongue|lips & tight*|swell*|swollen|clos*|thick|weird|huge|itch* & \
                sting|stung|bee|wasp|peanut*|nut|nuts|shellfish|shrimp|allerg*|penicillin
            allergic & took|taken|swallowed|given|injected -test
        """,
        "poisoning": """
            overdos*|over_dos*
            <took> .. <many> .. <drug> -a_day|every|each|per|daily|mg
            <took> .. <many> -<not_a_count> .. <brand>
            i|ive|he|hes|she|shes|just|and|who took|taken|swallowed just? \\d\\d+ \
                of_them|of_these|of_my|of_it|pills|at_once|all_at_once|in_one_go|last_night|tonight|today|END
            <took> .... <medicine> .. too_many|too_much|twice|double|by_accident|by_mistake|accident*
            <child> & swallowed|drank|got_into
            <child> & took|ate|chewed & <drug>|<poison>|whole
            <child> & took|ate|chewed & our -calpol|motrin|nurofen|panadol <brand>
            <child> & took|ate|chewed & my|moms|mums|dads|mothers|fathers|grand*|brothers|sisters|wrong <brand>
            <child> & <mouth>|took|had|got_into & <edibles> -flower*|plant*|mushroom*
            <took>|<mouth> .. too_many|too_much .. <edibles>
            mushroom* & sick|forest|wild|woods|vomit*
            how_many|how_much & <medicine> & dangerous|deadly|fatal|lethal|toxic|harmful
            smell|smelling|smelled gas
            accident* <took> .... <medicine>
            <medicine> .. deadly|fatal|lethal|toxic
            drink|drinks|food .. spiked|drugged
            <took>|got_into|found_eating .. wrong|someone_elses|somebody_elses|dogs|cats|grand* .. <medicine>
            <took>|got_into .. my|mums|moms|his|her|grand* .. <medicine> by_mistake|by_accident|instead
            <mouth>|inhaled|drinking .. <poison>
            !old|ill|sick <child>|he|she just|has|accidentally|may|might? .. \
                ate|eaten|drank|swallowed|licked|chewed|got_into .... \
                <medicine>|plant*|berries|button*|perfume|mouthwash|coin|cigarette*|soap
            poisoned|poison_control|poison_center|poison_centre|poisons_centre
            carbon_monoxide|co_alarm|co_detector|gas_leak
            bitten|bit|bite|stung|sting .. by|from .. \
                snake|rattlesnake|viper|cobra|adder|copperhead|scorpion|black_widow|recluse
            snake|rattlesnake|viper|cobra|adder|scorpion|black_widow|recluse bite|bites|bit|sting|stings|stung
            mixed|mixing|inhaled|breathed .. bleach|ammonia|chlorine|fumes
            <took> .. too_many|too_much & <medicine>
        """,
        "bleeding": """
            bleed* .. <wont_stop>
            bled .. a_lot|heavily|badly
            bleed* .. for .. minutes|hour|hours
            lots|lot|pool of blood -test*|vessel*
            cut|slashed|slit <self> .... deep|deeply|badly|bleed*|glass
            <not> .. stop|stops|stopped|stopping .. bleed*|blood
            stop|control the|a|this|my|his|her|severe|heavy|bad|all? bleeding \
                -gum*|from_gum*|from_my_gum*|from_the_gum*|after_menopause
            bleed* .... <not> .. stop|stops|stopped|stopping
            severe|massive|uncontroll*|major|arterial bleeding
            heavy|bad|internal bleeding --period*|menstr*|cycle*
            bleed* .. head|ear|ears|neck
            blood .. <not> .. stop*
            cut -down|back|out|caffeine|sugar|calories & deep|gaping
            wound|gash & deep|gaping|wide_open
            lost .. finger*|toe|toes|thumb
            finger|fingers|fingertip|thumb|toe|hand|arm|leg|foot .. \
                cut_off|sliced_off|chopped_off|ripped_off|torn_off|severed|amputated
            bleeding internally|through
            artery & cut|severed|nicked
            <blood_up> .. blood -pressure|sugar|test*
            <blood_up> .... coffee_grounds
            blood|bloody in? <whose>? vomit|vomitus|puke
            blood when|whenever|after i|he|she|they vomit*|throw*|threw|puk*
            vomit|vomitus|puke .. blood|bloody -pressure|sugar|test*|thinner*|type|work|draw*
            blood .. gushing|spurting|pouring|squirting|everywhere|spraying
            gushing|spurting|pouring|squirting|spraying .. blood
            lost|losing|loses a_lot|so_much|too_much|lots .. blood
            i|im|he|hes|she|shes|someone|somebody|friend|husband|wife|brother|sister|man|guy shot in|through|by
            # without a person it may be a vaccine's
            ^ shot in|through <whose> leg|foot|chest|stomach|abdomen|back|head|neck|shoulder|face|hand \
                --vaccin*|flu|covid|booster|tetanus|injection|sore|hurts
            deep|huge|gaping|bad cut|wound|gash|laceration
            stabbed|gunshot|gun_shot|been_shot|got_shot|was_shot|stab_wound|shot_himself|shot_herself
            cut|sliced|chopped|severed|amputated|tore|ripped|lost off? my|his|her|a|the .. \
                finger|fingers|fingertip|thumb|toe|toes off|END
            cut_off|sliced_off|chopped_off|severed|amputated my|his|her|a|the .. \
                finger*|thumb|toe|toes|hand|arm|leg|foot|ear
            bleed*|nosebleed* & minutes|hour|hours|<wont_stop>
            bleed*|nosebleed* & <not> & stop*
            blood .. coming|comes|running|leaking .. ear|ears|mouth|eyes|nose|head|wound
        """,
        "seizure": """
            seizing|convulsing
            first seizure|fit -aid
            seizure|seizures|fits one_after_another|in_a_row|cluster*|keep*
            having|has|had|in|throwing a|an? .. fit|fits -for|of|in|to|bit|people|and_healthy
            seizure|seizures .. more_than|longer|over|lasting|lasts|lasted|again|back_to_back|minutes|<wont_stop>
            seizure|seizures .. <not> .. stop*
            shaking|jerking|twitching .. uncontroll*|unresponsive|not_responding|all_over|eyes
            foam|foaming|froth|frothing .. mouth
            eyes .. rolled|rolling|roll back|up|into
        """,
        "unconscious": """
            unconscious|unresponsive -bias*|mind|thought*|belief*
            lost|lose|loses|losing consciousness
            knocked_out|out_cold
            <not>|hard_to|difficult_to|unable_to .. wake|waking|woken|rouse|awake \
                -up_early|early|up_at|up_in|up_on|up_without|up_to_go|up_to_my|up_to_an|at|during|refreshed|feeling|my_partner|up_tired
            is|isnt|are|stopped|hes|shes not|stopped? responding|responsive|reacting \
                -to_treat*|to_med*|to_the|to_therapy|to_insulin|to_anti*
            is|hes|shes|isnt not responding|responsive|reacting|moving -to_treat*|to_med*|to_the|to_therapy
            <who> .. \
                passed_out|passing_out|pass_out|faint|fainted|fainting|collapsed|black*_out|keeled_over \
                --<long_ago>
            collapsed|passed_out|fainted and|on|at|after|in|from|END
            need|needs|do|doing|give|giving|start|perform|how_to cpr
            -baby|babys <who> .. isnt|not|wont|cant|stopped moving|move -to|house|on|past
            <not> respond|responds|react|answer|answering \
                -to_treat*|to_med*|to_the_treat*|to_therapy|to_insulin|to_anti*
            found him|her|them|my .. floor|ground
            blood_sugar|glucose|sugar_level .. is|was|of|at|reads|reading|to|under|below \
                only|down_to|now|about|just? 1\\d|2\\d|3\\d|4\\d|5\\d\\d|6\\d\\d \
                -to|or|minutes|hours|percent|grams|years|days
            blood_sugar|blood_glucose|glucose level|levels|reading? now|only|just? 1\\d|2\\d|3\\d|4\\d|5\\d\\d|6\\d\\d \
                -to|or|<not_a_count>|point*|tip|tips|way|ways|food*|fact*|thing*|question*
            blood_sugar|glucose|sugar_level .. from \\d+ \\d? to|down_to|up_to 1\\d|2\\d|3\\d|4\\d|5\\d\\d|6\\d\\d \
                -to|or|minutes|hours|percent|grams|years|days
            barely|semi|half|hardly|not conscious
            <who> .. dropped|slumped|crumpled to|onto
        """,
        "pregnancy": """
            pregnan*|weeks_along|trimester .... bleed*|bled|blood|severe_pain|bad_pain|leaking|spotting \
                -pressure|test*|sugar|type|work|group|count|volume|clot*
            pregnan* & blurr*|faint*|collaps*|bad_headache|severe_headache|severe* -morning|nausea|acne|reflux
            pregnan* & belly|stomach|abdomen|tummy & <hurts>
            pregnan* & no|less|little|fewer movement*|kicks
            born at_home|right_now|in_the_car
            bleed*|bled|severe_pain|bad_pain .... pregnan*|trimester -test*
            pregnan*|weeks .... baby|movements|kicks .. \
                not|isnt|hasnt|stopped|less|havent|no_longer|slow*|moved_less
            <not>|stopped .. felt|feel|feeling <whose>? baby move|moving|kick*|moves
            baby .. stopped|not|hasnt|isnt|less|moving_less been? moving|moved|kick*
            water|waters has|have|just? broke|broken|breaking
            in|going_into|gone_into|went_into|into preterm|premature|early|active? labor|labour -union|market
            preterm|premature contractions
            baby|babys_head is? coming|crowning -home|back|to_visit
            giving birth now|right|alone|at_home|in_the_car
            cord .. coming_out|prolaps*|hanging
            pregnan*|weeks & kick*|movement* & <not>
            contractions & weeks|pregnan*|early|minutes
        """,
        "baby": """
            <young> .... fever*|temperature|temp|hot|floppy|limp|letharg*|yellow|sleepy
            <young> .... wont|not|refus*|isnt|stopped|doesnt .. feed*|eat*|drink*|suck*
            fever|temperature|temp .... <young>
            baby|newborn|infant|toddler|child .... letharg*|grunting
            baby|newborn|infant|toddler|child & !a|slight|the limp|floppy|lifeless|listless -baby|infant|syndrome|ear*
            baby|newborn|infant|toddler|child .... no wet? diaper*|nappy|nappies
            soft_spot|fontanel* .. bulg*|sunken|swollen
        """,
        "injury": """
            hit|hits|banged|bumped|hurt|injur*|cracked|bashed|knocked|landed|fell|blow .. head .... \
                <head_signs>
            <child>|mother|father|mom|mum|dad|grand* .. hit|hits|banged|bumped|hurt|injured|cracked|fell .. head
            fell|fallen|falls|falling|fall|dropped|rolled .. off|from|out_of|down .. \
                roof|ladder|window|balcony|stairs|staircase|height|horse|tree|building|changing_table|bunk*|cliff|bed \
                    \
                    \
                    \
                --asleep
            electrocut*|electric_shock|electrical_shock|struck_by_lightning|shocked_by
            drowning|drowned|almost_drown*|nearly_drown*|near_drown*
            <who> .. burned|burnt|burn|scalded .... \
                badly|severe*|face|boiling|hot|fire|chemical*|acid|whole|third_degree|second_degree|blister*
            severe|bad|serious|third_degree|3rd_degree|chemical|large|electrical burn|burns \
                on|all|to|from|over|covering|END
            boiling|hot_oil|hot_water|flame*|on_fire & burn*|scald*|skin|spill*
            nail|needle|knife|stick|fork|wire|pencil|scissors|hook .... eye|eyes
            scalded|boiling_water_on|boiling_water_over|spilled_boiling
            hit|run_over|struck|knocked_down by a|the? car|truck|bus|train|van|bike|motorcycle|lorry
            in a? .. accident|crash|wreck --<long_ago>
            broke|broken|fractured|snapped|injured|hurt my|his|her|the neck|back|spine|skull|pelvis|hip .... \
                cant|numb|cannot|fall|fell|accident
            bone .. sticking|poking|exposed|visible
            see|seeing the|his|her|my? bone
            impaled|trapped_under
            <poison>|chemical*|cement|pepper_spray|metal|splash* .. in|into my|his|her|the? eye|eyes
            live wire
            burned|burnt|burn & chemical*|electric*
            <cant> feel my|his|her .. foot|feet|leg|legs|hand|hands|finger*|toes|face
            knife|blade|nail|bullet|needle|glass .. through|into .. hand|foot|leg|arm|stomach|chest|neck|back
        """,
        "other": """
            call*|dial|phone|ring|need|needs|get|send for? an|the|a? ambulance|911|999|112|000|paramedic*
            911|ambulance
            is|was|it|this this|it|that|an|a? an|a? medical? emergency -room|contracept*|contact*|kit
            medical_emergency|emergency_please|emergency_help
            go|going|get|rush*|take|taking|drive|straight|went|head .. the|an|a|to \
                er|emergency_room|emergency_department|a_and_e|casualty|hospital_now
            <who> .. am|im|is|are|hes|shes|think_i|like_i|going_to|about_to .. dying|die \
                -of|from|to|for|my|out|if|in|before|at|when
            <hurts>|severe|unbearable|excruciating|sudden|worst|terrible|extreme .. \
                abdominal|stomach|belly|tummy|abdomen|testic*|groin .... \
                fever|vomit*|sudden*|severe|rigid|faint*|unbearable|excruciating|stand|walk
            severe|unbearable|excruciating|extreme|agoni* lower|upper|right? \
                abdominal|stomach|belly|tummy|testic*|groin .. pain|pains|ache
            unbearable|excruciating pain
            severe|sudden|unbearable|excruciating|intense|terrible|extreme|agoni* <hurts> in|of|across|around .. \
                testic*|scrotum|abdomen|stomach|belly|tummy
            testicle|testicles|scrotum & sudden*|twisted|severe*
            worst pain of|in|ever|i
            <hurts> .... <cant> stand|walk|move|straighten
            pain .. unbearable|excruciating
            stiff_neck .... fever|rash|headache|light|vomit*|temperature
            fever|headache|temperature|rash .... stiff_neck
            rash .. <not> .. fade*|disappear*|blanch*
            suddenly|sudden|very|extremely|completely|so .. confused|disoriented|delirious|confusion \
                --about|by|which|why|what|how
            # a number after a number is its decimals
            !water|oven|room|bath fever|temperature|temp -do|does|should|can|will|kills|is_best .. \
                !\\d\\d|\\d\\d\\d 10[4-9]|4[1-3] -weeks|days|hours|minutes|years
            !water|oven|room|bath|scarlet|rheumatic|hay|yellow|dengue fever|temperature|temp \
                of|is|was|hit|reached|over? 40 \
                -weeks|days|hours|minutes|years|or_[5-9]\\d|to_[5-9]\\d --mean|means|wash*|kill*
            !water|oven|room|bath fever|temperature|temp .. \
                from 3[6-9]|9[5-9]|10\\d \\d? degree|degrees|f|c? to|up_to 10[4-9]|4[0-3] \
                -weeks|days|hours|minutes|years
            10[4-9]|4[0-3] \\d? degree|degrees? c|f|celsius? fever
            being|gets|got|was|been beaten|raped|assaulted|strangled
            send help
            appendix .. burst|ruptur*
            worst .. pain|headache|cramps|ache of|in|ever|i|END
        """,
    }
)
