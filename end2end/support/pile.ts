// The documents that the tests upload: fixtures/pile, whose folders are the labels, and larger piles made from it.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { type Entry, zip } from "./zip.ts";

export const TOPICS = ["astronomy", "bicycles", "bread"] as const;
export type Topic = (typeof TOPICS)[number];

const FOLDER = join(import.meta.dirname, "../../fixtures/pile");

/** A name that would run as markup where it is not escaped, and as a formula in a spreadsheet. */
export const HOSTILE_NAME = `=bread <img src=x onerror="document.title='taken'">.txt`;
export const UNSUPPORTED_NAME = "odd/dump.bin";

export const texts: Entry[] = TOPICS.flatMap((topic) =>
  readdirSync(join(FOLDER, topic))
    .sort()
    .map((file) => ({ name: `${topic}/${file}`, bytes: readFileSync(join(FOLDER, topic, file)) })),
);

const hostile: Entry = {
  name: `bread/${HOSTILE_NAME}`,
  bytes: Buffer.from(
    "Rye bread for beginners\n\nMix rye flour, water, salt and sourdough to a sticky dough, fill it into a tin, let it " +
      "proof until bubbles show and bake the loaf for an hour. Rye has little gluten, so its dough is not kneaded. " +
      "<script>document.title = 'taken'</script> Let the bread rest for a day before cutting it, or the crumb smears.\n",
  ),
};
const unsupported: Entry = { name: UNSUPPORTED_NAME, bytes: Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 167 + 13) % 256)) };

/** What is readable: the texts and the hostile one. */
export const READABLE = texts.length + 1;
/** Everything in the archive. */
export const ALL = READABLE + 1;

export function pile(): Buffer {
  return zip([...texts, hostile, unsupported]);
}

/**
 * A pile that takes long enough to be watched or interrupted: each plain text many times, each copy with words of its own.
 * What a server has read before it does not read again: another place makes other documents.
 */
export function largePile(copies: number, place = "the archive"): Buffer {
  const entries: Entry[] = [];
  for (const { name, bytes } of texts.filter((text) => text.name.endsWith(".txt"))) {
    for (let copy = 0; copy < copies; copy++) {
      const own = `Copy ${copy} of ${place}, shelf ${copy * 7}, box ${copy * 13}.\n\n`;
      entries.push({ name: name.replace(".txt", `-${copy}.txt`), bytes: Buffer.concat([Buffer.from(own), bytes]) });
    }
  }
  return zip(entries);
}

/** The label of a document, by the folder in its path. */
export function topicOf(path: string): Topic | undefined {
  return TOPICS.find((topic) => path.includes(`${topic}/`));
}
