"""Lists about people: how to segment them, what tells them apart, why they buy."""

from __future__ import annotations

from ilk.taxonomy._taxonomy import Taxonomy


def _words(text: str) -> list[str]:
    return text.split(", ")


SCENARIOS = Taxonomy.of(
    "scenarios",
    {
        "use_cases": {
            "name": "Use cases",
            "description": "What people do with the product, where and how often.",
            "asks": "What is it used for?",
        },
        "pain_points": {
            "name": "Pain points",
            "description": "What hinders people, costs them time or money, or goes wrong today.",
            "asks": "What goes wrong?",
        },
        "journey_maps": {
            "name": "Journey maps of buying triggers",
            "description": "What sets off a purchase, and the way from there to the decision.",
            "asks": "What makes them start to look?",
        },
        "jobs_to_be_done": {
            "name": "Jobs to be done",
            "description": "The progress that people want to make, for which they would hire a product.",
            "asks": "What do they want to get done?",
        },
        "life_stages": {
            "name": "Life stages",
            "description": "Where people stand in life: age, household, work.",
            "asks": "Where in life do they stand?",
        },
        "value_proposition": {
            "name": "Value proposition",
            "description": "Which benefits people choose the product for rather than another.",
            "asks": "Which benefit do they choose for?",
        },
    },
    description="Six frames of reference in which customers can be segmented; one is to be chosen that fits the firm.",
    source=(
        "S5-FRAME-02; jobs: Christensen, Hall, Dillon and Duncan (2016), Know your customers' jobs to be done, Harvard "
        "Business Review 94(9); value propositions: Osterwalder, Pigneur, Bernarda and Smith (2014), Value Proposition Design"
    ),
)

CHARACTERISTICS = Taxonomy.of(
    "characteristics",
    {
        "needs_and_wants": {
            "name": "Needs and wants",
            "description": "What people lack and what they wish for.",
            "examples": [
                "wants advice",
                "needs fast delivery",
                "looks for bargains",
                "wants variety",
            ],
            "words": _words(
                "need, needs, want, wants, wish, problem, pain, benefit, benefits, importance, important, expectation, "
                "preference, request, complain, complaint, complaints, feature"
            ),
        },
        "drives_and_motivations": {
            "name": "Drives and motivations",
            "description": "Why people act: what moves them to buy.",
            "examples": [
                "functional: it has to work",
                "social: wants to be seen",
                "emotional: it has to be beautiful",
            ],
            "words": _words(
                "motive, motives, motivation, drive, driver, goal, goals, reason, why, purpose, prestige, fun, enjoy, like, "
                "likes, aspiration, functional, emotional, social"
            ),
        },
        "life_stage": {
            "name": "Life stage",
            "description": "Age, household and family: where people stand in life.",
            "examples": [
                "student",
                "young professional",
                "family with small children",
                "pensioner",
            ],
            "words": _words(
                "age, birth, born, year birth, household, family, children, child, kids, kid, kidhome, teenhome, teen, "
                "teens, baby, marital, married, marriage, partner, single, couple, widow, divorced, stage, generation, "
                "gender, sex, retired, pensioner"
            ),
        },
        "achievements_and_milestones": {
            "name": "Achievements and milestones",
            "description": "What people have reached, and what lies just behind or before them.",
            "examples": ["first job", "bought a house", "became a parent", "opened a second shop"],
            "words": _words(
                "achievement, achievements, milestone, milestones, award, promotion, graduated, graduation, anniversary, "
                "tenure, since, joined, customer since, first, loyalty, member, moved, dt customer, house owner, homeowner"
            ),
        },
        "lifestyle": {
            "name": "Lifestyle choices",
            "description": "How people live and spend: activities, interests, habits, channels.",
            "examples": [
                "sports three times a week",
                "cooks at home",
                "shops online",
                "travels light",
            ],
            "words": _words(
                "lifestyle, hobby, hobbies, interest, interests, activity, activities, sport, sports, travel, vacation, "
                "diet, food, wine, wines, meat, fish, fruit, fruits, sweet, gold, read, media, habit, habits, visit, "
                "visits, frequency, purchase, purchases, web, store, catalog, online, app, channel, basket, deals, "
                "discount, mnt, num, subscription, usage, smoker, drinks"
            ),
        },
        "household_income": {
            "name": "Household income",
            "description": "What the household earns and can spend.",
            "examples": ["under 20,000 a year", "two incomes", "saves a tenth"],
            "words": _words(
                "income, salary, wage, earnings, earn, budget, wealth, assets, savings, spend, spending, disposable, "
                "credit, balance, debt, limit, money, revenue, turnover"
            ),
        },
        "education": {
            "name": "Education",
            "description": "Schools, degrees and training.",
            "examples": ["secondary school", "apprenticeship", "master's degree"],
            "words": _words(
                "education, degree, school, schooling, university, college, study, studies, training, qualification, "
                "graduate, phd, literacy"
            ),
        },
        "social_class": {
            "name": "Class",
            "description": "Standing in society, as the market measures it.",
            "examples": ["working class", "upper middle class", "NRS social grade C1"],
            "words": _words(
                "class, social class, social grade, grade, caste, socioeconomic, ses, nrs"
            ),
        },
        "location": {
            "name": "Location",
            "description": "Where people live, work and buy.",
            "examples": ["city centre", "suburb with a garden", "within ten minutes of a shop"],
            "words": _words(
                "location, country, region, state, city, town, zip, zipcode, postcode, postal, address, area, district, "
                "urban, rural, latitude, longitude, distance, geography, county, market"
            ),
        },
        "occupation": {
            "name": "Occupation",
            "description": "Work: job, position, industry, employment.",
            "examples": ["nurse", "self-employed", "head of purchasing", "works shifts"],
            "words": _words(
                "occupation, job, work, working, profession, employment, employed, employer, position, title, industry, "
                "sector, department, career, employees, staff, seniority, company, firm"
            ),
        },
        "personality": {
            "name": "Personality traits",
            "description": "How people are: lasting traits and attitudes.",
            "examples": ["innovative", "thrifty", "social", "conscious", "conscientious"],
            "words": _words(
                "personality, trait, attitude, values, innovative, innovativeness, thrifty, thrift, conscious, "
                "conscientious, conscientiousness, open, openness, extraversion, extraverted, agreeable, agreeableness, "
                "neuroticism, risk, trust, price sensitive, patience, opinion"
            ),
        },
    },
    description=(
        "Eleven categories of characteristics that describe a group of people. An attribute of the data belongs to one of "
        "them; the words guess which from its name."
    ),
    source="S5-CHAR-02; the words are ilk's own",
)

LIFE_STAGES = Taxonomy.of(
    "life_stages",
    {
        "student": {
            "name": "Students",
            "description": "In education, mostly young, with little money of their own.",
            "driver": "affordable price",
        },
        "young_professional": {
            "name": "Young professionals",
            "description": "At work, without children.",
            "driver": "convenience and functionality",
        },
        "family": {
            "name": "Families",
            "description": "With children in the household.",
            "driver": "quality and reliability",
        },
        "pensioner": {
            "name": "Pensioners",
            "description": "Retired, without children in the household.",
            "driver": "simplicity and support",
        },
    },
    description="Stages of life in their usual order, each with what is expected to drive purchases.",
    source=(
        "S3-LIFE-01; after the family life cycle of Wells and Gubar (1966), Life cycle concept in marketing research, "
        "Journal of Marketing Research 3:355-363"
    ),
)

MONEY_EFFORT = Taxonomy.of(
    "money_effort",
    {
        "much_easily": {
            "name": "Much money, easily earned",
            "description": "Takes the best; convenience comes before price.",
            "behaviour": "takes the best, convenience before price",
            "money": "high",
            "ease": "high",
        },
        "much_hard": {
            "name": "Much money, hard earned",
            "description": "Thinks long and wants to see the cost justified.",
            "behaviour": "thinks long, wants the cost justified",
            "money": "high",
            "ease": "low",
        },
        "little_can_earn": {
            "name": "Little money, can earn",
            "description": "Strives to grow and buys status.",
            "behaviour": "strives to grow, buys status",
            "money": "low",
            "ease": "high",
        },
        "little_cannot_earn": {
            "name": "Little money, cannot earn",
            "description": "Hunts for discounts and takes the cheapest.",
            "behaviour": "hunts for discounts, takes the cheapest",
            "money": "low",
            "ease": "low",
        },
    },
    description="Four quadrants of money by the ease of earning it, each with the behaviour that is expected.",
    source="S3-B2C-02",
)

_SNG = (
    "Sheth, Newman and Gross (1991), Why we buy what we buy: a theory of consumption values, Journal of Business Research "
    "22:159-170"
)
_VALUES = {
    "functional": {
        "name": "Functional",
        "description": "Practical: what the product does, how well, and for what money.",
        "asks": "Does it do the work?",
        "words": _words(
            "practical, useful, quality, price, reliable, durable, cheap, convenient, fast, function"
        ),
    },
    "emotional": {
        "name": "Emotional",
        "description": "Beautiful, exciting or comforting: the feelings that it arouses.",
        "asks": "How does it make me feel?",
        "words": _words(
            "beautiful, beauty, feel, feeling, fun, joy, love, design, excite, comfort, mood"
        ),
    },
    "social": {
        "name": "Social",
        "description": "Status: what it tells others, and to whom one belongs.",
        "asks": "What will others think?",
        "words": _words(
            "status, prestige, others, friends, brand, belong, image, luxury, respect, impress"
        ),
    },
}

MOTIVES = Taxonomy.of(
    "motives",
    _VALUES,
    description="Three motives to buy. CONSUMPTION_VALUES has two more.",
    source=f"S3-MOT-01; three of the five values of {_SNG}",
)

CONSUMPTION_VALUES = Taxonomy.of(
    "consumption_values",
    {
        **_VALUES,
        "epistemic": {
            "name": "Epistemic",
            "description": "Curiosity: something new, or something to learn.",
            "asks": "Is it new to me?",
            "words": _words(
                "new, novel, curious, curiosity, learn, discover, variety, try, knowledge"
            ),
        },
        "conditional": {
            "name": "Conditional",
            "description": "The occasion: worth that a situation gives it.",
            "asks": "What is the occasion?",
            "words": _words(
                "occasion, season, gift, holiday, emergency, wedding, situation, event, temporary"
            ),
        },
    },
    description="Five values that a choice can have for a consumer; a choice may rest on several.",
    source=_SNG,
)

POSITIONING = Taxonomy.of(
    "positioning",
    {
        "key_value": {
            "name": "What is the key value?",
            "description": "The one benefit that you are chosen for.",
        },
        "delivery": {
            "name": "How do we deliver it?",
            "description": "By which product, service and path the value arrives.",
        },
        "style": {
            "name": "Which style of communication?",
            "description": "In whose words, tone and channels it is told.",
        },
    },
    description="Three questions that a strategy answers for each segment.",
    source="S3-POS-01",
)

BASES = Taxonomy.of(
    "bases",
    {
        "demographic": {
            "name": "Demographic",
            "description": "Who people are: age, sex, household, education, occupation, place.",
            "words": _words(
                "age, gender, sex, birth, household, family, marital, married, children, kids, kidhome, teenhome, "
                "education, degree, school, occupation, job, ethnicity, religion, nationality, country, region, city, "
                "generation, zip, postcode, language"
            ),
        },
        "lifestyle": {
            "name": "Lifestyle",
            "description": "How people live and think: activities, interests, opinions, values, personality.",
            "words": _words(
                "lifestyle, hobby, hobbies, interest, interests, activity, activities, opinion, attitude, values, "
                "personality, trait, motive, motivation, sport, travel, media, diet, innovative, thrifty, conscientious, "
                "like, likes, preference"
            ),
        },
        "behaviour": {
            "name": "Behaviour",
            "description": "What people do with the firm: purchases, use, loyalty, channels, response, occasions.",
            "words": _words(
                "behaviour, behavior, purchase, purchases, order, orders, visit, visits, frequency, recency, usage, use, "
                "basket, discount, deals, channel, web, store, catalog, online, response, accepted, campaign, churn, "
                "loyalty, tenure, complain, complaints, returns, mnt, num"
            ),
        },
        "financial": {
            "name": "Financial means",
            "description": "What people can spend: income, wealth, credit, budget.",
            "words": _words(
                "income, salary, wage, wealth, assets, savings, budget, credit, debt, balance, earnings, money, "
                "disposable, mortgage, turnover, funding"
            ),
        },
    },
    description="Kinds of variables to segment by. Sex and age alone do not make a segmentation.",
    source="S3-B2C-01; Kotler and Keller (2016), Marketing Management, 15th edition, chapter 9",
)

BLOCKS = Taxonomy.of(
    "blocks",
    {
        "expectations": {"description": "What the members of a segment count on."},
        "needs": {"description": "What they lack."},
        "preferences": {"description": "What they choose where they can."},
        "budget": {"description": "What they can and will spend."},
    },
    description="In what the members of a segment are alike.",
    source="S2-SEG-02",
)
