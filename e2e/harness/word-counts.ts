// The plain Node count that the network's answer is compared with, written without the sample's code.

/** Words are runs of letters and digits, joined inside by apostrophes and hyphens; a phrase is two words that follow in a line. */
export function plainCounts(text: string): { words: Map<string, number>; phrases: Map<string, number> } {
  const words = new Map<string, number>();
  const phrases = new Map<string, number>();
  const add = (counts: Map<string, number>, key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const line of text.split(/\r?\n/)) {
    const found = wordsOf(line.toLowerCase());
    found.forEach((word, i) => {
      add(words, word);
      if (i > 0) add(phrases, `${found[i - 1]} ${word}`);
    });
  }
  return { words, phrases };
}

function wordsOf(line: string): string[] {
  const found: string[] = [];
  for (const run of line.split(/[^\p{L}\p{N}'’-]+/u)) {
    // An apostrophe or hyphen joins only where it stands alone between two letters or digits.
    for (const word of run.split(/^['’-]+|['’-]+$|['’-]{2,}/u)) if (word !== '') found.push(word);
  }
  return found;
}
