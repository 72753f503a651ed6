"""The 256 words that the sandbox speaks: one byte, one word, one o200k token each (with its leading space).

Changing or reordering them changes every deterministic answer; a test proves the one-token property.
"""

from typing import Final

OPENING: Final = "Sandbox"
"""The first word of every answer, one token without a leading space: no one takes it for a real model."""

WORDS: Final = tuple(
    f" {word}"
    for word in """
amber anchor apple arrow autumn badge bamboo basin basket beacon berry bird bloom blue boat branch brass
bread brick bridge bronze brook brush butter button cabin calm camel camera canvas canyon carbon cargo
carpet castle cedar cello chain chair chalk cherry circle citrus clear cliff clock coast cobalt coffee
color comet compass coral corner cotton crane crater creek crown crystal cycle dance dawn delta desert
diamond dolphin door dove dream drift drum eagle early east echo edge emerald engine evening farm
feather fern fire flame flat flora flower flute forest forge fossil fox frame frost fruit garden gentle
giant ginger glass globe glow grain granite grape gravel green grove gull hammer harvest heart hill
honey horizon horse iris iron island ivy jade jasmine journey jungle kettle ladder lake lantern lavender
leaf light lily lime lion lotus lunar mango maple marble marsh meadow melody mild mill mint mist moon
mountain music nectar night noble north oasis ocean olive orbit orchard orchid oyster paddle palm paper
parade path peach pearl piano pilot pine plum pocket polar port prairie prism purple quartz quick rain
raven reed ribbon ridge road robin rocket root rose ruby saddle sage sail salt sand sapphire shade
shadow shell silk silver slate slow smoke snow solar song spark spice spiral square star steam stone
storm straw sugar summer summit sunset swift teal tempo temple thunder tide tiger tin torch tower train
tree tunnel twilight umbrella valley velvet vessel vine violet violin walnut warm water west whale wheat
willow wind window wolf wood wool young zebra
""".split()  # noqa: SIM905 - 256 quoted words would be twelve screens
)
