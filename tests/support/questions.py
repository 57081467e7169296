"""Questions about the documents of the examples, each with the document that answers.

The questions were written for this repository and are in the public domain.
"""

from typing import Final

__all__ = ["QUESTIONS"]

QUESTIONS: Final = {
    "Why was the Eiffel Tower not dismantled after twenty years?": "eiffel-tower",
    "Who carried Washington Roebling's instructions to the site?": "brooklyn-bridge",
    "Which bridge was the first of cast iron?": "iron-bridge",
    "How did Baker show how a cantilever works?": "forth-bridge",
    "Which container ship blocked the Suez Canal?": "suez-canal",
    "How did William Gorgas fight yellow fever?": "panama-canal",
    "What did the opponents of DeWitt Clinton name the canal?": "erie-canal",
    "What guided ships into the harbour of Alexandria?": "lighthouse-of-alexandria",
    "Which mortar did Smeaton use that hardens under water?": "eddystone-lighthouse",
    "How many lines are on most pages of Gutenberg's Bible?": "printing-press",
    "Why did Newcomen's engine waste so much coal?": "newcomen-engine",
    "What is a separate condenser good for?": "watt-engine",
    "Which locomotive won the trials at Rainhill?": "rocket-locomotive",
    "What was the first message from Washington to Baltimore?": "telegraph",
    "How do punched cards control a loom?": "jacquard-loom",
    "Which animals flew in a balloon from Versailles?": "hot-air-balloon",
    "How long was the first flight of the Wright brothers?": "wright-flyer",
    "Who made tyres filled with air for his son's tricycle?": "bicycle",
    "Which moons did Galileo see beside Jupiter?": "telescope",
    "Why did Hooke name the boxes in cork cells?": "microscope",
    "Who carried a barometer up the Puy de Dôme?": "barometer",
    "At how many degrees does water freeze on Fahrenheit's scale?": "thermometer",
    "How much time did Harrison's H4 lose on the voyage?": "marine-chronometer",
    "Who explained that the Earth itself is a magnet?": "compass",
    "How much does the heart of a blue whale weigh?": "blue-whale",
    "Where do monarch butterflies spend the winter?": "monarch-butterfly",
    "Who balances the egg of the emperor penguin?": "emperor-penguin",
    "Why is the blood of an octopus blue?": "octopus",
    "Why do giant sequoias need fire?": "giant-sequoia",
    "What does the waggle dance of a bee show?": "honey-bee",
    "Which plant gave Edison filaments for his lamps?": "bamboo",
    "Who reached the top of Mount Everest first?": "mount-everest",
    "Who was alone at the bottom of the Challenger Deep?": "mariana-trench",
    "Which river flows out of Lake Baikal?": "lake-baikal",
    "Why do people float on the Dead Sea?": "dead-sea",
    "How far away was the explosion of Krakatoa heard?": "krakatoa",
    "Where is there ice on Mercury?": "mercury",
    "What are the rings of Saturn made of?": "saturn",
    "When will Halley's Comet return?": "halleys-comet",
}
