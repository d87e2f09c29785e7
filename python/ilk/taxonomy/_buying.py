"""Lists about firms and about buying: sizes, maturity, roles, stages."""

from __future__ import annotations

from ilk.taxonomy._taxonomy import Taxonomy

FIRM_SIZES = Taxonomy.of(
    "firm_sizes",
    {
        "micro": {
            "name": "Micro",
            "description": "Fewer than 10 people. The owner decides; the budget is tight.",
            "decides": "the owner",
            "from_employees": 0,
            "below_employees": 10,
            "turnover_up_to_eur": 2_000_000,
            "balance_up_to_eur": 2_000_000,
        },
        "small": {
            "name": "Small",
            "description": "10 to 49 people. The owner decides; the budget is tight.",
            "decides": "the owner",
            "from_employees": 10,
            "below_employees": 50,
            "turnover_up_to_eur": 10_000_000,
            "balance_up_to_eur": 10_000_000,
        },
        "medium": {
            "name": "Medium-sized",
            "description": "50 to 249 people. There are processes, which can be improved.",
            "decides": "department heads and management",
            "from_employees": 50,
            "below_employees": 250,
            "turnover_up_to_eur": 50_000_000,
            "balance_up_to_eur": 43_000_000,
        },
        "large": {
            "name": "Large",
            "description": "250 people or more. Long cycles, complex integrations, more bureaucracy.",
            "decides": "a committee",
            "from_employees": 250,
            "below_employees": None,
            "turnover_up_to_eur": None,
            "balance_up_to_eur": None,
        },
    },
    description=(
        "Classes of firms by staff. By the definition a firm also keeps to the ceiling of turnover or of balance sheet of "
        "its class."
    ),
    source=(
        "Classes: Commission Recommendation 2003/361/EC of 6 May 2003 concerning the definition of micro, small and "
        "medium-sized enterprises, annex, article 2; how they decide: S3-B2B-04"
    ),
)

MATURITY_LEVELS = Taxonomy.of(
    "maturity_levels",
    {
        "initial": {
            "name": "Initial",
            "description": "Work is done ad hoc; results depend on single people.",
            "level": 1,
            "next_step": "write the core processes down",
        },
        "managed": {
            "name": "Managed",
            "description": "Work is planned and followed, project by project.",
            "level": 2,
            "next_step": "adopt a CRM and standard processes",
        },
        "defined": {
            "name": "Defined",
            "description": "The firm has standard processes, and keeps to them.",
            "level": 3,
            "next_step": "integrate systems, such as ERP",
        },
        "quantitatively_managed": {
            "name": "Quantitatively managed",
            "description": "Processes are steered by figures.",
            "level": 4,
            "next_step": "forecast and automate",
        },
        "optimizing": {
            "name": "Optimizing",
            "description": "Processes are improved all the time, by what the figures show.",
            "level": 5,
            "next_step": "keep improving",
        },
    },
    description="Process maturity from chaotic to optimised. Complex systems fit only from a level on.",
    source="CMMI for Development 1.3 (2010), Software Engineering Institute; next steps: S3-B2B-05",
)

_MILLER_HEIMAN = "Miller and Heiman (1985), Strategic Selling"

BUYER_ROLES = Taxonomy.of(
    "buyer_roles",
    {
        "economic": {
            "name": "Economic buyer",
            "description": "Gives the final yes, and can veto. There is exactly one.",
            "asks": "What is the return?",
            "can_say_yes": True,
            "can_say_no": True,
        },
        "technical": {
            "name": "Technical buyer",
            "description": "Screens out: can say no, but gives no final yes.",
            "asks": "Does it meet the specification?",
            "can_say_yes": False,
            "can_say_no": True,
        },
        "user": {
            "name": "User",
            "description": "Works with it, and judges what it does for the work.",
            "asks": "Does it work for me?",
            "can_say_yes": False,
            "can_say_no": False,
        },
        "coach": {
            "name": "Coach or champion",
            "description": "Wants you to win, knows the way, and is believed.",
            "asks": "How can we pull this off?",
            "can_say_yes": False,
            "can_say_no": False,
        },
    },
    description="Roles in a complex sale. One person may play several; a role that nobody covers is a red flag.",
    source=f"S1-BUY-02; {_MILLER_HEIMAN}",
)

STANCES = Taxonomy.of(
    "stances",
    {
        "champion": {"description": "Sells it for you inside.", "score": 2},
        "supporter": {"description": "Is for it.", "score": 1},
        "neutral": {"description": "Has no view, or shows none.", "score": 0},
        "sceptic": {"description": "Doubts it, and can be convinced.", "score": -1},
        "blocker": {"description": "Is against it, and acts on it.", "score": -2},
    },
    description="Where a buyer stands, whatever the role: a blocker is a stance, which any role can take.",
    source="S1-BUY-02; the ladder is ilk's own",
)

APPROVAL_CHAIN = Taxonomy.of(
    "approval_chain",
    {
        "manager": {
            "name": "Manager",
            "description": "Spots the need.",
            "step": 1,
            "priority": "getting the work done",
        },
        "department_head": {
            "name": "Department head",
            "description": "Approves.",
            "step": 2,
            "priority": "convenience and efficiency",
        },
        "cfo": {
            "name": "Chief financial officer",
            "description": "Counts the money.",
            "step": 3,
            "priority": "budget savings",
        },
        "managing_director": {
            "name": "Managing director",
            "description": "Signs.",
            "step": 4,
            "priority": "strategy",
        },
    },
    description="Who approves a purchase in a firm, in order. The sale fails if one of them disagrees.",
    source="S3-B2B-02, S3-B2B-03, S3-B2B-07; the priority of the manager is ilk's own",
)

_GARTNER = "the buying jobs of Gartner, The B2B buying journey"
_CONSUMER = {
    "problem": {
        "name": "Problem",
        "description": "Has a problem, and researches it.",
        "stage": 1,
        "job": "problem identification",
    },
    "solutions": {
        "name": "Solutions",
        "description": "Researches which solutions there are.",
        "stage": 2,
        "job": "solution exploration",
    },
    "requirements": {
        "name": "Requirements",
        "description": "Writes down what a solution must do.",
        "stage": 3,
        "job": "requirements building",
    },
    "suppliers": {
        "name": "Suppliers",
        "description": "Researches firms and products.",
        "stage": 4,
        "job": "supplier selection",
    },
}

CONSUMER_JOURNEY = Taxonomy.of(
    "consumer_journey",
    _CONSUMER,
    description=(
        "The way of a consumer to a purchase, looking forwards. Buyers go back and forth. Where a household decides "
        "together, B2B_JOURNEY fits."
    ),
    source=f"S4-JRN-02; the first four of {_GARTNER}",
)

B2B_JOURNEY = Taxonomy.of(
    "b2b_journey",
    {
        **_CONSUMER,
        "validation": {
            "name": "Validation",
            "description": "Checks problem, solution and requirements once more.",
            "stage": 5,
            "job": "validation",
        },
        "consensus": {
            "name": "Consensus",
            "description": "Brings teams and those who influence them to agree.",
            "stage": 6,
            "job": "consensus creation",
        },
    },
    description="The way of a firm, or of a household that decides together, to a purchase, looking forwards.",
    source=f"S4-JRN-03, S4-JRN-04; {_GARTNER}",
)

FUNNEL = Taxonomy.of(
    "funnel",
    {
        "awareness": {"description": "Knows of the offer.", "letter": "A", "given": True},
        "interest": {"description": "Wants to know more.", "letter": "B", "given": False},
        "consideration": {"description": "Weighs it among others.", "letter": "C", "given": False},
        "intent": {"description": "Means to buy.", "letter": "D", "given": True},
        "evaluation": {
            "description": "Tests it before the purchase.",
            "letter": "E",
            "given": True,
        },
        "purchase": {"description": "Buys.", "letter": "F", "given": False},
    },
    description="How near a prospect is to a purchase, looking backwards from the seller. Not the journey: keep both.",
    source="S4-FUN-03 names A, D and E; B, C and F are those of the usual ladder, which fits these (column given)",
)

OUTCOMES = Taxonomy.of(
    "outcomes",
    {
        "cost_reduction": {"description": "The firm spends less for the same."},
        "growth": {"description": "The firm sells more."},
        "process_optimisation": {"description": "The same is done faster, or with fewer mistakes."},
    },
    description="What firms buy for. What brings none of these is not needed, or ahead of its time.",
    source="S3-B2B-06",
)
