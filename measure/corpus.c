/* SPDX-License-Identifier: MIT */
#include "measure/corpus.h"

#include <stddef.h>

const char *const tdm_corpus_code[] = {
    "// Keeps a harbour's berths and says which ship goes where.",
    "import { Tide, Wind } from \"weather/coast\";",
    "",
    "const BERTHS = 24;",
    "const KEEL_CLEARANCE = 0.75; // Metres of water under a keel.",
    "",
    "export class Harbour {",
    "    constructor(name, depth) {",
    "        this.name = name;",
    "        this.depth = depth;",
    "        this.berths = new Array(BERTHS).fill(null);",
    "    }",
    "",
    "    // The first free berth that is deep enough at low tide.",
    "    find(ship, tide) {",
    "        for (let i = 0; i < BERTHS; i++) {",
    "            const water = this.depth[i] + tide.lowest();",
    "            if (this.berths[i] === null && water > ship.draught + KEEL_CLEARANCE) {",
    "                return i;",
    "            }",
    "        }",
    "        return -1;",
    "    }",
    "",
    "    async moor(ship) {",
    "        const tide = await Tide.at(this.name, Date.now());",
    "        const berth = this.find(ship, tide);",
    "        if (berth < 0) {",
    "            throw new Error(`no berth for ${ship.name}: wait outside`);",
    "        }",
    "        this.berths[berth] = ship;",
    "        console.log(\"moored\", ship.name, \"at\", berth + 1);",
    "        return { berth, until: tide.next(\"high\"), lines: ship.length > 60 ? 8 : 4 };",
    "    }",
    "",
    "    /* A ship that leaves takes its lines along. */",
    "    leave(name) {",
    "        const berth = this.berths.findIndex((s) => s && s.name === name);",
    "        if (berth >= 0) {",
    "            this.berths[berth] = null;",
    "        }",
    "        return berth >= 0;",
    "    }",
    "}",
    "",
    "export function safe(ship, wind) {",
    "    const push = 0.00061 * wind.speed ** 2 * ship.area; // Kilonewtons on the side.",
    "    return push < 35.5 && wind.gusts < 22;",
    "}",
    "",
    "const demo = new Harbour(\"Sandvig\", [4.2, 4.4, 5.1, 6.0, 7.5, 7.5, 9.0]);",
    "for (const ship of [\"Alma\", \"Birgit\", \"Cormorant\", \"Dag\"]) {",
    "    await demo.moor({ name: ship, draught: 3.1, length: 42, area: 310 });",
    "}",
    NULL,
};

const char *const tdm_corpus_typed[] = {
    "    // Ships that wait outside, the one that came first at the front.",
    "    get waiting() { return this.queue.filter((s) => !s.moored); }",
    "    enqueue(ship) { this.queue.push({ ...ship, since: Date.now() }); }",
    "    const late = this.waiting.some((s) => Date.now() - s.since > 3600e3);",
    "    if (late) console.warn(\"somebody waits for more than an hour\");",
    NULL,
};

const char *const tdm_corpus_paragraphs[] = {
    "The ferry left at six, half an hour before the light. On deck stood eleven people, a bicycle "
    "and a crate of hens, and nobody spoke until the island was a line behind them. Then the "
    "captain came down with a can of coffee, as she did each morning, and the day began.",
    "Maps of this coast are older than its harbours. The sand moves: where a chart of 1874 shows "
    "four fathoms there is a beach now, with a kiosk, and the wreck that gave the bay its name "
    "lies under a football field. Pilots here learn the water by its colour.",
    "What a lighthouse costs is easily said: a lamp of 70 watts, two visits a year, paint every "
    "fifth summer. What it is worth is harder to say. In the three winters after the old one at "
    "Skarv had been switched off, the rescue boat went out nineteen times instead of four.",
    "Herring come in May, mackerel in July, and in autumn the eels go out to sea by night, when "
    "there is no moon and the wind is from the west. Two families still set traps for them, made "
    "of willow, in the same places as their grandparents.",
    "A net of sixty metres has about twenty-four thousand knots. A good hand ties fourteen a "
    "minute; the machine in the shed behind the church ties nine hundred and needs a day to be "
    "set up, so small nets are still tied on the bench in front of it, in the sun.",
    NULL,
};

const char *const tdm_corpus_files[] = {
    "harbour",    "  berths.ts",    "  harbour.ts",   "  ships.ts",   "  tide.ts", "weather",
    "  coast.ts", "  gale.ts",      "  wind.ts",      "charts",       "  bay.svg", "  sounding.csv",
    "tests",      "  moor.test.ts", "  tide.test.ts", "package.json", "readme.md", NULL,
};
